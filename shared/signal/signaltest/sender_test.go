package signaltest_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/signal/signaltest"
)

// heard keeps what a receiver was sent, and answers by the statuses it was given.
type heard struct {
	statuses []int
	body     string
	requests []*http.Request
	bodies   []string
}

func (h *heard) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	h.requests, h.bodies = append(h.requests, r), append(h.bodies, string(body))
	w := httptest.NewRecorder()
	w.WriteHeader(h.statuses[len(h.requests)-1])
	_, _ = w.WriteString(strings.ReplaceAll(h.body, "$", r.Header.Get("X-Okta-Verification-Challenge")))
	return w.Result(), nil
}

// The signature was made by the package standardwebhooks 1.1.0 for Python.
func TestWebhookSigns(t *testing.T) {
	t.Parallel()
	got := &heard{statuses: []int{204}}
	h := signaltest.Webhook{
		URL: "https://receiver.example.com/idp/1", HTTP: &http.Client{Transport: got},
		Secrets: []string{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_" + strings.Repeat("AAAA", 8)},
		Now:     func() time.Time { return time.Unix(1614265330, 0) },
	}
	status, err := h.Post(t.Context(), "msg_p5jXN8AQM9LWM0D4loKWxJek", []byte(`{"test": 2432232314}`))
	if err != nil || status != 204 {
		t.Fatal(status, err)
	}
	header := got.requests[0].Header
	signatures := strings.Fields(header.Get("webhook-signature"))
	if len(signatures) != 2 || signatures[0] != "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" || header.Get("webhook-timestamp") != "1614265330" {
		t.Errorf("sent %v", header)
	}
	h.Secrets = []string{"whsec_c2hvcnQ="}
	if _, err := h.Post(t.Context(), "msg_1", nil); err == nil {
		t.Error("signed with a short secret")
	}
}

func TestOktaHook(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		statuses []int
		body     string
		tries    int
		lost     bool
		faults   int
	}{
		{[]int{200}, "", 1, false, 0},
		{[]int{204}, "", 1, false, 0},
		{[]int{200}, "ok", 1, false, 1},
		{[]int{202}, "", 1, false, 1},
		{[]int{503, 204}, "", 2, false, 0},
		{[]int{503, 503}, "", 2, true, 0},
		{[]int{401}, "", 1, true, 0},
	} {
		got := &heard{statuses: c.statuses, body: c.body}
		h := &signaltest.OktaHook{URL: "https://receiver.example.com/idp/1", Header: "Authorization", Secret: "s", HTTP: &http.Client{Transport: got}}
		err := h.Post(t.Context(), signaltest.OktaEvent("user.account.update_password", "00u1", "a@example.com", time.Now()))
		if (err != nil) != c.lost || len(got.requests) != c.tries || len(h.Faults()) != c.faults {
			t.Errorf("%v: %v after %d tries, faults %q", c.statuses, err, len(got.requests), h.Faults())
		}
		if got.requests[0].Header.Get("Authorization") != "s" || got.bodies[0] != got.bodies[c.tries-1] {
			t.Errorf("%v: sent %v, then %v", c.statuses, got.bodies, got.requests[0].Header)
		}
	}
}

func TestOktaHookVerifies(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]bool{`{"verification":"$"}`: true, `{"verification":"other"}`: false, "$": false} {
		got := &heard{statuses: []int{200}, body: body}
		h := &signaltest.OktaHook{URL: "https://receiver.example.com/idp/1", Header: "Authorization", Secret: "s", HTTP: &http.Client{Transport: got}}
		if err := h.Verify(t.Context()); (err == nil) != want {
			t.Errorf("%s: %v", body, err)
		}
	}
}
