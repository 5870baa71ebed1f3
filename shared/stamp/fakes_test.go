package stamp_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/memory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/state"
)

// A step is a moment at which a worker can fail: before or after one call of an
// interface, whose effect stands in the latter case.
type step struct {
	call  string // "Ledger.Write"
	after bool
}

// steps stands between the Stamper and its fakes. The zero value lets all pass.
type steps struct {
	mu    sync.Mutex
	hook  func(context.Context, step) error
	count map[string]int // completed and failed calls, by name
}

// at runs effect with the hook before and after it. An error of the hook is what
// the call comes to; the hook may also panic, or never return.
func (s *steps) at(ctx context.Context, call string, effect func() error) error {
	s.mu.Lock()
	if s.count == nil {
		s.count = make(map[string]int)
	}
	s.count[call]++
	hook := s.hook
	s.mu.Unlock()
	if hook == nil {
		return effect()
	}
	if err := hook(ctx, step{call, false}); err != nil {
		return err
	}
	if err := effect(); err != nil {
		return err
	}
	return hook(ctx, step{call, true})
}

// fakeLedger is an in-memory ledger that can fail.
type fakeLedger struct {
	*memory.Ledger
	t       testing.TB
	steps   *steps
	mu      sync.Mutex
	reasons map[stamp.Reason]bool // that were written
}

func (l *fakeLedger) Entries(ctx context.Context, tenant string, users []string) (found map[string]stamp.Entry, err error) {
	distinct(l.t, "Ledger.Entries", users)
	err = l.steps.at(ctx, "Ledger.Entries", func() (err error) {
		found, err = l.Ledger.Entries(ctx, tenant, users)
		return err
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

func (l *fakeLedger) Write(ctx context.Context, entries []stamp.Entry) (errs []error) {
	users := make([]string, len(entries))
	for i, e := range entries {
		users[i] = e.User
	}
	distinct(l.t, "Ledger.Write", users)
	err := l.steps.at(ctx, "Ledger.Write", func() error {
		errs = l.Ledger.Write(ctx, entries)
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, e := range entries {
			l.reasons[e.Reason] = true
		}
		return nil
	})
	if err != nil {
		return slices.Repeat([]error{err}, len(entries))
	}
	return errs
}

// fakeQueue puts requests back into an in-memory queue, and can fail.
type fakeQueue struct {
	memory.Requests
	steps *steps
}

func (q fakeQueue) Postpone(ctx context.Context, requests []stamp.Delayed) error {
	return q.steps.at(ctx, "Queue.Postpone", func() error { return q.Requests.Postpone(ctx, requests) })
}

// fakeBrake is an in-memory store of the brake that can fail.
type fakeBrake struct {
	*memory.State[stamp.BrakeState]
	steps *steps
}

func (b fakeBrake) Load(ctx context.Context, tenant string) (i state.Item[stamp.BrakeState], err error) {
	err = b.steps.at(ctx, "Brake.Load", func() (err error) {
		i, err = b.State.Load(ctx, tenant)
		return err
	})
	return i, err
}

func (b fakeBrake) Save(ctx context.Context, tenant string, i state.Item[stamp.BrakeState]) (state.Item[stamp.BrakeState], error) {
	err := b.steps.at(ctx, "Brake.Save", func() (err error) {
		i, err = b.State.Save(ctx, tenant, i)
		return err
	})
	return i, err
}

// fakeDomains lists the world's domains, and can fail.
type fakeDomains struct{ *world }

func (d fakeDomains) Domains(ctx context.Context) ([]directory.Domain, error) {
	if err := d.steps.at(ctx, "Domains.Domains", func() error { return nil }); err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.domains), nil
}

// fakeObserver remembers outcomes, and can die.
type fakeObserver struct {
	steps    *steps
	mu       sync.Mutex
	outcomes []stamp.Outcome
}

func (o *fakeObserver) Observe(ctx context.Context, out stamp.Outcome) {
	_ = o.steps.at(ctx, "Observer.Observe", func() error {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.outcomes = append(o.outcomes, out)
		return nil
	})
}

// distinct checks that a call names nobody twice, which stores and $batch refuse.
func distinct(t testing.TB, call string, users []string) {
	t.Helper()
	sorted := slices.Sorted(slices.Values(users))
	if len(slices.Compact(sorted)) != len(users) {
		t.Errorf("%s names a user twice: %v", call, users)
	}
	if len(users) == 0 {
		t.Errorf("%s names nobody", call)
	}
}
