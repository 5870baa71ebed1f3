// Package stamp is the one door through which users are stamped: it reads a user,
// decides by the state found at that moment, calls revokeSignInSessions, and reads the
// stamp back. Notifications, sweeps and people all join here, so that policy, ledger and
// brake stand once.
//
// Every request says the same thing: this user's stamp must not be older than t.
//
// It implements what Microsoft Graph documents of [revokeSignInSessions] and of its
// eventual consistency, over small interfaces; it links no SDK.
//
// [revokeSignInSessions]: https://learn.microsoft.com/graph/api/user-revokesigninsessions
package stamp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// Source tells who asked for a user to be looked at.
type Source string

// The sources.
const (
	SourceNotification Source = "notification"
	SourceSweep        Source = "sweep"
	SourcePerson       Source = "person"
	// SourceSignal: an identity provider has reported what ends a user's sessions.
	SourceSignal Source = "signal"
)

// A Request says that one user's stamp must not be older than NotBefore. It is the body
// of a queue message, in JSON. Handling one twice, or two of the same user at once, is
// harmless.
type Request struct {
	// Tenant is the Entra tenant id, a lower-case GUID.
	Tenant string `json:"tenant"`
	// User is the object id, a lower-case GUID.
	User string `json:"user"`
	// NotBefore is the moment t; zero: any stamp will do.
	NotBefore time.Time `json:"notBefore,omitzero"`
	// Source tells who asked.
	Source Source `json:"source"`
	// Provider and Cause are a signal's: the id of the provider's source, and what it
	// reported, as package signal calls that. Both are codes, and logged.
	Provider string `json:"provider,omitempty"`
	Cause    string `json:"cause,omitempty"`
	// Approved tells that a person has named this user and seen what will happen:
	// then the user need not be new, and the brake does not count it.
	Approved bool `json:"approved,omitempty"`
	// Seen is when sessionstamp first heard of the user in this matter, UTC. It stays
	// the same however often the request is put back.
	Seen time.Time `json:"seen"`
	// ReadBack marks the request that comes after a call to see its stamp.
	ReadBack bool `json:"readBack,omitempty"`
	// Attempt counts how often the request has been put back.
	Attempt int `json:"attempt,omitempty"`
}

var errInvalid = errors.New("invalid request")

// sources are in the order in which one's word stands for that of the ones before it.
var sources = []Source{SourceSweep, SourceNotification, SourceSignal, SourcePerson}

// insists tells whether the request is about what has happened once: no later request
// makes up for it.
func (r Request) insists() bool { return r.Approved || r.Source == SourceSignal }

// isCode tells whether a text can be logged: none is a name.
func isCode(text string) bool {
	const maxCode = 64
	return len(text) <= maxCode && !strings.ContainsFunc(text, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' && c != '-'
	})
}

// Validate reports all that makes the request unfit to be acted upon.
func (r Request) Validate() error {
	var faults []error
	require := func(ok bool, what string) {
		if !ok {
			faults = append(faults, fmt.Errorf("%w: %s", errInvalid, what))
		}
	}
	require(directory.IsID(r.Tenant), "tenant is not a lower-case GUID")
	require(directory.IsID(r.User), "user is not a lower-case GUID")
	require(slices.Contains(sources, r.Source), "source is not one of notification, sweep, signal, person")
	require(r.Approved == (r.Source == SourcePerson), "only a person approves, and a person always does")
	require(r.NotBefore.IsZero() || r.insists(), "only a person or a signal asks for a stamp of a certain age")
	require(!r.NotBefore.IsZero() || r.Source != SourceSignal, "a signal has no time")
	require(isCode(r.Provider) && isCode(r.Cause), "provider or cause is no code")
	require(!r.Seen.IsZero(), "seen is missing")
	require(r.Attempt >= 0, "attempt is negative")
	return errors.Join(faults...)
}

// DecodeRequest reads the body of a queue message. What it returns without an error is
// valid.
func DecodeRequest(body []byte) (Request, error) {
	var r Request
	if err := json.Unmarshal(body, &r); err != nil {
		if _, quotes := errors.AsType[*time.ParseError](err); quotes {
			err = errors.New("a time is malformed") // the body's text stays out of the log
		}
		return Request{}, fmt.Errorf("decode request: %w", err)
	}
	if err := r.Validate(); err != nil {
		return Request{}, err
	}
	return r, nil
}

// A Delayed is a request that is to be delivered once Delay is over.
type Delayed struct {
	Request Request
	Delay   time.Duration
}

// MaxDelay is the longest delay that a [Queue] takes, SQS's own limit
// (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html).
const MaxDelay = 15 * time.Minute

// Queue takes requests for the Stamper. What it returned nil for is durable.
type Queue interface {
	Postpone(ctx context.Context, requests []Delayed) error
}
