// Package signal reads what an identity provider reports of a user: the password was
// changed, the user was disabled. It is the pure part of one handler with a table of
// sources. Each source checks that a POST is its provider's and decodes it:
//
//   - [KindWebhook]: any sender that signs by [Standard Webhooks]
//   - [KindOkta]: an Okta [event hook]
//   - [KindSSF]: a transmitter of the [Shared Signals Framework], which pushes security event
//     tokens (RFC 8417) by RFC 8935
//
// The package filters hard, since a signal ends sessions: a log-out or a change of a
// second factor is none. It calls neither Graph nor AWS. Its errors, and its values where
// they are printed or logged, hold no name.
//
// [Standard Webhooks]: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
// [event hook]: https://developer.okta.com/docs/concepts/event-hooks/
// [Shared Signals Framework]: https://openid.net/specs/openid-sharedsignals-framework-1_0-final.html
package signal

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/http"
	"time"
)

const (
	// MaxBytes is the length of the longest body that is read. No provider documents a
	// limit; an event of Okta has about 4,000 bytes.
	MaxBytes = 1 << 20
	// MaxAge is how old an event may be. The most patient senders repeat for about a
	// week: what is older is somebody's archive.
	MaxAge = 14 * 24 * time.Hour
)

// Kind is what happened to the user.
type Kind string

// The kinds. SessionsRevoked comes only of a source whose administrator has asked for it:
// at most providers it is a log-out.
const (
	PasswordChanged Kind = "password_changed"
	UserDisabled    Kind = "user_disabled"
	SessionsRevoked Kind = "sessions_revoked"
)

// A Signal says that a user's stamp must not be older than a moment.
type Signal struct {
	// Source is the id that the source has in the table.
	Source string `json:"source"`
	Kind   Kind   `json:"kind"`
	// Subject is whom the provider named. It is not a user of the directory yet.
	Subject Subject `json:"subject"`
	// At is when it happened, UTC, in whole seconds: never after the receipt, never more
	// than MaxAge before it.
	At time.Time `json:"at"`
	// ID is the same for each delivery of the same event, and no other's: 32 hexadecimal
	// digits that tell nothing of what the provider wrote.
	ID string `json:"id"`
	// ByAdmin tells that somebody other than the user did it, as far as the provider says.
	ByAdmin bool `json:"byAdmin,omitempty"`
}

// Urgent tells whether the signal goes before those of users who changed their own
// passwords: an administrator who resets a password or disables a user has a reason.
func (s Signal) Urgent() bool { return s.Kind == UserDisabled || s.ByAdmin }

// LogValue leaves the subject out.
func (s Signal) LogValue() slog.Value { return slog.StringValue(string(s.Kind) + " " + s.ID) }

// A Request is one POST of a provider.
type Request struct {
	// Body is what was signed: the raw bytes, after a gateway's base64 is undone.
	Body   []byte
	Header http.Header
	// Received is when it came, and the only time that is looked at.
	Received time.Time
}

// A Delivery is what an authentic POST held.
type Delivery struct {
	Signals []Signal
	// Dropped counts the events of which no signal came, by reason; nil if there are none.
	Dropped map[Reason]int
	// Heartbeat tells that the sender only showed that it is alive, or answered our
	// verification.
	Heartbeat bool
	// Status is the stream's new one, as the transmitter says, else empty.
	Status string
}

func (d *Delivery) drop(reason Reason) {
	if d.Dropped == nil {
		d.Dropped = make(map[Reason]int)
	}
	d.Dropped[reason]++
}

// add takes a signal whose subject can be read, unless it is too old. A time in the
// future is some clock's fault: what has happened, happened before it was received.
func (d *Delivery) add(s Signal, received time.Time) {
	switch {
	case s.Subject == Subject{}:
		d.drop(NoSubject)
	case s.At.IsZero():
		d.drop(Unreadable)
	case received.Sub(s.At) > MaxAge:
		d.drop(TooOld)
	default:
		if s.At.After(received) {
			s.At = received
		}
		s.At = s.At.UTC().Truncate(time.Second)
		d.Signals = append(d.Signals, s)
	}
}

// identify makes the id of an event from what its provider calls it.
func identify(source, event string) string {
	sum := sha256.Sum256([]byte(source + "\x00" + event))
	return hex.EncodeToString(sum[:16])
}

// A Source is one sender and what it is trusted with. Errors are of type [*Refusal].
type Source interface {
	// Authenticate tells whether the POST is the provider's. The context bounds the
	// fetching of keys.
	Authenticate(ctx context.Context, r Request) error
	// Decode reads a POST that is authentic. One bad event never spoils another.
	Decode(r Request) (Delivery, error)
}

// Receive reads a POST that came for a source. Nothing of it is read before it is known to
// be authentic, apart from what tells who has signed it. Errors are of type [*Refusal].
func Receive(ctx context.Context, s Source, r Request) (Delivery, error) {
	if len(r.Body) > MaxBytes {
		return Delivery{}, refuse(TooLarge)
	}
	if err := s.Authenticate(ctx, r); err != nil {
		return Delivery{}, err
	}
	return s.Decode(r)
}
