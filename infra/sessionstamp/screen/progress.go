package screen

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
)

// Count is how far a work is.
type Count struct {
	// Done counts from the start of this run, and holds the Failed as well. The work is
	// over when it reaches Total.
	Done, Failed, Total int
}

// Unknown is the Total of users who are read: nobody knows how many there are.
const Unknown = -1

// Progress shows how far a work is: on a terminal one line that is drawn over itself,
// elsewhere a line now and then. It serves one goroutine.
type Progress struct {
	w     io.Writer
	on    Terminal
	in    language.Language
	now   func() time.Time
	began time.Time
	told  time.Time // when the last line was written
	line  *Line
	pace  pace
}

// NewProgress begins to measure. w is standard error, on what it can show, now is time.Now.
func NewProgress(w io.Writer, on Terminal, in language.Language, now func() time.Time) *Progress {
	began := now()
	return &Progress{w: w, on: on, in: in, now: now, began: began, told: began, line: NewLine(w, on.Columns), pace: pace{{began, 0}}}
}

// How often a line is written.
const (
	redraws = 100 * time.Millisecond // on a terminal
	first   = time.Second            // before users are counted: most tenants are read by then
	tells   = 10 * time.Second       // elsewhere
)

// Show tells how far the work is, if it is time for a line. Call it after each step, and
// every second while nothing happens.
func (p *Progress) Show(c Count) {
	now := p.now()
	p.pace = p.pace.see(now, c.Done)
	every := tells
	if p.on.Live {
		every = redraws
	}
	if now.Sub(p.told) >= every && (c.Total != Unknown || now.Sub(p.began) >= first) {
		p.write(c, now)
	}
}

// End tells the last count, and goes to the next line.
func (p *Progress) End(c Count) {
	now := p.now()
	p.pace = p.pace.see(now, c.Done)
	p.write(c, now)
	if p.on.Live {
		_, _ = io.WriteString(p.w, "\n")
	}
}

// Clear takes the line away.
func (p *Progress) Clear() { p.line.Clear() }

func (p *Progress) write(c Count, now time.Time) {
	p.told = now
	parts := p.parts(c, now)
	if !p.on.Live {
		_, _ = fmt.Fprintln(p.w, strings.Join(parts, "  "))
		return
	}
	p.line.Draw(withBar(parts, c, p.on.Columns-1))
}

// parts says it in words.
func (p *Progress) parts(c Count, now time.Time) []string {
	say := func(key language.Key, args ...any) string { return Words.Say(p.in, key, args...) }
	if c.Total == Unknown {
		return []string{say(reading, language.Number(c.Done))}
	}
	parts := []string{
		say(counted, language.Number(c.Done), language.Number(c.Total)),
		say(failed, language.Number(c.Failed)),
	}
	rate, quiet := p.pace.rate(now)
	switch left := remaining(c, rate); {
	case c.Done >= c.Total:
		return append(parts, say(took, Duration(p.in, now.Sub(p.began))))
	case quiet >= tells:
		return append(parts, say(stalled, Duration(p.in, quiet)))
	case rate == 0:
		return parts
	case left < 10*time.Minute:
		return append(parts, say(paced, rate), say(ending, Duration(p.in, left)))
	default:
		return append(parts, say(paced, rate), say(endingAt, Duration(p.in, left), Clock(now, now.Add(left))))
	}
}

// withBar puts a bar behind the counts if there is room for one, and cuts what is too
// long. The bar's length stays the same, so that it only grows. Old consoles in Japan draw
// each of its steps in two cells: the line fits there as well.
func withBar(parts []string, c Count, most int) string {
	const length = 10
	text := strings.Join(parts, "  ")
	if c.Total != Unknown && Width(text)+2+2*length <= most {
		full := length * min(c.Done, c.Total) / max(c.Total, 1)
		bar := strings.Repeat("█", full) + strings.Repeat("░", length-full)
		text = parts[0] + "  " + bar + strings.TrimPrefix(text, parts[0])
	}
	return Cut(text, most)
}
