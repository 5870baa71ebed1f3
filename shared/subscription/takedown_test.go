package subscription_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/notification"
	"github.com/sessionstamp/sessionstamp/shared/subscription"
)

// takeDown takes the system down, which must succeed.
func (w *world) takeDown() {
	w.t.Helper()
	if err := w.keeper().TakeDown(w.t.Context()); err != nil {
		w.t.Fatalf("TakeDown: %v", err)
	}
}

// setUp sets the system up, which must succeed.
func (w *world) setUp() subscription.Report {
	w.t.Helper()
	report, err := w.keeper().SetUp(w.t.Context())
	if err != nil {
		w.t.Fatalf("SetUp: %v", err)
	}
	return report
}

// TestDownUntilSetUp lets schedule and lifecycle events run into a system that was
// taken down. Only setting it up wakes it, and then nobody counts as missed who
// was created meanwhile.
func TestDownUntilSetUp(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.keep()
		time.Sleep(time.Hour)
		events := w.challenges(2)
		w.takeDown()
		down := time.Now()
		want := subscription.Record{Tenant: tenantID, Version: w.record().Version, TakenDown: down.UTC()}
		if diff := cmp.Diff(want, w.record()); diff != "" {
			t.Errorf("the record remembers (-want +got):\n%s", diff)
		}
		w.asked, w.reports = nil, nil
		for range 3 {
			time.Sleep(24 * time.Hour)
			w.restTwice(events)
		}
		if n := len(w.reports); n != 6 {
			t.Errorf("%d reports of 6 runs", n)
		}
		up := time.Now()
		checkFound(t, w.setUp(), []subscription.Finding{subscription.FoundNone},
			[]subscription.Action{subscription.ActionCreated, subscription.ActionSweepAsked})
		if record := w.record(); record.Began.Before(up) || len(w.asked) != 1 || !w.asked[0].since.IsZero() {
			t.Errorf("record %+v, sweeps %+v; want it to begin anew", record, w.asked)
		}
		if len(w.forgotten) != 2 || w.forgotten[0].Before(down) || w.forgotten[1].Before(up) {
			t.Errorf("the sweep was to forget at %v, want it at %v and %v", w.forgotten, down, up)
		}
		checkFound(t, w.keep(), []subscription.Finding{subscription.FoundHealthy}, nil)
		w.checkQuiet()
	})
}

// restTwice runs by schedule and for events, and checks that nothing is done.
func (w *world) restTwice(events []notification.Lifecycle) {
	w.t.Helper()
	calls := w.calls()
	checkFound(w.t, w.keep(), []subscription.Finding{subscription.FoundTakenDown}, nil)
	w.handle(events...)
	if n := calls("read record"); n != 2 || calls("save record")+calls("list") != 0 {
		w.t.Errorf("two runs at rest read %d times, wrote %d times, listed %d times; want 2, 0, 0",
			n, calls("save record"), calls("list"))
	}
	w.hook = nil
}

// TestSetUpAgain forgets nothing where the system was not taken down.
func TestSetUpAgain(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.setUp()
		before := w.record()
		time.Sleep(time.Hour)
		checkFound(t, w.setUp(), []subscription.Finding{subscription.FoundHealthy}, nil)
		if after := w.record(); !after.Began.Equal(before.Began) || !after.Since.Equal(before.Since) || len(w.forgotten) > 0 {
			t.Errorf("record %+v, before %+v; forgotten at %v", after, before, w.forgotten)
		}
	})
}

// TestSweepCannotForget takes the system down though the sweep can't be told, and
// does not set it up before it was.
func TestSweepCannotForget(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.keep()
		w.reports = nil
		w.failing("forget since", errDown)
		w.takeDown()
		if len(w.ours()) > 0 || len(w.reports) != 1 || w.reports[0].Cause != subscription.CauseStore {
			t.Errorf("there are %+v, reports %+v; want none, and the cause in one", w.ours(), w.reports)
		}
		_, err := w.keeper().SetUp(t.Context())
		if a, ok := errors.AsType[*subscription.Advice](leaktest.Seen(t, err)); !ok || a.Cause != subscription.CauseStore || len(w.ours()) > 0 {
			t.Errorf("SetUp: %v, there are %+v; want it to begin with the sweep", err, w.ours())
		}
		checkFound(t, w.keep(), []subscription.Finding{subscription.FoundTakenDown}, nil)
		w.hook = nil
		w.setUp()
		w.checkQuiet()
	})
}

// TestMishapWhileTakenDown lets every mishap befall taking down at each of its
// steps, and setting up again as well. Whatever happens, another attempt of the
// same brings it to its end, and the schedule does not undo it.
func TestMishapWhileTakenDown(t *testing.T) {
	t.Parallel()
	for _, m := range mishaps {
		for strike := range 20 {
			t.Run(fmt.Sprintf("%s at %d", m.name, strike), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) { downAndUp(t, m, strike) })
			})
		}
	}
}

