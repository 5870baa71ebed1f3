package bolt_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/bolt"
	"github.com/sessionstamp/sessionstamp/shared/memory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/stamp/stamptest"
)

var (
	_ stamp.Queue   = (*bolt.Queue)(nil)
	_ memory.Source = (*bolt.Queue)(nil)
)

const visibility = 30 * time.Second

func newQueue(f *bolt.File) *bolt.Queue {
	return bolt.NewQueue(f, bolt.QueueOptions{Visibility: visibility, MaxReceives: 3, Now: time.Now})
}

// inQueue runs a test in virtual time, with a queue and the file that it is in.
func inQueue(t *testing.T, test func(t *testing.T, q *bolt.Queue, f *bolt.File)) {
	t.Helper()
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		f := open(t, folder)
		test(t, newQueue(f), f)
	})
}

func request(user string) stamp.Request {
	return stamp.Request{Tenant: tenant, User: user, Source: stamp.SourceSweep, Seen: sampleTime}
}

// send sends a request for each user, all at once.
func send(t *testing.T, q *bolt.Queue, delay time.Duration, users ...string) {
	t.Helper()
	delayed := make([]stamp.Delayed, len(users))
	for i, user := range users {
		delayed[i] = stamp.Delayed{Request: request(user), Delay: delay}
	}
	if err := q.Postpone(t.Context(), delayed); err != nil {
		t.Fatalf("Postpone: %v", err)
	}
}

func receive(t *testing.T, q *bolt.Queue, limit int) []memory.Message {
	t.Helper()
	messages, err := q.Receive(t.Context(), limit)
	if err != nil {
		t.Fatalf("Receive: %v", err)
	}
	return messages
}

// names joins the users of the requests.
func names(t *testing.T, messages []memory.Message) string {
	t.Helper()
	users := make([]string, len(messages))
	for i, m := range messages {
		r, err := stamp.DecodeRequest(m.Body)
		if diff := cmp.Diff(request(r.User), r); err != nil || diff != "" {
			t.Errorf("%v, request (-sent +received):\n%s", err, diff)
		}
		users[i] = label[r.User]
	}
	return strings.Join(users, " ")
}

// Users, and what tests call them.
var (
	a, b, c = stamptest.NewID(), stamptest.NewID(), stamptest.NewID()
	label   = map[string]string{a: "a", b: "b", c: "c"}
)

func expectLen(t *testing.T, q *bolt.Queue, want int) {
	t.Helper()
	if got, err := q.Len(); err != nil || got != want {
		t.Errorf("%d requests are in the queue (%v), want %d", got, err, want)
	}
}

func TestReceive(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		send  func(*testing.T, *bolt.Queue)
		limit int
		want  string
		after time.Duration
	}{
		{"the last one first", func(t *testing.T, q *bolt.Queue) { send(t, q, 0, a, b, c) }, 9, "c b a", 0},
		{"no more than the limit", func(t *testing.T, q *bolt.Queue) { send(t, q, 0, a, b, c) }, 2, "c b", 0},
		{"waits for a delayed one", func(t *testing.T, q *bolt.Queue) { send(t, q, stamp.MaxDelay, a) }, 9, "a", stamp.MaxDelay},
		{"by when they are due", func(t *testing.T, q *bolt.Queue) {
			send(t, q, 2*time.Second, a)
			send(t, q, time.Second, b)
		}, 9, "b", time.Second},
		{"a delayed one keeps nobody waiting", func(t *testing.T, q *bolt.Queue) {
			send(t, q, time.Minute, a)
			send(t, q, 0, b)
		}, 9, "b", 0},
		{"is woken by one that is sent", func(t *testing.T, q *bolt.Queue) {
			send(t, q, time.Minute, a)
			time.AfterFunc(5*time.Second, func() { send(t, q, 0, b) })
		}, 9, "b", 5 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			inQueue(t, func(t *testing.T, q *bolt.Queue, _ *bolt.File) {
				tt.send(t, q)
				start := time.Now()
				got := names(t, receive(t, q, tt.limit))
				if after := time.Since(start); got != tt.want || after != tt.after {
					t.Errorf("%q after %s, want %q after %s", got, after, tt.want, tt.after)
				}
			})
		})
	}
}

