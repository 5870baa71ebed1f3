package revocation

import (
	"errors"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// What a read shows may be older than the replication lag that we reckon with. So
// an answer by which somebody would be signed out once more, or given up, is not
// believed at once.
const (
	// olderRereads is how often a stamp older than the call is read again.
	olderRereads = 3
	// acceptedRereads is how often an empty stamp is, where Graph had accepted
	// the call, and unknownRereads where nobody knows.
	acceptedRereads = 2
	unknownRereads  = 1
)

func emptyRereads(s State) int {
	if s == StateRevoked {
		return acceptedRereads
	}
	return unknownRereads
}

// reread lets the user be read once more when another replication lag is over.
func (r *Revoker) reread(j *job, reason Reason) {
	j.later(r.Settings.ReplicationLag, reason, nil)
	j.request.ReadBack = true
	j.store(j.entry.State)
	j.pending.Rereads++
}

// settleKnown settles a job whose entry leaves nothing to ask Graph for.
func (r *Revoker) settleKnown(j *job, now time.Time) {
	remaining := r.Settings.due(j.entry).Sub(now)
	switch j.entry.State {
	case StateStamped:
		j.done(ReasonKnownStamped)
	case StateCannotFix:
		if now.Sub(j.entry.Updated) < r.Settings.CannotFixRetry {
			j.done(ReasonKnownCannotFix)
		}
	case StateHeld:
		// Time makes nobody newer, so a notification can't change the matter;
		// unless it was first, and an outage made a later one overtake it.
		other := j.request.Backfill || j.request.Missed // merged with the notification
		if j.request.Source == SourceNotification && !other && !j.request.Seen.Before(j.entry.Seen) {
			j.done(ReasonExistingUser)
		}
	case StateClaimed:
		if remaining > 0 {
			j.later(remaining, ReasonClaimed, nil)
		}
	case StateReleased, StateGone, StateSpared:
		// Only Graph knows.
	case StateRevoked:
		switch {
		case remaining <= 0:
		case j.request.ReadBack:
			j.later(remaining, ReasonReadBackEarly, nil)
		default:
			j.done(ReasonReadBackPending)
		}
	}
}

// settleUnread settles a job whose user could not be read.
func (r *Revoker) settleUnread(j *job, err error, now time.Time) {
	if e, ok := errors.AsType[*directory.Error](err); ok && e.NotFound() {
		r.settleNotFound(j, err, now)
		return
	}
	j.later(retryAfter(err, j.request), unavailable(err), err)
}

// settleNotFound tells a user who is not there any more from one who is not
// there yet.
func (r *Revoker) settleNotFound(j *job, err error, now time.Time) {
	remaining := j.request.Seen.Add(r.Settings.ReplicationLag).Sub(now)
	if remaining > 0 {
		j.later(min(backoff(j.request), remaining+time.Second), ReasonNotFoundYet, err)
		return
	}
	j.done(ReasonNotFound)
	if j.entry.Version > 0 {
		j.store(StateGone)
	}
}

// settleHopeless settles a job whose user revocations did not help, and who still
// has no stamp: it is not tried again. It tells whether it did.
func (j *job) settleHopeless() bool {
	hopeless := j.entry.State == StateCannotFix && (j.entry.Reason == ReasonStillEmpty || j.entry.Reason == ReasonOlderStamp)
	if !hopeless || !j.user.SignInSessionsValidFrom.IsZero() {
		return false
	}
	j.done(j.entry.Reason)
	j.store(StateCannotFix)
	return true
}

// settleCalled settles, by the stamp that was read, a job whose user we have
// called revokeSignInSessions for, or may have. It tells whether it did.
func (r *Revoker) settleCalled(j *job) bool {
	stamp := j.user.SignInSessionsValidFrom
	switch {
	case !j.called():
		return false
	case !j.user.StampKnown:
		j.later(backoff(j.request), ReasonStampUnknown, nil)
	case !stamp.IsZero() && !stamp.Before(r.oldestStamp(j.entry)):
		j.done(ReasonReadBack)
		j.store(StateStamped)
	case !stamp.IsZero():
		r.settleOlderStamp(j)
	case j.entry.Rereads < emptyRereads(j.entry.State):
		r.reread(j, ReasonEmptySeen)
	case j.entry.State == StateRevoked && j.entry.Accepted > 1:
		j.done(ReasonStillEmpty)
		j.store(StateCannotFix)
	case j.entry.State == StateClaimed && j.entry.Tries >= maxTries:
		j.done(ReasonUnconfirmed)
		j.store(StateCannotFix)
	default:
		return false // empty: the policy decides whether to try once more
	}
	return true
}

// oldestStamp is the oldest stamp that our call can have made. Stamps have whole
// seconds.
func (r *Revoker) oldestStamp(e Entry) time.Time {
	called := e.Claimed
	if e.State == StateRevoked {
		called = e.Called
	}
	return called.Truncate(time.Second).Add(-r.Settings.ClockSkew)
}

// settleOlderStamp settles a job whose user has a stamp that our call did not
// make. The user has what the cure gives, so nothing more is revoked; but where
// Graph had accepted our call, a person should know.
func (r *Revoker) settleOlderStamp(j *job) {
	switch {
	case j.entry.State == StateClaimed:
		j.done(ReasonStamped)
		j.store(StateStamped)
	case j.entry.Rereads < olderRereads:
		r.reread(j, ReasonOlderStampSeen)
	default:
		j.done(ReasonOlderStamp)
		j.store(StateCannotFix)
	}
}
