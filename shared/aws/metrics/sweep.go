package metrics

import (
	"context"

	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

// Metrics of the sweep.
const (
	// SweepFinished is 1 where a run left nothing to do, else 0.
	SweepFinished = "SweepFinished"
	// SweepCandidates counts the users that a run has queued, and
	// SweepUnreadable those who could not be read.
	SweepCandidates = "SweepCandidates"
	SweepUnreadable = "SweepUnreadable"
	// SweepMembers and SweepUnstamped are what the last full round counted: the
	// tenant's members, and those without a stamp.
	SweepMembers   = "SweepMembers"
	SweepUnstamped = "SweepUnstamped"
	// BackfillStopped is 1 as long as a ceiling has stopped the backfill, else 0.
	BackfillStopped = "BackfillStopped"
)

// ObserveSweep implements [sweep.Observer]. A run that found another one at work
// has nothing to tell.
func (r *Recorder) ObserveSweep(_ context.Context, report sweep.Report) {
	if report.Stopped == sweep.StopLeased {
		return
	}
	l := line{metrics: []metric{
		flag(SweepFinished, report.Finished),
		one(SweepCandidates, count, float64(report.Candidates)),
		one(SweepUnreadable, count, float64(report.Unreadable)),
		flag(BackfillStopped, report.BackfillStopped != ""),
	}}
	if report.Members > 0 { // else no full round has counted yet
		l.metrics = append(l.metrics,
			one(SweepMembers, count, float64(report.Members)),
			one(SweepUnstamped, count, float64(report.Unstamped)))
	}
	r.write(l)
}
