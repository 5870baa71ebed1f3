package signaltest

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// An OktaHook sends as an [Okta event hook] does.
//
// [Okta event hook]: https://developer.okta.com/docs/concepts/event-hooks/
type OktaHook struct {
	judge
	URL string
	// Header and Secret are those of every request, as Authorization: secret.
	Header, Secret string
	// HTTP reaches the receiver; nil means http.DefaultClient.
	HTTP *http.Client
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// oktaPatience is how long Okta waits for an answer.
const oktaPatience = 3 * time.Second

// Verify makes the one GET that proves the endpoint to be the customer's.
func (h *OktaHook) Verify(ctx context.Context) error {
	challenge := rand.Text()
	header := h.header()
	header.Set("X-Okta-Verification-Challenge", challenge)
	status, body, err := h.call(ctx, http.MethodGet, header, nil)
	if err != nil {
		return err
	}
	var said struct {
		Verification string `json:"verification"`
	}
	if err := json.Unmarshal(body, &said); err != nil || status != http.StatusOK || said.Verification != challenge {
		return fmt.Errorf("the challenge was answered with %d and another value", status)
	}
	return nil
}

// Post sends events in one batch, once more after a time-out or a 5xx, and never after a
// 4xx. An error says that Okta has given up and that they are lost.
func (h *OktaHook) Post(ctx context.Context, events ...map[string]any) error {
	now := time.Now
	if h.Now != nil {
		now = h.Now
	}
	body, err := json.Marshal(map[string]any{
		"eventType": "com.okta.event_hook", "eventTypeVersion": "1.0", "cloudEventsVersion": "0.1",
		"contentType": "application/json", "eventId": rand.Text(),
		"eventTime": now().UTC().Format(oktaTime), "source": "https://example.okta.com/api/v1/eventHooks/who1",
		"data": map[string]any{"events": events},
	})
	if err != nil {
		return err
	}
	var status int
	for range 2 {
		status, err = h.attempt(ctx, body)
		if err == nil && status < 500 {
			break
		}
	}
	if err == nil && status >= 300 {
		err = fmt.Errorf("the receiver answered %d", status)
	}
	return err
}

func (h *OktaHook) attempt(ctx context.Context, body []byte) (status int, err error) {
	status, said, err := h.call(ctx, http.MethodPost, h.header(), body)
	if errors.Is(err, context.DeadlineExceeded) {
		h.fault("took longer than 3 seconds")
	}
	if status >= 200 && status < 400 && (status != http.StatusOK && status != http.StatusNoContent || len(said) > 0) {
		h.fault("answered a delivery with %d and %d bytes, not an empty 200 or 204", status, len(said))
	}
	return status, err
}

func (h *OktaHook) call(ctx context.Context, method string, header http.Header, body []byte) (int, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, oktaPatience)
	defer cancel()
	return exchange(ctx, h.HTTP, method, h.URL, header, body)
}

func (h *OktaHook) header() http.Header {
	header := http.Header{"Accept": {"application/json"}, "Content-Type": {"application/json"}}
	header.Set(h.Header, h.Secret)
	return header
}

// oktaTime is how Okta writes times.
const oktaTime = "2006-01-02T15:04:05.000Z"

// OktaEvent is a System Log event about a user, done by an administrator who is another.
func OktaEvent(kind, userID, login string, at time.Time) map[string]any {
	return map[string]any{
		"uuid": rand.Text(), "published": at.UTC().Format(oktaTime), "eventType": kind, "version": "0", "severity": "INFO",
		"outcome": map[string]any{"result": "SUCCESS", "reason": nil},
		"actor":   map[string]any{"id": "00uadmin", "type": "User", "alternateId": "admin@example.com", "displayName": "Admin"},
		"target": []map[string]any{
			{"id": "0oa1", "type": "AppInstance", "alternateId": "Office 365", "displayName": "Office 365"},
			{"id": userID, "type": "User", "alternateId": login, "displayName": "Somebody"},
		},
	}
}
