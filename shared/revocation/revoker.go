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

// MaxBatch is how many users are read or revoked in one call: the most parts
// that Graph takes in one $batch
// (https://learn.microsoft.com/graph/json-batching).
const MaxBatch = 20

// Directory is what the Revoker needs of Graph. Both methods take at most
// [MaxBatch] ids, make one attempt, and never try again by themselves: whether
// trying again is safe, only the ledger knows. Errors are of type
// [*directory.Error].
type Directory interface {
	// ReadUsers returns one Read for each id, in order.
	ReadUsers(ctx context.Context, ids []string) ([]directory.Read, error)
	// RevokeSignInSessions returns one error for each id, in order, nil where
	// Graph accepted the call.
	RevokeSignInSessions(ctx context.Context, ids []string) ([]error, error)
}

// Settings are the times by which a Revoker works.
type Settings struct {
	// ReplicationLag is how long after a write of Entra a read may still not
	// show it. Longer is safer: it is what a user without an outcome waits
	// before anybody looks again.
	ReplicationLag time.Duration
	// CallTimeout is how long after the claim a revocation may still be on its
	// way to Graph.
	CallTimeout time.Duration
	// Patience is how long to wait for the write quota before putting requests
	// back. The state that a decision was made by gets older meanwhile.
	Patience time.Duration
	// CannotFixRetry is the age at which a user who could not be fixed is
	// looked at again: consent may have been given since, or somebody else have
	// set the stamp.
	CannotFixRetry time.Duration
	// GiveUpAfter is the age at which a request that is still put back becomes
	// a dead letter, for a person to see.
	GiveUpAfter time.Duration
	// Recover is how old a user may be whom a sweep finds, whom the webhook missed,
	// and who is still a new user. It keeps a deployment that slept for a year from
	// signing out everybody who was hired meanwhile.
	Recover time.Duration
	// ClockSkew is how much Graph's clock may lag behind ours.
	ClockSkew time.Duration
}

// DefaultSettings are the values that a deployment starts with.
var DefaultSettings = Settings{
	ReplicationLag: 5 * time.Minute,
	CallTimeout:    20 * time.Second,
	Patience:       10 * time.Second,
	CannotFixRetry: 24 * time.Hour,
	GiveUpAfter:    4 * 24 * time.Hour,
	Recover:        30 * 24 * time.Hour, // a subscription lives for 29 days
	ClockSkew:      5 * time.Second,
}

// hold is how long a claim keeps everybody else from calling, and how long after
// it the stamp is read back: by then the call has ended, one way or the other,
// and every replica shows what it did.
func (s Settings) hold() time.Duration { return s.CallTimeout + s.ReplicationLag }

// A call whose answer is lost may have signed the user out, so such calls are
// made at growing distances, and not without end.
const (
	// maxTries is how many calls may have an unknown outcome, one after the
	// other.
	maxTries = 12
	// maxDoublings is how often a claim's time is doubled, once with each try.
	maxDoublings = 2
	// Where quickTries answers are lost, something is wrong for longer than
	// minutes. From then on a claim stands for slowHold: a call that has left no
	// stamp by then, in two reads, has signed nobody out.
	quickTries = 8
	slowHold   = time.Hour
)

// due is when the stamp of a user who was called for is next worth a look: once
// the claim has lapsed, or, where a stamp older than the call was read since, once
// that replica has had its time. Notifications that come in between don't count
// as looks.
func (s Settings) due(e Entry) time.Time {
	hold := s.hold() << min(max(e.Tries-1, 0), maxDoublings)
	if e.Tries >= quickTries {
		hold = max(hold, slowHold)
	}
	due := e.Claimed.Add(hold)
	if again := e.Updated.Add(s.ReplicationLag); e.Rereads > 0 && again.After(due) {
		return again
	}
	return due
}

// Config is what a Revoker is made of. All fields but Groups, DryRun and Observer
// are required.
type Config struct {
	// Tenant is the one tenant that is served, a lower-case GUID.
	Tenant    string
	Directory Directory
	Domains   *DomainCache
	Ledger    Ledger
	Queue     Queue
	Quota     Quota
	// Groups are the excluded groups; nil excludes none.
	Groups *GroupCache
	// Backfill keeps the ceilings' counts.
	Backfill BackfillStore
	Policy   Policy
	Settings Settings
	// DryRun makes the same decisions for the same reasons and calls nothing
	// that writes to Graph. Whoever would be revoked is settled with
	// [ReasonDryRun], and is [StateSpared] in the ledger, so as to count against
	// the ceilings once. Those are counted apart: see [DryRunStore].
	DryRun   bool
	Observer Observer
	Log      *slog.Logger
	// Now is the calendar.
	Now func() time.Time
}

