// Package resolver turns what identity providers report into requests for stamps: it asks
// the directory whom a signal means, and whether its source may speak of that user. It
// decides by package signal, and stamps nobody: package stamp does.
//
// Administrators' resets and disabled users go first, and at once. Users who changed their
// own passwords follow at a pace, so that a flood of them neither uses up Graph's quota nor
// fills the queue before new users.
package resolver

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"golang.org/x/time/rate"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/state"
)

const (
	// PerSecond is how many signals that are not urgent one process resolves in a second.
	// The stamper signs out 20 users a second.
	PerSecond = 5
	// MaxBatch is how many questions are asked in one call: see [stamp.MaxBatch].
	MaxBatch = stamp.MaxBatch
	// WriteEvery is how often it is written at most that a source was heard.
	WriteEvery = time.Minute
)

// Directory finds users.
type Directory interface {
	// LookUp asks at most [MaxBatch] questions. It returns one answer for each, in order;
	// its errors are of type [*directory.Error].
	LookUp(ctx context.Context, questions []directory.Question) ([]directory.Found, error)
}

// Observer is told of every outcome.
type Observer interface {
	ObserveSignal(ctx context.Context, o Outcome)
}

// Config is what a Resolver is made of. All of it is required.
type Config struct {
	// Tenant is the one tenant that is served, a lower-case GUID.
	Tenant    string
	Directory Directory
	Domains   *stamp.Domains
	// Policy is the stamper's: its replication lag and skew of clocks count.
	Policy stamp.Policy
	// Store holds the sources.
	Store state.Store[signal.Registry]
	// Queue is the stamper's.
	Queue    stamp.Queue
	Observer Observer
	Log      *slog.Logger
	// Now is the calendar.
	Now func() time.Time
}

// A Resolver resolves signals. It keeps nothing between calls but its pace. It is safe for
// concurrent use.
type Resolver struct {
	config
	pace *rate.Limiter
}

// config keeps the fields of a Config out of the Resolver's own documentation and out of
// reach.
type config Config

// New makes a Resolver.
func New(c Config) *Resolver {
	return &Resolver{config: config(c), pace: rate.NewLimiter(PerSecond, PerSecond)}
}

// Handle resolves every message. The result has one error for each message, in order: nil
// means that it may be acknowledged, because its request is queued or it has none; any other
// leaves it to its queue. One message never spoils another. A message that is handled twice
// does no harm: the second request finds the stamp of the first.
func (r *Resolver) Handle(ctx context.Context, messages []signal.Message) []error {
	started := r.Now()
	jobs := make([]*job, len(messages))
	for i, m := range messages {
		jobs[i] = r.job(m, started)
	}
	sources, err := r.hear(ctx, open(jobs))
	if err != nil {
		leaveAll(open(jobs), RegistryUnavailable, err)
	}
	admit(open(jobs), sources)
	for _, turn := range turns(open(jobs)) {
		r.resolve(ctx, turn, sources)
	}
	r.report(ctx, jobs, started)
	errs := make([]error, len(jobs))
	for i, j := range jobs {
		if j.out.Left {
			errs[i] = j.out.Err
		}
	}
	return errs
}

// HandleMessages is [Resolver.Handle] for the bodies of queue messages. One that can't be
// read is nobody's message: it fails alone, and ends among the dead letters.
func (r *Resolver) HandleMessages(ctx context.Context, bodies [][]byte) []error {
	messages := make([]signal.Message, len(bodies))
	for i, body := range bodies {
		if json.Unmarshal(body, &messages[i]) != nil {
			messages[i] = signal.Message{}
		}
	}
	return r.Handle(ctx, messages)
}

// turns are the jobs that are resolved together: the urgent ones first.
func turns(jobs []*job) [][]*job {
	urgent, others := filter(jobs, (*job).urgent), filter(jobs, func(j *job) bool { return !j.urgent() })
	return slices.AppendSeq(slices.Collect(slices.Chunk(urgent, MaxBatch)), slices.Chunk(others, PerSecond))
}

// resolve brings the jobs of one turn to their end. Those that are not urgent wait for it.
func (r *Resolver) resolve(ctx context.Context, jobs []*job, sources map[string]signal.Record) {
	if !jobs[0].urgent() {
		if err := r.pace.WaitN(ctx, len(jobs)); err != nil {
			leaveAll(jobs, OutOfTime, fmt.Errorf("wait for the turn: %w", err))
			return
		}
	}
	r.lookUp(ctx, jobs)
	r.judge(ctx, open(jobs), sources)
	r.enqueue(ctx, open(jobs))
}

// judge settles the jobs whose source may not speak of anybody, or not yet.
func (r *Resolver) judge(ctx context.Context, jobs []*job, sources map[string]signal.Record) {
	if len(jobs) == 0 {
		return
	}
	var users []directory.User
	for _, j := range jobs {
		users = append(users, j.users...)
	}
	now := r.Now()
	domains, err := r.Domains.For(ctx, now, users...)
	if err != nil {
		leaveAll(jobs, DomainsUnavailable, err)
		return
	}
	for _, j := range jobs {
		j.judge(now, r.Policy, signal.Bounds{Domains: sources[j.message.Source].Domains, Federated: domains})
	}
}

// enqueue hands the users on whom a source may speak of.
func (r *Resolver) enqueue(ctx context.Context, jobs []*job) {
	if len(jobs) == 0 {
		return
	}
	now := r.Now()
	requests := make([]stamp.Delayed, len(jobs))
	for i, j := range jobs {
		requests[i] = j.request(now, r.Policy)
	}
	if err := r.Queue.Postpone(ctx, requests); err != nil {
		leaveAll(jobs, QueueUnavailable, fmt.Errorf("queue the requests: %w", err))
		return
	}
	for _, j := range jobs {
		j.finish(Queued)
	}
}
