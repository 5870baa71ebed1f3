package sweep

import (
	"context"
	"log/slog"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// Kind is what a run was.
type Kind string

// The kinds.
const (
	KindIncrement      Kind = "increment"
	KindFull           Kind = "full"
	KindPreview        Kind = "preview"
	KindRelease        Kind = "release"
	KindReleaseSignals Kind = "release_signals"
	KindPause          Kind = "pause"
	KindResume         Kind = "resume"
)

// Cause is why a run made a full round, or ended early.
type Cause string

// Why there was a full round.
const (
	// CauseFirst: there was no link of delta to go on with.
	CauseFirst Cause = "first"
	// CauseLinkFailed: the link of delta did not work.
	CauseLinkFailed Cause = "link_failed"
	// CauseAsked: the keeper or a person asked for it.
	CauseAsked Cause = "asked"
	// CauseDaily: the last one was a day ago.
	CauseDaily Cause = "daily"
	// CauseContinued: an earlier run had begun it.
	CauseContinued Cause = "continued"
)

// Why a run did not finish, where nothing failed.
const (
	// CauseOutOfTime: the deadline is near. The next run goes on.
	CauseOutOfTime Cause = "out_of_time"
	// CauseOvertaken: another run is at work, or somebody has asked for a full round.
	CauseOvertaken Cause = "overtaken"
	// CausePaused: a person has paused. Nothing was read and nobody was queued; the first
	// run after the pause goes on.
	CausePaused Cause = "paused"
)

// Report tells what a run has done. Its JSON is part of the interface.
type Report struct {
	Tenant string `json:"tenant"`
	Kind   Kind   `json:"kind"`
	// Finished tells that nothing was left to do.
	Finished bool `json:"finished"`
	// Causes tell why there was a full round, and why the run did not finish.
	Causes []Cause `json:"causes,omitempty"`
	// Pages and Users count what this run has read, Unreadable the users of whom nothing
	// could be read: a person has to look at them.
	Pages      int `json:"pages"`
	Users      int `json:"users"`
	Unreadable int `json:"unreadable"`
	// Queued counts the users who may be new.
	Queued int `json:"queued"`
	// Counts are those of the full round or preview, as far as it has come. They are 0
	// for an increment.
	Counts
	// UnmatchedExclusions are the excluded ids and patterns that matched nobody in a
	// whole full round or preview.
	UnmatchedExclusions []string `json:"unmatched_exclusions,omitempty"`
	// Reasons are a preview's: all users, by what package stamp would decide about them
	// now. Those of "new" would be stamped, and those of "existing" wait for a person.
	// The ledger and the excluded groups are not asked.
	Reasons map[stamp.Reason]*Group `json:"reasons,omitempty"`
}

// Counts are what a full round has counted.
type Counts struct {
	// Members are the members of federated domains.
	Members int `json:"members"`
	// Unstamped are those of them without a stamp who are not excluded by id or pattern,
	// and Existing those of the unstamped who wait for a person.
	Unstamped int `json:"unstamped"`
	Existing  int `json:"existing"`
}

func (c *Counts) add(reason stamp.Reason, member bool) {
	if member {
		c.Members++
	}
	if reason == stamp.ReasonExisting {
		c.Existing++
	}
	if reason == stamp.ReasonExisting || reason == stamp.ReasonNew {
		c.Unstamped++
	}
}

// A Group is the users of one reason.
type Group struct {
	Count int `json:"count"`
	// Domains counts them by the domain of the user principal name.
	Domains map[string]int `json:"domains"`
	// Users are the object ids of at most 50 of them.
	Users []string `json:"users"`
}

// previewed is how many object ids a preview names for each reason.
const previewed = 50

func (r *Report) group(reason stamp.Reason) *Group {
	if r.Reasons == nil {
		r.Reasons = make(map[stamp.Reason]*Group)
	}
	if r.Reasons[reason] == nil {
		r.Reasons[reason] = &Group{Domains: make(map[string]int)}
	}
	return r.Reasons[reason]
}

func (g *Group) add(u directory.User) {
	g.Count++
	g.Domains[u.Domain()]++
	if len(g.Users) < previewed {
		g.Users = append(g.Users, u.ID)
	}
}

// Log keys.
const (
	logTenant = "tenant"
	logError  = "error"
)

// log writes the one record of a run, as a warning where an exclusion protects nobody or
// a user could not be read. No value is ever the name of a user, a link or a secret, but
// for the exclusions: those the administrator has written.
func (r *run) log(ctx context.Context, err error) {
	told := r.report
	told.Reasons = nil // too long for a log
	level, attrs := slog.LevelInfo, []slog.Attr{slog.String(logTenant, r.Tenant), slog.Any("report", told)}
	if told.Unreadable > 0 || len(told.UnmatchedExclusions) > 0 {
		level = slog.LevelWarn
	}
	if err != nil {
		level, attrs = slog.LevelError, append(attrs, slog.String(logError, err.Error()))
	}
	r.Log.LogAttrs(ctx, level, "users swept", attrs...)
}
