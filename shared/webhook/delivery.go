package webhook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/notification"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
)

// receive reads a delivery, keeps what is authentic and answers when it is queued.
func (h *Handler) receive(w http.ResponseWriter, req *http.Request, r *Receipt) {
	collection, err := notification.Decode(bodyOf(req))
	switch {
	case errors.Is(err, notification.ErrTooLarge):
		r.drop(TooLarge)
	case errors.Is(err, notification.ErrMalformed):
		r.drop(Malformed)
	case err != nil:
		retry(w, r, err)
		return
	}
	r.Items = collection.Len()
	if err := h.keep(req.Context(), &collection, r); err != nil {
		retry(w, r, err)
		return
	}
	answer(w, r, http.StatusAccepted)
}

// bodyOf spares those who make a request by hand, as an adapter of another
// protocol does, the nil that net/http's server never passes on.
func bodyOf(req *http.Request) io.Reader {
	if req.Body == nil {
		return http.NoBody
	}
	return req.Body
}

// keep sorts what was read and queues the good part. It has one time limit for
// all that it waits for, since Graph measures the whole.
func (h *Handler) keep(ctx context.Context, c *notification.Collection, r *Receipt) error {
	for range c.Bad {
		r.drop(Malformed)
	}
	if len(c.Changes)+len(c.Lifecycles) == 0 {
		return nil // nothing for which a secret would be needed
	}
	ctx, cancel := context.WithTimeout(ctx, h.timeout)
	defer cancel()
	keys, err := readKeyring(ctx, h.secrets)
	if err != nil {
		return err
	}
	s := sorter{tenant: h.tenant, keys: keys, receipt: r}
	return h.enqueue(ctx, s.requests(c.Changes), s.events(c.Lifecycles), r)
}

// enqueue fills both queues. If one refuses, the other is tried all the same:
// Graph will send everything again, but nobody knows when, and to both queues a
// repetition is harmless.
func (h *Handler) enqueue(ctx context.Context, requests []revocation.Request, events []notification.Lifecycle, r *Receipt) error {
	var faults []error
	if len(requests) > 0 {
		if err := h.queue.Enqueue(ctx, requests); err != nil {
			faults = append(faults, fmt.Errorf("enqueue requests: %w", err))
		} else {
			r.Queued = len(requests)
		}
	}
	if len(events) > 0 {
		if err := h.lifecycle.EnqueueLifecycle(ctx, events); err != nil {
			faults = append(faults, fmt.Errorf("enqueue lifecycle events: %w", err))
		} else {
			r.Lifecycle = len(events)
		}
	}
	return errors.Join(faults...)
}

// sorter parts what is to be kept of a delivery from what is to be dropped.
type sorter struct {
	tenant  string
	keys    keyring
	receipt *Receipt
}

// requests returns one request per user for the changes that are to be kept.
func (s *sorter) requests(changes []notification.Change) []revocation.Request {
	seen := s.receipt.Received.Round(0) // without the monotonic clock, which does not travel
	requests := make([]revocation.Request, 0, len(changes))
	users := make(map[string]struct{}, len(changes))
	for i := range changes {
		reason := s.judge(&changes[i])
		user := changes[i].UserID
		if _, known := users[user]; known && reason == "" {
			reason = Duplicate
		}
		if reason != "" {
			s.receipt.drop(reason)
			continue
		}
		users[user] = struct{}{}
		requests = append(requests, s.request(user, seen))
	}
	return requests
}

func (s *sorter) request(user string, seen time.Time) revocation.Request {
	return revocation.Request{
		Tenant: s.tenant,
		User:   user,
		Source: revocation.SourceNotification,
		Seen:   seen,
	}
}

// judge tells why a change is to be dropped, or "". Whether it is authentic comes
// first: of a forgery nothing else is worth counting.
func (s *sorter) judge(c *notification.Change) Reason {
	switch {
	case !s.keys.fit(c.ClientState):
		return Forged
	case c.TenantID != s.tenant:
		return ForeignTenant
	case c.UserID == "":
		return ForeignResource
	case c.ChangeType == notification.Deleted:
		return Deleted
	case c.ChangeType != notification.Updated:
		return Malformed
	}
	return ""
}

// events returns the lifecycle events that are to be kept, with the time at which
// they came and without their clientState: nobody needs it any more.
func (s *sorter) events(lifecycles []notification.Lifecycle) []notification.Lifecycle {
	received := s.receipt.Received.Round(0) // as in requests
	events := make([]notification.Lifecycle, 0, len(lifecycles))
	for _, l := range lifecycles {
		if reason := s.judgeLifecycle(&l); reason != "" {
			s.receipt.drop(reason)
			continue
		}
		l.ClientState, l.Received = notification.ClientState{}, received
		events = append(events, l)
	}
	return events
}

func (s *sorter) judgeLifecycle(l *notification.Lifecycle) Reason {
	switch {
	case !s.keys.fit(l.ClientState):
		return Forged
	case l.TenantID != s.tenant:
		return ForeignTenant
	case !l.Event.Known():
		return LifecycleUnknown
	}
	return ""
}
