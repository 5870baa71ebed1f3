package msgraphtest

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// wantGolden compares a body with a file in which the subscription's id, made
// up anew each time, is written SUBSCRIPTION.
func wantGolden(t *testing.T, file, subscription, got string) {
	t.Helper()
	want, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	got = strings.ReplaceAll(got, subscription, "SUBSCRIPTION")
	if diff := cmp.Diff(strings.TrimSpace(string(want)), got); diff != "" {
		t.Errorf("the body differs from %s (-want +got):\n%s", file, diff)
	}
}

func TestNotificationBody(t *testing.T) {
	t.Parallel()
	for file, shape := range map[string]Shape{
		"user-updated-number.json": NumberSequence,
		"user-updated-string.json": StringSequence,
	} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, Delivery{Shape: shape})
				sub := b.subscribe(t, nil)
				b.change(benchUser, 1)
				synctest.Wait()
				post := b.subscriber.received()[0]
				wantGolden(t, file, sub.ID, post.body)
				if got := post.header.Get("Content-Type"); post.url != hookURL || got != "application/json; charset=utf-8" {
					t.Errorf("posted %s to %s", got, post.url)
				}
			})
		})
	}
}

func TestMixedShapes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Delivery{Shape: MixedSequence})
		b.subscribe(t, nil)
		for range 100 {
			b.change(benchUser, 1)
		}
		synctest.Wait()
		modern := 0
		for _, item := range b.subscriber.items(t) {
			if _, ok := item["id"]; ok {
				modern++
			}
		}
		if modern < 30 || modern > 70 {
			t.Errorf("%d of 100 notifications are of the newer form, want about half", modern)
		}
	})
}

func TestWhoHears(t *testing.T) {
	t.Parallel()
	one := "/users/" + strings.ToUpper(benchUser)
	for _, tt := range []struct {
		name, resource, changeType string
		user                       string
		want                       int
	}{
		{"updated", "/users", "updated", benchUser, 1},
		{"update unwanted", "/users", "deleted", benchUser, 0},
		{"the user watched", one, "updated", benchUser, 1},
		{"another user", one, "updated", otherUser, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, Delivery{})
				b.subscribe(t, map[string]any{"resource": tt.resource, "changeType": tt.changeType})
				b.change(tt.user, 1)
				synctest.Wait()
				if got := len(b.subscriber.items(t)); got != tt.want {
					t.Errorf("%d notifications, want %d", got, tt.want)
				}
			})
		})
	}
}

func TestNobodyHearsAfterTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Delivery{Latency: time.Second})
		sub := b.subscribe(t, nil)
		b.change(benchUser, 1) // on its way, still arrives
		b.tenant.DropSubscription(sub.ID)
		b.change(benchUser, 1)
		time.Sleep(time.Minute)
		b.wantDeliveries(t, Deliveries{Delivered: 1, Posts: 1})
	})
}

func TestCopies(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		copies           Copies
		properties, want int
	}{
		{Copies{}, 5, 1},
		{Copies{}, 0, 1},
		{Copies{Min: 2}, 1, 2},
		{Copies{Max: 4}, 3, 3},
		{Copies{Min: 2, Max: 4}, 1, 2},
		{Copies{Min: 2, Max: 4}, 9, 4},
	} {
		if got := tt.copies.of(tt.properties); got != tt.want {
			t.Errorf("%+v of a change of %d properties is %d, want %d", tt.copies, tt.properties, got, tt.want)
		}
	}
}

func TestSequenceNumbersRise(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Delivery{Copies: Copies{Max: 3}, Shape: StringSequence, BatchMax: 10})
		b.subscribe(t, nil)
		b.change(benchUser, 3)
		time.Sleep(time.Second)
		var numbers []string
		for _, item := range b.subscriber.items(t) {
			numbers = append(numbers, item["resourceData"].(map[string]any)["sequenceNumber"].(string))
		}
		want := []string{"630822816000000000", "630822816000000001", "630822816000000002"}
		if diff := cmp.Diff(want, numbers); diff != "" {
			t.Errorf("sequence numbers (-want +got):\n%s", diff)
		}
	})
}

func TestLatencyAndJitter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Delivery{Latency: 10 * time.Second, Jitter: 20 * time.Second})
		b.subscribe(t, nil)
		start := time.Now()
		for range 100 {
			b.change(benchUser, 1)
		}
		if b.tenant.Idle() {
			t.Error("idle with a hundred notifications on their way")
		}
		time.Sleep(time.Minute)
		for _, p := range b.subscriber.received() {
			if took := p.at.Sub(start); took < 10*time.Second || took >= 30*time.Second {
				t.Errorf("a notification took %s", took)
			}
		}
		if !b.tenant.Idle() {
			t.Errorf("not idle: %+v", b.tenant.Deliveries())
		}
	})
}

