package webhook

import (
	"context"
	"log/slog"
	"net/http"
	"time"
)

// Reason tells why a notification was dropped. Reasons are codes in logs and metrics.
type Reason string

// The reasons. Forged is tried first, so that the reasons after it are said only of what
// is Graph's. Of an item that can't be read, it is not known whose it is unless its
// clientState fits.
const (
	// TooLarge: the body exceeds MaxBytes or MaxItems. It counts as one, since nobody
	// knows how many notifications it held.
	TooLarge Reason = "too_large"
	// Malformed: the notification can't be read or has an unknown changeType; or the
	// body as a whole can't be read, which counts as one.
	Malformed Reason = "malformed"
	// Forged: the clientState is not one of the accepted.
	Forged Reason = "forged"
	// Lifecycle: it is about the subscription, and the keeper, which renews on
	// schedule, does not need it.
	Lifecycle Reason = "lifecycle"
	// ForeignTenant: it concerns another tenant.
	ForeignTenant Reason = "foreign_tenant"
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
	// Handshake is Graph asking, before it makes a subscription, whether somebody is
	// there.
	Handshake Kind = "handshake"
	// Delivery is a collection of notifications.
	Delivery Kind = "delivery"
)

// A Receipt is what happened to one POST. It holds numbers and reasons only, nothing of
// what the sender wrote. In a Delivery that was answered 202, Items is the sum of Queued
// and Dropped, unless the body as a whole could not be read.
type Receipt struct {
	Kind Kind
	// Received is when it came, UTC, and Duration the time from then to the answer.
	Received time.Time
	Duration time.Duration
	// Status is the HTTP status of the answer: 200 or 400 to a Handshake, 202, 400 or
	// 503 to a Delivery.
	Status int
	// Items counts the elements of the body, readable or not; 0 if the body as a whole
	// could not be read.
	Items int
	// Queued counts the requests that were durably queued.
	Queued int
	// Dropped counts what was dropped, by reason; nil if nothing was.
	Dropped map[Reason]int
	// Malformed counts what was dropped though it looks like Graph's: an unreadable item
	// with our clientState, or a body that could not be read as a whole and holds our
	// clientState. It is an alarm within the hour, because Graph may have changed what
	// it sends.
	Malformed int
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
	keyDropped   = "dropped"
	keyMalformed = "malformed_delivery"
	keyDuration  = "duration_ms"
	keyError     = "error"
)

// report makes the one log record of a POST and tells the observer.
func (h *Handler) report(ctx context.Context, r *Receipt) {
	r.Duration = h.config.Now().Sub(r.Received)
	h.config.Log.LogAttrs(ctx, r.level(), "webhook received", r.attrs()...)
	if h.config.Observer != nil {
		h.config.Observer.ObserveReceipt(ctx, *r)
	}
}

func (r *Receipt) attrs() []slog.Attr {
	attrs := make([]slog.Attr, 0, 8) // as many as there are keys
	attrs = append(attrs,
		slog.String(keyKind, string(r.Kind)),
		slog.Int(keyStatus, r.Status),
		slog.Int(keyItems, r.Items),
		slog.Int(keyQueued, r.Queued),
		slog.Float64(keyDuration, float64(r.Duration)/float64(time.Millisecond)))
	if len(r.Dropped) > 0 {
		attrs = append(attrs, slog.GroupAttrs(keyDropped, r.droppedAttrs()...))
	}
	if r.Malformed > 0 {
		attrs = append(attrs, slog.Int(keyMalformed, r.Malformed))
	}
	if r.Err != nil {
		attrs = append(attrs, slog.String(keyError, r.Err.Error()))
	}
	return attrs
}

// reasons fixes the order of the counts in a log record.
var reasons = [...]Reason{
	TooLarge, Malformed, Forged, Lifecycle, ForeignTenant, ForeignResource, Deleted, Duplicate,
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

// level is Error where Graph has to send again or its own words could not be read, Warn
// where a stranger may be posting, else Info.
func (r *Receipt) level() slog.Level {
	switch {
	case r.Status == http.StatusServiceUnavailable, r.Malformed > 0:
		return slog.LevelError
	case r.Status == http.StatusBadRequest:
		return slog.LevelWarn
	}
	for reason := range r.Dropped {
		if reason != Deleted && reason != Duplicate && reason != Lifecycle {
			return slog.LevelWarn
		}
	}
	return slog.LevelInfo
}
