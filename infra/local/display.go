package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// A display shows how far a run is.
type display interface {
	// every is how often it wants to be shown something.
	every() time.Duration
	show(p progress, elapsed time.Duration)
	// tell says what happens next.
	tell(text string)
	// end leaves what is shown on the screen.
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
			done = true // what it came to is shown once more
		}
		p := d.tally.progress()
		p.waiting = d.plant.requests.Len()
		p.died, _ = d.faults.counts()
		show.show(p, time.Since(d.started))
	}
}

// noDisplay is for output that is piped into another program.
type noDisplay struct{}

func (noDisplay) every() time.Duration         { return time.Second }
func (noDisplay) show(progress, time.Duration) {}
func (noDisplay) tell(string)                  {}
func (noDisplay) end()                         {}

// lines prints plain lines now and then, for logs.
type lines struct{ w io.Writer }

func (lines) every() time.Duration { return 2 * time.Second }

func (l lines) show(p progress, elapsed time.Duration) {
	_, _ = fmt.Fprintf(l.w, "%4.0f s  created %d, revoked %d, read back %d, in the queue %d\n        forged and dropped %d, throttled %d, worker deaths %d\n",
		elapsed.Seconds(), p.created, p.revoked, p.confirmed, p.waiting, p.forged, p.throttled, p.died)
}

func (l lines) tell(text string) { _, _ = fmt.Fprintln(l.w, text) }

func (l lines) end() { _, _ = fmt.Fprintln(l.w) }

// screen redraws a few lines in place, for a terminal.
type screen struct {
	w io.Writer
	// size is the terminal's, which may change while it runs.
	size func() (columns, rows int, err error)

	mu    sync.Mutex
	drawn int // lines on the screen that are redrawn
}

func (*screen) every() time.Duration { return 100 * time.Millisecond }

func (s *screen) show(p progress, elapsed time.Duration) {
	text := []string{
		bar("created", p.created, p.expected),
		bar("revoked", p.revoked, p.due),
		bar("read back", p.confirmed, p.due),
		fmt.Sprintf("  %-10s %d requests, those to read stamps back included", "in queue", p.waiting),
		fmt.Sprintf("  %-10s forged notifications dropped: %d", "meanwhile", p.forged),
		fmt.Sprintf("  %-10s calls throttled: %d, worker deaths: %d", "", p.throttled, p.died),
		fmt.Sprintf("  %-10s %.0f s", "time", elapsed.Seconds()),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	text = s.fit(text)
	s.print(strings.Join(text, "\n"))
	s.drawn = len(text)
}

// fit cuts text so that it neither wraps nor scrolls: print goes up as many lines
// as were drawn, and must get to the first. The last column and the last row stay
// free, since a character there can already move the cursor on.
func (s *screen) fit(text []string) []string {
	columns, rows, err := s.size()
	if err != nil || columns < 1 || rows < 1 {
		columns, rows = 80, 24 // terminals without a size, as some in CI, say 0
	}
	text = text[:min(len(text), rows-1)]
	for i, line := range text {
		if runes := []rune(line); len(runes) >= columns {
			text[i] = string(runes[:columns-1])
		}
	}
	return text
}

// print puts text where the redrawn lines were. It is one write, so that it is seldom cut
// in half: Ctrl-C lets a terminal forget what it has not shown yet, and half a drawing is
// erased as if it were whole. The first column is for what Ctrl-C leaves there itself.
func (s *screen) print(text string) {
	erase := ""
	if s.drawn > 0 {
		erase = fmt.Sprintf("\r\x1b[%dA\x1b[J", s.drawn)
	}
	_, _ = io.WriteString(s.w, erase+text+"\n")
	s.drawn = 0
}

func (s *screen) tell(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.print(text)
}

func (s *screen) end() { _, _ = fmt.Fprintln(s.w) }

// bar draws n of total. The number stands first, so that a narrow terminal keeps it.
func bar(label string, n, total int) string {
	const width = 40
	full := min(width*n/max(total, 1), width)
	return fmt.Sprintf("  %-10s %6d [%s%s]", label, n, strings.Repeat("█", full), strings.Repeat("·", width-full))
}
