package signal

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// SourceKind is which of the handlers a source has.
type SourceKind string

// The kinds of sources. What each sends, the sources themselves say.
const (
	KindWebhook SourceKind = "webhook"
	KindOkta    SourceKind = "okta"
	KindSSF     SourceKind = "ssf"
)

// A Registry is what a deployment knows of its sources: one document of the state table
// for each tenant. Secrets are not in it.
type Registry struct {
	// Sources by their ids, which are 32 random hexadecimal digits: a stranger can't
	// guess the path of one.
	Sources map[string]Record
}

// IsSource tells whether a text has the shape of a source's id.
func IsSource(id string) bool {
	const digits = 32
	return len(id) == digits && strings.Trim(id, "0123456789abcdef") == ""
}

// A Record describes one source, and remembers when it was heard. Times are UTC.
type Record struct {
	// Name is the administrator's own for the source.
	Name string
	Kind SourceKind
	// Domains are those that the source may speak for, each by its exact name in small
	// letters.
	Domains []string
	// SessionsRevoked lets revoked sessions through as signals.
	SessionsRevoked bool
	// Stream is what an SSF source has besides.
	Stream Stream
	// Added is when the source was made.
	Added time.Time
	// Heard is when something authentic last came of it, and Pinged when that last was a
	// heartbeat or the answer to our verification: then it has promised to be heard.
	Heard, Pinged time.Time
}

// The statuses of a stream (SSF, section 8.1.2).
const (
	StreamEnabled  = "enabled"
	StreamPaused   = "paused"
	StreamDisabled = "disabled"
)

// IsStreamStatus tells whether a text is one of them.
func IsStreamStatus(text string) bool {
	return text == StreamEnabled || text == StreamPaused || text == StreamDisabled
}

// A Stream is one transmitter's, and where it is managed
// (https://openid.net/specs/openid-sharedsignals-framework-1_0-final.html, sections 7 and 8).
type Stream struct {
	Provider Provider
	// Issuer, KeysURI (jwks_uri) and Critical (critical_subject_members) are the
	// transmitter's metadata.
	Issuer, KeysURI string
	Critical        []string
	// Subjects (default_subjects) is "ALL", or "NONE" where the transmitter reports on nobody
	// until its administrator says on whom; empty where it does not say.
	Subjects string
	// Method is by which of the metadata's names it pushes (RFC 8935, or an older one).
	Method string
	// The metadata's endpoints. VerificationEndpoint and StatusEndpoint may be empty.
	ConfigurationEndpoint, StatusEndpoint, VerificationEndpoint string
	// TokenEndpoint and Scope are for OAuth client credentials; empty where the secret
	// holds a token.
	TokenEndpoint, Scope string
	// ID is the stream_id, empty until the stream is made, and Audiences its aud.
	ID        string
	Audiences []string
	// Given is a fingerprint of what the transmitter was last given: address, secret and
	// events. It tells nothing of them.
	Given string
	// Status is [StreamEnabled] or another status, as the transmitter last said.
	Status string
	// Asked is when a verification was last asked for.
	Asked time.Time
}

// A Credential is the text of a source's secret in Secrets Manager, as JSON.
type Credential struct {
	// Secrets are what the provider proves itself by: one, or more while they change over.
	Secrets []string `json:"secrets"`
	// What the keeper manages an SSF stream with: a token, or a client's id and secret.
	Token        string `json:"token,omitempty"`
	ClientID     string `json:"clientId,omitempty"`
	ClientSecret string `json:"clientSecret,omitempty"`
}

// ErrNoCredential is of a source without a secret in Secrets Manager: it was deleted, or
// has not been made yet.
var ErrNoCredential = errors.New("the source has no secret: remove the source and add it again, or restore the secret")

// LogValue tells nothing of it.
func (Credential) LogValue() slog.Value { return slog.StringValue("credential") }

// String tells nothing of it.
func (Credential) String() string { return "credential" }

// GoString tells nothing of it.
func (Credential) GoString() string { return "credential" }

// Silence is how long a source that sends heartbeats may say nothing, and Quiet one that
// does not: nobody changes a password at a weekend.
const (
	Silence = 6 * time.Hour
	Quiet   = 7 * 24 * time.Hour
)

// Verified tells whether the keeper asks the transmitter to show that the stream delivers.
// Not every transmitter can, and one without a management API is not asked.
func (s Stream) Verified() bool {
	return s.ConfigurationEndpoint != "" && s.VerificationEndpoint != ""
}

// Silent tells whether a person has to look why nothing is heard of the source.
func (r Record) Silent(now time.Time) bool {
	beats := !r.Pinged.IsZero()
	if r.Kind == KindSSF { // some verify a stream once, when it is made
		beats = r.Stream.Verified()
	}
	limit := Quiet
	if beats {
		limit = Silence
	}
	last := r.Added
	if r.Heard.After(last) {
		last = r.Heard
	}
	return now.Sub(last) > limit
}

// Open makes the source that a record describes. keys are those of an SSF source, else nil.
// Its error quotes no secret.
func (r Record) Open(id string, c Credential, keys *Keys) (Source, error) {
	switch {
	case len(r.Domains) == 0:
		return nil, errors.New("the source may speak for no domain")
	case len(c.Secrets) == 0:
		return nil, ErrNoCredential
	}
	switch r.Kind {
	case KindWebhook:
		return newWebhook(id, r, c)
	case KindOkta:
		secrets, err := newStatic(c.Secrets)
		return &oktaHook{source: id, secrets: secrets}, err
	case KindSSF:
		return newSSF(id, r, c, keys)
	}
	return nil, fmt.Errorf("unknown kind of source %q", r.Kind)
}

// State is what verification events are asked for with. It follows from the secret, so
// that who asks and who receives need not agree on one.
func (c Credential) State() string {
	if len(c.Secrets) == 0 {
		return ""
	}
	return identify("state", c.Secrets[0])
}

// A Message is what the receiver queues for the resolver, in JSON: one signal, or that the
// source was heard. It holds the name of a user, so its queue is encrypted and forgets
// soon.
type Message struct {
	// Tenant is a lower-case GUID, and Source the id of the source.
	Tenant string `json:"tenant"`
	Source string `json:"source"`
	// Received is when it came, UTC.
	Received time.Time `json:"received"`
	// Signal is nil where the source was only heard.
	Signal *Signal `json:"signal,omitempty"`
	// Heartbeat tells that the sender showed only that it is alive, or answered our
	// verification.
	Heartbeat bool `json:"heartbeat,omitempty"`
	// Status is the stream's new one, as the transmitter says, else empty.
	Status string `json:"status,omitempty"`
}

// Urgent tells whether the message goes before others.
func (m Message) Urgent() bool { return m.Signal != nil && m.Signal.Urgent() }
