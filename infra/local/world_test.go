package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	mathrand "math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// A plan is the time that a simulated run takes.
type plan struct {
	// play is how long things happen and go wrong.
	play time.Duration
	// bound is how long after the last fault the last user may be stamped.
	bound time.Duration
	// rest is how long it goes on after the last fault.
	rest                  time.Duration
	keepEvery, sweepEvery time.Duration
	// twice is how often a message is queued twice, at most. A request that is put back
	// for days would become very many.
	twice float64
	// tokenLife is how long an access token is good for; 0 means an hour. To sign one takes
	// more time than all else.
	tokenLife time.Duration
	// disasters happen that only the keeper and the sweep can mend.
	disasters bool
	// cost is how many seeds of the other plans one of this takes as long as; 0 means 1.
	// So many fewer are played.
	cost int
	// watched is a plan without a deployment: one machine watches.
	watched bool
	// broken is what is wrong with that machine.
	broken breakage
	// provided is a plan with a provider that reports. Spoil, if it is not nil, breaks on
	// purpose what listens to it.
	provided bool
	spoil    func(*inlet)
}

// calmEvery is the distance of the seeds whose worlds are calm: nothing fails, nobody
// dies, and nobody may wait for longer than it takes.
const calmEvery = 8

// hours are too short for the sweep to help: who is stamped is so because of a
// notification. A request was put back for up to 15 minutes, its batch died with its
// worker for 6, Graph waited for up to 20 minutes before it delivered again, and a call
// without effect is read back twice, a replication lag apart, before it is repeated.
var hours = plan{
	play: 3 * time.Hour, bound: 105 * time.Minute, rest: 150 * time.Minute,
	keepEvery: 15 * time.Minute, sweepEvery: 24 * time.Hour,
	twice: 0.1,
}

// days are full of disasters. Whoever was missed is found by the first sweep after the
// last of them, and then needs as long as anybody in a busy hour.
var days = plan{
	play: 13 * 24 * time.Hour, bound: time.Hour + hours.bound, rest: 6 * time.Hour,
	keepEvery: 15 * time.Minute, sweepEvery: time.Hour,
	twice: 0.002, tokenLife: 24 * time.Hour, disasters: true,
}

// newUserWindow is the policy's in every world.
const newUserWindow = 72 * time.Hour

// policy is the product's own, as the functions have it.
var policy = stamp.Policy{
	NewUserWindow:  newUserWindow,
	ReplicationLag: 5 * time.Minute,
	CallWindow:     time.Minute,
	CallTimeout:    20 * time.Second,
	CannotFixRetry: 24 * time.Hour,
	GiveUpAfter:    4 * 24 * time.Hour,
	ClockSkew:      5 * time.Second,
	Exclusions:     stamp.Exclusions{Patterns: []string{excludedPrefix + "*"}},
}

// A world is one simulated run: a tenant in which users come, change and go, an emulated
// Graph that is late, stale, throttling and failing, and sessionstamp with workers that
// die.
type world struct {
	t      testing.TB
	plan   plan
	calm   bool
	deaf   bool           // no notification comes: the sweep has to find everybody
	random *mathrand.Rand // of the script; faults draw for themselves
	ctx    context.Context
	start  time.Time

	graph   *msgraphtest.Server
	tenant  *msgraphtest.Tenant
	admin   *admin
	plant   *plant
	watcher *machine // nil in a deployment
	// provider is nil where nobody listens to it.
	provider *provider
	tally    *tally
	faults   *faults
	front    *frontDoor
	drawn    msgraphtest.Delivery // how notifications travel
	lag      time.Duration        // of the replica

	sparing   sparing
	orders    orders
	seen      witness
	users     int
	old       []string   // users who were there before
	known     sync.Mutex // for the provider, who reads them meanwhile
	created   map[string]newUser
	protected map[string]bool // of those
	changes   int             // so far
	converted time.Time       // when the managed domain becomes federated, zero for never
	poison    int
	latest    time.Duration // stamp, after the last fault
	aged      int
	unfixed   int
}

