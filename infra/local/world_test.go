package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	mathrand "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/internal/leak"
	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
	"github.com/sessionstamp/sessionstamp/shared/subscription"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
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
	// disasters happen that only the keeper and the sweep can mend.
	disasters bool
}

// calmEvery is the distance of the seeds whose worlds are calm: nothing fails,
// nobody dies, and nobody may wait for longer than it takes.
const calmEvery = 8

// hours are too short for the sweep to help: whoever is stamped is so because of
// a notification. A request was put back for up to 15 minutes, then its batch
// died with its worker for 6, its claim lapsed after 22, and Graph, refused by the
// webhook for 20 minutes, waited as long again before it tried once more; and a
// call without effect is read back for 16 minutes before it is repeated.
var hours = plan{
	play: 3 * time.Hour, bound: 105 * time.Minute, rest: 150 * time.Minute,
	keepEvery: 24 * time.Hour, sweepEvery: 24 * time.Hour,
}

// month is full of disasters. Whoever was missed is found by the first sweep
// after the last of them, and it is given the time for what goes on by then: a
// request put back, a claim that lapses, a worker's batch that comes back.
var month = plan{
	play: 29 * 24 * time.Hour, bound: 6*time.Hour + 45*time.Minute, rest: 24 * time.Hour,
	keepEvery: 12 * time.Hour, sweepEvery: 6 * time.Hour,
	disasters: true,
}

// A world is one simulated run: a tenant in which users come, change and go, an
// emulated Graph that is late, stale, throttling and failing, and sessionstamp
// with workers that die.
type world struct {
	t      *testing.T
	plan   plan
	calm   bool
	deaf   bool           // no notification comes, and the sweep has to find everybody
	random *mathrand.Rand // of the script; faults draw for themselves
	ctx    context.Context
	start  time.Time

	graph  *msgraphtest.Server
	tenant *msgraphtest.Tenant
	admin  *admin
	plant  *plant
	tally  *tally
	faults *faults
	front  *frontDoor

	orders     orders
	turnover   *turnover
	users      int
	seen       witness
	pauses     pauses
	latest     time.Duration // stamp, after the last fault
	replica    msgraphtest.Replica
	drawn      msgraphtest.Delivery // how notifications travel
	backfilled []time.Time          // when existing users were revoked
	old        []string             // users who were there before
	existing   map[string]bool      // the same
	created    map[string]newUser
	protected  map[string]bool // of those
	touched    map[string]bool // users who were changed
	changes    int             // so far
	converted  time.Time       // when the managed domain becomes federated, zero for never
	poison     int
}

// newUserWindow is the policy's in every world.
const newUserWindow = 24 * time.Hour

// newWorld draws a world from a seed.
func newWorld(t *testing.T, p plan, seed uint64, log io.Writer) *world {
	random := mathrand.New(mathrand.NewPCG(seed, 0x5e55))
	w := &world{
		t: t, plan: p, random: random, start: time.Now(), calm: seed%calmEvery == 0,
		deaf:      p.disasters && seed%calmEvery == calmEvery/2,
		tally:     newTally(),
		front:     &frontDoor{url: "https://webhook.example/notifications"},
		users:     10 + random.IntN(40),
		existing:  make(map[string]bool),
		created:   make(map[string]newUser),
		protected: make(map[string]bool),
		touched:   make(map[string]bool),
	}
	w.drawOrders()
	w.turnover = newTurnover(p, seed)
	w.faults = w.drawFaults(seed)
	w.drawn = w.drawDelivery()
	w.replica = msgraphtest.Replica{Lag: w.upTo(4 * time.Minute), Share: random.Float64(), Writes: random.IntN(2) == 0}
	w.graph = msgraphtest.New(msgraphtest.Options{
		Seed:     seed,
		Limits:   w.drawLimits(),
		Replica:  w.replica,
		Delivery: w.drawn,
		Delta:    w.drawDelta(),
		Paging:   msgraphtest.Paging{EmptyPageChance: 0.2 * random.Float64()},
		Notify:   w.front,

		CredentialLag: w.turnover.lag,
		Violation:     func(v string) { t.Errorf("invariant broken: %s", v) },
		Record:        w.record,
	})
	w.tenant = w.graph.AddTenant(msgraphtest.TenantOptions{Domains: []msgraphtest.Domain{
		{Name: federatedDomain, Federated: true},
		{Name: subdomain, Unlisted: random.IntN(2) == 0},
		{Name: managedDomain},
	}})
	w.wire(log)
	return w
}

