package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
)

// record counts a call of Graph, and checks that whoever was revoked had been
// claimed, not too long before.
func (w *world) record(r msgraphtest.Request) {
	w.tally.record(r)
	w.seen.record(r, w.ours(r))
	user, revoked := strings.CutSuffix(strings.TrimPrefix(r.Path, "/users/"), "/revokeSignInSessions")
	if !revoked || !r.Wrote {
		return
	}
	entries, err := w.plant.ledger.Entries(context.WithoutCancel(w.ctx), w.tenant.ID(), []string{user})
	w.must(err)
	age := r.Time.Sub(entries[user].Claimed)
	if age < 0 || age > revocation.DefaultSettings.CallTimeout {
		w.t.Errorf("user %s was revoked %s after the claim: %+v", user, age, entries[user])
	}
}

// watch lets a worker be watched.
func (w *world) watch(c revocation.Config) revocation.Config {
	n := &watcher{world: w}
	c.Directory = watchedDirectory{n, c.Directory}
	c.Quota = watchedQuota{n, c.Quota}
	return c
}

// A watcher checks that a worker who is throttled tells the others, and that it
// is heard. A worker that died owes nothing.
type watcher struct {
	*world
	owes bool // a pause
}

// pauses are how long the quota lets nobody through, over all workers.
type pauses struct {
	mu    sync.Mutex
	until time.Time
}

func (p *pauses) end() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.until
}

func (p *pauses) extend(until time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if until.After(p.until) {
		p.until = until
	}
}

type watchedDirectory struct {
	*watcher
	revocation.Directory
}

// RevokeSignInSessions sees what the worker sees.
func (d watchedDirectory) RevokeSignInSessions(ctx context.Context, ids []string) ([]error, error) {
	errs, err := d.Directory.RevokeSignInSessions(ctx, ids)
	d.owes = slices.ContainsFunc(append(errs, err), d.throttled)
	return errs, err
}

type watchedQuota struct {
	*watcher
	revocation.Quota
}

func (q watchedQuota) Reserve(ctx context.Context, tenant string, n int, now time.Time, patience time.Duration) (time.Duration, bool, error) {
	if q.owes {
		q.t.Errorf("a worker that was throttled goes on before it has paused the others")
	}
	until := q.pauses.end()
	wait, ok, err := q.Quota.Reserve(ctx, tenant, n, now, patience)
	if leaktest.Seen(q.t, err) == nil && ok && now.Add(wait).Before(until) {
		q.t.Errorf("%d writes were let through at %s, before the end of the pause at %s", n, now.Add(wait), until)
	}
	return wait, ok, err
}

func (q watchedQuota) Pause(ctx context.Context, tenant string, until time.Time) error {
	q.owes = false
	err := q.Quota.Pause(ctx, tenant, until)
	if leaktest.Seen(q.t, err) == nil {
		q.pauses.extend(until)
	}
	return err
}

func (w *watcher) throttled(err error) bool {
	e, ok := errors.AsType[*directory.Error](leaktest.Seen(w.t, err))
	return ok && e.Throttled()
}