// newWorld draws a world from a seed. Spoil, if it is not nil, breaks sessionstamp on
// purpose.
func newWorld(t testing.TB, p plan, seed uint64, log io.Writer, spoil func(*plantConfig)) *world {
	random := mathrand.New(mathrand.NewPCG(seed, 0x5e55))
	w := &world{
		t: t, plan: p, random: random, start: time.Now(), calm: seed%calmEvery == 0,
		deaf:      p.disasters && !p.watched && seed%calmEvery == calmEvery/2,
		tally:     newTally(),
		front:     &frontDoor{url: "https://webhook.example/notifications"},
		users:     10 + random.IntN(40),
		created:   make(map[string]newUser),
		protected: make(map[string]bool),
	}
	if p.disasters && !p.watched {
		w.users = 4 + w.users/3 // who is put back for days is what a world costs
	}
	w.drawSparing()
	w.faults = w.drawFaults(seed)
	w.drawn = w.drawDelivery()
	w.lag = w.upTo(4 * time.Minute)
	w.graph = msgraphtest.New(msgraphtest.Options{
		Seed:          seed,
		Limits:        w.drawLimits(),
		Replica:       msgraphtest.Replica{Lag: w.lag, Share: random.Float64(), Writes: random.IntN(2) == 0},
		Delivery:      w.drawn,
		Delta:         w.drawDelta(),
		Paging:        msgraphtest.Paging{EmptyPageChance: 0.2 * random.Float64()},
		Notify:        w.front,
		NewUserWindow: newUserWindow,
		TokenLife:     p.tokenLife,
		Violation:     func(v string) { w.t.Errorf("invariant broken: %s", v) },
		Record:        w.record,
	})
	w.tenant = w.graph.AddTenant(msgraphtest.TenantOptions{Domains: []msgraphtest.Domain{
		{Name: federatedDomain, Federated: true},
		{Name: subdomain, Unlisted: random.IntN(2) == 0},
		{Name: managedDomain},
	}})
	w.tenant.AddGroup(excludedGroup)
	if p.provided {
		w.provider = newProvider(w, seed)
	}
	w.wire(log, spoil)
	return w
}

func (w *world) upTo(d time.Duration) time.Duration {
	return time.Duration(w.random.Int64N(int64(d)))
}

// drawFaults draws how often things go wrong between a worker and what it works with. In
// a calm world nothing does, but messages come twice.
func (w *world) drawFaults(seed uint64) *faults {
	f := &faults{seed: seed, until: w.start.Add(w.plan.play), twice: w.plan.twice * w.random.Float64(), skew: 5 * time.Second}
	if w.calm {
		return f
	}
	worst := 0.03
	if w.plan.disasters {
		worst = 0.015 // in a month, rare things happen
	}
	f.fail, f.crash = worst*w.random.Float64(), worst*w.random.Float64()
	f.freeze = 0.05 * w.random.Float64()
	f.page = 0.6 * w.random.Float64()
	return f
}

// drawLimits gives half of the worlds a quota that the users will not fit into.
func (w *world) drawLimits() msgraphtest.Limits {
	limits := msgraphtest.DefaultLimits()
	if w.random.IntN(2) == 0 && !w.calm {
		limits.Writes.Count = 10 + w.random.IntN(20)
	}
	return limits
}

func (w *world) drawDelivery() msgraphtest.Delivery {
	return msgraphtest.Delivery{
		Latency:         w.upTo(time.Minute),
		Jitter:          w.upTo(10 * time.Minute),
		Copies:          msgraphtest.Copies{Min: 1, Max: 1 + w.random.IntN(5)},
		DuplicateChance: w.random.Float64() / 2,
		BatchMax:        1 + w.random.IntN(20),
		Shuffle:         true,
		Shape:           msgraphtest.MixedSequence,
	}
}

func (w *world) drawDelta() msgraphtest.Delta {
	d := msgraphtest.Delta{
		PageSize:        1 + w.random.IntN(100),
		ReplayChance:    w.random.Float64() / 2,
		RepeatChance:    w.random.Float64() / 2,
		EmptyPageChance: w.random.Float64() / 4,
		Shuffle:         true,
		OmitStamp:       w.random.IntN(3) == 0,
		IgnoreStamp:     w.random.IntN(3) == 0,
		ExpireStatus:    []int{0, http.StatusBadRequest, http.StatusNotFound}[w.random.IntN(3)],
	}
	if w.deaf {
		d.ReplayChance, d.RepeatChance = 0, 0 // nobody whom the sweep loses is shown again
		return d
	}
	if w.random.IntN(4) == 0 {
		d.TokenLife = 10*time.Minute + w.upTo(2*time.Hour) // often shorter than the time between two sweeps
	}
	return d
}

// drawTimes draws how long a worker has for a batch, and how long the messages are hidden
// meanwhile. In a quarter of the worlds that is too short, and two workers come to hold
// the same message.
func (w *world) drawTimes() (timeout, visibility time.Duration) {
	if w.random.IntN(4) == 0 {
		return 30 * time.Minute, 2 * time.Minute
	}
	return time.Minute, 6 * time.Minute
}

// drawBrake lets the brake be reached in half of the worlds that are not calm.
func (w *world) drawBrake() int {
	if w.calm || w.random.IntN(2) == 0 {
		return 200
	}
	if w.plan.disasters {
		return 2 + w.random.IntN(3) // two users a day come at most
	}
	return w.users/3 + w.random.IntN(w.users/3)
}

