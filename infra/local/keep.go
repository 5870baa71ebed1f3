package main

import (
	"context"
	"encoding/json"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/memory"
	"github.com/sessionstamp/sessionstamp/shared/notification"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
	"github.com/sessionstamp/sessionstamp/shared/rotation"
	"github.com/sessionstamp/sessionstamp/shared/subscription"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

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

// newKeeper makes what the keeper function makes at its start.
func (p *plant) newKeeper() (*subscription.Keeper, error) {
	graph, err := p.newGraph()
	if err != nil {
		return nil, err
	}
	config := subscription.Config{
		Tenant:          p.config.tenant,
		NotificationURL: p.config.notificationURL,
		LifecycleURL:    p.config.notificationURL,
		Graph:           graph,
		Store:           p.records,
		Sweeps:          sweep.Asker{Store: p.sweeps},
		Secrets:         settledClientStates{p.config.secrets},
		Settings:        p.config.keeping,
		ClientID:        p.config.client,
		Observer:        p.config.keeper,
		Log:             p.config.log,
		Now:             time.Now,
	}
	if p.config.faults != nil {
		config = p.config.faults.dressKeeper(config)
	}
	return subscription.New(config)
}

// An environment is where a scheduled function lives from one run to the next: it
// keeps what it made at its start, until it dies.
type environment struct {
	keeper  *subscription.Keeper
	sweeper *sweep.Sweeper
	rotator *rotation.Rotator // of one secret
}

// keep runs the keeper once, as its schedule does. The next run mends what this
// one leaves.
func (e *environment) keep(ctx context.Context, p *plant) {
	if e.keeper == nil {
		e.keeper, _ = p.newKeeper() // newPlant has made one without a fault
	}
	if survive(func() { _, _ = e.keeper.Keep(ctx) }) != nil {
		e.keeper = nil
	}
}

// pollLifecycle passes lifecycle events to the keeper.
func (p *plant) pollLifecycle(ctx context.Context) {
	memory.Poller{
		Queue: p.lifecycle, Workers: 1, Batch: 10, Window: time.Second, Timeout: p.config.timeout,
		Handle: p.handleLifecycle,
	}.Run(ctx)
}

func (p *plant) handleLifecycle(ctx context.Context, _ int, bodies [][]byte) []error {
	events := make([]notification.Lifecycle, len(bodies))
	for i, body := range bodies {
		if err := json.Unmarshal(body, &events[i]); err != nil {
			return failAll(bodies, err)
		}
	}
	keeper, err := p.newKeeper()
	if err != nil {
		return failAll(bodies, err)
	}
	var errs []error
	if err := survive(func() { errs = keeper.HandleLifecycle(ctx, events) }); err != nil {
		return failAll(bodies, err)
	}
	return errs
}

func newDomains(graph revocation.DomainLister) *revocation.DomainCache {
	return revocation.NewDomainCache(graph, revocation.DefaultDomainSettings)
}

// newSweeper makes what the sweeper function makes at its start.
func (p *plant) newSweeper() (*sweep.Sweeper, error) {
	graph, err := p.newGraph()
	if err != nil {
		return nil, err
	}
	config := sweep.Config{
		Tenant:     p.config.tenant,
		Graph:      graph,
		Domains:    newDomains(graph),
		Store:      p.sweeps,
		Queue:      memory.Requests{Queue: p.requests},
		Subscribed: p.subscribed,
		Policy:     p.config.policy,
		Backfill:   p.backfill,
		Held:       p.ledger,
		Settings:   p.config.sweeping,
		Observer:   p.config.swept,
		Log:        p.config.log,
		Now:        time.Now,
	}
	if p.config.faults != nil {
		config = p.config.faults.dressSweeper(config)
	}
	return sweep.New(config)
}

// subscribed is since when notifications were to tell of every new user.
func (p *plant) subscribed(ctx context.Context) (time.Time, error) {
	record, err := p.records.Record(ctx, p.config.tenant)
	return record.Began, err
}

// sweep runs the sweeper once, as its schedule does.
func (e *environment) sweep(ctx context.Context, p *plant) {
	if e.sweeper == nil {
		e.sweeper, _ = p.newSweeper() // newPlant has made one without a fault
	}
	call, cancel := context.WithTimeout(ctx, p.config.sweeping.Lease)
	defer cancel()
	if survive(func() { _, _ = e.sweeper.Run(call) }) != nil {
		e.sweeper = nil
	}
}
