package signal_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/signal"
)

// sane checks what holds of every delivery, whoever wrote it.
func sane(t *testing.T, d signal.Delivery, err error) {
	t.Helper()
	if err != nil && (reason(t, err) == "" || len(d.Signals) > 0) {
		t.Error("a refusal without a reason, or with signals")
	}
	for _, s := range d.Signals {
		switch {
		case s.Source != source || len(s.ID) != 32 || s.Subject.Value == "" || len(s.Subject.Value) > 320:
			t.Error("a signal that says too little")
		case s.At.After(received) || received.Sub(s.At) > signal.MaxAge+time.Second || s.At.Nanosecond() != 0:
			t.Error("a signal of another time")
		case s.Kind != signal.PasswordChanged && s.Kind != signal.UserDisabled:
			t.Error("a signal of a log-out")
		}
	}
	for reason, n := range d.Dropped {
		if reason == "" || n < 1 {
			t.Error("a drop without a reason")
		}
	}
}

func FuzzWebhook(f *testing.F) {
	for _, name := range []string{"webhook-password", "webhook-reset", "webhook-disabled", "webhook-sessions", "webhook-ping"} {
		f.Add([]byte(sample(f, name)), "msg_1", "1785578520", "v1,x v1a,y")
	}
	w := webhook(f, secret)
	f.Fuzz(func(t *testing.T, body []byte, id, at, signatures string) {
		d, err := receive(t, w, sent(string(body), "msg_1", received, secret))
		sane(t, d, err)
		forged := signal.Request{Body: body, Received: received, Header: http.Header{
			"Webhook-Id": {id}, "Webhook-Timestamp": {at}, "Webhook-Signature": {signatures}}}
		if w.Authenticate(t.Context(), forged) == nil {
			t.Error("a forgery passed")
		}
	})
}

func FuzzOktaHook(f *testing.F) {
	f.Add([]byte(sample(f, "okta-hook")), static[1:])
	o := hook(f)
	f.Fuzz(func(t *testing.T, body []byte, authorization string) {
		d, err := receive(t, o, hooked(string(body), static))
		sane(t, d, err)
		if authorization != static && o.Authenticate(t.Context(), hooked("", authorization)) == nil {
			t.Error("a stranger passed")
		}
	})
}

// FuzzEvents signs whatever payload, as a transmitter gone mad would.
func FuzzEvents(f *testing.F) {
	for _, name := range []string{"risc-purged", "verification", "stream-updated"} {
		f.Add(sample(f, name))
	}
	f.Add(claims(credentialChange, `"sub_id":{"format":"complex","user":{"format":"email","email":"aiko@contoso.com"}}`))
	s := stream(f)
	f.Fuzz(func(t *testing.T, payload string) {
		d, err := receive(t, s, pushed(token(payload)))
		sane(t, d, err)
	})
}

// FuzzTokens sends what nobody has signed, of which Decode is never asked; it bears it.
func FuzzTokens(f *testing.F) {
	f.Add(string(token(`{}`)))
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	s := stream(f)
	f.Fuzz(func(t *testing.T, body string) {
		if body != "" && body != string(token(`{}`)) && s.Authenticate(t.Context(), pushed([]byte(body))) == nil {
			t.Error("a forgery passed")
		}
		d, err := s.Decode(pushed([]byte(body)))
		sane(t, d, err)
	})
}

func FuzzKeySets(f *testing.F) {
	f.Add(published().set)
	body := token(claims(credentialChange, somebody))
	f.Fuzz(func(t *testing.T, set []byte) {
		s := stream(t, func(c *config) { c.keys = signal.NewKeys(&publisher{set: set}) })
		d, err := receive(t, s, pushed(body))
		sane(t, d, err)
	})
}
