package metrics

import (
	"context"
	"slices"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/keeper"
	"github.com/sessionstamp/sessionstamp/shared/signal/receiver"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
	"github.com/sessionstamp/sessionstamp/shared/webhook"
)

// ObserveReceipt implements [webhook.Observer].
func (r *Recorder) ObserveReceipt(_ context.Context, receipt webhook.Receipt) {
	r.writeCount(NotificationsForged, receipt.Dropped[webhook.Forged], "")
	r.Attend(MalformedDelivery, receipt.Unreadable())
}

// ObserveSignals implements [receiver.Observer].
func (r *Recorder) ObserveSignals(_ context.Context, receipt receiver.Receipt) {
	if receipt.Refused() {
		r.Attend(SignalRefused, 1)
	}
}

// ObserveSweep implements [sweep.Observer]. A run that found another one at work has
// nothing to tell. One that a person has paused has done all that it was to do, and says
// at each run that it waits.
func (r *Recorder) ObserveSweep(_ context.Context, report sweep.Report) {
	if slices.Contains(report.Causes, sweep.CauseOvertaken) {
		return
	}
	finished, paused := 0.0, slices.Contains(report.Causes, sweep.CausePaused)
	if report.Finished || paused {
		finished = 1
	}
	r.write("", metric{SweepFinished, count, finished})
	if paused {
		r.Attend(Paused, 1)
	}
	r.Attend(UnreadableUser, report.Unreadable)
}

// expirySoon is how long before its end a credential needs a person.
const expirySoon = 30 * 24 * time.Hour

// reminded is the hour of the day, UTC, in which a person is reminded of the expiry: an
// alarm that rang for a month would hide all others.
const reminded = 8

// ObserveExpiry is told when the stored credential expires, the zero time where that is
// not known.
func (r *Recorder) ObserveExpiry(expires time.Time) {
	now := r.config.Now().UTC()
	if !expires.IsZero() && expires.Sub(now) < expirySoon && now.Hour() == reminded {
		r.Attend(CredentialEnds, 1)
	}
}

// Attend counts n times that a person has to look.
func (r *Recorder) Attend(reason Attention, n int) { r.writeCount(NeedsAttention, n, reason) }

// Observe implements [stamp.Observer].
func (r *Recorder) Observe(_ context.Context, o stamp.Outcome) {
	if reason := r.attention(o); reason != "" {
		r.Attend(reason, 1)
	}
	if o.Called.IsZero() {
		return
	}
	told := []metric{{UsersStamped, count, 1}}
	if o.Missed {
		told = append(told, metric{UsersMissed, count, 1})
	}
	if !o.Request.Approved && o.Request.Source != stamp.SourceSignal && !o.Created.IsZero() { // of an existing user it tells nothing
		told = append(told, metric{SecondsToStamp, seconds, max(0, o.Called.Sub(o.Created).Seconds())})
	}
	r.write("", told...)
}

// longPutBack is how long a request may be put back before a person is to look. The
// replication lag takes some minutes of it.
const longPutBack = time.Hour

// attention is why a person has to look at a user, "" for no reason.
func (r *Recorder) attention(o stamp.Outcome) Attention {
	switch o.Reason { //nolint:exhaustive // nobody has to look at the others
	case stamp.ReasonForbidden, stamp.ReasonRefused, stamp.ReasonStillEmpty:
		return CannotFix
	case stamp.ReasonBrake:
		if o.Request.Attempt > 0 { // told once; then the keeper says so at each of its runs
			return ""
		}
		return BrakeReached
	case stamp.ReasonPaused: // the sweep says so, once an hour
		return ""
	}
	if o.Verdict == stamp.Later && r.config.Now().Sub(o.Request.Seen) > longPutBack {
		return PutBack
	}
	return ""
}

// passing are the causes of a failure of the keeper that end by themselves. If one does
// not, SubscriptionHoursLeft falls, or is missing.
var passing = []keeper.Cause{
	keeper.CauseThrottled, keeper.CauseUnreachable, keeper.CauseUnwell, keeper.CauseBusy, keeper.CauseStore,
}

// ObserveKeeper implements [keeper.Observer].
func (r *Recorder) ObserveKeeper(_ context.Context, report keeper.Report) {
	if report.Trigger == keeper.TriggerTakeDown {
		return
	}
	if report.Known {
		r.write("", metric{SubscriptionHoursLeft, none, report.HoursLeft})
	}
	lasts := report.Err != nil && !slices.Contains(passing, report.Cause)
	if lasts || slices.Contains(report.Found, keeper.FoundGone) { // somebody has removed it
		r.Attend(KeeperFailed, 1)
	}
}
