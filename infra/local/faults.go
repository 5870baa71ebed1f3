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
	"github.com/sessionstamp/sessionstamp/shared/subscription"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
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
	// freeze is the chance that a worker stands still between claim and call, for
	// up to longestFreeze.
	freeze float64
	// twice is the chance that a message is queued a second time.
	twice float64
	// skew is how much earlier than asked for a message may come that is delayed
	// for minutes: the queue has a clock of its own.
	skew time.Duration
	// until ends all faults; zero means never.
	until time.Time
	// page is the chance that the sweep can't queue what it found.
	page float64
	// watch, if it is not nil, sees what the workers do, and what comes of it.
	watch func(revocation.Config) revocation.Config
	// rotator, if it is not nil, are the faults of the rotator in place of these.
	rotator *faults
	// promoted, if it is not nil, is called when a version of a secret has become
	// current.
	promoted func(ctx context.Context, secretID string)
	// watchWebhook, if it is not nil, sees what the webhook takes in for the keeper.
	watchWebhook func(webhook.Config) webhook.Config
	// watchKeeper, if it is not nil, sees what the keeper asks for, once it is done.
	watchKeeper func(subscription.Config) subscription.Config
	// watchSweeper, if it is not nil, sees what the sweeper asks Graph for.
	watchSweeper func(sweep.Config) sweep.Config

	mu      sync.Mutex
	struck  time.Time // when anything last failed, or anybody died
	calls   map[string]uint64
	crashes int
	failed  int
	frozen  int
	doubled int
}

// longestFreeze is far beyond the time for which a claim stands.
const longestFreeze = 30 * time.Minute

// errInjected is what a call fails with.
var errInjected = errors.New("injected fault")

// strike is what happens to one call.
type strike struct{ fail, crash, after bool }

// draw decides over one call.
func (f *faults) draw(operation, user string) strike {
	f.mu.Lock()
	defer f.mu.Unlock()
	r, over := f.roll(operation, user)
	if over {
		return strike{}
	}
	s := strike{after: r.IntN(2) == 0}
	switch chance := r.Float64(); {
	case chance < f.crash:
		s.crash = true
		f.crashes++
		f.struck = time.Now()
	case chance < f.crash+f.fail:
		s.fail = true
		f.failed++
		f.struck = time.Now()
	}
	return s
}

// roll returns the dice for one call, and whether all faults are over. f.mu is
// held.
func (f *faults) roll(operation, user string) (dice *rand.Rand, over bool) {
	if f.calls == nil {
		f.calls = make(map[string]uint64)
	}
	f.calls[operation+user]++
	h := fnv.New64a()
	_, _ = h.Write([]byte(operation + user))
	dice = rand.New(rand.NewPCG(f.seed^h.Sum64(), f.calls[operation+user]))
	return dice, !f.until.IsZero() && time.Now().After(f.until)
}

// standStill lets the worker stand still, whatever its context says, but not for
// longer than there are faults.
func (f *faults) standStill(operation, user string) {
	time.Sleep(f.drawFreeze("freeze "+operation, user)) //nolint:forbidigo // that nobody can cancel it is the point
}

func (f *faults) drawFreeze(operation, user string) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	dice, over := f.roll(operation, user)
	if over || dice.Float64() >= f.freeze {
		return 0
	}
	f.frozen++
	return min(time.Duration(dice.Int64N(int64(longestFreeze))), time.Until(f.until))
}

// onItsWay is what the queue makes of a message: sooner, and perhaps two.
func (f *faults) onItsWay(d revocation.Delayed) []revocation.Delayed {
	f.mu.Lock()
	defer f.mu.Unlock()
	dice, over := f.roll("send", d.Request.User)
	if over {
		return []revocation.Delayed{d}
	}
	if f.skew > 0 && d.Delay > time.Minute {
		d.Delay -= time.Duration(dice.Int64N(int64(f.skew)))
	}
	if dice.Float64() >= f.twice {
		return []revocation.Delayed{d}
	}
	f.doubled++
	return []revocation.Delayed{d, d}
}

// counts returns how often a worker died and a call failed.
func (f *faults) counts() (crashes, failed int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.crashes, f.failed
}

// struckSince tells whether a call failed or anybody died at t or later.
func (f *faults) struckSince(t time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return !f.struck.Before(t)
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
	if f.watch != nil {
		c = f.watch(c)
	}
	return c
}

// dressWebhook does the same for the webhook.
func (f *faults) dressWebhook(c webhook.Config) webhook.Config {
	c.Queue = faultyInbox{f, c.Queue}
	c.Secrets = faultySecrets{f, c.Secrets}
	if f.watchWebhook != nil {
		c = f.watchWebhook(c)
	}
	return c
}

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
		d.standStill("revoke", ids[0])
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

// Write may write some entries and not others, and a worker that dies on the way
// has written those before.
func (l faultyLedger) Write(ctx context.Context, entries []revocation.Entry) []error {
	errs := make([]error, len(entries))
	for i, e := range entries {
		errs[i] = l.do("write "+string(e.State), e.User, func() error {
			return l.Ledger.Write(ctx, entries[i:i+1])[0]
		})
	}
	if entries[0].State == revocation.StateClaimed {
		l.standStill("claim", entries[0].User)
	}
	return errs
}

