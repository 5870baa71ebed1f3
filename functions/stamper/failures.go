package main

import (
	"context"
	"sync"

	"github.com/sessionstamp/sessionstamp/functions/internal/signin"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// signInTries is how often a request must have been put back before a sign-in that
// failed for it rings. The pauses between, from two seconds on, come to about ten
// minutes by then: what Entra had not heard of yet, it has.
const signInTries = 8

// failures is an observer that remembers, of a batch, that the app could not sign in. It
// is safe for concurrent use.
type failures struct {
	next stamp.Observer

	mu  sync.Mutex
	err error // one that lasts, or else the first, nil for none
	// rings tells that somebody had waited for long.
	rings bool
}

// Observe implements [stamp.Observer].
func (f *failures) Observe(ctx context.Context, o stamp.Outcome) {
	f.next.Observe(ctx, o)
	if !signin.Failed(ctx, o.Err) {
		return
	}
	lasts := signin.Lasts(o.Err)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil || lasts && !signin.Lasts(f.err) {
		f.err = o.Err
	}
	f.rings = f.rings || lasts && o.Request.Attempt >= signInTries
}

// take returns what was remembered, and forgets it: a nil error is none.
func (f *failures) take() (rings bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	rings, err = f.rings, f.err
	f.err, f.rings = nil, false
	return rings, err
}
