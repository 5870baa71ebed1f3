package stamp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/wait"
)

const (
	// maxCalls is how many calls one claim allows, all within the call window.
	maxCalls = 3
	// callWait is how long the first lost answer is followed by nothing; the second
	// twice as long.
	callWait = time.Second
	// resultTimeout bounds the writing of results after the invocation's own time.
	resultTimeout = 5 * time.Second
)

// signOut signs the users of all jobs out: brake, pace, claim, call, result. A worker that
// dies on the way leaves a claim behind, and whoever finds it reads the user, once no
// call can be under way, before anything else.
func (s *Stamper) signOut(ctx context.Context, jobs []*job) {
	taken := s.Now()
	jobs = s.takeBrake(ctx, jobs, taken)
	if len(jobs) == 0 {
		return
	}
	defer s.giveBack(ctx, jobs, taken)
	claimed := s.claim(ctx, s.waitForPace(ctx, jobs))
	if len(claimed) == 0 {
		return
	}
	s.call(ctx, claimed)

	// The calls may have taken effect: their results must reach the ledger even when the
	// invocation is cancelled.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), resultTimeout)
	defer cancel()
	s.settleAccepted(ctx, filter(claimed, func(j *job) bool { return j.accepted }))
	for _, j := range unsettled(claimed) {
		s.settleUnknown(j, j.unknown)
	}
	s.record(ctx, claimed)
}

// takeBrake has the brake count the automatic ones, and returns the jobs that may go on.
// It also asks for approved ones: a pause stops them all.
func (s *Stamper) takeBrake(ctx context.Context, jobs []*job, now time.Time) []*job {
	if len(jobs) == 0 {
		return nil
	}
	automatic := filter(jobs, func(j *job) bool { return !j.request.Approved })
	granted, err := s.Brake.Take(ctx, s.Tenant, len(automatic), now)
	switch {
	case errors.Is(err, ErrPaused):
		for _, j := range jobs {
			j.later(MaxDelay, ReasonPaused, nil)
		}
		return nil
	case err != nil:
		putBackAll(jobs, ReasonBrakeUnavailable, err)
		return nil
	}
	for i, j := range automatic {
		if j.braked = i < granted; !j.braked {
			j.later(MaxDelay, ReasonBrake, nil)
		}
	}
	return unsettled(jobs)
}

// giveBack has the brake take back those for whom nothing was done.
func (s *Stamper) giveBack(ctx context.Context, jobs []*job, taken time.Time) {
	n := len(filter(jobs, func(j *job) bool { return j.braked && !j.maybeDone }))
	if n == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), resultTimeout)
	defer cancel()
	if err := s.Brake.GiveBack(ctx, s.Tenant, n, taken); err != nil {
		s.Log.LogAttrs(ctx, slog.LevelWarn, "the brake counts stamps that were not made",
			slog.String("tenant", s.Tenant), slog.Int("users", n), slog.String("error", err.Error()))
	}
}

// waitForPace waits until this process may call for all jobs, and returns them.
func (s *Stamper) waitForPace(ctx context.Context, jobs []*job) []*job {
	if err := s.pace.WaitN(ctx, len(jobs)); err != nil {
		putBackAll(jobs, ReasonOutOfTime, err)
		return nil
	}
	if s.tooLate(ctx, jobs) {
		return nil
	}
	return jobs
}

// claim takes the users of the jobs, so that no other worker calls for them, and returns
// the jobs whose claim certainly stands.
func (s *Stamper) claim(ctx context.Context, jobs []*job) []*job {
	now := s.Now()
	for _, j := range jobs {
		j.before, j.pending = j.entry, j.claim
		j.pending.Claimed, j.pending.Updated = now, now
	}
	s.record(ctx, jobs)
	return unsettled(jobs)
}

// call calls for all jobs, and again for those whose answer is lost. Its time counts from
// the claim: a worker that was stopped in between must not call when the claim is over.
func (s *Stamper) call(ctx context.Context, jobs []*job) {
	left := s.Policy.CallWindow - s.Now().Sub(jobs[0].entry.Claimed)
	ctx, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	for n := range maxCalls {
		if n > 0 && s.waitAgain(ctx, n, jobs) != nil {
			return
		}
		s.callOnce(ctx, jobs)
		jobs = filter(unsettled(jobs), func(j *job) bool { return !j.accepted })
		if len(jobs) == 0 {
			return
		}
	}
}

