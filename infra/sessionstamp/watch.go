package main

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/job"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
	"github.com/sessionstamp/sessionstamp/shared/bolt"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/wait"
)

// watching are the flags of watch.
type watching struct {
	exclusions
	listening
	every              time.Duration // 0: once a minute, in the demonstration more often
	once, dry, release bool
	signals            bool // the brake of which is released
}

func (c *call) watchVerb() *cobra.Command {
	var o watching
	cmd := c.verb("watch", func(cmd *cobra.Command, _ []string) error { return c.watch(cmd.Context(), o) })
	flags := cmd.Flags()
	flags.Var(interval{&o.every}, "every", c.help("flag.every"))
	flags.BoolVar(&o.once, "once", false, c.help("flag.once"))
	flags.BoolVar(&o.dry, "dry-run", false, c.help("flag.watch-dry-run"))
	o.exclusions.flags(c, cmd)
	flags.BoolVar(&o.release, "release", false, c.help("flag.release"))
	o.listening.flags(c, cmd)
	flags.BoolVar(&o.signals, "signals", false, c.help("flag.watch-signals"))
	explainIn(cmd, "listen", "signals")
	return cmd
}

// watch stamps new users until a person stops it, which is no failure.
func (c *call) watch(ctx context.Context, o watching) error {
	switch {
	case c.format == screen.CSV && !o.release:
		return misuse("use.watch_csv")
	case o.release && (o.once || o.dry || o.every > 0 || len(o.users)+len(o.groups) > 0 || o.listens()):
		return misuse("use.watch_release")
	case o.signals && !o.release:
		return misuse("use.watch_signals")
	case o.release:
		return c.release(ctx, o.signals)
	}
	if err := errors.Join(o.check(), o.listening.check(c, o.once)); err != nil {
		return err
	}
	err := c.watchTenant(ctx, o)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		c.tell(line{text: c.say("watch.stopped")})
		return nil
	}
	return err
}

