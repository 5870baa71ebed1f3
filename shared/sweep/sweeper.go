package sweep

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
)

// Config is what a Sweeper is made of. All fields are required, but Groups, DryRun
// and Observer, and Held in [revocation.ModeReport].
type Config struct {
	// Tenant is the one tenant that is swept, a lower-case GUID.
	Tenant string
	Graph  Graph
	// Domains tell who can be in scope. A user whom the fresh list of domains
	// puts out of scope is not queued.
	Domains *revocation.DomainCache
	Store   Store
	Queue   Queue
	// Subscribed returns since when notifications flow, the zero Time for not at
	// all. After a gap it may be the end of the gap.
	Subscribed func(ctx context.Context) (time.Time, error)
	// Policy is the revoker's: it tells new users from existing ones, and whether
	// and when those are asked for. Groups are the revoker's excluded groups, nil
	// for none; only a [Preview] reads them.
	Policy revocation.Policy
	Groups *revocation.GroupCache
	// Held knows the existing users. Backfill tells whether a ceiling was
	// reached, and is told how many members there are. DryRun, which is the
	// revoker's, lets both happen with the counts of the dry run (see
	// [revocation.DryRunStore]); the members are told to the real ones, too.
	Held     Held
	Backfill revocation.BackfillStore
	DryRun   bool
	Settings Settings
	Observer Observer
	Log      *slog.Logger
	// Now is the calendar.
	Now func() time.Time
}

// Validate reports every fault of the configuration.
func (c Config) Validate() error {
	var faults []error
	require := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	require(directory.IsID(c.Tenant), "tenant %q is not a lower-case GUID", c.Tenant)
	require(c.Graph != nil && c.Domains != nil && c.Store != nil && c.Queue != nil && c.Subscribed != nil && c.Backfill != nil,
		"graph, domains, store, queue, subscribed and backfill must all be given")
	require(c.Log != nil && c.Now != nil, "log and calendar must be given")
	require(c.Policy.Backfill.Mode != revocation.ModeEnforce || c.Held != nil, "held must be given in mode %q", revocation.ModeEnforce)
	require(c.Settings.Recover >= c.Policy.NewUserWindow,
		"recover is %s, shorter than the new-user window of %s", c.Settings.Recover, c.Policy.NewUserWindow)
	return errors.Join(append(faults, c.Policy.Validate(), c.Settings.Validate(), c.Domains.Validate(), c.Groups.Validate())...)
}

// Validate reports every fault of the settings.
func (s Settings) Validate() error {
	var faults []error
	require := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	require(s.Grace >= 0 && s.Grace <= revocation.MaxDelay, "grace is %s, the queue delays by at most %s", s.Grace, revocation.MaxDelay)
	require(s.FullEvery > 0, "time between full rounds must be positive")
	require(s.Spread >= 0 && s.Spread <= revocation.MaxDelay, "spread is %s, the queue delays by at most %s", s.Spread, revocation.MaxDelay)
	require(s.ReplicationLag >= 0 && s.BackfillSettle >= 0, "replication lag and backfill settle must not be negative")
	require(s.Margin > 0 && s.Lease > s.Margin, "margin is %s, it must be positive and below the lease of %s", s.Margin, s.Lease)
	require(s.BackfillPerRun >= 0 && s.BackfillPace >= 0 &&
		time.Duration(s.BackfillPerRun)*s.BackfillPace <= revocation.MaxDelay,
		"a backfill of %d users per run, one in %s, takes longer than the queue's longest delay of %s",
		s.BackfillPerRun, s.BackfillPace, revocation.MaxDelay)
	return errors.Join(faults...)
}

// A Sweeper sweeps one tenant. It keeps nothing between runs but in its Store.
// It is safe for concurrent use: of several runs at once, one works.
type Sweeper struct {
	config

	// real keeps the real counts of the backfill, in a dry run as well.
	real revocation.BackfillStore
}

// config keeps the fields of a Config out of the Sweeper's own documentation and
// out of reach.
type config Config

// New makes a Sweeper.
func New(c Config) (*Sweeper, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("sweeper: %w", err)
	}
	s := &Sweeper{config(c), c.Backfill}
	if c.DryRun {
		s.Backfill = revocation.DryRunStore(c.Backfill)
	}
	return s, nil
}

// Run does as much of the sweep as fits before the deadline of ctx: an
// increment, a full round if one is under way or due, and the increment after
// it; then, in [revocation.ModeEnforce], a batch of the backfill. What it does not come to,
// the next run does.
//
// A failure of Graph, store or queue is returned, and the next run goes on after
// the last page whose candidates were queued. A run that finds another one at
// work does nothing, and returns no error.
func (s *Sweeper) Run(ctx context.Context) (Report, error) {
	r := &run{config: s.config, real: s.real, holder: rand.Text()}
	r.report = Report{Tenant: s.Tenant, Started: s.Now().UTC(), Stopped: StopBrokeOff}
	defer r.tell(ctx)
	r.conclude(r.sweep(ctx))
	r.release(ctx)
	return r.report, r.err
}

// sweep does the work of a run.
func (r *run) sweep(ctx context.Context) error {
	_, _ = r.backfillState(ctx) // for the report; where it fails, backfill says so
	if err := r.acquire(ctx); err != nil {
		return err
	}
	if err := r.rounds(ctx); err != nil {
		return err
	}
	return r.backfill(ctx)
}

// maxPasses is how often a run begins its rounds: again after a link has expired,
// or where somebody asked for a full round when another one had begun, but not for
// ever if Graph's links expire as soon as they are made.
const maxPasses = 3

func (r *run) rounds(ctx context.Context) error {
	var err error
	for range maxPasses {
		err = r.pass(ctx)
		if err == nil && !r.checkpoint.asked() || err != nil && !errors.Is(err, errExpired) {
			return err
		}
	}
	return cmp.Or(err, errOutOfTime) // what was asked for last is the next run's
}

// pass leaves a chain behind that reaches to the present, and no full round due
// but what was asked for meanwhile.
func (r *run) pass(ctx context.Context) error {
	if r.checkpoint.DeltaLink != "" {
		if err := r.increment(ctx); err != nil && !r.refound(ctx, err) {
			return err
		}
	}
	cause := r.fullDue(r.Now())
	if cause == "" {
		return nil
	}
	r.report.Full = cause
	if err := r.full(ctx); err != nil {
		return err
	}
	return r.increment(ctx)
}
