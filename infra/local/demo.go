package main

import (
	"crypto/rand"
	"log/slog"
	mathrand "math/rand/v2"
	"net/http"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
	"github.com/sessionstamp/sessionstamp/shared/subscription"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
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
	Recover:        24 * time.Hour,
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

// demoKeeping, demoSweeping and the schedules do in seconds what a deployment does
// in hours.
var (
	demoKeeping = func() subscription.Settings {
		s := subscription.DefaultSettings
		s.RunLimit, s.CallTimeout = 15*time.Second, 10*time.Second
		return s
	}()
	demoSweeping = sweep.Settings{
		Grace:          2 * time.Second,
		Recover:        30 * 24 * time.Hour,
		FullEvery:      time.Hour,
		ReplicationLag: demoSettings.ReplicationLag,
		Lease:          10 * time.Second,
		Margin:         time.Second,
		Spread:         time.Second,
		BackfillPerRun: 100,
		BackfillPace:   time.Millisecond,
		BackfillSettle: 2 * time.Second,
	}
)

const (
	demoWindow     = 24 * time.Hour
	demoKeepEvery  = 4 * time.Second
	demoSweepEvery = 3 * time.Second
)

// excludedPrefix begins the user principal names that the administrator excludes.
const excludedPrefix = "svc-"

// options are the flags of the command.
type options struct {
	users int
	seed  uint64
	json  bool
	log   *slog.Logger
}

// unnotified is how many users appear of whom no notification tells.
func (o options) unnotified() int { return max(o.users/25, 5) }

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
	started time.Time
	old     []string // users who were there before
	next    int      // number of the next user to be created

	// What the later acts find out.
	unnotified map[string]bool // created while nobody was told
	enforced   time.Time       // when existing users were allowed to be stamped
	ceiling    int             // how many of them
}

// newDemo sets the scene. Close ends it.
func newDemo(o options) (*demo, error) {
	d := &demo{
		options: o,
		random:  mathrand.New(mathrand.NewPCG(o.seed, 1)),
		tally:   newTally(),
		faults:  &faults{seed: o.seed, crash: 0.002},

		unnotified: make(map[string]bool),
		started:    time.Now(),
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
		tenant: d.tenant.ID(), client: app.ID(),
		mode: directory.AuthClientSecret, secrets: newSecrets(storedSecret(secret), clientState),
		transport: d.graph.Client().Transport, notificationURL: d.server.url,
		settings: demoSettings,
		policy: revocation.Policy{
			NewUserWindow: demoWindow,
			Exclusions:    revocation.Exclusions{Patterns: []string{excludedPrefix + "*"}},
			Backfill:      revocation.DefaultBackfill,
		},
		pace: demoPace, workers: 2, batch: 50,
		timeout: 6 * time.Second, visibility: 7 * time.Second,
		outcomes: d.tally, receipts: d.tally, log: d.options.log,
		faults:  d.faults,
		keeping: demoKeeping, sweeping: demoSweeping, keepEvery: demoKeepEvery, sweepEvery: demoSweepEvery,
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
