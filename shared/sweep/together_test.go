package sweep_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

func TestASecondSweeperLeavesTheFirstAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n := range 9 {
		w.user(n)
	}
	w.settle()
	w.ask("a gap", time.Time{})
	asked := false
	w.steps.hook = func(s step) error {
		if s.call != "Graph.UserPage" || s.after || asked {
			return nil
		}
		asked = true
		before := w.checkpoint()
		report, err := w.try()
		if err != nil || report.Stopped != sweep.StopLeased || report.Finished || report.Requests != 0 || report.Members != 9 {
			t.Errorf("the second Run = %+v, %v; want it to stop for the lease", report, err)
		}
		if after := w.checkpoint(); after.Version != before.Version {
			t.Error("the second run changed the checkpoint")
		}
		return nil
	}
	w.run()
	if got := w.queued(); len(got) != 9 || !asked {
		t.Errorf("%d users are queued, want 9", len(got))
	}
}

func TestASweeperWhoseLeaseLapsedStops(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n := range 9 {
		w.user(n)
	}
	first := true
	w.steps.hook = func(s step) error {
		if s.call != "Queue.Postpone" || !s.after || !first {
			return nil
		}
		first = false
		w.advance(w.config.Settings.Lease + time.Second)
		w.run() // another one takes over, and finishes
		return nil
	}
	before := len(w.records())
	report, err := w.try()
	if err != nil || report.Stopped != sweep.StopSuperseded || len(w.records()) != before+2 {
		t.Errorf("Run = %+v, %v; want it to stop as superseded", report, err)
	}
	c := w.checkpoint()
	if c.Full != nil || c.DeltaLink == "" || c.Unstamped != 9 || c.Holder != "" {
		t.Errorf("the superseded run left its mark on %+v", c)
	}
}

// TestAWishDuringARunIsNotLost asks for a sweep at every call of a run.
func TestAWishDuringARunIsNotLost(t *testing.T) {
	t.Parallel()
	calls := 0
	for asked := true; asked; calls++ {
		w := newWorld(t)
		for n := range 7 {
			w.user(n)
		}
		w.settle()
		w.ask("first", time.Time{})
		w.advance(interval)
		lists := w.graph.lists
		start, begun := w.steps.n, false
		asked = false
		w.steps.hook = func(s step) error {
			begun = begun || s.call == "Graph.UserPage"
			if s.n == start+calls && !s.after {
				asked = true
				if begun {
					lists++ // the round under way does not count
				}
				w.ask("second", w.clock().Add(-time.Hour))
			}
			return nil
		}
		w.run()
		w.steps.hook = nil
		if !asked {
			break // the run has no such call
		}
		w.advance(interval)
		w.run()
		if c := w.checkpoint(); c.Asked != "" || c.Asks != 2 || c.Answered != 2 {
			t.Fatalf("asked at call %d: the checkpoint is %+v", calls, c)
		}
		if w.graph.lists <= lists {
			t.Fatalf("asked at call %d: no full round began after that", calls)
		}
	}
	if calls < 15 {
		t.Errorf("the run makes %d calls, want more to ask at", calls)
	}
}

func TestManySweepersAndAskersAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var want []string
	for n := range 100 {
		want = append(want, w.user(n))
	}
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			for range 5 {
				if report, err := w.try(); err != nil {
					t.Errorf("Run = %+v, %v", report, err)
				}
				if err := w.sweeper().AskForSweep(t.Context(), tenant, "a gap", w.clock()); err != nil {
					t.Errorf("AskForSweep: %v", err)
				}
			}
		})
	}
	wg.Wait()
	w.run()
	got := w.queued()
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("%d users are queued, want 100", len(got))
	}
	if c := w.checkpoint(); c.Asked != "" || c.Asks != 30 || c.Holder != "" {
		t.Errorf("checkpoint %+v", c)
	}
}

func TestAskForSweep(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := w.sweeper().AskForSweep(t.Context(), canary, "", time.Time{}); leaktest.Seen(t, err) == nil {
		t.Error("AskForSweep of a tenant that is none succeeded")
	}
	later, earlier := w.clock().Add(-time.Hour), w.clock().Add(-9*time.Hour)
	for _, since := range []time.Time{{}, later, earlier, later, {}} {
		w.ask("why", since)
	}
	c := w.checkpoint()
	if c.Asks != 5 || c.Asked != "why" || !c.AskedSince.Equal(earlier) || c.Tenant != tenant {
		t.Errorf("checkpoint %+v, want the earliest gap", c)
	}
}
