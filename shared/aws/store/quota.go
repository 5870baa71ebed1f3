package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/aws/internal/pacing"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
)

// quotaTries is how often a change is tried again because another worker reserved in
// between. A worker reserves once for twenty users, and waits for Graph between two
// reservations, so few of them meet.
const quotaTries = 12

// errReserved is the conflict of two changes of one quota.
var errReserved = errors.New("others reserve all the time")

// Quota is a [revocation.Quota] for all workers of a tenant, whose state is one item
// of the table. It is safe for concurrent use.
//
// Where it cannot tell whether writes are reserved it returns an error. Those that
// were reserved nevertheless go unused.
type Quota struct {
	table *Table
	pace  revocation.Pace
}

// quota is the state of [revocation.Pace] as a document.
type quota struct {
	// BookedUntil is until when the granted writes take up the quota.
	BookedUntil time.Time `dynamodbav:"bookedUntil,omitempty"`
}

// NewQuota returns the quota that the table holds.
func NewQuota(table *Table, pace revocation.Pace) *Quota {
	return &Quota{table: table, pace: pace}
}

// Reserve implements [revocation.Quota].
func (q *Quota) Reserve(ctx context.Context, tenant string, n int, now time.Time, patience time.Duration) (wait time.Duration, ok bool, err error) {
	err = q.change(ctx, tenant, func(state time.Time) time.Time {
		var next time.Time
		next, wait = q.pace.Next(state, now, n)
		if ok = wait <= patience; !ok {
			return state
		}
		return next
	})
	if err != nil {
		return 0, false, fmt.Errorf("reserve %d writes: %w", n, err)
	}
	return wait, ok, nil
}

// Pause implements [revocation.Quota].
func (q *Quota) Pause(ctx context.Context, tenant string, until time.Time) error {
	err := q.change(ctx, tenant, func(state time.Time) time.Time { return q.pace.Hold(state, until) })
	if err != nil {
		return fmt.Errorf("pause the writes until %s: %w", until.UTC().Format(time.RFC3339), err)
	}
	return nil
}

// change replaces the state by what next makes of it, which may be called more than
// once. Nothing is written where that is the same.
func (q *Quota) change(ctx context.Context, tenant string, next func(state time.Time) time.Time) error {
	for try := range quotaTries {
		stored, err := read[quota](ctx, q.table, tenant+"#quota")
		if err != nil {
			return err
		}
		before := stored.Doc.BookedUntil
		if stored.Doc.BookedUntil = next(before); stored.Doc.BookedUntil.Equal(before) {
			return nil
		}
		if err := write(ctx, q.table, stored, errReserved); !errors.Is(err, errReserved) {
			return err
		}
		if err := pacing.Backoff(ctx, try); err != nil {
			return err
		}
	}
	return fmt.Errorf("gave up after %d tries: %w", quotaTries, errReserved)
}
