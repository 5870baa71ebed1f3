package subscription_test

import (
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/notification"
	"github.com/sessionstamp/sessionstamp/shared/subscription"
)

// challenges are n equal challenges of the subscription that there is.
func (w *world) challenges(n int) []notification.Lifecycle {
	events := make([]notification.Lifecycle, n)
	for i := range events {
		events[i] = notification.Lifecycle{
			SubscriptionID: w.record().SubscriptionID, TenantID: tenantID,
			Event: notification.ReauthorizationRequired, Expires: w.record().Expires,
		}
	}
	return events
}

// handle gives the keeper events, which it must serve.
func (w *world) handle(events ...notification.Lifecycle) {
	w.t.Helper()
	for i, err := range w.keeper().HandleLifecycle(w.t.Context(), events) {
		if err != nil {
			w.t.Errorf("event %d: %v", i, err)
		}
	}
}

// TestStorm answers a storm of challenges once, however it is spread over
// messages, and a later challenge again.
func TestStorm(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.keep()
		w.asked = nil
		calls := w.calls()
		for storm := 1; storm <= 3; storm++ {
			time.Sleep(20 * time.Minute)
			for range 5 {
				w.tenant.ChallengeSubscriptions()
			}
			events := w.drain()
			if len(events) != 5 {
				t.Fatalf("%d challenges have arrived, want 5", len(events))
			}
			w.handle(events[:3]...)
			w.handle(events[3])
			time.Sleep(time.Minute)
			w.handle(events[4], events[0])
			if got := calls("renew"); got != storm {
				t.Errorf("renewed %d times after %d storms", got, storm)
			}
			if !w.ours()[0].Challenged.IsZero() {
				t.Error("the challenge stands")
			}
		}
		if w.checkQuiet(); len(w.asked) > 0 {
			t.Errorf("sweeps were asked for: %+v", w.asked)
		}
	})
}

// TestLateAnswer asks for a sweep where the answer came after delivery had paused.
func TestLateAnswer(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.keep()
		w.asked = nil
		time.Sleep(time.Hour)
		w.tenant.ChallengeSubscriptions()
		events := w.drain()
		w.failing("renew", &directory.Error{Operation: "renewSubscription", StatusCode: 503})
		for range 5 {
			if errs := w.keeper().HandleLifecycle(t.Context(), events); leaktest.Seen(t, errs[0]) == nil {
				t.Fatal("the event was acknowledged")
			}
			w.hire()
			time.Sleep(5 * time.Minute)
		}
		w.hook = nil
		if !w.ours()[0].Paused {
			t.Fatal("delivery has not paused")
		}
		report := w.keep() // by schedule: the challenge is not forgotten
		checkFound(t, report, []subscription.Finding{subscription.FoundHealthy, subscription.FoundPaused},
			[]subscription.Action{subscription.ActionRenewed, subscription.ActionSweepAsked})
		if w.checkQuiet(); len(w.asked) != 1 {
			t.Errorf("sweeps were asked for: %+v, want one", w.asked)
		}
		w.handle(events...)
	})
}

// TestAnswerAfterOneFailure asks for none where the second attempt was in time.
func TestAnswerAfterOneFailure(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.keep()
		w.asked = nil
		w.tenant.ChallengeSubscriptions()
		events := w.drain()
		w.failing("renew", &directory.Error{Operation: "renewSubscription", StatusCode: 503})
		w.keeper().HandleLifecycle(t.Context(), events)
		w.hook = nil
		time.Sleep(5 * time.Minute)
		w.handle(events...)
		if w.checkQuiet(); len(w.asked) > 0 {
			t.Errorf("sweeps were asked for: %+v", w.asked)
		}
	})
}

func TestOtherEvents(t *testing.T) {
	const unknown = "7f105c7d-2dc5-4530-97cd-4e7ae6534c07"
	tests := []struct {
		name                string
		event               func(*world) notification.Lifecycle
		lists, renews, asks int
	}{
		{"a challenge of another tenant", func(w *world) notification.Lifecycle {
			e := w.challenges(1)[0]
			e.TenantID = unknown
			return e
		}, 0, 0, 0},
		{"a challenge of an unknown subscription", func(w *world) notification.Lifecycle {
			e := w.challenges(1)[0]
			e.SubscriptionID = unknown
			return e
		}, 1, 0, 0},
		{"a challenge without an expiry", func(w *world) notification.Lifecycle {
			e := w.challenges(1)[0]
			e.Expires = time.Time{}
			return e
		}, 1, 1, 0},
		{"a challenge from before the last renewal", func(w *world) notification.Lifecycle {
			e := w.challenges(1)[0]
			e.Expires = e.Expires.Add(-time.Hour)
			return e
		}, 0, 0, 0},
		{"removed", func(w *world) notification.Lifecycle {
			e := w.challenges(1)[0]
			e.Event = notification.SubscriptionRemoved
			w.tenant.DropSubscription(e.SubscriptionID)
			return e
		}, 1, 0, 1},
		{"missed", func(w *world) notification.Lifecycle {
			e := w.challenges(1)[0]
			e.Event = notification.Missed
			return e
		}, 1, 0, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			story(t, func(t *testing.T, w *world) {
				w.keep()
				time.Sleep(time.Hour)
				event := tt.event(w)
				calls := w.calls()
				w.asked, w.reports = nil, nil
				w.handle(event)
				if calls("list") != tt.lists || calls("renew") != tt.renews || len(w.asked) != tt.asks {
					t.Errorf("listed %d, renewed %d times, asked for sweeps %+v; want %d, %d, %d",
						calls("list"), calls("renew"), w.asked, tt.lists, tt.renews, tt.asks)
				}
				if len(w.reports) != 1 || w.reports[0].Trigger != subscription.TriggerLifecycle {
					t.Errorf("reports: %+v, want one", w.reports)
				}
				w.checkQuiet()
			})
		})
	}
}
