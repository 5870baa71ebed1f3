package stamp

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// A job is one user in one call of Handle. It is open until it is settled.
type job struct {
	request   Request
	positions []int // of the requests for this user
	entry     Entry // as it stands in the ledger
	facts     Facts
	pending   *Entry // to be written
	claim     *Entry // to be written before the call
	before    Entry  // as it stood before the claim
	braked    bool   // counted by the brake
	maybeDone bool   // unless every call certainly did nothing
	accepted  bool   // by Graph
	unknown   error  // of a call whose outcome nobody knows
	settled   bool
	out       Outcome
}

// newJobs makes one job for each user, and a settled one for each request that can't be
// acted upon.
func (s *Stamper) newJobs(requests []Request) (jobs []*job) {
	byUser := make(map[string]*job, len(requests))
	for i, req := range requests {
		fault := s.fault(req)
		if j, ok := byUser[req.User]; ok && fault == nil {
			j.merge(req, i, s.Policy.EnforceSignals)
			continue
		}
		j := &job{request: req, positions: []int{i}, entry: Entry{Tenant: s.Tenant, User: req.User}}
		jobs = append(jobs, j)
		if fault != nil {
			j.fail(ReasonInvalid, fault)
			continue
		}
		byUser[req.User] = j
	}
	return jobs
}

// fault tells why the request can't be acted upon. No call made now gives a stamp of
// the future: such a request would have the user signed out again and again.
func (s *Stamper) fault(req Request) error {
	switch err := req.Validate(); {
	case err != nil:
		return err
	case req.Tenant != s.Tenant:
		return fmt.Errorf("%w: tenant %s is not served here, %s is", errInvalid, req.Tenant, s.Tenant)
	case req.Seen.After(s.Now().Add(s.Policy.ReplicationLag)):
		return fmt.Errorf("%w: it was first seen in the future, %s", errInvalid, req.Seen)
	case req.NotBefore.After(s.Now()):
		return fmt.Errorf("%w: it asks for a stamp of the future, not before %s", errInvalid, req.NotBefore)
	}
	return nil
}

// merge takes in another request for the same user, so that the one that results asks
// for all that the two did. What signals ask for, while they are only reported, is not
// made part of what a person has approved.
func (j *job) merge(req Request, position int, enforceSignals bool) {
	j.positions = append(j.positions, position)
	switch {
	case enforceSignals || req.Approved == j.request.Approved:
		j.request.NotBefore = latest(j.request.NotBefore, req.NotBefore)
	case req.Approved:
		j.request.NotBefore = req.NotBefore
	}
	if req.Seen.Before(j.request.Seen) {
		j.request.Seen = req.Seen
	}
	// A person's word must not be lost, nor a provider's, and whom a notification told of was
	// not missed.
	if slices.Index(sources, req.Source) > slices.Index(sources, j.request.Source) {
		j.request.Source, j.request.Approved = req.Source, req.Approved
		j.request.Provider, j.request.Cause = req.Provider, req.Cause
	}
	j.request.ReadBack = j.request.ReadBack || req.ReadBack
	j.request.Attempt = max(j.request.Attempt, req.Attempt)
}

// apply does what was decided, but for the call: for that the job stays open.
func (j *job) apply(d Decision) {
	switch d.Verdict {
	case Done:
		j.settle(Done, d.Reason, 0, nil)
		j.pending = d.Next
	case Later:
		j.later(d.Delay, d.Reason, nil)
		j.pending = d.Next
		if d.Reason == ReasonEmptySeen {
			j.request.ReadBack = true
		}
	case Call:
		j.claim = d.Next
	case Failed: // no decision's
	}
}

func (j *job) later(delay time.Duration, reason Reason, err error) {
	j.settle(Later, reason, min(max(delay, 0), MaxDelay), err)
}

func (j *job) fail(reason Reason, err error) { j.settle(Failed, reason, 0, err) }

func (j *job) settle(v Verdict, reason Reason, delay time.Duration, err error) {
	j.settled = true
	j.out.Verdict, j.out.Reason, j.out.Delay, j.out.Err = v, reason, delay, err
}

