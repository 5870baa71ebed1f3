package stream

import (
	"fmt"
	"time"
)

// Problem is what is wrong between us and a transmitter.
type Problem string

// The problems. Each has a sentence that says what to do next.
const (
	// NoAnswer: the transmitter could not be reached.
	NoAnswer Problem = "no_answer"
	// NotSecure: an address does not begin with https://.
	NotSecure Problem = "not_secure"
	// NoMetadata: at the well-known address is no metadata of a transmitter.
	NoMetadata Problem = "no_metadata"
	// OtherIssuer: the metadata is another issuer's.
	OtherIssuer Problem = "other_issuer"
	// OtherVersion: the transmitter speaks a version that we don't.
	OtherVersion Problem = "other_version"
	// NoPush: the transmitter can't push by RFC 8935.
	NoPush Problem = "no_push"
	// NoToken: the token endpoint gives no token for the client's id and secret.
	NoToken Problem = "no_token"
	// NotAllowed: the transmitter refuses the token.
	NotAllowed Problem = "not_allowed"
	// TooMany: the transmitter asks to wait.
	TooMany Problem = "too_many"
	// Unavailable: the transmitter fails.
	Unavailable Problem = "unavailable"
	// NotAccepted: the transmitter does not accept what we ask for.
	NotAccepted Problem = "not_accepted"
	// Occupied: the transmitter's only stream for us delivers to somebody else.
	Occupied Problem = "occupied"
	// NotEnabled: the stream is disabled, or stays paused.
	NotEnabled Problem = "not_enabled"
	// NoCredential: the secret holds nothing to manage the stream with.
	NoCredential Problem = "no_credential"
)

// An Error tells what is wrong and what to do next. It holds no secret, and nothing that
// came over the network.
type Error struct {
	Problem Problem
	// Doing is what was tried, such as "create the stream".
	Doing string
	// Status is the HTTP status of the answer, 0 if there was none.
	Status int
	// RetryAfter is how long the transmitter asks to wait, 0 if it does not say.
	RetryAfter time.Duration
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s: %s", e.Doing, e.Problem)
}
