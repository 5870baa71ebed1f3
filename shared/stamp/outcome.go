package stamp

import (
	"context"
	"time"
)

// Verdict is what becomes of a request.
type Verdict string

// The verdicts.
const (
	// Done: nothing more is to be done for this request.
	Done Verdict = "done"
	// Later: a copy was put into the queue.
	Later Verdict = "later"
	// Call: the user is to be signed out, and then one of the others follows.
	Call Verdict = "call"
	// Failed: the message is left to the queue.
	Failed Verdict = "failed"
)

// An Outcome tells what became of one user in one batch.
type Outcome struct {
	Request Request
	Verdict Verdict
	Reason  Reason
	// Delay is how long a request that was put back waits.
	Delay time.Duration
	// Created is the user's createdDateTime, and Called when an accepted call began;
	// zero where there is none.
	Created, Called time.Time
	// Missed marks a stamped user of whom only the sweep had told.
	Missed bool
	// Err is why, where something failed. It names nobody.
	Err error
}

// Observer is told of every outcome.
type Observer interface {
	Observe(ctx context.Context, o Outcome)
}
