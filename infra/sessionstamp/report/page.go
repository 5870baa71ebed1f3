package report

import (
	"crypto/sha256"
	_ "embed" // the page's parts
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/census"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

//go:embed page.js
var pageJS string

// MaxRows is how many users a page lists at most, so that it opens quickly. JSON and CSV
// have all.
const MaxRows = 5000

// page is what the template draws.
type page struct {
	Report
	Lang   language.Language
	Policy string
	CSS    template.CSS
	JS     template.JS
	// Judged is the key of the verdict, "" for none.
	Judged string
	// A chart without columns is left out.
	OverTimeChart, MonthChart, SpeedChart chart
	Earlier                               Group
	Domains                               []domainRow
	// Due and Outside are those of Left who count as without a stamp, and the others.
	Due, Outside []Left
	Hidden       int
}

// ByItself tells whether this machine has stamped anybody whom no person had named.
func (p page) ByItself() bool { return p.Machine != nil && p.Machine.Stamped > p.Machine.ByPerson }

// WriteHTML draws a report as one page in one file. The page makes no request to anywhere:
// its Content-Security-Policy allows its own style and script by their hashes, and nothing
// else. Moments are written in the time zone. An error is the writer's.
func WriteHTML(w io.Writer, r Report, l language.Language, zone *time.Location) error {
	say := func(key string, args ...any) string {
		of := language.Key(key)
		if ofStack := of + ".stack"; r.Deployment != "" && words[ofStack] != (language.Text{}) {
			of = ofStack
		}
		return words.Say(l, of, args...)
	}
	functions := template.FuncMap{
		"say":     say,
		"number":  language.Number,
		"seconds": func(s float64) string { return wait(say, s) },
		"percent": share,
		"clean":   func(name string) string { return screen.Cut(screen.Clean(name), longestName) },
		"when":    func(at time.Time) string { return at.In(zone).Format("2006-01-02 15:04") },
		"day":     func(at time.Time) string { return at.In(zone).Format(time.DateOnly) },
		"whole":   func(date string) string { return strings.ReplaceAll(date, "-", "\u2011") },
		"pieces":  func(key string) []piece { return pieces(say(key)) },
		"zero":    func(key string, n *int) zero { return zero{"zero." + key, n} },
	}
	t, err := template.New("page").Funcs(functions).Parse(pageHTML)
	if err != nil {
		return fmt.Errorf("the page's template: %w", err)
	}
	if err := t.Execute(w, newPage(r, l, say)); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	return nil
}

// longestName is how many cells of a name are shown.
const longestName = 160

// piece is a part of a sentence; what is typed stands between backquotes there.
type piece struct {
	Text string
	Code bool
}

func pieces(sentence string) (all []piece) {
	for i, text := range strings.Split(sentence, "`") {
		all = append(all, piece{text, i%2 == 1})
	}
	return all
}

// zero is one of the three numbers; it is not known if there is none.
type zero struct {
	Key string
	N   *int
}

// Kept tells whether it is known to be 0, and Broken that it is not.
func (z zero) Kept() bool   { return z.N != nil && *z.N == 0 }
func (z zero) Broken() bool { return z.N != nil && *z.N > 0 }

func newPage(r Report, l language.Language, say sayer) page {
	p := page{
		Report: r, Lang: l, Policy: policy(), Judged: judged(r),
		CSS: template.CSS(pageCSS), JS: template.JS(pageJS), //nolint:gosec // our own files, and no input
		OverTimeChart: overTimeChart(r.OverTime, say),
		Domains:       domainRows(r.ByDomain, say),
	}
	for _, l := range r.Left {
		if slices.Contains(outOfScope, l.Reason) {
			p.Outside = append(p.Outside, l)
		} else {
			p.Due = append(p.Due, l)
		}
	}
	p.MonthChart, p.Earlier = monthChart(r.ByMonth, r.OverTime, say)
	if r.Machine != nil && r.Machine.Speed != nil {
		p.SpeedChart = speedChart(r.Machine.Speed, say)
	}
	if len(r.Users) > MaxRows {
		p.Hidden, p.Users = len(r.Users)-MaxRows, r.Users[:MaxRows]
	}
	return p
}

// judged tells where most new users get a stamp from where none does.
func judged(r Report) string {
	switch {
	case r.Verdict == "":
		return ""
	case r.Verdict == census.Needed && 2*r.RecentWithoutStamp < r.RecentMembers:
		return "verdict.needed_some"
	}
	return "verdict." + string(r.Verdict)
}

func policy() string {
	return fmt.Sprintf("default-src 'none'; style-src '%s'; script-src '%s'; base-uri 'none'; form-action 'none'", hash(pageCSS), hash(pageJS))
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

type sayer func(key string, args ...any) string

// wait writes seconds in the largest unit that fits.
func wait(say sayer, s float64) string {
	for _, unit := range []struct {
		key    string
		length float64
	}{{"wait.days", 86400}, {"wait.hours", 3600}, {"wait.minutes", 60}} {
		if s >= unit.length {
			return say(unit.key, decimal(s/unit.length))
		}
	}
	return say("wait.seconds", decimal(s))
}

// decimal writes a number with at most one digit behind the point.
func decimal(x float64) string {
	return strings.TrimSuffix(strconv.FormatFloat(x, 'f', 1, 64), ".0")
}

// share writes how much of a whole something is, for a bar; whoever is there is seen.
func share(part, whole int) string {
	if part == 0 || whole == 0 {
		return "0%"
	}
	return coordinate(max(1, 100*float64(part)/float64(whole)))
}

func coordinate(percent float64) string { return strconv.FormatFloat(percent, 'f', 2, 64) + "%" }
