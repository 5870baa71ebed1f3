package revocation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// A unit is the work of one call of Handle: one job for each user.
type unit struct {
	r       *Revoker
	started time.Time
	jobs    []*job
}

// A job is one user in one call of Handle. It is open until it is settled.
type job struct {
	request   Request
	positions []int     // of the requests for this user
	toldAt    time.Time // the earliest sight among those that are not Missed
	entry     Entry     // as it stands in the ledger
	pending   *Entry
	user      directory.User
	backfill  bool // an existing user, to be revoked within the ceilings
	settled   bool
	out       Outcome
}

// newUnit makes one job for each user, and a settled one for each request that
// can't be acted upon.
func (r *Revoker) newUnit(requests []Request) *unit {
	u := &unit{r: r, started: r.Now()}
	byUser := make(map[string]*job, len(requests))
	for i, req := range requests {
		if err := r.acceptable(req); err != nil {
			j := &job{request: req, positions: []int{i}}
			j.fail(ReasonInvalid, err)
			u.jobs = append(u.jobs, j)
			continue
		}
		if j, ok := byUser[req.User]; ok {
			j.merge(req, i)
			continue
		}
		j := &job{request: req, positions: []int{i}, entry: Entry{Tenant: r.Tenant, User: req.User}}
		j.tell(req)
		byUser[req.User] = j
		u.jobs = append(u.jobs, j)
	}
	return u
}

func (r *Revoker) acceptable(req Request) error {
	if err := req.Validate(); err != nil {
		return err
	}
	if req.Tenant != r.Tenant {
		return fmt.Errorf("%w: tenant %s is not served here, %s is", errInvalid, req.Tenant, r.Tenant)
	}
	return nil
}

// merge takes in another request for the same user.
func (j *job) merge(req Request, position int) {
	j.positions = append(j.positions, position)
	if req.Seen.Before(j.request.Seen) {
		j.request.Seen, j.request.Source = req.Seen, req.Source
	}
	j.request.ReadBack = j.request.ReadBack || req.ReadBack
	j.request.Backfill = j.request.Backfill || req.Backfill
	j.request.Missed = j.request.Missed || req.Missed
	j.tell(req)
	j.request.Attempt = max(j.request.Attempt, req.Attempt)
}

// tell notes when something else than a sweep that came too late told of the
// user. Whether that was in time is for the user's age to say: a change of a user
// who was missed days ago tells of the user, too.
func (j *job) tell(req Request) {
	if !req.Missed && (!j.told() || req.Seen.Before(j.toldAt)) {
		j.toldAt = req.Seen
	}
}

func (j *job) told() bool { return !j.toldAt.IsZero() }

// firstSeen is when sessionstamp first heard of the user, by this request or by
// one before it. What was heard until the sparing ended belongs to that matter,
// however late a request comes that tells of it: the matter since then begins with
// that end.
func (j *job) firstSeen() time.Time {
	first := j.request.Seen
	if seen := j.entry.Seen; !seen.IsZero() && seen.Before(first) {
		first = seen
	}
	if first.Before(j.entry.Spared) {
		return j.entry.Spared
	}
	return first
}

// spared tells whether the user was ever left alone on purpose.
func (j *job) spared() bool { return !j.entry.Spared.IsZero() }

// sparing tells whether nobody has found yet that it is over. Who is deleted
// meanwhile, and restored, is still spared.
func (j *job) sparing() bool {
	return j.entry.State == StateSpared || j.spared() && j.entry.State == StateGone
}

// endSparing makes now the beginning of what comes after the sparing, if the
// pending entry ends it; and what comes after the wait for a person, if the user is new
// no more or has gone. Else a sweep could take the user for missed.
func (j *job) endSparing(now time.Time) {
	waited := j.refused() && (j.pending.State == StateHeld || j.pending.State == StateGone)
	if waited || j.sparing() && j.pending.State != StateSpared {
		j.pending.Seen, j.pending.Spared = now, now
	}
}

// refused tells whether Graph refused to sign the user out, for which a person has to
// do something.
func (j *job) refused() bool {
	return j.entry.State == StateCannotFix && (j.entry.Reason == ReasonForbidden || j.entry.Reason == ReasonRefused)
}

// called tells whether revokeSignInSessions was called for the user, for certain
// or perhaps.
func (j *job) called() bool {
	return j.entry.State == StateClaimed || j.entry.State == StateRevoked
}

// unfinished tells whether the ledger says that something is still to come.
func (j *job) unfinished() bool {
	return j.called() || j.entry.State == StateHeld || j.entry.State == StateReleased
}

// store lets the next record write state, with the reason that the job will have
// been settled for by then.
func (j *job) store(state State) {
	e := j.entry
	e.State = state
	if e.Version == 0 {
		e.Source = j.request.Source
	}
	e.Seen = j.firstSeen()
	if !j.user.Created.IsZero() {
		e.Created = j.user.Created
	}
	e.Stamp = j.user.SignInSessionsValidFrom
	j.pending = &e
}

// why is the reason for which the job's user is to be revoked.
func (j *job) why() Reason {
	if j.backfill {
		return ReasonExistingUser
	}
	return ReasonNewUser
}

// hold leaves an existing user waiting in the ledger.
func (j *job) hold(reason Reason) {
	j.done(reason)
	if j.entry.State != StateHeld || j.entry.Reason != reason {
		j.store(StateHeld)
	}
}

// spare leaves alone, on purpose, whoever would have been revoked otherwise. Of
// excluded users there is no end of notifications, so nothing is written that
// stands there already.
func (j *job) spare(reason Reason, now time.Time) {
	j.done(reason)
	if j.sparedFor(reason) {
		return
	}
	j.store(StateSpared)
	j.pending.Spared = now
}