func (w *world) upTo(d time.Duration) time.Duration {
	return time.Duration(w.random.Int64N(int64(d)))
}

// drawFaults draws how often things go wrong between a worker and what it works
// with. In a calm world nothing does, but messages come twice.
func (w *world) drawFaults(seed uint64) *faults {
	f := &faults{seed: seed, until: w.start.Add(w.plan.play), twice: 0.1 * w.random.Float64(), skew: 5 * time.Second}
	if !w.calm {
		worst := 0.03
		if w.plan.disasters {
			worst = 0.015 // in a month, what is rare happens
		}
		f.fail, f.crash = worst*w.random.Float64(), worst*w.random.Float64()
		f.freeze = 0.05 * w.random.Float64()
		f.page = 0.6 * w.random.Float64()
	}
	f.watch, f.watchWebhook, f.watchKeeper, f.watchSweeper = w.watch, w.watchWebhook, w.watchKeeper, w.watchSweeper
	f.rotator, f.promoted = w.drawRotatorFaults(seed), w.checkPromoted
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
		ChallengeGrace:  challengeGrace,
	}
}

// drawTimes draws how long a worker has for a batch, and how long the messages are
// hidden meanwhile. In a quarter of the worlds that is too short, and two workers
// come to hold the same message.
func (w *world) drawTimes() (timeout, visibility time.Duration) {
	if w.random.IntN(4) == 0 {
		return 30 * time.Minute, 2 * time.Minute
	}
	return time.Minute, 6 * time.Minute
}

// drawSweeping lets full rounds be rare in half of the months, so that the
// increments have to be relied on.
func (w *world) drawSweeping() sweep.Settings {
	s := sweeping
	if w.deaf || w.random.IntN(2) == 0 {
		s.FullEvery = 60 * 24 * time.Hour
	}
	return s
}