// waitAgain waits before the call after n lost answers, for as long as Graph asks. It fails
// if the call window would be over by then.
func (s *Stamper) waitAgain(ctx context.Context, n int, jobs []*job) error {
	d := callWait << (n - 1)
	for _, j := range jobs {
		if e, ok := errors.AsType[*directory.Error](j.unknown); ok {
			d = max(d, e.RetryAfter)
		}
	}
	if end, ok := ctx.Deadline(); ok && time.Until(end) <= d {
		return context.DeadlineExceeded
	}
	if err := wait.For(ctx, d); err != nil {
		return err
	}
	return s.pace.WaitN(ctx, len(jobs))
}

// callOnce makes one call. Who stays open has no answer.
func (s *Stamper) callOnce(ctx context.Context, jobs []*job) {
	called := s.Now()
	ctx, cancel := context.WithTimeout(ctx, s.Policy.CallTimeout)
	defer cancel()
	if err := ctx.Err(); err != nil {
		s.settleWhole(jobs, &directory.Error{Operation: "revokeSignInSessions", NotDone: true, Err: err})
		return
	}
	for _, j := range jobs {
		j.maybeDone = true
	}
	errs, err := s.Directory.RevokeSignInSessions(ctx, ids(jobs))
	if err != nil {
		s.settleWhole(jobs, err)
		return
	}
	for i, j := range jobs {
		if errs[i] != nil {
			s.settleRefused(j, errs[i])
			continue
		}
		j.accepted, j.out.Called = true, called
	}
}

// settleWhole settles the jobs of a call that failed as a whole: Graph, its token
// endpoint or the way to them is at fault, and no user.
func (s *Stamper) settleWhole(jobs []*job, err error) {
	for _, j := range jobs {
		switch {
		case !certainlyNotDone(err):
			j.unknown = err
		case j.unknown != nil:
			s.settleUnknown(j, j.unknown)
		default:
			j.putBack(unavailable(err), err)
			j.release()
		}
	}
}

// settleRefused settles a job whose call Graph did not accept, by what it said of this
// user. Where an earlier answer is lost, that one may have done it.
func (s *Stamper) settleRefused(j *job, err error) {
	e, _ := errors.AsType[*directory.Error](err)
	switch {
	case !certainlyNotDone(err):
		j.unknown = err
	case j.unknown != nil:
		s.settleUnknown(j, j.unknown)
	case e.NotFound():
		j.apply(Decide(j.entry, Facts{}, j.request, s.Policy, s.Now()))
		j.release()
	case e.Forbidden():
		s.refuse(j, ReasonForbidden, err)
	case slices.Contains(permanent, e.StatusCode):
		s.refuse(j, ReasonRefused, err)
	default:
		j.putBack(unavailable(err), err)
		j.release()
	}
}

// refuse leaves the user to a person.
func (s *Stamper) refuse(j *job, reason Reason, err error) {
	j.settle(Done, reason, 0, err)
	j.write(StateCannotFix, reason, s.Now())
	j.maybeDone = false
}

// settleUnknown leaves the claim: until the stamp is read, nobody can know whether the
// user was signed out.
func (s *Stamper) settleUnknown(j *job, err error) {
	due := matter{entry: j.entry, policy: s.Policy}.due()
	j.later(due.Sub(s.Now()), ReasonOutcomeUnknown, err)
}

// certainlyNotDone tells whether the call changed nothing. Of an error that does not say
// so, nobody can know.
func certainlyNotDone(err error) bool {
	e, ok := errors.AsType[*directory.Error](err)
	return ok && e.NotDone
}

// permanent are the answers by which the same call will be refused again, for a reason
// that lies in the call. An answer of 401 lies in the credential, and no status in the
// network; 424 is said of a part of a $batch whose neighbour failed.
var permanent = []int{http.StatusBadRequest, http.StatusMethodNotAllowed, http.StatusLengthRequired}

// settleAccepted first makes sure that the stamps will be read back, and only then writes
// that the users are called: so an entry that says so always has its request in the
// queue. If the worker dies in between, the claim stands and leads to the same read.
func (s *Stamper) settleAccepted(ctx context.Context, jobs []*job) {
	if len(jobs) == 0 {
		return
	}
	back := make([]Delayed, len(jobs))
	for i, j := range jobs {
		again := j.request
		again.ReadBack, again.Attempt = true, 0
		back[i] = Delayed{Request: again, Delay: s.Policy.ReplicationLag}
	}
	err := s.Queue.Postpone(ctx, back)
	now := s.Now()
	for _, j := range jobs {
		if err != nil {
			s.settleUnknown(j, fmt.Errorf("queue the reading back: %w", err))
			continue
		}
		j.settle(Done, ReasonCalled, 0, nil)
		j.out.Missed = j.entry.Source == SourceSweep
		j.write(StateCalled, ReasonCalled, now)
		j.pending.Called = j.out.Called
	}
}
