// Package sweep finds the users without a stamp of whom no notification told, with
// Microsoft Graph's [delta query] and its [list of users].
//
// Graph does not say when it loses a notification about a user. So the sweep is the
// promise, and the webhook only the faster way. The sweep stamps nobody: it puts users
// who may be new into the queue that notifications go through, and package stamp reads
// each of them again before it decides.
//
// There are two kinds of rounds. An increment follows delta from where the last one
// ended. A full round lists all users: once a day, whenever somebody asks for one, and
// whenever a link of delta has failed.
//
// [delta query]: https://learn.microsoft.com/graph/api/user-delta
// [list of users]: https://learn.microsoft.com/graph/api/user-list
package sweep

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/state"
)

// Graph is what a Sweeper needs of Microsoft Graph.
type Graph interface {
	// LatestDelta returns a link from which DeltaPage shows what changes from now on.
	LatestDelta(ctx context.Context) (deltaLink string, err error)
	// DeltaPage returns the page at a link, which an earlier page or LatestDelta gave.
	DeltaPage(ctx context.Context, link string) (directory.UserPage, error)
	// UserPage returns a page of all users, the first one for an empty link.
	UserPage(ctx context.Context, next string) (directory.UserPage, error)
}

// Brake is the part of [stamp.Brake] that the sweep and its orders need.
type Brake interface {
	// SetMembers tells how many members of federated domains there are.
	SetMembers(ctx context.Context, tenant string, n int) error
	// Release opens the brake again after it was reached.
	Release(ctx context.Context, tenant string, now time.Time) error
	// ReleaseSignals does so for users of whom a provider reports.
	ReleaseSignals(ctx context.Context, tenant string, now time.Time) error
	// Pause stops all stamping until Resume.
	Pause(ctx context.Context, tenant string, now time.Time) error
	Resume(ctx context.Context, tenant string) error
	// State tells whether a person has paused.
	State(ctx context.Context, tenant string) (s stamp.BrakeState, limit int, err error)
}

// Observer is told of every increment and full round, for metrics. A preview, a release,
// a pause and its end are not told.
type Observer interface {
	ObserveSweep(ctx context.Context, r Report)
}

// Config is what a Sweeper works with. All fields but NextFull and the Observer are required.
type Config struct {
	// Tenant is the Entra tenant id, a lower-case GUID.
	Tenant string
	Graph  Graph
	// Queue takes the users who may be new.
	Queue stamp.Queue
	// Domains tells members of federated domains from others, for the counts.
	Domains *stamp.Domains
	Policy  stamp.Policy
	// Store keeps the place where the next run goes on.
	Store state.Store[Checkpoint]
	Brake Brake
	// NextFull says when the full round after one that began at a moment is to begin.
	// nil: a day after, less half an hour.
	NextFull func(began time.Time) time.Time
	// Observer may be nil.
	Observer Observer
	Log      *slog.Logger
	// Now is the calendar.
	Now func() time.Time
}

// A Sweeper sweeps one tenant. It remembers nothing between runs but what its Store
// keeps. Several at once are harmless: one goes on, the others end.
type Sweeper struct{ config Config }

// New makes a Sweeper.
func New(c Config) *Sweeper {
	if c.NextFull == nil {
		c.NextFull = func(began time.Time) time.Time { return began.Add(fullEvery) }
	}
	return &Sweeper{c}
}

// early are the ends of a run before its time that are no failure.
var early = []struct {
	by    error
	cause Cause
}{{errOutOfTime, CauseOutOfTime}, {stamp.ErrPaused, CausePaused}, {state.ErrConflict, CauseOvertaken}}

// Run carries an order out, as far as it fits before the deadline of ctx. The next run
// goes on where this one stopped. A Report beside an error tells how far it came.
//
// A failure of Graph, queue or store is returned. A run that finds that somebody else
// has written the checkpoint ends without an error.
func (s *Sweeper) Run(ctx context.Context, o Order) (Report, error) {
	r := &run{Config: s.config, report: Report{Tenant: s.config.Tenant, Kind: KindIncrement}}
	err := r.carryOut(ctx, o)
	r.report.Finished = err == nil
	for _, end := range early {
		if errors.Is(err, end.by) {
			r.because(end.cause)
			err = nil
		}
	}
	r.log(ctx, err)
	if r.Observer != nil && (r.report.Kind == KindIncrement || r.report.Kind == KindFull) {
		r.Observer.ObserveSweep(ctx, r.report)
	}
	return r.report, err
}

func (r *run) carryOut(ctx context.Context, o Order) error {
	switch o {
	case OrderRelease:
		r.report.Kind = KindRelease
		return r.Brake.Release(ctx, r.Tenant, r.Now())
	case OrderReleaseSignals:
		r.report.Kind = KindReleaseSignals
		return r.Brake.ReleaseSignals(ctx, r.Tenant, r.Now())
	case OrderPause:
		r.report.Kind = KindPause
		return r.Brake.Pause(ctx, r.Tenant, r.Now())
	case OrderResume:
		r.report.Kind = KindResume
		return r.Brake.Resume(ctx, r.Tenant)
	case OrderPreview:
		r.report.Kind, r.dry = KindPreview, true
		return r.full(ctx)
	case OrderFull:
		if err := (Asker{r.Store}).Ask(ctx, r.Tenant); err != nil {
			return err
		}
	case OrderUsual:
	}
	return r.rounds(ctx)
}
