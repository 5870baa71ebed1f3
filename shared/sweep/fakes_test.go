package sweep_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/memory"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

// A step is one call of an interface, at which a sweeper can fail: before or
// after its effect.
type step struct {
	n     int // counted from 0 over all calls
	call  string
	after bool
}

// steps stands between the Sweeper and its fakes. Without a hook it lets all pass.
type steps struct {
	t    testing.TB
	mu   sync.Mutex
	n    int
	hook func(step) error
}

// errDeath is what the hook returns for the sweeper to die.
var errDeath = errors.New("death")

func (s *steps) at(ctx context.Context, call string, effect func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	n, hook := s.n, s.hook
	s.n++
	s.mu.Unlock()
	if err := s.decide(hook, step{n, call, false}); err != nil {
		return err
	}
	if err := effect(); err != nil {
		return err
	}
	return s.decide(hook, step{n, call, true})
}

func (s *steps) decide(hook func(step) error, at step) error {
	if hook == nil {
		return nil
	}
	err := hook(at)
	if errors.Is(leaktest.Seen(s.t, err), errDeath) {
		panic(errDeath)
	}
	return err
}

// fakeGraph is a directory that shows what Graph may show. It fails the test for
// a link that it did not give.
type fakeGraph struct {
	t     testing.TB
	steps *steps
	now   func() time.Time

	mu       sync.Mutex
	users    map[string]directory.User
	created  map[string]time.Time // truth, whatever createdDateTime says
	log      []string             // ids, as they changed
	pageSize int
	epoch    int           // links of an earlier one have expired
	omit     bool          // delta never shows the stamp
	lag      time.Duration // of the replica that lists
	empty    bool          // every other page of delta is empty
	code     int           // of an expired link
	word     string        // its error code, syncStateNotFound if empty
	lists    int           // first pages of lists
	links    map[string]bool
	broken   int // users on each page who can't be read
	// spoil changes what a link leads to, if it is set.
	spoil func(link string, page *directory.UserPage) error
}

func (g *fakeGraph) link(format string, args ...any) string {
	link := fmt.Sprintf(format, args...)
	g.links[link] = true
	return link
}

// follow checks a link.
func (g *fakeGraph) follow(link, kind string) error {
	if !g.links[link] || !strings.HasPrefix(link, kind) {
		g.t.Errorf("%q is no link of %s", link, kind)
	}
	var epoch int
	_, _ = fmt.Sscanf(link[len(kind):], ":%d:", &epoch)
	if epoch >= g.epoch {
		return nil
	}
	if g.code == 0 {
		return &directory.Error{Operation: "delta", StatusCode: http.StatusGone, Code: "resyncRequired"}
	}
	return &directory.Error{Operation: "delta", StatusCode: g.code, Code: cmp.Or(g.word, "syncStateNotFound")}
}

func (g *fakeGraph) LatestDelta(ctx context.Context) (link string, err error) {
	err = g.steps.at(ctx, "Graph.LatestDelta", func() error {
		g.mu.Lock()
		defer g.mu.Unlock()
		link = g.link("delta:%d:%d", g.epoch, len(g.log))
		return nil
	})
	return link, err
}

func (g *fakeGraph) DeltaPage(ctx context.Context, link string) (page directory.UserPage, err error) {
	err = g.steps.at(ctx, "Graph.DeltaPage", func() error {
		g.mu.Lock()
		defer g.mu.Unlock()
		if err := g.follow(link, "delta"); err != nil {
			return err
		}
		page = g.deltaPage(link)
		page.Unreadable = g.broken
		return g.spoiled(link, &page)
	})
	return page, err
}

func (g *fakeGraph) deltaPage(link string) (page directory.UserPage) {
	var epoch, from, turn int
	_, _ = fmt.Sscanf(link, "delta:%d:%d:%d", &epoch, &from, &turn)
	if g.empty && turn%2 == 0 {
		page.Next = g.link("delta:%d:%d:%d", epoch, from, turn+1)
		return page
	}
	end := min(from+g.pageSize, len(g.log))
	for _, id := range g.log[from:end] {
		u, ok := g.users[id]
		switch {
		case !ok:
			page.Removed = append(page.Removed, id)
			continue
		case u.SignInSessionsValidFrom.IsZero() || g.omit:
			// A property that never had a value is left out.
			u.StampKnown, u.SignInSessionsValidFrom = false, time.Time{}
		}
		page.Users = append(page.Users, u)
	}
	if end < len(g.log) {
		page.Next = g.link("delta:%d:%d:%d", epoch, end, turn+1)
		return page
	}
	page.Delta = g.link("delta:%d:%d", g.epoch, end)
	return page
}

