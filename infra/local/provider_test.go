package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/signal/signaltest"
	"github.com/sessionstamp/sessionstamp/shared/signal/stream"
	"github.com/sessionstamp/sessionstamp/shared/state"
)

// The provider's sources, one of each kind.
var (
	hookSource = strings.Repeat("a", 32)
	oktaSource = strings.Repeat("b", 32)
	ssfSource  = strings.Repeat("c", 32)
	allSources = []string{hookSource, oktaSource, ssfSource}
)

// records are the sources as an administrator adds them: not each may speak for all domains.
func records() map[string]signal.Record {
	return map[string]signal.Record{
		hookSource: {Kind: signal.KindWebhook, Domains: []string{federatedDomain, managedDomain}},
		oktaSource: {Kind: signal.KindOkta, Domains: []string{federatedDomain, subdomain}},
		ssfSource:  {Kind: signal.KindSSF, Domains: []string{federatedDomain, subdomain, managedDomain}},
	}
}

const signalURL = "https://webhook.example/idp/"

// A provider is where the federated users sign in. It reports what happens to anybody who
// has an account there, by three ways, each with a clock and secrets of its own.
type provider struct {
	*world
	random *mathrand.Rand
	// enforced is the mode of the deployment, else it only reports. floods lets a sender
	// report everybody.
	enforced, floods bool
	ahead            map[string]time.Duration // of our clock, by source
	inlet            *inlet
	changer          *admin // of names
	unasked          int    // for documents that a transmitter need not have
	transmitter      *signaltest.Transmitter
	senders          sync.WaitGroup

	mu        sync.Mutex
	sending   map[string][]string // secrets that the senders use, by source
	incidents []*incident
	names     map[string]string // what the provider calls a user after a change of the name
	renames   int
	released  []span // from when the signals' brake was reached to when it was released
}

// newProvider draws a provider.
func newProvider(w *world, seed uint64) *provider {
	random := mathrand.New(mathrand.NewPCG(seed, 7))
	p := &provider{
		world: w, random: random, enforced: random.IntN(3) > 0, floods: !w.calm && random.IntN(3) == 0,
		ahead: make(map[string]time.Duration), sending: make(map[string][]string), names: make(map[string]string),
	}
	for _, source := range allSources {
		if !w.calm && random.IntN(2) == 0 { // the webhook's window is five minutes
			p.ahead[source] = time.Duration(random.Int64N(int64(8*time.Minute))) - 4*time.Minute
		}
	}
	return p
}

// settle draws what the deployment has of the provider.
func (p *provider) settle(c *plantConfig) {
	c.policy.EnforceSignals = p.enforced
	if p.floods {
		c.brakeLimit = max(8, p.users/3) + p.random.IntN(p.users/3)
	}
}

// connect makes the way between provider and plant.
func (p *provider) connect() {
	p.transmitter = signaltest.New(signaltest.Options{
		Algorithm: "ES256", Push: (*pusher)(p), TokenLife: 24 * time.Hour, StaticToken: "management",
		Now: func() time.Time { return p.clock(ssfSource) },
	})
	p.inlet = newInlet(p.plant, p.transmitter)
	changer := *p.admin
	p.changer = &changer
	p.inlet.arrived = p.arrived
	if p.plan.spoil != nil {
		p.plan.spoil(p.inlet)
	}
}

// clock is a source's.
func (p *provider) clock(source string) time.Time { return time.Now().Add(p.ahead[source]) }

// run lets the provider and the plant's inlet work until ctx is done.
func (p *provider) run(ctx context.Context) {
	p.addSources(ctx)
	var parts sync.WaitGroup
	parts.Go(func() { p.inlet.run(ctx) })
	parts.Go(func() { p.transmitter.Run(ctx) })
	parts.Go(func() { every(ctx, p.plan.keepEvery, func() { p.keepStream(ctx) }) })
	parts.Go(func() { p.attendBrake(ctx) })
	parts.Go(func() { p.rotate(ctx) })
	p.happen(ctx)
	parts.Wait()
	p.senders.Wait()
}

func (p *provider) addSources(ctx context.Context) {
	for source, r := range records() {
		r.Added = time.Now().UTC()
		c := signal.Credential{Secrets: []string{newSecret()}}
		if r.Kind == signal.KindSSF {
			var err error
			r.Stream, err = stream.Discover(ctx, p.transmitter.Client(), p.transmitter.Issuer())
			p.must(err)
			r.Stream.TokenEndpoint, c.Token = "", "management"
		}
		p.send(source, c.Secrets...)
		p.must(p.inlet.add(ctx, source, r, c))
	}
	p.unasked = len(p.transmitter.Faults())
	p.keepStream(ctx)
}

