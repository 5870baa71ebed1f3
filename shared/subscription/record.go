package subscription

import (
	"context"
	"errors"
	"time"
)

// Record is what the keeper remembers of a tenant between its runs. Times are
// UTC; the zero Time means that it has not happened.
type Record struct {
	// Tenant is the key, a lower-case GUID.
	Tenant string
	// Version counts the writes, 0 for a record never written.
	Version int64
	// SubscriptionID is the one subscription that is known to deliver to us. In
	// the middle of a replacement that is the bridge.
	SubscriptionID string
	// ClientState is the SHA-256, in hexadecimal digits, of the clientState that
	// this subscription was made with. Graph doesn't show clientState, and the
	// secret itself is not kept.
	ClientState string
	// NotificationURL and LifecycleURL are what this subscription was made with.
	// They count where Graph shows none of it.
	NotificationURL, LifecycleURL string
	// ShownURL is how Graph shows NotificationURL if it writes it otherwise: as in
	// its answer when this subscription was made, or of the one before, which was
	// replaced because of that. Should this one show it again, another replacement
	// would not help either. Empty means that nothing of the kind is known.
	ShownURL string
	// Mended is when it was made in place of one that showed another lifecycle
	// URL than it should, or an old TLS version. Should it show the same, another
	// replacement would not help either.
	Mended time.Time
	// Refused is when Graph first refused a bridge beside this subscription without
	// naming what it conflicts with, and has admitted none since.
	Refused time.Time
	// Began is when the first subscription since setting up was made, gaps or
	// not, since when every creation of a user ought to be notified.
	Began time.Time
	// Since is since when notifications flow without a gap that we know of. Zero
	// means that there is, or was, a gap for which no sweep has been asked yet.
	Since time.Time
	// Expires is when the subscription ends, as Graph told last.
	Expires time.Time
	// Renewed is when it was last made or renewed.
	Renewed time.Time
	// Checked is when it was last seen in good health: where a gap begins.
	Checked time.Time
	// Challenged is when the first reauthorizationRequired was received that the
	// keeper has not answered yet, or when it first heard of it where that is not
	// known.
	Challenged time.Time
	// TakenDown is when the system was taken down on purpose. Until it is set up
	// again, nothing but [Keeper.TakeDown] changes anything.
	TakenDown time.Time
	// Holder names the run that alone may change subscriptions, until HeldUntil
	// at the latest. It is empty between runs, unless the last one does not know
	// whether it has made a subscription: then nobody may until HeldUntil.
	Holder    string
	HeldUntil time.Time
}

// ErrConflict is returned for a record that somebody else has written since it
// was read.
var ErrConflict = errors.New("keeper's record was written by somebody else")

// Store keeps the records. Reads are strongly consistent and writes conditional:
// the lease stands on it. Package subscriptiontest holds the suite that every
// implementation passes.
type Store interface {
	// Record returns what is known of the tenant: of one never written, a Record
	// with nothing but its Tenant.
	Record(ctx context.Context, tenant string) (Record, error)
	// SaveRecord stores the record, with its version raised by one, if the stored
	// version is still record.Version. It returns nil, [ErrConflict], or a
	// failure after which the record may have been written or not.
	SaveRecord(ctx context.Context, record Record) error
}