// UserPage lists by object id, so that a user created meanwhile may stand on a
// page that was passed.
func (g *fakeGraph) UserPage(ctx context.Context, next string) (page directory.UserPage, err error) {
	err = g.steps.at(ctx, "Graph.UserPage", func() error {
		g.mu.Lock()
		defer g.mu.Unlock()
		var after string
		if next == "" {
			g.lists++
		} else {
			if err := g.follow(next, "list"); err != nil {
				return err
			}
			after = next[strings.LastIndexByte(next, ':')+1:]
		}
		page = g.userPage(after)
		page.Unreadable = g.broken
		return g.spoiled(next, &page)
	})
	return page, err
}

func (g *fakeGraph) userPage(after string) (page directory.UserPage) {
	var ids []string
	for id, created := range g.created {
		if _, there := g.users[id]; there && id > after && !created.After(g.now().Add(-g.lag)) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	for _, id := range ids[:min(len(ids), g.pageSize)] {
		page.Users = append(page.Users, g.users[id])
	}
	if len(ids) > g.pageSize {
		page.Next = g.link("list:%d:%d:%s", g.epoch, g.lists, ids[g.pageSize-1])
	}
	return page
}

func (g *fakeGraph) spoiled(link string, page *directory.UserPage) error {
	if g.spoil == nil {
		return nil
	}
	return g.spoil(link, page)
}

// put creates or changes a user.
func (g *fakeGraph) put(u directory.User) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, there := g.users[u.ID]; !there {
		g.created[u.ID] = g.now()
	}
	u.StampKnown = true
	g.users[u.ID] = u
	g.log = append(g.log, u.ID)
}

func (g *fakeGraph) remove(id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.users, id)
	g.log = append(g.log, id)
}

// expire makes every link that was given unusable.
func (g *fakeGraph) expire() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.epoch++
}

// fakeQueue remembers what was stored. It fails the test for a request of the
// backfill that follows another one too soon.
type fakeQueue struct {
	t     testing.TB
	steps *steps
	now   func() time.Time

	mu         sync.Mutex
	requests   []revocation.Delayed
	backfilled map[string]time.Time
}

func (q *fakeQueue) Postpone(ctx context.Context, requests []revocation.Delayed) error {
	if len(requests) == 0 {
		q.t.Error("Postpone of nothing")
	}
	for _, d := range requests {
		if err := d.Request.Validate(); err != nil || d.Delay < 0 || d.Delay > revocation.MaxDelay {
			q.t.Errorf("Postpone of %+v: %v", d, err)
		}
	}
	return q.steps.at(ctx, "Queue.Postpone", func() error {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.requests = append(q.requests, requests...)
		for _, d := range requests {
			q.checkBackfill(d.Request)
		}
		return nil
	})
}

func (q *fakeQueue) checkBackfill(r revocation.Request) {
	if !r.Backfill {
		return
	}
	if age := q.now().Sub(q.backfilled[r.User]); age < sweep.DefaultSettings.BackfillSettle {
		q.t.Errorf("user %s is asked for %s after the last time", r.User, age)
	}
	q.backfilled[r.User] = q.now()
}

// drain returns what was queued since the last time.
func (q *fakeQueue) drain() []revocation.Delayed {
	q.mu.Lock()
	defer q.mu.Unlock()
	defer func() { q.requests = nil }()
	return q.requests
}

// fakeStore is an in-memory store that can fail.
type fakeStore struct {
	*memory.Checkpoints
	steps *steps
}

func (s fakeStore) Checkpoint(ctx context.Context, tenant string) (c sweep.Checkpoint, err error) {
	err = s.steps.at(ctx, "Store.Checkpoint", func() (err error) {
		c, err = s.Checkpoints.Checkpoint(ctx, tenant)
		return err
	})
	return c, err
}

func (s fakeStore) SaveCheckpoint(ctx context.Context, c sweep.Checkpoint) error {
	return s.steps.at(ctx, "Store.SaveCheckpoint", func() error { return s.Checkpoints.SaveCheckpoint(ctx, c) })
}

// fakeHeld is an in-memory ledger that can fail.
type fakeHeld struct {
	*memory.Ledger
	steps *steps
}

func (h fakeHeld) Held(ctx context.Context, tenant string, limit int) (entries []revocation.Entry, err error) {
	err = h.steps.at(ctx, "Held.Held", func() (err error) {
		entries, err = h.Ledger.Held(ctx, tenant, limit)
		return err
	})
	return entries, err
}

// fakeDomains lists domains, and can fail.
type fakeDomains struct{ steps *steps }

func (d fakeDomains) Domains(ctx context.Context) ([]directory.Domain, error) {
	err := d.steps.at(ctx, "Domains.Domains", func() error { return nil })
	return []directory.Domain{
		{Name: "federated.example", Federated: true, Verified: true},
		{Name: "managed.example", Verified: true},
	}, err
}
