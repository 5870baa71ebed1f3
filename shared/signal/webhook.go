package signal

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Window is how far the time of signing may be from the receipt, either way. It is the
// tolerance of the reference libraries of Standard Webhooks.
const Window = 5 * time.Minute

// What Standard Webhooks says of a secret, and what no sender exceeds.
const (
	secretPrefix             = "whsec_"
	minSecret, maxSecret     = 24, 64 // bytes
	maxSignatures, maxLength = 16, 256
)

// A webhook is the source for senders of our own: a script, a flow, a gateway. It follows
// [Standard Webhooks] with HMAC-SHA256 (v1). Its body is
//
//	{"type": "user.password_changed", "timestamp": "2026-01-31T02:38:00Z",
//	 "data": {"subject": {"format": "upn", "value": "…"}, "actor": "user"}}
//
// with the types user.password_changed, user.password_reset, user.disabled,
// user.sessions_revoked and test.ping, a [Format] other than [Opaque], and the actor "user"
// or "admin". The time is when it happened, not when it was sent.
//
// [Standard Webhooks]: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
type webhook struct {
	source   string
	keys     [][]byte
	sessions bool
}

// newWebhook reads the secrets, each whsec_ and base64 of 24 to 64 bytes. With two of them
// the sender can change over at any time.
func newWebhook(id string, r Record, c Credential) (*webhook, error) {
	w := &webhook{source: id, sessions: r.SessionsRevoked}
	for i, secret := range c.Secrets {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, secretPrefix))
		if err != nil || len(key) < minSecret || len(key) > maxSecret {
			return nil, fmt.Errorf("secret %d is not whsec_ and base64 of 24 to 64 bytes", i+1)
		}
		w.keys = append(w.keys, key)
	}
	return w, nil
}

// Authenticate checks one of the signatures by one of the secrets, and the time.
func (w *webhook) Authenticate(_ context.Context, r Request) error {
	id, at := single(r.Header, "Webhook-Id"), single(r.Header, "Webhook-Timestamp")
	seconds, err := strconv.ParseInt(at, 10, 64)
	// With a stop in the id, another split of id, time and body would have the same signature.
	if err != nil || id == "" || len(id) > maxLength || strings.Contains(id, ".") {
		return refuse(BadSignature)
	}
	if !w.signed(id, at, r) {
		return refuse(BadSignature)
	}
	if off := r.Received.Sub(time.Unix(seconds, 0)).Abs(); off > Window {
		return refuse(OutsideWindow)
	}
	return nil
}

// signed compares every signature with every secret's, whichever fits.
func (w *webhook) signed(id, at string, r Request) bool {
	signatures := strings.Fields(strings.Join(r.Header.Values("Webhook-Signature"), " "))
	if len(signatures) > maxSignatures {
		return false
	}
	fits := 0
	for _, key := range w.keys {
		mac := hmac.New(sha256.New, key)
		_, _ = fmt.Fprintf(mac, "%s.%s.%s", id, at, r.Body) // a hash takes everything
		want := []byte("v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)))
		for _, signature := range signatures {
			fits |= subtle.ConstantTimeCompare([]byte(signature), want)
		}
	}
	return fits == 1
}

// single returns the value of a header that stands there once, else "".
func single(h http.Header, name string) string {
	if values := h.Values(name); len(values) == 1 {
		return values[0]
	}
	return ""
}

// Decode reads one event, whose subject and time must be readable.
func (w *webhook) Decode(r Request) (Delivery, error) {
	body, ok := parse(r.Body)
	if !ok {
		return Delivery{}, refuse(Malformed)
	}
	var d Delivery
	data := body.object("data")
	s := Signal{
		Source: w.source, At: body.date("timestamp"), ID: identify(w.source, single(r.Header, "Webhook-Id")),
		Subject: given(data.object("subject")), ByAdmin: data.text("actor") == "admin",
	}
	switch body.text("type") {
	case "user.password_changed":
		s.Kind = PasswordChanged
	case "user.password_reset":
		s.Kind, s.ByAdmin = PasswordChanged, true
	case "user.disabled":
		s.Kind = UserDisabled
	case "user.sessions_revoked":
		if !w.sessions {
			d.drop(LogOut)
			return d, nil
		}
		s.Kind = SessionsRevoked
	case "test.ping":
		d.Heartbeat = true
		return d, nil
	default:
		d.drop(OtherEvent)
		return d, nil
	}
	if s.Subject == (Subject{}) || s.At.IsZero() {
		// Told of success, a sender that writes them wrong would never learn that nobody is
		// signed out.
		return Delivery{}, refuse(Malformed)
	}
	d.add(s, r.Received)
	return d, nil
}

// given reads {"format": …, "value": …}. A sender of our own knows what it names.
func given(o object) Subject {
	format := Format(o.text("format"))
	if format == Opaque {
		return Subject{}
	}
	return newSubject(format, o.text("value"))
}
