package webhook

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// MaxBytes is the length of the longest body that is read. Graph publishes no limit; an
// item for a user has about 600 bytes.
const MaxBytes = 1 << 20

// receive reads a delivery, keeps what is authentic and answers when it is queued.
func (h *Handler) receive(w http.ResponseWriter, req *http.Request, r *Receipt) {
	body, err := read(req)
	if err == nil {
		err = h.keep(req.Context(), body, r)
	}
	if err != nil {
		retry(w, r, err)
		return
	}
	answer(w, r, http.StatusAccepted)
}

// read returns the body, or one byte more of it than is admitted.
func read(req *http.Request) (string, error) {
	var body strings.Builder
	body.Grow(int(min(max(req.ContentLength, 0), MaxBytes)))
	if _, err := io.CopyBuffer(&body, io.LimitReader(req.Body, MaxBytes+1), make([]byte, 4096)); err != nil {
		return "", fmt.Errorf("body broke off: %w", err)
	}
	return body.String(), nil
}

// keep sorts what was read and queues the good part. One time limit holds for all that it
// waits for, since Graph measures the whole.
func (h *Handler) keep(ctx context.Context, body string, r *Receipt) error {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	items, ok := decode(body)
	if !ok {
		return h.dropAll(ctx, body, r)
	}
	r.Items = len(items)
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

// dropAll drops a body that can't be read as a whole. To send it again would not help.
func (h *Handler) dropAll(ctx context.Context, body string, r *Receipt) error {
	wanted, err := h.clientState(ctx, false)
	ours := err == nil && strings.Contains(body, wanted)
	switch {
	case err != nil:
		return err
	case !ours:
		r.drop(Forged)
	case len(body) > MaxBytes:
		r.drop(TooLarge)
	default:
		r.drop(Malformed)
	}
	return nil
}

// sort returns one request for each user who is to be looked at, and counts the rest.
func (h *Handler) sort(items []item, r *Receipt) []stamp.Request {
	seen := r.Received.Round(0) // without the monotonic clock, which does not travel
	requests := make([]stamp.Request, 0, len(items))
	users := make(map[string]bool, len(items))
	for i := range items {
		user, reason := items[i].user, items[i].reason(h.config.Tenant)
		if reason == "" && users[user] {
			reason = Duplicate
		}
		if reason != "" {
			r.drop(reason)
			continue
		}
		users[user] = true
		requests = append(requests, stamp.Request{
			Tenant: h.config.Tenant, User: user, Source: stamp.SourceNotification, Seen: seen,
		})
	}
	return requests
}

// reason tells why the item is to be dropped, or "". Whether it is authentic comes
// first: of a forgery nothing else is worth counting.
func (i *item) reason(tenant string) Reason {
	switch {
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
	case strings.EqualFold(i.changeType, "deleted"):
		return Deleted
	case !strings.EqualFold(i.changeType, "updated"):
		return Malformed
	}
	return ""
}
