package msgraphtest

import (
	"context"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// handshakeAllowance is the time an endpoint has to answer the validation
// request, from "Notification endpoint validation" in
// https://learn.microsoft.com/graph/change-notifications-delivery-webhooks.
const handshakeAllowance = 10 * time.Second

// validationGreeting begins every validation token seen so far. Subscribers
// must treat the token as opaque.
const validationGreeting = "Validation: Testing client application reachability for subscription Request-Id: "

// oddity is what a subscriber may spoil: by decoding the token twice or not at
// all, by cutting it, or by escaping or quoting it. It has neither angle brackets
// nor control characters, because Microsoft also wants markup in the token
// escaped, and what it expects back then isn't documented.
const oddity = "\"'`\\u0041&amp;&validationToken=x%41%zz+  =#?;/../{}é日本語\u202e🔑"

// validateEndpoint asks one endpoint to repeat a token.
func (s *Server) validateEndpoint(ctx context.Context, endpoint string) error {
	s.mu.Lock()
	token := s.validationToken()
	s.mu.Unlock()
	a := s.post(ctx, withToken(endpoint, token), "text/plain; charset=utf-8", nil, handshakeAllowance)
	return a.repeats(token)
}

// validationToken makes the token of the next handshake: every second one is odd.
// s.mu is held.
func (s *Server) validationToken() string {
	s.hub.shakes++
	token := validationGreeting + s.newID()
	if s.hub.shakes%2 == 0 {
		token += oddity
	}
	return token
}

// withToken appends the token the way Graph writes it: a space is '+' and the
// colon's escape is in small letters.
func withToken(endpoint, token string) string {
	parameter := "validationToken=" + strings.ReplaceAll(url.QueryEscape(token), "%3A", "%3a")
	if strings.Contains(endpoint, "?") {
		return endpoint + "&" + parameter
	}
	return endpoint + "?" + parameter
}

// repeats tells whether the answer is what the handshake demands: in time,
// exactly 200, text/plain, and the decoded token alone. The messages are those
// seen in error reports; the last one is ours, for no report tells it.
func (a outcome) repeats(token string) error {
	const failed = "Subscription validation request failed."
	const rule = " Notification endpoint must respond with 200 OK to validation request."
	mediaType, _, _ := mime.ParseMediaType(a.contentType)
	switch {
	case a.took >= handshakeAllowance:
		return validationError("Subscription validation request timed out.")
	case a.err != nil:
		return validationError(failed + rule)
	case a.status != http.StatusOK:
		return validationError(failed + " HTTP status code is '" + statusName(a.status) + "'." + rule)
	case mediaType != "text/plain" || string(a.body) != token:
		return validationError(failed + " Notification endpoint must respond with the decoded validation token as text/plain.")
	}
	return nil
}

func validationError(message string) error {
	return refuse(http.StatusBadRequest, "ValidationError", "%s", message)
}

// statusName is the status as .NET's HttpStatusCode spells it.
func statusName(status int) string {
	return strings.NewReplacer(" ", "", "-", "", "'", "").Replace(http.StatusText(status))
}
