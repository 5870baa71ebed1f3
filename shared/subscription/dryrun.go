package subscription

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// rehearse returns a Keeper for one dry run. It reads what there is, and what it
// writes is kept in memory, so that the same code decides on the same grounds.
func (k *Keeper) rehearse() *Keeper {
	dry := *k
	dry.Graph = &rehearsedGraph{graph: k.Graph, now: k.Now}
	dry.Store = &rehearsedStore{store: k.Store}
	dry.Sweeps = rehearsedSweeps{}
	return &dry
}

// maxPerApp is how many subscriptions an app may have in a tenant
// (https://learn.microsoft.com/graph/change-notifications-overview).
const maxPerApp = 100

// rehearsedGraph lists what Graph lists, once, and answers changes of that list as
// Graph is expected to.
type rehearsedGraph struct {
	graph Graph
	now   func() time.Time

	listed bool
	all    []directory.Subscription
	made   int
}

// Subscriptions implements [Graph].
func (g *rehearsedGraph) Subscriptions(ctx context.Context) ([]directory.Subscription, error) {
	if !g.listed {
		all, err := g.graph.Subscriptions(ctx)
		if err != nil {
			return nil, err
		}
		g.all, g.listed = slices.Clone(all), true
	}
	return slices.Clone(g.all), nil
}

// CreateSubscription implements [Graph].
func (g *rehearsedGraph) CreateSubscription(_ context.Context, s directory.Subscription, _ string) (directory.Subscription, error) {
	refuse := func(status int, message string) (directory.Subscription, error) {
		return directory.Subscription{}, &directory.Error{
			Operation: "createSubscription", StatusCode: status, Message: message, NotDone: true}
	}
	alive := slices.DeleteFunc(slices.Clone(g.all), func(o directory.Subscription) bool { return !o.Expires.After(g.now()) })
	for _, other := range alive {
		if oursToTouch(other) && changes(other, s.ChangeType) {
			return refuse(http.StatusConflict, "Subscription Id "+other.ID+" already exists")
		}
	}
	if len(alive) >= maxPerApp {
		return refuse(http.StatusForbidden, fmt.Sprintf("the limit of %d subscriptions is reached", maxPerApp))
	}
	g.made++
	s.ID = fmt.Sprintf("00000000-0000-0000-0000-%012d", g.made) // no object of Graph's has such an id
	g.all = append(g.all, s)
	return s, nil
}

// RenewSubscription implements [Graph].
func (g *rehearsedGraph) RenewSubscription(_ context.Context, id string, expires time.Time) (directory.Subscription, error) {
	i, err := g.index("renewSubscription", id)
	if err != nil {
		return directory.Subscription{}, err
	}
	g.all[i].Expires = expires
	return g.all[i], nil
}

// DeleteSubscription implements [Graph].
func (g *rehearsedGraph) DeleteSubscription(_ context.Context, id string) error {
	i, err := g.index("deleteSubscription", id)
	if err != nil {
		return err
	}
	g.all = slices.Delete(g.all, i, i+1)
	return nil
}

func (g *rehearsedGraph) index(operation, id string) (int, error) {
	i := slices.IndexFunc(g.all, func(s directory.Subscription) bool { return s.ID == id })
	if i < 0 {
		return i, &directory.Error{Operation: operation, StatusCode: http.StatusNotFound, NotDone: true}
	}
	return i, nil
}

// rehearsedStore reads the record once, and keeps what is written to itself.
type rehearsedStore struct {
	store  Store
	record *Record // nil before it was read
}

// Record implements [Store].
func (s *rehearsedStore) Record(ctx context.Context, tenant string) (Record, error) {
	if s.record != nil {
		return *s.record, nil
	}
	record, err := s.store.Record(ctx, tenant)
	if err != nil {
		return Record{}, err
	}
	s.record = &record
	return record, nil
}

// SaveRecord implements [Store].
func (s *rehearsedStore) SaveRecord(_ context.Context, record Record) error {
	record.Version++
	s.record = &record
	return nil
}

// rehearsedSweeps asks for nothing.
type rehearsedSweeps struct{}

// AskForSweep implements [Sweeps].
func (rehearsedSweeps) AskForSweep(context.Context, string, string, time.Time) error { return nil }

// ForgetSince implements [Sweeps].
func (rehearsedSweeps) ForgetSince(context.Context, string) error { return nil }
