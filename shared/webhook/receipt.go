package webhook

import (
	"context"
	"log/slog"
	"net/http"
	"time"
)

// Reason tells why a notification was dropped. Reasons are codes in logs and metrics.
type Reason string

// The reasons. Forged is tried first, so that the others are said only of what is
// Graph's: no stranger can ring with them.
const (
	// Forged: the clientState is not one of the accepted; or the body as a whole can't be
	// read and holds none of them, which counts as one.
	Forged Reason = "forged"
	// TooLarge: the body exceeds MaxBytes. It counts as one, since nobody knows how many
	// notifications it held.
	TooLarge Reason = "too_large"
	// Malformed: the notification can't be read or has an unknown changeType; or the
	// body as a whole can't be read, which counts as one. It is an alarm within the hour,
	// as TooLarge is, because Graph may have changed what it sends.
	Malformed Reason = "malformed"
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

// A Receipt is what happened to one POST. It holds numbers and reasons only, nothing of
// what the sender wrote. If Status is 202, Items is the sum of Queued and Dropped, unless
// the body as a whole could not be read.
type Receipt struct {
	// Received is when it came, UTC, and Duration the time from then to the answer.
	Received time.Time
	Duration time.Duration
	// Status is the HTTP status of the answer: 200 or 400 to a handshake, 202 or 503 to a
	// delivery.
	Status int
	// Items counts the elements of the body, readable or not; 0 if the body as a whole
	// could not be read.
	Items int
	// Queued counts the requests that were durably queued.
	Queued int
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

// Unreadable counts what was dropped though it bears our clientState.
func (r *Receipt) Unreadable() int { return r.Dropped[Malformed] + r.Dropped[TooLarge] }

// report makes the one log record of a POST and tells the observer.
func (h *Handler) report(ctx context.Context, r *Receipt) {
	r.Duration = h.config.Now().Sub(r.Received)
	attrs := []slog.Attr{
		slog.Int("status", r.Status),
		slog.Int("items", r.Items),
		slog.Int("queued", r.Queued),
		slog.Float64("duration_ms", float64(r.Duration)/float64(time.Millisecond)),
	}
	if len(r.Dropped) > 0 {
		attrs = append(attrs, slog.Any("dropped", r.Dropped))
	}
	if r.Err != nil {
		attrs = append(attrs, slog.String("error", r.Err.Error()))
	}
	h.config.Log.LogAttrs(ctx, r.level(), "webhook received", attrs...)
	h.config.Observer.ObserveReceipt(ctx, *r)
}

// level is Error where Graph has to send again or its own words could not be read, Warn
// where a stranger may be posting, else Info.
func (r *Receipt) level() slog.Level {
	switch {
	case r.Status == http.StatusServiceUnavailable, r.Unreadable() > 0:
		return slog.LevelError
	case r.Status == http.StatusBadRequest, r.Dropped[Forged] > 0,
		r.Dropped[ForeignTenant] > 0, r.Dropped[ForeignResource] > 0:
		return slog.LevelWarn
	}
	return slog.LevelInfo
}
