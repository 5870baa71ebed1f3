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
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
)

// Times of a simulated run.
const (
	// playTime is how long things happen and go wrong.
	playTime = 3 * time.Hour
	// bound is how long after the last fault the last user may be stamped: a
	// request was put back for up to 15 minutes, then its batch died with its
	// worker for 6, its claim lapsed after 22, and Graph, refused by the webhook
	// for 20 minutes, waited as long again before it tried once more.
	bound = 85 * time.Minute
	// mostFaults is how many calls of Graph for the same thing may be hit, so
	// that the bound can be kept.
	mostFaults = 4
)

// A world is one simulated run: a tenant in which users come, change and go, an
// emulated Graph that is late, stale, throttling and failing, and sessionstamp
// with workers that die.
type world struct {
	t      *testing.T
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

	users    int
	old      []string        // users who were there before
	existing map[string]bool // the same
	poison   int
}

// newWorld draws a world from a seed.
func newWorld(t *testing.T, seed uint64, verbose bool) *world {
	random := mathrand.New(mathrand.NewPCG(seed, 0x5e55))
	w := &world{
		t: t, random: random, start: time.Now(),
		tally:    newTally(),
		faults:   &faults{seed: seed, fail: 0.03 * random.Float64(), crash: 0.03 * random.Float64(), until: time.Now().Add(playTime)},
		front:    &frontDoor{},
		users:    10 + random.IntN(40),
		existing: make(map[string]bool),
	}
	w.graph = msgraphtest.New(msgraphtest.Options{
		Seed:      seed,
		Limits:    w.drawLimits(),
		Replica:   msgraphtest.Replica{Lag: w.upTo(4 * time.Minute), Share: random.Float64(), Writes: random.IntN(2) == 0},
		Delivery:  w.drawDelivery(),
		Notify:    w.front,
		Violation: func(v string) { t.Errorf("invariant broken: %s", v) },
		Record:    w.tally.record,
	})
	w.tenant = w.graph.AddTenant(msgraphtest.TenantOptions{Domains: []msgraphtest.Domain{
		{Name: federatedDomain, Federated: true},
		{Name: subdomain, Unlisted: random.IntN(2) == 0},
		{Name: managedDomain},
	}})
	w.wire(verbose)
	return w
}

func (w *world) upTo(d time.Duration) time.Duration {
	return time.Duration(w.random.Int64N(int64(d)))
}

