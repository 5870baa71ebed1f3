package stream

import (
	"fmt"
	"slices"
)

// Problem is what is wrong between us and a transmitter.
type Problem string

// The problems.
const (
	// NoAnswer: the transmitter could not be reached.
	NoAnswer Problem = "no_answer"
	// NotSecure: an address does not begin with https://.
	NotSecure Problem = "not_secure"
	// NoMetadata: at the well-known address is no metadata of a transmitter.
	NoMetadata Problem = "no_metadata"
	// OtherIssuer: the metadata or the stream is another issuer's.
	OtherIssuer Problem = "other_issuer"
	// NoPush: the transmitter can't push by RFC 8935.
	NoPush Problem = "no_push"
	// NoCredential: the secret holds nothing to manage the stream with.
	NoCredential Problem = "no_credential" //nolint:gosec // a code, no credential
	// NoToken: the token endpoint gives no token for the client's id and secret.
	NoToken Problem = "no_token"
	// NotAllowed: the transmitter refuses the token.
	NotAllowed Problem = "not_allowed"
	// Unavailable: the transmitter fails, or asks to wait.
	Unavailable Problem = "unavailable"
	// NotAccepted: the transmitter does not accept what we ask for.
	NotAccepted Problem = "not_accepted"
	// Unreadable: the transmitter's answer does not describe a stream.
	Unreadable Problem = "unreadable"
	// Occupied: the transmitter's only stream for us delivers to somebody else.
	Occupied Problem = "occupied"
	// NotDelivered: the transmitter did not get through to us with a verification. Keycloak
	// waits a second, unless told otherwise: a receiver that has to start first is late.
	NotDelivered Problem = "not_delivered"
	// NotEnabled: the stream is disabled, or stays paused.
	NotEnabled Problem = "not_enabled"
)

// remedies say what each problem is and what to do next.
var remedies = map[Problem]string{
	NoAnswer:     "the transmitter does not answer: check that its address is reachable from the internet",
	NotSecure:    "an address of the transmitter does not begin with https://: have it corrected in the provider's settings",
	NoMetadata:   "there is no metadata of a transmitter: check the issuer, and that shared signals are switched on at the provider",
	OtherIssuer:  "the transmitter names another issuer: give the issuer exactly as its metadata writes it",
	NoPush:       "the transmitter can't push: use the signed webhook for this provider",
	NoCredential: "there is nothing to manage the stream with: store a token, or a client's id and secret with a token endpoint",
	NoToken: "the token endpoint refuses the client: check its id and secret, that client credentials are allowed to it, " +
		"and the scopes ssf.read and ssf.manage",
	NotAllowed: "the transmitter refuses the token: check that it has not expired, and that it has the scopes ssf.read and ssf.manage; " +
		"then store a new one",
	Unavailable: "the transmitter fails, or asks to wait: the next run tries again",
	NotAccepted: "the transmitter does not accept the stream: allow the address of this source at the provider " +
		"(at Keycloak: Valid push URLs), or delete the stream there, and the next run makes a new one",
	Unreadable: "the transmitter's answer does not describe a stream: look at the stream in the provider's console",
	Occupied: "the transmitter has one stream for this client, and it delivers to another address: " +
		"give it the address of this source at the provider, delete it there, or use a client of its own",
	NotDelivered: "the transmitter could not deliver the verification that we asked for: let it reach the address of this source, " +
		"and wait five seconds for the answer (at Keycloak: ssf.pushEndpointSocketTimeoutMillis); the next run asks again",
	NotEnabled: "the stream is not enabled: enable it in the provider's console",
}

// An Error tells what is wrong and what to do next. It holds no secret, and nothing that
// the transmitter wrote.
type Error struct {
	Problem Problem
	// Doing is what was tried, such as "create the stream".
	Doing string
	// Status is the HTTP status of the answer, 0 if there was none.
	Status int
	// Err is why there was no answer, else nil.
	Err error
}

func (e *Error) Error() string {
	text := e.Doing + ": " + remedies[e.Problem]
	if e.Status != 0 {
		text += fmt.Sprintf(" (HTTP status %d)", e.Status)
	}
	if e.Err != nil {
		text += fmt.Sprintf(" (%v)", e.Err)
	}
	return text
}

func (e *Error) Unwrap() error { return e.Err }

// Passing tells whether the problem may end by itself.
func (e *Error) Passing() bool {
	return slices.Contains([]Problem{NoAnswer, Unavailable, NotDelivered}, e.Problem)
}