type faultyQueue struct {
	*faults
	revocation.Queue
}

// Postpone may store some requests and not others, some of them twice, and a
// worker that dies on the way has stored those before.
func (q faultyQueue) Postpone(ctx context.Context, requests []revocation.Delayed) error {
	var faults []error
	for _, d := range requests {
		faults = append(faults, q.do("postpone", d.Request.User, func() error {
			return q.Queue.Postpone(ctx, q.onItsWay(d))
		}))
	}
	return errors.Join(faults...)
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

func (q faultyQuota) Pause(ctx context.Context, tenant string, until time.Time) error {
	return q.do("pause", "", func() error { return q.Quota.Pause(ctx, tenant, until) })
}

// faultyInbox is the webhook's queue. Its faults never kill: the webhook has no
// state that could be lost with it.
type faultyInbox struct {
	*faults
	webhook.Queue
}

func (q faultyInbox) Enqueue(ctx context.Context, requests []revocation.Request) error {
	var faults []error
	for _, r := range requests {
		s := q.draw("enqueue", r.User)
		lost := s.fail
		if lost {
			faults = append(faults, errInjected)
		}
		if lost && !s.after {
			continue
		}
		for _, d := range q.onItsWay(revocation.Delayed{Request: r}) {
			faults = append(faults, q.Queue.Enqueue(ctx, []revocation.Request{d.Request}))
		}
	}
	return errors.Join(faults...)
}

// faultySecrets are the webhook's, and kill as little.
type faultySecrets struct {
	*faults
	webhook.Secrets
}

func (c faultySecrets) ClientStates(ctx context.Context) (current, previous string, err error) {
	if s := c.draw("client states", ""); s.fail {
		return "", "", errInjected
	}
	return c.Secrets.ClientStates(ctx)
}

// dressKeeper puts the faults between the keeper and what it remembers and asks
// for. Those of Graph are the emulator's.
func (f *faults) dressKeeper(c subscription.Config) subscription.Config {
	if f.watchKeeper != nil {
		c = f.watchKeeper(c)
	}
	c.Store = faultyRecords{f, c.Store}
	c.Sweeps = faultySweeps{f, c.Sweeps}
	return c
}

type faultyRecords struct {
	*faults
	subscription.Store
}

func (r faultyRecords) Record(ctx context.Context, tenant string) (subscription.Record, error) {
	return through(r.faults, "read record", "", func() (subscription.Record, error) { return r.Store.Record(ctx, tenant) })
}

func (r faultyRecords) SaveRecord(ctx context.Context, record subscription.Record) error {
	return r.do("save record", "", func() error { return r.Store.SaveRecord(ctx, record) })
}

type faultySweeps struct {
	*faults
	subscription.Sweeps
}

func (s faultySweeps) AskForSweep(ctx context.Context, tenant, why string, since time.Time) error {
	return s.do("ask for a sweep", "", func() error { return s.Sweeps.AskForSweep(ctx, tenant, why, since) })
}

func (s faultySweeps) ForgetSince(ctx context.Context, tenant string) error {
	return s.do("forget since", "", func() error { return s.Sweeps.ForgetSince(ctx, tenant) })
}

// dressSweeper does the same for the sweeper.
func (f *faults) dressSweeper(c sweep.Config) sweep.Config {
	if f.watchSweeper != nil {
		c = f.watchSweeper(c)
	}
	c.Store = faultyCheckpoints{f, c.Store}
	c.Queue = faultyPages{f, faultyQueue{f, c.Queue}}
	return c
}

type faultyPages struct {
	*faults
	sweep.Queue
}

// Postpone fails more often than other calls: what is lost here is lost for good
// if the sweep goes on without it.
func (p faultyPages) Postpone(ctx context.Context, requests []revocation.Delayed) error {
	p.mu.Lock()
	dice, over := p.roll("queue a page", "")
	lost := !over && dice.Float64() < p.page
	if lost {
		p.struck = time.Now()
	}
	p.mu.Unlock()
	if lost {
		return errInjected
	}
	return p.Queue.Postpone(ctx, requests)
}

type faultyCheckpoints struct {
	*faults
	sweep.Store
}

func (s faultyCheckpoints) Checkpoint(ctx context.Context, tenant string) (sweep.Checkpoint, error) {
	return through(s.faults, "read checkpoint", "", func() (sweep.Checkpoint, error) { return s.Store.Checkpoint(ctx, tenant) })
}

func (s faultyCheckpoints) SaveCheckpoint(ctx context.Context, c sweep.Checkpoint) error {
	return s.do("save checkpoint", "", func() error { return s.Store.SaveCheckpoint(ctx, c) })
}

// do makes a call that has no result but its error.
func (f *faults) do(operation, user string, call func() error) error {
	_, err := through(f, operation, user, func() (struct{}, error) { return struct{}{}, call() })
	return err
}
