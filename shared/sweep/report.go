package sweep

import (
	"context"
	"log/slog"
	"time"
)

// Kind is what a run was.
type Kind string

// The kinds.
const (
	KindIncrement Kind = "increment"
	KindFull      Kind = "full"
	KindPreview   Kind = "preview"
	KindRelease   Kind = "release"
)

// Cause is why a run made a full round, or ended early.
type Cause string

// Why there was a full round.
const (
	// CauseFirst: there was no link of delta to go on with.
	CauseFirst Cause = "first"
	// CauseLinkFailed: the link of delta, or of the list, no longer worked.
	CauseLinkFailed Cause = "link_failed"
	// CauseAsked: the keeper or a person asked for it.
	CauseAsked Cause = "asked"
	// CauseDaily: the last one was a day ago.
	CauseDaily Cause = "daily"
	// CauseContinued: an earlier run had begun it.
	CauseContinued Cause = "continued"
)

// Why a run did not finish.
const (
	// CauseOutOfTime: the deadline is near. The next run goes on.
	CauseOutOfTime Cause = "out_of_time"
	// CauseOvertaken: another run is at work.
	CauseOvertaken Cause = "overtaken"
	// CauseFailed: Graph, queue or store failed. The error tells more.
	CauseFailed Cause = "failed"
)

// Report tells what a run has done. Its JSON is part of the interface.
type Report struct {
	Tenant  string    `json:"tenant"`
	Kind    Kind      `json:"kind"`
	Started time.Time `json:"started"`
	// Finished tells that nothing was left to do.
	Finished bool `json:"finished"`
	// Causes tell why there was a full round, and why the run did not finish.
	Causes []Cause `json:"causes,omitempty"`
	// Pages and Users count what this run has read, Unreadable the users of whom nothing
	// could be read: a person has to look at them.
	Pages      int `json:"pages"`
	Users      int `json:"users"`
	Unreadable int `json:"unreadable"`
	// Candidates counts the users who may be new, and Queued those in the queue.
	Candidates int `json:"candidates"`
	Queued     int `json:"queued"`
	// Members, Unstamped and Existing are those of the full round that this run ended, or
	// has come to: see [Counts]. They are 0 for an increment.
	Members   int `json:"members"`
	Unstamped int `json:"unstamped"`
	Existing  int `json:"existing"`
	// UnmatchedExclusions are the excluded ids and patterns that matched nobody in a
	// whole full round or preview.
	UnmatchedExclusions []string `json:"unmatched_exclusions,omitempty"`
	// Preview is that of a dry run.
	Preview *Preview `json:"preview,omitempty"`
}

// logTenant is the log key that all records of the sweep share.
const logTenant = "tenant"

// log writes the one record of a run, and another one where an exclusion protects nobody.
// No value is ever the name of a user, a link or a secret, but for the exclusions: those
// the administrator has written.
func (s *Sweeper) log(ctx context.Context, r Report, err error) {
	level := slog.LevelInfo
	attrs := []slog.Attr{
		slog.String(logTenant, r.Tenant),
		slog.String("kind", string(r.Kind)),
		slog.Any("causes", r.Causes),
		slog.Bool("finished", r.Finished),
		slog.Int("pages", r.Pages),
		slog.Int("users", r.Users),
		slog.Int("unreadable", r.Unreadable),
		slog.Int("candidates", r.Candidates),
		slog.Int("queued", r.Queued),
		slog.Int("members", r.Members),
		slog.Int("unstamped", r.Unstamped),
		slog.Int("existing", r.Existing),
		slog.Int64("duration_ms", s.Now().Sub(r.Started).Milliseconds()),
	}
	if r.Unreadable > 0 {
		level = slog.LevelWarn
	}
	if err != nil {
		level, attrs = slog.LevelError, append(attrs, slog.String("error", err.Error()))
	}
	s.Log.LogAttrs(ctx, level, "users swept", attrs...)
	if len(r.UnmatchedExclusions) > 0 {
		s.Log.LogAttrs(ctx, slog.LevelWarn, "exclusions matched nobody",
			slog.String(logTenant, r.Tenant), slog.Any("exclusions", r.UnmatchedExclusions))
	}
}
