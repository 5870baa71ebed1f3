package main

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/memory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
	"github.com/sessionstamp/sessionstamp/shared/subscription"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
	"github.com/sessionstamp/sessionstamp/shared/webhook"
)

// plantConfig is what a plant is made of.
type plantConfig struct {
	// tenant and client are the app that the plant signs in as, and mode is how.
	tenant, client string
	mode           directory.AuthMode
	// secrets hold the credential and the clientState. For a web identity, the
	// credential is not read.
	secrets *memory.Secrets
	// identity may be nil in other modes.
	identity msgraph.WebIdentitySource
	// newKey makes the key pairs of new certificates; nil means new ones.
	newKey func() (*rsa.PrivateKey, error)
	// transport carries the calls of Graph and of the token endpoint.
	transport http.RoundTripper
	// dressSignIn, if it is not nil, stands between each function and what it signs
	// in with, where there are faults.
	dressSignIn func(signIn) signIn
	// notificationURL is where Graph reaches the webhook.
	notificationURL string
	settings        revocation.Settings
	keeping         subscription.Settings
	sweeping        sweep.Settings
	// keepEvery and sweepEvery are the schedules.
	keepEvery, sweepEvery time.Duration
	policy                revocation.Policy
	pace                  revocation.Pace
	// dryRun lets the revoker sign nobody out.
	dryRun  bool
	workers int
	batch   int
	// timeout ends the handling of one batch, and visibility, which is longer,
	// is how long its messages stay hidden meanwhile.
	timeout, visibility time.Duration
	outcomes            revocation.Observer
	receipts            webhook.Observer
	// keeper and swept, if they are not nil, are told of every run.
	keeper subscription.Observer
	swept  sweep.Observer
	log    *slog.Logger
	// faults, if there are any, stand between all of these and what they work
	// with.
	faults *faults
}

// A plant is all of sessionstamp that a deployment spreads over AWS, wired from
// the same packages, on one machine.
type plant struct {
	config    plantConfig
	requests  *memory.Queue
	lifecycle *memory.Queue
	ledger    *memory.Ledger
	backfill  *memory.Backfill
	quota     *memory.Quota
	records   *memory.Subscriptions
	sweeps    *memory.Checkpoints
	webhook   http.Handler
	// revokers are the execution environments, one for each worker, nil before
	// its first call and after a crash. Only their worker touches them.
	revokers []*revocation.Revoker
}

// maxReceives is how often a message may come back before it is a dead letter.
const maxReceives = 5

// newPlant wires a plant. Its queue is not polled until run is called.
func newPlant(c plantConfig) (*plant, error) {
	p := &plant{
		config:    c,
		requests:  memory.NewQueue(memory.QueueOptions{Visibility: c.visibility, MaxReceives: maxReceives}),
		lifecycle: memory.NewQueue(memory.QueueOptions{Visibility: c.visibility, MaxReceives: maxReceives}),
		ledger:    new(memory.Ledger),
		backfill:  new(memory.Backfill),
		records:   new(memory.Subscriptions),
		sweeps:    new(memory.Checkpoints),
		quota:     memory.NewQuota(c.pace),
		revokers:  make([]*revocation.Revoker, c.workers),
	}
	config := webhook.Config{
		Tenant:    c.tenant,
		Secrets:   &keptClientStates{secrets: c.secrets},
		Queue:     memory.Requests{Queue: p.requests},
		Lifecycle: memory.Lifecycles{Queue: p.lifecycle},
		Log:       c.log,
		Observer:  c.receipts,
	}
	if c.faults != nil {
		config = c.faults.dressWebhook(config)
	}
	handler, err := webhook.New(config)
	if err != nil {
		return nil, err
	}
	p.webhook = handler
	return p, p.try()
}

// try makes everything once, so that a fault of the configuration shows at once.
func (p *plant) try() error {
	_, revoker := p.newRevoker()
	_, keeper := p.newKeeper()
	_, sweeper := p.newSweeper()
	faults := []error{revoker, keeper, sweeper}
	for _, secretID := range p.rotated() {
		_, rotator := p.newRotator(secretID)
		faults = append(faults, rotator)
	}
	return errors.Join(faults...)
}

