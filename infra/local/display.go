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
	show(p progress, users int, elapsed time.Duration)
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
	for {
		p := d.tally.progress()
		p.waiting = d.plant.requests.Len()
		p.died, _ = d.faults.counts()
		show.show(p, d.options.users+d.options.unnotified(), time.Since(d.started))
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// noDisplay is for output that is piped into another program.
type noDisplay struct{}

func (noDisplay) every() time.Duration              { return time.Second }
func (noDisplay) show(progress, int, time.Duration) {}
func (noDisplay) tell(string)                       {}
func (noDisplay) end()                              {}

// lines prints a plain line now and then, for logs.
type lines struct{ w io.Writer }

func (lines) every() time.Duration { return 2 * time.Second }

func (l lines) show(p progress, users int, elapsed time.Duration) {
	_, _ = fmt.Fprintf(l.w, "%3.0f s  created %d of %d, revoked %d, read back %d, requests in the queue %d, forged and dropped %d, throttled %d, worker deaths %d\n",
		elapsed.Seconds(), p.created, users, p.revoked, p.confirmed, p.waiting, p.forged, p.throttled, p.died)
}

func (l lines) tell(text string) { _, _ = fmt.Fprintln(l.w, text) }

func (lines) end() {}

// screen redraws a few lines in place, for a terminal.
type screen struct {
	w io.Writer

	mu    sync.Mutex
	drawn int // lines on the screen that are redrawn
}

func (*screen) every() time.Duration { return 100 * time.Millisecond }

func (s *screen) show(p progress, users int, elapsed time.Duration) {
	text := []string{
		bar("created", p.created, users),
		bar("revoked", p.revoked, p.due),
		bar("read back", p.confirmed, p.due),
		fmt.Sprintf("  %-10s %d requests, those to read stamps back included", "in queue", p.waiting),
		fmt.Sprintf("  %-10s forged notifications dropped: %d, calls throttled: %d, worker deaths: %d", "meanwhile", p.forged, p.throttled, p.died),
		fmt.Sprintf("  %-10s %.0f s", "time", elapsed.Seconds()),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.erase()
	for _, line := range text {
		_, _ = fmt.Fprintln(s.w, line)
	}
	s.drawn = len(text)
}

// erase takes away what was drawn.
func (s *screen) erase() {
	if s.drawn > 0 {
		_, _ = fmt.Fprintf(s.w, "\x1b[%dA\x1b[J", s.drawn)
	}
	s.drawn = 0
}

func (s *screen) tell(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.erase()
	_, _ = fmt.Fprintln(s.w, text)
}

func (s *screen) end() { _, _ = fmt.Fprintln(s.w) }

// bar draws n of total.
func bar(label string, n, total int) string {
	const width = 40
	full := min(width*n/max(total, 1), width)
	return fmt.Sprintf("  %-10s [%s%s] %d", label, strings.Repeat("█", full), strings.Repeat("·", width-full), n)
}
