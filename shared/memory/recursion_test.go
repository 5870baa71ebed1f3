package memory_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/memory"
)

// A message sent while one is handled goes on that one's chain; Lambda lets it grow to
// 16, unless the function allows more.
func TestRecursion(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		allow   bool
		handled int
		dead    int
	}{
		{"stopped at the 17th", false, 16, 1},
		{"allowed", true, 30, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				q := memory.NewQueue(memory.QueueOptions{Visibility: visibility, MaxReceives: 3, AllowRecursion: tt.allow})
				handled := 0
				p := memory.Poller{Queue: q, Workers: 1, Batch: 10, Timeout: time.Second,
					Handle: func(ctx context.Context, _ int, bodies [][]byte) []error {
						if handled++; handled < 30 {
							_ = q.Send(ctx, bodies[0], time.Second)
						}
						return make([]error, len(bodies))
					}}
				send(t, q, 0, "a")
				run(t, p, time.Hour)
				if got := len(q.DeadLetters()); handled != tt.handled || got != tt.dead {
					t.Errorf("%d handled and %d dead, want %d and %d", handled, got, tt.handled, tt.dead)
				}
				if q.Redrive(); tt.dead > 0 && len(receive(t, q, 1)) != 1 {
					t.Error("a dead letter that was sent again begins no new chain")
				}
			})
		})
	}
}
