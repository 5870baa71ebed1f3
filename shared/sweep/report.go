package sweep

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/revocation"
)

// Report tells what a run has done. Its JSON is part of the interface.
type Report struct {
	// Tenant is whom it swept, and Started when it began.
	Tenant  string    `json:"tenant"`
	Started time.Time `json:"started"`
	// Full tells why it worked at a full round, "" if it did not; FullDone that
	// it has ended one.
	Full     Cause `json:"full,omitempty"`
	FullDone bool  `json:"full_done"`
	// Requests counts calls of Graph, failed ones too; the list of domains,
	// which is cached, not. Pages counts the pages that came of them.
	Requests int `json:"graph_requests"`
	Pages    int `json:"pages"`
	// Expired counts links that Graph no longer knew, or that led nowhere for so
	// long that they were given up.
	Expired int `json:"expired"`
	// Users counts the users on the pages, as often as they were shown.
	Users int `json:"users"`
	// Unreadable counts the users of whom nothing could be read: on the pages of
	// this run, or in the last full round if those were more. Somebody has to
	// look at them, because nobody here can.
	Unreadable int `json:"unreadable"`
	// Candidates counts the users put into the queue, without the backfill.
	Candidates int `json:"candidates"`
	// Missed counts those among them of whom a notification should have told
	// long ago, and OldestMissed is the age of the oldest. It is what the pages
	// suggest, and too many where delta does not show the stamp, or of users who
	// were spared by a dry run or an exclusion; those that the revoker stamps, by
	// a request that says Missed, are certain. So an alarm belongs there.
	Missed       int           `json:"missed"`
	OldestMissed time.Duration `json:"-"` // see MarshalJSON
	// Members and Unstamped are what the last full round has counted, this
	// run's or an earlier one's: see [Checkpoint]. They are 0 before the first
	// one, and where the checkpoint could not be read.
	Members   int `json:"members"`
	Unstamped int `json:"unstamped"`
	// Backfill counts the existing users that were asked for.
	Backfill int `json:"backfill"`
	// BackfillStopped tells which ceiling holds the backfill until a person lifts
	// it, "" for none, and BackfillStoppedAt since when: in a dry run, that of
	// the dry run.
	BackfillStopped   revocation.Reason `json:"backfill_stopped,omitempty"`
	BackfillStoppedAt time.Time         `json:"backfill_stopped_at,omitzero"`
	// Finished tells that nothing was left to do. Otherwise Stopped tells why.
	Finished bool `json:"finished"`
	Stopped  Stop `json:"stopped,omitempty"`
}

// MarshalJSON tells OldestMissed in seconds, like the log.
func (r Report) MarshalJSON() ([]byte, error) {
	type plain Report
	return json.Marshal(struct {
		plain
		OldestMissed float64 `json:"oldest_missed_s"`
	}{plain(r), r.OldestMissed.Seconds()})
}

// Observer is told of every run, for metrics. It must not block.
type Observer interface {
	ObserveSweep(ctx context.Context, r Report)
}

// Stop tells why a run ended before it had finished.
type Stop string

// The reasons to stop.
const (
	// StopLeased: another run is at work.
	StopLeased Stop = "leased"
	// StopSuperseded: the lease lapsed and another run took over.
	StopSuperseded Stop = "superseded"
	// StopDeadline: the time was over. The next run goes on.
	StopDeadline Stop = "deadline"
	// StopFailed: Graph, store or queue failed; the error tells more.
	StopFailed Stop = "failed"
	// StopBrokeOff: the run ended in a panic.
	StopBrokeOff Stop = "broke_off"
)

// conclude tells an end from a failure.
func (r *run) conclude(err error) {
	r.report.Members, r.report.Unstamped = r.checkpoint.Members, r.checkpoint.Unstamped
	r.report.Unreadable = max(r.report.Unreadable, r.checkpoint.Unreadable)
	switch {
	case err == nil:
		r.report.Finished, r.report.Stopped = true, ""
	case errors.Is(err, errLeased):
		r.report.Stopped = StopLeased
	case errors.Is(err, errSuperseded):
		r.report.Stopped = StopSuperseded
	case errors.Is(err, errOutOfTime):
		r.report.Stopped = StopDeadline
	default:
		r.report.Stopped = StopFailed
		r.err = err
	}
}

// Log keys of a run. No value of theirs is ever a name, a user principal name, a
// link or a secret.
const (
	logTenant       = "tenant"
	logFull         = "full"
	logFullDone     = "full_done"
	logRequests     = "graph_requests"
	logPages        = "pages"
	logExpired      = "expired"
	logUsers        = "users"
	logUnreadable   = "unreadable"
	logCandidates   = "candidates"
	logMissed       = "missed"
	logOldestMissed = "oldest_missed_s"
	logMembers      = "members"
	logUnstamped    = "unstamped"
	logBackfill     = "backfill"
	logCeiling      = "backfill_stopped"
	logCeilingAt    = "backfill_stopped_at"
	logReasons      = "reasons"
	logRun          = "run"
	logFinished     = "finished"
	logStopped      = "stopped"
	logAsked        = "asked"
	logDuration     = "duration_ms"
	logError        = "error"
)

// tell writes the one record of the run, and tells the observer.
func (r *run) tell(ctx context.Context) {
	r.log(ctx)
	if r.Observer != nil {
		r.Observer.ObserveSweep(ctx, r.report)
	}
}

func (r *run) log(ctx context.Context) {
	o := r.report
	attrs := []slog.Attr{
		slog.String(logTenant, o.Tenant),
		slog.Bool(logFinished, o.Finished),
		slog.String(logStopped, string(o.Stopped)),
		slog.String(logFull, string(o.Full)),
		slog.Bool(logFullDone, o.FullDone),
		slog.String(logAsked, r.checkpoint.Asked),
		slog.Int(logRequests, o.Requests),
		slog.Int(logPages, o.Pages),
		slog.Int(logExpired, o.Expired),
		slog.Int(logUsers, o.Users),
		slog.Int(logUnreadable, o.Unreadable),
		slog.Int(logCandidates, o.Candidates),
		slog.Int(logMissed, o.Missed),
		slog.Float64(logOldestMissed, o.OldestMissed.Seconds()),
		slog.Int(logMembers, o.Members),
		slog.Int(logUnstamped, o.Unstamped),
		slog.Int(logBackfill, o.Backfill),
		slog.Int64(logDuration, r.Now().Sub(o.Started).Milliseconds()),
	}
	if o.BackfillStopped != "" {
		attrs = append(attrs, slog.String(logCeiling, string(o.BackfillStopped)), slog.Time(logCeilingAt, o.BackfillStoppedAt))
	}
	if r.err != nil {
		attrs = append(attrs, slog.String(logError, r.err.Error()))
	}
	r.Log.LogAttrs(ctx, level(o), "users swept", attrs...)
}

// level lets something say so, run after run, as long as a person has to do
// something.
func level(o Report) slog.Level {
	switch {
	case o.Stopped == StopFailed || o.Stopped == StopBrokeOff:
		return slog.LevelError
	case o.Expired > 0 || o.Unreadable > 0 || o.BackfillStopped != "":
		return slog.LevelWarn
	}
	return slog.LevelInfo
}
