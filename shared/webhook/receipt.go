package webhook

import (
	"context"
	"log/slog"
	"net/http"
	"time"
)

// Reason tells why a notification was dropped. Reasons are codes: they stand in
// logs and metrics, and never change meaning.
type Reason string

// The reasons. Of a notification that was read, Forged is tried first, so that
// all after it is said only of what is Graph's.
const (
	// TooLarge: the body exceeds the limits of package notification. It counts
	// as one, since nobody knows how many notifications it held.
	TooLarge Reason = "too_large"
	// Malformed: the notification can't be read or has an unknown changeType;
	// or the body as a whole can't be read, which counts as one.
	Malformed Reason = "malformed"
	// Forged: the clientState is neither the current nor the previous secret.
	Forged Reason = "forged"
	// ForeignTenant: it concerns another tenant.
	ForeignTenant Reason = "foreign_tenant"
	// LifecycleUnknown: a lifecycle event that Microsoft does not document.
	LifecycleUnknown Reason = "lifecycle_unknown"
	// ForeignResource: something other than a user changed.
	ForeignResource Reason = "foreign_resource"
	// Deleted: the user is gone for good.
	Deleted Reason = "deleted"
	// Duplicate: an earlier notification of the same POST concerns the user.
	Duplicate Reason = "duplicate"
)

// Kind tells what a POST was.
type Kind string

// The kinds.
const (
	// Handshake is Graph asking, before it makes a subscription, whether
	// somebody is there.
	Handshake Kind = "handshake"
	// Delivery is a collection of notifications.
	Delivery Kind = "delivery"
)

// A Receipt is what happened to one POST. It holds numbers and reasons only,
// nothing of what the sender wrote. In a Delivery that was answered 202, Items is
// the sum of Queued, Lifecycle and Dropped, unless the body as a whole could not
// be read.
type Receipt struct {
	// Kind tells what it was.
	Kind Kind
	// Received is when it came, UTC.
	Received time.Time
	// Duration is the time from then to the answer.
	Duration time.Duration
	// Status is the HTTP status of the answer: 200 or 400 to a Handshake, 202,
	// 400 or 503 to a Delivery.
	Status int
	// Items counts the elements of the body, readable or not; 0 if the body as a
	// whole could not be read.
	Items int
	// Queued counts the requests that were durably queued.
	Queued int
	// Lifecycle counts the lifecycle events that were durably queued.
	Lifecycle int
	// Dropped counts what was dropped, by reason; nil if nothing was.
	Dropped map[Reason]int
	// Err is why Status is 400 or 503, else nil.
	Err error
}

func (r *Receipt) drop(reason Reason) {
	if r.Dropped == nil {
		r.Dropped = make(map[Reason]int)
	}
	r.Dropped[reason]++
}

// Keys of the log record.
const (
	keyKind      = "kind"
	keyStatus    = "status"
	keyItems     = "items"
	keyQueued    = "queued"
	keyLifecycle = "lifecycle"
	keyDropped   = "dropped"
	keyDuration  = "duration_ms"
	keyError     = "error"
)

// report makes the one log record of a POST and tells the observer.
func (h *Handler) report(ctx context.Context, r *Receipt) {
	r.Duration = h.now().Sub(r.Received)
	attrs := make([]slog.Attr, 0, 8) // as many as there are keys
	attrs = append(attrs,
		slog.String(keyKind, string(r.Kind)),
		slog.Int(keyStatus, r.Status),
		slog.Int(keyItems, r.Items),
		slog.Int(keyQueued, r.Queued),
		slog.Int(keyLifecycle, r.Lifecycle),
		slog.Float64(keyDuration, float64(r.Duration)/float64(time.Millisecond)))
	if len(r.Dropped) > 0 {
		attrs = append(attrs, slog.GroupAttrs(keyDropped, r.droppedAttrs()...))
	}
	if r.Err != nil {
		attrs = append(attrs, slog.String(keyError, r.Err.Error()))
	}
	h.log.LogAttrs(ctx, r.level(), "webhook received", attrs...)
	if h.observer != nil {
		h.observer.ObserveReceipt(ctx, *r)
	}
}

// reasons fixes the order of the counts in a log record.
var reasons = [...]Reason{
	TooLarge, Malformed, Forged, ForeignTenant, LifecycleUnknown, ForeignResource, Deleted, Duplicate,
}

func (r *Receipt) droppedAttrs() []slog.Attr {
	attrs := make([]slog.Attr, 0, len(reasons))
	for _, reason := range reasons {
		if n := r.Dropped[reason]; n > 0 {
			attrs = append(attrs, slog.Int(string(reason), n))
		}
	}
	return attrs
}

// level is Error where Graph has to send again, Warn where somebody other than
// Graph may be posting or Graph speaks in a way that we don't know, else Info.
func (r *Receipt) level() slog.Level {
	switch r.Status {
	case http.StatusServiceUnavailable:
		return slog.LevelError
	case http.StatusBadRequest:
		return slog.LevelWarn
	}
	for reason := range r.Dropped {
		if reason != Deleted && reason != Duplicate {
			return slog.LevelWarn
		}
	}
	return slog.LevelInfo
}
