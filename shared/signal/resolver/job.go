package resolver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// A job is one message in one call of Handle. It is open until it is settled.
type job struct {
	message signal.Message
	users   []directory.User // whom the first question that had an answer has found
	refusal error            // of a question that Graph does not take
	user    string           // object id
	settled bool
	out     Outcome
}

func (j *job) urgent() bool { return j.message.Urgent() }

func (j *job) questions() []directory.Question { return j.message.Signal.Subject.Questions() }

// finish settles the job: its message may be acknowledged.
func (j *job) finish(reason signal.Reason) { j.settled, j.out.Reason = true, reason }

// leave settles the job: its message comes again.
func (j *job) leave(reason signal.Reason, err error) {
	j.settled, j.out.Reason, j.out.Left, j.out.Err = true, reason, true, err
}

func leaveAll(jobs []*job, reason signal.Reason, err error) {
	for _, j := range jobs {
		j.leave(reason, err)
	}
}

func open(jobs []*job) []*job { return filter(jobs, func(j *job) bool { return !j.settled }) }

func filter(jobs []*job, keep func(*job) bool) (kept []*job) {
	for _, j := range jobs {
		if keep(j) {
			kept = append(kept, j)
		}
	}
	return kept
}

// HandleMessages is [Resolver.Handle] for the bodies of queue messages. A body that is no
// message fails alone, and ends among the dead letters.
func (r *Resolver) HandleMessages(ctx context.Context, bodies [][]byte) []error {
	jobs := make([]*job, len(bodies))
	for i, body := range bodies {
		jobs[i] = new(job)
		if json.Unmarshal(body, &jobs[i].message) != nil { // its error may quote the body
			jobs[i].leave(Invalid, fmt.Errorf("%w: it can't be read", errInvalid))
		}
	}
	return r.handle(ctx, jobs)
}

var errInvalid = errors.New("invalid message")

// sourceID is what sources are called by: see [signal.Registry].
var sourceID = regexp.MustCompile(`^[0-9a-f]{32}$`)

// check settles the jobs whose message can't be acted upon.
func (r *Resolver) check(jobs []*job) {
	now := r.Now()
	for _, j := range open(jobs) {
		if fault := r.fault(j.message, now); fault != "" {
			j.leave(Invalid, fmt.Errorf("%w: %s", errInvalid, fault))
			continue
		}
		j.out.Source, j.out.Waited = j.message.Source, now.Sub(j.message.Received)
		if s := j.message.Signal; s != nil {
			j.out.Kind = s.Kind
		}
	}
}

// fault tells why the message can't be acted upon, "" if it can. No source makes a signal
// of what has not happened yet.
func (r *Resolver) fault(m signal.Message, now time.Time) string {
	s := m.Signal
	switch {
	case m.Tenant != r.Tenant:
		return "it is another tenant's"
	case !sourceID.MatchString(m.Source):
		return "source is not 32 hexadecimal digits"
	case m.Received.IsZero() || m.Received.After(now.Add(r.Policy.ReplicationLag)):
		return "received is missing, or in the future"
	case s == nil:
		return ""
	case !slices.Contains([]signal.Kind{signal.PasswordChanged, signal.UserDisabled, signal.SessionsRevoked}, s.Kind):
		return "the kind of signal is unknown"
	case s.At.IsZero() || s.At.After(m.Received):
		return "the signal's time is missing, or after its receipt"
	}
	return ""
}

// admit settles the jobs that there is nothing to resolve of.
func (r *Resolver) admit(jobs []*job, sources map[string]signal.Record) {
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

// learn takes in the answer to a question.
func (j *job) learn(f directory.Found) {
	switch {
	case f.Err == nil:
		j.users = f.Users
	case refused(f.Err):
		j.refusal = f.Err
	default:
		j.leave(unavailable(f.Err), f.Err)
	}
}

var errNotFoundYet = errors.New("the directory does not know the subject yet; it is asked once more")

// judge settles the job unless the source may speak of the user. Who was created or renamed
// a moment before the signal is not found until every replica knows.
func (j *job) judge(now time.Time, p stamp.Policy, b signal.Bounds) {
	id, reason := signal.Resolve(j.message.Signal.Subject, j.users, b)
	switch {
	case reason == "":
		j.user = id
	case reason == signal.SubjectUnknown && now.Sub(j.message.Received) < p.ReplicationLag:
		j.leave(NotFoundYet, errNotFoundYet)
	case reason == signal.SubjectUnknown && j.refusal != nil:
		j.out.Err = j.refusal
		j.finish(signal.SubjectRefused)
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
			Tenant: j.message.Tenant, User: j.user, NotBefore: notBefore,
			Source: stamp.SourceSignal, Provider: j.message.Source, Cause: string(s.Kind), Seen: j.message.Received,
		},
		Delay: min(max(notBefore.Sub(now)+margin, 0), stamp.MaxDelay),
	}
}
