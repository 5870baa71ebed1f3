package receiver

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/signal"
)

// A Receipt is what happened to one request. It holds ids, numbers and reasons only,
// nothing of what the sender wrote.
type Receipt struct {
	// Received is when it came, UTC, and Duration the time from then to the answer.
	Received time.Time
	Duration time.Duration
	// Source is the id of the source, and Kind what it is. Both are empty if there is no
	// such source, or that is not known.
	Source string
	Kind   signal.SourceKind
	// Status is the HTTP status of the answer.
	Status int
	// Signals counts those that were durably queued. Where an authentic POST has none, it
	// was queued that the source was heard.
	Signals int
	// Dropped counts the events of which no signal came, by reason; nil if there are none.
	Dropped map[signal.Reason]int
	// Err is why the status is not 2xx: a [*signal.Refusal], or what can't be had.
	Err error
}

// Refused tells that a source of ours was refused by something that does not end by itself:
// somebody who knows its path can't prove that he is it, or its secret is of no use. A
// person has to look. A stranger can't cause it, since he can't guess the path.
func (r *Receipt) Refused() bool {
	if refusal, ok := errors.AsType[*signal.Refusal](r.Err); ok {
		return r.Source != "" && !refusal.Temporary
	}
	return errors.Is(r.Err, errUnusable) || errors.Is(r.Err, signal.ErrNoCredential)
}

// report makes the one log record of a request and tells the observer.
func (h *Handler) report(ctx context.Context, r *Receipt) {
	r.Duration = h.config.Now().Sub(r.Received)
	attrs := []slog.Attr{
		slog.Int("status", r.Status),
		slog.String("source", r.Source),
		slog.String("kind", string(r.Kind)),
		slog.Int("signals", r.Signals),
		slog.Float64("duration_ms", float64(r.Duration)/float64(time.Millisecond)),
	}
	if len(r.Dropped) > 0 {
		attrs = append(attrs, slog.Any("dropped", r.Dropped))
	}
	if refusal, ok := errors.AsType[*signal.Refusal](r.Err); ok {
		attrs = append(attrs, slog.String("reason", string(refusal.Reason)))
	}
	if r.Err != nil {
		attrs = append(attrs, slog.String("error", r.Err.Error()))
	}
	h.config.Log.LogAttrs(ctx, r.level(), "signals received", attrs...)
	h.config.Observer.ObserveSignals(ctx, *r)
}

// level is Error where signals may be lost, Warn where a stranger is asking, else Info.
func (r *Receipt) level() slog.Level {
	switch {
	case r.Status == http.StatusServiceUnavailable || r.Refused():
		return slog.LevelError
	case r.Err != nil:
		return slog.LevelWarn
	}
	return slog.LevelInfo
}
