package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"
)

// progress is how far a run has come.
type progress struct {
	act      int // from 1
	now      string
	elapsed  time.Duration
	expected time.Duration // of the whole run, as far as one can tell
	// users is how many will come.
	users, created, due, stamped, confirmed int
	waiting, late, forged, throttled, died  int
	times                                   histogram
}

// A display shows how far a run is.
type display interface {
	// every is how often it wants to be shown something.
	every() time.Duration
	show(p progress)
	// tell says what happens next.
	tell(text string)
	// end clears the screen for the result.
	end()
}

// show feeds the display until ctx is done.
func (d *demo) show(ctx context.Context, show display) {
	defer show.end()
	tick := time.NewTicker(show.every())
	defer tick.Stop()
	for done := false; !done; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			done = true // the end is shown once more
		}
		show.show(d.progress())
	}
}

// noDisplay is for output that is piped into another program.
type noDisplay struct{}

func (noDisplay) every() time.Duration { return time.Second }
func (noDisplay) show(progress)        {}
func (noDisplay) tell(string)          {}
func (noDisplay) end()                 {}

// lines prints a plain line now and then, for logs.
type lines struct{ w io.Writer }

func (lines) every() time.Duration { return 2 * time.Second }

func (l lines) show(p progress) {
	_, _ = fmt.Fprintf(l.w, "%4.0f s  created %d, stamped %d, confirmed %d, waiting %d\n",
		p.elapsed.Seconds(), p.created, p.stamped, p.confirmed, p.waiting)
}

func (l lines) tell(text string) { _, _ = fmt.Fprintln(l.w, text) }

func (l lines) end() { _, _ = fmt.Fprintln(l.w) }

// Colours of a terminal (ECMA-48, select graphic rendition).
const (
	bold   = "\x1b[1m"
	dim    = "\x1b[2m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	cyan   = "\x1b[36m"
	plain  = "\x1b[0m"
)

// screen is one picture of 80×24 that is drawn over itself.
type screen struct {
	w     io.Writer
	drawn bool
}

func (*screen) every() time.Duration { return 100 * time.Millisecond }

// tell has nothing to add: the picture says it.
func (*screen) tell(string) {}

func (s *screen) show(p progress) {
	begin := "\x1b[H"
	if !s.drawn {
		begin = "\x1b[2J\x1b[H"
		s.drawn = true
	}
	// One write, so that it is seldom cut in half. Each line erases what stood there.
	_, _ = io.WriteString(s.w, begin+strings.Join(picture(p), "\x1b[K\n")+"\x1b[J\n")
}

func (s *screen) end() {
	if s.drawn {
		_, _ = io.WriteString(s.w, "\x1b[2J\x1b[H")
	}
}

// acts are the story's, a word each.
var acts = []string{"arrival", "outage", "brake"}

// picture draws how far the run is, in less than 24 lines of less than 80 columns.
func picture(p progress) []string {
	left := max(0, p.expected-p.elapsed).Round(time.Second)
	text := []string{
		bold + "sessionstamp" + plain + dim + " on one machine, with an emulated Microsoft Graph" + plain,
		"",
		"  " + headline(p.act) + dim + fmt.Sprintf("  %3.0f s, about %s left", p.elapsed.Seconds(), left) + plain,
		"  " + p.now,
		"",
		bar("created", cyan, p.created, p.users),
		bar("stamped", yellow, p.stamped, p.due),
		bar("confirmed", green, p.confirmed, p.due),
		"",
		fmt.Sprintf("  %-10s %6d     %-10s %6d     %-10s %6d", "waiting", p.waiting, "unnotified", p.late, "forged", p.forged),
		fmt.Sprintf("  %-10s %6d     %-10s %6d", "throttled", p.throttled, "died", p.died),
		"",
		dim + "  seconds from creation to stamp" + plain,
	}
	return append(text, p.times.lines()...)
}

// headline shows which act is played.
func headline(act int) string {
	words := make([]string, len(acts))
	for i, word := range acts {
		colour := dim
		switch {
		case i+1 == act:
			colour = bold + yellow
		case i+1 < act:
			colour = green
		}
		words[i] = fmt.Sprintf("%s%d %s%s", colour, i+1, word, plain)
	}
	return strings.Join(words, "  ")
}

// bar draws n of total.
func bar(label, colour string, n, total int) string {
	const width = 40
	full := min(width*n/max(total, 1), width)
	return fmt.Sprintf("  %-10s %6d %s%s%s%s%s", label, n,
		colour, strings.Repeat("█", full), dim, strings.Repeat("·", width-full), plain)
}
