package pacing_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/aws/internal/pacing"
)

func TestBackoffGrowsToABound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, tt := range []struct {
			try     int
			ceiling time.Duration
		}{{0, 50 * time.Millisecond}, {3, 400 * time.Millisecond}, {6, 2 * time.Second}, {1000, 2 * time.Second}} {
			var longest time.Duration
			for range 200 {
				start := time.Now()
				if err := pacing.Backoff(t.Context(), tt.try); err != nil {
					t.Fatal(err)
				}
				longest = max(longest, time.Since(start))
			}
			if longest > tt.ceiling || longest < tt.ceiling/2 {
				t.Errorf("after try %d the longest of 200 waits was %s, want just below %s", tt.try, longest, tt.ceiling)
			}
		}
	})
}

func TestBackoffEndsWithTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
		defer cancel()
		start := time.Now()
		if err := pacing.Backoff(ctx, 10); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > time.Nanosecond {
			t.Errorf("Backoff = %v after %s, want %v at once", err, time.Since(start), context.DeadlineExceeded)
		}
	})
}

func TestEach(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const n, limit = 20, 3
		var running, most atomic.Int32
		var done [n]bool
		pacing.Each(n, limit, func(i int) {
			now := running.Add(1)
			defer running.Add(-1)
			for before := most.Load(); now > before && !most.CompareAndSwap(before, now); before = most.Load() {
			}
			time.Sleep(time.Second) // virtual
			done[i] = true
		})
		for i, ok := range done {
			if !ok {
				t.Errorf("number %d was left out, or had not returned", i)
			}
		}
		if got := most.Load(); got != limit {
			t.Errorf("%d ran at once, want %d", got, limit)
		}
	})
}
