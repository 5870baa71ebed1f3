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
		w.checkQuietAfter(0)
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
		w.checkQuietAfter(1)
		w.handle(events...)
	})
}

// TestHeldChallenge lets a challenge wait in our own queue until delivery has
// paused, and perhaps until a run by schedule has answered it unknowingly.
func TestHeldChallenge(t *testing.T) {
	for name, tt := range map[string]struct {
		// before is what happened between the pause and the keeper's hearing of it.
		before func(*world)
		asks   int
	}{
		"until now":              {func(w *world) { w.keep() }, 1},
		"until it was renewed":   {(*world).renew, 1},
		"until it was replaced":  {func(w *world) { w.rotate(); w.keepUntilQuiet() }, 1},
		"until a gap was swept":  {func(w *world) { w.tenant.DropSubscription(w.record().SubscriptionID); w.keep() }, 1},
		"until it was heard of":  {func(w *world) { w.handle(w.challenges(1)...); w.asked = nil }, 1},
		"and an answered double": {func(w *world) { w.renew(); w.handle(w.held...) }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(t *testing.T, w *world) {
				w.keep()
				w.asked = nil
				time.Sleep(time.Hour)
				w.tenant.ChallengeSubscriptions()
				w.held = w.drain()
				for range 8 {
					time.Sleep(5 * time.Minute)
					w.hire()
				}
				if !w.ours()[0].Paused {
					t.Fatal("delivery has not paused")
				}
				tt.before(w)
				w.handle(w.held...)
				time.Sleep(time.Minute)
				w.handle(w.held...)
				w.checkQuietAfter(tt.asks)
			})
		})
	}
}

// renew runs the keeper by schedule, and makes it renew.
func (w *world) renew() {
	w.t.Helper()
	below := w.config.Settings.RenewBelow
	w.config.Settings.RenewBelow = fullLife - 15*time.Minute
	w.keep()
	w.config.Settings.RenewBelow = below
}

// TestOddTimes answers challenges whatever the time at which they are said to have
// come. No gap is said to begin before the first subscription: the sweep takes whom
// it believes to have been missed for new.
func TestOddTimes(t *testing.T) {
	for name, tt := range map[string]struct {
		received time.Duration // from now on
		asks     int
	}{
		"just now": {-time.Second, 0}, "a clock ahead": {time.Minute, 0}, "far ahead": {1e5 * time.Hour, 0},
		"a while ago": {-30 * time.Minute, 1}, "too long ago": {-2 * time.Hour, 0}, "ages ago": {-1e5 * time.Hour, 0},
	} {
		for _, expiry := range []string{"with", "without"} {
			t.Run(name+" "+expiry+" an expiry", func(t *testing.T) {
				story(t, func(t *testing.T, w *world) {
					w.keep()
					began := w.record().Began
					w.asked = nil
					time.Sleep(time.Hour)
					event := w.challenges(1)[0]
					event.Received = time.Now().Add(tt.received)
					if expiry == "without" {
						event.Expires = time.Time{}
					}
					calls := w.calls()
					w.handle(event)
					if calls("renew") != 1 {
						t.Errorf("renewed %d times, want once", calls("renew"))
					}
					w.checkQuietAfter(tt.asks)
					for _, s := range w.asked {
						if s.since.Before(began) {
							t.Errorf("the gap is said to begin at %s, before the first subscription at %s", s.since, began)
						}
					}
				})
			})
		}
	}
}

// TestRepeatedChallenge answers a challenge once, whether it tells the expiry or not,
// however often the queue repeats it, and asks for one sweep.
func TestRepeatedChallenge(t *testing.T) {
	for _, expiry := range []string{"with", "without"} {
		t.Run(expiry+" an expiry", func(t *testing.T) {
			story(t, func(t *testing.T, w *world) {
				w.keep()
				w.asked = nil
				time.Sleep(time.Hour)
				event := w.challenges(1)[0]
				event.Received = time.Now().Add(-30 * time.Minute)
				if expiry == "without" {
					event.Expires = time.Time{}
				}
				calls := w.calls()
				for range 4 {
					w.handle(event)
					time.Sleep(15 * time.Minute)
				}
				if w.checkQuiet(); calls("renew") != 1 || len(w.asked) != 1 {
					t.Errorf("renewed %d times, sweeps asked for %+v; want one of each", calls("renew"), w.asked)
				}
			})
		})
	}
}

