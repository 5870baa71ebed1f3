package msgraphtest

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestHandshakeRequest(t *testing.T) {
	t.Parallel()
	b := newBench(t, Delivery{})
	b.subscribe(t, map[string]any{"notificationUrl": hookURL + "?code=a%20b", "lifecycleNotificationUrl": lifeURL})
	if len(b.subscriber.shakes) != 2 {
		t.Fatalf("%d handshakes, want one for each URL", len(b.subscriber.shakes))
	}
	const token = "validationToken=Validation%3a+Testing+client+application+reachability+for+subscription+Request-Id%3a+"
	for i, prefix := range []string{hookURL + "?code=a%20b&" + token, lifeURL + "?" + token} {
		req := b.subscriber.shakes[i]
		if got := req.URL.String(); !strings.HasPrefix(got, prefix) {
			t.Errorf("handshake %d went to %s, want %s…", i, got, prefix)
		}
		if got := req.Header.Get("Content-Type"); req.Method != http.MethodPost || got != "text/plain; charset=utf-8" {
			t.Errorf("handshake %d is a %s of %s", i, req.Method, got)
		}
	}
}

func TestHandshakeOfEqualURLs(t *testing.T) {
	t.Parallel()
	for once, want := range map[bool]int{false: 2, true: 1} {
		b := newBench(t, Delivery{ValidateOnce: once})
		b.subscribe(t, map[string]any{"lifecycleNotificationUrl": hookURL})
		if got := len(b.subscriber.shakes); got != want {
			t.Errorf("ValidateOnce %v: %d handshakes, want %d", once, got, want)
		}
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
			for _, url := range []string{"notificationUrl", "lifecycleNotificationUrl"} {
				synctest.Test(t, func(t *testing.T) {
					b := newBench(t, Delivery{})
					b.subscriber.shake = func(req *http.Request, token string) handshakeAnswer {
						if req.URL.Host == "bad.example" {
							return tt.answer(token)
						}
						return handshakeAnswer{http.StatusOK, "text/plain; charset=utf-8", token, 9 * time.Second}
					}
					r := b.call(b.app, http.MethodPost, "/subscriptions", b.properties(map[string]any{url: "https://bad.example/"}))
					wantFailure(t, r, http.StatusBadRequest, "ValidationError", tt.message)
					if got := b.tenant.Subscriptions(); len(got) != 0 {
						t.Errorf("created in spite of it: %+v", got)
					}
				})
			}
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

// TestHandshakeEndsWithServer shows that an open POST does not outlive Close.
func TestHandshakeEndsWithServer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Delivery{})
		b.opts.Notify = transport(func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, context.Cause(req.Context())
		})
		answered := make(chan reply)
		go func() { answered <- b.call(b.app, http.MethodPost, "/subscriptions", b.properties(nil)) }()
		synctest.Wait()
		begun := time.Now()
		b.Close()
		wantStatus(t, <-answered, http.StatusBadRequest)
		if took := time.Since(begun); took != 0 {
			t.Errorf("the POST was open for another %s", took)
		}
	})
}
