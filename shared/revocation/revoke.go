package revocation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// revoke signs the users of all jobs out, once: quota, claim, call, result. A
// worker that dies on the way leaves a claim behind, and whoever finds it reads
// the user, once the claim has lapsed, before anything else.
func (r *Revoker) revoke(ctx context.Context, jobs []*job) {
	if r.DryRun {
		r.spare(ctx, jobs)
		return
	}
	if len(jobs) == 0 || !r.reserve(ctx, jobs) {
		return
	}
	claimed := r.claim(ctx, jobs)
	if len(claimed) == 0 {
		return
	}
	called := claimed[0].entry.Claimed
	errs, err := r.call(ctx, called, claimed)

	// The call may have taken effect: its result must reach the ledger even
	// when the invocation is cancelled.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), resultTimeout)
	defer cancel()
	if err != nil {
		r.settleUnanswered(ctx, claimed, err)
		return
	}
	r.settleResults(ctx, claimed, errs, called)
}

// spare ends a dry run: it writes down who would have been revoked now.
func (r *Revoker) spare(ctx context.Context, jobs []*job) {
	now := r.Now()
	for _, j := range jobs {
		j.spare(ReasonDryRun, now)
	}
	r.record(ctx, jobs)
}

// resultTimeout bounds the writing of results after the invocation's own time.
const resultTimeout = 5 * time.Second

// reserve waits for room in the write quota. It tells whether there is any.
func (r *Revoker) reserve(ctx context.Context, jobs []*job) bool {
	wait, ok, err := r.Quota.Reserve(ctx, r.Tenant, len(jobs), r.Now(), r.patience(ctx))
	if err != nil {
		postponeAll(jobs, ReasonQuotaUnavailable, fmt.Errorf("ask the write quota: %w", err))
		return false
	}
	if !ok {
		for _, j := range jobs {
			j.later(wait, ReasonQuota, nil)
		}
		return false
	}
	if err := sleep(ctx, wait); err != nil || r.outOfTime(ctx) {
		for _, j := range jobs {
			j.later(backoff(j.request), ReasonOutOfTime, err)
		}
		return false
	}
	return true
}

// patience is how long the quota may be waited for in this invocation.
func (r *Revoker) patience(ctx context.Context) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return r.Settings.Patience
	}
	return max(0, min(r.Settings.Patience, time.Until(deadline)-r.Settings.CallTimeout))
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// claim takes the users of the jobs, so that no other worker calls for them, and
// returns the jobs whose claim certainly stands.
func (r *Revoker) claim(ctx context.Context, jobs []*job) []*job {
	now := r.Now()
	for _, j := range jobs {
		if j.backfill && !r.Policy.Backfill.Hours.Contain(now) {
			j.hold(ReasonQuietHours) // they began while we waited
			continue
		}
		j.store(StateClaimed)
		if !j.called() {
			j.pending.Source = j.request.Source
		}
		j.pending.Claimed, j.pending.Rereads = now, 0
		j.pending.Tries++
		j.pending.Reason = j.why()
	}
	r.record(ctx, jobs)
	return open(jobs)
}

// call makes the one request. Its time counts from the claim: a worker that was
// stopped in between must not call when the claim has lapsed.
//
// The error is that of the call as a whole: it says nothing of any user.
func (r *Revoker) call(ctx context.Context, claimed time.Time, jobs []*job) ([]error, error) {
	ctx, cancel := context.WithTimeout(ctx, r.Settings.CallTimeout-r.Now().Sub(claimed))
	defer cancel()
	if err := ctx.Err(); err != nil {
		return nil, &directory.Error{Operation: "revokeSignInSessions", NotDone: true, Err: err}
	}
	errs, err := r.Directory.RevokeSignInSessions(ctx, ids(jobs))
	if err == nil && len(errs) != len(jobs) {
		err = fmt.Errorf("asked for %d revocations, got %d results", len(jobs), len(errs))
	}
	return errs, err
}

// settleUnanswered settles the jobs of a call that failed as a whole: Graph, its
// token endpoint or the way to them is at fault, and no user.
func (r *Revoker) settleUnanswered(ctx context.Context, jobs []*job, err error) {
	for _, j := range jobs {
		if certainlyNotDone(err) {
			j.later(retryAfter(err, j.request), unavailable(err), err)
			j.release()
			continue
		}
		r.settleUnknown(j, err)
	}
	r.pause(ctx, jobs)
	r.record(ctx, jobs)
}

// certainlyNotDone tells whether the call changed nothing. Of an error that does
// not say so, nobody can know.
func certainlyNotDone(err error) bool {
	e, ok := errors.AsType[*directory.Error](err)
	return ok && e.NotDone
}

// settleUnknown leaves the claim: until it lapses, nobody can know whether the
// user was signed out.
func (r *Revoker) settleUnknown(j *job, err error) {
	j.later(r.Settings.due(j.entry).Sub(r.Now()), ReasonOutcomeUnknown, err)
}

