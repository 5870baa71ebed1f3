package stamp

import (
	"context"
	"errors"
	"log/slog"
	"slices"
)

// Log keys of a batch and of one user in it. No value of theirs is ever a name, a user
// principal name or a secret.
const (
	logTenant   = "tenant"
	logUser     = "user"
	logSource   = "source"
	logVerdict  = "verdict"
	logReason   = "reason"
	logReasons  = "reasons"
	logRequests = "requests"
	logUsers    = "users"
	logDelay    = "delay_s"
	logAge      = "creation_to_call_s"
	logDuration = "duration_ms"
	logError    = "error"
)

// errAborted is the cause of whatever a panic left unsettled.
var errAborted = errors.New("the work broke off")

// report tells the observer and the log what became of every user, and writes one record
// of the whole batch.
func (b *batch) report(ctx context.Context) {
	reasons := make(map[Reason]int)
	requests := 0
	for _, j := range b.jobs {
		if !j.settled {
			j.fail(ReasonAborted, errAborted)
		}
		j.out.Request = j.request
		reasons[j.out.Reason]++
		requests += len(j.positions)
		b.reportJob(ctx, j)
	}
	b.s.Log.LogAttrs(ctx, slog.LevelInfo, "requests handled",
		slog.String(logTenant, b.s.Tenant),
		slog.Int(logRequests, requests),
		slog.Int(logUsers, len(b.jobs)),
		slog.Any(logReasons, reasons),
		slog.Int64(logDuration, b.s.Now().Sub(b.started).Milliseconds()))
}

func (b *batch) reportJob(ctx context.Context, j *job) {
	if b.s.Observer != nil {
		b.s.Observer.Observe(ctx, j.out)
	}
	attrs := []slog.Attr{
		slog.String(logTenant, b.s.Tenant),
		slog.String(logVerdict, string(j.out.Verdict)),
		slog.String(logReason, string(j.out.Reason)),
	}
	if j.request.Validate() == nil { // else its fields may hold anything, a name too
		attrs = append(attrs,
			slog.String(logUser, j.request.User),
			slog.String(logSource, string(j.request.Source)))
	}
	if j.out.Delay > 0 {
		attrs = append(attrs, slog.Float64(logDelay, j.out.Delay.Seconds()))
	}
	if !j.out.Called.IsZero() && !j.out.Created.IsZero() {
		attrs = append(attrs, slog.Float64(logAge, j.out.Called.Sub(j.out.Created).Seconds()))
	}
	if j.out.Err != nil {
		attrs = append(attrs, slog.String(logError, j.out.Err.Error()))
	}
	b.s.Log.LogAttrs(ctx, level(j.out), "user handled", attrs...)
}

// remarkable are the reasons that a person should look at.
var remarkable = []Reason{
	ReasonForbidden, ReasonRefused, ReasonStillEmpty, ReasonStampUnknown,
	ReasonGraphForbidden, ReasonBrake, ReasonExclusionsUnavailable,
}

// level keeps what an administrator should see apart from the firehose.
func level(o Outcome) slog.Level {
	switch {
	case o.Verdict == Failed:
		return slog.LevelError
	case slices.Contains(remarkable, o.Reason):
		return slog.LevelWarn
	case o.Reason == ReasonCalled || o.Reason == ReasonReadBack || o.Err != nil:
		return slog.LevelInfo
	}
	return slog.LevelDebug
}
