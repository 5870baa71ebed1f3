package stamp

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"golang.org/x/time/rate"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// MaxBatch is how many users are read or signed out in one call: the most parts that
// Graph takes in one $batch (https://learn.microsoft.com/graph/json-batching).
const MaxBatch = 20

// CallsPerSecond is how many users one process signs out in a second, at most, unless its
// [Config] says otherwise. Graph takes 20 of one app (https://learn.microsoft.com/graph/throttling-limits), and
// template.yaml lets two processes run.
const CallsPerSecond = 10

// Directory is what the Stamper needs of Graph. Each method takes at most [MaxBatch] ids
// and returns one answer for each, in order; its errors are of type [*directory.Error].
type Directory interface {
	// ReadUsers reads the users.
	ReadUsers(ctx context.Context, ids []string) ([]directory.Read, error)
	// MemberOf tells in which of the groups each user is, directly or through others.
	MemberOf(ctx context.Context, ids, groups []string) ([]directory.Membership, error)
	// RevokeSignInSessions signs the users out, and makes one attempt: whether trying
	// again is safe, only the ledger knows. The error is nil where Graph accepted the
	// call.
	RevokeSignInSessions(ctx context.Context, ids []string) ([]error, error)
}

// Config is what a Stamper is made of. All fields are required but those that say what
// their zero value means.
type Config struct {
	// Tenant is the one tenant that is served, a lower-case GUID.
	Tenant    string
	Directory Directory
	Domains   *Domains
	// Groups are the object ids of the excluded groups; none excludes none.
	Groups []string
	Ledger Ledger
	Queue  Queue
	Brake  *Brake
	Policy Policy
	// Pace is how many users are signed out in a second, at most; 0 stands for
	// [CallsPerSecond].
	Pace int
	// DryRun makes the same decisions for the same reasons, and writes nothing: neither
	// to Graph nor to the ledger. Who would be signed out ends with [ReasonDryRun].
	DryRun bool
	// Observer is told of every outcome.
	Observer Observer
	Log      *slog.Logger
	// Now is the calendar.
	Now func() time.Time
}

// A Stamper brings users to the end of the matter. It keeps nothing between calls that
// it could not lose. It is safe for concurrent use.
type Stamper struct {
	config
	pace *rate.Limiter
}

// config keeps the fields of a Config out of the Stamper's own documentation and out of
// reach.
type config Config

// New makes a Stamper.
func New(c Config) *Stamper {
	pace := rate.Limit(cmp.Or(c.Pace, CallsPerSecond))
	return &Stamper{config: config(c), pace: rate.NewLimiter(pace, MaxBatch)}
}

// Handle brings every request as far as it can go now. The result has one error for each
// request, in order: nil means that its message may be acknowledged, because it has
// served or a copy is in the queue; any other leaves the message to the queue. One
// request never spoils another.
func (s *Stamper) Handle(ctx context.Context, requests []Request) []error {
	started := s.Now()
	jobs := s.newJobs(requests)
	defer func() { s.report(ctx, jobs, started) }()

	s.recall(ctx, unsettled(jobs))
	for chunk := range slices.Chunk(unsettled(jobs), MaxBatch) {
		s.advance(ctx, chunk)
	}
	s.postpone(ctx, jobs)
	errs := make([]error, len(requests))
	for _, j := range jobs {
		for _, i := range j.positions {
			errs[i] = j.failure()
		}
	}
	return errs
}

// HandleMessages is [Stamper.Handle] for the bodies of queue messages. A body that is no
// request fails alone, and ends among the dead letters.
func (s *Stamper) HandleMessages(ctx context.Context, bodies [][]byte) []error {
	requests := make([]Request, len(bodies))
	faults := make([]error, len(bodies))
	for i, body := range bodies {
		requests[i], faults[i] = DecodeRequest(body)
	}
	errs := s.Handle(ctx, requests)
	for i, fault := range faults {
		if fault != nil {
			errs[i] = fault
		}
	}
	return errs
}

// recall settles, without a call of Graph, all that the ledger can answer.
func (s *Stamper) recall(ctx context.Context, jobs []*job) {
	if len(jobs) == 0 {
		return
	}
	entries, err := s.Ledger.Entries(ctx, s.Tenant, ids(jobs))
	if err != nil {
		putBackAll(jobs, ReasonLedgerUnavailable, fmt.Errorf("read the ledger: %w", err))
		return
	}
	now := s.Now()
	for _, j := range jobs {
		if e, ok := entries[j.request.User]; ok {
			j.entry = e
		}
		if d, ok := Recall(j.entry, j.request, s.Policy, now); ok {
			j.apply(d)
		}
	}
}

