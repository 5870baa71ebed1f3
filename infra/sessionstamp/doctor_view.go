package main

import (
	"slices"
	"strconv"
	"strings"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/doctor"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
)

// diagnosed is the JSON of doctor. Texts are in English.
type diagnosed struct {
	At       string            `json:"at"`
	Tenant   string            `json:"tenant,omitempty"`
	Account  string            `json:"account,omitempty"`
	Region   string            `json:"region,omitempty"`
	Stack    string            `json:"stack"`
	Worst    doctor.Severity   `json:"worst"`
	Findings []diagnosedFault  `json:"findings"`
	Pieces   []diagnosedPieces `json:"pieces"`
}

type diagnosedFault struct {
	ID       string            `json:"id"`
	Severity doctor.Severity   `json:"severity"`
	Group    doctor.Group      `json:"group"`
	Problem  string            `json:"problem"`
	Cure     string            `json:"cure"`
	Command  string            `json:"command,omitempty"`
	Fix      bool              `json:"fix"`
	Params   map[string]string `json:"params,omitempty"`
}

// diagnosedPieces tells what was looked at, and what not: the right that lacks, or what failed.
type diagnosedPieces struct {
	Piece  string        `json:"piece"`
	Group  doctor.Group  `json:"group"`
	Known  bool          `json:"known"`
	Reason doctor.Reason `json:"reason,omitempty"`
	Right  string        `json:"right,omitempty"`
	Why    string        `json:"why,omitempty"`
}

// faces are how severities look.
var faces = map[doctor.Severity]struct {
	mark   string
	colour screen.Colour
}{
	doctor.Wrong: {"✗", screen.Wrong}, doctor.Warning: {"!", screen.Notice}, doctor.Note: {"·", ""}, doctor.Fine: {"✓", screen.Good},
}

func (c *call) doctorView(x examined, e doctor.Evidence, found []doctor.Finding) view {
	pieces := doctor.Pieces(e)
	v := view{before: append(c.doctorVerdict(found, pieces), line{}), object: c.diagnosis(e, found), sheet: faultSheet(found)}
	for _, f := range found {
		v.before = append(v.before, c.faultLines(f)...)
	}
	if len(found) > 0 {
		v.before = append(v.before, line{})
	}
	for _, g := range doctor.Groups() {
		v.before = append(v.before, c.groupLine(g, pieces, doctor.Worst(g, found)))
	}
	v.before = append(append(v.before, c.gapLines(pieces)...), line{})
	if n := mendable(found); n > 0 && !x.fix {
		v.next = append(v.next, hint{"doctor --fix" + x.given(), "hint.fix"})
	}
	if x.stack != nil {
		v.next = append(v.next, hint{"status" + x.given(), "hint.status"})
	}
	if len(v.next) == 0 {
		v.next = append(v.next, hint{"check", "hint.check"})
	}
	return v
}

// doctorVerdict counts what was found, and says so where not all was looked at.
func (c *call) doctorVerdict(found []doctor.Finding, pieces []doctor.Piece) []line {
	lines := []line{c.verdictOf(found)}
	if slices.ContainsFunc(pieces, func(p doctor.Piece) bool { return p.Gap.Reason != doctor.Unasked }) {
		lines = append(lines, line{text: "  " + c.say("doctor.partly"), colour: screen.Notice})
	}
	return lines
}

func (c *call) verdictOf(found []doctor.Finding) line {
	counts := make(map[doctor.Severity]int)
	for _, f := range found {
		counts[f.Severity]++
	}
	switch {
	case counts[doctor.Wrong] > 0:
		return marked("✗ "+c.sayN("doctor.wrong", counts[doctor.Wrong]), screen.Wrong)
	case counts[doctor.Warning] > 0:
		return marked("! "+c.sayN("doctor.warning", counts[doctor.Warning]), screen.Notice)
	}
	return marked("✓ "+c.say("doctor.fine"), screen.Good)
}

// faultLines are a finding, its cure, and the command as it is copied.
func (c *call) faultLines(f doctor.Finding) []line {
	face := faces[f.Severity]
	lines := []line{marked(face.mark+" "+f.Problem.In(c.lang), face.colour), marked("  → "+f.Cure.In(c.lang), "")}
	lines[1].hang = 4
	switch {
	case len(f.Mend) > 0:
		lines[1].text += c.say("doctor.mends")
	case f.Command != "":
		lines = append(lines, c.copied(f.Command)...)
	}
	return lines
}

