package revocation

import (
	"context"
	"errors"
	"time"
)

// State is how far a user has come.
type State string

// The states. A user of whom the ledger holds nothing has the state "".
const (
	// StateClaimed: a worker is about to call revokeSignInSessions, or died
	// while it did. Until the claim lapses nobody else may call.
	StateClaimed State = "claimed"
	// StateReleased: nothing is under way any more: a claim was given back because
	// Graph certainly did nothing, or the user has left the scope.
	StateReleased State = "released"
	// StateRevoked: Graph accepted the call; the stamp has not been seen yet.
	StateRevoked State = "revoked"
	// StateStamped: a stamp has been seen. An end.
	StateStamped State = "stamped"
	// StateCannotFix: something for a person to look at. An end.
	StateCannotFix State = "cannot_fix"
	// StateHeld: an existing user without a stamp, left to the backfill.
	StateHeld State = "held"
	// StateGone: deleted before the end. An end.
	StateGone State = "gone"
	// StateSpared: would have been revoked, were it not for a dry run or an
	// exclusion. Once that is over the user is judged by age, as if heard of
	// for the first time.
	StateSpared State = "spared"
)

// An Entry is what the ledger keeps of one user who was stamped, is to be, waits,
// or was spared. Who is out of scope for another reason than an exclusion has none:
// that may change with the next change of the user, so it is read each time. Times
// are UTC; the zero Time means that it has not happened.
type Entry struct {
	// Tenant and User are the key.
	Tenant, User string
	// Version counts the writes of this entry, 0 for one never written.
	Version int64
	// State is how far the user has come, and Reason why.
	State  State
	Reason Reason
	// Source tells by which way the user came to be stamped: who asked when the
	// first claim was taken or, before that, who asked first.
	Source Source
	// Created is the user's createdDateTime.
	Created time.Time
	// Seen is when sessionstamp first heard of the user or, of one who was spared,
	// when it first found that to be over.
	Seen time.Time
	// Spared is when the user was written to be spared and, once that is over,
	// when it was found to be; the same of who waited for a person until the user
	// was new no more. It stays, because nothing heard before it makes a user new
	// any more, and no sweep can have missed who was left alone on purpose.
	Spared time.Time
	// Claimed is when the standing, or last, claim was taken.
	Claimed time.Time
	// Called is when the last accepted revokeSignInSessions was sent.
	Called time.Time
	// Stamp is signInSessionsValidFromDateTime as it was read.
	Stamp time.Time
	// Accepted counts the calls that Graph accepted.
	Accepted int
	// Tries counts the claims since Graph last accepted or refused a call, without
	// those that were given back.
	Tries int
	// Rereads counts the times since the claim that there was no stamp, or one
	// older than the call.
	Rereads int
	// Updated is when the entry was written.
	Updated time.Time
}

// ErrConflict is returned for an entry that somebody else has written since it
// was read.
var ErrConflict = errors.New("ledger entry was written by somebody else")

// Ledger remembers, for every tenant and user, how far the matter has come. It
// is what keeps a user from being signed out twice, so reads are strongly
// consistent and writes conditional. Package revocationtest holds the suite that
// every implementation passes.
type Ledger interface {
	// Entries returns what is known of the users; one never written is absent.
	Entries(ctx context.Context, tenant string, users []string) (map[string]Entry, error)
	// Write stores each entry, with its version raised by one, if the stored
	// version is still entry.Version. The result has one error for each entry,
	// in order: nil, [ErrConflict], or a failure after which the entry may have
	// been written or not. Entries are written on their own, not as one.
	Write(ctx context.Context, entries []Entry) []error
}
