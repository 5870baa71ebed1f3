package receiver_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/signal/receiver"
	"github.com/sessionstamp/sessionstamp/shared/signal/signaltest"
	"github.com/sessionstamp/sessionstamp/shared/signal/stream"
)

// RoundTrip takes a sender's request to the handler.
func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := httptest.NewRecorder()
	w.handler.ServeHTTP(answer, r)
	return answer.Result(), nil
}

const base = "https://api.example.net" + receiver.Path

// kinds empties the queue, and tells what lay in it.
func (w *world) kinds() (list []string) {
	for _, m := range w.queued {
		if m.Signal != nil {
			list = append(list, string(m.Signal.Kind))
		} else if m.Heartbeat {
			list = append(list, "heartbeat")
		}
	}
	w.queued = nil
	return list
}

func (w *world) expectQueued(want ...string) {
	w.t.Helper()
	if got := w.kinds(); !slices.Equal(got, want) {
		w.t.Errorf("queued %v, want %v", got, want)
	}
}

// A transmitter by the specification makes a stream, verifies it, and delivers through an
// outage and a change of its keys.
func TestTransmitter(t *testing.T) {
	inTime(t, func(w *world) {
		tr := signaltest.New(signaltest.Options{Push: w})
		w.handler = receiver.New(receiver.Config{
			Tenant: tenant, Registry: w, Credentials: w, Queue: w, Observer: w, Now: time.Now,
			Log: slog.New(slog.DiscardHandler), Keys: receiver.HTTPS(tr),
		})
		made, err := stream.Discover(w.t.Context(), tr.Client(), tr.Issuer())
		if err != nil {
			w.t.Fatal(err)
		}
		made.TokenEndpoint, made.Scope = tr.TokenURL(), "ssf.read ssf.manage"
		c := signal.Credential{Secrets: []string{secret(ssf, 1)}, ClientID: signaltest.ClientID, ClientSecret: signaltest.ClientSecret}
		w.cached[ssf], w.fresh[ssf] = c, c
		record, manager := w.sources[ssf], stream.Manager{HTTP: tr.Client(), Now: time.Now}
		record.Stream = made
		for range 2 { // runs of the keeper: it makes, then it verifies
			if record.Stream, err = manager.Keep(w.t.Context(), base+ssf, record.Stream, c); err != nil {
				w.t.Fatal(err)
			}
			w.sources[ssf] = record
			tr.Deliver(w.t.Context())
		}
		managed := len(tr.Faults()) // which are not the receiver's
		w.expectQueued("heartbeat")

		somebody := signaltest.Email("somebody@example.com")
		w.down["queue"] = true
		tr.Emit(signaltest.PasswordChanged(somebody, time.Now()))
		tr.Rotate()
		tr.Emit(signaltest.AccountDisabled(somebody, time.Now()))
		tr.Deliver(w.t.Context())
		w.expectQueued()
		w.down["queue"] = false
		for range 8 {
			time.Sleep(30 * time.Second)
			tr.Deliver(w.t.Context())
		}
		w.expectQueued("password_changed", "user_disabled")

		w.cached[ssf], w.fresh[ssf] = credential(ssf, 2), credential(ssf, 2)
		tr.Emit(signaltest.PasswordChanged(somebody, time.Now()))
		tr.Deliver(w.t.Context())
		if d := tr.Deliveries(); d[len(d)-1].Err != "authentication_failed" || tr.Pending() > 0 || len(tr.Faults()) > managed {
			w.t.Errorf("the last was refused with %q, %d wait, and the answers are wrong: %v", d[len(d)-1].Err, tr.Pending(), tr.Faults()[managed:])
		}
	})
}

// Okta verifies its hook, and its one repetition is enough for a short outage.
func TestOkta(t *testing.T) {
	inTime(t, func(w *world) {
		sender := &signaltest.OktaHook{URL: base + okta, Header: "Authorization", Secret: secret(okta, 1), HTTP: &http.Client{Transport: w}}
		if err := sender.Verify(w.t.Context()); err != nil {
			w.t.Error(err)
		}
		w.failing["queue"] = 1
		err := sender.Post(w.t.Context(),
			signaltest.OktaEvent("user.account.update_password", "00u1", "somebody@example.com", time.Now()),
			signaltest.OktaEvent("user.session.end", "00u2", "somebody@example.com", time.Now()),
			signaltest.OktaEvent("user.lifecycle.deactivate", "00u3", "somebody@example.com", time.Now()))
		if err != nil || len(sender.Faults()) > 0 {
			w.t.Errorf("%v, and the answers are wrong: %v", err, sender.Faults())
		}
		w.expectQueued("password_changed", "user_disabled")
	})
}

// A sender by Standard Webhooks changes over from one secret to the next.
func TestStandardWebhooks(t *testing.T) {
	inTime(t, func(w *world) {
		for _, secrets := range [][]string{{secret(hook, 1)}, {secret(hook, 2), secret(hook, 1)}, {secret(hook, 2)}} {
			w.fresh[hook] = credential(hook, 2, 1)
			sender := signaltest.Webhook{URL: base + hook, Secrets: secrets, HTTP: &http.Client{Transport: w}}
			if status, err := sender.Post(w.t.Context(), "msg_1", []byte(w.said("user.disabled"))); err != nil || status != http.StatusNoContent {
				w.t.Errorf("answered %d, %v", status, err)
			}
		}
		w.expectQueued("user_disabled", "user_disabled", "user_disabled")
	})
}
