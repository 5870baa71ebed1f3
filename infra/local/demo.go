package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"math"
	mathrand "math/rand/v2"
	"net/http"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
)

// The domains of the tenant that is played.
const (
	federatedDomain = "contoso.example"
	subdomain       = "eu.contoso.example"
	managedDomain   = "partners.example"
)

// The demonstration waits less than a deployment does, so as to end in a minute:
// its emulated replica lags by lateReplica, where Entra's may lag by minutes.
const lateReplica = 1500 * time.Millisecond

var demoSettings = revocation.Settings{
	ReplicationLag: 3 * time.Second,
	CallTimeout:    3 * time.Second,
	Patience:       5 * time.Second,
	CannotFixRetry: 24 * time.Hour,
	GiveUpAfter:    time.Hour,
	ClockSkew:      time.Second,
}

// demoPace is the write quota raised by demoQuota, ours and the emulated Graph's
// alike: at Graph's 20 writes a second, 20,000 users would take 17 minutes.
const demoQuota = 100

var demoPace = revocation.Pace{
	Limit:  revocation.DefaultPace.Limit * demoQuota,
	Window: revocation.DefaultPace.Window,
	Share:  revocation.DefaultPace.Share,
	Burst:  revocation.DefaultPace.Burst * demoQuota,
}

// options are the flags of the command.
type options struct {
	users int
	seed  uint64
	json  bool
	log   *slog.Logger
}

// A demo is one run of the demonstration: a tenant, its administrator, a forger,
// and sessionstamp between them.
type demo struct {
	options options
	random  *mathrand.Rand
	tally   *tally
	faults  *faults
	graph   *msgraphtest.Server
	tenant  *msgraphtest.Tenant
	admin   *admin
	plant   *plant
	server  *webServer
	old     []string // users who were there before
	started time.Time
}

// newDemo sets the scene. Close ends it.
func newDemo(o options) (*demo, error) {
	d := &demo{
		options: o,
		random:  mathrand.New(mathrand.NewPCG(o.seed, 1)),
		tally:   newTally(),
		faults:  &faults{seed: o.seed, crash: 0.01},
		started: time.Now(),
	}
	server, err := newWebServer()
	if err != nil {
		return nil, err
	}
	d.server = server
	d.graph = msgraphtest.New(msgraphtest.Options{
		Seed:     o.seed,
		Limits:   demoLimits(),
		Replica:  msgraphtest.Replica{Lag: lateReplica, Share: 0.3},
		Delivery: demoDelivery,
		Notify:   server.client.Transport,
		Record:   d.tally.record,
	})
	d.graph.StartTLS()
	d.tenant = d.graph.AddTenant(msgraphtest.TenantOptions{Domains: []msgraphtest.Domain{
		{Name: federatedDomain, Federated: true},
		{Name: subdomain, Unlisted: true}, // inherits
		{Name: managedDomain},
	}})
	if err := d.wire(); err != nil {
		d.close()
		return nil, err
	}
	d.injectFaults()
	return d, nil
}

// demoDelivery delivers as Graph has been seen to, but faster.
var demoDelivery = msgraphtest.Delivery{
	Latency:         100 * time.Millisecond,
	Jitter:          400 * time.Millisecond,
	Copies:          msgraphtest.Copies{Min: 1, Max: 4},
	DuplicateChance: 0.1,
	BatchMax:        10,
	Shuffle:         true,
	Shape:           msgraphtest.MixedSequence,
}

func demoLimits() msgraphtest.Limits {
	limits := msgraphtest.DefaultLimits()
	for _, quota := range []*msgraphtest.Quota{
		&limits.Writes, &limits.AppWrites, &limits.TenantWrites,
		&limits.ResourceUnits, &limits.AppResourceUnits, &limits.AppRequests,
	} {
		quota.Count *= demoQuota
	}
	return limits
}

// wire registers the two apps and puts sessionstamp behind its web server.
func (d *demo) wire() error {
	secret, clientState := rand.Text(), rand.Text()
	app := d.tenant.AddApp(msgraphtest.AppOptions{
		DisplayName: "sessionstamp",
		Permissions: []string{"User.Read.All", "User.RevokeSessions.All", "Domain.Read.All"},
		Secrets:     []msgraphtest.Secret{{Text: secret}},
	})
	provisioning := d.tenant.AddApp(msgraphtest.AppOptions{
		DisplayName: "provisioning",
		Permissions: []string{"User.ReadWrite.All", "User.Read.All"},
		Secrets:     []msgraphtest.Secret{{Text: secret}},
	})
	d.tally.app = app.ID()
	d.admin = &admin{tenant: d.tenant.ID(), client: provisioning.ID(), secret: secret, http: d.graph.Client()}
	p, err := newPlant(plantConfig{
		tenant: d.tenant.ID(), client: app.ID(), secret: secret,
		transport:   d.graph.Client().Transport,
		clientState: clientStates{current: clientState},
		settings:    demoSettings,
		policy: revocation.Policy{
			NewUserWindow: 24 * time.Hour,
			Exclusions:    revocation.Exclusions{Patterns: []string{"svc-*"}},
		},
		pace: demoPace, workers: 2, batch: 100,
		timeout: 10 * time.Second, visibility: 12 * time.Second,
		outcomes: d.tally, receipts: d.tally, log: d.options.log,
		dress: d.faults.dress,
	})
	if err != nil {
		return err
	}
	d.plant = p
	d.server.serve(p.webhook)
	return nil
}

