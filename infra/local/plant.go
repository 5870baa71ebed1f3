package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/keeper"
	"github.com/sessionstamp/sessionstamp/shared/memory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/state"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
	"github.com/sessionstamp/sessionstamp/shared/webhook"
)

// plantConfig is what a plant is made of.
type plantConfig struct {
	// tenant, client and secret are the app that the plant signs in as.
	tenant, client, secret string
	// vault holds the secret of which clientStates are derived.
	vault *vault
	// transport carries the calls of Graph and of the token endpoint.
	transport http.RoundTripper
	// notificationURL is where Graph reaches the webhook.
	notificationURL string
	policy          stamp.Policy
	// groups are those whose members are excluded.
	groups []string
	// brakeLimit is how many users may be stamped automatically in 24 hours.
	brakeLimit int
	// keepEvery and sweepEvery are the schedules.
	keepEvery, sweepEvery time.Duration
	// dryRun lets the stamper sign nobody out.
	dryRun bool
	// workers is how many batches are handled at once, batch how large they are.
	workers, batch int
	// timeout ends the handling of one batch. visibility, which is longer, is how long
	// its messages stay hidden meanwhile.
	timeout, visibility time.Duration
	// longestDelay, if it is not 0, cuts all delays of the queue.
	longestDelay time.Duration
	outcomes     stamp.Observer
	receipts     webhook.Observer
	log          *slog.Logger
	// faults, if there are any, stand between each function and what it works with.
	faults *faults
	// watch sees what passes between them.
	watch watch
}

// A watch sees, or changes, what a function works with. Each part may be nil.
type watch struct {
	stamper func(stamp.Config) stamp.Config
	webhook func(webhook.Config) webhook.Config
	keeper  func(keeper.Config) keeper.Config
	sweeper func(sweep.Config) sweep.Config
	// kept and swept are told of each run that came to its end.
	kept  func(began time.Time, r keeper.Report, err error)
	swept func(began time.Time, r sweep.Report, err error)
}

// apply passes a configuration through a part of the watch.
func apply[C any](watch func(C) C, c C) C {
	if watch == nil {
		return c
	}
	return watch(c)
}

// A plant is all of sessionstamp that a deployment spreads over AWS, wired from the
// same packages, on one machine.
type plant struct {
	config   plantConfig
	requests *memory.Queue
	ledger   *memory.Ledger
	records  state.Store[keeper.Record]
	sweeps   state.Store[sweep.Checkpoint]
	brakes   state.Store[stamp.BrakeState]
	webhook  http.Handler
	// stampers are the execution environments, one for each worker, nil before its
	// first call and after its death. Only their worker touches them.
	stampers []*stamp.Stamper
}

// maxReceives is how often a message comes back before it is a dead letter, as
// template.yaml has it.
const maxReceives = 20

// newPlant wires a plant. Its queue is not polled until run is called.
func newPlant(c plantConfig) (*plant, error) {
	p := &plant{
		config: c,
		requests: memory.NewQueue(memory.QueueOptions{
			Visibility: c.visibility, MaxReceives: maxReceives, AllowRecursion: true, // as template.yaml does
		}),
		ledger:   new(memory.Ledger),
		records:  new(memory.State[keeper.Record]),
		sweeps:   new(memory.State[sweep.Checkpoint]),
		brakes:   new(memory.State[stamp.BrakeState]),
		stampers: make([]*stamp.Stamper, c.workers),
	}
	config := apply(c.watch.webhook, webhook.Config{
		Tenant:   c.tenant,
		Secrets:  &clientState{vault: c.vault, tenant: c.tenant},
		Queue:    memory.Requests{Queue: p.requests},
		Log:      c.log,
		Observer: c.receipts,
		Now:      time.Now,
	})
	p.webhook = webhook.New(c.faults.dressWebhook(config))
	return p, p.try()
}

