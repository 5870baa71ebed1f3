package main

import (
	"context"
	"errors"
	"hash/fnv"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/keeper"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/state"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
	"github.com/sessionstamp/sessionstamp/shared/webhook"
)

// faults stand between a worker and what it works with: each call may fail, or its
// worker die, before or after the call took effect. What happens depends on the seed,
// the call, the user and how often that call was made for that user, so that it stays
// the same however the workers interleave. A nil *faults lets everything pass.
type faults struct {
	seed uint64
	// fail and crash are the chances of each call.
	fail, crash float64
	// freeze is the chance that a worker stands still between claim and call, for up to
	// longestFreeze.
	freeze float64
	// twice is the chance that a message is queued a second time.
	twice float64
	// skew is how much earlier than asked for a message may come that is delayed for
	// minutes: the queue has a clock of its own.
	skew time.Duration
	// page is the chance that the sweep can't queue what it found.
	page float64
	// until ends all faults; zero means never.
	until time.Time

	mu      sync.Mutex
	calls   map[string]uint64
	struck  time.Time // when anything last failed, or anybody died
	crashes int
	failed  int
	frozen  int
	doubled int
}

// longestFreeze is far beyond the time within which a claim may be called.
const longestFreeze = 30 * time.Minute

// errInjected is what a call fails with.
var errInjected = errors.New("injected fault")

// strike is what happens to one call.
type strike struct{ fail, crash, after bool }

