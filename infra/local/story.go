package main

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
	"github.com/sessionstamp/sessionstamp/shared/subscription"
)

// The sentences of the story. A terminal of 80 columns shows each line whole.
func beginFirst(created int) string {
	return fmt.Sprintf("First act: %s, on a bad day.", appear(created, ""))
}

// endFirst tells how many users in scope there are, and how many of them have no stamp.
func endFirst(inScope, unstamped int) string {
	text := fmt.Sprintf("           In scope: %d, ", inScope)
	if unstamped > 0 {
		return text + fmt.Sprintf("not stamped yet: %d.", unstamped)
	}
	return text + "all stamped and read back."
}

func beginSecond(missed int) string {
	return fmt.Sprintf("Second act: the subscription is deleted behind our back, and Graph loses\n"+
		"            every notification. %s.", appear(missed, "more "))
}

const (
	deliversAgain = "            Graph delivers again."
	repaired      = "            The keeper has made a new subscription and asked for a sweep."
)

// endSecond tells how many users in scope the sweep found, and how many of them and
// of those whom it did not find have no stamp.
func endSecond(found, unstamped int) string {
	text := fmt.Sprintf("            The sweep found %d users in scope of whom no notification told.", found)
	if found == 1 {
		text = "            The sweep found 1 user in scope of whom no notification told."
	}
	switch {
	case unstamped > 0:
		text += fmt.Sprintf("\n            In scope and not stamped yet: %d.", unstamped)
	case found == 1:
		text += "\n            That one is stamped."
	case found > 1:
		text += "\n            All are stamped."
	}
	return text
}

func beginThird(ceiling int) string {
	return fmt.Sprintf("Third act: the administrator lets existing users be stamped, with a ceiling\n           of %d.", ceiling)
}

const endThird = "           The ceiling is reached. Nobody more is touched until a person lifts\n" +
	"           it, which on AWS is an order to the sweeper."

// appear says that n users appear.
func appear(n int, more string) string {
	if n == 1 {
		return fmt.Sprintf("1 %suser appears", more)
	}
	return fmt.Sprintf("%d %susers appear", n, more)
}

// run plays the story and returns when everything has come to rest, or ctx ends.
func (d *demo) run(ctx context.Context, show display) (result, error) {
	d.addExisting()
	if err := d.setUp(ctx); err != nil {
		return result{}, err
	}
	watching, stop := context.WithCancel(ctx)
	shown := make(chan struct{})
	go func() { defer close(shown); d.show(watching, show) }()
	err := d.acts(ctx, show)
	stop()
	<-shown
	if err != nil {
		return result{}, err
	}
	return d.result(), nil
}

// acts plays them one after the other, up to the first that fails. Between the
// second and the third the administrator deploys anew.
func (d *demo) acts(ctx context.Context, show display) error {
	stop := d.start(ctx)
	err := d.firstAct(ctx, show)
	if err == nil {
		err = d.secondAct(ctx, show)
	}
	stop()
	if err != nil {
		return err
	}
	d.enforce()
	stop = d.start(ctx)
	err = d.thirdAct(ctx, show)
	stop()
	return err
}

// setUp lets the keeper subscribe, as the deployment of a stack does.
func (d *demo) setUp(ctx context.Context) error {
	keeper, err := d.plant.newKeeper()
	if err != nil {
		return err
	}
	_, err = keeper.SetUp(ctx)
	return err
}

// start runs the plant. The func it returns ends it.
func (d *demo) start(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() { defer close(ended); d.plant.run(ctx) }()
	return func() { cancel(); <-ended }
}

// firstAct creates the users, and sends what an attacker would.
func (d *demo) firstAct(ctx context.Context, show display) error {
	show.tell(beginFirst(d.options.users))
	if err := d.create(ctx, d.options.users, nil); err != nil {
		return err
	}
	if err := d.settle(ctx); err != nil {
		return err
	}
	show.tell(endFirst(d.stamped()))
	return nil
}

// stamped counts by the directory the new users in scope, and those of them without a
// stamp.
func (d *demo) stamped() (inScope, unstamped int) {
	for _, u := range d.tenant.Users() {
		if !u.InScope || !d.isNew(u) {
			continue
		}
		inScope++
		if u.Stamped.IsZero() {
			unstamped++
		}
	}
	return inScope, unstamped
}

