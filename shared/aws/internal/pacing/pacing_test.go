package pacing_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/aws/internal/pacing"
)

func TestEach(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const n, limit = 35, 10
		var running, most atomic.Int32
		var done [n]bool
		pacing.Each(n, func(i int) {
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
