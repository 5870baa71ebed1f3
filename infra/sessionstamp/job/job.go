// Package job does the work behind the command's verbs stamp, signout, restamp and watch, on one
// machine and against a tenant, through [stamp.Stamper] like everything else.
//
// What has to outlive the process stands in one [bolt.File]: the ledger, the brake, the
// place of the sweep, the order of a person, and the queue. An order's requests are not in
// that queue. They are made of the order anew when it goes on, and the ledger knows who
// is done. So whoever stops an order, because it was the wrong one, need not fear that the
// next run of anything goes on with it: only the stamps of those who were signed out are
// still read back.
package job

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/bolt"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/memory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

// CallsPerSecond is how many users are signed out in a second, at most: all that Graph
// takes of one app (https://learn.microsoft.com/graph/throttling-limits). Only one process
// can have the tenant's file open.
const CallsPerSecond = 20

const (
	// workers is how many batches are handled at once. A batch waits for Graph most of
	// its time, and one worker would not reach the pace.
	workers = 5
	// fill is how long a batch waits to get full.
	fill = 100 * time.Millisecond
	// batchTime bounds one batch: longer than Graph may be waited for.
	batchTime = 5 * time.Minute
	// visibility is how long a request stays hidden while its batch is handled.
	visibility = 6 * time.Minute
)

// Graph is what an Engine needs of Microsoft Graph.
type Graph interface {
	stamp.Directory
	stamp.DomainLister
	sweep.Graph
}

// Config is what an Engine works with. All fields are required but those that say what
// their zero value means.
type Config struct {
	// Tenant is the Entra tenant id, a lower-case GUID.
	Tenant string
	Graph  Graph
	// File is the tenant's. The Engine does not close it.
	File *bolt.File
	// ExcludedGroups are the object ids of groups whose members are excluded; may be none.
	ExcludedGroups []string
	// StampsPerDay is the limit of the brake; 0: see [stamp.NewBrake].
	StampsPerDay int
	Policy       stamp.Policy
	// FederatedDomains are the only ones served, with what is below them; none: all.
	FederatedDomains []string
	// Deployment is where orders are handed to by [Engine.Hand]; nil: they are carried out
	// here.
	Deployment Deployment
	// DryRun lets the engine decide everything and sign nobody out. What it has seen it
	// takes for done, so it is for a file of its own.
	DryRun bool
	Log    *slog.Logger
	// Now is the calendar: best Graph's, by which stamps are judged. It must not go back.
	// Nights are those of its time zone.
	Now func() time.Time
}

// config keeps the fields of a Config out of the Engine's own documentation and out of
// reach.
type config Config

// An Engine works on one tenant. It remembers nothing that is not in the file. It does one
// thing at a time: [Engine.Run], [Engine.Watch] or [Engine.Once].
type Engine struct {
	config
	ledger  *bolt.Ledger
	orders  *bolt.State[Order]
	records *bolt.State[[]Record]
	brake   *stamp.Brake
	domains *stamp.Domains
}

// New makes an Engine. Nothing is read yet.
func New(c Config) *Engine {
	return &Engine{
		config:  config(c),
		ledger:  bolt.NewLedger(c.File),
		orders:  bolt.NewState[Order](c.File, "order"),
		records: bolt.NewState[[]Record](c.File, "orders"),
		brake:   stamp.NewBrake(bolt.NewState[stamp.BrakeState](c.File, "brake"), c.StampsPerDay),
		domains: stamp.NewDomains(c.Graph, c.FederatedDomains...),
	}
}

// excluding is an engine that leaves those alone as well who were excluded when the order
// was planned.
func (e *Engine) excluding(o Order) *Engine {
	both := *e
	union := func(a, b []string) []string { return slices.Compact(slices.Sorted(slices.Values(slices.Concat(a, b)))) }
	both.Policy.Exclusions.IDs = union(e.Policy.Exclusions.IDs, o.Exclusions.IDs)
	both.Policy.Exclusions.Patterns = union(e.Policy.Exclusions.Patterns, o.Exclusions.Patterns)
	both.ExcludedGroups = union(e.ExcludedGroups, o.ExcludedGroups)
	return &both
}

// Brake is the brake of all that runs by itself, for whoever shows or releases it.
func (e *Engine) Brake() *stamp.Brake { return e.brake }

// newQueue makes the queue in the file, of which there may be one at a time.
func (e *Engine) newQueue(maxReceives int) *bolt.Queue {
	return bolt.NewQueue(e.File, bolt.QueueOptions{Visibility: visibility, MaxReceives: maxReceives, Now: e.Now})
}

func (e *Engine) newStamper(queue stamp.Queue, observer stamp.Observer, mayCall func() error) *stamp.Stamper {
	return stamp.New(stamp.Config{
		Tenant: e.Tenant, Directory: calm{e.Graph, mayCall}, Domains: e.domains, Groups: e.ExcludedGroups,
		Ledger: e.ledger, Queue: queue, Brake: e.brake, Policy: e.Policy, Pace: CallsPerSecond,
		DryRun: e.DryRun, Observer: observer, Log: e.Log, Now: e.Now,
	})
}

func newPoller(from memory.Source, workers int, handle func(context.Context, int, [][]byte) []error) memory.Poller {
	return memory.Poller{
		Queue: from, Workers: workers, Batch: stamp.MaxBatch, Window: fill, Timeout: batchTime, Handle: handle,
	}
}

// calm lets a call that signs users out come to its end when a person presses Ctrl-C.
// Else nobody would know until its claim is over, six minutes later, whether it worked. It
// takes no longer than the call may, and no other call begins. None begins when it may not:
// this is the last place before it, whatever has taken its time until here.
type calm struct {
	stamp.Directory
	mayCall func() error // nil: always
}

// RevokeSignInSessions implements [stamp.Directory].
func (c calm) RevokeSignInSessions(ctx context.Context, ids []string) ([]error, error) {
	if c.mayCall != nil {
		if err := c.mayCall(); err != nil {
			return nil, &directory.Error{Operation: "revokeSignInSessions", NotDone: true, Err: err}
		}
	}
	deadline, ok := ctx.Deadline()
	if !ok {
		return c.Directory.RevokeSignInSessions(ctx, ids)
	}
	ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), deadline)
	defer cancel()
	return c.Directory.RevokeSignInSessions(ctx, ids)
}

// idle is a source that ends where nothing is due.
type idle struct{ *bolt.Queue }

// errIdle is that end.
var errIdle = errors.New("nothing is due")

// Receive implements [memory.Source].
func (i idle) Receive(_ context.Context, limit int) ([]memory.Message, error) {
	messages, err := i.ReceiveDue(limit)
	if err == nil && len(messages) == 0 {
		err = errIdle
	}
	return messages, err
}
