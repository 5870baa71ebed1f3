package signal

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// Format is how a provider names a user, and so in which property of the directory the
// user is looked for.
type Format string

// The formats. An Opaque id means something to the provider only; the directory may hold
// it as onPremisesImmutableId. It never is an object id, though some providers' ids look
// like one.
const (
	UPN                Format = "upn"
	Email              Format = "email"
	ObjectID           Format = "object_id"
	ImmutableID        Format = "immutable_id"
	SAMAccountName     Format = "sam_account_name"
	SecurityIdentifier Format = "security_identifier"
	Opaque             Format = "opaque"
)

// maxSubject is in bytes. No address is longer (RFC 5321).
const maxSubject = 320

// A Subject is a user in the provider's words. The zero Subject is nobody.
type Subject struct {
	Format Format `json:"format"`
	// Value must never reach a log or a metric.
	Value string `json:"value"`
}

// String tells the format only.
func (s Subject) String() string { return string(s.Format) }

// GoString tells the format only.
func (s Subject) GoString() string { return string(s.Format) }

// newSubject returns the zero Subject if the value cannot be one of that format.
func newSubject(format Format, value string) Subject {
	s := Subject{Format: format, Value: value}
	if value == "" || len(value) > maxSubject || !utf8.ValidString(value) || strings.ContainsFunc(value, unicode.IsControl) {
		return Subject{}
	}
	ok := true
	switch format {
	case UPN, Email:
		ok = isAddress(value)
	case ObjectID:
		s.Value = strings.ToLower(value)
		ok = directory.IsID(s.Value)
	case SecurityIdentifier:
		ok = strings.HasPrefix(value, "S-1-")
	case ImmutableID, SAMAccountName, Opaque:
	default:
		ok = false
	}
	if !ok {
		return Subject{}
	}
	return s
}

func isAddress(value string) bool {
	at := strings.LastIndexByte(value, '@')
	return at > 0 && at < len(value)-1 && !strings.ContainsFunc(value, unicode.IsSpace)
}

// named reads what a provider itself calls a user by: mostly the address that the user
// signs in with, else an id.
func named(value string) Subject {
	if isAddress(value) {
		return newSubject(UPN, value)
	}
	return newSubject(Opaque, value)
}
