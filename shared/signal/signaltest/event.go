package signaltest

import (
	"crypto/rand"
	"maps"
	"slices"
	"time"
)

// The event types that have makers here, and those of the framework itself.
const (
	caep = "https://schemas.openid.net/secevent/caep/event-type/"
	risc = "https://schemas.openid.net/secevent/risc/event-type/"
	ssf  = "https://schemas.openid.net/secevent/ssf/event-type/"

	TypeCredentialChange = caep + "credential-change"
	TypeSessionRevoked   = caep + "session-revoked"
	TypeAccountDisabled  = risc + "account-disabled"
	TypeAccountPurged    = risc + "account-purged"
	TypeVerification     = ssf + "verification"
	TypeStreamUpdated    = ssf + "stream-updated"
)

// Types are the event types that a receiver can ask for.
func Types() []string {
	return []string{TypeCredentialChange, TypeSessionRevoked, TypeAccountDisabled, TypeAccountPurged}
}

// A Subject is a subject identifier (RFC 9493, section 3; SSF 3.2 and 3.3).
type Subject map[string]any

// Email names a user by an address (RFC 9493, section 3.2.2).
func Email(address string) Subject { return Subject{"format": "email", "email": address} }

// IssSub names a user as the issuer does (RFC 9493, section 3.2.3).
func IssSub(iss, sub string) Subject { return Subject{"format": "iss_sub", "iss": iss, "sub": sub} }

// Opaque names anything (RFC 9493, section 3.2.5).
func Opaque(id string) Subject { return Subject{"format": "opaque", "id": id} }

// Complex names a user and more of the same principal (SSF 3.3).
func Complex(members map[string]Subject) Subject {
	s := Subject{"format": "complex"}
	for name, member := range members {
		s[name] = member
	}
	return s
}

// An Event is what happened, before anybody's habits are put on it.
type Event struct {
	Type    string
	Subject Subject
	// Time is when it happened; zero has it not said.
	Time time.Time
	// Claims are the event's own members.
	Claims map[string]any
}

// CredentialChange says what was done to a credential (CAEP 3.3).
func CredentialChange(who Subject, credential, change string, at time.Time) Event {
	return Event{TypeCredentialChange, who, at, map[string]any{
		"credential_type": credential, "change_type": change, "initiating_entity": "user",
		"reason_admin": map[string]string{"en": "A credential was changed"},
	}}
}

// PasswordChanged is the CredentialChange of a user's own password.
func PasswordChanged(who Subject, at time.Time) Event {
	return CredentialChange(who, "password", "update", at)
}

// AccountDisabled says that an account was disabled (RISC 2.3).
func AccountDisabled(who Subject, at time.Time) Event {
	return Event{TypeAccountDisabled, who, at, map[string]any{"reason": "hijacking"}}
}

// AccountPurged says that an account was deleted for good (RISC 2.2).
func AccountPurged(who Subject, at time.Time) Event {
	return Event{TypeAccountPurged, who, at, map[string]any{}}
}

// SessionRevoked says that a session has ended (CAEP 3.1).
func SessionRevoked(who Subject, at time.Time) Event {
	return Event{TypeSessionRevoked, who, at, map[string]any{
		"initiating_entity": "user", "reason_admin": map[string]string{"en": "The user signed out"},
	}}
}

// A Profile is whose habits a transmitter has.
type Profile int

// The habits that are known.
const (
	// Plain keeps to the specification and to the CAEP Interoperability Profile.
	Plain Profile = iota
	// Okta has no sub_id but a subject in the event, milliseconds, and says revoke of each
	// changed password: https://developer.okta.com/docs/reference/ssf-transmitter-sets.
	Okta
	// Keycloak names the stream in the audience, sends no Accept header, tells of every
	// change of status even if the receiver asked for it, and has an object for the status.
	// Its metadata are in a second place too. So Keycloak 26.7.3 was seen to do, with the
	// feature ssf; see https://www.keycloak.org/nightly/securing-apps/ssf-support.
	Keycloak
	// Authentik has another token type, no time, no txn, a subject in the event that is complex
	// without a format, and, once the stream is made, a verification whose state is null:
	// https://github.com/goauthentik/authentik/tree/main/authentik/enterprise/providers/ssf.
	Authentik
)

// set returns the header and claims of the SET of an event on a stream.
func (t *Transmitter) set(s *stream, e Event) (header, claims map[string]any) {
	now := t.opts.Now()
	event := maps.Clone(e.Claims)
	if event == nil {
		event = map[string]any{}
	}
	if !e.Time.IsZero() {
		event["event_timestamp"] = e.Time.Unix()
	}
	header = map[string]any{"typ": "secevent+jwt"}
	claims = map[string]any{
		"iss": t.issuer.String(), "aud": s.aud, "iat": now.Unix(), "jti": rand.Text(), "txn": rand.Text(),
		"sub_id": e.Subject, "events": map[string]any{e.Type: event},
	}
	switch t.opts.Profile {
	case Okta:
		asOkta(claims, event, e)
	case Keycloak:
		asKeycloak(claims, event, e, s)
	case Authentik:
		asAuthentik(header, claims, event, e)
	case Plain:
	}
	return header, claims
}

// ofStream tells the events whose subject is the stream itself.
func (e Event) ofStream() bool {
	return slices.Contains([]string{TypeVerification, TypeStreamUpdated}, e.Type)
}

func asOkta(claims, event map[string]any, e Event) {
	claims["aud"] = claims["aud"].([]string)[0]
	delete(claims, "txn")
	if e.ofStream() {
		return
	}
	delete(claims, "sub_id")
	event["subject"] = e.Subject
	if !e.Time.IsZero() {
		event["event_timestamp"] = e.Time.UnixMilli()
	}
	switch {
	case e.Type == TypeSessionRevoked:
		event["subject"] = Subject{"user": e.Subject} // without a format, as documented
	case event["credential_type"] == "password":
		event["change_type"] = "revoke"
		event["friendly_name"] = "PASSWORD_AS_FACTOR"
	}
}

func asKeycloak(claims, event map[string]any, e Event, s *stream) {
	claims["aud"] = s.aud[0]
	switch e.Type {
	case TypeStreamUpdated:
		status := map[string]any{"stream_id": s.id}
		maps.Copy(status, e.Claims)
		event["status"] = status
	case TypeCredentialChange:
		delete(event, "reason_admin")
		event["kc_credential_type"] = event["credential_type"]
	case TypeSessionRevoked:
		if e.Subject["format"] != "complex" {
			claims["sub_id"] = Complex(map[string]Subject{"user": e.Subject, "session": Opaque("ALL")})
		}
	}
}

func asAuthentik(header, claims, event map[string]any, e Event) {
	header["typ"] = "JWT"
	delete(claims, "txn")
	if e.ofStream() {
		return
	}
	delete(claims, "sub_id")
	delete(event, "event_timestamp")
	delete(event, "reason_admin")
	subject := Subject{"user": e.Subject}
	if e.Type == TypeSessionRevoked {
		subject["session"] = Opaque("session")
	}
	event["subject"] = subject
}
