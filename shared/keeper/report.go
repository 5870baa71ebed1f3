package keeper

import (
	"context"
	"errors"
	"log/slog"
	"slices"
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
	Trigger Trigger
	// Found and Done are in order.
	Found []Finding
	Done  []Action
	// HoursLeft is how long the subscription lives on, 0 where there is none that is as
	// wanted. It says nothing unless Known: where the record could not be read, or there
	// is to be none, no subscription is not one that is missing.
	HoursLeft float64
	Known     bool
	// Err is what the run failed with, nil if it did not, and Cause is Err as a code.
	Err   error
	Cause Cause
}

// Busy tells whether another run was at work, so that this one ended.
func (r Report) Busy() bool { return slices.Contains(r.Found, FoundBusy) }

func (r *Report) find(f Finding) { r.Found = append(r.Found, f) }

func (r *Report) did(a Action) { r.Done = append(r.Done, a) }

// Observer is told of every run, for metrics. It must not block.
type Observer interface {
	ObserveKeeper(ctx context.Context, report Report)
}

// end makes the one log record of a run, tells the observer, and explains the error. A
// run on schedule that gave way to another has not failed.
func (r *run) end(ctx context.Context, err error) (Report, error) {
	report, record := &r.report, r.record()
	report.Cause = causeOf(err)
	if errors.Is(err, errBusy) {
		report.find(FoundBusy)
		if report.Trigger == TriggerSchedule && report.Cause == CauseBusy {
			report.Cause, err = "", nil
		}
	}
	report.Err = Adviser{r.Tenant, r.ClientID, r.Portal, r.NotificationURL}.Explain(err)
	report.Known = report.Known && !record.TakenDown && !report.Busy()
	if report.Known {
		report.HoursLeft = max(0, record.Expires.Sub(r.Now()).Hours())
	}
	r.Log.LogAttrs(ctx, report.level(), "keeper ran", r.attrs()...)
	if r.Observer != nil {
		r.Observer.ObserveKeeper(ctx, *report)
	}
	return *report, report.Err
}

// level is an error where the run failed, and a warning where notifications may have been
// lost.
func (r *Report) level() slog.Level {
	switch {
	case r.Err != nil:
		return slog.LevelError
	case slices.Contains(r.Done, ActionSweepAsked):
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

func (r *run) attrs() []slog.Attr {
	attrs := []slog.Attr{
		slog.String("trigger", string(r.report.Trigger)),
		slog.Any("found", r.report.Found),
		slog.Any("done", r.report.Done),
		slog.String("subscription", r.record().ID),
		slog.Float64("hours_left", r.report.HoursLeft),
	}
	if r.report.Err != nil {
		attrs = append(attrs,
			slog.String("cause", string(r.report.Cause)),
			slog.String("error", r.report.Err.Error()))
	}
	return attrs
}
