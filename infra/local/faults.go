package main

import (
	"context"
	"errors"
	"hash/fnv"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
	"github.com/sessionstamp/sessionstamp/shared/webhook"
)

// faults stand between a worker and what it works with: each call may fail, or
// its worker die, before or after the call took effect. What happens depends on
// the seed, the call, the user and how often that call was made for that user,
// so that it stays the same however the workers interleave.
type faults struct {
	seed uint64
	// fail and crash are the chances of each call.
	fail, crash float64
	// until ends all faults; zero means never.
	until time.Time

	mu      sync.Mutex
	calls   map[string]uint64
	crashes int
	failed  int
}

// errInjected is what a call fails with.
var errInjected = errors.New("injected fault")

// strike is what happens to one call.
type strike struct{ fail, crash, after bool }

// draw decides over one call.
func (f *faults) draw(operation, user string) strike {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.calls == nil {
		f.calls = make(map[string]uint64)
	}
	f.calls[operation+user]++
	if !f.until.IsZero() && time.Now().After(f.until) {
		return strike{}
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(operation + user))
	r := rand.New(rand.NewPCG(f.seed^h.Sum64(), f.calls[operation+user]))
	s := strike{after: r.IntN(2) == 0}
	switch chance := r.Float64(); {
	case chance < f.crash:
		s.crash = true
		f.crashes++
	case chance < f.crash+f.fail:
		s.fail = true
		f.failed++
	}
	return s
}

// counts returns how often a worker died and a call failed.
func (f *faults) counts() (crashes, failed int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.crashes, f.failed
}

// through makes a call that may be struck.
func through[T any](f *faults, operation, user string, call func() (T, error)) (T, error) {
	var none T
	s := f.draw(operation, user)
	if !s.after {
		if err := s.hit("before " + operation); err != nil {
			return none, err
		}
		return call()
	}
	v, err := call()
	if hit := s.hit("after " + operation); hit != nil {
		return none, hit
	}
	return v, err
}

func (s strike) hit(at string) error {
	switch {
	case s.crash:
		panic(crashed{at: at})
	case s.fail:
		return errInjected
	}
	return nil
}

// dress puts the faults between a worker and all that it works with.
func (f *faults) dress(c revocation.Config) revocation.Config {
	c.Directory = faultyDirectory{f, c.Directory}
	c.Ledger = faultyLedger{f, c.Ledger}
	c.Queue = faultyQueue{f, c.Queue}
	c.Quota = faultyQuota{f, c.Quota}
	return c
}

func (f *faults) dressQueue(q webhook.Queue) webhook.Queue { return faultyInbox{f, q} }

type faultyDirectory struct {
	*faults
	revocation.Directory
}

func (d faultyDirectory) ReadUsers(ctx context.Context, ids []string) ([]directory.Read, error) {
	return through(d.faults, "read users", ids[0], func() ([]directory.Read, error) {
		return d.Directory.ReadUsers(ctx, ids)
	})
}

func (d faultyDirectory) RevokeSignInSessions(ctx context.Context, ids []string) ([]error, error) {
	return through(d.faults, "revoke", ids[0], func() ([]error, error) {
		return d.Directory.RevokeSignInSessions(ctx, ids)
	})
}

type faultyLedger struct {
	*faults
	revocation.Ledger
}

func (l faultyLedger) Entries(ctx context.Context, tenant string, users []string) (map[string]revocation.Entry, error) {
	return through(l.faults, "read ledger", users[0], func() (map[string]revocation.Entry, error) {
		return l.Ledger.Entries(ctx, tenant, users)
	})
}

func (l faultyLedger) Write(ctx context.Context, entries []revocation.Entry) []error {
	errs, err := through(l.faults, "write "+string(entries[0].State), entries[0].User, func() ([]error, error) {
		return l.Ledger.Write(ctx, entries), nil
	})
	if err == nil {
		return errs
	}
	errs = make([]error, len(entries))
	for i := range errs {
		errs[i] = err
	}
	return errs
}

type faultyQueue struct {
	*faults
	revocation.Queue
}

func (q faultyQueue) Postpone(ctx context.Context, requests []revocation.Delayed) error {
	_, err := through(q.faults, "postpone", requests[0].Request.User, func() (struct{}, error) {
		return struct{}{}, q.Queue.Postpone(ctx, requests)
	})
	return err
}

type faultyQuota struct {
	*faults
	revocation.Quota
}

func (q faultyQuota) Reserve(ctx context.Context, tenant string, n int, now time.Time, patience time.Duration) (time.Duration, bool, error) {
	type reservation struct {
		wait time.Duration
		ok   bool
	}
	r, err := through(q.faults, "reserve", "", func() (reservation, error) {
		wait, ok, err := q.Quota.Reserve(ctx, tenant, n, now, patience)
		return reservation{wait, ok}, err
	})
	return r.wait, r.ok, err
}

// faultyInbox is the webhook's queue. Its faults never kill: the webhook has no
// state that could be lost with it.
type faultyInbox struct {
	*faults
	webhook.Queue
}

func (q faultyInbox) Enqueue(ctx context.Context, requests []revocation.Request) error {
	s := q.draw("enqueue", requests[0].User)
	if (s.fail || s.crash) && !s.after {
		return errInjected
	}
	if err := q.Queue.Enqueue(ctx, requests); err != nil {
		return err
	}
	if s.fail || s.crash {
		return errInjected
	}
	return nil
}
