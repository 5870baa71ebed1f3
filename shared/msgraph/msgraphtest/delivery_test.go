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

func TestNobodyHearsAfterTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Delivery{Latency: time.Second})
		sub := b.subscribe(t, nil)
		b.subscribe(t, map[string]any{"changeType": "deleted"}) // hears of no update
		b.change(benchUser, 1)                                  // on its way, still arrives
		b.tenant.DropSubscription(sub.ID)
		b.change(benchUser, 1)
		time.Sleep(time.Minute)
		b.wantReceived(t, 1, 1)
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
			t.Error("not idle")
		}
	})
}

func TestLossesAndDuplicates(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		delivery Delivery
		want     int
	}{
		"off":          {Delivery{Off: true}, 0},
		"always lost":  {Delivery{LossChance: 1}, 0},
		"always twice": {Delivery{DuplicateChance: 1}, 20},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, tt.delivery)
				b.subscribe(t, nil)
				for range 10 {
					b.change(benchUser, 1)
				}
				b.SetDelivery(Delivery{}) // says nothing of what was before
				b.change(benchUser, 1)
				time.Sleep(time.Second)
				b.wantReceived(t, tt.want+1, tt.want+1)
			})
		})
	}
}

func TestBatches(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Delivery{BatchMax: 10})
		b.subscribe(t, nil)
		b.subscribe(t, map[string]any{"changeType": "updated,deleted", "notificationUrl": hookURL + "?code=x"})
		b.app = b.tenant.AddApp(AppOptions{})
		b.subscribe(t, nil) // same URL: shares POSTs
		for range 10 {
			b.change(benchUser, 1)
		}
		time.Sleep(time.Second)
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
				if !b.tenant.Idle() {
					t.Error("not idle")
				}
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
		b.wantReceived(t, 2, 4)
	})
}

// Nothing is tried for longer than four hours, or once the subscription has ended.
func TestRetriesEnd(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		deleted     bool
		least, most time.Duration // between the first try and the last
	}{
		"after four hours":      {false, retriedFor / 2, retriedFor},
		"with the subscription": {true, 30 * time.Second, 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, Delivery{})
				b.subscriber.status = func(int) int { return http.StatusInternalServerError }
				sub := b.subscribe(t, nil)
				start := time.Now()
				b.change(benchUser, 1)
				time.Sleep(15 * time.Second)
				if tt.deleted {
					b.call(b.app, http.MethodDelete, "/subscriptions/"+sub.ID, nil)
				}
				time.Sleep(5 * time.Hour)
				posts := b.subscriber.received()
				if last := posts[len(posts)-1].at.Sub(start); last > tt.most || last < tt.least || !b.tenant.Idle() {
					t.Errorf("the last of %d tries came after %s, idle %t", len(posts), last, b.tenant.Idle())
				}
			})
		})
	}
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
		b.wantReceived(t, 3*maxConcurrency, 3*maxConcurrency)
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
