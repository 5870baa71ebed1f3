package signal

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
)

// minStatic is the length of the shortest secret that is accepted in a header, in bytes.
const minStatic = 24

// static are the secrets that a provider sends as they are, in the header Authorization.
type static [][sha256.Size]byte

func newStatic(secrets []string) (s static, err error) {
	for _, secret := range secrets {
		if len(secret) < minStatic {
			return nil, errors.New("a secret in the header Authorization needs at least 24 characters")
		}
		s = append(s, sha256.Sum256([]byte(secret)))
	}
	return s, nil
}

// match compares digests, so that the time tells not even the length.
func (s static) match(h http.Header) bool {
	given := sha256.Sum256([]byte(single(h, "Authorization")))
	fits := 0
	for i := range s {
		fits |= subtle.ConstantTimeCompare(given[:], s[i][:])
	}
	return fits == 1
}

// An oktaHook is the source for an [event hook] of Okta, whose events are those of its
// System Log. Okta signs nothing: the secret in the header is all the proof. Okta waits
// three seconds, and repeats once, after a 5xx only.
//
// [event hook]: https://developer.okta.com/docs/concepts/event-hooks/
type oktaHook struct {
	source  string
	secrets static
}

// challengeHeader is in Okta's one GET, which proves that we answer at this address.
const challengeHeader = "X-Okta-Verification-Challenge"

// OktaChallenge returns the JSON that answers the GET with these headers, with status 200.
// It is not ok if the challenge is missing or longer than any that Okta sends. Okta does
// not say that this GET bears the secret, so it isn't asked for.
func OktaChallenge(h http.Header) (body []byte, ok bool) {
	challenge := single(h, challengeHeader)
	if challenge == "" || len(challenge) > maxLength {
		return nil, false
	}
	body, err := json.Marshal(map[string]string{"verification": challenge})
	return body, err == nil
}

// Authenticate compares the secret.
func (o *oktaHook) Authenticate(_ context.Context, r Request) error {
	if !o.secrets.match(r.Header) {
		return refuse(BadSecret)
	}
	return nil
}

// Decode reads all events of the POST.
func (o *oktaHook) Decode(r Request) (Delivery, error) {
	body, ok := parse(r.Body)
	events := body.object("data").list("events")
	if !ok || events == nil {
		return Delivery{}, refuse(Malformed)
	}
	var d Delivery
	seen := make(map[string]bool)
	for _, element := range events {
		event, _ := element.(object)
		s, reason := o.signal(event)
		if reason == "" && seen[s.ID] {
			reason = Duplicate
		}
		if reason != "" {
			d.drop(reason)
			continue
		}
		seen[s.ID] = true
		d.add(s, r.Received)
	}
	return d, nil
}

// oktaKinds are the [event types] that signals are made of; all are eligible for hooks.
// Nothing of user.mfa, user.session or user.account.lock is.
//
// [event types]: https://developer.okta.com/docs/reference/api/event-types/
var oktaKinds = map[string]Kind{
	"user.account.update_password":    PasswordChanged,
	"user.account.reset_password":     PasswordChanged,
	"user.lifecycle.suspend":          UserDisabled,
	"user.lifecycle.deactivate":       UserDisabled,
	"user.lifecycle.delete.initiated": UserDisabled,
}

// welcome is where a new user sets the first password, seconds before the first sign-in to
// Microsoft 365. Okta calls that update_password as well:
// https://devforum.okta.com/t/event-hook-for-user-activation/14832
const welcome = "/user/welcome/login/internal"

// OktaEvents are the event types that a hook subscribes to, sorted.
func OktaEvents() []string { return slices.Sorted(maps.Keys(oktaKinds)) }

// signal reads a LogEvent. The user is the target: the actor of a reset is the
// administrator.
func (o *oktaHook) signal(event object) (Signal, Reason) {
	kind := oktaKinds[event.text("eventType")]
	switch {
	case event.text("eventType") == "" || event.text("uuid") == "":
		return Signal{}, Unreadable
	case kind == "":
		return Signal{}, OtherEvent
	case event.object("outcome").text("result") != "SUCCESS":
		return Signal{}, NotSuccessful
	case event.object("debugContext").object("debugData").text("requestUri") == welcome:
		return Signal{}, FirstPassword
	}
	target, reason := oktaTarget(event.list("target"))
	if reason != "" {
		return Signal{}, reason
	}
	actor := event.object("actor").text("id")
	return Signal{
		Source: o.source, Kind: kind, Subject: oktaSubject(target), At: event.date("published"),
		ID: identify(o.source, event.text("uuid")), ByAdmin: actor != "" && actor != target.text("id"),
	}, ""
}

// oktaTarget returns the one user among the targets.
func oktaTarget(targets []any) (user object, reason Reason) {
	for _, element := range targets {
		target, _ := element.(object)
		if target.text("type") != "User" {
			continue
		}
		if user != nil && user.text("id") != target.text("id") {
			return nil, SeveralSubjects
		}
		user = target
	}
	if user == nil {
		return nil, NoSubject
	}
	return user, ""
}

// oktaSubject prefers the login, which is alternateId, to the id.
func oktaSubject(target object) Subject {
	if login := target.text("alternateId"); isAddress(login) { // it may be "unknown"
		return newSubject(UPN, login)
	}
	return newSubject(Opaque, target.text("id"))
}
