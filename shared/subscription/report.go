package subscription

import (
	"context"
	"log/slog"
	"slices"
	"time"
)

// Trigger tells why the keeper ran.
type Trigger string

// The triggers.
const (
	// TriggerSchedule is [Keeper.Keep].
	TriggerSchedule Trigger = "schedule"
	// TriggerLifecycle is [Keeper.HandleLifecycle].
	TriggerLifecycle Trigger = "lifecycle"
	// TriggerSetUp is [Keeper.SetUp].
	TriggerSetUp Trigger = "set_up"
	// TriggerTakeDown is [Keeper.TakeDown].
	TriggerTakeDown Trigger = "take_down"
)

// Finding is something that a run found. Findings are codes: they stand in logs
// and metrics, and never change meaning.
type Finding string

// The findings about the subscription that the record names, of which a run has
// one at least.
const (
	// FoundHealthy: it is as wanted.
	FoundHealthy Finding = "healthy"
	// FoundNone: there is none, nor do we remember one. A gap.
	FoundNone Finding = "none"
	// FoundLapsed: its time ran out. A gap.
	FoundLapsed Finding = "lapsed"
	// FoundVanished: it is gone before its time. A gap.
	FoundVanished Finding = "vanished"
	// FoundOtherURL: it delivers elsewhere. A gap.
	FoundOtherURL Finding = "other_url"
	// FoundOtherChangeType: it doesn't report updates. A gap.
	FoundOtherChangeType Finding = "other_change_type"
	// FoundForeignClientState: it carries a clientState that is neither the
	// current nor the previous one, so that the webhook drops all. A gap.
	FoundForeignClientState Finding = "foreign_client_state"
	// FoundUnknown: we remember none, but there is one, of which nobody can tell
	// whether the webhook accepts what it sends. A gap.
	FoundUnknown Finding = "unknown"
	// FoundOldClientState: it carries the previous clientState.
	FoundOldClientState Finding = "old_client_state"
	// FoundOtherLifecycleURL: it has no lifecycle URL, or another.
	FoundOtherLifecycleURL Finding = "other_lifecycle_url"
	// FoundOldTLS: it keeps Graph from using TLS 1.2.
	FoundOldTLS Finding = "old_tls"
	// FoundOnBridge: it is the bridge of a replacement that broke off.
	FoundOnBridge Finding = "on_bridge"
	// FoundUnmended: Graph shows a fault of it that it was made to mend, or our
	// notification URL otherwise than it was given. It is kept: another would show
	// the same.
	FoundUnmended Finding = "unmended"
)

// Further findings.
const (
	// FoundExtra: there are more subscriptions than one.
	FoundExtra Finding = "extra"
	// FoundChallenged: Graph demands a reauthorization.
	FoundChallenged Finding = "challenged"
	// FoundPaused: the demand stood for so long that Graph may have stopped
	// delivering. A gap.
	FoundPaused Finding = "paused"
	// FoundMissed: Graph says that it could not deliver. A gap.
	FoundMissed Finding = "missed"
	// FoundUnswept: an earlier run found a gap, and broke off before it had asked
	// for a sweep.
	FoundUnswept Finding = "unswept"
	// FoundNoRoom: a quota left no room for a bridge, so that the replacement
	// costs a gap.
	FoundNoRoom Finding = "no_room"
	// FoundOverlap: Graph counts the bridge and what it is to stand in for as the
	// same, so that the replacement costs a gap.
	FoundOverlap Finding = "overlap"
	// FoundConflict: Graph knows a subscription that it had not listed.
	FoundConflict Finding = "conflict"
	// FoundBusy: another run is at work. Nothing was done.
	FoundBusy Finding = "busy"
	// FoundAnswered: what the lifecycle events ask for has been done already.
	FoundAnswered Finding = "answered"
	// FoundTakenDown: the system was taken down on purpose. Nothing was done.
	FoundTakenDown Finding = "taken_down"
)

// Action is something that a run did. Actions are codes, like findings.
type Action string

// The actions.
const (
	// ActionCreated: the wanted subscription was made.
	ActionCreated Action = "created"
	// ActionBridged: a second subscription was made, which delivers while the
	// first is replaced.
	ActionBridged Action = "bridged"
	// ActionAdopted: a subscription whose making had seemed to fail was found.
	ActionAdopted Action = "adopted"
	// ActionRenewed: the subscription's time was extended, which reauthorizes it.
	ActionRenewed Action = "renewed"
	// ActionRemoved: a subscription was deleted, or was gone when we wanted to.
	ActionRemoved Action = "removed"
	// ActionSweepAsked: a sweep was asked for because of a gap.
	ActionSweepAsked Action = "sweep_asked"
)

