package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/keeper"
	"github.com/sessionstamp/sessionstamp/shared/memory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
	"github.com/sessionstamp/sessionstamp/shared/webhook"
)

// breakages break sessionstamp on purpose, each in one place.
var breakages = map[string]struct {
	plan  plan
	spoil func(*plantConfig)
	says  string // what finds it, where others would as well
}{
	"claim skipped": {hours, func(c *plantConfig) {
		c.watch.stamper = func(s stamp.Config) stamp.Config {
			s.Ledger = unclaimed{s.Ledger}
			return s
		}
	}, ""},
	"acknowledged before queued": {hours, func(c *plantConfig) {
		c.watch.webhook = func(w webhook.Config) webhook.Config {
			w.Queue = hasty{w.Queue}
			return w
		}
	}, ""},
	"brake ignored": {hours, withoutBrake, "the brake is at"},
	"pause ignored": {hours, func(c *plantConfig) {
		watched := c.watch.sweeper
		c.watch.sweeper = func(s sweep.Config) sweep.Config {
			s = watched(s)
			s.Brake = restless{s.Brake}
			return s
		}
	}, "in the pause of"},
	"window ignored":                               {hours, func(c *plantConfig) { c.policy.NewUserWindow = 400 * 24 * time.Hour }, ""},
	"the file is lost with the process":            {broken(breakage{forgetful: true}), nil, ""},
	"a look passes over users":                     {broken(breakage{blind: true}), nil, ""},
	"a signal is acknowledged before it is queued": {provided(hastyReceiver), nil, notRenewed},
	"a signal is forgotten when Graph fails":       {provided(func(i *inlet) { i.lazy = true }), nil, notRenewed},
	"a signal asks for an old stamp":               {misheard(asOfBefore), nil, notRenewed},
	"a signal that comes twice counts twice":       {misheard(asOfNow), nil, "revoked again"},
	"a log-out ends sessions":                      {misadded(nervous), nil, "revoked"},
	"a source speaks for every domain":             {misadded(trusting), nil, "revoked"},
	"the mode report ends sessions":                {provided(nil), func(c *plantConfig) { c.policy.EnforceSignals = true }, "revoked"},
	"the brake of the signals is ignored":          {provided(nil), withoutBrake, "the brake of the signals is at"},
	"no sweep after a gap": {days, func(c *plantConfig) {
		watched := c.watch.keeper
		c.watch.keeper = func(k keeper.Config) keeper.Config {
			k = watched(k)
			k.Sweeps = deafSweeps{}
			return k
		}
	}, ""},
}

func withoutBrake(c *plantConfig) {
	c.watch.stamper = func(s stamp.Config) stamp.Config {
		s.Brake = stamp.NewBrake(new(memory.State[stamp.BrakeState]), 1000)
		return s
	}
}

// TestBreakage breaks sessionstamp on purpose, and checks that the simulation finds it.
func TestBreakage(t *testing.T) {
	t.Parallel()
	for name, b := range breakages {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const most = 40
			for seed := range uint64(most) {
				for _, found := range findings(t, b.plan, seed, b.spoil) {
					if strings.Contains(found, b.says) {
						t.Logf("found by seed %d: %s", seed, found)
						return
					}
				}
			}
			t.Errorf("none of %d seeds found it", most)
		})
	}
}

// findings plays one seed of a broken sessionstamp, and returns what the checks say.
func findings(t *testing.T, p plan, seed uint64, spoil func(*plantConfig)) []string {
	r := new(recorder)
	synctest.Test(t, func(t *testing.T) {
		r.TB = t
		w := newWorld(r, p, seed, io.Discard, spoil)
		w.run()
		w.check()
	})
	return r.found
}

// A recorder notes errors in place of failing.
type recorder struct {
	testing.TB
	mu    sync.Mutex
	found []string
}

// Errorf implements [testing.TB].
func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.found = append(r.found, fmt.Sprintf(format, args...))
}

// Error implements [testing.TB].
func (r *recorder) Error(args ...any) { r.Errorf("%s", fmt.Sprint(args...)) }

// unclaimed says that it has written claims, and has not.
type unclaimed struct{ stamp.Ledger }

func (l unclaimed) Write(ctx context.Context, entries []stamp.Entry) []error {
	errs := make([]error, len(entries))
	for i, e := range entries {
		if e.State != stamp.StateClaimed {
			errs[i] = l.Ledger.Write(ctx, entries[i:i+1])[0]
		}
	}
	return errs
}

// hasty acknowledges everything, though one part of the queue in eight takes nothing.
type hasty struct{ webhook.Queue }

func (h hasty) Enqueue(ctx context.Context, requests []stamp.Request) error {
	return h.Queue.Enqueue(ctx, slices.DeleteFunc(slices.Clone(requests), func(r stamp.Request) bool {
		return r.User < "2"
	}))
}

// restless says that it has paused, and has not.
type restless struct{ sweep.Brake }

func (restless) Pause(context.Context, string, time.Time) error { return nil }

// deafSweeps do not hear the keeper.
type deafSweeps struct{}

func (deafSweeps) Ask(context.Context, string) error { return nil }