// A signIn is how a client signs in, and what carries its calls.
type signIn struct {
	auth      msgraph.Auth
	transport http.RoundTripper
}

// newGraph makes the client that every function makes at its start.
func (p *plant) newGraph() (*msgraph.Client, error) {
	in := signIn{p.auth(), p.config.transport}
	if p.config.faults != nil && p.config.dressSignIn != nil {
		in = p.config.dressSignIn(in)
	}
	return p.newClient(in)
}

// newClient makes a client that signs in so.
func (p *plant) newClient(in signIn) (*msgraph.Client, error) {
	cloud, err := msgraph.CloudByName("global")
	if err != nil {
		return nil, err
	}
	credential, err := msgraph.NewCredential(msgraph.CredentialOptions{
		Cloud:     cloud,
		TenantID:  p.config.tenant,
		ClientID:  p.config.client,
		Transport: in.transport,
	}, in.auth)
	if err != nil {
		return nil, err
	}
	return msgraph.NewClient(msgraph.Options{
		Cloud:       cloud,
		Credential:  credential,
		Transport:   in.transport,
		UserAgent:   "sessionstamp/local",
		CallTimeout: p.config.settings.CallTimeout,
	})
}

// newRevoker makes what one execution environment of the revoker function makes
// at its start.
func (p *plant) newRevoker() (*revocation.Revoker, error) {
	graph, err := p.newGraph()
	if err != nil {
		return nil, err
	}
	config := revocation.Config{
		Tenant:    p.config.tenant,
		Directory: graph,
		Domains:   newDomains(graph),
		Ledger:    p.ledger,
		Queue:     memory.Requests{Queue: p.requests},
		Quota:     p.quota,
		Backfill:  p.backfill,
		Policy:    p.config.policy,
		Settings:  p.config.settings,
		DryRun:    p.config.dryRun,
		Observer:  p.config.outcomes,
		Log:       p.config.log,
		Now:       time.Now,
	}
	if p.config.faults != nil {
		config = p.config.faults.dress(config)
	}
	return revocation.New(config)
}

// run does what the event sources and schedules of a deployment do, until ctx is
// done.
func (p *plant) run(ctx context.Context) {
	var sources sync.WaitGroup
	sources.Go(func() { p.pollRequests(ctx) })
	sources.Go(func() { p.pollLifecycle(ctx) })
	var keeping, sweeping environment
	sources.Go(func() { every(ctx, p.config.keepEvery, func() { keeping.keep(ctx, p) }) })
	sources.Go(func() { every(ctx, p.config.sweepEvery, func() { sweeping.sweep(ctx, p) }) })
	sources.Wait()
}

func (p *plant) pollRequests(ctx context.Context) {
	memory.Poller{
		Queue:   p.requests,
		Workers: p.config.workers,
		Batch:   p.config.batch,
		Window:  100 * time.Millisecond,
		Timeout: p.config.timeout,
		Handle:  p.handle,
	}.Run(ctx)
}

// handle passes one batch to the worker's revoker.
func (p *plant) handle(ctx context.Context, worker int, bodies [][]byte) []error {
	if p.revokers[worker] == nil {
		revoker, err := p.newRevoker()
		if err != nil {
			return failAll(bodies, err)
		}
		p.revokers[worker] = revoker
	}
	var errs []error
	if err := survive(func() { errs = p.revokers[worker].HandleMessages(ctx, bodies) }); err != nil {
		p.revokers[worker] = nil
		return failAll(bodies, err)
	}
	return errs
}

// survive does work in which the worker may die, and returns how it died.
func survive(work func()) (err error) {
	defer func() {
		switch crash := recover().(type) {
		case nil:
		case crashed:
			err = crash
		default:
			panic(crash)
		}
	}()
	work()
	return nil
}

// crashed is what a worker panics with when the simulation lets it die: all that
// it had in memory is lost, and its messages come back.
type crashed struct{ at string }

func (c crashed) Error() string { return "worker died " + c.at }

func failAll(bodies [][]byte, err error) []error {
	errs := make([]error, len(bodies))
	for i := range errs {
		errs[i] = fmt.Errorf("batch of %d messages: %w", len(bodies), err)
	}
	return errs
}
