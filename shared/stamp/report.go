package stamp

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"
)

// errAborted is the cause of whatever a panic left unsettled.
var errAborted = errors.New("the work broke off")

// report tells the observer and the log what became of every user, and writes one record
// of the whole batch. No value in it is ever a name, a user principal name or a secret.
func (s *Stamper) report(ctx context.Context, jobs []*job, started time.Time) {
	reasons := make(map[Reason]int)
	requests := 0
	for _, j := range jobs {
		if !j.settled {
			j.fail(ReasonAborted, errAborted)
		}
		j.out.Request = j.request
		reasons[j.out.Reason]++
		requests += len(j.positions)
		s.reportJob(ctx, j)
	}
	s.Log.LogAttrs(ctx, slog.LevelInfo, "requests handled",
		slog.String("tenant", s.Tenant),
		slog.Int("requests", requests),
		slog.Int("users", len(jobs)),
		slog.Any("reasons", reasons),
		slog.Int64("duration_ms", s.Now().Sub(started).Milliseconds()))
}

func (s *Stamper) reportJob(ctx context.Context, j *job) {
	s.Observer.Observe(ctx, j.out)
	attrs := []slog.Attr{
		slog.String("tenant", s.Tenant),
		slog.String("verdict", string(j.out.Verdict)),
		slog.String("reason", string(j.out.Reason)),
	}
	if j.out.Reason != ReasonInvalid { // else its fields may hold anything, a name too
		attrs = append(attrs,
			slog.String("user", j.request.User),
			slog.String("source", string(j.request.Source)))
		if j.request.Source == SourceSignal {
			attrs = append(attrs, slog.String("provider", j.request.Provider), slog.String("cause", j.request.Cause))
		}
	}
	if j.out.Delay > 0 {
		attrs = append(attrs, slog.Float64("delay_s", j.out.Delay.Seconds()))
	}
	if !j.out.Called.IsZero() && !j.out.Created.IsZero() {
		attrs = append(attrs, slog.Float64("creation_to_call_s", j.out.Called.Sub(j.out.Created).Seconds()))
	}
	if j.out.Err != nil {
		attrs = append(attrs, slog.String("error", j.out.Err.Error()))
	}
	s.Log.LogAttrs(ctx, level(j.out), "user handled", attrs...)
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
	case slices.Contains(remarkable, o.Reason),
		o.Request.Source == SourceSignal && o.Reason == ReasonExcluded: // a stolen password ends no session
		return slog.LevelWarn
	case o.Reason == ReasonCalled || o.Reason == ReasonReadBack || o.Err != nil:
		return slog.LevelInfo
	}
	return slog.LevelDebug
}
