// Package sweep finds the users without a stamp of whom no notification told,
// with Microsoft Graph's [delta query] and its [list of users].
//
// Graph does not say when it loses a notification about a user. So the sweep is
// the safety net, and the webhook only the faster way. The sweep decides about
// nobody: whoever may lack a stamp is put into the queue that notifications go
// through as well, and the revoker reads the user before it decides.
//
// Two kinds of rounds complete each other:
//
//   - An increment follows delta from where the last one ended. These links form
//     a chain: whoever was created or changed since the chain began appears in
//     one of its increments, however late.
//   - A full round lists all users. It is needed where there is no chain: at
//     first, and after a link has expired. It is made every few days all the
//     same, and whenever the keeper asks for one after a gap.
//
// Every run begins with an increment and ends with another one if it has
// finished a full round. So a run that finishes has looked at everybody whom
// Graph knew when it began, and the newest users come first.
//
// [delta query]: https://learn.microsoft.com/graph/api/user-delta
// [list of users]: https://learn.microsoft.com/graph/api/user-list
package sweep

import (
	"context"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
)

// Graph is what the Sweeper needs of Microsoft Graph. Every method makes one
// attempt. Errors are of type [*directory.Error].
type Graph interface {
	// LatestDelta returns a link from which DeltaPage shows what changes from
	// now on.
	LatestDelta(ctx context.Context) (deltaLink string, err error)
	// DeltaPage returns the page at a link, which an earlier page or LatestDelta
	// gave.
	DeltaPage(ctx context.Context, link string) (directory.UserPage, error)
	// UserPage returns a page of all users, the first one for an empty link.
	UserPage(ctx context.Context, next string) (directory.UserPage, error)
}

// Queue is the one door to the revoker. The requests may come to be there twice.
type Queue interface {
	// Postpone stores all requests. After an error some may have been stored.
	Postpone(ctx context.Context, requests []revocation.Delayed) error
}

// Held knows who waits for the backfill.
type Held interface {
	// Held returns at most limit users of the tenant in
	// [revocation.StateHeld], newest first by createdDateTime.
	Held(ctx context.Context, tenant string, limit int) ([]revocation.Entry, error)
}

// Settings are the times and sizes by which a Sweeper works.
type Settings struct {
	// Grace is how long a notification may take to arrive. A new user younger
	// than that is queued with a delay, so that the notification comes first.
	Grace time.Duration
	// Recover is that of [revocation.Settings]: no less than the NewUserWindow of
	// [revocation.Policy].
	Recover time.Duration
	// FullEvery is how long after a full round the next one is due.
	FullEvery time.Duration
	// ReplicationLag is how long after a write of Entra a read may still not
	// show it. A full round that founds a chain is confirmed by another one
	// after this time: see [Checkpoint]. 0 leaves that out.
	ReplicationLag time.Duration
	// Lease is the longest that a run takes, and keeps others out. The context's
	// deadline shortens it.
	Lease time.Duration
	// Margin is how long before its end a run begins nothing more: longer than a
	// page takes from Graph to the checkpoint.
	Margin time.Duration
	// Spread is the time over which the existing users of a full round are
	// queued, at most [revocation.MaxDelay].
	Spread time.Duration
	// BackfillPerRun is how many existing users are queued at once, and
	// BackfillPace the time between two of them. Together they take at most
	// [revocation.MaxDelay]. It is a pace of the queue: requests that pile up
	// there are handled as fast as Graph allows, within the ceilings.
	BackfillPerRun int
	BackfillPace   time.Duration
	// BackfillSettle is how long a request of the backfill, once delivered, may
	// be on its way. No more are queued before the last batch has had that time.
	BackfillSettle time.Duration
}

// DefaultSettings are the values that a deployment starts with.
var DefaultSettings = Settings{
	Grace:          15 * time.Minute,
	Recover:        revocation.DefaultSettings.Recover,
	FullEvery:      3 * 24 * time.Hour,
	ReplicationLag: 5 * time.Minute,
	Spread:         revocation.MaxDelay,
	Lease:          15 * time.Minute, // as long as a Lambda function can run
	Margin:         30 * time.Second,
	BackfillPerRun: 500,
	BackfillPace:   time.Second,
	BackfillSettle: 30 * time.Minute,
}
