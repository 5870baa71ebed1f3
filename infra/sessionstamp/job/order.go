package job

import (
	"context"
	"fmt"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// Verb is what a person wants.
type Verb string

// The verbs.
const (
	// Stamp: any stamp will do.
	Stamp Verb = "stamp"
	// SignOut: the stamp must not be older than the order.
	SignOut Verb = "signout"
)

// An Order is what a person has said yes to. It stands in the file, as JSON, from its
// beginning until the last of its users is done, or another order takes its place.
type Order struct {
	Verb Verb
	// Started is when it was planned, UTC. Every call of the order comes later.
	Started time.Time
	// Targets are its users, in the order in which they are called.
	Targets []Target
	// Called tells that its run has ended after the calls, as a person wanted it. What is
	// left, the reading back of stamps, is in the queue.
	Called bool
	// Reason is what the person has said why, "" for nothing. It names nobody.
	Reason string `json:",omitempty"`
}

// A Target is one user of an order.
type Target struct {
	// User is the object id.
	User string
	// NotBefore is the moment t of the request; zero: any stamp will do.
	NotBefore time.Time `json:",omitzero"`
}

// requests are those of the order. They are first heard of now, however old it is: else
// an order that goes on after days would give up whom Graph can't serve at once.
func (o Order) requests(tenant string, now time.Time) []stamp.Delayed {
	list := make([]stamp.Delayed, len(o.Targets))
	for i, t := range o.Targets {
		list[i].Request = stamp.Request{
			Tenant: tenant, User: t.User, NotBefore: t.NotBefore, Source: stamp.SourcePerson, Approved: true, Seen: now.UTC(),
		}
	}
	return list
}

// goOnFor is the age at which a sign-out that was stopped is not taken up by the next one.
const goOnFor = 24 * time.Hour

// moments are those that a new sign-out keeps: by user, the moments of one that was
// stopped, or of one whose stamps a replica may not show yet. So a person who gives the same
// command again goes on where it stopped, and signs nobody out twice.
func (o Order) moments(p stamp.Policy, now time.Time) map[string]time.Time {
	age := goOnFor
	if o.Called {
		age = p.CallWindow + p.ReplicationLag
	}
	kept := make(map[string]time.Time)
	if o.Verb != SignOut || now.Sub(o.Started) > age {
		return kept
	}
	for _, t := range o.Targets {
		kept[t.User] = t.NotBefore
	}
	return kept
}

// Unfinished returns the order whose run was stopped before its end, and whether there is
// one. Run goes on with it. A new order takes its place.
func (e *Engine) Unfinished(ctx context.Context) (Order, bool, error) {
	o, err := e.stored(ctx)
	return o, len(o.Targets) > 0 && !o.Called, err
}

func (e *Engine) stored(ctx context.Context) (Order, error) {
	item, err := e.orders.Load(ctx, e.Tenant)
	if err != nil {
		return Order{}, fmt.Errorf("read the last order: %w", err)
	}
	return item.Doc, nil
}

// store puts the order in the place of the last one.
func (e *Engine) store(ctx context.Context, o Order) error {
	item, err := e.orders.Load(ctx, e.Tenant)
	if err == nil {
		item.Doc = o
		_, err = e.orders.Save(ctx, e.Tenant, item)
	}
	if err != nil {
		return fmt.Errorf("store the order: %w", err)
	}
	return nil
}
