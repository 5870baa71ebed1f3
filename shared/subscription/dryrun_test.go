package subscription_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/subscription"
)

// writes are the calls that change something.
var writes = []string{"create", "renew", "delete", "save record", "ask for sweep", "forget since"}

// dry begins a dry run, in which no call of the keeper's may change anything.
func (w *world) dry() {
	w.config.DryRun = true
	w.hook = func(_ context.Context, s step) error {
		if slices.Contains(writes, s.call) {
			w.t.Errorf("a dry run came to %v", s)
		}
		return nil
	}
}

// wet ends the dry run.
func (w *world) wet() { w.config.DryRun, w.hook = false, nil }

// TestDryRun finds and does, wherever a run begins, the same dry as then in
// earnest.
func TestDryRun(t *testing.T) {
	t.Parallel()
	for _, s := range starts {
		if s.odd {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { rehearse(t, s) })
		})
	}
}

func rehearse(t *testing.T, s start) {
	w := s.begin(t)
	record, graph := w.record(), w.tenant.Subscriptions()
	w.dry()
	w.log.Reset()
	first, again := w.keep(), w.keep()
	if diff := cmp.Diff(first, again); diff != "" || !first.DryRun {
		t.Errorf("a second dry run (-first +second):\n%s", diff)
	}
	if n := strings.Count(w.log.String(), "nothing was changed"); n != 2 {
		t.Errorf("%d of 2 log records say that nothing was changed:\n%s", n, w.log)
	}
	w.wet()
	if diff := cmp.Diff(record, w.record()) + cmp.Diff(graph, w.tenant.Subscriptions()); diff != "" {
		t.Errorf("the dry run changed (-before +after):\n%s", diff)
	}
	want := w.keep()
	want.DryRun = true
	if slices.Contains(want.Done, subscription.ActionCreated) {
		want.SubscriptionID = first.SubscriptionID // Graph's is its own
	}
	if diff := cmp.Diff(want, first); diff != "" {
		t.Errorf("the dry run differs (-in earnest +dry):\n%s", diff)
	}
}

// TestDryEvents acknowledges lifecycle events, and answers none.
func TestDryEvents(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.keep()
		time.Sleep(time.Hour)
		w.tenant.ChallengeSubscriptions()
		w.dry()
		w.reports = nil
		events := w.drain()
		w.handle(events...)
		checkFound(t, w.reports[0], []subscription.Finding{subscription.FoundChallenged}, []subscription.Action{subscription.ActionRenewed})
		if len(events) != 1 || w.ours()[0].Challenged.IsZero() {
			t.Errorf("of %d challenges none stands", len(events))
		}
	})
}

// TestDryNoRoom finds the quota that a replacement would run into.
func TestDryNoRoom(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.keep()
		w.fill(98)
		w.rotate()
		w.dry()
		checkFound(t, w.keep(), []subscription.Finding{subscription.FoundOldClientState, subscription.FoundNoRoom},
			[]subscription.Action{subscription.ActionRemoved, subscription.ActionCreated, subscription.ActionSweepAsked})
	})
}

// TestDryWhileBusy leaves a lease alone.
func TestDryWhileBusy(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		record := w.record()
		record.Holder, record.HeldUntil = "somebody", time.Now().Add(time.Minute)
		if err := w.store.SaveRecord(t.Context(), record); err != nil {
			t.Fatal(err)
		}
		w.dry()
		checkFound(t, w.keep(), []subscription.Finding{subscription.FoundBusy}, nil)
	})
}

// TestDrySetUp shows whether the app can sign in.
func TestDrySetUp(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.dry()
		if report := w.setUp(); !report.DryRun || !report.AskedForSweep() {
			t.Errorf("SetUp: %+v", report)
		}
		w.graph.token, w.graph.until = "wrong", time.Time{}
		_, err := w.keeper().SetUp(t.Context())
		if a, ok := errors.AsType[*subscription.Advice](leaktest.Seen(t, err)); !ok || a.Cause != subscription.CauseSecretWrong {
			t.Errorf("SetUp with a wrong secret: %v", err)
		}
	})
}

// TestDrySetUpAfterTakeDown wakes nothing.
func TestDrySetUpAfterTakeDown(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.keep()
		w.takeDown()
		w.dry()
		checkFound(t, w.keep(), []subscription.Finding{subscription.FoundTakenDown}, nil)
		checkFound(t, w.setUp(), []subscription.Finding{subscription.FoundNone},
			[]subscription.Action{subscription.ActionCreated, subscription.ActionSweepAsked})
		w.wet()
		checkFound(t, w.keep(), []subscription.Finding{subscription.FoundTakenDown}, nil)
	})
}

// TestDryTakeDown removes what was made before the dry run, and nothing that may
// be somebody else's.
func TestDryTakeDown(t *testing.T) {
	tests := []struct {
		name    string
		arrange func(*world)
		left    int
	}{
		{"never set up, nothing there", (*world).dry, 0},
		{"never set up, beside another deployment", func(w *world) { w.make(directory.Subscription{}, "theirs"); w.dry() }, 1},
		{"set up before", func(w *world) { w.keep(); w.config.DryRun = true }, 0},
		{"set up before, beside another deployment", func(w *world) {
			w.keep()
			w.make(directory.Subscription{ChangeType: "updated,deleted"}, "theirs")
			w.config.DryRun = true
		}, 1},
		{"set up before, and gone", func(w *world) {
			w.keep()
			w.tenant.DropSubscription(w.record().SubscriptionID)
			w.config.DryRun = true
		}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			story(t, func(t *testing.T, w *world) {
				tt.arrange(w)
				w.reports = nil
				w.takeDown()
				w.takeDown()
				if ours := w.ours(); len(ours) != tt.left || w.record().SubscriptionID != "" || !w.hasOther() {
					t.Errorf("there are %+v, want %d; the record is %+v", ours, tt.left, w.record())
				}
				if w.reports[0].DryRun {
					t.Error("it is reported as a dry run")
				}
			})
		})
	}
}