// TestClockAhead finds the pause though the webhook's clock is ahead of the keeper's.
func TestClockAhead(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.keep()
		w.asked = nil
		event := w.challenges(1)[0]
		event.Received = time.Now().Add(24 * time.Hour)
		w.failing("renew", &directory.Error{Operation: "renewSubscription", StatusCode: 503})
		w.keeper().HandleLifecycle(t.Context(), []notification.Lifecycle{event})
		w.hook = nil
		time.Sleep(time.Hour)
		w.keep()
		w.checkQuietAfter(1)
	})
}

// TestUnheardChallenge replaces a subscription that has paused without our hearing of
// it, when the clientState is rotated: README.md names this as the way out.
func TestUnheardChallenge(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.keep()
		time.Sleep(time.Hour)
		w.tenant.ChallengeSubscriptions()
		w.drain() // and nobody takes them
		time.Sleep(time.Hour)
		checkFound(t, w.keep(), []subscription.Finding{subscription.FoundHealthy}, nil)
		if !w.ours()[0].Paused {
			t.Fatal("delivery has not paused")
		}
		w.rotate()
		checkFound(t, w.keep(), []subscription.Finding{subscription.FoundOldClientState}, replacedOverBridge)
		before := w.tenant.Deliveries().Delivered
		w.hire()
		time.Sleep(time.Hour)
		if w.checkQuiet(); w.tenant.Deliveries().Delivered == before {
			t.Error("nothing is delivered of a user hired afterwards")
		}
	})
}

// TestOlderOfTwoChallenges counts from the older of two challenges, in whichever order
// the queue gives them.
func TestOlderOfTwoChallenges(t *testing.T) {
	const grace = 10 * time.Minute
	for name, ages := range map[string][2]time.Duration{
		"older first": {grace / 2, 0},
		"newer first": {0, grace / 2},
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(t *testing.T, w *world) {
				w.config.Settings.ChallengeGrace = grace
				w.keep()
				w.asked = nil
				time.Sleep(time.Hour)
				events := w.challenges(len(ages))
				for i, age := range ages {
					events[i].Received = time.Now().Add(-age)
				}
				w.failing("renew", &directory.Error{Operation: "renewSubscription", StatusCode: 503})
				for i := range events {
					if errs := w.keeper().HandleLifecycle(t.Context(), events[i:i+1]); leaktest.Seen(t, errs[0]) == nil {
						t.Error("a challenge is served though it could not be answered")
					}
				}
				w.hook = nil
				time.Sleep(grace * 3 / 4)
				w.keep()
				w.checkQuietAfter(1)
			})
		})
	}
}

// TestMissedOfReplaced asks for a sweep of what a subscription has missed that is
// not ours any more, once in a run.
func TestMissedOfReplaced(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.keep()
		event := w.challenges(1)[0]
		event.Event = notification.Missed
		time.Sleep(time.Hour)
		w.rotate()
		w.keepUntilQuiet()
		w.asked = nil
		calls := w.calls()
		w.handle(event, event, event)
		if w.checkQuiet(); len(w.asked) != 1 || calls("list") != 1 {
			t.Errorf("listed %d times, asked for sweeps %+v; want one of each", calls("list"), w.asked)
		}
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
		w.checkQuietAfter(0)
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
		{"missed of an unknown subscription", func(w *world) notification.Lifecycle {
			e := w.challenges(1)[0]
			e.SubscriptionID, e.Event = unknown, notification.Missed
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
