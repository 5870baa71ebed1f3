package receiver_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/sessionstamp/sessionstamp/shared/signal/receiver"
)

// inTime runs a test in a world whose clock is that of its bubble.
func inTime(t *testing.T, test func(w *world)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { test(newWorld(t, time.Now)) })
}

// expect checks what a request comes to, and how often something was called since expect
// last asked for that.
func (w *world) expect(req *http.Request, want, what string, calls int) {
	w.t.Helper()
	got := w.told(req)
	if n := w.calls[what]; got != want || n != calls {
		w.t.Errorf("got %s after %d calls of %s, want %s after %d: %v", got, n, what, want, calls, w.last.Err)
	}
	w.calls[what] = 0
}

// What is added or removed is so at once, and whoever tries paths causes no reading.
func TestRegistry(t *testing.T) {
	inTime(t, func(w *world) {
		w.expect(post("x", "", nil), "404 unknown_source", "registry", 0)
		w.expect(post(nowhere, "{}", nil), "404 unknown_source", "registry", 1)
		w.sources[nowhere] = w.sources[okta]
		w.cached[nowhere] = credential(nowhere, 1)
		known := post(nowhere, `{"data":{"events":[]}}`, http.Header{"Authorization": {secret(nowhere, 1)}})
		w.expect(known, "204 heard", "registry", 1)
		delete(w.sources, nowhere)
		w.expect(post(nowhere, "{}", nil), "404 unknown_source", "registry", 1)
	})
}

// A new secret serves at once. Whoever guesses has the credential read once a minute.
func TestSecretRotates(t *testing.T) {
	inTime(t, func(w *world) {
		w.expect(w.webhook(w.said("user.disabled"), 1), "204 user_disabled!", "fresh", 0)
		w.fresh[hook] = credential(hook, 2, 1)
		w.down["fresh"] = true // the sender is told to try again, not that he is a stranger
		w.expect(w.webhook(w.said("user.disabled"), 2), "503", "fresh", 1)
		w.down["fresh"] = false
		w.expect(w.webhook(w.said("user.disabled"), 2), "204 user_disabled!", "fresh", 1)
		w.expect(w.webhook(w.said("user.disabled"), 1), "204 user_disabled!", "fresh", 0)
		w.expect(w.webhook(w.said("user.disabled"), 3), "401 bad_signature rings", "fresh", 0)
		time.Sleep(receiver.RefreshPause)
		w.expect(w.webhook(w.said("user.disabled"), 3), "401 bad_signature rings", "fresh", 1)
		w.fresh[hook] = credential(hook, 3)
		w.expect(w.webhook(w.said("user.disabled"), 3), "401 bad_signature rings", "fresh", 0)
		// Each source has its own minute.
		w.fresh[okta] = credential(okta, 2)
		w.expect(hooked(2), "204 heard", "fresh", 1)
		delete(w.fresh, ssf)
		w.expect(token(w.claims(changed), jwt.SigningMethodES256, keys()["k1"], 2, nil), "503 rings", "fresh", 1)
	})
}

// A stream that was made anew has another audience.
func TestStreamIsMadeAnew(t *testing.T) {
	inTime(t, func(w *world) {
		w.expect(w.pushed(changed), "202 password_changed", "registry", 1)
		r := w.sources[ssf]
		r.Stream.Audiences = []string{"us again"}
		w.sources[ssf] = r
		w.expect(w.pushed(changed, with("aud", "us again")), "202 password_changed", "registry", 1)
	})
}

// Keys outlive a POST. A new one is asked for once a minute, and until then the
// transmitter is told to try again.
func TestKeysRotate(t *testing.T) {
	inTime(t, func(w *world) {
		second := func() *http.Request {
			return token(w.claims(changed), jwt.SigningMethodES256, keys()["k2"], 1, map[string]any{"kid": "k2"})
		}
		w.expect(w.pushed(changed), "202 password_changed", "keys", 1)
		w.expect(w.pushed(disabled), "202 user_disabled!", "keys", 0)
		w.set = keySet("k1", "k2")
		w.expect(second(), "503 unknown_key", "keys", 0)
		time.Sleep(time.Minute)
		w.expect(second(), "202 password_changed", "keys", 1)
		w.expect(w.pushed(changed), "202 password_changed", "keys", 0)
		r := w.sources[ssf]
		w.uri, r.Stream.KeysURI = "https://idp.example.com/other", "https://idp.example.com/other"
		w.sources[ssf] = r
		w.expect(w.pushed(changed), "202 password_changed", "keys", 1)
	})
}

// Whatever hangs, Okta has its answer within three seconds.
func TestNothingHangs(t *testing.T) {
	for _, what := range []string{"registry", "credentials", "fresh", "keys", "queue"} {
		t.Run(what, func(t *testing.T) {
			inTime(t, func(w *world) {
				w.slow[what] = true
				n, began := 1, time.Now()
				if what == "fresh" {
					n = 2
				}
				got := w.told(token(w.claims(changed), jwt.SigningMethodES256, keys()["k1"], n, nil))
				if took := time.Since(began); w.last.Status != http.StatusServiceUnavailable || w.last.Refused() || took > receiver.Timeout {
					w.t.Errorf("got %s after %s", got, took)
				}
			})
		})
	}
}

// Many at once lose nothing: for the race detector.
func TestTogether(t *testing.T) {
	t.Parallel()
	w := newWorld(t, time.Now)
	handler, q := w.still()
	var requests []*http.Request
	for range 100 {
		requests = append(requests, w.webhook(w.said("user.disabled"), 1), hooked(1), w.pushed(changed))
	}
	if send(t, handler, requests); q.n != len(requests) {
		t.Errorf("queued %d of %d", q.n, len(requests))
	}
}