func TestLossesAndDuplicates(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		delivery Delivery
		want     Deliveries
	}{
		{"off", Delivery{Off: true}, Deliveries{Lost: 10}},
		{"always lost", Delivery{LossChance: 1}, Deliveries{Lost: 10}},
		{"always twice", Delivery{DuplicateChance: 1}, Deliveries{Delivered: 20, Duplicated: 10, Posts: 20}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, tt.delivery)
				b.subscribe(t, nil)
				for range 10 {
					b.change(benchUser, 1)
				}
				synctest.Wait()
				b.wantDeliveries(t, tt.want)
			})
		})
	}
}

func TestSetDelivery(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Delivery{Off: true})
		b.subscribe(t, nil)
		b.change(benchUser, 1)
		b.SetDelivery(Delivery{})
		b.change(benchUser, 1)
		synctest.Wait()
		b.wantDeliveries(t, Deliveries{Delivered: 1, Lost: 1, Posts: 1})
	})
}

func TestBatches(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Delivery{BatchMax: 10})
		b.subscribe(t, nil)
		b.subscribe(t, map[string]any{"changeType": "updated,deleted"}) // same URL: shares POSTs
		b.subscribe(t, map[string]any{"resource": "/users/" + benchUser, "notificationUrl": hookURL + "?code=x"})
		for range 10 {
			b.change(benchUser, 1)
		}
		time.Sleep(time.Second)
		b.wantDeliveries(t, Deliveries{Delivered: 30, Posts: b.tenant.Deliveries().Posts})
		sizes := make(map[string]int)
		for _, p := range b.subscriber.received() {
			n := strings.Count(p.body, `"changeType"`)
			if n > 10 {
				t.Errorf("%d notifications in one POST", n)
			}
			sizes[p.url] += n
		}
		if diff := cmp.Diff(map[string]int{hookURL: 20, hookURL + "?code=x": 10}, sizes); diff != "" {
			t.Errorf("notifications by URL (-want +got):\n%s", diff)
		}
	})
}

func TestShuffle(t *testing.T) {
	t.Parallel()
	for shuffle, inOrder := range map[bool]bool{false: true, true: false} {
		t.Run(fmt.Sprint(shuffle), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, Delivery{BatchMax: 100, Shuffle: shuffle})
				b.subscribe(t, nil)
				for n := range 20 {
					b.change(userID(n), 1)
				}
				time.Sleep(time.Second)
				var users []string
				for _, item := range b.subscriber.items(t) {
					users = append(users, item["resource"].(string))
				}
				if got := slices.IsSorted(users); got != inOrder || len(users) != 20 {
					t.Errorf("arrived in order: %v, want %v: %v", got, inOrder, users)
				}
			})
		})
	}
}

func userID(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }

func TestRetry(t *testing.T) {
	t.Parallel()
	refuse := func(status int) func(*subscriber) {
		return func(e *subscriber) {
			e.status = func(n int) int {
				if n < 4 {
					return status
				}
				return http.StatusOK
			}
		}
	}
	slowly := func(first, later time.Duration) func(*subscriber) {
		return func(e *subscriber) {
			e.delay = func(n int) time.Duration {
				if n == 1 {
					return first
				}
				return later
			}
		}
	}
	for _, tt := range []struct {
		name  string
		be    func(*subscriber)
		after []time.Duration // when each POST came
	}{
		{"503", refuse(http.StatusServiceUnavailable), []time.Duration{0, 10 * time.Second, 30 * time.Second, 70 * time.Second}},
		{"4xx too", refuse(http.StatusUnauthorized), []time.Duration{0, 10 * time.Second, 30 * time.Second, 70 * time.Second}},
		{"redirects too", refuse(http.StatusFound), []time.Duration{0, 10 * time.Second, 30 * time.Second, 70 * time.Second}},
		{"under 3 s", slowly(2999*time.Millisecond, 0), []time.Duration{0}},
		{"3 s, then under 10 s", slowly(3*time.Second, 9*time.Second), []time.Duration{0, 13 * time.Second}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, Delivery{})
				tt.be(b.subscriber)
				b.subscribe(t, nil)
				start := time.Now()
				b.change(benchUser, 1)
				time.Sleep(5 * time.Hour)
				var after []time.Duration
				for _, p := range b.subscriber.received() {
					after = append(after, p.at.Sub(start))
				}
				if !slices.Equal(after, tt.after) {
					t.Errorf("POSTs after %v, want %v", after, tt.after)
				}
				b.wantDeliveries(t, Deliveries{Delivered: 1, Retried: len(tt.after) - 1, Posts: len(tt.after)})
			})
		})
	}
}