// drawLimits gives half of the worlds a quota that the users will not fit into.
func (w *world) drawLimits() msgraphtest.Limits {
	limits := msgraphtest.DefaultLimits()
	if w.random.IntN(2) == 0 {
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

func (w *world) wire(verbose bool) {
	secret, clientState := rand.Text(), rand.Text()
	app := w.tenant.AddApp(msgraphtest.AppOptions{
		Permissions: []string{"User.Read.All", "User.RevokeSessions.All", "Domain.Read.All"},
		Secrets:     []msgraphtest.Secret{{Text: secret}},
	})
	provisioning := w.tenant.AddApp(msgraphtest.AppOptions{
		Permissions: []string{"User.ReadWrite.All", "User.Read.All"},
		Secrets:     []msgraphtest.Secret{{Text: secret}},
	})
	w.tally.app = app.ID()
	w.admin = &admin{tenant: w.tenant.ID(), client: provisioning.ID(), secret: secret, http: &http.Client{Transport: w.graph}}
	log := io.Discard
	if verbose {
		log = os.Stderr
	}
	p, err := newPlant(plantConfig{
		tenant: w.tenant.ID(), client: app.ID(), secret: secret,
		transport:   w.graph,
		clientState: clientStates{current: clientState},
		settings:    revocation.DefaultSettings,
		policy: revocation.Policy{
			NewUserWindow: 24 * time.Hour,
			Exclusions:    revocation.Exclusions{Patterns: []string{"svc-*"}},
		},
		pace:    revocation.DefaultPace,
		workers: 1 + w.random.IntN(3), batch: 1 + w.random.IntN(100),
		timeout: time.Minute, visibility: 6 * time.Minute,
		outcomes: w.tally, receipts: w.tally,
		log:        slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		dress:      w.faults.dress,
		dressQueue: w.faults.dressQueue,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.plant = p
	w.front.handler = p.webhook
	w.front.url = "https://webhook.example/notifications"
}

// run lets everything happen, and returns when the bound is over.
func (w *world) run() {
	ctx, cancel := context.WithCancel(w.t.Context())
	w.ctx = ctx
	w.must(w.admin.subscribe(ctx, w.front.url, w.plant.config.clientState.current))
	w.addExisting()
	w.breakThings()

	var actors sync.WaitGroup
	actors.Go(func() { w.plant.run(ctx) })
	actors.Go(func() { w.keepPoisoning(ctx) })
	w.script()
	w.until(w.start.Add(playTime))
	w.plant.requests.Redrive() // what an administrator does about dead letters
	w.until(w.start.Add(playTime + bound + 2*revocation.DefaultSettings.ReplicationLag))
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

// script creates, changes and deletes users over the time of the play.
func (w *world) script() {
	var ids []string
	for n := range w.users {
		time.Sleep(w.upTo(2 * playTime / time.Duration(w.users) / 3))
		id, err := w.admin.createUser(w.ctx, w.drawUser(n))
		w.must(err)
		if state, _ := w.tenant.User(id); len(state.UPN) > 4 && state.UPN[:4] == "svc-" {
			w.tenant.Exclude(id)
		}
		ids = append(ids, id)
		w.disturb(ids)
	}
}

func (w *world) drawUser(n int) newUser {
	u := newUser{name: fmt.Sprintf("user%d", n), domain: federatedDomain, federated: true}
	switch w.random.IntN(10) {
	case 0, 1:
		u.domain = subdomain
	case 2:
		u.domain, u.federated = managedDomain, false
	case 3:
		u.guest = true
	case 4:
		u.name = fmt.Sprintf("svc-%d", n)
	}
	return u
}

// disturb changes or deletes a user now and then: one just created, or one from
// long ago.
func (w *world) disturb(ids []string) {
	pick := ids[w.random.IntN(len(ids))]
	state, _ := w.tenant.User(pick)
	if time.Since(state.Created) < 4*time.Minute {
		return // the replica may refuse to change whom it does not know
	}
	switch w.random.IntN(5) {
	case 0:
		if !state.Deleted {
			w.must(w.admin.touchUser(w.ctx, pick, fmt.Sprint(w.random.IntN(100))))
		}
	case 1:
		w.must(w.admin.touchUser(w.ctx, w.old[w.random.IntN(len(w.old))], fmt.Sprint(w.random.IntN(100))))
	case 2:
		if !state.Deleted && w.random.IntN(3) == 0 {
			w.must(w.admin.deleteUser(w.ctx, pick))
		}
	}
}

// breakThings injects the faults of Graph, of its token endpoint and of the way
// to the webhook. All end with the play.
func (w *world) breakThings() {
	ours := func(r msgraphtest.Request) bool { return r.App == w.tally.app }
	hits := hits{calls: make(map[string]int)}
	some := func(r msgraphtest.Request) bool { return ours(r) && hits.mayHit(r) }
	chance := 0.1 * w.random.Float64()
	for _, f := range []msgraphtest.Fault{
		{Match: some, Chance: chance, Status: http.StatusServiceUnavailable, Code: "ServiceUnavailable"},
		{Match: some, Chance: chance, After: true, Status: http.StatusGatewayTimeout, Code: "UnknownError"},
		{Match: some, Chance: chance, Status: http.StatusTooManyRequests, Code: "TooManyRequests", RetryAfter: time.Second + w.upTo(time.Minute)},
		{Match: some, Chance: chance, Latency: w.upTo(30 * time.Second)},
		{Match: some, Chance: chance, After: true, Latency: w.upTo(30 * time.Second)},
		{Match: some, Chance: chance / 2, Reset: true},
		{Match: some, Chance: chance / 2, Reset: true, After: true},
	} {
		time.AfterFunc(playTime, w.graph.Inject(f))
	}
	w.during(func() func() {
		return w.graph.Inject(msgraphtest.Fault{Match: ours, Status: http.StatusServiceUnavailable})
	})
	w.during(func() func() {
		token := func(r msgraphtest.Request) bool { return r.Token && ours(r) }
		return w.graph.Inject(msgraphtest.Fault{Match: token, Status: http.StatusUnauthorized, Code: "invalid_client"})
	})
	w.during(func() func() { w.front.setDown(true); return func() { w.front.setDown(false) } })
}

// hits bounds how often the calls for one thing are hit.
type hits struct {
	mu    sync.Mutex
	calls map[string]int
}

// mayHit is asked once by each of the faults there are.
func (h *hits) mayHit(r msgraphtest.Request) bool {
	const faults = 7
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls[r.Method+r.Path]++
	return h.calls[r.Method+r.Path] <= mostFaults*faults || r.Path == "/$batch"
}

// during lets something be broken for up to 20 minutes somewhere in the play, in
// half of the worlds.
func (w *world) during(broken func() (mend func())) {
	if w.random.IntN(2) == 0 {
		return
	}
	length := w.upTo(20 * time.Minute)
	time.AfterFunc(w.upTo(playTime-length), func() {
		time.AfterFunc(length, broken())
	})
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

// check holds what happened against what sessionstamp promises. The emulator has
// failed the test already if anybody was revoked twice or out of scope.
func (w *world) check() {
	entries := make(map[string]revocation.Entry)
	for _, e := range w.plant.ledger.All(w.tenant.ID()) {
		entries[e.User] = e
	}
	for _, u := range w.tenant.Users() {
		w.checkUser(u, entries[u.ID])
	}
	if dead := len(w.plant.requests.DeadLetters()); dead != w.poison {
		w.t.Errorf("%d dead letters, want the %d that were poison: %s", dead, w.poison, w.plant.requests.DeadLetters())
	}
	if left := w.plant.requests.Len(); left != 0 {
		w.t.Errorf("%d requests are left in the queue", left)
	}
}

func (w *world) checkUser(u msgraphtest.UserState, e revocation.Entry) {
	switch {
	case w.existing[u.ID]:
		if len(u.Revocations) != 0 {
			w.t.Errorf("existing user %s was revoked at %s", u.ID, u.Revocations)
		}
	case !u.InScope:
	case u.Stamped.IsZero():
		w.t.Errorf("user %s, created %s after the start, was not stamped: ledger %+v", u.ID, u.Created.Sub(w.start), e)
	default:
		w.checkStamped(u, e)
	}
}

func (w *world) checkStamped(u msgraphtest.UserState, e revocation.Entry) {
	if len(u.Revocations) != 1 {
		w.t.Errorf("user %s was revoked %d times", u.ID, len(u.Revocations))
	}
	if after := u.Stamped.Sub(w.start.Add(playTime)); after > bound {
		w.t.Errorf("user %s was stamped %s after the last fault, the bound is %s", u.ID, after, bound)
	}
	if e.State != revocation.StateStamped || !e.Stamp.Equal(u.Stamp) || e.Seen.IsZero() || e.Created.IsZero() {
		w.t.Errorf("user %s is stamped at %s, the ledger says %+v", u.ID, u.Stamp, e)
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