func TestReceivedIsHidden(t *testing.T) {
	t.Parallel()
	inQueue(t, func(t *testing.T, q *bolt.Queue, _ *bolt.File) {
		send(t, q, 0, a)
		first := receive(t, q, 9)
		start := time.Now()
		second := receive(t, q, 9)
		if got := time.Since(start); got != visibility {
			t.Errorf("it came back after %s, want %s", got, visibility)
		}
		if first[0].Receives != 1 || second[0].Receives != 2 {
			t.Errorf("deliveries are counted %d, %d, want 1, 2", first[0].Receives, second[0].Receives)
		}
		if err := q.Delete(first...); err != nil { // too late
			t.Error(err)
		}
		expectLen(t, q, 1)
		for range 2 {
			if err := q.Delete(second...); err != nil {
				t.Error(err)
			}
			expectLen(t, q, 0)
		}
	})
}

// What a process had received and not deleted, the next one receives at once.
func TestReceiveAfterDeath(t *testing.T) {
	t.Parallel()
	inQueue(t, func(t *testing.T, q *bolt.Queue, f *bolt.File) {
		send(t, q, 0, a, b)
		send(t, q, time.Minute, c)
		if err := q.Delete(receive(t, q, 1)...); err != nil {
			t.Fatal(err)
		}
		receive(t, q, 1)
		q = newQueue(f)
		if got := names(t, receive(t, q, 9)); got != "a" {
			t.Errorf("%q is delivered again, want a", got)
		}
		expectLen(t, q, 2)
	})
}

func TestDeadLetters(t *testing.T) {
	t.Parallel()
	inQueue(t, func(t *testing.T, q *bolt.Queue, f *bolt.File) {
		send(t, q, 0, a)
		for range 3 {
			receive(t, q, 9)
		}
		send(t, q, visibility, b)
		if got := names(t, receive(t, q, 9)); got != "b" {
			t.Errorf("received %q, want b", got)
		}
		got, err := newQueue(f).DeadLetters()
		if err != nil || len(got) != 1 || !strings.Contains(string(got[0]), a) {
			t.Errorf("dead letters %q, %v, want that of %s", got, err, a)
		}
		expectLen(t, q, 1)
	})
}

func TestQueueRefuses(t *testing.T) {
	t.Parallel()
	inQueue(t, func(t *testing.T, q *bolt.Queue, f *bolt.File) {
		for _, delay := range []time.Duration{-1, stamp.MaxDelay + 1} {
			err := q.Postpone(t.Context(), []stamp.Delayed{{Request: request(a)}, {Request: request(b), Delay: delay}})
			if err == nil {
				t.Errorf("a delay of %s was taken", delay)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := q.Receive(ctx, 9); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Receive = %v, want %v", err, context.DeadlineExceeded)
		}
		if err := q.Postpone(ctx, []stamp.Delayed{{Request: request(a)}}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Postpone = %v, want %v", err, context.DeadlineExceeded)
		}
		expectLen(t, q, 0) // all or nothing
		if err := q.Delete(memory.Message{Receives: 1}); err != nil {
			t.Errorf("Delete of another queue's message = %v", err)
		}
		f.Close()
		if _, err := q.Receive(t.Context(), 9); err == nil {
			t.Error("Receive from a closed file is no error")
		}
	})
}

// A Poller drives the queue, and tells why it has ended.
func TestPoller(t *testing.T) {
	t.Parallel()
	inQueue(t, func(t *testing.T, q *bolt.Queue, f *bolt.File) {
		send(t, q, 0, a, b)
		send(t, q, time.Minute, c)
		handled := make(chan int, 9)
		p := memory.Poller{Queue: q, Workers: 2, Batch: 10, Timeout: time.Second,
			Handle: func(_ context.Context, _ int, bodies [][]byte) []error {
				handled <- len(bodies)
				return make([]error, len(bodies))
			}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := p.Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Run = %v, want %v", err, context.DeadlineExceeded)
		}
		if first, second := <-handled, <-handled; first != 2 || second != 1 {
			t.Errorf("batches of %d and %d, want 2 and 1", first, second)
		}
		expectLen(t, q, 0)
		f.Close()
		if err := p.Run(t.Context()); err == nil || t.Context().Err() != nil {
			t.Errorf("Run = %v over a closed file", err)
		}
	})
}