// secondAct deletes the subscription behind sessionstamp's back and loses every
// notification for a while. Users created meanwhile are nobody's but the sweep's.
func (d *demo) secondAct(ctx context.Context, show display) error {
	missed := d.options.unnotified()
	show.tell(beginSecond(missed))
	before, err := d.plant.sweeps.Checkpoint(ctx, d.tenant.ID())
	if err != nil {
		return err
	}
	d.graph.SetDelivery(msgraphtest.Delivery{Off: true})
	for _, s := range d.tenant.Subscriptions() {
		d.tenant.DropSubscription(s.ID)
	}
	if err := d.create(ctx, missed, d.unnotified); err != nil {
		return err
	}
	d.graph.SetDelivery(demoDelivery)
	show.tell(deliversAgain)
	if err := d.wait(ctx, "the keeper did not repair the subscription", func() bool { return d.repaired(ctx, before.Asks) }); err != nil {
		return err
	}
	show.tell(repaired)
	if err := d.settle(ctx); err != nil {
		return err
	}
	show.tell(endSecond(d.recovered()))
	return nil
}

// repaired tells whether the keeper has made a new subscription, and has asked for
// more sweeps than before.
func (d *demo) repaired(ctx context.Context, asks int64) bool {
	sweeps, err := d.plant.sweeps.Checkpoint(ctx, d.tenant.ID())
	record, errRecord := d.plant.records.Record(ctx, d.tenant.ID())
	return err == nil && errRecord == nil && sweeps.Asks > asks && d.healthy(record)
}

// enforce is what an administrator does who has read the report: existing users
// are to be stamped too, up to a ceiling.
func (d *demo) enforce() {
	d.ceiling = max(len(d.old)/4, 1)
	d.enforced = time.Now()
	d.plant.config.policy.Backfill = revocation.Backfill{
		Mode:     revocation.ModeEnforce,
		Ceilings: revocation.Ceilings{PerRun: d.ceiling, PerHour: 10 * d.ceiling, Share: 1},
	}
	clear(d.plant.revokers)
}

// thirdAct lets the backfill run into its ceiling.
func (d *demo) thirdAct(ctx context.Context, show display) error {
	show.tell(beginThird(d.ceiling))
	if err := d.wait(ctx, "the backfill did not reach its ceiling", func() bool {
		state, err := d.plant.backfill.Backfill(ctx, d.tenant.ID())
		return err == nil && state.Stopped != ""
	}); err != nil {
		return err
	}
	show.tell(endThird)
	return d.settle(ctx)
}

// create creates users, and notes them in created unless that is nil.
func (d *demo) create(ctx context.Context, users int, created map[string]bool) error {
	pace := time.NewTicker(d.interval())
	defer pace.Stop()
	d.tally.expect(users)
	for range users {
		n := d.next
		d.next++
		u := d.newUser(n)
		id, err := d.admin.createUser(ctx, u)
		if err != nil {
			return fmt.Errorf("create user %d: %w", n, err)
		}
		d.tally.addCreated(u.inScope())
		if created != nil {
			created[id] = true
		}
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

// interval spreads the creations over some eight seconds, at most 1,000 a second.
func (d *demo) interval() time.Duration {
	return max(8*time.Second/time.Duration(d.options.users), time.Millisecond)
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

// leastExisting are enough for a ceiling that some of them are above.
const leastExisting = 8

// addExisting fills the tenant with users from before sessionstamp: half of them
// signed in often enough to have a stamp.
func (d *demo) addExisting() {
	created := time.Now().Add(-400 * 24 * time.Hour)
	for n := range max(leastExisting, int(math.Ceil(float64(d.options.users)/20))) {
		u := msgraphtest.NewUser{UPN: fmt.Sprintf("old%05d@%s", n, federatedDomain), Created: created}
		if n%2 == 0 {
			stamp := created.Add(time.Hour)
			u.Stamp = &stamp
		}
		d.old = append(d.old, d.tenant.AddUser(u))
	}
}

// settle waits until nothing is on its way any more: no notification, no request,
// no gap that nobody has swept.
func (d *demo) settle(ctx context.Context) error {
	return d.wait(ctx, "the queue did not empty", func() bool {
		sweeps, err := d.plant.sweeps.Checkpoint(ctx, d.tenant.ID())
		record, errRecord := d.plant.records.Record(ctx, d.tenant.ID())
		return err == nil && errRecord == nil && !record.Since.IsZero() && sweeps.Asks == sweeps.Answered &&
			d.healthy(record) && d.tenant.Idle() && d.plant.requests.Len() == 0
	})
}

// healthy tells whether Graph has the subscription that the keeper remembers.
func (d *demo) healthy(record subscription.Record) bool {
	have := d.tenant.Subscriptions()
	return len(have) == 1 && have[0].ID == record.SubscriptionID
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
