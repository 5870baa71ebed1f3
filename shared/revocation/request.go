// Package revocation is the one door through which users are stamped: it reads a
// user, decides by the state found at that moment, calls revokeSignInSessions at
// most once, and reads the stamp back. Notifications, sweeps and people all join
// here, by way of the queue, so that policy, ledger and write quota stand once.
//
// It implements what Microsoft Graph documents of [revokeSignInSessions] and its
// eventual consistency, over small interfaces; it links no SDK.
//
// [revokeSignInSessions]: https://learn.microsoft.com/graph/api/user-revokesigninsessions
package revocation

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// Source tells who asked for a user to be looked at.
type Source string

// The sources.
const (
	SourceNotification Source = "notification"
	SourceSweep        Source = "sweep"
	SourceOperator     Source = "operator"
)

// A Request asks that one user be brought to the end of the matter: left alone
// for a reason, or stamped and the stamp seen. It is the body of a queue message,
// in JSON. Handling one twice, or two of the same user at once, is harmless.
type Request struct {
	// Tenant is the Entra tenant id, a lower-case GUID.
	Tenant string `json:"tenant"`
	// User is the object id, a lower-case GUID.
	User string `json:"user"`
	// Source tells who asked.
	Source Source `json:"source"`
	// Seen is when sessionstamp first heard of the user in this matter, UTC. It
	// stays the same however often the request is put back.
	Seen time.Time `json:"seen"`
	// ReadBack marks the request that comes after a revocation to see its stamp.
	ReadBack bool `json:"readBack,omitempty"`
	// Missed marks a user whom the sweep found, but of whom a notification
	// should have told before.
	Missed bool `json:"missed,omitempty"`
	// Backfill asks for an existing user, who waits in the ledger, to be
	// stamped, as far as mode, quiet hours and ceilings let it.
	Backfill bool `json:"backfill,omitempty"`
	// Attempt counts how often the request has been put back.
	Attempt int `json:"attempt,omitempty"`
}

// errInvalid is the cause of every fault that Validate finds.
var errInvalid = errors.New("invalid request")

// Validate reports all that makes the request unfit to be acted upon.
func (r Request) Validate() error {
	var faults []error
	if !directory.IsID(r.Tenant) {
		faults = append(faults, fmt.Errorf("%w: tenant is not a lower-case GUID", errInvalid))
	}
	if !directory.IsID(r.User) {
		faults = append(faults, fmt.Errorf("%w: user is not a lower-case GUID", errInvalid))
	}
	switch r.Source {
	case SourceNotification, SourceSweep, SourceOperator:
	default:
		faults = append(faults, fmt.Errorf("%w: source is not one of notification, sweep, operator", errInvalid))
	}
	if r.Seen.IsZero() {
		faults = append(faults, fmt.Errorf("%w: seen is missing", errInvalid))
	}
	if r.Attempt < 0 {
		faults = append(faults, fmt.Errorf("%w: attempt is negative", errInvalid))
	}
	return errors.Join(faults...)
}

// DecodeRequest reads the body of a queue message. What it returns without an
// error is valid.
func DecodeRequest(body []byte) (Request, error) {
	var r Request
	if err := json.Unmarshal(body, &r); err != nil {
		if _, quotes := errors.AsType[*time.ParseError](err); quotes {
			err = errors.New("seen is not a time") // the body's text stays out of the log
		}
		return Request{}, fmt.Errorf("decode request: %w", err)
	}
	if err := r.Validate(); err != nil {
		return Request{}, err
	}
	return r, nil
}
