package msgraphtest

import (
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestLifecycleBody(t *testing.T) {
	t.Parallel()
	for file, observed := range map[string]bool{
		"lifecycle-documented.json": false,
		"lifecycle-observed.json":   true,
	} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, Delivery{LifecycleObserved: observed})
				sub := b.subscribe(t, map[string]any{"lifecycleNotificationUrl": lifeURL})
				b.subscribe(t, map[string]any{"changeType": "deleted"}) // has no such URL, hears nothing
				b.tenant.ChallengeSubscriptions()
				synctest.Wait()
				b.wantDeliveries(t, Deliveries{Challenges: 1, Posts: 1})
				post := b.subscriber.received()[0]
				wantGolden(t, file, sub.ID, post.body)
				if post.url != lifeURL {
					t.Errorf("posted to %s", post.url)
				}
			})
		})
	}
}

func TestChallengesInTheLastHour(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		life time.Duration
		want []time.Duration // before the expiry
	}{
		{"a day", 24 * time.Hour, []time.Duration{60 * time.Minute, 45 * time.Minute, 30 * time.Minute, 15 * time.Minute}},
		{"fifty minutes", 50 * time.Minute, []time.Duration{45 * time.Minute, 30 * time.Minute, 15 * time.Minute}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, Delivery{Challenge: true})
				expires := b.now().Add(tt.life)
				b.subscribe(t, map[string]any{"lifecycleNotificationUrl": lifeURL, "expirationDateTime": expires})
				time.Sleep(48 * time.Hour)
				var got []time.Duration
				for _, p := range b.subscriber.received() {
					got = append(got, expires.Sub(p.at))
				}
				if !slices.Equal(got, tt.want) {
					t.Errorf("challenged %v before the expiry, want %v", got, tt.want)
				}
			})
		})
	}
}

func TestRenewalPutsChallengesOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Delivery{Challenge: true})
		sub := b.subscribe(t, map[string]any{"lifecycleNotificationUrl": lifeURL})
		time.Sleep(23*time.Hour + time.Minute)
		renewal := map[string]any{"expirationDateTime": b.now().Add(24 * time.Hour)}
		wantStatus(t, b.call(b.app, http.MethodPatch, "/subscriptions/"+sub.ID, renewal), http.StatusOK)
		time.Sleep(22 * time.Hour)
		if got := len(b.subscriber.received()); got != 1 {
			t.Errorf("%d challenges, want the one before the renewal", got)
		}
	})
}

// TestPause has the ways in and out of a pause, and what becomes of what changes
// meanwhile.
func TestPause(t *testing.T) {
	t.Parallel()
	reauthorize := func(b *bench, path string) reply {
		return b.call(b.app, http.MethodPost, path+"/reauthorize", nil)
	}
	renew := func(b *bench, path string) reply {
		return b.call(b.app, http.MethodPatch, path, map[string]any{"expirationDateTime": b.now().Add(time.Hour)})
	}
	for _, tt := range []struct {
		name     string
		delivery Delivery
		answer   func(*bench, string) reply
		pause    time.Duration
		want     Deliveries
	}{
		{"lost, reauthorized", Delivery{}, reauthorize, time.Hour, Deliveries{Delivered: 2, Lost: 1, Challenges: 1, Posts: 3}},
		{"lost, renewed", Delivery{}, renew, time.Hour, Deliveries{Delivered: 2, Lost: 1, Challenges: 1, Posts: 3}},
		{"held", Delivery{HoldPaused: true}, reauthorize, time.Hour, Deliveries{Delivered: 3, Challenges: 1, Posts: 4}},
		{"held for too long", Delivery{HoldPaused: true}, reauthorize, 5 * time.Hour, Deliveries{Delivered: 2, Dropped: 1, Challenges: 1, Posts: 3}},
		{"patient", Delivery{ChallengeGrace: 2 * time.Hour}, reauthorize, time.Hour, Deliveries{Delivered: 3, Challenges: 1, Posts: 4}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, tt.delivery)
				path := "/subscriptions/" + b.subscribe(t, map[string]any{"lifecycleNotificationUrl": lifeURL}).ID
				b.tenant.ChallengeSubscriptions()
				b.change(benchUser, "updated", 1) // in the time of grace
				time.Sleep(challengeGrace)
				b.change(benchUser, "updated", 1) // in the pause
				time.Sleep(tt.pause)
				if status := tt.answer(b, path).status; status/100 != 2 {
					t.Fatalf("answered %d", status)
				}
				b.change(benchUser, "updated", 1) // after it
				synctest.Wait()
				b.wantDeliveries(t, tt.want)
			})
		})
	}
}

func TestPausedState(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Delivery{HoldPaused: true})
		sub := b.subscribe(t, map[string]any{"lifecycleNotificationUrl": lifeURL})
		challenged := b.now()
		b.tenant.ChallengeSubscriptions()
		time.Sleep(challengeGrace)
		b.change(benchUser, "updated", 1)
		state := b.tenant.Subscriptions()[0]
		if !state.Paused || !state.Challenged.Equal(challenged) {
			t.Errorf("the state is %+v, want paused by the challenge of %s", state, challenged)
		}
		b.wantDeliveries(t, Deliveries{Held: 1, Challenges: 1, Posts: 1})
		b.tenant.DropSubscription(sub.ID)
		b.wantDeliveries(t, Deliveries{Dropped: 1, Challenges: 1, Posts: 1})
	})
}

// TestChallengeIsRetried shows that lifecycle notifications follow the rules of
// the others.
func TestChallengeIsRetried(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Delivery{})
		b.subscriber.status = func(n int) int { return []int{503, 202}[n-1] }
		b.subscribe(t, map[string]any{"lifecycleNotificationUrl": lifeURL})
		b.tenant.ChallengeSubscriptions()
		time.Sleep(time.Minute)
		b.wantDeliveries(t, Deliveries{Challenges: 1, Retried: 1, Posts: 2})
	})
}
