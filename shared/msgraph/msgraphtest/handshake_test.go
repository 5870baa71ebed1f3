package msgraphtest

import (
	"context"
	"errors"
	"html"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"
	"unicode/utf8"
)

func TestHandshakeRequest(t *testing.T) {
	t.Parallel()
	b := newBench(t, Delivery{PlainTokens: true})
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

// TestOddTokens shows that the second handshake's token is odd in every way but
// those that would have to be escaped.
func TestOddTokens(t *testing.T) {
	t.Parallel()
	for seed := range uint64(100) {
		s := New(Options{Seed: seed})
		s.mu.Lock()
		plain, odd := s.validationToken(), s.validationToken()
		s.mu.Unlock()
		if !strings.HasPrefix(plain, validationGreeting) {
			t.Errorf("the first token is %q", plain)
		}
		for _, part := range oddities {
			if !strings.Contains(odd, part) {
				t.Errorf("%q is not in %q", part, odd)
			}
		}
		unfit := strings.ContainsFunc(odd, func(c rune) bool { return c == '<' || c == '>' || unicode.IsControl(c) })
		if unfit || !utf8.ValidString(odd) || len(odd) > 2048 {
			t.Errorf("%q is too odd", odd)
		}
		u, err := url.Parse(withToken(hookURL+"?code=a", odd))
		if err != nil || u.Query().Get("validationToken") != odd || u.Query().Get("code") != "a" {
			t.Errorf("%q goes as %s: %v", odd, u, err)
		}
	}
}

// TestOddTokensFindWhoSpoilsThem shows that what works with the tokens that were
// seen doesn't work with any token.
func TestOddTokensFindWhoSpoilsThem(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(token string) string{
		"escapes HTML":      html.EscapeString,
		"decodes again":     func(token string) string { decoded, _ := url.PathUnescape(token); return decoded },
		"a plus is a space": func(token string) string { return strings.ReplaceAll(token, "+", " ") },
		"cuts at the &":     func(token string) string { before, _, _ := strings.Cut(token, "&"); return before },
		"quotes as JSON":    func(token string) string { return strings.Trim(strconv.Quote(token), `"`) },
		"only ASCII": func(token string) string {
			return strings.Map(func(c rune) rune { return min(c, unicode.MaxASCII) }, token)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for plain, want := range map[bool]int{true: http.StatusCreated, false: http.StatusBadRequest} {
				b := newBench(t, Delivery{PlainTokens: plain})
				b.subscriber.shake = func(_ *http.Request, token string) handshakeAnswer {
					return handshakeAnswer{http.StatusOK, "text/plain", spoil(token), 0}
				}
				b.hub.shakes = 1 // the next token is odd, unless all are plain
				wantStatus(t, b.call(b.app, http.MethodPost, "/subscriptions", b.properties(nil)), want)
			}
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
			for _, url := range []string{"notificationUrl"} {
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
