package notification

import (
	"fmt"
	"io"
	"log/slog"
)

// redacted stands wherever a ClientState would have been printed.
const redacted = "[redacted]"

// ClientState is the secret that a subscription was made with and that Graph
// repeats in each of its notifications. It prints as "[redacted]" wherever it is
// formatted, logged or encoded. The zero value is the empty one.
//
// Source: https://learn.microsoft.com/graph/api/resources/subscription
type ClientState struct {
	// The text is behind a pointer since package fmt ignores Format when it
	// complains of a wrong verb further out, and prints what it finds by
	// reflection: of a pointer inside a struct that is the address only.
	secret *string
}

// NewClientState hides a secret.
func NewClientState(secret string) ClientState {
	if secret == "" {
		return ClientState{}
	}
	return ClientState{&secret}
}

// Reveal returns the secret, or "" if there is none. It is the only way to it.
func (c ClientState) Reveal() string {
	if c.secret == nil {
		return ""
	}
	return *c.secret
}

// Equal tells whether both are the same secret. It is for tests: it takes longer
// the more of the secrets is the same, so it must not decide what is authentic.
func (c ClientState) Equal(other ClientState) bool { return c.Reveal() == other.Reveal() }

// String hides the secret.
func (ClientState) String() string { return redacted }

// GoString hides the secret from %#v.
func (ClientState) GoString() string { return redacted }

// Format hides the secret from every verb of package fmt, %x and %d included.
func (ClientState) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, redacted) }

// LogValue hides the secret from package log/slog.
func (ClientState) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON hides the secret from package encoding/json.
func (ClientState) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalText hides the secret from the other encoders, and as a map's key.
func (ClientState) MarshalText() ([]byte, error) { return []byte(redacted), nil }
