package memory_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/memory"
)

// A journal records the batches that a Poller hands out, with their time.
type journal struct {
	mu    sync.Mutex
	start time.Time
	lines []string
}

func newJournal() *journal { return &journal{start: time.Now()} }

func (j *journal) add(bodies [][]byte) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, fmt.Sprintf("%s %s", time.Since(j.start), bodies))
}

// acknowledge records a batch and lets all of it be deleted.
func (j *journal) acknowledge(_ context.Context, _ int, bodies [][]byte) []error {
	j.add(bodies)
	return make([]error, len(bodies))
}

// run lets p poll for d, and returns when it has stopped.
func run(t *testing.T, p memory.Poller, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	p.Run(ctx)
}

func TestPollerBatches(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		window time.Duration
		send   func(*testing.T, *memory.Queue)
		want   []string
	}{
		{
			name: "full batches at once",
			send: func(t *testing.T, q *memory.Queue) { send(t, q, 0, "a", "b", "c", "d", "e") },
			want: []string{"0s [a b c]", "0s [d e]"},
		},
		{
			name: "without a window a batch waits for nothing",
			send: func(t *testing.T, q *memory.Queue) {
				send(t, q, 0, "a")
				send(t, q, time.Second, "b")
			},
			want: []string{"0s [a]", "1s [b]"},
		},
		{
			name:   "a window gathers",
			window: 2 * time.Second,
			send: func(t *testing.T, q *memory.Queue) {
				send(t, q, 0, "a")
				send(t, q, time.Second, "b")
				send(t, q, 5*time.Second, "c")
			},
			want: []string{"2s [a b]", "7s [c]"},
		},
		{
			name:   "a full batch ends the window",
			window: 10 * time.Second,
			send: func(t *testing.T, q *memory.Queue) {
				send(t, q, 0, "a", "b")
				send(t, q, time.Second, "c", "d")
			},
			want: []string{"1s [a b c]", "11s [d]"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				q, j := newQueue(), newJournal()
				tt.send(t, q)
				run(t, memory.Poller{
					Queue: q, Workers: 1, Batch: 3, Window: tt.window, Timeout: time.Minute, Handle: j.acknowledge,
				}, 20*time.Second)
				if diff := cmp.Diff(tt.want, j.lines); diff != "" {
					t.Errorf("batches (-want +got):\n%s", diff)
				}
				if got := q.Len(); got != 0 {
					t.Errorf("%d messages are left, want none", got)
				}
			})
		})
	}
}

func TestPollerLeavesWhatFailed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, j := newQueue(), newJournal()
		send(t, q, 0, "good", "poison", "fine")
		run(t, memory.Poller{
			Queue: q, Workers: 1, Batch: 10, Timeout: time.Minute,
			Handle: func(_ context.Context, _ int, bodies [][]byte) []error {
				j.add(bodies)
				errs := make([]error, len(bodies))
				for i, body := range bodies {
					if string(body) == "poison" {
						errs[i] = errors.New("no request")
					}
				}
				return errs
			},
		}, 5*visibility)
		want := []string{"0s [good poison fine]", "30s [poison]", "1m0s [poison]"}
		if diff := cmp.Diff(want, j.lines); diff != "" {
			t.Errorf("batches (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([][]byte{[]byte("poison")}, q.DeadLetters()); diff != "" {
			t.Errorf("dead letters (-want +got):\n%s", diff)
		}
	})
}

// A function that has run out of time acknowledges nothing, whatever it says.
func TestPollerEndsACallThatTakesTooLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, j := newQueue(), newJournal()
		send(t, q, 0, "a")
		run(t, memory.Poller{
			Queue: q, Workers: 1, Batch: 10, Timeout: 3 * time.Second,
			Handle: func(ctx context.Context, _ int, bodies [][]byte) []error {
				<-ctx.Done()
				j.add(bodies)
				return make([]error, len(bodies))
			},
		}, visibility/2)
		if diff := cmp.Diff([]string{"3s [a]"}, j.lines); diff != "" {
			t.Errorf("batches (-want +got):\n%s", diff)
		}
		if got := q.Len(); got != 1 {
			t.Errorf("%d messages are left, want the one that was not handled", got)
		}
	})
}

// A slow call is given a message that another gets later, and fails with. That the slow
// one has nothing more to do says nothing of what the other left.
func TestPollerKeepsWhatTheLastCallFailed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, j := newQueue(), newJournal()
		send(t, q, 0, "a")
		calls := make(chan int, 3)
		for n := range 3 {
			calls <- n
		}
		run(t, memory.Poller{
			Queue: q, Workers: 2, Batch: 1, Timeout: 3 * visibility,
			Handle: func(_ context.Context, _ int, bodies [][]byte) []error {
				j.add(bodies)
				switch <-calls {
				case 0:
					time.Sleep(visibility + 2*time.Second)
				case 1:
					time.Sleep(time.Second)
					return []error{errors.New("out of time")}
				}
				return []error{nil}
			},
		}, 3*visibility)
		if diff := cmp.Diff([]string{"0s [a]", "30s [a]", "1m0s [a]"}, j.lines); diff != "" {
			t.Errorf("batches (-want +got):\n%s", diff)
		}
		if got := q.Len(); got != 0 {
			t.Errorf("%d messages are left, want none", got)
		}
	})
}

func TestPollerWorkers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue()
		send(t, q, 0, "a", "b", "c", "d", "e", "f", "g")
		var mu sync.Mutex
		busy, most := map[int]bool{}, 0
		start := time.Now()
		var last time.Duration
		run(t, memory.Poller{
			Queue: q, Workers: 3, Batch: 1, Timeout: time.Minute,
			Handle: func(_ context.Context, worker int, bodies [][]byte) []error {
				mu.Lock()
				if busy[worker] {
					t.Errorf("worker %d has two batches at once", worker)
				}
				busy[worker] = true
				most = max(most, len(busy))
				mu.Unlock()
				time.Sleep(time.Second)
				mu.Lock()
				delete(busy, worker)
				last = time.Since(start)
				mu.Unlock()
				return make([]error, len(bodies))
			},
		}, visibility)
		if most != 3 || last != 3*time.Second || q.Len() != 0 {
			t.Errorf("%d workers were busy at once, for %s, and left %d messages; want 3, 3s and 0", most, last, q.Len())
		}
	})
}

// A stop waits for the batch under way, and acknowledges what it has handled.
func TestPollerStops(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue()
		send(t, q, 0, "a")
		send(t, q, 2*time.Second, "b")
		start := time.Now()
		run(t, memory.Poller{
			Queue: q, Workers: 2, Batch: 1, Timeout: time.Minute,
			Handle: func(_ context.Context, _ int, bodies [][]byte) []error {
				time.Sleep(10 * time.Second)
				return make([]error, len(bodies))
			},
		}, time.Second)
		if got := time.Since(start); got != 10*time.Second {
			t.Errorf("Run returned after %s, want 10s: once the batch under way was handled", got)
		}
		if got := q.Len(); got != 1 {
			t.Errorf("%d messages are left, want the one that was never handed out", got)
		}
	})
}