func (w *world) wire(log io.Writer) {
	timeout, visibility := w.drawTimes()
	secret, clientState := "loc8Q~"+rand.Text(), leak.Canary+rand.Text()
	app, credential := w.register(msgraphtest.AppOptions{
		Permissions: []string{"User.Read.All", "User.RevokeSessions.All", "Domain.Read.All", "Application.ReadWrite.OwnedBy"},
		Secrets:     []msgraphtest.Secret{{Text: secret}}, // somebody else's
	})
	provisioning := w.tenant.AddApp(msgraphtest.AppOptions{
		Permissions: []string{"User.ReadWrite.All", "User.Read.All"},
		Secrets:     []msgraphtest.Secret{{Text: secret}},
	})
	w.tally.app = app.ID()
	w.admin = &admin{tenant: w.tenant.ID(), client: provisioning.ID(), secret: secret, http: &http.Client{Transport: w.graph}}
	p, err := newPlant(plantConfig{
		tenant: w.tenant.ID(), client: app.ID(),
		mode: w.turnover.mode, identity: w.turnover.account.token, newKey: w.turnover.newKey, dressSignIn: w.dressSignIn,
		secrets:   newSecrets(credential, clientState),
		transport: w.graph, notificationURL: w.front.url,
		settings: revocation.DefaultSettings,
		policy: revocation.Policy{
			NewUserWindow: newUserWindow,
			Exclusions:    revocation.Exclusions{Patterns: []string{"svc-*"}},
			Backfill:      w.drawBackfill(),
		},
		keeping: subscription.DefaultSettings, keepEvery: w.plan.keepEvery,
		sweeping: w.drawSweeping(), sweepEvery: w.plan.sweepEvery,
		keeper: w, swept: w,
		dryRun:  w.orders.sparing == spareDryRun,
		pace:    revocation.DefaultPace,
		workers: 1 + w.random.IntN(3), batch: 1 + w.random.IntN(100),
		timeout: timeout, visibility: visibility,
		outcomes: w.tally, receipts: w.tally,
		log:    slog.New(slog.NewTextHandler(leaktest.Writer(w.t, log), &slog.HandlerOptions{Level: slog.LevelDebug})),
		faults: w.faults,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.plant = p
	w.front.handler = p.webhook
}

// run lets everything happen, and returns when the bound is over.
func (w *world) run() {
	ctx, cancel := context.WithCancel(w.t.Context())
	w.ctx = ctx
	w.addExisting()
	w.setUp()
	w.scheduleConversion()
	if !w.calm {
		w.breakThings()
	}
	switch {
	case w.deaf:
		w.goDeaf()
	case w.plan.disasters && !w.calm:
		w.scheduleDisasters()
	}

	var actors sync.WaitGroup
	actors.Go(func() { w.operate(ctx) })
	actors.Go(func() { w.keepPoisoning(ctx) })
	for _, secretID := range w.plant.rotated() {
		actors.Go(w.rotations(ctx, secretID))
	}
	w.script()
	// What broke off for the last time at the very end is a dead letter only when it
	// would have been visible again. After that, an administrator redrives.
	w.until(w.start.Add(w.plan.play + w.plant.config.visibility + time.Minute))
	w.plant.requests.Redrive()
	w.until(w.start.Add(w.plan.play + w.plan.rest))
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

// addExisting puts users into the tenant who were there before sessionstamp,
// half of them without a stamp: they are not to be touched.
func (w *world) addExisting() {
	created := w.start.Add(-100 * 24 * time.Hour)
	for n := range 10 {
		u := msgraphtest.NewUser{UPN: fmt.Sprintf("old%d@%s", n, federatedDomain), Created: created}
		if n%2 == 0 {
			stamp := created.Add(time.Hour)
			u.Stamp = &stamp
		}
		id := w.tenant.AddUser(u)
		w.existing[id] = true
		w.old = append(w.old, id)
	}
}

// keepPoisoning puts messages into the queue that are no requests.
func (w *world) keepPoisoning(ctx context.Context) {
	for _, body := range []string{"", "{}", `{"tenant":1}`, "[[[[", `{"tenant":"t","user":"u","source":"s"}`} {
		if err := w.plant.requests.Send(ctx, []byte(body), 0); err != nil {
			return
		}
		w.poison++
	}
}

// counts tells how much happened.
func (w *world) counts() counts {
	var r result
	w.tally.fill(&r)
	c := counts{
		Stamped: r.ReadBack, Notifications: r.Notifications, ReSent: r.NotificationsReSent,
		Requests: r.GraphRequests, Throttled: r.GraphThrottled,
	}
	for _, n := range r.LeftAlone {
		c.LeftAlone += n
	}
	c.Crashes, c.Failed = w.faults.counts()
	c.Frozen, c.Doubled = w.faults.frozen, w.faults.doubled
	c.Latest = w.latest
	w.turnover.count(&c)
	c.Unanswered = len(w.seen.unanswered)
	c.Backfilled = len(w.backfilled)
	backfill, err := w.plant.backfill.Backfill(w.t.Context(), w.tenant.ID())
	w.must(err)
	if backfill.Stopped != "" {
		c.Stopped = map[revocation.Reason]int{backfill.Stopped: 1}
	}
	for _, old := range w.orders.spared {
		if old {
			c.Spared++
		}
	}
	return c
}

// frontDoor is the way from Graph to the webhook, inside the process.
type frontDoor struct {
	url     string
	handler http.Handler

	mu   sync.Mutex
	down bool
}

func (f *frontDoor) setDown(down bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = down
}

// RoundTrip implements [http.RoundTripper].
func (f *frontDoor) RoundTrip(r *http.Request) (*http.Response, error) {
	f.mu.Lock()
	down := f.down
	f.mu.Unlock()
	if down {
		return nil, fmt.Errorf("dial %s: %w", r.URL.Host, syscall.ECONNREFUSED)
	}
	recorder := httptest.NewRecorder()
	f.handler.ServeHTTP(recorder, r)
	response := recorder.Result()
	response.Request = r
	return response, nil
}
