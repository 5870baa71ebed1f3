package rotation

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// Keys of the log record.
const (
	logKind     = "kind"
	logStep     = "step"
	logSecret   = "secret_id"
	logVersion  = "version_id"
	logOutcome  = "outcome"
	logAdded    = "added"
	logRemoved  = "removed"
	logCleared  = "cleared"
	logOthers   = "others"
	logNextStep = "next_step"
	logAttempts = "attempts"
	logDuration = "duration_ms"
	logWrong    = "wrong"
	logError    = "error"
)

// outcome is what a step came to. Outcomes are codes: they never change meaning.
type outcome string

const (
	// outcomeDone: the step did what it is for, perhaps without having to do anything.
	outcomeDone outcome = "done"
	// outcomeAlready: the version was current already.
	outcomeAlready outcome = "already_current"
	// outcomeAbandoned: the version could not come to anything and was let go of.
	outcomeAbandoned outcome = "abandoned"
	// outcomeFailed: the step is to be tried again.
	outcomeFailed outcome = "failed"
)

// report is what one step did.
type report struct {
	outcome outcome
	// added is the key id of a password, or the thumbprint of a certificate.
	added string
	// removed are key ids, cleared the versions that lost AWSPENDING.
	removed, cleared []string
	// others are key ids of what other rotations have added, which this one may not judge.
	others []string
	// attempts counts the proofs, those that succeeded included.
	attempts int
}

// adviceOthers is what to do about what other rotations have added: nobody here can know
// whether it is in use.
const adviceOthers = "The credentials in others were added by rotations of another secret, or while this one held another kind. " +
	"Where something signs in with one, leave it. Where nothing does, remove it from the app registration by its key id."

// tell makes the one log record of a step.
func (r *run) tell(ctx context.Context, err error) {
	level := slog.LevelInfo
	switch {
	case r.report.outcome == outcomeAbandoned:
		level = slog.LevelWarn
	case err != nil:
		level, r.report.outcome = slog.LevelError, outcomeFailed
	case r.report.outcome == "":
		r.report.outcome = outcomeDone
	}
	if len(r.report.others) > 0 {
		level = max(level, slog.LevelWarn)
	}
	r.Log.LogAttrs(ctx, level, "secret rotated a step", r.attrs(err)...)
}

func (r *run) attrs(err error) []slog.Attr {
	attrs := []slog.Attr{
		slog.String(logKind, r.Kind.name()),
		slog.String(logStep, string(r.event.Step)),
		slog.String(logSecret, r.event.SecretID),
		slog.String(logVersion, r.event.Token),
		slog.String(logOutcome, string(r.report.outcome)),
		slog.Float64(logDuration, float64(r.Now().Sub(r.began))/float64(time.Millisecond)),
	}
	if r.report.added != "" {
		attrs = append(attrs, slog.String(logAdded, r.report.added))
	}
	if len(r.report.removed) > 0 {
		attrs = append(attrs, slog.Any(logRemoved, r.report.removed))
	}
	if len(r.report.cleared) > 0 {
		attrs = append(attrs, slog.Any(logCleared, r.report.cleared))
	}
	if len(r.report.others) > 0 {
		attrs = append(attrs, slog.Any(logOthers, r.report.others), slog.String(logNextStep, adviceOthers))
	}
	if r.report.attempts > 0 {
		attrs = append(attrs, slog.Int(logAttempts, r.report.attempts))
	}
	if err == nil {
		return attrs
	}
	if fault, ok := errors.AsType[*Fault](err); ok {
		attrs = append(attrs, slog.String(logWrong, string(fault.Wrong)))
	}
	return append(attrs, slog.String(logError, err.Error()))
}