func downAndUp(t *testing.T, m mishap, strike int) {
	w := newWorld(t)
	over := make(chan struct{})
	defer synctest.Wait()
	defer close(over)
	w.keep()
	w.make(directory.Subscription{ChangeType: "updated,deleted"}, "x")
	w.asked = nil
	time.Sleep(time.Hour)

	w.strike(m, strike, over, func(ctx context.Context, k *subscription.Keeper) { _ = k.TakeDown(ctx) })
	time.Sleep(lapse)
	if down := !w.record().TakenDown.IsZero(); down {
		checkFound(t, w.keep(), []subscription.Finding{subscription.FoundTakenDown}, nil)
	} else if strike > 2 {
		t.Errorf("step %d comes before it is noted that the system is taken down", strike)
	}
	w.takeDown()
	if record := w.record(); len(w.ours()) > 0 || record.SubscriptionID != "" || !record.Began.IsZero() {
		t.Errorf("there are %+v, the record is %+v", w.ours(), record)
	}

	up := time.Now()
	w.forgotten = nil
	w.strike(m, strike, over, func(ctx context.Context, k *subscription.Keeper) { _, _ = k.SetUp(ctx) })
	time.Sleep(lapse)
	w.setUp()
	w.keepUntilQuiet()
	w.checkQuiet()
	if w.record().Began.Before(up) || len(w.forgotten) == 0 || len(w.asked) == 0 {
		t.Errorf("the record is %+v, the sweep was to forget at %v and was asked %+v", w.record(), w.forgotten, w.asked)
	}
}

// lateGraph answers 504 to what makes a subscription, and makes it later.
type lateGraph struct {
	subscription.Graph
	delay time.Duration
}

func (g lateGraph) CreateSubscription(ctx context.Context, s directory.Subscription, clientState string) (directory.Subscription, error) {
	time.AfterFunc(g.delay, func() { _, _ = g.Graph.CreateSubscription(context.WithoutCancel(ctx), s, clientState) })
	return directory.Subscription{}, &directory.Error{Operation: "createSubscription", StatusCode: 504}
}

// TestTakeDownWhatComesLate sets the system up, is answered that nobody knows
// whether it was, and takes it down at once, as CloudFormation does.
func TestTakeDownWhatComesLate(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		limit := w.config.Settings.CallTimeout
		w.config.Graph = steppedGraph{lateGraph{w.graph, limit - time.Second}, w}
		if _, err := w.keeper().SetUp(t.Context()); leaktest.Seen(t, err) == nil {
			t.Fatal("SetUp succeeds though it can't know")
		}
		if report := w.keep(); !report.Busy() {
			t.Errorf("a run by schedule did not wait: %+v", report)
		}
		calls, begun := w.calls(), time.Now()
		w.takeDown()
		if took := time.Since(begun); took > limit+5*time.Second || calls("list") != 1 {
			t.Errorf("TakeDown took %s and listed %d times, want %s and once", took, calls("list"), limit)
		}
		time.Sleep(time.Hour)
		if record := w.record(); len(w.ours()) > 0 || record.Holder != "" || !record.HeldUntil.IsZero() {
			t.Errorf("there are %+v, the record is %+v", w.ours(), record)
		}
	})
}

// A fallenGraph makes a subscription and panics before it can say so.
type fallenGraph struct{ subscription.Graph }

func (g fallenGraph) CreateSubscription(ctx context.Context, s directory.Subscription, clientState string) (directory.Subscription, error) {
	_, _ = g.Graph.CreateSubscription(ctx, s, clientState)
	panic(errStruck)
}

// TestPanicKeepsTheLease lets a run panic while a subscription is made. Deferred calls
// still run, and none of them knows what has become of it.
func TestPanicKeepsTheLease(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.config.Graph = steppedGraph{fallenGraph{w.graph}, w}
		k := w.keeper()
		func() {
			defer func() {
				if p := recover(); p != errStruck { //nolint:errorlint // it is this one
					t.Errorf("panic: %v", p)
				}
			}()
			_, _ = k.Keep(t.Context())
		}()
		w.config.Graph = steppedGraph{w.graph, w}
		if report := w.keep(); !report.Busy() {
			t.Errorf("a run by schedule did not wait: %+v", report)
		}
		time.Sleep(w.config.Settings.CallTimeout)
		w.keepUntilQuiet()
		w.checkQuiet()
	})
}

// TestRefusedIsNotLate waits for nothing where Graph has refused.
func TestRefusedIsNotLate(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.failing("create", &directory.Error{Operation: "createSubscription", StatusCode: 403, NotDone: true})
		if _, err := w.keeper().SetUp(t.Context()); leaktest.Seen(t, err) == nil {
			t.Fatal("SetUp succeeds though Graph refuses")
		}
		w.hook = nil
		begun := time.Now()
		w.takeDown()
		if took := time.Since(begun); took > time.Second {
			t.Errorf("TakeDown took %s", took)
		}
	})
}

// TestHalfTakenDown sets up what was being taken down when Graph failed.
func TestHalfTakenDown(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.keep()
		before := w.record()
		time.Sleep(time.Hour)
		w.failing("delete", &directory.Error{Operation: "deleteSubscription", StatusCode: 503})
		if err := w.keeper().TakeDown(t.Context()); leaktest.Seen(t, err) == nil {
			t.Error("TakeDown succeeds though Graph is down")
		}
		w.hook, w.asked = nil, nil
		checkFound(t, w.setUp(), []subscription.Finding{subscription.FoundHealthy, subscription.FoundUnswept},
			[]subscription.Action{subscription.ActionSweepAsked})
		if w.record().SubscriptionID != before.SubscriptionID || !w.record().Began.After(before.Began) {
			t.Errorf("the record is %+v, before %+v", w.record(), before)
		}
		w.checkQuiet()
	})
}