// try makes everything once, so that a fault of the configuration shows at once.
func (p *plant) try() error {
	_, stamper := p.newStamper()
	_, keeper := p.newKeeper()
	_, sweeper := p.newSweeper()
	return errors.Join(stamper, keeper, sweeper)
}

// newGraph makes the client that every function makes at its start.
func (p *plant) newGraph() (*msgraph.Client, error) {
	cloud, err := msgraph.CloudByName("global")
	if err != nil {
		return nil, err
	}
	secret := func(context.Context, bool) (string, error) { return p.config.secret, nil }
	return msgraph.NewClient(msgraph.Options{
		Cloud:       cloud,
		TenantID:    p.config.tenant,
		ClientID:    p.config.client,
		Auth:        msgraph.Auth{ClientSecret: secret},
		Transport:   p.config.transport,
		CallTimeout: p.config.policy.CallTimeout,
	})
}

// newBrake makes the brake, which all functions share by its store.
func (p *plant) newBrake() *stamp.Brake {
	return stamp.NewBrake(faultyState[stamp.BrakeState]{p.config.faults, "brake", p.brakes}, p.config.brakeLimit)
}

// queue is where stamper and sweeper put requests.
func (p *plant) queue() stamp.Queue {
	queue := memory.Requests{Queue: p.requests}
	if p.config.longestDelay > 0 {
		return hurriedQueue{queue, p.config.longestDelay}
	}
	return queue
}

// newStamper makes what one execution environment of the stamper function makes at its
// start.
func (p *plant) newStamper() (*stamp.Stamper, error) {
	graph, err := p.newGraph()
	if err != nil {
		return nil, err
	}
	config := apply(p.config.watch.stamper, stamp.Config{
		Tenant:    p.config.tenant,
		Directory: graph,
		Domains:   stamp.NewDomains(graph),
		Groups:    p.config.groups,
		Ledger:    p.ledger,
		Queue:     p.queue(),
		Brake:     p.newBrake(),
		Policy:    p.config.policy,
		DryRun:    p.config.dryRun,
		Observer:  p.config.outcomes,
		Log:       p.config.log,
		Now:       time.Now,
	})
	return stamp.New(p.config.faults.dressStamper(config)), nil
}

// newKeeper makes what the keeper function makes at its start.
func (p *plant) newKeeper() (*keeper.Keeper, error) {
	graph, err := p.newGraph()
	if err != nil {
		return nil, err
	}
	config := apply(p.config.watch.keeper, keeper.Config{
		Tenant:          p.config.tenant,
		NotificationURL: p.config.notificationURL,
		Graph:           graph,
		Secrets:         &clientState{vault: p.config.vault, tenant: p.config.tenant},
		Store:           p.records,
		Sweeps:          sweep.Asker{Store: p.sweeps},
		Log:             p.config.log,
		Now:             time.Now,
	})
	return keeper.New(p.config.faults.dressKeeper(config)), nil
}

// newSweeper makes what the sweeper function makes at its start.
func (p *plant) newSweeper() (*sweep.Sweeper, error) {
	graph, err := p.newGraph()
	if err != nil {
		return nil, err
	}
	config := apply(p.config.watch.sweeper, sweep.Config{
		Tenant:  p.config.tenant,
		Graph:   graph,
		Queue:   p.queue(),
		Domains: stamp.NewDomains(graph),
		Policy:  p.config.policy,
		Store:   p.sweeps,
		Brake:   p.newBrake(),
		Log:     p.config.log,
		Now:     time.Now,
	})
	return sweep.New(p.config.faults.dressSweeper(config)), nil
}

// run does what the event sources and schedules of a deployment do, until ctx is done.
func (p *plant) run(ctx context.Context) {
	var sources sync.WaitGroup
	sources.Go(func() { p.pollRequests(ctx) })
	var keeping, sweeping environment
	sources.Go(func() { every(ctx, p.config.keepEvery, func() { keeping.keep(ctx, p) }) })
	sources.Go(func() { every(ctx, p.config.sweepEvery, func() { sweeping.sweep(ctx, p) }) })
	sources.Wait()
}

