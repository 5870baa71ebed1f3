package revocation

import (
	"context"
	"errors"
	"hash/fnv"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// Verdict is what becomes of a request.
type Verdict string

// The verdicts.
const (
	// Done: the request has served; its message is acknowledged.
	Done Verdict = "done"
	// Later: a copy of the request was put into the queue with a delay.
	Later Verdict = "later"
	// Failed: the message is left to the queue, which delivers it again and, in
	// the end, puts it among the dead letters.
	Failed Verdict = "failed"
)

// An Outcome tells what became of one user in one call of [Revoker.Handle].
type Outcome struct {
	// Request is what was asked. Of several requests for one user in one call,
	// it is the earliest seen.
	Request Request
	Verdict Verdict
	Reason  Reason
	// Delay is how much later, when Verdict is Later.
	Delay time.Duration
	// Created is the user's createdDateTime, where it was read.
	Created time.Time
	// Called is when revokeSignInSessions was sent, once Graph has accepted it.
	Called time.Time
	// Stamp is the stamp that was read, the zero Time for none.
	Stamp time.Time
	// Err is the cause, where there is one.
	Err error
}

// Observer is told every outcome, for metrics and displays. It must not block.
type Observer interface {
	Observe(ctx context.Context, o Outcome)
}

// MaxDelay is the longest that a request can be put back at once: SQS delays a
// message by at most 15 minutes
// (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html).
const MaxDelay = 15 * time.Minute

// A Delayed request is put back for Delay, at most [MaxDelay].
type Delayed struct {
	Request Request
	Delay   time.Duration
}

// Queue takes back the requests that are not at their end. Package
// revocationtest holds the suite that every implementation passes.
type Queue interface {
	// Postpone stores all requests. After an error some may have been stored:
	// the caller keeps the messages they came from.
	Postpone(ctx context.Context, requests []Delayed) error
}

// backoff is how long the request waits after its attempts so far: two seconds,
// doubled each time, spread by a quarter so that what failed together does not
// come back together. It depends on nothing but the request, so a run repeats.
func backoff(r Request) time.Duration {
	const base, doublings = 2 * time.Second, 9
	d := base << min(r.Attempt, doublings)
	h := fnv.New64a()
	_, _ = h.Write([]byte(r.User))
	_, _ = h.Write([]byte{byte(r.Attempt)})          //nolint:gosec // only to differ from attempt to attempt
	spread := time.Duration(h.Sum64() % uint64(d/4)) //nolint:gosec // a part of a positive duration
	return min(d+spread, MaxDelay)
}

// retryAfter is what the service asked for, or else the request's own backoff.
func retryAfter(err error, r Request) time.Duration {
	if e, ok := errors.AsType[*directory.Error](err); ok && e.RetryAfter > 0 {
		return e.RetryAfter
	}
	return backoff(r)
}

// unavailable is the reason for a failure of Graph that says nothing of the user.
func unavailable(err error) Reason {
	e, ok := errors.AsType[*directory.Error](err)
	switch {
	case ok && e.Throttled():
		return ReasonThrottled
	case ok && e.Forbidden():
		return ReasonGraphForbidden
	}
	return ReasonGraphUnavailable
}