func TestRetriesRepeatTheSameBody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Delivery{BatchMax: 5})
		b.subscriber.status = func(n int) int { return []int{500, 202}[min(n, 2)-1] }
		b.subscribe(t, nil)
		b.change(benchUser, 1)
		b.change(otherUser, 1)
		time.Sleep(time.Minute)
		posts := b.subscriber.received()
		if len(posts) != 2 || posts[0].body != posts[1].body {
			t.Errorf("the retry differs: %+v", posts)
		}
		b.wantDeliveries(t, Deliveries{Delivered: 2, Retried: 2, Posts: 2})
	})
}

func TestRetriesEndAfterFourHours(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Delivery{})
		b.subscriber.status = func(int) int { return http.StatusInternalServerError }
		b.subscribe(t, nil)
		start := time.Now()
		b.change(benchUser, 1)
		time.Sleep(5 * time.Hour)
		posts := b.subscriber.received()
		if last := posts[len(posts)-1].at.Sub(start); last > retriedFor || last < retriedFor/2 {
			t.Errorf("the last of %d tries came after %s, want the second half of 4 h", len(posts), last)
		}
		b.wantDeliveries(t, Deliveries{Dropped: 1, Retried: len(posts) - 1, Posts: len(posts)})
	})
}

func TestRetriesEndWithTheSubscription(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Delivery{})
		b.subscriber.status = func(int) int { return http.StatusInternalServerError }
		sub := b.subscribe(t, nil)
		b.change(benchUser, 1)
		time.Sleep(15 * time.Second)
		b.call(b.app, http.MethodDelete, "/subscriptions/"+sub.ID, nil)
		time.Sleep(time.Hour)
		b.wantDeliveries(t, Deliveries{Dropped: 1, Retried: 2, Posts: 3})
	})
}

// TestManyUsers shows that a backlog is sent by few POSTs at a time.
func TestManyUsers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Delivery{Copies: Copies{Max: 3}, BatchMax: 100, Latency: 10 * time.Second, Jitter: 20 * time.Second})
		b.subscriber.delay = func(int) time.Duration { return 100 * time.Millisecond }
		b.subscribe(t, nil)
		const users = 5_000
		for n := range users {
			b.change(userID(n), 3)
		}
		for !b.tenant.Idle() {
			time.Sleep(time.Second)
		}
		counts := b.tenant.Deliveries()
		if counts.Delivered != 3*users || counts.Posts > users/10 {
			t.Errorf("deliveries are %+v, want %d in at most %d POSTs", counts, 3*users, users/10)
		}
	})
}

func TestConcurrencyIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Delivery{})
		b.subscriber.delay = func(int) time.Duration { return time.Second }
		b.subscribe(t, nil)
		for range 3 * maxConcurrency {
			b.change(benchUser, 1)
		}
		synctest.Wait()
		if got := len(b.subscriber.received()); got != maxConcurrency {
			t.Errorf("%d POSTs at once, want %d", got, maxConcurrency)
		}
		time.Sleep(4 * time.Second)
		b.wantDeliveries(t, Deliveries{Delivered: 3 * maxConcurrency, Posts: 3 * maxConcurrency})
	})
}

// TestClose shows that Close waits for nothing that it can stop; the bubble
// shows that nothing is left behind.
func TestClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Delivery{})
		b.subscribe(t, nil)
		b.subscriber.delay = func(int) time.Duration { return time.Second }
		b.change(benchUser, 1) // under way
		synctest.Wait()
		b.SetDelivery(Delivery{Latency: time.Hour})
		b.change(benchUser, 1) // waits
		start := time.Now()
		b.Close()
		b.Close()
		b.change(benchUser, 1) // unheard
		if took := time.Since(start); took != 0 {
			t.Errorf("Close took %s", took)
		}
		time.Sleep(48 * time.Hour)
		if got := len(b.subscriber.received()); got != 1 {
			t.Errorf("%d POSTs, want the one before Close", got)
		}
	})
}

// A challenge that no renewal answers in time pauses delivery, and what changes
// meanwhile is lost.
func TestPause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Delivery{})
		sub := b.subscribe(t, nil)
		b.tenant.ChallengeSubscriptions()
		time.Sleep(challengeGrace - time.Second)
		b.change(benchUser, 1)
		time.Sleep(time.Second)
		b.change(benchUser, 1)
		if got := b.tenant.Subscriptions(); !got[0].Paused {
			t.Errorf("not paused: %+v", got)
		}
		wantStatus(t, b.call(b.app, http.MethodPatch, "/subscriptions/"+sub.ID,
			map[string]any{"expirationDateTime": b.now().Add(time.Hour)}), http.StatusOK)
		b.change(benchUser, 1)
		synctest.Wait()
		b.wantDeliveries(t, Deliveries{Delivered: 2, Lost: 1, Posts: 2})
	})
}
