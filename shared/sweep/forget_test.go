package sweep_test

import (
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

func (w *world) forget() {
	w.t.Helper()
	if err := (sweep.Asker{Store: w.store}).ForgetSince(w.t.Context(), tenant); err != nil {
		w.t.Fatalf("ForgetSince: %v", err)
	}
}

// TestForgetSince misses nobody who was created while there was no subscription
// on purpose.
func TestForgetSince(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := (sweep.Asker{Store: w.store}).ForgetSince(t.Context(), canary); leaktest.Seen(t, err) == nil {
		t.Error("ForgetSince of a tenant that is none succeeded")
	}
	w.settle()
	w.ask("a gap", w.clock().Add(-time.Hour))
	w.subscribed = time.Time{} // the keeper took the subscription down
	w.forget()
	c := w.checkpoint()
	if !c.Since.IsZero() || !c.AskedSince.IsZero() || c.Asks != 1 {
		t.Errorf("checkpoint %+v, want it to forget since when, and not the wish", c)
	}
	between := w.user(1)
	w.advance(interval)
	w.run()
	w.advance(48 * time.Hour)
	w.subscribed = w.clock() // it was set up again
	w.ask("none", time.Time{})
	w.queue.drain()
	report := w.run()
	after := w.user(2)
	w.advance(interval)
	second := w.run()
	if report.Missed != 0 || second.Missed != 1 || !w.checkpoint().Since.Equal(w.subscribed) {
		t.Errorf("missed %d of before and %d of after, want 0 and 1; checkpoint %+v", report.Missed, second.Missed, w.checkpoint())
	}
	for _, d := range w.queue.drain() {
		if d.Request.Missed != (d.Request.User == after) {
			t.Errorf("queued %+v; %s came between, %s after", d.Request, between, after)
		}
	}
}

// TestForgetSinceDuringARun takes the subscription down, and forgets, before and
// after every call of a run, which must not bring back what it knew before.
func TestForgetSinceDuringARun(t *testing.T) {
	t.Parallel()
	for name, arrange := range map[string]func(*world){
		"the first run": func(*world) {},
		"a later run": func(w *world) {
			w.settle()
			w.ask("a gap", w.clock().Add(-time.Hour))
			w.advance(interval)
		},
	} {
		for _, after := range []bool{false, true} {
			calls := 0
			for forgot := true; forgot; calls++ {
				w := newWorld(t)
				for n := range 7 {
					w.user(n)
				}
				arrange(w)
				start := w.steps.n
				forgot = false
				w.steps.hook = func(s step) error {
					if s.n == start+calls && s.after == after {
						forgot, w.subscribed = true, time.Time{}
						w.forget()
					}
					return nil
				}
				w.run()
				if c := w.checkpoint(); forgot && (!c.Since.IsZero() || c.Asks != c.Answered) {
					t.Errorf("%s: forgotten at call %d, after its effect %t: the checkpoint is %+v", name, calls, after, c)
				}
			}
			if calls < 10 {
				t.Errorf("%s makes %d calls, want more to forget at", name, calls)
			}
		}
	}
}
