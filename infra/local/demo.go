package main

import (
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// The domains of the tenant that is played.
const (
	federatedDomain = "contoso.example"
	subdomain       = "eu.contoso.example"
	managedDomain   = "partners.example"
)

// excludedPrefix begins the user principal names that the administrator excludes, and
// excludedGroup is the group whose members are.
const (
	excludedPrefix = "svc-"
	excludedGroup  = "99999999-5e55-4a11-8a11-000000000000"
)

// ourPermissions are the application permissions that sessionstamp asks for.
var ourPermissions = []string{"User.Read.All", "User.RevokeSessions.All", "Domain.Read.All", "GroupMember.Read.All"}

// The demonstration waits less than a deployment does. Its emulated replica lags by
// lateReplica, where Entra's may lag by minutes, and no delay is longer than demoDelay.
const (
	lateReplica    = 1500 * time.Millisecond
	demoDelay      = 3 * time.Second
	demoKeepEvery  = 4 * time.Second
	demoSweepEvery = 3 * time.Second
)

var demoPolicy = stamp.Policy{
	NewUserWindow:  72 * time.Hour,
	ReplicationLag: 3 * time.Second,
	CallWindow:     6 * time.Second,
	CallTimeout:    3 * time.Second,
	CannotFixRetry: 24 * time.Hour,
	GiveUpAfter:    time.Hour,
	ClockSkew:      time.Second,
	Exclusions:     stamp.Exclusions{Patterns: []string{excludedPrefix + "*"}},
}

// demoDelivery delivers as Graph has been seen to, but faster.
var demoDelivery = msgraphtest.Delivery{
	Latency:         100 * time.Millisecond,
	Jitter:          1500 * time.Millisecond,
	Copies:          msgraphtest.Copies{Min: 1, Max: 4},
	DuplicateChance: 0.1,
	LossChance:      0.01,
	BatchMax:        10,
	Shuffle:         true,
	Shape:           msgraphtest.MixedSequence,
}

// A demo is one run of the demonstration: a tenant, its administrator, a forger, and
// sessionstamp between them.
type demo struct {
	options options
	tally   *tally
	faults  *faults
	graph   *msgraphtest.Server
	tenant  *msgraphtest.Tenant
	admin   *admin
	plant   *plant
	server  *webServer
	started time.Time
	old     []string // users who were there before
	// plan holds the users of each act, drawn beforehand: so the brake can be set to
	// stop in the last one.
	plan [][]newUser

	mu         sync.Mutex
	act        int
	now        string
	unnotified map[string]bool // created while nobody was told
	created    map[string]bool
}

// newDemo sets the scene. Close ends it.
func newDemo(o options) (*demo, error) {
	d := &demo{
		options: o,
		tally:   newTally(),
		faults:  &faults{seed: o.seed, crash: 0.002},
		started: time.Now(),

		unnotified: make(map[string]bool),
		created:    make(map[string]bool),
	}
	d.draw()
	d.server = newWebServer()
	d.graph = msgraphtest.New(msgraphtest.Options{
		Seed:     o.seed,
		Replica:  msgraphtest.Replica{Lag: lateReplica, Share: 0.3},
		Delivery: demoDelivery,
		Notify:   d.server.client.Transport,
		Record:   d.tally.record,

		NewUserWindow: demoPolicy.NewUserWindow,
	})
	d.graph.StartTLS()
	d.tenant = d.graph.AddTenant(msgraphtest.TenantOptions{Domains: []msgraphtest.Domain{
		{Name: federatedDomain, Federated: true},
		{Name: subdomain, Unlisted: true}, // inherits
		{Name: managedDomain},
	}})
	d.tenant.AddGroup(excludedGroup)
	if err := d.wire(); err != nil {
		d.close()
		return nil, err
	}
	d.injectFaults()
	return d, nil
}

func (d *demo) close() {
	d.graph.Close()
	d.server.close()
}

// draw draws the users of the acts: as many as were asked for, some of whom no
// notification tells, and an import that is too large.
func (d *demo) draw() {
	random := mathrand.New(mathrand.NewPCG(d.options.seed, 1))
	n := 0
	for _, users := range []int{d.options.users, max(d.options.users/25, 5), max(d.options.users/5, 12)} {
		act := make([]newUser, users)
		for i := range act {
			act[i] = drawDemoUser(random, n)
			n++
		}
		d.plan = append(d.plan, act)
	}
}

func drawDemoUser(random *mathrand.Rand, n int) newUser {
	u := newUser{name: fmt.Sprintf("user%05d", n), domain: federatedDomain, federated: true}
	switch chance := random.Float64(); {
	case chance < 0.15:
		u.domain = subdomain
	case chance < 0.25:
		u.domain, u.federated = managedDomain, false
	case chance < 0.30:
		u.guest = true
	case chance < 0.33:
		u.name = fmt.Sprintf("%s%05d", excludedPrefix, n)
	case chance < 0.36:
		u.grouped = true
	}
	return u
}

// brakeLimit lets the brake stop in the middle of the import.
func (d *demo) brakeLimit() int {
	n := 0
	for i, act := range d.plan {
		due := 0
		for _, u := range act {
			if u.inScope() {
				due++
			}
		}
		if i == len(d.plan)-1 {
			due /= 2
		}
		n += due
	}
	return n
}

// wire registers the two apps and puts sessionstamp behind its web server.
func (d *demo) wire() error {
	secret := rand.Text()
	app := d.tenant.AddApp(msgraphtest.AppOptions{
		Permissions: ourPermissions,
		Secrets:     []msgraphtest.Secret{{Text: secret}},
	})
	provisioning := d.tenant.AddApp(msgraphtest.AppOptions{
		Permissions: []string{"User.ReadWrite.All", "User.Read.All"},
		Secrets:     []msgraphtest.Secret{{Text: secret}},
	})
	d.tally.app = app.ID()
	d.admin = &admin{tenant: d.tenant.ID(), client: provisioning.ID(), secret: secret, http: d.graph.Client()}
	p, err := newPlant(plantConfig{
		tenant: d.tenant.ID(), client: app.ID(), secret: secret,
		vault:     &vault{secret: rand.Text()},
		transport: d.graph.Client().Transport, notificationURL: d.server.url,
		policy: demoPolicy, groups: []string{excludedGroup}, brakeLimit: d.brakeLimit(),
		keepEvery: demoKeepEvery, sweepEvery: demoSweepEvery,
		workers: 2, batch: 50,
		timeout: 10 * time.Second, visibility: 12 * time.Second, longestDelay: demoDelay,
		outcomes: d.tally, receipts: d.tally, log: d.options.log,
		faults: d.faults,
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
	d.graph.Inject(msgraphtest.Fault{
		Match: part, Chance: 0.02, Times: 25,
		Status: http.StatusTooManyRequests, Code: "TooManyRequests", RetryAfter: time.Second,
	})
	d.graph.Inject(msgraphtest.Fault{
		Match: part, Chance: 0.005, After: true, Status: http.StatusServiceUnavailable, Code: "ServiceUnavailable",
	})
	d.graph.Inject(msgraphtest.Fault{Match: part, Chance: 0.001, Latency: 300 * time.Millisecond})
}
