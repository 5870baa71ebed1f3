package metrics

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/keeper"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
	"github.com/sessionstamp/sessionstamp/shared/webhook"
)

// ObserveReceipt implements [webhook.Observer].
func (r *Recorder) ObserveReceipt(_ context.Context, receipt webhook.Receipt) {
	r.writeCount(NotificationsForged, receipt.Dropped[webhook.Forged], "")
	r.Attend(MalformedDelivery, receipt.Unreadable())
}

// ObserveSweep implements [sweep.Observer]. A run that found another one at work has
// nothing to tell.
func (r *Recorder) ObserveSweep(_ context.Context, report sweep.Report) {
	if slices.Contains(report.Causes, sweep.CauseOvertaken) {
		return
	}
	finished := 0.0
	if report.Finished {
		finished = 1
	}
	r.write(metric{SweepFinished, count, []float64{finished}}, "")
}

// expirySoon is how long before its end a credential needs a person.
const expirySoon = 30 * 24 * time.Hour

// ObserveExpiry is told when the stored credential expires, the zero time where that is
// not known.
func (r *Recorder) ObserveExpiry(expires time.Time) {
	if !expires.IsZero() && expires.Sub(r.config.Now()) < expirySoon {
		r.Attend(CredentialEnds, 1)
	}
}

// Attend counts n times that a person has to look.
func (r *Recorder) Attend(reason Attention, n int) { r.writeCount(NeedsAttention, n, reason) }

// outcomes is what became of the users of one batch.
type outcomes struct {
	stamped, missed int
	toStamp         []float64
	attention       map[Attention]int
}

// Observe implements [stamp.Observer]. What it is told waits for [Recorder.Flush], so
// that a batch takes few lines.
func (r *Recorder) Observe(_ context.Context, o stamp.Outcome) {
	attention := r.attention(o)
	r.mu.Lock()
	defer r.mu.Unlock()
	if attention != "" {
		if r.users.attention == nil {
			r.users.attention = make(map[Attention]int)
		}
		r.users.attention[attention]++
	}
	if !o.Called.IsZero() {
		r.users.stamp(o)
	}
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
		return BrakeReached
	}
	if o.Verdict == stamp.Later && r.config.Now().Sub(o.Request.Seen) > longPutBack {
		return PutBack
	}
	return ""
}

// stamp counts a user whom Graph signed out. Of an existing user the time since the
// creation tells nothing.
func (u *outcomes) stamp(o stamp.Outcome) {
	u.stamped++
	if o.Missed {
		u.missed++
	}
	if !o.Request.Approved && !o.Created.IsZero() {
		u.toStamp = append(u.toStamp, max(0, o.Called.Sub(o.Created).Seconds()))
	}
}

func (u *outcomes) write(r *Recorder) {
	r.writeCount(UsersStamped, u.stamped, "")
	r.writeCount(UsersMissed, u.missed, "")
	r.write(metric{SecondsToStamp, seconds, u.toStamp}, "")
	for _, reason := range slices.Sorted(maps.Keys(u.attention)) {
		r.Attend(reason, u.attention[reason])
	}
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
		r.write(metric{SubscriptionHoursLeft, none, []float64{report.HoursLeft}}, "")
	}
	if report.Err != nil && !slices.Contains(passing, report.Cause) {
		r.Attend(KeeperFailed, 1)
	}
}
