package signaltest

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A Webhook sends by Standard Webhooks 1.0.0.
type Webhook struct {
	URL string
	// Secrets are the shared secrets, "whsec_" and base64 of 24 to 64 bytes. There is a
	// signature for each, the first one first.
	Secrets []string
	// HTTP reaches the receiver; nil means http.DefaultClient.
	HTTP *http.Client
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Post makes one attempt to send a body. The id stays when it is made again; the time is
// the attempt's. It returns the status, of which 200 to 299 mean success.
func (h Webhook) Post(ctx context.Context, id string, body []byte) (status int, err error) {
	now := time.Now
	if h.Now != nil {
		now = h.Now
	}
	return h.PostAt(ctx, id, now(), body)
}

// PostAt is Post with the time of another attempt, as whoever replays one sends it.
func (h Webhook) PostAt(ctx context.Context, id string, at time.Time, body []byte) (status int, err error) {
	seconds := strconv.FormatInt(at.Unix(), 10)
	signatures := make([]string, 0, len(h.Secrets))
	for _, secret := range h.Secrets {
		signature, err := SignWebhook(secret, id, seconds, body)
		if err != nil {
			return 0, err
		}
		signatures = append(signatures, signature)
	}
	header := http.Header{
		"Content-Type": {"application/json"}, "Webhook-Id": {id}, "Webhook-Timestamp": {seconds},
		"Webhook-Signature": {strings.Join(signatures, " ")},
	}
	status, _, err = exchange(ctx, h.HTTP, http.MethodPost, h.URL, header, body)
	return status, err
}

// SignWebhook is the signature "v1,…" of an id, a time in seconds and a body.
func SignWebhook(secret, id, seconds string, body []byte) (string, error) {
	text, ok := strings.CutPrefix(secret, "whsec_")
	key, err := base64.StdEncoding.DecodeString(text)
	switch {
	case !ok || err != nil:
		return "", errors.New("a webhook's secret is whsec_ and base64")
	case len(key) < 24 || len(key) > 64:
		return "", fmt.Errorf("a webhook's secret has 24 to 64 bytes, not %d", len(key))
	case strings.Contains(id, "."):
		return "", errors.New("a webhook's id has no full stop")
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + seconds + "."))
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)), nil
}

// exchange makes a request and reads the answer, which redirects nobody.
func exchange(ctx context.Context, client *http.Client, method, url string, header http.Header, body []byte) (status int, answer []byte, err error) {
	r, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	r.Header = header
	c := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if client != nil {
		c.Transport = client.Transport
	}
	got, err := c.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer got.Body.Close()
	answer, err = io.ReadAll(io.LimitReader(got.Body, 1<<16))
	return got.StatusCode, answer, err
}
