package main

import (
	"context"
	"fmt"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

// run plays the story and returns when everything has come to rest, or ctx ends.
func (d *demo) run(ctx context.Context, show display) (result, error) {
	d.addExisting()
	if err := d.setUp(ctx); err != nil {
		return result{}, err
	}
	watching, stop := context.WithCancel(ctx)
	shown := make(chan struct{})
	go func() { defer close(shown); d.show(watching, show) }()
	err := d.play(ctx, show)
	stop()
	<-shown
	if err != nil {
		return result{}, err
	}
	return d.result(), nil
}

// play plays the acts one after the other, up to the first that fails.
func (d *demo) play(ctx context.Context, show display) error {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() { defer close(ended); d.plant.run(ctx) }()
	defer func() { cancel(); <-ended }()
	for i, act := range []func(context.Context, func(string)) error{d.arrival, d.outage, d.brake} {
		tell := func(text string) {
			d.mu.Lock()
			d.act, d.now = i+1, text
			d.mu.Unlock()
			show.tell(text)
		}
		if err := act(ctx, tell); err != nil {
			return err
		}
	}
	return nil
}

// The sentences of the story.
const (
	tellArrival  = "Users come. Notifications are late, doubled, forged or lost."
	tellOutage   = "The subscription is lost, and every notification with it."
	tellRepaired = "The keeper has made a new one. The sweep looks for the missed users."
	tellImport   = "An import brings more users than the brake lets through in a day."
	tellReached  = "The brake is reached: nobody more is stamped. A person looks at it."
	tellReleased = "The person has released the brake. The others are stamped."
)

// arrival creates the users, and sends what an attacker would.
func (d *demo) arrival(ctx context.Context, tell func(string)) error {
	tell(tellArrival)
	if err := d.create(ctx, 0, 8*time.Second); err != nil {
		return err
	}
	return d.settle(ctx)
}

// outage deletes the subscription behind sessionstamp's back and loses every notification
// for a while. Only the sweep can find the users who are created meanwhile.
func (d *demo) outage(ctx context.Context, tell func(string)) error {
	tell(tellOutage)
	d.graph.SetDelivery(msgraphtest.Delivery{Off: true})
	for _, s := range d.tenant.Subscriptions() {
		d.tenant.DropSubscription(s.ID)
	}
	if err := d.create(ctx, 1, 2*time.Second); err != nil {
		return err
	}
	d.graph.SetDelivery(demoDelivery)
	if err := d.wait(ctx, "the keeper did not repair the subscription", func() bool { return d.healthy(ctx) }); err != nil {
		return err
	}
	tell(tellRepaired)
	return d.settle(ctx)
}

// lookTime is how long the person looks at what the brake has stopped.
const lookTime = 3 * time.Second

// brake imports so many users that the brake stops, and lets a person release it.
func (d *demo) brake(ctx context.Context, tell func(string)) error {
	tell(tellImport)
	if err := d.create(ctx, 2, time.Second); err != nil {
		return err
	}
	if err := d.wait(ctx, "the brake was not reached", func() bool {
		item, err := d.plant.brakes.Load(ctx, d.tenant.ID())
		return err == nil && !item.Doc.Reached.IsZero()
	}); err != nil {
		return err
	}
	tell(tellReached)
	look := time.Now().Add(lookTime)
	if err := d.wait(ctx, "the person did not look", func() bool { return time.Now().After(look) }); err != nil {
		return err
	}
	if err := d.wait(ctx, "the brake was not released", func() bool {
		return new(environment).order(ctx, d.plant, sweep.OrderRelease) == nil
	}); err != nil {
		return err
	}
	tell(tellReleased)
	return d.settle(ctx)
}

// setUp lets the keeper subscribe, as the deployment of a stack does.
func (d *demo) setUp(ctx context.Context) error {
	calm := *d.plant
	calm.config.faults = nil
	keeper, err := calm.newKeeper()
	if err != nil {
		return err
	}
	_, err = keeper.SetUp(ctx)
	return err
}

// addExisting fills the tenant with users from before sessionstamp: half of them signed
// in often enough to have a stamp.
func (d *demo) addExisting() {
	created := time.Now().Add(-400 * 24 * time.Hour)
	for n := range max(8, d.options.users/20) {
		u := msgraphtest.NewUser{UPN: fmt.Sprintf("old%05d@%s", n, federatedDomain), Created: created}
		if n%2 == 0 {
			stamp := created.Add(time.Hour)
			u.Stamp = &stamp
		}
		d.old = append(d.old, d.tenant.AddUser(u))
	}
}

// create creates the users of an act, spread over some time.
func (d *demo) create(ctx context.Context, act int, long time.Duration) error {
	users := d.plan[act]
	pace := time.NewTicker(max(long/time.Duration(len(users)), time.Millisecond))
	defer pace.Stop()
	for n, u := range users {
		id, err := d.admin.createUser(ctx, u)
		if err != nil {
			return fmt.Errorf("create %s: %w", u.name, err)
		}
		if u.grouped {
			d.tenant.AddGroup(excludedGroup, id)
		}
		if !u.inScope() && u.federated && !u.guest {
			d.tenant.Exclude(id)
		}
		d.note(id, u, act)
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

func (d *demo) note(id string, u newUser, act int) {
	d.tally.addCreated(u.inScope())
	d.mu.Lock()
	defer d.mu.Unlock()
	d.created[id] = true
	if act == 1 {
		d.unnotified[id] = true
	}
}

// disturb does, now and then, what else happens in a tenant.
func (d *demo) disturb(ctx context.Context, n int, id string) error {
	if n%7 == 0 {
		if err := d.admin.touchUser(ctx, d.old[n%len(d.old)], fmt.Sprintf("department %s", id)); err != nil {
			return fmt.Errorf("change a user: %w", err)
		}
	}
	if n%10 == 0 {
		return d.forge(ctx, n, id)
	}
	return nil
}

// settle waits until nothing is on its way any more: no notification, no request, no gap
// that nobody has swept.
func (d *demo) settle(ctx context.Context) error {
	return d.wait(ctx, "the queue did not empty", func() bool {
		item, err := d.plant.sweeps.Load(ctx, d.tenant.ID())
		swept := err == nil && item.Doc.FullStarted.IsZero() && !item.Doc.FullDue.IsZero()
		_, unstamped := d.stamped()
		return swept && unstamped == 0 && d.healthy(ctx) && d.tenant.Idle() && d.plant.requests.Len() == 0
	})
}

// healthy tells whether Graph has the subscription that the keeper remembers, and no
// sweep is owed.
func (d *demo) healthy(ctx context.Context) bool {
	have := d.tenant.Subscriptions()
	item, err := d.plant.records.Load(ctx, d.tenant.ID())
	return err == nil && len(have) == 1 && have[0].ID == item.Doc.ID && !item.Doc.SweepOwed
}

// wait waits until done.
func (d *demo) wait(ctx context.Context, what string, done func() bool) error {
	check := time.NewTicker(100 * time.Millisecond)
	defer check.Stop()
	for !done() {
		select {
		case <-check.C:
		case <-ctx.Done():
			return fmt.Errorf("%s (%d requests wait): %w", what, d.plant.requests.Len(), ctx.Err())
		}
	}
	return nil
}
