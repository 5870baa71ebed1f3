package metrics

import (
	"context"
	"slices"

	"github.com/sessionstamp/sessionstamp/shared/subscription"
)

// Metrics of the keeper.
const (
	// SubscriptionHoursLeft is how long the subscription lives on: 0 where there
	// is none.
	SubscriptionHoursLeft = "SubscriptionHoursLeft"
	// SubscriptionGaps is 1 where the keeper asked for a sweep because of a gap,
	// else 0.
	SubscriptionGaps = "SubscriptionGaps"
	// KeeperFailed is 1 where the run failed, else 0.
	KeeperFailed = "KeeperFailed"
)

// ObserveKeeper implements [subscription.Observer].
func (r *Recorder) ObserveKeeper(_ context.Context, report subscription.Report) {
	l := line{metrics: []metric{
		flag(KeeperFailed, report.Err != nil),
		flag(SubscriptionGaps, report.AskedForSweep() && !report.DryRun),
	}}
	if knowsHoursLeft(report) {
		l.metrics = append(l.metrics, one(SubscriptionHoursLeft, none, report.HoursLeft))
	}
	r.write(l)
}

// knowsHoursLeft tells whether no subscription means that one is missing: not
// where the record could not be read, and not where there is to be none.
func knowsHoursLeft(report subscription.Report) bool {
	if report.SubscriptionID != "" {
		return true
	}
	return report.Cause != subscription.CauseStore && report.Trigger != subscription.TriggerTakeDown &&
		!slices.Contains(report.Found, subscription.FoundTakenDown) && !report.Busy() && !report.DryRun
}
