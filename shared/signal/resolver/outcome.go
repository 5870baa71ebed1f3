package resolver

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/signal"
)

// Why a message ended as it did, beside the reasons of package signal.
const (
	// Queued: the user's request is in the stamper's queue.
	Queued signal.Reason = "queued"
	// Heard: the message only told that the source is there.
	Heard signal.Reason = "heard"
)

// Why a message is left to its queue.
const (
	Invalid signal.Reason = "invalid"
	// NotFoundYet: the signal is younger than the replication lag, and the directory knows
	// nobody like that.
	NotFoundYet         signal.Reason = "not_found_yet"
	GraphUnavailable    signal.Reason = "graph_unavailable"
	DomainsUnavailable  signal.Reason = "domains_unavailable"
	RegistryUnavailable signal.Reason = "registry_unavailable"
	QueueUnavailable    signal.Reason = "queue_unavailable"
	OutOfTime           signal.Reason = "out_of_time"
)

// An Outcome tells what became of one message.
type Outcome struct {
	// Source is the id of the source, and Kind what it reported. Both are empty where the
	// message is invalid, and Kind where the source was only heard.
	Source string
	Kind   signal.Kind
	Reason signal.Reason
	// User is the object id, empty unless the source may speak of the user.
	User string
	// Waited is how long ago the message was received.
	Waited time.Duration
	// Left tells that the message is left to its queue.
	Left bool
	// Err is why, where something failed. It names nobody.
	Err error
}

// report tells the observer and the log what became of every message, and writes one record
// of the whole batch. No value in it is ever a subject, a name or a secret.
func (r *Resolver) report(ctx context.Context, jobs []*job, started time.Time) {
	reasons := make(map[signal.Reason]int)
	for _, j := range jobs {
		reasons[j.out.Reason]++
		r.Observer.ObserveSignal(ctx, j.out)
		r.Log.LogAttrs(ctx, level(j.out), "signal handled", j.out.attrs()...)
	}
	r.Log.LogAttrs(ctx, slog.LevelInfo, "signals handled",
		slog.Int("messages", len(jobs)),
		slog.Any("reasons", reasons),
		slog.Int64("duration_ms", r.Now().Sub(started).Milliseconds()))
}

func (o Outcome) attrs() []slog.Attr {
	attrs := []slog.Attr{
		slog.String("reason", string(o.Reason)), slog.String("provider", o.Source), slog.String("cause", string(o.Kind)),
		slog.String("user", o.User), slog.Float64("waited_s", o.Waited.Seconds()),
	}
	if o.Err != nil {
		attrs = append(attrs, slog.String("error", o.Err.Error()))
	}
	return attrs
}

// remarkable are the reasons that a person should look at: perhaps somebody's stolen
// password ends no session.
var remarkable = []signal.Reason{
	signal.SubjectAmbiguous, signal.SubjectForeignDomain, GraphUnavailable, RegistryUnavailable, QueueUnavailable,
}

func level(o Outcome) slog.Level {
	switch {
	case o.Reason == Invalid:
		return slog.LevelError
	case slices.Contains(remarkable, o.Reason):
		return slog.LevelWarn
	case o.Reason == Heard:
		return slog.LevelDebug
	}
	return slog.LevelInfo
}
