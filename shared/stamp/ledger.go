package stamp

import (
	"context"
	"errors"
	"time"
)

// State is how far a user has come.
type State string

// The states. A user of whom the ledger holds nothing, or about whom nothing is under way
// any more, has [StateNone].
const (
	StateNone State = ""
	// StateClaimed: a worker calls, or may have called, and does not know the outcome.
	StateClaimed State = "claimed"
	// StateCalled: Graph accepted the call; the stamp has not been seen yet.
	StateCalled State = "called"
	// StateStamped: a sufficient stamp has been seen.
	StateStamped State = "stamped"
	// StateCannotFix: left to a person, for Reason; looked at again after a day.
	StateCannotFix State = "cannot_fix"
)

// An Entry is what the ledger keeps of one user who was stamped or is to be. Times are
// UTC; the zero Time means that it has not happened.
type Entry struct {
	// Tenant and User are the key.
	Tenant, User string
	// Version counts the writes of this entry, 0 for one never written.
	Version int64
	// State is how far the user has come, and Reason why.
	State  State
	Reason Reason
	// Source tells who asked when the first claim of this matter was taken.
	Source Source
	// NotBefore is the request's.
	NotBefore time.Time
	// Created is the user's createdDateTime.
	Created time.Time
	// Claimed is when the standing, or last, claim was taken.
	Claimed time.Time
	// Called is when the last call began that Graph accepted.
	Called time.Time
	// Stamp is signInSessionsValidFromDateTime as it was last read.
	Stamp time.Time
	// EmptyReads counts the reads since the last claim, a replication lag apart, that
	// showed no sufficient stamp.
	EmptyReads int
	// Again tells that the one late call has been made: the one after two such reads.
	Again bool
	// Updated is when the entry was written.
	Updated time.Time
}

// ErrConflict is returned for an entry that somebody else has written since it was read.
var ErrConflict = errors.New("ledger entry was written by somebody else")

// Ledger remembers, for every tenant and user, how far the matter has come. It is what
// keeps a user from being signed out twice, so reads are strongly consistent and writes
// conditional. Package stamptest holds the suite that every implementation passes.
type Ledger interface {
	// Entries returns what is known of the users; one never written is absent.
	Entries(ctx context.Context, tenant string, users []string) (map[string]Entry, error)
	// Write stores each entry, with its version raised by one, if the stored version is
	// still entry.Version. The result has one error for each entry, in order: nil,
	// [ErrConflict], or a failure after which the entry may have been written or not.
	Write(ctx context.Context, entries []Entry) []error
}
