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
// whose subscription expires later by now has been answered since. How long it had
// stood by then counts from when the webhook received it: where that is too long, a
// sweep is asked for. So it is for a missed of any subscription, since one that was
// ours may be replaced by now. All else makes the run look and repair. Where the
// system was taken down, nothing is left to serve.
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
		if e.TenantID == r.Tenant {
			open[i] = r.takeIn(record, e)
		}
	}
	return open
}

// takeIn tells whether one event is still open, and notes what it says. What a
// subscription has missed is lost, be it replaced since; however many say so, a run asks
// for one sweep.
func (r *run) takeIn(record *Record, e notification.Lifecycle) bool {
	ours := e.SubscriptionID == record.SubscriptionID
	switch {
	case e.Event == notification.Missed:
		r.lose(record, FoundMissed)
	case e.Event != notification.ReauthorizationRequired:
		// All there is to do is to look.
	case ours && !r.answered(*record, e):
		r.challenge(record, e)
	case r.answeredLate(*record, e):
		doubt(record, r.heard(*record, e))
		r.lose(record, FoundPaused)
	case ours:
		return false
	}
	return true
}

// lose notes that notifications were lost, so that a sweep is owed.
func (r *run) lose(record *Record, why Finding) {
	record.Since = time.Time{}
	r.gap = why
	r.report.find(why)
}

// challenge notes since when a challenge stands: the queue may have held it for
// longer than Graph goes on delivering.
func (r *run) challenge(record *Record, e notification.Lifecycle) {
	r.report.find(FoundChallenged)
	at := r.heard(*record, e)
	if record.Challenged.IsZero() || at.Before(record.Challenged) {
		record.Challenged = at
	}
	doubt(record, at)
}

// heard is when the event was received: now where that is not known or can't be. In
// particular it is never before notifications began, since the sweep takes for new
// whom it believes to have been missed.
func (r *run) heard(record Record, e notification.Lifecycle) time.Time {
	now, at := r.now(), e.Received.UTC().Truncate(time.Microsecond)
	if at.IsZero() || at.After(now) || at.Before(record.Began) {
		return now
	}
	return at
}

// doubt takes back that all was seen to be well later than that, by runs that had
// not heard of it.
func doubt(record *Record, at time.Time) {
	if at.Before(record.Checked) {
		record.Checked = at
	}
}

// expirySlack is how much two tellings of one expiry may differ: they have
// different numbers of digits.
const expirySlack = time.Second

// freshRenewal is how long a renewal answers a challenge that tells neither the expiry
// nor when it came. If it was a later one, Graph repeats it.
const freshRenewal = time.Minute

// answered tells whether the subscription was renewed since the challenge was
// sent.
func (r *run) answered(record Record, e notification.Lifecycle) bool {
	switch {
	case !e.Expires.IsZero():
		return record.Expires.Sub(e.Expires) > expirySlack
	case !e.Received.IsZero():
		return record.Challenged.IsZero() && !r.heard(record, e).After(record.Renewed)
	}
	return record.Challenged.IsZero() && r.now().Sub(record.Renewed) < freshRenewal
}

// answeredLate tells whether the challenge stood for so long, before a run answered
// it that did not know of it, that delivery may have paused, and no sweep has been
// asked for since.
func (r *run) answeredLate(record Record, e notification.Lifecycle) bool {
	return record.Since.Before(record.Renewed) && record.Renewed.Sub(r.heard(record, e)) >= r.Settings.ChallengeGrace
}

// IsBusy tells whether an error means that another run of the keeper was at work,
// so that it is enough to try again.
func IsBusy(err error) bool { return errors.Is(err, errBusy) }
