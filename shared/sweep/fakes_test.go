package sweep_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/state"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

// A step is one call of an interface, at which a sweeper can fail: before or after its
// effect.
type step struct {
	n     int // counted from 0 over all calls
	call  string
	after bool
}

// steps stands between the Sweeper and its fakes. Without a hook it lets all pass.
type steps struct {
	n     int
	calls map[string]int
	hook  func(step) error
}

// errDeath is what the hook returns for the sweeper to die.
var errDeath = errors.New("death")

func (s *steps) at(ctx context.Context, call string, effect func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	n := s.n
	s.n++
	s.calls[call]++
	if err := s.decide(step{n, call, false}); err != nil {
		return err
	}
	if err := effect(); err != nil {
		return err
	}
	return s.decide(step{n, call, true})
}

func (s *steps) decide(at step) error {
	if s.hook == nil {
		return nil
	}
	err := s.hook(at)
	if errors.Is(err, errDeath) {
		panic(errDeath)
	}
	return err
}

// fakeGraph is a directory that shows what Graph may show. It fails the test for a link
// that it did not give.
type fakeGraph struct {
	t     testing.TB
	steps *steps

	users    map[string]directory.User
	log      []string // ids, as they changed
	pageSize int
	epoch    int           // links of an earlier one have expired
	empty    bool          // every other page of delta is empty
	broken   int           // users on each page who cannot be read
	slow     time.Duration // what a page takes
	links    map[string]bool
	spoil    func(link string, page *directory.UserPage) error
}

func (g *fakeGraph) link(format string, args ...any) string {
	link := fmt.Sprintf(format, args...)
	g.links[link] = true
	return link
}

func (g *fakeGraph) follow(link, kind string) error {
	if !g.links[link] || !strings.HasPrefix(link, kind) {
		g.t.Errorf("%q is no link of %s", link, kind)
	}
	var epoch int
	_, _ = fmt.Sscanf(link[len(kind):], ":%d:", &epoch)
	if epoch >= g.epoch {
		return nil
	}
	return &resync
}

func (g *fakeGraph) page(ctx context.Context, call, link string, read func() (directory.UserPage, error)) (page directory.UserPage, err error) {
	time.Sleep(g.slow)
	err = g.steps.at(ctx, call, func() error {
		if page, err = read(); err != nil {
			return err
		}
		page.Unreadable = g.broken
		if g.spoil != nil {
			return g.spoil(link, &page)
		}
		return nil
	})
	return page, err
}

func (g *fakeGraph) LatestDelta(ctx context.Context) (link string, err error) {
	err = g.steps.at(ctx, "LatestDelta", func() error {
		link = g.link("delta:%d:%d", g.epoch, len(g.log))
		return nil
	})
	return link, err
}

func (g *fakeGraph) DeltaPage(ctx context.Context, link string) (directory.UserPage, error) {
	return g.page(ctx, "DeltaPage", link, func() (page directory.UserPage, err error) {
		if err := g.follow(link, "delta"); err != nil {
			return page, err
		}
		var epoch, from, turn int
		_, _ = fmt.Sscanf(link, "delta:%d:%d:%d", &epoch, &from, &turn)
		if g.empty && turn%2 == 0 {
			page.Next = g.link("delta:%d:%d:%d", epoch, from, turn+1)
			return page, nil
		}
		end := min(from+g.pageSize, len(g.log))
		for _, id := range g.log[from:end] {
			g.change(&page, id)
		}
		if end < len(g.log) {
			page.Next = g.link("delta:%d:%d:%d", epoch, end, turn+1)
			return page, nil
		}
		page.Delta = g.link("delta:%d:%d", g.epoch, end)
		return page, nil
	})
}

// change shows a change as delta does: a property that never had a value is left out.
func (g *fakeGraph) change(page *directory.UserPage, id string) {
	u, ok := g.users[id]
	if !ok {
		page.Removed = append(page.Removed, id)
		return
	}
	if u.SignInSessionsValidFrom.IsZero() {
		u.StampKnown = false
	}
	page.Users = append(page.Users, u)
}

