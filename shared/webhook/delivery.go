package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// MaxBytes is the length of the longest body that is read. Graph publishes no limit; an
// item for a user has about 600 bytes.
const MaxBytes = 1 << 20

// errBrokenOff tells that a body could not be read to its end. Graph should send it
// again.
var errBrokenOff = errors.New("body broke off")

// receive reads a delivery, keeps what is authentic and answers when it is queued.
func (h *Handler) receive(w http.ResponseWriter, req *http.Request, r *Receipt) {
	body, err := read(req)
	if err != nil {
		retry(w, r, err)
		return
	}
	ctx, cancel := context.WithTimeout(req.Context(), h.config.EnqueueTimeout)
	defer cancel()
	items, err := decode(body)
	if err != nil {
		h.dropAll(ctx, body, err, r)
	} else if err := h.keep(ctx, items, r); err != nil {
		retry(w, r, err)
		return
	}
	answer(w, r, http.StatusAccepted)
}

// read returns the body, or one byte more of it than is admitted.
func read(req *http.Request) ([]byte, error) {
	if req.Body == nil {
		return nil, nil // of a request that was made by hand
	}
	expected := min(max(req.ContentLength, 0), MaxBytes)
	body := bytes.NewBuffer(make([]byte, 0, expected+bytes.MinRead))
	if _, err := body.ReadFrom(io.LimitReader(req.Body, MaxBytes+1)); err != nil {
		return nil, fmt.Errorf("%w: %w", errBrokenOff, err)
	}
	return body.Bytes(), nil
}

// dropAll counts a body that can't be read as a whole. To send it again would not help.
func (h *Handler) dropAll(ctx context.Context, body []byte, err error, r *Receipt) {
	reason := Malformed
	if errors.Is(err, errTooLarge) {
		reason = TooLarge
	}
	r.drop(reason)
	if h.holdsOurState(ctx, body) {
		r.Malformed++
	}
}

func (h *Handler) holdsOurState(ctx context.Context, body []byte) bool {
	states, err := h.config.Secrets.ClientStates(ctx, false)
	for _, state := range states {
		if err == nil && state != "" && bytes.Contains(body, []byte(state)) {
			return true
		}
	}
	return false
}

// keep sorts what was read and queues the good part. The context limits all that it
// waits for, since Graph measures the whole.
func (h *Handler) keep(ctx context.Context, items []item, r *Receipt) error {
	r.Items = len(items)
	if len(items) == 0 {
		return nil // nothing for which a secret would be needed
	}
	if err := h.judge(ctx, items); err != nil {
		return err
	}
	requests := h.sort(items, r)
	if len(requests) == 0 {
		return nil
	}
	if err := h.config.Queue.Enqueue(ctx, requests); err != nil {
		return fmt.Errorf("enqueue requests: %w", err)
	}
	r.Queued = len(requests)
	return nil
}

// sort returns one request for each user who is to be looked at, and counts the rest.
func (h *Handler) sort(items []item, r *Receipt) []stamp.Request {
	seen := r.Received.Round(0) // without the monotonic clock, which does not travel
	requests := make([]stamp.Request, 0, len(items))
	users := make(map[string]struct{}, len(items))
	for i := range items {
		reason := items[i].reason(h.config.Tenant)
		if _, known := users[items[i].user]; known && reason == "" {
			reason = Duplicate
		}
		if reason != "" {
			r.drop(reason)
			continue
		}
		users[items[i].user] = struct{}{}
		requests = append(requests, h.request(items[i].user, seen))
	}
	r.Malformed = malformed(items, h.config.Tenant)
	return requests
}

func (h *Handler) request(user string, seen time.Time) stamp.Request {
	return stamp.Request{Tenant: h.config.Tenant, User: user, Source: stamp.SourceNotification, Seen: seen}
}

// malformed counts the items that can't be read though their clientState is ours.
func malformed(items []item, tenant string) int {
	n := 0
	for i := range items {
		if items[i].ours && items[i].reason(tenant) == Malformed {
			n++
		}
	}
	return n
}

// reason tells why the item is to be dropped, or "". Whether it is authentic comes
// first: of a forgery nothing else is worth counting.
func (i *item) reason(tenant string) Reason {
	switch {
	case i.unreadable && !i.ours && i.clientState == "":
		return Malformed
	case !i.ours:
		return Forged
	case i.lifecycle:
		return Lifecycle
	case i.unreadable:
		return Malformed
	case i.tenant != tenant:
		return ForeignTenant
	case i.user == "":
		return ForeignResource
	case i.changeType == "deleted":
		return Deleted
	case i.changeType != "updated":
		return Malformed
	}
	return ""
}
