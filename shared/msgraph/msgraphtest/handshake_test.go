package msgraphtest

import (
	"errors"
	"html"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestHandshakeRequest(t *testing.T) {
	t.Parallel()
	b := newBench(t, Delivery{})
	b.subscribe(t, map[string]any{"notificationUrl": hookURL + "?code=a%20b"})
	b.subscribe(t, map[string]any{"changeType": "deleted"})
	if len(b.subscriber.shakes) != 2 {
		t.Fatalf("%d handshakes, want one for each subscription", len(b.subscriber.shakes))
	}
	const token = "validationToken=Validation%3a+Testing+client+application+reachability+for+subscription+Request-Id%3a+"
	for i, prefix := range []string{hookURL + "?code=a%20b&" + token, hookURL + "?" + token} {
		req := b.subscriber.shakes[i]
		if got := req.URL.String(); !strings.HasPrefix(got, prefix) {
			t.Errorf("handshake %d went to %s, want %s…", i, got, prefix)
		}
		if got := req.Header.Get("Content-Type"); req.Method != http.MethodPost || got != "text/plain; charset=utf-8" {
			t.Errorf("handshake %d is a %s of %s", i, req.Method, got)
		}
	}
}

// TestOddTokens shows that the second handshake's token arrives as it was, and finds
// out who spoils it.
func TestOddTokens(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		spoil  func(token string) string
		status int
	}{
		"leaves it":         {func(token string) string { return token }, http.StatusCreated},
		"escapes HTML":      {html.EscapeString, http.StatusBadRequest},
		"decodes again":     {func(token string) string { decoded, _ := url.PathUnescape(token); return decoded }, http.StatusBadRequest},
		"a plus is a space": {func(token string) string { return strings.ReplaceAll(token, "+", " ") }, http.StatusBadRequest},
		"cuts at the &":     {func(token string) string { before, _, _ := strings.Cut(token, "&"); return before }, http.StatusBadRequest},
		"quotes as JSON":    {func(token string) string { return strings.Trim(strconv.Quote(token), `"`) }, http.StatusBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, Delivery{})
			b.subscriber.shake = func(_ *http.Request, token string) handshakeAnswer {
				return handshakeAnswer{http.StatusOK, "text/plain", tt.spoil(token), 0}
			}
			b.hub.shakes = 1 // the next token is odd
			wantStatus(t, b.call(b.app, http.MethodPost, "/subscriptions", b.properties(nil)), tt.status)
		})
	}
}

func TestHandshakeFailure(t *testing.T) {
	t.Parallel()
	const rule = "Notification endpoint must respond with 200 OK to validation request."
	const body = "Subscription validation request failed. Notification endpoint must respond with the decoded validation token as text/plain."
	for _, tt := range []struct {
		name    string
		answer  func(token string) handshakeAnswer
		message string
	}{
		{"202", func(token string) handshakeAnswer { return handshakeAnswer{202, "text/plain", token, 0} },
			"Subscription validation request failed. HTTP status code is 'Accepted'. " + rule},
		{"403", func(string) handshakeAnswer { return handshakeAnswer{403, "", "", 0} },
			"Subscription validation request failed. HTTP status code is 'Forbidden'. " + rule},
		{"502", func(string) handshakeAnswer { return handshakeAnswer{502, "", "", 0} },
			"Subscription validation request failed. HTTP status code is 'BadGateway'. " + rule},
		{"redirect", func(token string) handshakeAnswer { return handshakeAnswer{307, "text/plain", token, 0} },
			"Subscription validation request failed. HTTP status code is 'TemporaryRedirect'. " + rule},
		{"JSON", func(token string) handshakeAnswer {
			return handshakeAnswer{200, "application/json", `"` + token + `"`, 0}
		}, body},
		{"the token as JSON type", func(token string) handshakeAnswer { return handshakeAnswer{200, "application/json", token, 0} }, body},
		{"still encoded", func(token string) handshakeAnswer {
			return handshakeAnswer{200, "text/plain", strings.ReplaceAll(token, " ", "+"), 0}
		}, body},
		{"a line's end", func(token string) handshakeAnswer { return handshakeAnswer{200, "text/plain", token + "\n", 0} }, body},
		{"10 seconds", func(token string) handshakeAnswer {
			return handshakeAnswer{200, "text/plain", token, 10 * time.Second}
		}, "Subscription validation request timed out."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, Delivery{})
				b.subscriber.shake = func(_ *http.Request, token string) handshakeAnswer { return tt.answer(token) }
				r := b.call(b.app, http.MethodPost, "/subscriptions", b.properties(nil))
				wantFailure(t, r, http.StatusBadRequest, "ValidationError", tt.message)
				if got := b.tenant.Subscriptions(); len(got) != 0 {
					t.Errorf("created in spite of it: %+v", got)
				}
			})
		})
	}
}

// transport is a function as an http.RoundTripper.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func TestHandshakeUnreachable(t *testing.T) {
	t.Parallel()
	b := newBench(t, Delivery{})
	b.opts.Notify = transport(func(*http.Request) (*http.Response, error) { return nil, errors.New("no such host") })
	r := b.call(b.app, http.MethodPost, "/subscriptions", b.properties(nil))
	wantFailure(t, r, http.StatusBadRequest, "ValidationError",
		"Subscription validation request failed. Notification endpoint must respond with 200 OK to validation request.")
}