// advance reads the users of one chunk, decides, and stamps.
func (s *Stamper) advance(ctx context.Context, jobs []*job) {
	if s.tooLate(ctx, jobs) {
		return
	}
	s.read(ctx, jobs)
	s.decide(ctx, unsettled(jobs))
	s.checkGroups(ctx, filter(jobs, (*job).concernsGroups))
	s.record(ctx, jobs)
	if s.DryRun {
		for _, j := range jobs {
			// An empty read is not written, and would be read again for four days.
			if !j.settled || j.out.Reason == ReasonEmptySeen {
				j.settle(Done, ReasonDryRun, 0, nil)
			}
		}
		return
	}
	s.signOut(ctx, unsettled(jobs))
}

// tooLate puts the jobs back if the invocation may end before a claim that is taken now
// is settled. It tells whether it may.
func (s *Stamper) tooLate(ctx context.Context, jobs []*job) bool {
	deadline, ok := ctx.Deadline()
	if ctx.Err() == nil && (!ok || time.Until(deadline) >= s.Policy.CallTimeout) {
		return false
	}
	putBackAll(jobs, ReasonOutOfTime, nil)
	return true
}

func (s *Stamper) read(ctx context.Context, jobs []*job) {
	reads, err := s.Directory.ReadUsers(ctx, ids(jobs))
	if err != nil {
		putBackAll(jobs, unavailable(err), err)
		return
	}
	for i, j := range jobs {
		if err := reads[i].Err; err != nil && !notFound(err) {
			j.putBack(unavailable(err), err)
			continue
		}
		j.facts.Found, j.facts.User = reads[i].Err == nil, reads[i].User
		j.out.Created = j.facts.User.Created
	}
}

// decide settles every job but those whose user is to be signed out.
func (s *Stamper) decide(ctx context.Context, jobs []*job) {
	if len(jobs) == 0 {
		return
	}
	now := s.Now()
	domains, err := s.Domains.For(ctx, now, users(jobs)...)
	if err != nil {
		putBackAll(jobs, ReasonDomainsUnavailable, err)
		return
	}
	for _, j := range jobs {
		j.facts.Federation = s.federation(domains, j, now)
		j.apply(Decide(j.entry, j.facts, j.request, s.Policy, now))
	}
}

// federation doubts a domain that is not known as federated until every replica of the
// list knows what was done when the user came.
func (s *Stamper) federation(domains FederatedDomains, j *job, now time.Time) Federation {
	switch {
	case domains.Contain(j.facts.User.Domain()):
		return Federated
	case domains.serve(j.facts.User.Domain()) && now.Sub(j.request.Seen) < s.Policy.ReplicationLag:
		return Doubtful
	}
	return Managed
}

// checkGroups decides once more about those who are to be signed out, or said to be,
// knowing who is in an excluded group.
func (s *Stamper) checkGroups(ctx context.Context, jobs []*job) {
	if len(jobs) == 0 || len(s.Groups) == 0 {
		return
	}
	memberships, err := s.Directory.MemberOf(ctx, ids(jobs), s.Groups)
	if err != nil {
		putBackAll(jobs, ReasonExclusionsUnavailable, err)
		return
	}
	now := s.Now()
	for i, j := range jobs {
		if err := memberships[i].Err; err != nil {
			j.putBack(ReasonExclusionsUnavailable, err)
			continue
		}
		j.facts.Excluded = len(memberships[i].Groups) > 0
		j.apply(Decide(j.entry, j.facts, j.request, s.Policy, now))
	}
}

// postpone puts back what was settled for later, and makes dead letters of what was put
// back for too long.
func (s *Stamper) postpone(ctx context.Context, jobs []*job) {
	var back []Delayed
	var waiting []*job
	now := s.Now()
	for _, j := range jobs {
		if j.out.Verdict != Later {
			continue
		}
		if now.Sub(j.request.Seen) > s.Policy.GiveUpAfter {
			j.fail(ReasonGaveUp, fmt.Errorf("user %s: put back for longer than %s, at last for %s",
				j.request.User, s.Policy.GiveUpAfter, j.out.Reason))
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
	if err := s.Queue.Postpone(ctx, back); err != nil {
		for _, j := range waiting {
			j.fail(j.out.Reason, fmt.Errorf("put user %s back into the queue: %w", j.request.User, err))
		}
	}
}
