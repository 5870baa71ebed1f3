// Package sweep finds the users without a stamp of whom no notification told, with
// Microsoft Graph's [delta query] and its [list of users].
//
// Graph does not say when it loses a notification about a user. So the sweep is the
// promise, and the webhook only the faster way. The sweep stamps nobody: it puts users
// who may be new into the queue that notifications go through, and package stamp reads
// each of them again before it decides.
//
// There are two kinds of rounds. An increment follows delta from where the last one
// ended. A full round lists all users: every night, whenever somebody asks for one, and
// whenever a link of delta no longer works.
//
// [delta query]: https://learn.microsoft.com/graph/api/user-delta
// [list of users]: https://learn.microsoft.com/graph/api/user-list
package sweep

import (
	"context"
	"errors"
	"fmt"
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
}

// Observer is told of every increment and full round, for metrics. A preview and a
// release are not told.
type Observer interface {
	ObserveSweep(ctx context.Context, r Report)
}

// Config is what a Sweeper works with.
type Config struct {
	// Tenant is the Entra tenant id, a lower-case GUID.
	Tenant string
	Graph  Graph
	// Queue takes the users who may be new.
	Queue stamp.Queue
	// Domains tells members of federated domains from others, for the counts.
	Domains *stamp.Domains
	// Groups are the excluded groups. The sweep does not read them: package stamp does,
	// for each user. A preview names them, so that a person knows.
	Groups []string
	Policy stamp.Policy
	// Store keeps the place where the next run goes on.
	Store state.Store[Checkpoint]
	Brake Brake
	// Observer may be nil.
	Observer Observer
	Log      *slog.Logger
	// Now is the calendar, time.Now if it is nil.
	Now func() time.Time
}

// A Sweeper sweeps one tenant. It remembers nothing between runs but what its Store
// keeps. Several at once are harmless: one goes on, the others end.
type Sweeper struct{ config }

// config keeps the fields of a Config out of reach.
type config Config

// New makes a Sweeper.
func New(c Config) (*Sweeper, error) {
	var faults []error
	require := func(ok bool, what string) {
		if !ok {
			faults = append(faults, errors.New(what))
		}
	}
	require(directory.IsID(c.Tenant), "the tenant is not a lower-case GUID")
	require(c.Graph != nil && c.Queue != nil && c.Store != nil && c.Brake != nil, "Graph, Queue, Store or Brake is missing")
	require(c.Domains != nil && c.Log != nil, "Domains or Log is missing")
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("sweeper: %w", err)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Sweeper{config(c)}, nil
}

// Ask lets the next run begin a full round: see [Asker.Ask].
func (s *Sweeper) Ask(ctx context.Context, tenant string) error {
	return Asker{s.Store}.Ask(ctx, tenant)
}