// every does work now and whenever interval has passed, until ctx is done.
func every(ctx context.Context, interval time.Duration, work func()) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for ctx.Err() == nil {
		work()
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

func (p *plant) pollRequests(ctx context.Context) {
	_ = memory.Poller{ // its queue never fails
		Queue:   p.requests,
		Workers: p.config.workers,
		Batch:   p.config.batch,
		Window:  100 * time.Millisecond,
		Timeout: p.config.timeout,
		Handle:  p.handle,
	}.Run(ctx)
}

// handle passes one batch to the worker's stamper.
func (p *plant) handle(ctx context.Context, worker int, bodies [][]byte) []error {
	if p.stampers[worker] == nil {
		stamper, err := p.newStamper()
		if err != nil {
			return failAll(bodies, err)
		}
		p.stampers[worker] = stamper
	}
	var errs []error
	if err := survive(func() { errs = p.stampers[worker].HandleMessages(ctx, bodies) }); err != nil {
		p.stampers[worker] = nil
		return failAll(bodies, err)
	}
	return errs
}

// An environment is where a scheduled function lives from one run to the next: it keeps
// what it made at its start, until it dies.
type environment struct {
	keeper  *keeper.Keeper
	sweeper *sweep.Sweeper
}

// runLimit is how long a scheduled function may run.
const runLimit = 15 * time.Minute

// keep runs the keeper once, as its schedule does. The next run mends what this one
// leaves.
func (e *environment) keep(ctx context.Context, p *plant) {
	if e.keeper == nil {
		e.keeper, _ = p.newKeeper() // newPlant has made one without a fault
	}
	began := time.Now()
	call, cancel := context.WithTimeout(ctx, runLimit)
	defer cancel()
	err := survive(func() {
		r, err := e.keeper.Keep(call)
		if p.config.watch.kept != nil {
			p.config.watch.kept(began, r, err)
		}
	})
	if err != nil {
		e.keeper = nil
	}
}

// sweep runs the sweeper once, as its schedule does.
func (e *environment) sweep(ctx context.Context, p *plant) { _ = e.order(ctx, p, sweep.OrderUsual) }

// order runs the sweeper once with an order, and tells whether it survived.
func (e *environment) order(ctx context.Context, p *plant, o sweep.Order) error {
	if e.sweeper == nil {
		e.sweeper, _ = p.newSweeper() // newPlant has made one without a fault
	}
	began := time.Now()
	call, cancel := context.WithTimeout(ctx, runLimit)
	defer cancel()
	var failed error
	err := survive(func() {
		var r sweep.Report
		r, failed = e.sweeper.Run(call, o)
		if p.config.watch.swept != nil {
			p.config.watch.swept(began, r, failed)
		}
	})
	if err != nil {
		e.sweeper = nil
	}
	return errors.Join(err, failed)
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

// crashed is what a worker panics with when the simulation lets it die: all that it had
// in memory is lost, and its messages come back.
type crashed struct{ at string }

func (c crashed) Error() string { return "worker died " + c.at }

func failAll(bodies [][]byte, err error) []error {
	errs := make([]error, len(bodies))
	for i := range errs {
		errs[i] = fmt.Errorf("batch of %d messages: %w", len(bodies), err)
	}
	return errs
}

// hurriedQueue cuts delays: the demonstration has no minutes to wait.
type hurriedQueue struct {
	memory.Requests
	longest time.Duration
}

func (q hurriedQueue) Postpone(ctx context.Context, requests []stamp.Delayed) error {
	hurried := make([]stamp.Delayed, len(requests))
	for i, r := range requests {
		hurried[i] = stamp.Delayed{Request: r.Request, Delay: min(r.Delay, q.longest)}
	}
	return q.Requests.Postpone(ctx, hurried)
}
