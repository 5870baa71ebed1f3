package resolver

import (
	"errors"
	"slices"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// A job is one message in one call of Handle. It is open until its outcome has a reason.
type job struct {
	message signal.Message
	users   []directory.User // whom the first question that had an answer has found
	out     Outcome
}

var errInvalid = errors.New("invalid message: it can't be read, or another tenant or version has written it")

var kinds = []signal.Kind{signal.PasswordChanged, signal.UserDisabled, signal.SessionsRevoked}

// job takes a message in, and leaves one that can't be acted upon. Nothing of that is told.
func (r *Resolver) job(m signal.Message, now time.Time) *job {
	j := &job{message: m}
	if m.Tenant != r.Tenant || !signal.IsSource(m.Source) || m.Signal != nil && !slices.Contains(kinds, m.Signal.Kind) {
		j.leave(Invalid, errInvalid)
		return j
	}
	j.out.Source, j.out.Waited = m.Source, now.Sub(m.Received)
	if m.Signal != nil {
		j.out.Kind = m.Signal.Kind
	}
	return j
}

func (j *job) urgent() bool { return j.message.Urgent() }

func (j *job) questions() []directory.Question { return j.message.Signal.Subject.Questions() }

// finish settles the job: its message may be acknowledged.
func (j *job) finish(reason signal.Reason) { j.out.Reason = reason }

// leave settles the job: its message comes again.
func (j *job) leave(reason signal.Reason, err error) {
	j.out.Reason, j.out.Left, j.out.Err = reason, true, err
}

func leaveAll(jobs []*job, reason signal.Reason, err error) {
	for _, j := range jobs {
		j.leave(reason, err)
	}
}

func open(jobs []*job) []*job { return filter(jobs, func(j *job) bool { return j.out.Reason == "" }) }

func filter(jobs []*job, keep func(*job) bool) (kept []*job) {
	for _, j := range jobs {
		if keep(j) {
			kept = append(kept, j)
		}
	}
	return kept
}

// admit settles the jobs that there is nothing to resolve of.
func admit(jobs []*job, sources map[string]signal.Record) {
	for _, j := range jobs {
		record, known := sources[j.message.Source]
		switch s := j.message.Signal; {
		case !known: // a person has removed it meanwhile
			j.finish(signal.UnknownSource)
		case s == nil:
			j.finish(Heard)
		case s.Kind == signal.SessionsRevoked && !record.SessionsRevoked:
			j.finish(signal.LogOut)
		}
	}
}

var errNotFoundYet = errors.New("the directory does not know the subject yet; it is asked once more")

// judge settles the job unless the source may speak of the user. Who was created or renamed
// a moment before the signal is not found until every replica knows.
func (j *job) judge(now time.Time, p stamp.Policy, b signal.Bounds) {
	id, reason := signal.Resolve(j.message.Signal.Subject, j.users, b)
	switch {
	case reason == "":
		j.out.User = id
	case reason == signal.SubjectUnknown && now.Sub(j.message.Received) < p.ReplicationLag:
		j.leave(NotFoundYet, errNotFoundYet)
	default:
		j.finish(reason)
	}
}

// margin is how much the clocks of two functions may differ.
const margin = time.Second

// request asks for a stamp that is not older than the signal. [stamp.Decide] forgives as
// much as is added here, so it demands the signal's own time; and it takes no request of the
// future.
func (j *job) request(now time.Time, p stamp.Policy) stamp.Delayed {
	s := j.message.Signal
	notBefore := s.At.Add(p.ClockSkew)
	return stamp.Delayed{
		Request: stamp.Request{
			Tenant: j.message.Tenant, User: j.out.User, NotBefore: notBefore,
			Source: stamp.SourceSignal, Provider: j.message.Source, Cause: string(s.Kind), Seen: j.message.Received,
		},
		Delay: min(max(notBefore.Sub(now)+margin, 0), stamp.MaxDelay),
	}
}
