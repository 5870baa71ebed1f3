package stamp_test

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// A mishap is what befalls a worker at a step.
type mishap struct {
	name string
	// strike returns the error that the call comes to, or does not return.
	strike func(*world) error
}

// deaths end the worker. After a panic or Goexit its deferred calls run; a
// worker that is killed does nothing more.
var deaths = []mishap{
	{"panics", func(*world) error { panic(death{}) }},
	{"exits", func(*world) error { runtime.Goexit(); return nil }},
	{"is killed", func(w *world) error {
		w.dead <- struct{}{}
		<-w.over
		runtime.Goexit()
		return nil
	}},
}

// mishaps are all that can befall a worker.
var mishaps = append([]mishap{
	{"gets an error", func(*world) error { return errPlain }},
}, deaths...)

// A setting is a small tenant whose users 1 and 2 are to be stamped, and nobody
// else unless check says so.
type setting struct {
	name    string
	arrange func(*world)
	// check checks what else must be true in the end; nil for nothing.
	check func(*world)
}

var settings = []setting{
	{name: "all goes well", arrange: func(*world) {}},
	{name: "a part is throttled", arrange: func(w *world) {
		w.graph.users[userID(2)].answers = []answer{{err: graphError(429, retryAfter(10*time.Second))}}
	}},
	{name: "an answer is lost", arrange: func(w *world) {
		w.graph.users[userID(1)].answers = []answer{{err: errPlain, effect: true}}
	}},
	{name: "a call is lost", arrange: func(w *world) {
		w.graph.users[userID(2)].answers = []answer{{err: errPlain}}
	}},
	{name: "a right is missing for a day", arrange: func(w *world) {
		w.graph.users[userID(1)].answers = []answer{{err: graphError(403)}}
		w.notify(1, 25*time.Hour)
	}},
}

// populate fills the tenant, and lets a batch of notifications arrive.
func (s setting) populate(w *world) {
	w.user(1)
	w.user(2)
	w.user(3, func(u *fakeUser) { u.UserType, u.outOfScope = "Guest", true })
	w.user(4, func(u *fakeUser) { u.SignInSessionsValidFrom, u.outOfScope = w.start.UTC(), true })
	w.user(5, func(u *fakeUser) { u.Created, u.outOfScope = w.start.Add(-73*time.Hour), true })
	for _, n := range []int{1, 2, 3, 1, 4, 5, 2, 6} { // nobody knows user 6
		w.notify(n, 0)
	}
	s.arrange(w)
}

// checkQuiet checks what must be true once the queue is empty.
func (w *world) checkQuiet(stamped ...int) {
	w.t.Helper()
	for _, n := range stamped {
		if got := len(w.graph.users[userID(n)].signOuts); got < 1 || got > 3 {
			w.t.Errorf("user %d was signed out %d times, want once, or some times within the minute", n, got)
		}
		if got := w.entry(n).State; got != stamp.StateStamped {
			w.t.Errorf("user %d stands in the ledger as %q, want %q", n, got, stamp.StateStamped)
		}
	}
	if got := w.queue.DeadLetters(); len(got) != 0 {
		w.t.Errorf("dead letters: %s", got)
	}
}

// steps runs the setting without a mishap, and returns its steps in order.
func (s setting) steps(t *testing.T) (list []step) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s.populate(w)
		w.steps.hook = func(_ context.Context, at step) error {
			list = append(list, at)
			return nil
		}
		w.run()
		s.checkEnd(w)
	})
	return list
}

// TestMishapAtEveryStep lets every kind of mishap befall a worker before and
// after every single call that it makes, from the first message until the last
// stamp is read back. Whatever happens, the queue delivers again what was not
// acknowledged, and in the end every user has been signed out exactly once.
func TestMishapAtEveryStep(t *testing.T) {
	t.Parallel()
	for _, setting := range settings {
		t.Run(setting.name, func(t *testing.T) {
			t.Parallel()
			steps := setting.steps(t)
			if len(steps) < 20 {
				t.Fatalf("only %d steps", len(steps))
			}
			for i, s := range steps {
				for _, m := range mishaps {
					t.Run(fmt.Sprintf("%s at step %d %v", m.name, i, s), func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) { suffer(t, setting, m, i) })
					})
				}
			}
		})
	}
}

// suffer runs a setting in which a worker meets the mishap at each of the
// numbered steps.
func suffer(t *testing.T, s setting, m mishap, at ...int) {
	w := newWorld(t)
	s.populate(w)
	var passed atomic.Int64
	w.steps.hook = func(context.Context, step) error {
		select {
		case <-w.over:
			return nil // in a deferred call of a worker that was killed
		default:
		}
		n := int(passed.Add(1)) - 1
		for _, i := range at {
			if i == n {
				return m.strike(w)
			}
		}
		return nil
	}
	w.run()
	s.checkEnd(w)
}

// checkEnd checks what must be true when all is over.
func (s setting) checkEnd(w *world) {
	w.checkQuiet(1, 2)
	if s.check != nil {
		s.check(w)
	}
}
