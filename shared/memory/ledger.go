package memory

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

type key struct{ tenant, user string }

// Ledger is a [stamp.Ledger] that forgets with the process. The zero value
// is empty and ready. It is safe for concurrent use.
type Ledger struct {
	mu      sync.Mutex
	entries map[key]stamp.Entry
}

// Entries implements [stamp.Ledger].
func (l *Ledger) Entries(ctx context.Context, tenant string, users []string) (map[string]stamp.Entry, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	found := make(map[string]stamp.Entry, len(users))
	for _, user := range users {
		if e, ok := l.entries[key{tenant, user}]; ok {
			found[user] = e
		}
	}
	return found, nil
}

// Write implements [stamp.Ledger].
func (l *Ledger) Write(ctx context.Context, entries []stamp.Entry) []error {
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

func (l *Ledger) write(e stamp.Entry) error {
	k := key{e.Tenant, e.User}
	if l.entries[k].Version != e.Version {
		return stamp.ErrConflict
	}
	if l.entries == nil {
		l.entries = make(map[key]stamp.Entry)
	}
	e.Version++
	l.entries[k] = e
	return nil
}

// All returns every entry of the tenant, by user.
func (l *Ledger) All(tenant string) []stamp.Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := slices.Collect(maps.Values(l.entries))
	all = slices.DeleteFunc(all, func(e stamp.Entry) bool { return e.Tenant != tenant })
	slices.SortFunc(all, func(a, b stamp.Entry) int { return cmp.Compare(a.User, b.User) })
	return all
}