// failure is why the message stays in the queue, nil if it does not.
func (j *job) failure() error {
	if j.out.Verdict != Failed {
		return nil
	}
	return j.out.Err
}

// write makes the entry with that state the one to be written.
func (j *job) write(state State, reason Reason, now time.Time) {
	e := j.entry
	e.State, e.Reason, e.Updated = state, reason, now
	j.pending = &e
}

// release undoes the claim: Graph certainly did nothing.
func (j *job) release() {
	e := j.before
	e.Version = j.entry.Version
	if e.State == StateNone {
		e.Reason, e.Updated = j.out.Reason, j.entry.Updated
	}
	j.pending, j.maybeDone = &e, false
}

// record writes the pending entries of the jobs. A job whose entry was not written for
// certain comes back: what it meant to say is found out again.
func (s *Stamper) record(ctx context.Context, jobs []*job) {
	var entries []Entry
	var writing []*job
	for _, j := range jobs {
		if j.pending == nil {
			continue
		}
		entries = append(entries, *j.pending)
		writing = append(writing, j)
		j.pending = nil
	}
	if len(entries) == 0 || s.DryRun {
		return
	}
	errs := s.Ledger.Write(ctx, entries)
	for i, j := range writing {
		j.written(entries[i], errs[i])
	}
}

func (j *job) written(e Entry, err error) {
	switch {
	case err == nil:
		e.Version++
		j.entry = e
	case e.State == StateCalled && j.out.Reason == ReasonCalled:
		// Graph has accepted the call and the reading back is queued; the claim in the
		// ledger says enough until then.
		j.out.Err = fmt.Errorf("write user %s to the ledger: %w", e.User, err)
	case errors.Is(err, ErrConflict):
		j.later(backoff(j.request), ReasonConflict, err)
	default:
		j.later(backoff(j.request), ReasonLedgerUnavailable, fmt.Errorf("write user %s to the ledger: %w", e.User, err))
	}
}

// putBack lets the job wait for as long as the service asks.
func (j *job) putBack(reason Reason, err error) { j.later(retryAfter(err, j.request), reason, err) }

func putBackAll(jobs []*job, reason Reason, err error) {
	for _, j := range jobs {
		j.putBack(reason, err)
	}
}

// retryAfter is what the service asked for, or else the request's own backoff.
func retryAfter(err error, r Request) time.Duration {
	if e, ok := errors.AsType[*directory.Error](err); ok && e.RetryAfter > 0 {
		return e.RetryAfter
	}
	return backoff(r)
}

// unavailable is the reason for a failure of Graph that says nothing of the user.
func unavailable(err error) Reason {
	e, ok := errors.AsType[*directory.Error](err)
	switch {
	case ok && e.Throttled():
		return ReasonThrottled
	case ok && e.Forbidden():
		return ReasonGraphForbidden
	}
	return ReasonGraphUnavailable
}

func notFound(err error) bool {
	e, ok := errors.AsType[*directory.Error](err)
	return ok && e.NotFound()
}

// concernsGroups tells whether it matters if the user is in an excluded group.
func (j *job) concernsGroups() bool { return !j.settled || j.out.Reason == ReasonReported }

func unsettled(jobs []*job) []*job {
	return filter(jobs, func(j *job) bool { return !j.settled })
}

func filter(jobs []*job, keep func(*job) bool) []*job {
	var kept []*job
	for _, j := range jobs {
		if keep(j) {
			kept = append(kept, j)
		}
	}
	return kept
}

func ids(jobs []*job) []string {
	list := make([]string, len(jobs))
	for i, j := range jobs {
		list[i] = j.request.User
	}
	return list
}

// users are those whose domains matter: who has a stamp stays whatever the domain is.
func users(jobs []*job) []directory.User {
	list := make([]directory.User, 0, len(jobs))
	for _, j := range jobs {
		if j.facts.Found {
			list = append(list, j.facts.User)
		}
	}
	return list
}