// copied are the lines of a command as a shell takes them: where it is too wide, it goes on
// after a backslash, but for Windows, whose shells take it for something else.
func (c *call) copied(command string) (lines []line) {
	first, options, _ := strings.Cut(command, " --")
	text := "    " + first
	for option := range strings.SplitSeq(options, " --") {
		switch wider := text + " --" + option; {
		case options == "":
		case c.System == "windows" || screen.Width(wider+` \`) <= c.Out.Columns:
			text = wider
		default:
			lines, text = append(lines, line{text: text + ` \`, whole: true}), "      --"+option
		}
	}
	return append(lines, line{text: text, whole: true})
}

// groupLine names what was looked at.
func (c *call) groupLine(g doctor.Group, pieces []doctor.Piece, worst doctor.Severity) line {
	var names []string
	for _, p := range pieces {
		if p.Group == g && p.Known {
			names = append(names, p.Name.In(c.lang))
		}
	}
	face := faces[worst]
	text := c.and(names)
	if len(names) == 0 {
		face, text = faces[doctor.Note], c.say("doctor.unseen")
	}
	l := marked(face.mark+" "+c.say(language.Key("doctor.group_"+g))+text, face.colour)
	l.hang = 4
	return l
}

// gapLines tell what could not be looked at: the rights that lack, and what failed, each once.
func (c *call) gapLines(pieces []doctor.Piece) (lines []line) {
	var missing gaps
	for _, p := range pieces {
		if !p.Known {
			missing.add(c.gap(p.Gap), p.Name.In(c.lang))
		}
	}
	for _, why := range missing.reasons {
		lines = append(lines, marked("· "+c.say("doctor.gap", c.and(missing.names[why]), why), screen.Notice))
	}
	return lines
}

// gap says why something was not looked at, "" where there was no need.
func (c *call) gap(g doctor.Gap) string {
	switch {
	case g.Reason == doctor.NoRight && g.Right == "":
		return c.say("doctor.no_right")
	case g.Reason == doctor.NoRight:
		return c.say("doctor.right", g.Right)
	case g.Reason == doctor.Failed && g.Err != nil:
		return sentence(c.lang, g.Err)
	}
	return ""
}

// sentence is what is said of an error, "" of none.
func sentence(l language.Language, err error) string {
	if err == nil {
		return ""
	}
	t := worded(err)
	return words.Say(l, t.key, t.args...)
}

func (c *call) diagnosis(e doctor.Evidence, found []doctor.Finding) diagnosed {
	tenant, _ := e.SignedIn.Get()
	account, _ := e.Account.Get()
	o := diagnosed{
		At: moment(e.Now), Tenant: tenant, Account: account.ID, Region: account.Region, Stack: e.Stack,
		Worst: doctor.Fine, Findings: []diagnosedFault{}, Pieces: []diagnosedPieces{},
	}
	for _, f := range found {
		o.Findings = append(o.Findings, diagnosedFault{f.ID, f.Severity, f.Group, f.Problem.En, f.Cure.En, f.Command, len(f.Mend) > 0, f.Params})
	}
	if len(found) > 0 {
		o.Worst = found[0].Severity
	}
	for _, p := range doctor.Pieces(e) {
		o.Pieces = append(o.Pieces, diagnosedPieces{p.ID, p.Group, p.Known, p.Gap.Reason, p.Gap.Right, sentence(language.English, p.Gap.Err)})
	}
	slices.SortStableFunc(o.Pieces, func(a, b diagnosedPieces) int { return strings.Compare(string(a.Group), string(b.Group)) })
	return o
}

func faultSheet(found []doctor.Finding) screen.Table {
	sheet := screen.Table{Columns: []screen.Column{
		{Title: "id"}, {Title: "severity"}, {Title: "group"}, {Title: "problem"}, {Title: "cure"}, {Title: "command"}, {Title: "fix"},
	}}
	for _, f := range found {
		sheet.Rows = append(sheet.Rows, []string{
			f.ID, string(f.Severity), string(f.Group), f.Problem.En, f.Cure.En, f.Command, strconv.FormatBool(len(f.Mend) > 0),
		})
	}
	return sheet
}