// settleResults writes down what each call came to.
func (r *Revoker) settleResults(ctx context.Context, jobs []*job, errs []error, called time.Time) {
	var accepted []*job
	for i, j := range jobs {
		if errs[i] == nil {
			accepted = append(accepted, j)
			continue
		}
		r.settleFailure(j, errs[i])
	}
	r.settleAccepted(ctx, accepted, called)
	r.pause(ctx, jobs)
	r.record(ctx, jobs)
}

// settleAccepted first makes sure that the stamps will be read back, and only
// then writes that the users are revoked: so an entry that says revoked always
// has its request in the queue. If the worker dies in between, the claim stands
// and leads to the same read.
func (r *Revoker) settleAccepted(ctx context.Context, jobs []*job, called time.Time) {
	if len(jobs) == 0 {
		return
	}
	back := make([]Delayed, len(jobs))
	for i, j := range jobs {
		again := j.request
		again.ReadBack, again.Attempt = true, 0
		back[i] = Delayed{Request: again, Delay: r.Settings.hold()}
	}
	err := r.Queue.Postpone(ctx, back)
	for _, j := range jobs {
		j.out.Called = called
		if err != nil {
			r.settleUnknown(j, fmt.Errorf("queue the reading back: %w", err))
			continue
		}
		j.done(ReasonRevoked)
		j.store(StateRevoked)
		j.pending.Called = called
		j.pending.Accepted++
		j.pending.Tries = 0
	}
}

// settleFailure settles a call that Graph did not accept, by what it said of this
// user.
func (r *Revoker) settleFailure(j *job, err error) {
	e, _ := errors.AsType[*directory.Error](err)
	switch {
	case !certainlyNotDone(err):
		r.settleUnknown(j, err)
	case e.NotFound():
		j.release()
		r.settleNotFound(j, err, r.Now())
	case e.Forbidden():
		j.refuse(ReasonForbidden, err)
	case permanent(e):
		j.refuse(ReasonRefused, err)
	default:
		j.later(retryAfter(err, j.request), unavailable(err), err)
		j.release()
	}
}

// permanent tells whether the same call will be refused again, for a reason that
// lies in the call. An answer of 401 lies in the credential, and no status in the
// network; 424 is said of a part of a $batch whose neighbour failed.
func permanent(e *directory.Error) bool {
	switch e.StatusCode {
	case 400, 405, 411:
		return true
	}
	return false
}

// pause keeps every worker from writing for as long as Graph asked.
func (r *Revoker) pause(ctx context.Context, jobs []*job) {
	longest := longestThrottle(jobs)
	if longest == 0 {
		return
	}
	if err := r.Quota.Pause(ctx, r.Tenant, r.Now().Add(longest)); err != nil {
		r.Log.LogAttrs(ctx, slog.LevelError, "the write quota could not be paused; Graph's own limit holds",
			slog.String(logTenant, r.Tenant), slog.String(logError, err.Error()))
	}
}

// record writes the pending entries of the jobs. A job whose entry was not
// written for certain comes back: what it meant to say is found out again.
func (r *Revoker) record(ctx context.Context, jobs []*job) {
	var entries []Entry
	var writing []*job
	now := r.Now()
	for _, j := range jobs {
		if j.pending == nil {
			continue
		}
		j.pending.Updated = now
		j.endSparing(now)
		if j.settled {
			j.pending.Reason = j.out.Reason
		}
		entries = append(entries, *j.pending)
		writing = append(writing, j)
	}
	if len(entries) == 0 {
		return
	}
	errs := r.Ledger.Write(ctx, entries)
	for i, j := range writing {
		j.pending = nil
		r.settleWritten(j, entries[i], errs[i])
	}
}

func (r *Revoker) settleWritten(j *job, e Entry, err error) {
	switch {
	case err == nil:
		e.Version++
		j.entry = e
	case e.State == StateRevoked && j.out.Reason == ReasonRevoked:
		// Graph has accepted the call and the reading back is queued; the claim
		// in the ledger says enough until then.
		j.out.Err = fmt.Errorf("write user %s to the ledger: %w", e.User, err)
	case errors.Is(err, ErrConflict):
		j.later(backoff(j.request), ReasonClaimed, err)
	default:
		j.later(backoff(j.request), ReasonLedgerUnavailable, fmt.Errorf("write user %s to the ledger: %w", e.User, err))
	}
}

// longestThrottle is the longest time that Graph asked to wait, 0 where it
// throttled nothing.
func longestThrottle(jobs []*job) (longest time.Duration) {
	for _, j := range jobs {
		if j.out.Reason == ReasonThrottled {
			longest = max(longest, retryAfter(j.out.Err, j.request))
		}
	}
	return longest
}
