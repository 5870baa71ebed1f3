package subscription

import (
	"context"
	"fmt"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// atRest tells whether the system was taken down, so that nothing but an order
// changes anything. A schedule may go on for a while after that.
func (r *run) atRest() bool {
	ordered := r.report.Trigger == TriggerSetUp || r.report.Trigger == TriggerTakeDown
	return !r.record.TakenDown.IsZero() && !ordered
}

// orderDown notes with the lease that the system is being taken down: a run that
// comes between two attempts must not make a subscription. In a dry run
// there may be nothing to take down.
func (r *run) orderDown(record *Record) bool {
	if r.DryRun && record.SubscriptionID == "" {
		r.report.find(FoundNone)
		return false
	}
	if record.TakenDown.IsZero() {
		record.TakenDown = r.now()
	}
	return true
}

// takeDown removes the subscriptions, and forgets all but that it did.
func (r *run) takeDown(ctx context.Context) error {
	remove := r.removeAll
	if r.DryRun {
		remove = func(ctx context.Context) error { return r.delete(ctx, r.record.SubscriptionID) }
	}
	if err := remove(ctx); err != nil && !nobodyLeft(err) {
		return err
	}
	r.record = Record{
		Tenant: r.record.Tenant, Version: r.record.Version, TakenDown: r.record.TakenDown,
		Holder: r.record.Holder, HeldUntil: r.record.HeldUntil,
	}
	// The record comes first: the sweep reads Began from it.
	if err := r.save(ctx); err != nil {
		return err
	}
	return r.forgetSince(ctx)
}

// removeAll deletes what is listed, and what we know of though it is not.
func (r *run) removeAll(ctx context.Context) error {
	if err := r.list(ctx); err != nil {
		return err
	}
	known := r.record.SubscriptionID
	listed := r.find(known) != nil
	if len(r.subs) == 0 {
		r.report.find(FoundNone)
	}
	if err := r.remove(ctx, func(directory.Subscription) bool { return true }); err != nil {
		return err
	}
	if known == "" || listed {
		return nil
	}
	return r.delete(ctx, known)
}

// setUp ends a taking down, finished or not, and reconciles. Whoever was created
// meanwhile has not been missed.
func (r *run) setUp(ctx context.Context) error {
	if r.record.TakenDown.IsZero() {
		return r.reconcile(ctx)
	}
	none := time.Time{}
	r.record.Began, r.record.Since, r.record.Checked = none, none, none
	if err := r.save(ctx); err != nil {
		return err
	}
	if err := r.forgetSince(ctx); err != nil {
		return err
	}
	r.record.TakenDown = none
	if err := r.save(ctx); err != nil {
		return err
	}
	return r.reconcile(ctx)
}

// forgetSince tells the sweep that nobody was to be notified of until the next
// subscription begins.
func (r *run) forgetSince(ctx context.Context) error {
	if err := r.Sweeps.ForgetSince(ctx, r.Tenant); err != nil {
		return &forgetError{err}
	}
	return nil
}

// forgetError is a failure to tell the sweep.
type forgetError struct{ err error }

func (e *forgetError) Error() string { return fmt.Sprintf("let the sweep forget: %v", e.err) }
func (e *forgetError) Unwrap() error { return e.err }