// newSecret fits every kind of source.
func newSecret() string {
	return "whsec_" + base64.StdEncoding.EncodeToString([]byte(rand.Text()+rand.Text()))
}

// send lets a sender use these secrets from now on.
func (p *provider) send(source string, secrets ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sending[source] = secrets
}

func (p *provider) secrets(source string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sending[source]
}

// keepStream is the keeper's part. What it can't write it finds out again.
func (p *provider) keepStream(ctx context.Context) {
	item, err := p.inlet.registry.Load(ctx, p.tenant.ID())
	if err != nil {
		return // the world ends
	}
	manager := stream.Manager{HTTP: p.transmitter.Client(), Now: time.Now}
	kept, err := manager.Keep(ctx, signalURL+ssfSource, item.Doc.Sources[ssfSource].Stream, p.inlet.vault.read(ssfSource))
	if err != nil && ctx.Err() == nil {
		p.t.Errorf("the stream can't be kept: %v", err)
	}
	_ = state.Update(ctx, &p.inlet.registry, p.tenant.ID(), func(registry *signal.Registry) bool { // fails at the end only
		record := registry.Sources[ssfSource]
		record.Stream = kept
		registry.Sources[ssfSource] = record
		return true
	})
}

// rotate replaces secrets and keys now and then: with time for all to follow, or at once.
func (p *provider) rotate(ctx context.Context) {
	random := mathrand.New(mathrand.NewPCG(p.faults.seed, 8))
	some := func(most time.Duration) { waitFor(ctx, time.Duration(random.Int64N(int64(most)))) }
	for some(time.Hour); !p.calm && time.Now().Before(p.playEnd().Add(-time.Hour)); some(time.Hour) {
		source, fresh := allSources[random.IntN(len(allSources))], newSecret()
		c := p.inlet.vault.read(source)
		switch random.IntN(4) {
		case 0:
			p.transmitter.Rotate()
		case 1:
			p.transmitter.Rotate()
			p.transmitter.Withdraw()
		case 2:
			p.inlet.vault.store(source, c, fresh)
			p.send(source, fresh)
		case 3:
			const settled = 20 * time.Minute // longer than between two runs of the keeper
			p.inlet.vault.store(source, c, fresh, c.Secrets[0])
			some(settled)
			p.send(source, fresh)
			waitFor(ctx, settled)
			p.inlet.vault.store(source, c, fresh)
		}
	}
}

// happen lets things happen to users.
func (p *provider) happen(ctx context.Context) {
	events := 20 + p.random.IntN(30)
	flood := p.random.IntN(events / 3)
	for n := range events {
		waitFor(ctx, time.Duration(p.random.Int64N(int64(2*p.plan.play)*8/10/int64(events))))
		if time.Since(p.start) > p.plan.play*8/10 {
			return
		}
		users := p.tenant.Users()
		if p.random.IntN(8) == 0 {
			p.rename(ctx, users[p.random.IntN(len(p.old))])
			continue
		}
		if p.floods && n == flood {
			p.flood(ctx, users)
		}
		source := allSources[p.random.IntN(len(allSources))]
		p.tell(ctx, users[p.random.IntN(len(users))], source, happenings[p.random.IntN(len(happenings))])
	}
}

// flood is a sender that is broken: it reports everybody.
func (p *provider) flood(ctx context.Context, users []msgraphtest.UserState) {
	for _, u := range users {
		p.tell(ctx, u, hookSource, happenings[p.random.IntN(3)])
	}
}

// rename gives a user another name. The provider knows it at once, or never.
func (p *provider) rename(ctx context.Context, u msgraphtest.UserState) {
	p.renames++
	name := fmt.Sprintf("renamed%d@%s", p.renames, federatedDomain)
	err := p.changer.call(ctx, http.MethodPatch, "/users/"+u.ID, map[string]any{"userPrincipalName": name}, nil)
	if err != nil {
		p.t.Errorf("rename user %s: %v", u.ID, err)
	}
	known := name
	if p.random.IntN(3) == 0 {
		known = p.nameOf(u)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.names[u.ID] = known
}

func (p *provider) nameOf(u msgraphtest.UserState) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if name := p.names[u.ID]; name != "" {
		return name
	}
	return u.UPN
}
