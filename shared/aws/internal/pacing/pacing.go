// Package pacing bounds what is asked of AWS: how many calls at once, and how long
// to wait before the next try, by [exponential backoff with full jitter].
//
// [exponential backoff with full jitter]: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
package pacing

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// The longest waits: before the second try, and before any.
const (
	firstWait   = 50 * time.Millisecond
	longestWait = 2 * time.Second
)

// Backoff waits after try number try, counted from 0, has failed: for a random time
// that grows with the number. It returns the context's error as soon as that ends.
func Backoff(ctx context.Context, try int) error {
	ceiling := longestWait
	if try < 6 { // 50 ms doubled six times is beyond it
		ceiling = min(firstWait<<try, longestWait)
	}
	timer := time.NewTimer(rand.N(ceiling))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Each calls do for the numbers from 0 to n-1, at most limit at once, and returns
// when all calls have returned.
func Each(n, limit int, do func(i int)) {
	var calls sync.WaitGroup
	defer calls.Wait()
	places := make(chan struct{}, limit)
	for i := range n {
		places <- struct{}{}
		calls.Go(func() {
			defer func() { <-places }()
			do(i)
		})
	}
}
