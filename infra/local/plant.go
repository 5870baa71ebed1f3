package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/memory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
	"github.com/sessionstamp/sessionstamp/shared/webhook"
)

// plantConfig is what a plant is made of.
type plantConfig struct {
	// tenant, client and secret are how the plant signs in.
	tenant, client, secret string
	// transport carries the calls of Graph and of the token endpoint.
	transport   http.RoundTripper
	clientState clientStates
	settings    revocation.Settings
	policy      revocation.Policy
	pace        revocation.Pace
	workers     int
	batch       int
	// timeout ends the handling of one batch, and visibility, which is longer,
	// is how long its messages stay hidden meanwhile.
	timeout, visibility time.Duration
	outcomes            revocation.Observer
	receipts            webhook.Observer
	log                 *slog.Logger
	// dress, if it is not nil, may put something between a worker and what it
	// works with: faults, in the simulation.
	dress func(revocation.Config) revocation.Config
	// queue does the same for the webhook's queue.
	dressQueue func(webhook.Queue) webhook.Queue
}

// A plant is all of sessionstamp that a deployment spreads over AWS, wired from
// the same packages, on one machine.
type plant struct {
	config    plantConfig
	requests  *memory.Queue
	lifecycle *memory.Queue
	ledger    *memory.Ledger
	quota     *memory.Quota
	webhook   http.Handler
	// revokers are the execution environments, one for each worker, nil before
	// its first call and after a crash. Only their worker touches them.
	revokers []*revocation.Revoker
}

// clientStates are the secrets that the subscriptions were made with.
type clientStates struct{ current, previous string }

// ClientStates implements [webhook.Secrets].
func (c clientStates) ClientStates(context.Context) (current, previous string, err error) {
	return c.current, c.previous, nil
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
		quota:     memory.NewQuota(c.pace),
		revokers:  make([]*revocation.Revoker, c.workers),
	}
	var queue webhook.Queue = memory.Requests{Queue: p.requests}
	if c.dressQueue != nil {
		queue = c.dressQueue(queue)
	}
	handler, err := webhook.New(webhook.Config{
		Tenant:    c.tenant,
		Secrets:   c.clientState,
		Queue:     queue,
		Lifecycle: memory.Lifecycles{Queue: p.lifecycle},
		Log:       c.log,
		Observer:  c.receipts,
	})
	if err != nil {
		return nil, err
	}
	p.webhook = handler
	_, err = p.newRevoker() // so that a fault of the configuration shows at once
	return p, err
}

// newRevoker makes what one execution environment of the revoker function makes
// at its start.
func (p *plant) newRevoker() (*revocation.Revoker, error) {
	cloud, err := msgraph.CloudByName("global")
	if err != nil {
		return nil, err
	}
	credential, err := msgraph.NewClientSecretCredential(msgraph.CredentialOptions{
		Cloud:     cloud,
		TenantID:  p.config.tenant,
		ClientID:  p.config.client,
		Transport: p.config.transport,
	}, p.config.secret)
	if err != nil {
		return nil, err
	}
	graph, err := msgraph.NewClient(msgraph.Options{
		Cloud:       cloud,
		Credential:  credential,
		Transport:   p.config.transport,
		UserAgent:   "sessionstamp/local",
		CallTimeout: p.config.settings.CallTimeout,
	})
	if err != nil {
		return nil, err
	}
	config := revocation.Config{
		Tenant:    p.config.tenant,
		Directory: graph,
		Domains:   revocation.NewDomainCache(graph, revocation.DefaultDomainSettings),
		Ledger:    p.ledger,
		Queue:     memory.Requests{Queue: p.requests},
		Quota:     p.quota,
		Policy:    p.config.policy,
		Settings:  p.config.settings,
		Observer:  p.config.outcomes,
		Log:       p.config.log,
		Now:       time.Now,
	}
	if p.config.dress != nil {
		config = p.config.dress(config)
	}
	return revocation.New(config)
}

// run polls the queue until ctx is done.
func (p *plant) run(ctx context.Context) {
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
func (p *plant) handle(ctx context.Context, worker int, bodies [][]byte) (errs []error) {
	if p.revokers[worker] == nil {
		revoker, err := p.newRevoker()
		if err != nil {
			return failAll(bodies, err)
		}
		p.revokers[worker] = revoker
	}
	defer func() {
		switch crash := recover().(type) {
		case nil:
		case crashed:
			p.revokers[worker] = nil
			errs = failAll(bodies, crash)
		default:
			panic(crash)
		}
	}()
	return p.revokers[worker].HandleMessages(ctx, bodies)
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
