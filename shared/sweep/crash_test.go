package sweep_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
)

// mishaps are the ways in which a call can end badly.
var mishaps = map[string]error{"fails": errStore, "is throttled": errGraph, "kills": errDeath}

// history is what befalls a tenant while it is swept: a first round of several pages,
// its confirmation, changes, a wish, an expired link, a confirmation, and at last
// changes that only an increment shows. Existing users are asked for meanwhile.
func history(w *world) {
	w.config.Policy.Backfill.Mode = revocation.ModeEnforce
	w.config.Settings.BackfillPerRun = 2
	w.hold(3)
	chapters := []func(){
		func() {
			for n := range 7 {
				w.user(n, old(100*time.Hour))
			}
		},
		func() { w.user(10) },
		func() {
			for n := range 4 {
				w.user(20+n, old(time.Minute))
			}
			w.change(userID(1), stamped)
		},
		func() { w.ask("a gap", w.clock().Add(-time.Hour)) },
		func() {
			w.graph.expire()
			w.user(30)
		},
		func() { w.user(40) },
		func() {
			for n := range 4 {
				w.user(50 + n)
			}
		},
		func() {},
	}
	for _, chapter := range chapters {
		chapter()
		w.try()
		w.advance(interval)
	}
}

// untilQuiet runs, without faults, as often as a fault can cost, and checks what
// must be true then.
func untilQuiet(t *testing.T, w *world) {
	t.Helper()
	w.steps.hook = nil
	w.advance(w.config.Settings.Lease)
	w.run() // one interval after the faults
	checkEverybodyQueued(t, w)
	w.advance(2 * interval)
	w.run()
	w.queue.drain()
	c := w.checkpoint()
	if c.Full != nil || c.Holder != "" || c.Asked != "" || !c.Confirm.IsZero() || c.DeltaLink == "" {
		t.Errorf("checkpoint %+v, want nothing under way", c)
	}
	// The checkpoint is true if it leads to whoever comes now, and to nobody else.
	found := w.user(9999)
	report := w.run()
	got := slices.DeleteFunc(w.queue.drain(), func(d revocation.Delayed) bool { return d.Request.Backfill })
	if len(got) != 1 || got[0].Request.User != found || report.Requests > 2 {
		t.Errorf("then %d users are queued in %d requests, want one in one, or two with an empty page", len(got), report.Requests)
	}
	checkCounts(t, w)
}

// checkEverybodyQueued checks that everybody in scope without a stamp was put
// into the queue.
func checkEverybodyQueued(t *testing.T, w *world) {
	t.Helper()
	queued := make(map[string]bool)
	for _, d := range w.queue.requests {
		queued[d.Request.User] = queued[d.Request.User] || !d.Request.Backfill
	}
	for id, u := range w.graph.users {
		if !queued[id] && inScope(u) {
			t.Errorf("user %s was never queued", id)
		}
	}
}

func inScope(u directory.User) bool {
	return u.SignInSessionsValidFrom.IsZero() && u.UserType == "Member" && u.Domain() == "federated.example"
}

// checkCounts checks what a full round counts, now that nothing changes.
func checkCounts(t *testing.T, w *world) {
	t.Helper()
	w.ask("count", time.Time{})
	report := w.run()
	var want [2]int
	for _, u := range w.graph.users {
		if u.UserType == "Member" {
			want[0]++
		}
		if inScope(u) {
			want[1]++
		}
	}
	if diff := cmp.Diff(want, [2]int{report.Members, report.Unstamped}); diff != "" {
		t.Errorf("members and unstamped (-want +got):\n%s", diff)
	}
}

func TestEveryMishapAtEveryCall(t *testing.T) {
	t.Parallel()
	calm := newWorld(t)
	history(calm)
	calls := calm.steps.n
	untilQuiet(t, calm)
	if calls < 80 {
		t.Fatalf("the history has only %d calls", calls)
	}
	for name, err := range mishaps {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, after its effect: %t", name, after), func(t *testing.T) {
				t.Parallel()
				for at := range calls {
					w := newWorld(t)
					var hit string
					w.steps.hook = func(s step) error {
						if s.n == at && s.after == after {
							hit = s.call
							return err
						}
						return nil
					}
					history(w)
					untilQuiet(t, w)
					if t.Failed() {
						t.Fatalf("at call %d, %s", at, hit)
					}
				}
			})
		}
	}
}

// TestWhateverHappens lets a tenant live for a while with faults of all kinds.
func TestWhateverHappens(t *testing.T) {
	t.Parallel()
	const seeds = 300
	for seed := range uint64(seeds) {
		w := newWorld(t)
		live(w, rand.New(rand.NewPCG(seed, 0)))
		untilQuiet(t, w)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func live(w *world, random *rand.Rand) {
	w.graph.pageSize = 1 + random.IntN(6)
	w.graph.omit = random.IntN(3) == 0
	w.graph.empty = random.IntN(3) == 0
	w.graph.code = []int{http.StatusGone, http.StatusBadRequest, http.StatusNotFound}[random.IntN(3)]
	w.config.Policy.Backfill.Mode = []revocation.Mode{revocation.ModeReport, revocation.ModeEnforce}[random.IntN(2)]
	w.config.Settings.ReplicationLag = interval / 3
	w.hold(random.IntN(5))
	w.steps.hook = func(step) error {
		switch random.IntN(40) {
		case 0:
			return errGraph
		case 1:
			return errDeath
		case 2:
			w.graph.expire()
		case 3:
			befall(w, random)
		}
		return nil
	}
	for range 12 {
		for range random.IntN(6) {
			befall(w, random)
		}
		w.try()
		w.advance(time.Duration(random.IntN(40)) * time.Minute)
		if random.IntN(6) == 0 {
			w.advance(2 * 24 * time.Hour)
		}
	}
}

// befall changes a user, or asks for a sweep.
func befall(w *world, random *rand.Rand) {
	n := random.IntN(40)
	w.graph.mu.Lock()
	_, there := w.graph.users[userID(n)]
	_, ever := w.graph.created[userID(n)]
	w.graph.mu.Unlock()
	switch what := random.IntN(10); {
	case what == 0:
		w.ask("a gap", w.clock().Add(-time.Hour))
	case !ever:
		w.user(n, func(u *directory.User) {
			switch random.IntN(6) {
			case 0:
				u.UserType = "Guest"
			case 1:
				u.UserPrincipalName = canary + "@managed.example"
			case 2:
				stamped(u)
			}
		})
	case !there:
	case what == 1:
		w.graph.remove(userID(n))
	case what < 4:
		w.change(userID(n), stamped)
	default:
		w.change(userID(n), func(*directory.User) {})
	}
}
