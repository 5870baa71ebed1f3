package sweep_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

// mishaps are the ways in which a call can end badly.
var mishaps = map[string]error{"fails": errors.New("down"), "is throttled": errGraph, "kills": errDeath}

// history is what befalls a tenant while it is swept: a first round of several pages,
// changes, a wish, an expired link, and changes that only an increment shows.
func history(w *world) {
	w.graph.empty = true
	for n := range 7 {
		w.user(n)
	}
	chapters := []func(){
		func() {},
		func() { w.user(10) },
		func() {
			for n := range 4 {
				w.user(20 + n)
			}
			w.change(1, stamped)
		},
		func() { w.wish() },
		func() {
			w.graph.epoch++
			w.user(30)
		},
		func() { w.user(40) },
		func() {
			for n := range 4 {
				w.user(50 + n)
			}
		},
	}
	for _, chapter := range chapters {
		chapter()
		_, _ = w.try(w.t.Context(), sweep.OrderUsual)
		time.Sleep(time.Hour)
	}
}

// wish asks for a full round without faults.
func (w *world) wish() {
	hook := w.steps.hook
	w.steps.hook = nil
	w.ask()
	w.steps.hook = hook
}

// untilQuiet runs twice without faults, and checks what must be true then.
func untilQuiet(w *world) {
	w.steps.hook = nil
	w.run()
	w.run()
	queued := make(map[string]bool)
	for _, d := range w.queue.all {
		queued[d.Request.User] = true
	}
	for id, u := range w.graph.users {
		if !queued[id] && inScope(u) && time.Since(u.Created) < window {
			w.t.Errorf("user %s was never queued", id)
		}
	}
	c := w.store.item.Doc
	if !c.FullStarted.IsZero() || c.FullDue.IsZero() || c.DeltaLink == "" {
		w.t.Errorf("checkpoint %+v, want nothing under way", c)
	}
	// The checkpoint is right if it leads to whoever comes now, and to nobody else.
	w.queue.drain()
	w.user(9999)
	if r := w.run(); r.Kind != sweep.KindIncrement || r.Pages > 2 {
		w.t.Errorf("then a run is %+v", r)
	}
	w.expectQueued(9999)
	checkCounts(w)
}

func inScope(u directory.User) bool {
	return u.SignInSessionsValidFrom.IsZero() && u.UserType == "Member" && u.Domain() == "federated.example"
}

// checkCounts checks what a full round counts, now that nothing changes.
func checkCounts(w *world) {
	r := w.order(sweep.OrderFull)
	var members, unstamped int
	for _, u := range w.graph.users {
		if u.UserType == "Member" && u.Domain() == "federated.example" {
			members++
		}
		if inScope(u) {
			unstamped++
		}
	}
	if r.Members != members || r.Unstamped != unstamped || w.brake.members != members {
		w.t.Errorf("counted %d members, %d of them unstamped; there are %d and %d", r.Members, r.Unstamped, members, unstamped)
	}
}

// A sweeper that dies or fails between any two steps loses nobody.
func TestEveryMishapAtEveryCall(t *testing.T) {
	t.Parallel()
	calls := 0
	play(t, func(t *testing.T, w *world) {
		history(w)
		calls = w.steps.n
		untilQuiet(w)
	})
	if calls < 60 {
		t.Fatalf("the history has only %d calls", calls)
	}
	for name, err := range mishaps {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, after its effect: %t", name, after), func(t *testing.T) {
				t.Parallel()
				for at := range calls {
					play(t, func(t *testing.T, w *world) {
						hit := ""
						w.steps.hook = func(s step) error {
							if s.n == at && s.after == after {
								hit = s.call
								return err
							}
							return nil
						}
						history(w)
						untilQuiet(w)
						if t.Failed() {
							t.Fatalf("at call %d, %s", at, hit)
						}
					})
				}
			})
		}
	}
}

// Sweepers that run into each other at every call lose nobody either.
func TestTogetherAtEveryCall(t *testing.T) {
	t.Parallel()
	calls, at := 1, 0
	for ; at < calls; at++ {
		play(t, func(t *testing.T, w *world) {
			w.steps.hook = func(s step) error {
				if s.n == at && s.after {
					w.steps.hook = nil
					if _, err := w.try(t.Context(), sweep.OrderUsual); err != nil {
						t.Errorf("the other run: %v", err)
					}
				}
				return nil
			}
			for n := range 5 {
				w.user(n)
			}
			if r, err := w.try(t.Context(), sweep.OrderUsual); err != nil || !r.Finished && !slices.Contains(r.Causes, sweep.CauseOvertaken) {
				t.Errorf("at call %d: %+v, %v", at, r, err)
			}
			calls = max(calls, w.steps.n/2)
			untilQuiet(w)
		})
	}
}
