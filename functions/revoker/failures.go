package main

import (
	"context"
	"sync"
	"time"

	"github.com/sessionstamp/sessionstamp/functions/internal/signin"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
)

// failures is an observer that remembers, of the users of a batch, for how long they
// have waited if the app could not sign in. It is safe for concurrent use.
type failures struct {
	next revocation.Observer

	mu    sync.Mutex
	err   error     // the first, nil for none
	since time.Time // when the one was first seen who waits longest
}

// Observe implements [revocation.Observer].
func (f *failures) Observe(ctx context.Context, o revocation.Outcome) {
	f.next.Observe(ctx, o)
	if !signin.Failed(o.Err) {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err, f.since = o.Err, o.Request.Seen
	}
	if o.Request.Seen.Before(f.since) {
		f.since = o.Request.Seen
	}
}

// take returns what was remembered, and forgets it: a nil error is none.
func (f *failures) take() (since time.Time, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	since, err = f.since, f.err
	f.err = nil
	return since, err
}
