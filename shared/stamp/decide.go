package stamp

import (
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// A Decision is what the rules say of one request.
type Decision struct {
	// Verdict is [Done], [Later] or [Call].
	Verdict Verdict
	Reason  Reason
	// Delay is how long a request that is put back waits.
	Delay time.Duration
	// Next is the entry to be written; nil: nothing is. With [Call] it is the claim,
	// which must stand before the call begins.
	Next *Entry
}

// Facts are what was read of a user.
type Facts struct {
	User directory.User
	// Found is false where Graph does not know the user.
	Found      bool
	Federation Federation
	// Excluded tells that the user is a member of an excluded group. Ids and patterns
	// are the policy's.
	Excluded bool
}

// A matter is all that one decision is made from.
type matter struct {
	entry  Entry
	facts  Facts
	req    Request
	policy Policy
	now    time.Time
}

// Recall decides what the ledger alone can answer, without a call of Graph. It tells
// whether it can.
func Recall(e Entry, req Request, p Policy, now time.Time) (Decision, bool) {
	m := matter{entry: e, req: req, policy: p, now: now}
	switch e.State {
	case StateStamped:
		if m.sufficient(e.Stamp, req.NotBefore) {
			return finish(ReasonKnownStamped, nil), true
		}
	case StateCannotFix:
		if req.ReadBack || !req.insists() && now.Sub(e.Updated) < p.CannotFixRetry {
			return finish(ReasonKnownCannotFix, nil), true
		}
	case StateClaimed, StateCalled:
		if wait := m.due().Sub(now); wait > 0 {
			return m.notDue(wait), true
		}
	case StateNone:
	}
	return Decision{}, false
}

// due is when the stamp of a user who was called for is next worth a look: once no call
// can be under way any more, and every replica shows what the last one did.
func (m matter) due() time.Time {
	switch e := m.entry; {
	case e.EmptyReads > 0:
		return e.Updated.Add(m.policy.ReplicationLag)
	case e.State == StateCalled:
		return e.Called.Add(m.policy.ReplicationLag)
	default:
		return e.Claimed.Add(m.policy.CallWindow + m.policy.ReplicationLag)
	}
}

// notDue leaves the user to whoever reads the stamp back, unless the request is that
// one, or asks for a stamp that the call can't have made.
func (m matter) notDue(wait time.Duration) Decision {
	switch {
	case m.entry.State == StateClaimed:
		return putBack(ReasonClaimed, wait, nil)
	case m.req.ReadBack || !m.sufficient(m.entry.Called, m.req.NotBefore):
		return putBack(ReasonReadBackEarly, wait, nil)
	}
	return finish(ReasonReadBackPending, nil)
}

// Decide decides by what was read. It is pure: the same arguments give the same
// decision. Where the answer is in doubt the user is left alone, for now.
//
// A guest, a user of a managed domain, an excluded one and one with a sufficient stamp
// is never called, whoever approves.
func Decide(e Entry, f Facts, req Request, p Policy, now time.Time) Decision {
	m := matter{entry: e, facts: f, req: req, policy: p, now: now}
	stamp := f.User.SignInSessionsValidFrom
	switch {
	case !f.Found:
		return m.notFound()
	case !f.User.StampKnown:
		return putBack(ReasonStampUnknown, backoff(req), nil)
	case m.sufficient(stamp, req.NotBefore):
		return m.stamped()
	case e.State == StateCannotFix && e.Reason == ReasonStillEmpty && !req.insists():
		return finish(ReasonStillEmpty, m.next(StateCannotFix, ReasonStillEmpty)) // its calls may have worked
	case !m.open():
		return m.scope()
	case m.sufficient(stamp, e.NotBefore) && e.NotBefore.Before(req.NotBefore):
		return m.anew()
	}
	return m.stillEmpty()
}

// anew begins a new matter: the call before has worked. If none begins, the ledger says so
// now: the request that was to see it may be a part of this one.
func (m matter) anew() Decision {
	d := m.scope()
	if d.Next == nil {
		d.Next = m.next(StateStamped, ReasonReadBack)
	}
	return d
}

// open tells whether the user was called for, or may have been, and the stamp has not
// been seen.
func (m matter) open() bool {
	return m.entry.State == StateClaimed || m.entry.State == StateCalled
}

// sufficient tells whether the stamp is not older than t. Stamps have whole seconds.
func (m matter) sufficient(stamp, t time.Time) bool {
	if stamp.IsZero() || t.IsZero() {
		return !stamp.IsZero()
	}
	return !stamp.Before(t.Add(-m.policy.ClockSkew).Truncate(time.Second))
}

// notFound tells a user who is not there any more from one who is not there yet.
func (m matter) notFound() Decision {
	wait := m.req.Seen.Add(m.policy.ReplicationLag).Sub(m.now)
	if wait > 0 {
		return putBack(ReasonNotFoundYet, min(backoff(m.req), wait+time.Second), nil)
	}
	return finish(ReasonNotFound, nil)
}

// stamped ends the matter, unless it is another one's, that was to have a later stamp.
func (m matter) stamped() Decision {
	switch {
	case !m.sufficient(m.facts.User.SignInSessionsValidFrom, m.entry.NotBefore):
		return finish(ReasonStamped, nil)
	case m.open():
		return finish(ReasonReadBack, m.next(StateStamped, ReasonReadBack))
	}
	return finish(ReasonStamped, m.next(StateStamped, ReasonStamped))
}

// stillEmpty looks once more, a replication lag later; then it has the user called once
// more, and at the end leaves the user to a person.
func (m matter) stillEmpty() Decision {
	if m.entry.EmptyReads == 0 {
		next := m.next(m.entry.State, ReasonEmptySeen)
		next.EmptyReads = 1
		return putBack(ReasonEmptySeen, m.policy.ReplicationLag, next)
	}
	if m.entry.Again {
		return finish(ReasonStillEmpty, m.next(StateCannotFix, ReasonStillEmpty))
	}
	d := m.scope()
	if d.Verdict == Call {
		d.Next.Again = true
		d.Next.Source = m.entry.Source
		d.Next.NotBefore = latest(m.entry.NotBefore, m.req.NotBefore)
	}
	return d
}

// scope decides about a user without a sufficient stamp.
func (m matter) scope() Decision {
	u := m.facts.User
	_, excluded := m.policy.Exclusions.Match(u)
	switch {
	case u.Invited():
		return finish(ReasonGuest, nil)
	case !u.Member():
		return finish(ReasonNotMember, nil)
	case excluded || m.facts.Excluded:
		return finish(ReasonExcluded, nil)
	case m.facts.Federation == Managed:
		return finish(ReasonNotFederated, nil)
	case m.facts.Federation != Federated:
		return putBack(ReasonDomainUnknown, backoff(m.req), nil)
	case m.req.Approved:
		return m.call(ReasonApproved)
	case m.isNew():
		return m.call(ReasonNew)
	case m.req.Source != SourceSignal:
		return finish(ReasonExisting, nil)
	case u.Created.After(m.req.NotBefore):
		return finish(ReasonExisting, nil) // it happened to whoever had the name before
	case !m.policy.EnforceSignals:
		return finish(ReasonReported, nil)
	}
	return m.call(ReasonSignal)
}

// isNew tells whether nobody notices that the user is signed out: the machine decides
// about such users, whoever told of them.
func (m matter) isNew() bool {
	u := m.facts.User
	return u.UserType != "" && !u.Created.IsZero() && m.now.Sub(u.Created) <= m.policy.NewUserWindow &&
		u.SignInSessionsValidFrom.IsZero()
}

// call begins a matter: nothing of an earlier one counts.
func (m matter) call(reason Reason) Decision {
	next := m.next(StateClaimed, reason)
	next.Source, next.NotBefore = m.req.Source, m.req.NotBefore
	next.Claimed, next.Called = m.now, time.Time{}
	next.EmptyReads, next.Again = 0, false
	return Decision{Verdict: Call, Reason: reason, Next: next}
}

// next is the entry with another state, and what was read.
func (m matter) next(s State, reason Reason) *Entry {
	e := m.entry
	if e.Version == 0 {
		e.Source, e.NotBefore = m.req.Source, m.req.NotBefore
	}
	e.State, e.Reason, e.Updated = s, reason, m.now
	e.Created, e.Stamp = m.facts.User.Created, m.facts.User.SignInSessionsValidFrom
	return &e
}

func finish(reason Reason, next *Entry) Decision {
	return Decision{Verdict: Done, Reason: reason, Next: next}
}

func putBack(reason Reason, delay time.Duration, next *Entry) Decision {
	return Decision{Verdict: Later, Reason: reason, Delay: min(delay, MaxDelay), Next: next}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// backoff is how long the request waits after its attempts so far: two seconds, doubled
// each time.
func backoff(r Request) time.Duration {
	const base, doublings = 2 * time.Second, 9
	return min(base<<min(r.Attempt, doublings), MaxDelay)
}
