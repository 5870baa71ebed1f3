package signal

import (
	"crypto/subtle"
	"slices"
	"strings"
)

// schemas is what the address of each event type begins with.
const schemas = "https://schemas.openid.net/secevent/"

// Decode reads the one event of a token.
func (s *ssf) Decode(r Request) (Delivery, error) {
	t, err := takeApart(r.Body)
	if err != nil {
		return Delivery{}, err
	}
	claims, ok := parse(t.payload)
	events := claims.object("events")
	switch {
	case !ok || len(events) == 0:
		return Delivery{}, refuse(Malformed)
	case len(events) > 1:
		return Delivery{}, refuse(SeveralEvents)
	}
	for uri := range events {
		if event := events.object(uri); event != nil {
			return s.decode(claims, strings.TrimPrefix(uri, schemas), event, r)
		}
	}
	return Delivery{}, refuse(Malformed)
}

// decode tells what is about the stream ([SSF], sections 8.1.4 and 8.1.5) from what is about
// a user. The names with sse are those of the drafts. Another stream of the same transmitter
// is one that was made before.
//
// [SSF]: https://openid.net/specs/openid-sharedsignals-framework-1_0-final.html
func (s *ssf) decode(claims object, name string, event object, r Request) (Delivery, error) {
	id, ours := claims.object("sub_id").text("id"), s.record.Stream.ID
	switch name {
	case "ssf/event-type/verification", "sse/event-type/verification":
		state := event.text("state") // some transmitters send it of their own accord, without
		if state != "" && (subtle.ConstantTimeCompare([]byte(state), []byte(s.state)) == 0 || id != "" && ours != "" && id != ours) {
			return Delivery{}, refuse(BadState)
		}
		return Delivery{Heartbeat: state != ""}, nil
	case "ssf/event-type/stream-updated", "sse/event-type/stream-updated":
		status := event.text("status")
		if whole := event.object("status"); whole != nil {
			status = whole.text("status") // Keycloak 26.7 repeats the answer of its status endpoint
		}
		switch {
		case !IsStreamStatus(status):
			return Delivery{}, refuse(Malformed)
		case id != "" && id != ours:
			return Delivery{}, nil
		}
		return Delivery{Status: status}, nil
	}
	return s.user(claims, name, event, r), nil
}

// user makes a signal of an event about a user, or drops it.
func (s *ssf) user(claims object, name string, event object, r Request) (d Delivery) {
	kind, reason := s.kind(claims, name, event)
	if reason != "" {
		d.drop(reason)
		return d
	}
	subject, reason := s.subject(claims, event)
	if reason != "" {
		d.drop(reason)
		return d
	}
	at := event.seconds("event_timestamp")
	if at.IsZero() { // optional in CAEP, unknown to RISC, and never sent by authentik
		at = claims.seconds("iat")
	}
	d.add(Signal{
		Source: s.source, Kind: kind, Subject: subject, At: at,
		ID: identify(s.source, claims.text("jti")), ByAdmin: event.text("initiating_entity") == "admin",
	}, r.Received)
	return d
}

// kind judges an event by [CAEP] and [RISC].
//
// [CAEP]: https://openid.net/specs/openid-caep-1_0-final.html
// [RISC]: https://openid.net/specs/openid-risc-1_0-final.html
func (s *ssf) kind(claims object, name string, event object) (Kind, Reason) {
	switch name {
	case "caep/event-type/credential-change":
		return credential(event)
	case "risc/event-type/account-purged":
		return UserDisabled, ""
	case "risc/event-type/account-disabled":
		// Keycloak's word for a user whose password was guessed at too often:
		// https://github.com/keycloak/keycloak/blob/main/ssf/core/src/main/java/org/keycloak/ssf/event/risc/RiscAccountDisabled.java
		if event.text("reason") == "disabled-by-bruteforce" {
			return "", Lockout
		}
		return UserDisabled, ""
	case "caep/event-type/session-revoked", "risc/event-type/sessions-revoked":
		// Without a sub_id it may be Okta's log-out, from a domain of the customer's own.
		if !s.record.SessionsRevoked || !claims.has("sub_id") && s.record.Stream.Provider != Authentik {
			return "", LogOut
		}
		return SessionsRevoked, ""
	}
	return "", OtherEvent
}

// credential judges a credential-change. The participles are those of older transmitters.
// Okta calls every new password "revoke".
func credential(event object) (Kind, Reason) {
	switch {
	case event.text("credential_type") == "":
		return "", Unreadable
	case event.text("credential_type") != "password":
		return "", OtherCredential
	}
	switch event.text("change_type") {
	case "update", "updated", "revoke", "revoked", "delete", "deleted":
		return PasswordChanged, ""
	case "create", "created":
		return "", FirstPassword
	}
	return "", Unreadable
}

// subject reads whom the event is about: sub_id, or where Okta and authentik have it.
func (s *ssf) subject(claims, event object) (Subject, Reason) {
	id := claims.object("sub_id")
	if id == nil {
		id = event.object("subject")
	}
	user := id
	// authentik leaves the format of a complex subject out.
	if format := id.text("format"); format == "complex" || format == "" && id.has("user") {
		user = id.object("user")
		if slices.ContainsFunc(s.record.Stream.Critical, func(member string) bool { return member != "user" && id.has(member) }) {
			return Subject{}, CriticalMember
		}
	}
	return s.simple(user)
}

// simple reads a subject identifier of [RFC 9493].
//
// [RFC 9493]: https://www.rfc-editor.org/rfc/rfc9493
func (s *ssf) simple(id object) (subject Subject, reason Reason) {
	switch format := id.text("format"); {
	case format == "email":
		subject = newSubject(Email, id.text("email"))
	case format == "account":
		subject = newSubject(UPN, strings.TrimPrefix(id.text("uri"), "acct:"))
	case format == "opaque":
		subject = named(id.text("id"))
	case format == "iss_sub" && id.text("iss") != s.record.Stream.Issuer:
		return Subject{}, ForeignSubject
	case format == "iss_sub":
		subject = named(id.text("sub"))
	}
	if subject == (Subject{}) {
		return Subject{}, NoSubject
	}
	return subject, ""
}
