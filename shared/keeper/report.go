package keeper

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"
)

// Trigger tells why the keeper ran.
type Trigger string

// The triggers: [Keeper.Keep], [Keeper.SetUp] and [Keeper.TakeDown].
const (
	TriggerSchedule Trigger = "schedule"
	TriggerSetUp    Trigger = "set_up"
	TriggerTakeDown Trigger = "take_down"
)

// Finding is something that a run found. Findings are codes in logs and metrics.
type Finding string

// The findings.
const (
	// FoundHealthy: the subscription is as wanted.
	FoundHealthy Finding = "healthy"
	// FoundNone: the record knows none.
	FoundNone Finding = "none"
	// FoundGone: Graph no longer knows it.
	FoundGone Finding = "gone"
	// FoundChanged: URL, clientState or changeType are to be others.
	FoundChanged Finding = "changed"
	// FoundConflict: Graph knows a subscription that it had not listed.
	FoundConflict Finding = "conflict"
	// FoundUnswept: an earlier run broke off before it had asked for a sweep.
	FoundUnswept Finding = "unswept"
	// FoundBusy: another run is at work, so this one ended.
	FoundBusy Finding = "busy"
	// FoundTakenDown: the system was taken down on purpose. Nothing was done.
	FoundTakenDown Finding = "taken_down"
)

// Action is something that a run did. Actions are codes, like findings.
type Action string

// The actions.
const (
	ActionCreated Action = "created"
	// ActionRenewed: its time was extended, which reauthorizes it.
	ActionRenewed    Action = "renewed"
	ActionRemoved    Action = "removed"
	ActionSweepAsked Action = "sweep_asked"
)

// A Report is what one run found and did.
type Report struct {
	Tenant  string
	Trigger Trigger
	// Found and Done are in order.
	Found []Finding
	Done  []Action
	// SubscriptionID and Expires are of the subscription in the record when the run ends;
	// both are zero where there is none that lives.
	SubscriptionID string
	Expires        time.Time
	// HoursLeft is from the end of the run to Expires, 0 where there is no subscription.
	// It says nothing unless Known: where the record could not be read, or there is to
	// be none, no subscription is not one that is missing.
	HoursLeft float64
	Known     bool
	// Duration is how long the run took.
	Duration time.Duration
	// Err is what the run failed with, nil if it did not, and Cause is Err as a code.
	Err   error
	Cause Cause
}

// Busy tells whether another run was at work, so that this one ended.
func (r Report) Busy() bool { return slices.Contains(r.Found, FoundBusy) }

// AskedForSweep tells whether the run asked for a sweep.
func (r Report) AskedForSweep() bool { return slices.Contains(r.Done, ActionSweepAsked) }

func (r *Report) find(f Finding) { r.Found = append(r.Found, f) }

func (r *Report) did(a Action) { r.Done = append(r.Done, a) }

// Observer is told of every run, for metrics. It must not block.
type Observer interface {
	ObserveKeeper(ctx context.Context, report Report)
}

// Keys of the log record.
const (
	keyTenant       = "tenant"
	keyTrigger      = "trigger"
	keyFound        = "found"
	keyDone         = "done"
	keySubscription = "subscription"
	keyExpires      = "expires"
	keyHoursLeft    = "hours_left"
	keyDuration     = "duration_ms"
	keyCause        = "cause"
	keyError        = "error"
)

// end makes the one log record of a run, tells the observer, and explains the error. A
// run on schedule that gave way to another has not failed.
func (r *run) end(ctx context.Context, err error) (Report, error) {
	if errors.Is(err, errBusy) {
		r.report.find(FoundBusy)
		if r.report.Trigger == TriggerSchedule && causeOf(err) == CauseBusy {
			err = nil
		}
	}
	r.complete(err)
	r.Log.LogAttrs(ctx, r.report.level(), "keeper ran", r.report.attrs()...)
	if r.Observer != nil {
		r.Observer.ObserveKeeper(ctx, r.report)
	}
	return r.report, r.Explain(err)
}

func (r *run) complete(err error) {
	now, report, record := r.Now().UTC(), &r.report, r.record()
	report.Duration, report.Err, report.Cause = now.Sub(r.now), err, causeOf(err)
	report.Known = r.loaded && !record.TakenDown && !report.Busy()
	if record.ID == "" || record.TakenDown || !record.Expires.After(now) || r.lost() {
		return
	}
	report.SubscriptionID, report.Expires = record.ID, record.Expires
	report.HoursLeft = record.Expires.Sub(now).Hours()
}

// lost tells whether the record's subscription is gone, or is not the wanted one, and
// none has taken its place.
func (r *run) lost() bool {
	gone := slices.Contains(r.report.Found, FoundGone) || slices.Contains(r.report.Found, FoundChanged)
	return gone && !slices.Contains(r.report.Done, ActionCreated)
}

// level is an error where the run failed, and a warning where notifications may have been
// lost.
func (r *Report) level() slog.Level {
	switch {
	case r.Err != nil:
		return slog.LevelError
	case r.AskedForSweep():
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
	if r.SubscriptionID != "" {
		attrs = append(attrs,
			slog.String(keySubscription, r.SubscriptionID),
			slog.Time(keyExpires, r.Expires),
			slog.Float64(keyHoursLeft, r.HoursLeft))
	}
	if r.Err != nil {
		attrs = append(attrs, slog.String(keyCause, string(r.Cause)), slog.String(keyError, r.Err.Error()))
	}
	return attrs
}
