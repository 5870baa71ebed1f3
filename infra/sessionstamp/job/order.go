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
	// Restamp: the stamp must not be older than what a provider's log tells of the user.
	Restamp Verb = "restamp"
)

// An Order is what a person has said yes to. It stands in the file, as JSON, from its
// beginning until nobody is left to be called, or another order takes its place.
type Order struct {
	Verb Verb
	// Started is when it was planned, UTC. Every call of the order comes later.
	Started time.Time
	// Targets are its users, in the order in which they are called.
	Targets []Target
	// Exclusions and ExcludedGroups were left alone when it was planned, and are whenever
	// it goes on.
	Exclusions     stamp.Exclusions
	ExcludedGroups []string `json:",omitempty"`
	// Reason is what the person has said why, "" for nothing. It names nobody.
	Reason string `json:",omitempty"`
	// Stack is the deployment that works it off, "" for this machine.
	Stack string `json:",omitempty"`
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

// hasFailed tells whether calls for a user of this order have failed already. Calling once
// more would not help, and it would be one call too many.
func (o Order) hasFailed(known stamp.Entry) bool {
	return known.State == stamp.StateCannotFix && !o.Started.IsZero() && !known.Updated.Before(o.Started)
}

// Unfinished returns the order whose run was stopped before its end, and whether there is
// one. [Engine.Continue] and [Engine.Run] go on with it.
func (e *Engine) Unfinished(ctx context.Context) (Order, bool, error) {
	item, err := e.orders.Load(ctx, e.Tenant)
	if err != nil {
		return Order{}, false, fmt.Errorf("read the last order: %w", err)
	}
	return item.Doc, len(item.Doc.Targets) > 0, nil
}

// Store puts the order in the place of the last one, for who lets it wait before it runs. If
// that one was stopped, it is given up.
func (e *Engine) Store(ctx context.Context, o Order) error {
	item, err := e.orders.Load(ctx, e.Tenant)
	if before := item.Doc; err == nil && len(o.Targets) > 0 && !before.Started.Equal(o.Started) {
		err = e.record(ctx, before)
	}
	if err == nil {
		item.Doc = o
		_, err = e.orders.Save(ctx, e.Tenant, item)
	}
	if err != nil {
		return fmt.Errorf("store the order: %w", err)
	}
	return nil
}
