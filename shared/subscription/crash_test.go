package subscription_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/subscription"
)

// A start is a state of the world in which the keeper may find itself.
type start struct {
	name string
	// gap tells whether notifications may have been lost in it.
	gap bool
	// arrange is called with a healthy subscription that the record knows, unless
	// fresh is set.
	fresh bool
	// odd tells that Graph answers otherwise than documented, so that a dry run
	// can't know.
	odd     bool
	arrange func(*world)
}

var starts = []start{
	{"none", true, true, false, func(*world) {}},
	{"healthy", false, false, false, func(*world) {}},
	{"half its life over", false, false, false, func(*world) { time.Sleep(fullLife/2 + time.Hour) }},
	{"lapsed", true, false, false, func(*world) { time.Sleep(fullLife + time.Hour) }},
	{"deleted behind our back", true, false, false, func(w *world) { w.tenant.DropSubscription(w.record().SubscriptionID) }},
	{"other URL", true, false, false, (*world).pointElsewhere},
	{"the URL, written otherwise in lists", true, false, false, func(w *world) { w.rewriteURL(false) }},
	{"none, and the URL is written otherwise", true, true, true, func(w *world) { w.rewriteURL(true) }},
	{"no lifecycle URL", false, true, false, func(w *world) { w.remember(w.make(directory.Subscription{}, w.current), w.current) }},
	{"old TLS", false, true, false, func(w *world) {
		w.remember(w.make(directory.Subscription{LifecycleURL: lifeURL, LatestTLS: "v1_1"}, w.current), w.current)
	}},
	{"old clientState", false, false, false, (*world).rotate},
	{"old clientState and half its life over", false, false, false, func(w *world) { time.Sleep(fullLife * 3 / 4); w.rotate() }},
	{"forgotten clientState", true, false, false, func(w *world) { w.rotate(); w.rotate() }},
	{"doubled", false, false, false, func(w *world) {
		w.make(directory.Subscription{ChangeType: "Deleted,Updated"}, "x")
		w.make(directory.Subscription{ChangeType: "deleted", Resource: "/Users"}, "x")
	}},
	{"doubled and old clientState", false, false, false, func(w *world) {
		w.make(directory.Subscription{ChangeType: "updated,deleted", NotificationURL: otherURL}, "x")
		w.rotate()
	}},
	{"leftover bridge beside the old one", false, false, false, func(w *world) {
		w.rotate()
		w.remember(w.make(directory.Subscription{ChangeType: "updated,deleted", LifecycleURL: lifeURL}, w.current), w.current)
	}},
	{"leftover bridge alone", false, true, false, func(w *world) {
		w.remember(w.make(directory.Subscription{ChangeType: "updated,deleted", LifecycleURL: lifeURL}, w.current), w.current)
	}},
	{"leftover bridge with the old clientState", false, true, false, func(w *world) {
		w.remember(w.make(directory.Subscription{ChangeType: "updated,deleted", LifecycleURL: lifeURL}, w.current), w.current)
		w.make(directory.Subscription{LifecycleURL: lifeURL}, "x")
		w.rotate()
	}},
	{"unknown subscription of ours", true, true, false, func(w *world) { w.make(directory.Subscription{LifecycleURL: lifeURL}, w.current) }},
	{"unknown subscriptions of ours", true, true, false, func(w *world) {
		w.make(directory.Subscription{LifecycleURL: lifeURL}, "x")
		w.make(directory.Subscription{ChangeType: "updated,deleted"}, "x")
	}},
	{"record lost", true, false, false, func(w *world) { w.store.Forget(tenantID) }},
	{"record of a vanished one", true, true, false, func(w *world) {
		w.make(directory.Subscription{LifecycleURL: lifeURL}, w.current)
		w.remember("7f105c7d-2dc5-4530-97cd-4e7ae6534c07", w.current)
	}},
	{"reports deletions only", true, true, false, func(w *world) {
		w.remember(w.make(directory.Subscription{ChangeType: "deleted", LifecycleURL: lifeURL}, w.current), w.current)
	}},
	{"none, and the list tells little", true, true, false, (*world).listLittle},
	{"healthy, and the list tells little", false, false, false, (*world).listLittle},
	{"old clientState, and the list tells little", false, false, false, func(w *world) { w.rotate(); w.listLittle() }},
	{"old clientState, and no bridge is admitted", true, false, true, func(w *world) { w.rotate(); w.refuseOverlap(true) }},
	{"old clientState, and no bridge is admitted without a word", true, false, true, func(w *world) {
		w.rotate()
		w.refuseOverlap(false)
		w.unsettled()
		time.Sleep(time.Hour)
	}},
	{"forgotten clientState, and no bridge is admitted", true, false, true, func(w *world) { w.rotate(); w.rotate(); w.refuseOverlap(false) }},
	{"a stranger's bridge, and nothing is admitted beside it", true, true, true, func(w *world) {
		w.make(directory.Subscription{ChangeType: "updated,deleted"}, "x")
		w.refuseOverlap(false)
	}},
	{"a bridge of ours, and nothing is admitted beside it", true, true, true, func(w *world) {
		w.remember(w.make(directory.Subscription{ChangeType: "updated,deleted", LifecycleURL: lifeURL}, w.current), w.current)
		w.refuseOverlap(true)
	}},
}

