package sweep

import (
	"context"
	"errors"
	"time"
)

// Checkpoint is what the sweep remembers of a tenant between runs. Times are
// UTC.
//
// Those who ask for a sweep write Asked, AskedSince and Asks, and clear Since; all
// else belongs to the Sweeper that holds the lease.
type Checkpoint struct {
	// Tenant is the key.
	Tenant string
	// Version counts the writes, 0 for a checkpoint never written.
	Version int64

	// DeltaLink is where the chain of increments goes on. It is empty before the
	// first full round is done and after a link has expired.
	DeltaLink string
	// Failed counts the runs in a row that were stuck at DeltaLink.
	Failed int
	// Full is the full round under way, nil for none.
	Full *FullRound
	// FullDone is when the last full round ended.
	FullDone time.Time
	// Confirm is when the next full round is due because the last one founded
	// the chain, zero for never. Its list may have come from a replica older
	// than the link at which the chain begins, and lack users created shortly
	// before: neither that round nor an increment has shown them.
	Confirm time.Time
	// Members, Unstamped and Unreadable were counted by the last full round: the
	// tenant's members, those of them in federated domains who showed no stamp,
	// and users of whom nothing could be read.
	Members, Unstamped, Unreadable int

	// Since is the earliest moment from which on notifications were to tell of
	// every new user: when the first subscription began. It stays through gaps,
	// until [Asker.ForgetSince].
	Since time.Time
	// Asked says why somebody asks for a full round at once, "" for nobody.
	Asked string
	// AskedSince is the earliest beginning of a gap that was reported with it.
	AskedSince time.Time
	// Asks counts how often a sweep was asked for; Answered is how many of those
	// are behind a full round that began after them.
	Asks, Answered int64

	// BackfillUntil is when the last batch of the backfill has had its time.
	BackfillUntil time.Time

	// Holder names the run that may write, until HeldUntil.
	Holder    string
	HeldUntil time.Time
}

// FullRound is a list of all users that has been begun.
type FullRound struct {
	// Started is when.
	Started time.Time
	// DeltaLink, taken before the first page, is where a chain begins when the
	// round is done. It is empty where there was a chain already: that one shows
	// whatever changes meanwhile.
	DeltaLink string
	// Next is the page to read next, "" for the first.
	Next string
	// Pages, Members, Unstamped and Unreadable are counted so far.
	Pages, Members, Unstamped, Unreadable int
	// Failed counts the runs in a row that were stuck at Next.
	Failed int
	// Asks is that of the checkpoint when the round began.
	Asks int64
}

// ErrConflict is returned for a checkpoint that somebody else has written since
// it was read.
var ErrConflict = errors.New("sweep checkpoint was written by somebody else")

// Store keeps one checkpoint for each tenant. Reads are strongly consistent and
// writes conditional. Package sweeptest holds the suite that every
// implementation passes.
type Store interface {
	// Checkpoint returns the tenant's checkpoint; for one never written, a
	// Checkpoint with nothing but its tenant.
	Checkpoint(ctx context.Context, tenant string) (Checkpoint, error)
	// SaveCheckpoint stores c, with its version raised by one, if the stored
	// version is still c.Version. Otherwise it returns an error that wraps
	// [ErrConflict]. After any other error c may have been stored or not.
	SaveCheckpoint(ctx context.Context, c Checkpoint) error
}

// asked tells whether somebody waits for a full round.
func (c *Checkpoint) asked() bool { return c.Asks > c.Answered }

// askedAnew tells whether somebody waits for another full round than the one under
// way.
func (c *Checkpoint) askedAnew() bool {
	return c.asked() && (c.Full == nil || c.Asks > c.Full.Asks)
}

// settle brings what follows from the rest of the checkpoint up to date.
func (c *Checkpoint) settle() {
	c.Since = earliest(c.Since, c.AskedSince)
	if !c.asked() {
		c.Asked, c.AskedSince = "", time.Time{}
	}
}

// adopt takes over what others have written since c was read. What settle has
// added to Since comes again with AskedSince.
func (c *Checkpoint) adopt(stored Checkpoint) {
	c.Version = stored.Version
	c.Since = stored.Since
	c.Asked, c.AskedSince, c.Asks = stored.Asked, stored.AskedSince, stored.Asks
}

// earliest returns the earlier of two times, where the zero Time is none.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
