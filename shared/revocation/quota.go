package revocation

import (
	"context"
	"fmt"
	"time"
)

// Quota keeps all workers together below Graph's limit of writes for one app
// and tenant. Package revocationtest holds the suite that every implementation
// passes.
type Quota interface {
	// Reserve asks at now for n writes. Where they fit within patience, they
	// are granted for the moment now+wait. Otherwise nothing is reserved, ok is
	// false, and wait tells when to ask again.
	Reserve(ctx context.Context, tenant string, n int, now time.Time, patience time.Duration) (wait time.Duration, ok bool, err error)
	// Pause lets no reservation begin before until: Graph has answered 429.
	Pause(ctx context.Context, tenant string, until time.Time) error
}

// Pace is the arithmetic of every Quota: a generic cell rate algorithm, whose
// whole state is one moment, so that a store holds it in one item. In any window
// of the length Window it lets through at most Limit×Share writes.
//
// Graph limits identity writes to 3,000 in 150 s for one app and tenant
// (https://learn.microsoft.com/graph/throttling-limits, identity and access).
type Pace struct {
	// Limit is Graph's number of writes in one Window.
	Limit  int
	Window time.Duration
	// Share is the part of Limit that we use, at most 1; the rest is left to
	// clocks and latencies that differ from call to call.
	Share float64
	// Burst is how many writes may be made at once: one $batch.
	Burst int
}

// DefaultPace uses 98 % of Graph's documented limit, 20 writes at a time.
var DefaultPace = Pace{Limit: 3000, Window: 150 * time.Second, Share: 0.98, Burst: 20}

// Validate reports a pace that lets nothing through, or more than the limit.
func (p Pace) Validate() error {
	switch {
	case p.Limit <= 0 || p.Window <= 0 || p.Burst <= 0:
		return fmt.Errorf("pace: limit %d, window %s and burst %d must be positive", p.Limit, p.Window, p.Burst)
	case p.Share <= 0 || p.Share > 1:
		return fmt.Errorf("pace: share %g must be above 0 and at most 1", p.Share)
	case float64(p.Limit)*p.Share <= float64(p.Burst):
		return fmt.Errorf("pace: a burst of %d takes up all of %d×%g writes", p.Burst, p.Limit, p.Share)
	}
	return nil
}

// interval is the time that one write takes up.
func (p Pace) interval() time.Duration {
	perWindow := float64(p.Limit)*p.Share - float64(p.Burst)
	return time.Duration(float64(p.Window) / perWindow)
}

// Next returns, for n writes asked for at now, how long they must wait and the
// state after they are granted. The zero state is that of a rested quota.
func (p Pace) Next(state, now time.Time, n int) (next time.Time, wait time.Duration) {
	if state.Before(now) {
		state = now
	}
	next = state.Add(time.Duration(n) * p.interval())
	wait = next.Add(-time.Duration(p.Burst) * p.interval()).Sub(now)
	return next, max(wait, 0)
}

// Hold returns the state in which no reservation begins before until.
func (p Pace) Hold(state, until time.Time) time.Time {
	full := until.Add(time.Duration(p.Burst-1) * p.interval())
	if state.After(full) {
		return state
	}
	return full
}