// Validate reports every fault of the configuration.
func (c Config) Validate() error {
	var faults []error
	require := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	require(directory.IsID(c.Tenant), "tenant %q is not a lower-case GUID", c.Tenant)
	require(c.Directory != nil && c.Domains != nil && c.Ledger != nil && c.Queue != nil && c.Quota != nil && c.Backfill != nil,
		"directory, domains, ledger, queue, quota and backfill must all be given")
	require(c.Log != nil && c.Now != nil, "log and calendar must be given")
	s := c.Settings
	require(s.ReplicationLag > 0 && s.CallTimeout > 0 && s.CannotFixRetry > 0 && s.GiveUpAfter > 0 && s.Recover > 0,
		"replication lag, call timeout, cannot-fix retry, give-up age and recover must be positive")
	require(s.Patience >= 0 && s.ClockSkew >= 0, "patience and clock skew must not be negative")
	require(s.hold() <= MaxDelay, "replication lag and call timeout together are %s, the queue delays by at most %s", s.hold(), MaxDelay)
	return errors.Join(append(faults, c.Policy.Validate(), c.Domains.Validate(), c.Groups.Validate())...)
}

// A Revoker brings users to the end of the matter. It keeps nothing between
// calls that it could not lose. It is safe for concurrent use.
type Revoker struct{ config }

// config keeps the fields of a Config out of the Revoker's own documentation and
// out of reach.
type config Config

// New makes a Revoker.
func New(c Config) (*Revoker, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("revoker: %w", err)
	}
	if c.DryRun {
		c.Backfill = DryRunStore(c.Backfill)
	}
	return &Revoker{config(c)}, nil
}

// Handle brings every request as far as it can go now. The result has one error
// for each request, in order: nil means that its message may be acknowledged,
// because it has served or a copy is in the queue; any other leaves the message
// to the queue. One request never spoils another.
func (r *Revoker) Handle(ctx context.Context, requests []Request) []error {
	u := r.newUnit(requests)
	defer u.report(ctx)

	r.recall(ctx, u.open())
	var throttled time.Duration
	for chunk := range slices.Chunk(u.open(), MaxBatch) {
		if throttled > 0 { // to ask on would be to be throttled for longer
			postponeAll(chunk, ReasonThrottled, &directory.Error{Operation: "getUser", NotDone: true, RetryAfter: throttled})
			continue
		}
		throttled = r.advance(ctx, chunk)
	}
	r.postpone(ctx, u.jobs)
	return u.errors(len(requests))
}

// HandleMessages is [Revoker.Handle] for the bodies of queue messages. A body
// that is no request fails alone, and ends among the dead letters.
func (r *Revoker) HandleMessages(ctx context.Context, bodies [][]byte) []error {
	requests := make([]Request, len(bodies))
	faults := make([]error, len(bodies))
	for i, body := range bodies {
		requests[i], faults[i] = DecodeRequest(body)
	}
	errs := r.Handle(ctx, requests)
	for i, fault := range faults {
		if fault != nil {
			errs[i] = fault
		}
	}
	return errs
}

// recall settles, without a call of Graph, all that the ledger can answer.
func (r *Revoker) recall(ctx context.Context, jobs []*job) {
	if len(jobs) == 0 {
		return
	}
	entries, err := r.Ledger.Entries(ctx, r.Tenant, ids(jobs))
	if err != nil {
		err = fmt.Errorf("read the ledger: %w", err)
		for _, j := range jobs {
			j.later(backoff(j.request), ReasonLedgerUnavailable, err)
		}
		return
	}
	now := r.Now()
	for _, j := range jobs {
		if e, ok := entries[j.request.User]; ok {
			j.entry = e
			r.settleKnown(j, now)
		}
	}
}

// advance reads the users of one chunk, decides, and revokes. It returns how long
// Graph asked not to be asked to read, 0 for not at all.
func (r *Revoker) advance(ctx context.Context, jobs []*job) (throttled time.Duration) {
	if r.tooLate(ctx, jobs) {
		return 0
	}
	r.read(ctx, jobs)
	throttled = longestThrottle(jobs)
	r.decide(ctx, open(jobs))
	r.record(ctx, jobs)
	r.revoke(ctx, open(jobs))
	return throttled
}

// outOfTime tells whether the invocation may end before a claim that is taken
// now is settled.
func (r *Revoker) outOfTime(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ctx.Err() != nil || ok && time.Until(deadline) < r.Settings.CallTimeout
}

// tooLate puts the jobs back if the invocation is out of time. It tells whether it
// is.
func (r *Revoker) tooLate(ctx context.Context, jobs []*job) bool {
	if !r.outOfTime(ctx) {
		return false
	}
	for _, j := range jobs {
		j.later(backoff(j.request), ReasonOutOfTime, nil)
	}
	return true
}

func (r *Revoker) read(ctx context.Context, jobs []*job) {
	reads, err := r.Directory.ReadUsers(ctx, ids(jobs))
	if err == nil && len(reads) != len(jobs) {
		err = fmt.Errorf("asked for %d users, got %d", len(jobs), len(reads))
	}
	if err != nil {
		postponeAll(jobs, unavailable(err), err)
		return
	}
	now := r.Now()
	for i, j := range jobs {
		if reads[i].Err != nil {
			r.settleUnread(j, reads[i].Err, now)
			continue
		}
		j.user = reads[i].User
		j.out.Created, j.out.Stamp = j.user.Created, j.user.SignInSessionsValidFrom
	}
}