func (c *call) watchTenant(ctx context.Context, o watching) (err error) {
	t, err := c.signIn(ctx, o.permissions()...)
	if err != nil {
		return err
	}
	listening, err := c.listen(ctx, t, o.listening)
	if err != nil {
		return err
	}
	if listening != nil {
		defer func() { _ = listening.Listener.Close() }()
	}
	c.traceless = o.dry
	engine, end, err := c.engine(ctx, t, o.exclusions, func(config *job.Config) {
		config.DryRun, config.Policy.EnforceSignals = o.dry, o.enforce
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	w := c.newWatcher(engine, t.id, o)
	w.listening = listening
	if o.once {
		c.newcomersOfDemo(ctx, true)
		return w.once(ctx)
	}
	c.introduceWatch(t, o)
	c.introduceListening(listening, o.listening)
	coming, stop := context.WithCancel(ctx)
	var newcomers sync.WaitGroup
	newcomers.Go(func() { c.newcomersOfDemo(coming, false) })
	defer newcomers.Wait()
	defer stop()
	if err := engine.Watch(ctx, w.options(ctx, c.interval(o))); err != nil {
		return err
	}
	w.tell(line{text: w.say("watch.stopped")})
	w.farewell(ctx)
	return nil
}

// permissions are what a person is asked for.
func (o *watching) permissions() []string {
	all := append([]string{readUsers, readDomains}, o.exclusions.permissions()...)
	if !o.dry {
		all = append(all, revoke)
	}
	return all
}

// check refuses an exclusion that is none, before anybody signs in. It tells which by its
// place: it may be a name, and standard error goes into logs.
func (o *watching) check() error {
	for i := range o.users {
		one := exclusions{users: o.users[i : i+1]}
		if _, err := one.policy(); err != nil {
			return misuse("use.watch_exclude", strconv.Itoa(i+1))
		}
	}
	return nil
}

// interval is how often the tenant is looked at. In the demonstration nobody wants to
// wait for a minute.
func (c *call) interval(o watching) time.Duration {
	usual := time.Minute
	if c.demo {
		usual = shortestInterval
	}
	return cmp.Or(o.every, usual)
}

// introduceWatch says what runs, and what would end it. Who has signed in is for eyes only,
// and no log's.
func (c *call) introduceWatch(t tenant, o watching) {
	var lines []line
	if c.Err.Live {
		lines = append(lines, line{text: "✓ Entra  " + t.as, colour: screen.Good})
	}
	lines = append(lines, line{text: c.say("watch.every", c.waited(c.interval(o)))})
	if o.dry {
		lines = append(lines, line{text: c.say("watch.dry"), colour: screen.Notice})
	}
	if !c.demo && cmp.Or(c.signInBy, c.usualWay()) != byEnvironment {
		lines = append(lines, line{text: c.say("watch.person"), colour: screen.Notice})
	}
	c.tell(lines...)
}

// newcomersOfDemo lets users come: a few at once, or one every few seconds until ctx is
// done.
func (c *call) newcomersOfDemo(ctx context.Context, atOnce bool) {
	if !c.demo {
		return
	}
	if atOnce {
		for _, age := range []time.Duration{14 * time.Second, 31 * time.Second, 2 * time.Minute} {
			c.world.Newcomer(age)
		}
		return
	}
	for err := ctx.Err(); err == nil; err = wait.For(ctx, 2*time.Second+rand.N(5*time.Second)) {
		c.world.Newcomer(0)
	}
}

// released is the JSON of watch --release.
type released struct {
	Tenant   string `json:"tenant"`
	Released bool   `json:"released"`
	Reached  string `json:"reached,omitempty"`
}

// release opens the brake again, by a person's order. It signs nobody in: the brake is in
// the tenant's file on this machine.
func (c *call) release(ctx context.Context, signals bool) error {
	folder, forget, err := c.folder(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = forget() }()
	tenant, err := c.knownTenant(folder)
	if err == nil && tenant == "" {
		err = misuse("use.no_file")
	}
	if err != nil {
		return err
	}
	reached, err := c.reached(ctx, folder, tenant, signals)
	if err != nil {
		return err
	}
	v := view{
		before: []line{{text: c.say("watch.not_reached")}},
		object: released{Tenant: tenant, Released: !reached.IsZero(), Reached: moment(reached)},
		sheet:  screen.Table{Columns: []screen.Column{{Title: "reached"}}, Rows: [][]string{{moment(reached)}}},
		next:   []hint{{"watch", "hint.watch"}, {"history", "hint.history"}},
	}
	if !reached.IsZero() {
		v.before = []line{{text: "✓ " + c.say("watch.released", c.when(reached)), colour: screen.Good, hang: 2}}
		if err := c.openBrake(ctx, folder, tenant, signals); err != nil {
			return err
		}
	}
	return c.show(v)
}

// reached tells since when the brake has stopped new stamps; zero: it has not. A watch may
// be at work meanwhile.
func (c *call) reached(ctx context.Context, folder, tenant string, signals bool) (time.Time, error) {
	var brake stamp.BrakeState
	err := glance(ctx, folder, tenant, func(file *bolt.File) (err error) {
		brake, _, err = job.New(job.Config{File: file}).Brake().State(ctx, tenant)
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = misuse("use.no_file")
	}
	if signals {
		return brake.Signals.Reached, err
	}
	return brake.Reached, err
}

func (c *call) openBrake(ctx context.Context, folder, tenant string, signals bool) error {
	file, err := bolt.Open(ctx, folder, tenant)
	if errors.Is(err, bolt.ErrBusy) {
		return failure(err, "fail.release_busy")
	} else if err != nil {
		return err
	}
	brake := job.New(job.Config{File: file}).Brake()
	if signals {
		brake = brake.OfSignals()
	}
	err = brake.Release(ctx, tenant, c.Now())
	return errors.Join(err, file.Close())
}

const (
	// shortestInterval keeps one machine from using up the tenant's share of Graph, and
	// longestInterval is what a deployment does without notifications.
	shortestInterval = 10 * time.Second
	longestInterval  = time.Hour
)

// interval is a flag that takes a time between two looks.
type interval struct{ to *time.Duration }

func (i interval) Set(text string) error {
	d, err := time.ParseDuration(text)
	if err != nil || d < shortestInterval || d > longestInterval {
		return errInterval
	}
	*i.to = d
	return nil
}

func (interval) String() string { return "" }

func (interval) Type() string { return "10s…1h" }
