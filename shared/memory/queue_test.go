package memory_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/memory"
)

const visibility = 30 * time.Second

func newQueue() *memory.Queue {
	return memory.NewQueue(memory.QueueOptions{Visibility: visibility, MaxReceives: 3})
}

func send(t *testing.T, q *memory.Queue, delay time.Duration, bodies ...string) {
	t.Helper()
	for _, body := range bodies {
		if err := q.Send(t.Context(), []byte(body), delay); err != nil {
			t.Fatalf("Send %q: %v", body, err)
		}
	}
}

func receive(t *testing.T, q *memory.Queue, limit int) []memory.Message {
	t.Helper()
	messages, err := q.Receive(t.Context(), limit)
	if err != nil {
		t.Fatalf("Receive: %v", err)
	}
	return messages
}

func bodies(messages []memory.Message) []string {
	list := make([]string, len(messages))
	for i, m := range messages {
		list[i] = string(m.Body)
	}
	return list
}

func TestReceive(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		send  func(*testing.T, *memory.Queue)
		limit int
		want  []string
		after time.Duration // when Receive returns
	}{
		{
			name:  "equals keep their order",
			send:  func(t *testing.T, q *memory.Queue) { send(t, q, 0, "a", "b", "c", "d", "e") },
			limit: 10,
			want:  []string{"a", "b", "c", "d", "e"},
		},
		{
			name:  "no more than the limit",
			send:  func(t *testing.T, q *memory.Queue) { send(t, q, 0, "a", "b", "c") },
			limit: 2,
			want:  []string{"a", "b"},
		},
		{
			name:  "waits for a delayed message",
			send:  func(t *testing.T, q *memory.Queue) { send(t, q, time.Minute, "a") },
			limit: 10,
			want:  []string{"a"},
			after: time.Minute,
		},
		{
			name: "the delayed come by when they are due",
			send: func(t *testing.T, q *memory.Queue) {
				send(t, q, 2*time.Second, "late")
				send(t, q, time.Second, "early")
			},
			limit: 10,
			want:  []string{"early"},
			after: time.Second,
		},
		{
			name: "a delayed message keeps nobody waiting",
			send: func(t *testing.T, q *memory.Queue) {
				send(t, q, time.Hour, "late")
				send(t, q, 0, "now")
			},
			limit: 10,
			want:  []string{"now"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				q := newQueue()
				tt.send(t, q)
				start := time.Now()
				got := bodies(receive(t, q, tt.limit))
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("bodies (-want +got):\n%s", diff)
				}
				if got := time.Since(start); got != tt.after {
					t.Errorf("Receive returned after %s, want %s", got, tt.after)
				}
			})
		})
	}
}

func TestReceivedMessageIsHidden(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue()
		send(t, q, 0, "a")
		first := receive(t, q, 10)
		if q.Visible() != 0 || q.Len() != 1 {
			t.Errorf("%d of %d messages can be received, want 0 of 1", q.Visible(), q.Len())
		}
		start := time.Now()
		second := receive(t, q, 10)
		if got := time.Since(start); got != visibility {
			t.Errorf("the message came back after %s, want %s", got, visibility)
		}
		if got := []int{first[0].Receives, second[0].Receives}; !slices.Equal(got, []int{1, 2}) {
			t.Errorf("deliveries are counted %v, want [1 2]", got)
		}
	})
}

func TestSendWakesReceivers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue()
		send(t, q, time.Hour, "much later") // what the receivers wait for at first
		var receivers sync.WaitGroup
		woken := make(chan string, 2)
		start := time.Now()
		for range 2 {
			receivers.Go(func() {
				messages, err := q.Receive(t.Context(), 1)
				if err != nil {
					t.Errorf("Receive: %v", err)
				}
				woken <- fmt.Sprintf("%s after %s", bodies(messages), time.Since(start))
			})
		}
		time.Sleep(5 * time.Second)
		send(t, q, 0, "a")
		time.Sleep(time.Second)
		send(t, q, 0, "b")
		receivers.Wait()
		close(woken)
		want := []string{"[a] after 5s", "[b] after 6s"}
		if diff := cmp.Diff(want, slices.Collect(drain(woken))); diff != "" {
			t.Errorf("received (-want +got):\n%s", diff)
		}
	})
}

// drain yields what a closed channel still holds.
func drain[T any](c <-chan T) func(yield func(T) bool) {
	return func(yield func(T) bool) {
		for v := range c {
			if !yield(v) {
				return
			}
		}
	}
}

func TestReceiveEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue()
		send(t, q, time.Hour, "a")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if messages, err := q.Receive(ctx, 10); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Receive = %v, %v, want %v", bodies(messages), err, context.DeadlineExceeded)
		}
		if err := q.Send(ctx, []byte("b"), 0); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Send = %v, want %v", err, context.DeadlineExceeded)
		}
		time.Sleep(time.Hour) // a is due now
		if messages, err := q.Receive(ctx, 10); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Receive of a message that is there = %v, %v, want %v", bodies(messages), err, context.DeadlineExceeded)
		}
		if got := q.Len(); got != 1 {
			t.Errorf("%d messages are in the queue, want 1: a refused one was stored", got)
		}
	})
}

func TestDelete(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		delete func(t *testing.T, q *memory.Queue, first memory.Message)
	}{
		{"once", func(_ *testing.T, q *memory.Queue, first memory.Message) { q.Delete(first) }},
		{"twice", func(_ *testing.T, q *memory.Queue, first memory.Message) {
			q.Delete(first)
			q.Delete(first)
		}},
		{"after the visibility has lapsed", func(_ *testing.T, q *memory.Queue, first memory.Message) {
			time.Sleep(2 * visibility)
			q.Delete(first)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				q := newQueue()
				send(t, q, 0, "a")
				send(t, q, time.Hour, "b")
				tt.delete(t, q, receive(t, q, 1)[0])
				if diff := cmp.Diff([]string{"b"}, bodies(receive(t, q, 10))); diff != "" {
					t.Errorf("left in the queue (-want +got):\n%s", diff)
				}
				if got := q.Len(); got != 1 {
					t.Errorf("%d messages are in the queue, want 1", got)
				}
			})
		})
	}
}

// Whoever was slow can't acknowledge what another has been given meanwhile.
func TestDeleteByAnOlderDelivery(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue()
		send(t, q, 0, "a")
		first := receive(t, q, 1)[0]
		time.Sleep(visibility)
		last := receive(t, q, 1)[0]
		q.Delete(first)
		if got := q.Len(); got != 1 {
			t.Errorf("%d messages are in the queue, want the one that was delivered again", got)
		}
		q.Delete(last)
		if got := q.Len(); got != 0 {
			t.Errorf("%d messages are in the queue, want none", got)
		}
	})
}

func TestDeadLetters(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue()
		send(t, q, 0, "poison")
		var last memory.Message
		for range 3 {
			last = receive(t, q, 10)[0]
		}
		if got := q.DeadLetters(); len(got) != 0 {
			t.Errorf("dead letters %q during the last delivery, want none", got)
		}
		send(t, q, visibility, "good")
		if diff := cmp.Diff([]string{"good"}, bodies(receive(t, q, 10))); diff != "" {
			t.Errorf("bodies (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([][]byte{[]byte("poison")}, q.DeadLetters()); diff != "" {
			t.Errorf("dead letters (-want +got):\n%s", diff)
		}
		q.Delete(last) // too late, and no error
		if got := q.Len(); got != 1 {
			t.Errorf("%d messages are in the queue, want the good one", got)
		}
	})
}

func TestQueueHasItsOwnCalendar(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC)
	q := memory.NewQueue(memory.QueueOptions{Visibility: visibility, Now: func() time.Time { return now }})
	send(t, q, time.Hour, "a")
	if got := q.Visible(); got != 0 {
		t.Fatalf("%d messages can be received before their time", got)
	}
	now = now.Add(time.Hour)
	if got := q.Visible(); got != 1 {
		t.Errorf("%d messages can be received at their time, want 1", got)
	}
}

// Many receivers, some of whom forget to delete: every message is received, and
// none twice within its visibility.
func TestQueueTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const n = 200
		q := newQueue()
		var mu sync.Mutex
		last := make(map[string]time.Time)
		ctx, cancel := context.WithTimeout(t.Context(), 10*visibility)
		defer cancel()
		var receivers sync.WaitGroup
		for worker := range 4 {
			receivers.Go(func() {
				for {
					messages, err := q.Receive(ctx, 7)
					if err != nil {
						return
					}
					mu.Lock()
					for _, m := range messages {
						body := string(m.Body)
						if at, ok := last[body]; ok && time.Since(at) < visibility {
							t.Errorf("%s was received again after %s", body, time.Since(at))
						}
						last[body] = time.Now()
						if m.Receives > 1 || worker > 0 {
							q.Delete(m)
						}
					}
					mu.Unlock()
				}
			})
		}
		for i := range n {
			send(t, q, time.Duration(i%5)*time.Second, fmt.Sprint(i))
		}
		receivers.Wait()
		if len(last) != n || q.Len() != 0 || len(q.DeadLetters()) != 0 {
			t.Errorf("%d of %d messages were received, %d are left, %d dead", len(last), n, q.Len(), len(q.DeadLetters()))
		}
	})
}