func (j *job) sparedFor(reason Reason) bool {
	return j.entry.State == StateSpared && j.entry.Reason == reason
}

// release gives the claim back: Graph certainly did nothing.
func (j *job) release() {
	j.store(StateReleased)
	j.pending.Tries--
}

// refuse gives the claim back and leaves the user to a person. Who can't be signed
// out was not signed out by the calls before, either.
func (j *job) refuse(reason Reason, err error) {
	j.settle(Done, reason, 0, err)
	j.store(StateCannotFix)
	j.pending.Tries = 0
}

func (j *job) done(reason Reason) { j.settle(Done, reason, 0, nil) }

func (j *job) later(delay time.Duration, reason Reason, err error) {
	j.settle(Later, reason, min(max(delay, 0), MaxDelay), err)
}

func (j *job) fail(reason Reason, err error) { j.settle(Failed, reason, 0, err) }

func (j *job) settle(v Verdict, reason Reason, delay time.Duration, err error) {
	j.settled = true
	j.out.Verdict, j.out.Reason, j.out.Delay, j.out.Err = v, reason, delay, err
}

// cause is why the job did not come to its end.
func (j *job) cause() error {
	if j.out.Err != nil {
		return j.out.Err
	}
	return errors.New(string(j.out.Reason))
}

func postponeAll(jobs []*job, reason Reason, err error) {
	for _, j := range jobs {
		j.later(retryAfter(err, j.request), reason, err)
	}
}

func open(jobs []*job) []*job {
	var still []*job
	for _, j := range jobs {
		if !j.settled {
			still = append(still, j)
		}
	}
	return still
}

func ids(jobs []*job) []string {
	list := make([]string, len(jobs))
	for i, j := range jobs {
		list[i] = j.request.User
	}
	return list
}

func users(jobs []*job) []directory.User {
	list := make([]directory.User, len(jobs))
	for i, j := range jobs {
		list[i] = j.user
	}
	return list
}

func (u *unit) open() []*job { return open(u.jobs) }

// errors returns one error for each of the n requests.
func (u *unit) errors(n int) []error {
	errs := make([]error, n)
	for _, j := range u.jobs {
		if j.out.Verdict != Failed {
			continue
		}
		for _, i := range j.positions {
			errs[i] = j.cause()
		}
	}
	return errs
}

// Log keys of a unit of work and of one user in it. No value of theirs is ever a
// name, a user principal name or a secret.
const (
	logTenant   = "tenant"
	logUser     = "user"
	logSource   = "source"
	logVerdict  = "verdict"
	logReason   = "reason"
	logReasons  = "reasons"
	logRequests = "requests"
	logUsers    = "users"
	logDelay    = "delay_s"
	logAge      = "creation_to_call_s"
	logDuration = "duration_ms"
	logError    = "error"
)

// errAborted is the cause of whatever a panic left unsettled.
var errAborted = errors.New("the work broke off")

// report tells the observer and the log what became of every user, and writes
// one record of the whole unit.
func (u *unit) report(ctx context.Context) {
	reasons := make(map[Reason]int)
	requests := 0
	for _, j := range u.jobs {
		if !j.settled {
			j.fail(ReasonAborted, errAborted)
		}
		j.out.Request = j.request
		reasons[j.out.Reason]++
		requests += len(j.positions)
		u.reportJob(ctx, j)
	}
	u.r.Log.LogAttrs(ctx, slog.LevelInfo, "requests handled",
		slog.String(logTenant, u.r.Tenant),
		slog.Int(logRequests, requests),
		slog.Int(logUsers, len(u.jobs)),
		slog.Any(logReasons, reasons),
		slog.Int64(logDuration, u.r.Now().Sub(u.started).Milliseconds()))
}

func (u *unit) reportJob(ctx context.Context, j *job) {
	if u.r.Observer != nil {
		u.r.Observer.Observe(ctx, j.out)
	}
	attrs := []slog.Attr{
		slog.String(logTenant, u.r.Tenant),
		slog.String(logVerdict, string(j.out.Verdict)),
		slog.String(logReason, string(j.out.Reason)),
	}
	if j.request.Validate() == nil { // else its fields may hold anything, a name too
		attrs = append(attrs,
			slog.String(logUser, j.request.User),
			slog.String(logSource, string(j.request.Source)))
	}
	if j.out.Delay > 0 {
		attrs = append(attrs, slog.Float64(logDelay, j.out.Delay.Seconds()))
	}
	if !j.out.Called.IsZero() && !j.out.Created.IsZero() {
		attrs = append(attrs, slog.Float64(logAge, j.out.Called.Sub(j.out.Created).Seconds()))
	}
	if j.out.Err != nil {
		attrs = append(attrs, slog.String(logError, j.out.Err.Error()))
	}
	u.r.Log.LogAttrs(ctx, level(j.out), "user handled", attrs...)
}

// remarkable are the reasons that a person should look at.
var remarkable = []Reason{
	ReasonForbidden, ReasonRefused, ReasonStillEmpty, ReasonOlderStamp, ReasonUnconfirmed, ReasonStampUnknown, ReasonCreatedUnknown, ReasonGraphForbidden,
	ReasonCeilingRun, ReasonCeilingHour, ReasonCeilingShare, ReasonExclusionsUnavailable,
}

// level keeps what an administrator should see apart from the firehose.
func level(o Outcome) slog.Level {
	switch {
	case o.Verdict == Failed:
		return slog.LevelError
	case slices.Contains(remarkable, o.Reason):
		return slog.LevelWarn
	case o.Reason == ReasonRevoked || o.Reason == ReasonReadBack || o.Err != nil:
		return slog.LevelInfo
	}
	return slog.LevelDebug
}