// begin makes the world as it is at the start.
func (s start) begin(t *testing.T) *world {
	w := newWorld(t)
	if !s.fresh {
		w.keep()
		w.asked = nil
		time.Sleep(time.Minute)
	}
	s.arrange(w)
	w.addOther() // which lapses in the long run
	time.Sleep(time.Minute)
	if s.gap {
		w.hire() // nobody hears of this one, unless by chance
		time.Sleep(time.Minute)
	}
	return w
}

// steps is what the keeper does in the calm case. It hires somebody at each.
func (s start) steps(t *testing.T) (list []step) {
	synctest.Test(t, func(t *testing.T) {
		w := s.begin(t)
		w.hook = func(_ context.Context, at step) error {
			list = append(list, at)
			time.Sleep(time.Second)
			w.hire()
			return nil
		}
		report := w.keep()
		w.hook = nil
		if got := report.AskedForSweep(); got != s.gap || got != (len(w.asked) > 0) || len(w.asked) > 1 {
			t.Errorf("asked for sweeps %+v (report: %t), want one: %t", w.asked, got, s.gap)
		}
		w.keepUntilQuiet()
		w.checkQuiet()
	})
	return list
}

// A mishap is what befalls the keeper at a step.
type mishap struct {
	name   string
	strike func(w *world, over <-chan struct{}) error
}

var mishaps = []mishap{
	{"gets 503", func(*world, <-chan struct{}) error {
		return &directory.Error{Operation: "call", StatusCode: 503}
	}},
	{"gets no answer", func(*world, <-chan struct{}) error {
		return &directory.Error{Operation: "call", Err: syscall.ECONNRESET}
	}},
	{"panics", func(*world, <-chan struct{}) error { panic(errStruck) }},
	{"is killed", func(_ *world, over <-chan struct{}) error { // not even deferred calls run
		<-over
		runtime.Goexit()
		return nil
	}},
}

var errStruck = errors.New("struck")

// TestMishapAtEveryStep lets every mishap befall the keeper before and after each
// of its calls, in every state that it can start in. Whatever happens, the runs
// that follow leave one wanted subscription and a true record, nobody hired
// meanwhile is lost, and no sweep is asked for where nothing was.
func TestMishapAtEveryStep(t *testing.T) {
	t.Parallel()
	for _, s := range starts {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			for i, at := range s.steps(t) {
				for _, m := range mishaps {
					t.Run(fmt.Sprintf("%s at %d %v", m.name, i, at), func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) { suffer(t, s, m, i) })
					})
				}
			}
		})
	}
}

// TestTwoMishaps lets a second one befall the run after the first.
func TestTwoMishaps(t *testing.T) {
	t.Parallel()
	for _, s := range starts {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			const stride = 11 // every pair would take minutes with the race detector
			n := len(s.steps(t))
			for i := range n {
				for j := i % stride; j < n+4; j += stride {
					m := mishaps[(i+j)%len(mishaps)]
					t.Run(fmt.Sprintf("%s at %d and %d", m.name, i, j), func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) { suffer(t, s, m, i, j) })
					})
				}
			}
		})
	}
}

// suffer runs the keeper once for each strike, and then until it is quiet.
func suffer(t *testing.T, s start, m mishap, strikes ...int) {
	w := s.begin(t)
	over := make(chan struct{})
	defer synctest.Wait()
	defer close(over)
	for _, strike := range strikes {
		w.runStruck(m, strike, over)
		time.Sleep(lapse)
	}
	w.hook = nil
	w.keepUntilQuiet()
	w.checkQuiet()
	if asked := len(w.asked) > 0; asked != s.gap {
		t.Errorf("asked for sweeps %+v, want any: %t", w.asked, s.gap)
	}
}

// runStruck runs the keeper once, with a mishap at one of its steps.
func (w *world) runStruck(m mishap, strike int, over <-chan struct{}) {
	w.strike(m, strike, over, func(ctx context.Context, k *subscription.Keeper) { _, _ = k.Keep(ctx) })
}

// strike lets the keeper do something, with a mishap at one of its steps.
func (w *world) strike(m mishap, strike int, over <-chan struct{}, do func(context.Context, *subscription.Keeper)) {
	n, dead, done := 0, make(chan struct{}), make(chan struct{})
	w.hook = func(_ context.Context, _ step) error {
		n++
		time.Sleep(time.Second)
		w.hire()
		if n-1 != strike {
			return nil
		}
		if m.name == "is killed" {
			close(dead)
		}
		return m.strike(w, over)
	}
	k, ctx := w.keeper(), w.t.Context()
	go func() {
		defer close(done)
		defer func() {
			if p := recover(); p != nil && p != errStruck { //nolint:errorlint // it is this one or none
				w.t.Errorf("panic: %v", p)
			}
		}()
		do(ctx, k)
	}()
	select {
	case <-dead:
	case <-done:
	}
	w.hook = nil
}
