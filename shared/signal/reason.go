package signal

import "fmt"

// Reason tells why a POST was refused, or an event dropped, or a subject not resolved.
// Reasons are codes in logs and metrics.
type Reason string

// Why a POST is refused. A stranger can cause each of them.
const (
	// UnknownSource: the path names no source.
	UnknownSource Reason = "unknown_source"
	// TooLarge: the body is longer than any provider's.
	TooLarge Reason = "too_large"
	// Malformed: the body is not what the provider documents, is no JSON,
	// or names a member twice.
	Malformed Reason = "malformed"
	// BadSecret: the secret in the header is missing or another.
	BadSecret Reason = "bad_secret"
	// BadSignature: the signature is missing or does not fit.
	BadSignature Reason = "bad_signature"
	// OutsideWindow: it was signed more than five minutes ago, or ahead of our clock. It
	// may be a replay.
	OutsideWindow Reason = "outside_window"
	// BadType: the token is not a security event token, or has a claim that one must not
	// have.
	BadType Reason = "bad_type"
	// BadAlgorithm: it is signed by anything but RS256 or ES256.
	BadAlgorithm Reason = "bad_algorithm"
	// BadCritical: its header demands an extension, and there is none that we know.
	BadCritical Reason = "bad_critical"
	// UnknownKey: its key is not among the transmitter's.
	UnknownKey Reason = "unknown_key"
	// NoKeys: the transmitter's keys could not be fetched.
	NoKeys Reason = "no_keys"
	// BadIssuer, BadAudience: the token is of another transmitter, or for somebody else.
	BadIssuer   Reason = "bad_issuer"
	BadAudience Reason = "bad_audience"
	// BadState: a verification event holds a state that we did not ask for, or is of another
	// stream than the one we asked for.
	BadState Reason = "bad_state"
	// SeveralEvents: a security event token holds more than one event.
	SeveralEvents Reason = "several_events"
)

// Why an event is dropped.
const (
	// OtherEvent: it is none that a signal is made of.
	OtherEvent Reason = "other_event"
	// OtherCredential: a second factor, a certificate or another credential changed.
	OtherCredential Reason = "other_credential" //nolint:gosec // a code, no credential
	// FirstPassword: the user had no password before, so nobody can have stolen it.
	FirstPassword Reason = "first_password"
	// LogOut: sessions ended, and the source's administrator has not asked for it.
	LogOut Reason = "log_out"
	// Lockout: guessing at the password locked the user. Any stranger can do that.
	Lockout Reason = "lockout"
	// NotSuccessful: it was tried, and did not happen.
	NotSuccessful Reason = "not_successful"
	// NoSubject: it names no user, or in a way that cannot be read.
	NoSubject Reason = "no_subject"
	// SeveralSubjects: it names more than one user.
	SeveralSubjects Reason = "several_subjects"
	// ForeignSubject: the user's id is another issuer's.
	ForeignSubject Reason = "foreign_subject"
	// CriticalMember: the subject has a member that the transmitter calls critical, and
	// that we cannot judge by.
	CriticalMember Reason = "critical_member"
	// TooOld: it happened more than MaxAge ago.
	TooOld Reason = "too_old"
	// Duplicate: an earlier event of the same POST is the same.
	Duplicate Reason = "duplicate"
	// Unreadable: it lacks a member that the provider documents.
	Unreadable Reason = "unreadable"
)

// Why a subject is not resolved.
const (
	// SubjectUnknown: the directory knows nobody like that, or refuses to look for such a
	// name.
	SubjectUnknown Reason = "subject_unknown"
	// SubjectAmbiguous: the directory knows several.
	SubjectAmbiguous Reason = "subject_ambiguous"
	// SubjectForeignDomain: the user is in a domain that the source may not speak for.
	SubjectForeignDomain Reason = "subject_foreign_domain"
	// SubjectGuest, SubjectNotMember: the user signs in elsewhere, or is no member.
	SubjectGuest     Reason = "guest"
	SubjectNotMember Reason = "not_member"
	// SubjectNotFederated: the user signs in at Entra itself.
	SubjectNotFederated Reason = "not_federated"
)

// A Refusal is why a POST was not taken.
type Refusal struct {
	Reason Reason
	// Temporary tells that the same POST may be taken a minute later.
	Temporary bool
	// Err is why the keys could not be fetched, else nil.
	Err error
}

// Error tells the reason, and nothing that came over the network.
func (r *Refusal) Error() string {
	if r.Err != nil {
		return fmt.Sprintf("refused: %s: %v", r.Reason, r.Err)
	}
	return "refused: " + string(r.Reason)
}

// Unwrap returns the cause.
func (r *Refusal) Unwrap() error { return r.Err }

// Code is what a transmitter is told in the member err of an answer 400: a value of the
// [registry of RFC 8935].
//
// [registry of RFC 8935]: https://www.iana.org/assignments/secevent/secevent.xhtml
func (r *Refusal) Code() string {
	switch r.Reason { //nolint:exhaustive // all others are faults of the request
	case BadSecret:
		return "authentication_failed"
	case BadSignature, BadAlgorithm, UnknownKey, NoKeys:
		return "invalid_key"
	case BadIssuer:
		return "invalid_issuer"
	case BadAudience:
		return "invalid_audience"
	case BadState:
		return "invalid_state"
	}
	return "invalid_request"
}

func refuse(reason Reason) error { return &Refusal{Reason: reason} }