// injectFaults lets Graph be as it is on a bad day.
func (d *demo) injectFaults() {
	part := func(r msgraphtest.Request) bool { return r.Part && r.App == d.tally.app }
	// A 429 to a write pauses all writing for as long as it says, so that many of
	// them would be all there is to see.
	const throttled = 25
	d.graph.Inject(msgraphtest.Fault{
		Match: part, Chance: 0.02, Times: throttled,
		Status: http.StatusTooManyRequests, Code: "TooManyRequests", RetryAfter: time.Second,
	})
	d.graph.Inject(msgraphtest.Fault{
		Match: part, Chance: 0.005, After: true, Status: http.StatusServiceUnavailable, Code: "ServiceUnavailable",
	})
	d.graph.Inject(msgraphtest.Fault{Match: part, Chance: 0.001, Latency: 300 * time.Millisecond})
}

func (d *demo) close() {
	d.graph.Close()
	d.server.close()
}

// run plays the story and returns when everything has come to rest, or ctx ends.
func (d *demo) run(ctx context.Context, show display) (result, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	d.addExisting()
	polling := make(chan struct{})
	go func() { defer close(polling); d.plant.run(ctx) }()
	shown := make(chan struct{})
	go func() { defer close(shown); d.show(ctx, show) }()

	err := d.play(ctx)
	if err == nil {
		err = d.settle(ctx)
	}
	cancel()
	<-polling
	<-shown
	if err != nil {
		return result{}, err
	}
	return d.result(), nil
}

// play subscribes, creates the users, and sends what an attacker would.
func (d *demo) play(ctx context.Context) error {
	if err := d.admin.subscribe(ctx, d.server.url, d.plant.config.clientState.current); err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	pace := time.NewTicker(d.interval())
	defer pace.Stop()
	for n := range d.options.users {
		id, err := d.admin.createUser(ctx, d.newUser(n))
		if err != nil {
			return fmt.Errorf("create user %d: %w", n, err)
		}
		d.tally.addCreated()
		if err := d.disturb(ctx, n, id); err != nil {
			return err
		}
		select {
		case <-pace.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// interval spreads the creations over some twelve seconds, at most 1,000 a
// second.
func (d *demo) interval() time.Duration {
	return max(12*time.Second/time.Duration(d.options.users), time.Millisecond)
}

// newUser draws the n-th user to be created.
func (d *demo) newUser(n int) newUser {
	u := newUser{name: fmt.Sprintf("user%05d", n), domain: federatedDomain, federated: true}
	switch chance := d.random.Float64(); {
	case chance < 0.15:
		u.domain = subdomain
	case chance < 0.25:
		u.domain, u.federated = managedDomain, false
	case chance < 0.30:
		u.guest = true
	case chance < 0.34:
		u.name = fmt.Sprintf("svc-%05d", n)
	}
	return u
}

// disturb does, now and then, what else happens in a tenant.
func (d *demo) disturb(ctx context.Context, n int, id string) error {
	if state, _ := d.tenant.User(id); len(state.UPN) > 4 && state.UPN[:4] == "svc-" {
		d.tenant.Exclude(id)
	}
	if n%7 == 0 {
		if err := d.admin.touchUser(ctx, d.old[n%len(d.old)], fmt.Sprintf("department %d", n)); err != nil {
			return fmt.Errorf("change a user: %w", err)
		}
	}
	if n%10 == 0 {
		return d.forge(ctx, n, id)
	}
	return nil
}

// addExisting fills the tenant with users from before sessionstamp: half of them
// signed in often enough to have a stamp.
func (d *demo) addExisting() {
	created := time.Now().Add(-400 * 24 * time.Hour)
	for n := range int(math.Ceil(float64(d.options.users) / 20)) {
		u := msgraphtest.NewUser{UPN: fmt.Sprintf("old%05d@%s", n, federatedDomain), Created: created}
		if n%2 == 0 {
			stamp := created.Add(time.Hour)
			u.Stamp = &stamp
		}
		d.old = append(d.old, d.tenant.AddUser(u))
	}
}

// settle waits until nothing is on its way any more.
func (d *demo) settle(ctx context.Context) error {
	check := time.NewTicker(100 * time.Millisecond)
	defer check.Stop()
	for !d.tenant.Idle() || d.plant.requests.Len() > 0 {
		select {
		case <-check.C:
		case <-ctx.Done():
			return fmt.Errorf("%d requests still wait in the queue: %w", d.plant.requests.Len(), ctx.Err())
		}
	}
	return nil
}

// result compares what happened with what should have, by the directory itself.
func (d *demo) result() result {
	r := result{
		Users: d.options.users, Seed: d.options.seed,
		Violations:  append([]string{}, d.graph.Violations()...),
		DeadLetters: len(d.plant.requests.DeadLetters()),
		Seconds:     time.Since(d.started).Seconds(),
		PeakRSSMB:   peakRSS(),
	}
	r.WorkersDied, _ = d.faults.counts()
	d.tally.fill(&r)
	var times []time.Duration
	for _, u := range d.tenant.Users() {
		d.judge(&r, u, &times)
	}
	r.LatencyMS = percentiles(times)
	return r
}

func (d *demo) judge(r *result, u msgraphtest.UserState, times *[]time.Duration) {
	isNew := u.Created.After(d.started.Add(-time.Minute))
	if isNew {
		r.Created++
	}
	if len(u.Revocations) > 1 {
		r.StampedTwice++
	}
	if !isNew || !u.InScope {
		if len(u.Revocations) > 0 {
			r.OutOfScopeTouched++
		}
		return
	}
	r.InScope++
	if u.Stamped.IsZero() {
		r.Unstamped++
		return
	}
	r.Stamped++
	*times = append(*times, u.Stamped.Sub(u.Created))
}
