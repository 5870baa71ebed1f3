package memory

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/revocation"
)

type key struct{ tenant, user string }

// Ledger is a [revocation.Ledger] that forgets with the process. The zero value
// is empty and ready. It is safe for concurrent use.
type Ledger struct {
	mu      sync.Mutex
	entries map[key]revocation.Entry
}

// Entries implements [revocation.Ledger].
func (l *Ledger) Entries(ctx context.Context, tenant string, users []string) (map[string]revocation.Entry, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	found := make(map[string]revocation.Entry, len(users))
	for _, user := range users {
		if e, ok := l.entries[key{tenant, user}]; ok {
			found[user] = e
		}
	}
	return found, nil
}

// Write implements [revocation.Ledger].
func (l *Ledger) Write(ctx context.Context, entries []revocation.Entry) []error {
	errs := make([]error, len(entries))
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, e := range entries {
		if errs[i] = ctx.Err(); errs[i] == nil {
			errs[i] = l.write(e)
		}
	}
	return errs
}

func (l *Ledger) write(e revocation.Entry) error {
	k := key{e.Tenant, e.User}
	if l.entries[k].Version != e.Version {
		return revocation.ErrConflict
	}
	if l.entries == nil {
		l.entries = make(map[key]revocation.Entry)
	}
	e.Version++
	l.entries[k] = e
	return nil
}

// All returns every entry of the tenant, by user.
func (l *Ledger) All(tenant string) []revocation.Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := slices.Collect(maps.Values(l.entries))
	all = slices.DeleteFunc(all, func(e revocation.Entry) bool { return e.Tenant != tenant })
	slices.SortFunc(all, func(a, b revocation.Entry) int { return cmp.Compare(a.User, b.User) })
	return all
}

// Held implements [sweep.Held].
func (l *Ledger) Held(ctx context.Context, tenant string, limit int) ([]revocation.Entry, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	held := slices.DeleteFunc(l.All(tenant), func(e revocation.Entry) bool { return e.State != revocation.StateHeld })
	slices.SortStableFunc(held, func(a, b revocation.Entry) int { return b.Created.Compare(a.Created) })
	return held[:min(len(held), limit)], nil
}

// Quota is a [revocation.Quota] for the workers of one process. It is safe for
// concurrent use.
type Quota struct {
	pace revocation.Pace

	mu     sync.Mutex
	states map[string]time.Time // by tenant
}

// NewQuota makes a rested quota.
func NewQuota(pace revocation.Pace) *Quota {
	return &Quota{pace: pace, states: make(map[string]time.Time)}
}

// Reserve implements [revocation.Quota].
func (q *Quota) Reserve(ctx context.Context, tenant string, n int, now time.Time, patience time.Duration) (time.Duration, bool, error) {
	if err := ctx.Err(); err != nil {
		return 0, false, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	next, wait := q.pace.Next(q.states[tenant], now, n)
	if wait > patience {
		return wait, false, nil
	}
	q.states[tenant] = next
	return wait, true, nil
}

// Pause implements [revocation.Quota].
func (q *Quota) Pause(ctx context.Context, tenant string, until time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.states[tenant] = q.pace.Hold(q.states[tenant], until)
	return nil
}
