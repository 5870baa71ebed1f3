package subscription

import (
	"context"
	"errors"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/notification"
)

// HandleLifecycle does what Graph has to say about subscriptions asks for, in one
// run whatever their number. The result has one error for each event, in order:
// nil means that it has served and its message may be acknowledged; any other
// that it is to come again, because the run failed or another was at work, which
// may have begun before the event.
//
// A reauthorizationRequired of our subscription is answered by renewing it, once:
// an event tells the expiry that the subscription had when it was sent, so one
// whose subscription expires later by now has been answered since. All else makes
// the run look and repair. Where the system was taken down, nothing is left to
// serve.
func (k *Keeper) HandleLifecycle(ctx context.Context, events []notification.Lifecycle) []error {
	errs := make([]error, len(events))
	if len(events) == 0 {
		return errs
	}
	r := k.newRun(TriggerLifecycle)
	var open []bool
	r.judge = func(record *Record) bool {
		open = r.open(record, events)
		for _, o := range open {
			if o {
				return true
			}
		}
		r.report.find(FoundAnswered)
		return false
	}
	err := r.work(ctx, r.reconcile)
	if err == nil && r.report.Busy() {
		err = errBusy
	}
	for i := range errs {
		if open == nil || open[i] { // nil where the record could not be read
			errs[i] = err
		}
	}
	return errs
}

// open tells which events ask for something that is not done yet, and notes in
// the record what must not be forgotten of them.
func (r *run) open(record *Record, events []notification.Lifecycle) []bool {
	open := make([]bool, len(events))
	for i, e := range events {
		if e.TenantID != r.Tenant {
			continue
		}
		ours := e.SubscriptionID == record.SubscriptionID
		switch {
		case e.Event == notification.ReauthorizationRequired && ours:
			open[i] = !r.answered(*record, e)
			if open[i] {
				r.challenge(record)
			}
		case e.Event == notification.Missed && ours:
			open[i] = true
			record.Since = time.Time{}
			r.gap = FoundMissed
			r.report.find(FoundMissed)
		default:
			open[i] = true
		}
	}
	return open
}

// challenge notes since when a challenge stands. It may have been sent long
// before, if the queue has held it; only Graph knows.
func (r *run) challenge(record *Record) {
	r.report.find(FoundChallenged)
	if record.Challenged.IsZero() {
		record.Challenged = r.now()
	}
}

// expirySlack is how much two tellings of one expiry may differ: they have
// different numbers of digits.
const expirySlack = time.Second

// freshRenewal is how long a renewal answers a challenge that doesn't tell the
// expiry. If it was a later one, Graph repeats it.
const freshRenewal = time.Minute

// answered tells whether the subscription was renewed since the challenge was
// sent.
func (r *run) answered(record Record, e notification.Lifecycle) bool {
	if e.Expires.IsZero() {
		return record.Challenged.IsZero() && r.now().Sub(record.Renewed) < freshRenewal
	}
	return record.Expires.Sub(e.Expires) > expirySlack
}

// IsBusy tells whether an error means that another run of the keeper was at work,
// so that it is enough to try again.
func IsBusy(err error) bool { return errors.Is(err, errBusy) }