func (w *world) wire(log io.Writer, spoil func(*plantConfig)) {
	timeout, visibility := w.drawTimes()
	secret := "loc8Q~" + rand.Text()
	app := w.tenant.AddApp(msgraphtest.AppOptions{
		Permissions: ourPermissions,
		Secrets:     []msgraphtest.Secret{{Text: secret}},
	})
	provisioning := w.tenant.AddApp(msgraphtest.AppOptions{
		Permissions: []string{"User.ReadWrite.All", "User.Read.All"},
		Secrets:     []msgraphtest.Secret{{Text: secret}},
	})
	w.tally.app = app.ID()
	w.admin = &admin{tenant: w.tenant.ID(), client: provisioning.ID(), secret: secret, http: &http.Client{Transport: w.graph}}
	c := plantConfig{
		tenant: w.tenant.ID(), client: app.ID(), secret: secret,
		vault:     &vault{secret: rand.Text()},
		transport: w.graph, notificationURL: w.front.url,
		policy: policy, groups: []string{excludedGroup}, brakeLimit: w.drawBrake(),
		keepEvery: w.plan.keepEvery, sweepEvery: w.plan.sweepEvery,
		dryRun:  w.sparing.kind == spareDryRun,
		workers: 1 + w.random.IntN(3), batch: 1 + w.random.IntN(100),
		timeout: timeout, visibility: visibility,
		outcomes: w.tally, receipts: w.tally,
		log:    slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		faults: w.faults,
		watch:  w.watch(),
	}
	if w.provider != nil {
		w.provider.settle(&c)
	}
	if spoil != nil {
		spoil(&c)
	}
	p, err := newPlant(c)
	w.must(err)
	w.plant = p
	w.front.handler = p.webhook
	if w.plan.watched {
		w.watcher = newMachine(w)
	}
	if w.provider != nil {
		w.provider.connect()
	}
}

// run lets everything happen, and returns when all is over.
func (w *world) run() {
	ctx, cancel := context.WithCancel(w.t.Context())
	w.ctx = ctx
	w.addExisting()
	if w.watcher == nil {
		w.setUp()
	}
	w.scheduleConversion()
	if !w.calm {
		w.breakThings()
	}
	switch {
	case w.deaf:
		time.AfterFunc(w.plan.play, w.lose(1))
	case w.plan.disasters && !w.calm:
		w.scheduleDisasters()
	}

	var actors sync.WaitGroup
	actors.Go(func() { w.operate(ctx) })
	actors.Go(func() { w.attendBrake(ctx) })
	actors.Go(func() { w.pauseAtRandom(ctx) })
	if w.provider != nil {
		actors.Go(func() { w.provider.run(ctx) })
	}
	w.scheduleOrders()
	if w.watcher == nil {
		w.sendPoison(ctx)
	}
	w.script()
	// A message that broke off at the very end becomes a dead letter only when it would
	// have been visible again. After that, an administrator redrives.
	w.until(w.playEnd().Add(w.plant.config.visibility + time.Minute))
	w.plant.requests.Redrive()
	w.until(w.playEnd().Add(w.plan.rest))
	w.graph.Close()
	cancel()
	actors.Wait()
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) until(t time.Time) { time.Sleep(time.Until(t)) }

// playEnd is when the last fault ends.
func (w *world) playEnd() time.Time { return w.start.Add(w.plan.play) }

// addExisting puts users into the tenant who were there before sessionstamp, half of them
// without a stamp: only a person may have them stamped.
func (w *world) addExisting() {
	created := w.start.Add(-100 * 24 * time.Hour)
	for n := range 10 {
		u := msgraphtest.NewUser{UPN: fmt.Sprintf("old%d@%s", n, federatedDomain), Created: created}
		if n%2 == 0 {
			stamp := created.Add(time.Hour)
			u.Stamp = &stamp
		}
		w.old = append(w.old, w.tenant.AddUser(u))
	}
}

// setUp lets the keeper subscribe before anything goes wrong.
func (w *world) setUp() {
	calm := *w.plant
	calm.config.faults = nil
	keeper, err := calm.newKeeper()
	w.must(err)
	_, err = keeper.SetUp(w.ctx)
	w.must(err)
}

// sendPoison puts messages into the queue that are no requests.
func (w *world) sendPoison(ctx context.Context) {
	for _, body := range []string{"", "{}", `{"tenant":1}`, "[[[[", `{"tenant":"t","user":"u","source":"s"}`} {
		w.must(w.plant.requests.Send(ctx, []byte(body), 0))
		w.poison++
	}
}