// A Report is what one run found and did.
type Report struct {
	Tenant  string
	Trigger Trigger
	// DryRun tells that nothing was changed: all else is what would have been.
	DryRun bool
	// Found and Done are in order, each thing found once, each thing done as
	// often as it was.
	Found []Finding
	Done  []Action
	// SubscriptionID and Expires are of the subscription that is known to deliver
	// when the run ends; both are zero where there is none.
	SubscriptionID string
	Expires        time.Time
	// HoursLeft is from the end of the run to Expires, for metrics: 0 where there
	// is no subscription.
	HoursLeft float64
	// GapSince is when the gap began for which a sweep was asked, zero where
	// nothing is known of a time before. It says nothing without
	// [ActionSweepAsked].
	GapSince time.Time
	// Duration is how long the run took.
	Duration time.Duration
	// Err is what the run failed with, nil if it did not.
	Err error
	// Cause is Err as a code, "" for none.
	Cause Cause
}

// Busy tells whether another run was at work, so that this one did nothing.
func (r Report) Busy() bool { return slices.Contains(r.Found, FoundBusy) }

// AskedForSweep tells whether the run asked for a sweep.
func (r Report) AskedForSweep() bool { return slices.Contains(r.Done, ActionSweepAsked) }

func (r *Report) find(f Finding) {
	if !slices.Contains(r.Found, f) {
		r.Found = append(r.Found, f)
	}
}

// Observer is told of every run, for metrics. It must not block.
type Observer interface {
	ObserveKeeper(ctx context.Context, report Report)
}

// Keys of the log record.
const (
	keyTenant       = "tenant"
	keyTrigger      = "trigger"
	keyDryRun       = "dry_run"
	keyFound        = "found"
	keyDone         = "done"
	keySubscription = "subscription"
	keyExpires      = "expires"
	keyHoursLeft    = "hours_left"
	keyGapSince     = "gap_since"
	keyDuration     = "duration_ms"
	keyCause        = "cause"
	keyError        = "error"
)

// tell makes the one log record of a run, and tells the observer.
func (r *run) tell(ctx context.Context, err error) {
	now, report := r.now(), &r.report
	report.Duration, report.Err, report.Cause = now.Sub(r.began), err, causeOf(err)
	live := r.record.SubscriptionID != "" && r.record.Expires.After(now)
	if live && (!r.surveyed || r.flowing() != nil) {
		report.SubscriptionID, report.Expires = r.record.SubscriptionID, r.record.Expires
		report.HoursLeft = report.Expires.Sub(now).Hours()
	}
	if report.DryRun {
		r.Log.LogAttrs(ctx, report.level(), "keeper ran dry: nothing was changed", report.attrs()...)
	} else {
		r.Log.LogAttrs(ctx, report.level(), "keeper ran", report.attrs()...)
	}
	if r.Observer != nil {
		r.Observer.ObserveKeeper(ctx, *report)
	}
}

// level is an error where the run failed, and a warning where notifications may
// have been lost or Graph shows a fault for good: what wants no attention stays
// out of the way.
func (r *Report) level() slog.Level {
	switch {
	case r.Err != nil:
		return slog.LevelError
	case r.AskedForSweep() && !r.DryRun, slices.Contains(r.Found, FoundUnmended):
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

func (r *Report) attrs() []slog.Attr {
	attrs := []slog.Attr{
		slog.String(keyTenant, r.Tenant),
		slog.String(keyTrigger, string(r.Trigger)),
		slog.Any(keyFound, r.Found),
		slog.Any(keyDone, r.Done),
		slog.Float64(keyDuration, float64(r.Duration)/float64(time.Millisecond)),
	}
	if r.DryRun {
		attrs = append(attrs, slog.Bool(keyDryRun, true))
	}
	if r.SubscriptionID != "" {
		attrs = append(attrs,
			slog.String(keySubscription, r.SubscriptionID),
			slog.Time(keyExpires, r.Expires),
			slog.Float64(keyHoursLeft, r.HoursLeft))
	}
	if r.AskedForSweep() && !r.GapSince.IsZero() {
		attrs = append(attrs, slog.Time(keyGapSince, r.GapSince))
	}
	if r.Err != nil {
		attrs = append(attrs, slog.String(keyCause, string(r.Cause)), slog.String(keyError, r.Err.Error()))
	}
	return attrs
}