// decide settles every job but those whose user is to be revoked.
func (r *Revoker) decide(ctx context.Context, jobs []*job) {
	if len(jobs) == 0 || r.tooLate(ctx, jobs) {
		return
	}
	now := r.Now()
	reading, cancel := r.beforeEnd(ctx)
	defer cancel()
	domains, err := r.Domains.For(reading, now, users(jobs))
	if err != nil {
		postponeAll(jobs, ReasonDomainsUnavailable, err)
		return
	}
	excluded, err := r.Groups.At(reading, now)
	if err != nil {
		postponeAll(jobs, ReasonExclusionsUnavailable, err)
		return
	}
	for _, j := range jobs {
		r.judge(j, Scope{Domains: domains, Excluded: excluded}, now)
	}
	r.passCeilings(ctx, open(jobs), now)
}

// beforeEnd ends while the invocation still has the time to put requests back: a
// group may be too large to be read in one.
func (r *Revoker) beforeEnd(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-r.Settings.CallTimeout))
}

// judge settles one job by what was read of its user.
func (r *Revoker) judge(j *job, scope Scope, now time.Time) {
	if r.settleCalled(j) || j.settleHopeless() {
		return
	}
	j.request.Missed = j.request.Missed && r.mayBeMissed(j, now)
	reason := r.Policy.Decide(j.user, scope, r.seen(j, now))
	switch reason {
	case ReasonNewUser, ReasonExistingUser:
		r.judgeUnstamped(j, reason, now)
		return
	case ReasonExcluded:
		j.spare(reason, now)
		return
	case ReasonStamped:
		j.store(StateStamped)
	default:
		// What was begun ends: the backfill need not ask again, and the ledger says why.
		if j.unfinished() && j.entry.Reason != reason {
			j.store(StateReleased)
		}
	}
	j.done(reason)
}

// mayBeMissed tells whether the webhook can have missed the job's user, and a sweep
// have found that in time: nobody left the user alone on purpose, no notification told
// while the user was new, and the user has not been there for too long.
func (r *Revoker) mayBeMissed(j *job, now time.Time) bool {
	toldInTime := j.told() && j.toldAt.Sub(j.user.Created) <= r.Policy.NewUserWindow
	inTime := now.Sub(j.user.Created) <= r.Settings.Recover+r.Settings.GiveUpAfter
	return !j.spared() && !r.waitedForPerson(j) && !toldInTime && inTime
}

// waitedForPerson tells whether Graph refused to sign the job's user out until a person
// has done something, and we had heard of the user in time, or the person took too long.
func (r *Revoker) waitedForPerson(j *job) bool {
	inTime := j.entry.Seen.Sub(j.user.Created) <= r.Policy.NewUserWindow
	tooLong := j.request.Seen.Sub(j.entry.Seen) > r.Settings.GiveUpAfter
	return j.refused() && (inTime || tooLong)
}

// judgeUnstamped settles the job of a user in scope, unless the user is to be
// revoked, or the ceilings are to decide about it.
func (r *Revoker) judgeUnstamped(j *job, reason Reason, now time.Time) {
	switch {
	case r.DryRun && j.sparedFor(ReasonDryRun):
		j.done(ReasonDryRun) // was counted, whatever the age may be by now
	case reason == ReasonNewUser:
	case !r.mayBackfill(j):
		j.hold(reason)
	case !r.Policy.Backfill.Hours.Contain(now):
		j.hold(ReasonQuietHours)
	}
}

// seen is the moment that the user's age is judged by: when we first heard of the
// user. A user of whom we should have heard at creation is new however late the
// sweep comes. But a matter that came to an end long ago is not this one, and must
// not make somebody new who has been at work for months. Nor must what was heard
// of somebody who is spared until now, before or meanwhile: nobody knows when that
// ended, so it counts from now.
func (r *Revoker) seen(j *job, now time.Time) time.Time {
	switch {
	case j.request.Missed:
		return j.user.Created
	case j.sparing():
		return now
	}
	if first := j.firstSeen(); j.request.Seen.Sub(first) <= r.Settings.GiveUpAfter {
		return first
	}
	return j.request.Seen
}

// postpone puts back what was settled for later, and makes dead letters of what
// was put back for too long.
func (r *Revoker) postpone(ctx context.Context, jobs []*job) {
	var back []Delayed
	var waiting []*job
	now := r.Now()
	for _, j := range jobs {
		if j.out.Verdict != Later {
			continue
		}
		if now.Sub(j.request.Seen) > r.Settings.GiveUpAfter {
			j.fail(ReasonGaveUp, fmt.Errorf("user %s: put back for longer than %s: %s: %w",
				j.request.User, r.Settings.GiveUpAfter, j.out.Reason, j.cause()))
			continue
		}
		again := j.request
		again.Attempt++
		back = append(back, Delayed{Request: again, Delay: j.out.Delay})
		waiting = append(waiting, j)
	}
	if len(back) == 0 {
		return
	}
	if err := r.Queue.Postpone(ctx, back); err != nil {
		for _, j := range waiting {
			j.fail(j.out.Reason, fmt.Errorf("put user %s back into the queue: %w", j.request.User, err))
		}
	}
}
