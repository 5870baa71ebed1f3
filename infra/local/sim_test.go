package main

import (
	"flag"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
)

var (
	seeds    = flag.Int("seeds", 200, "how many seeds the simulation runs")
	onlySeed = flag.Int64("seed", -1, "run only this seed, with a log: replays a failure")
)

// TestSimulation runs the real packages and the real SDK against the emulated
// Graph in virtual time, once for every seed, with all that can go wrong between
// them going wrong.
func TestSimulation(t *testing.T) {
	if *onlySeed >= 0 {
		simulate(t, uint64(*onlySeed), true)
		return
	}
	var sum totals
	t.Run("seeds", func(t *testing.T) {
		for seed := range uint64(*seeds) {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				sum.add(simulate(t, seed, false))
			})
		}
	})
	t.Logf("%d seeds: %+v", *seeds, sum.counts)
	if c := sum.counts; c.Stamped == 0 || c.Crashes == 0 || c.Failed == 0 || c.Throttled == 0 || c.LeftAlone == 0 || c.ReSent == 0 {
		t.Errorf("a world in which nothing goes wrong proves nothing: %+v", c)
	}
}

// counts tell how much happened in a world, or in all of them.
type counts struct{ Stamped, LeftAlone, Notifications, ReSent, Requests, Throttled, Crashes, Failed int }

// totals adds up the counts of worlds that run side by side.
type totals struct {
	mu sync.Mutex
	counts
}

func (s *totals) add(c counts) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Stamped += c.Stamped
	s.LeftAlone += c.LeftAlone
	s.Notifications += c.Notifications
	s.ReSent += c.ReSent
	s.Requests += c.Requests
	s.Throttled += c.Throttled
	s.Crashes += c.Crashes
	s.Failed += c.Failed
}

func simulate(t *testing.T, seed uint64, verbose bool) (c counts) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, seed, verbose)
		w.run()
		w.check()
		c = w.counts()
		if t.Failed() {
			t.Logf("replay: go test ./infra/local -run 'TestSimulation' -seed %d -v", seed)
		}
	})
	return c
}