// draw decides over one call.
func (f *faults) draw(operation, user string) strike {
	if f == nil {
		return strike{}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	dice, over := f.roll(operation, user)
	if over {
		return strike{}
	}
	s := strike{after: dice.IntN(2) == 0}
	switch chance := dice.Float64(); {
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

// roll returns the dice for one call, and whether all faults are over. f.mu is held.
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

// standStill lets the worker stand still, whatever its context says, but not for longer
// than there are faults.
func (f *faults) standStill(operation, user string) {
	time.Sleep(f.drawFreeze("freeze "+operation, user)) //nolint:forbidigo // that nobody can cancel it is the point
}

func (f *faults) drawFreeze(operation, user string) time.Duration {
	if f == nil {
		return 0
	}
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
func (f *faults) onItsWay(d stamp.Delayed) []stamp.Delayed {
	f.mu.Lock()
	defer f.mu.Unlock()
	dice, over := f.roll("send", d.Request.User)
	if over {
		return []stamp.Delayed{d}
	}
	if f.skew > 0 && d.Delay > time.Minute {
		d.Delay -= time.Duration(dice.Int64N(int64(f.skew)))
	}
	if dice.Float64() >= f.twice {
		return []stamp.Delayed{d}
	}
	f.doubled++
	return []stamp.Delayed{d, d}
}

// losePage tells whether the sweep can't queue what it found.
func (f *faults) losePage() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	dice, over := f.roll("queue a page", "")
	lost := !over && dice.Float64() < f.page
	if lost {
		f.struck = time.Now()
	}
	return lost
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

// do makes a call that has no result but its error.
func (f *faults) do(operation, user string, call func() error) error {
	_, err := through(f, operation, user, func() (struct{}, error) { return struct{}{}, call() })
	return err
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

// dressStamper puts the faults between a stamper and all that it works with.
func (f *faults) dressStamper(c stamp.Config) stamp.Config {
	if f != nil {
		c.Directory = faultyDirectory{f, c.Directory}
		c.Ledger = faultyLedger{f, c.Ledger}
		c.Queue = faultyQueue{f, c.Queue}
	}
	return c
}

// dressWebhook does the same for the webhook.
func (f *faults) dressWebhook(c webhook.Config) webhook.Config {
	if f != nil {
		c.Queue = faultyInbox{f, c.Queue}
		c.Secrets = faultySecrets{f, c.Secrets}
	}
	return c
}

// dressKeeper does the same for the keeper. The faults of Graph are the emulator's.
func (f *faults) dressKeeper(c keeper.Config) keeper.Config {
	if f != nil {
		c.Store = faultyState[keeper.Record]{f, "record", c.Store}
		c.Sweeps = faultySweeps{f, c.Sweeps}
	}
	return c
}

// dressSweeper does the same for the sweeper.
func (f *faults) dressSweeper(c sweep.Config) sweep.Config {
	if f != nil {
		c.Store = faultyState[sweep.Checkpoint]{f, "checkpoint", c.Store}
		c.Queue = faultyPages{f, faultyQueue{f, c.Queue}}
	}
	return c
}

type faultyDirectory struct {
	*faults
	stamp.Directory
}

func (d faultyDirectory) ReadUsers(ctx context.Context, ids []string) ([]directory.Read, error) {
	return through(d.faults, "read users", ids[0], func() ([]directory.Read, error) {
		return d.Directory.ReadUsers(ctx, ids)
	})
}

func (d faultyDirectory) MemberOf(ctx context.Context, ids, groups []string) ([]directory.Membership, error) {
	return through(d.faults, "member of", ids[0], func() ([]directory.Membership, error) {
		return d.Directory.MemberOf(ctx, ids, groups)
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
	stamp.Ledger
}

func (l faultyLedger) Entries(ctx context.Context, tenant string, users []string) (map[string]stamp.Entry, error) {
	return through(l.faults, "read ledger", users[0], func() (map[string]stamp.Entry, error) {
		return l.Ledger.Entries(ctx, tenant, users)
	})
}

// Write may write some entries and not others. A worker that dies on the way has written
// those before.
func (l faultyLedger) Write(ctx context.Context, entries []stamp.Entry) []error {
	errs := make([]error, len(entries))
	for i, e := range entries {
		errs[i] = l.do("write "+string(e.State), e.User, func() error {
			return l.Ledger.Write(ctx, entries[i:i+1])[0]
		})
	}
	if entries[0].State == stamp.StateClaimed {
		l.standStill("claim", entries[0].User)
	}
	return errs
}

type faultyQueue struct {
	*faults
	stamp.Queue
}

// Postpone may store some requests and not others, some of them twice. A worker that
// dies on the way has stored those before.
func (q faultyQueue) Postpone(ctx context.Context, requests []stamp.Delayed) error {
	var errs []error
	for _, d := range requests {
		errs = append(errs, q.do("postpone", d.Request.User, func() error {
			return q.Queue.Postpone(ctx, q.onItsWay(d))
		}))
	}
	return errors.Join(errs...)
}

// faultyPages is the sweep's queue. It fails more often than others: a user who is lost
// here is lost for good if the sweep goes on without that user.
type faultyPages struct {
	*faults
	stamp.Queue
}

func (p faultyPages) Postpone(ctx context.Context, requests []stamp.Delayed) error {
	if p.losePage() {
		return errInjected
	}
	return p.Queue.Postpone(ctx, requests)
}

// faultyInbox is the webhook's queue. Its faults never kill: the webhook has no state
// that could be lost with it.
type faultyInbox struct {
	*faults
	webhook.Queue
}

func (q faultyInbox) Enqueue(ctx context.Context, requests []stamp.Request) error {
	var errs []error
	for _, r := range requests {
		s := q.draw("enqueue", r.User)
		if s.fail {
			errs = append(errs, errInjected)
		}
		if s.fail && !s.after {
			continue
		}
		for _, d := range q.onItsWay(stamp.Delayed{Request: r}) {
			errs = append(errs, q.Queue.Enqueue(ctx, []stamp.Request{d.Request}))
		}
	}
	return errors.Join(errs...)
}

// faultySecrets are the webhook's, and kill as little.
type faultySecrets struct {
	*faults
	webhook.Secrets
}

func (c faultySecrets) ClientState(ctx context.Context, fresh bool) (string, error) {
	if c.draw("client state", "").fail {
		return "", errInjected
	}
	return c.Secrets.ClientState(ctx, fresh)
}

type faultySweeps struct {
	*faults
	keeper.Sweeps
}

func (s faultySweeps) Ask(ctx context.Context, tenant string) error {
	return s.do("ask for a sweep", "", func() error { return s.Sweeps.Ask(ctx, tenant) })
}

// faultyState stands before any document.
type faultyState[T any] struct {
	*faults
	name string
	state.Store[T]
}

func (s faultyState[T]) Load(ctx context.Context, tenant string) (state.Item[T], error) {
	return through(s.faults, "load "+s.name, "", func() (state.Item[T], error) { return s.Store.Load(ctx, tenant) })
}

func (s faultyState[T]) Save(ctx context.Context, tenant string, i state.Item[T]) (state.Item[T], error) {
	return through(s.faults, "save "+s.name, "", func() (state.Item[T], error) { return s.Store.Save(ctx, tenant, i) })
}