// UserPage lists by object id, so that a user created meanwhile may stand on a page that
// was passed.
func (g *fakeGraph) UserPage(ctx context.Context, next string) (directory.UserPage, error) {
	return g.page(ctx, "UserPage", next, func() (page directory.UserPage, err error) {
		after := ""
		if next != "" {
			if err := g.follow(next, "list"); err != nil {
				return page, err
			}
			after = next[strings.LastIndexByte(next, ':')+1:]
		}
		var ids []string
		for id := range g.users {
			if id > after {
				ids = append(ids, id)
			}
		}
		slices.Sort(ids)
		for _, id := range ids[:min(len(ids), g.pageSize)] {
			page.Users = append(page.Users, g.users[id])
		}
		if len(ids) > g.pageSize {
			page.Next = g.link("list:%d:%s", g.epoch, ids[g.pageSize-1])
		}
		return page, nil
	})
}

// put creates or changes a user.
func (g *fakeGraph) put(u directory.User) {
	u.StampKnown = true
	g.users[u.ID] = u
	g.log = append(g.log, u.ID)
}

func (g *fakeGraph) remove(id string) {
	delete(g.users, id)
	g.log = append(g.log, id)
}

// fakeQueue remembers what was stored.
type fakeQueue struct {
	t     testing.TB
	steps *steps
	all   []stamp.Delayed
	fresh []stamp.Delayed // since the last drain
}

func (q *fakeQueue) Postpone(ctx context.Context, requests []stamp.Delayed) error {
	if len(requests) == 0 {
		q.t.Error("Postpone of nothing")
	}
	for _, d := range requests {
		if err := d.Request.Validate(); err != nil || d.Delay < 0 || d.Delay > stamp.MaxDelay {
			q.t.Errorf("Postpone of %+v: %v", d, err)
		}
	}
	return q.steps.at(ctx, "Postpone", func() error {
		q.all = append(q.all, requests...)
		q.fresh = append(q.fresh, requests...)
		return nil
	})
}

func (q *fakeQueue) drain() []string {
	ids := []string{}
	for _, d := range q.fresh {
		ids = append(ids, d.Request.User)
	}
	q.fresh = nil
	slices.Sort(ids)
	return slices.Compact(ids)
}

// fakeStore keeps one checkpoint.
type fakeStore struct {
	steps *steps
	item  state.Item[sweep.Checkpoint]
}

func (s *fakeStore) Load(ctx context.Context, _ string) (item state.Item[sweep.Checkpoint], err error) {
	err = s.steps.at(ctx, "Load", func() error { item = s.item; return nil })
	return item, err
}

func (s *fakeStore) Save(ctx context.Context, _ string, i state.Item[sweep.Checkpoint]) (state.Item[sweep.Checkpoint], error) {
	err := s.steps.at(ctx, "Save", func() error {
		if i.Version != s.item.Version {
			return fmt.Errorf("save: %w", state.ErrConflict)
		}
		i.Version++
		s.item = i
		return nil
	})
	return i, err
}

type fakeBrake struct {
	steps    *steps
	members  int
	released time.Time
	signals  time.Time // when the other brake was released
	paused   time.Time
}

func (b *fakeBrake) SetMembers(ctx context.Context, _ string, n int) error {
	return b.steps.at(ctx, "SetMembers", func() error { b.members = n; return nil })
}

func (b *fakeBrake) Release(ctx context.Context, _ string, now time.Time) error {
	return b.steps.at(ctx, "Release", func() error { b.released = now; return nil })
}

func (b *fakeBrake) ReleaseSignals(ctx context.Context, _ string, now time.Time) error {
	return b.steps.at(ctx, "ReleaseSignals", func() error { b.signals = now; return nil })
}

func (b *fakeBrake) Pause(ctx context.Context, _ string, now time.Time) error {
	return b.steps.at(ctx, "Pause", func() error { b.paused = now; return nil })
}

func (b *fakeBrake) Resume(ctx context.Context, _ string) error {
	return b.steps.at(ctx, "Resume", func() error { b.paused = time.Time{}; return nil })
}

func (b *fakeBrake) State(ctx context.Context, _ string) (s stamp.BrakeState, limit int, err error) {
	err = b.steps.at(ctx, "State", func() error { s.Paused = b.paused; return nil })
	return s, 0, err
}

type fakeDomains struct{ steps *steps }

func (d fakeDomains) Domains(ctx context.Context) ([]directory.Domain, error) {
	err := d.steps.at(ctx, "Domains", func() error { return nil })
	return []directory.Domain{
		{Name: "federated.example", Federated: true, Verified: true},
		{Name: "managed.example", Verified: true},
	}, err
}

// resync is how Graph says that a link has expired.
var resync = directory.Error{Operation: "delta", StatusCode: http.StatusGone, Code: "resyncRequired"}
