package metrics

import (
	"context"
	"maps"
	"slices"

	"github.com/sessionstamp/sessionstamp/shared/revocation"
)

// Metrics of the revoker.
const (
	// UsersStamped counts the users whose revocation Graph accepted.
	UsersStamped = "UsersStamped"
	// SecondsToStamp is, for each new user among them, the time from creation to
	// the call, and SecondsMissed the same of those whom the webhook had missed.
	SecondsToStamp = "SecondsToStamp"
	SecondsMissed  = "SecondsMissed"
	// UsersMissed counts the users stamped of whom only the sweep told in time.
	UsersMissed = "UsersMissed"
	// CannotFix counts the users who are left to a person, by reason.
	CannotFix = "CannotFix"
	// RequestsFailed counts the users whose message is left to the queue, and
	// RequestsLater those who were put back, by reason.
	RequestsFailed = "RequestsFailed"
	RequestsLater  = "RequestsLater"
)

// outcomes is what became of the users of one batch.
type outcomes struct {
	stamped, missed        float64
	toStamp, secondsMissed []float64
	byReason               map[revocation.Reason]map[string]float64 // then by metric
}

func newOutcomes() *outcomes {
	return &outcomes{byReason: make(map[revocation.Reason]map[string]float64)}
}

// Observe implements [revocation.Observer]. What it is told waits for
// [Recorder.Flush], so that a batch takes few lines.
func (r *Recorder) Observe(_ context.Context, o revocation.Outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case o.Verdict == revocation.Failed:
		r.users.count(RequestsFailed, o.Reason)
	case o.Verdict == revocation.Later:
		r.users.count(RequestsLater, o.Reason)
	case slices.Contains(hopeless, o.Reason):
		r.users.count(CannotFix, o.Reason)
	case o.Reason == revocation.ReasonRevoked:
		r.users.stamp(o)
	}
}

// hopeless are the reasons for which a user is left to a person.
var hopeless = []revocation.Reason{
	revocation.ReasonForbidden, revocation.ReasonRefused, revocation.ReasonStillEmpty,
	revocation.ReasonUnconfirmed, revocation.ReasonOlderStamp,
}

func (u *outcomes) count(name string, reason revocation.Reason) {
	if u.byReason[reason] == nil {
		u.byReason[reason] = make(map[string]float64)
	}
	u.byReason[reason][name]++
}

// stamp counts a user whom Graph signed out. Of an existing user the time since
// the creation tells nothing.
func (u *outcomes) stamp(o revocation.Outcome) {
	u.stamped++
	if o.Request.Missed {
		u.missed++
	}
	if o.Request.Backfill || o.Created.IsZero() || o.Called.IsZero() {
		return
	}
	age := max(0, o.Called.Sub(o.Created).Seconds())
	u.toStamp = append(u.toStamp, age)
	if o.Request.Missed {
		u.secondsMissed = append(u.secondsMissed, age)
	}
}

// Flush writes what was observed of users since the last Flush. A function calls
// it before it returns, since what is written later is lost when its execution
// environment ends. The error is the first that writing anything ever met.
func (r *Recorder) Flush() error {
	r.mu.Lock()
	users := r.users
	r.users = newOutcomes()
	r.mu.Unlock()
	for _, l := range users.lines() {
		r.write(l)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed
}

// lines are one for the stack, and one for each reason.
func (u *outcomes) lines() []line {
	var all line
	for _, m := range []metric{
		one(UsersStamped, count, u.stamped), one(UsersMissed, count, u.missed),
		{SecondsToStamp, seconds, u.toStamp}, {SecondsMissed, seconds, u.secondsMissed},
	} {
		if len(m.values) > 0 && (m.unit != count || m.values[0] > 0) {
			all.metrics = append(all.metrics, m)
		}
	}
	lines := []line{all}
	for _, reason := range slices.Sorted(maps.Keys(u.byReason)) {
		lines = append(lines, reasonLine(string(reason), u.byReason[reason]))
	}
	return lines
}

func reasonLine(reason string, counts map[string]float64) line {
	l := line{reason: reason}
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		l.metrics = append(l.metrics, one(name, count, counts[name]))
	}
	return l
}
