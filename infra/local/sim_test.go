package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var (
	seeds    = flag.Int("seeds", 20, "how many seeds the simulation runs")
	onlySeed = flag.Int64("seed", -1, "run only this seed, with a log: replays a failure")
	keepLogs = flag.String("logs", "", "keep the logs of failed seeds in this `directory`: a replay can come out otherwise")
)

// TestSimulationHours runs the real packages and the real SDK against the emulated Graph
// in virtual time, once for every seed, with everything going wrong between them that
// can, in a few busy hours.
func TestSimulationHours(t *testing.T) {
	t.Parallel()
	simulateAll(t, hours)
}

// TestSimulationDays does the same for two weeks, in which disasters happen that only
// the keeper and the sweep can mend.
func TestSimulationDays(t *testing.T) {
	t.Parallel()
	simulateAll(t, days)
}

// TestSimulationWatch does the same for the command's watch on one machine, and a month:
// with its real file, without notifications, and with people who stop it, release the
// brake, give orders and start it again.
func TestSimulationWatch(t *testing.T) {
	t.Parallel()
	simulateAll(t, month)
}

// TestSimulationSignals does the same for a few busy hours in which a provider reports
// changed passwords, disabled users, and much that must end nobody's sessions.
func TestSimulationSignals(t *testing.T) {
	t.Parallel()
	simulateAll(t, provided(nil))
}

func simulateAll(t *testing.T, p plan) {
	if *onlySeed >= 0 {
		simulate(t, p, uint64(*onlySeed), os.Stderr)
		return
	}
	played := max(1, *seeds/max(1, p.cost))
	var sum totals
	t.Run("seeds", func(t *testing.T) {
		for seed := range uint64(played) {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				sum.add(playSeed(t, p, seed))
			})
		}
	})
	t.Logf("%d seeds: %+v", played, sum.counts)
	if played >= enoughSeeds {
		sum.check(t, p)
	}
}

// enoughSeeds are as many as it takes for everything to happen.
const enoughSeeds = 20

// counts tell how much happened in a world, or in all of them.
type counts struct {
	Stamped, LeftAlone, Notifications, ReSent, Requests, Throttled int
	Crashes, Failed, Frozen, Doubled                               int
	// Reached is how often the brake was reached, Paused how often a person paused,
	// Ordered how often one had somebody stamped or signed out, Gaps how often the
	// subscription was lost.
	Reached, Paused, Ordered, Gaps int
	// Aged are the users who were left to a person because they grew older than the
	// window while they could not be stamped.
	Aged int
	// Unfixed are the users who were left to a person, because two calls for each of
	// them were lost.
	Unfixed int
	// Latest is how long after the last fault the last user was stamped.
	Latest time.Duration
	// Given are the provider's reports that were acknowledged, Ended those of them that had
	// to end sessions, Renewed the times that somebody was signed out for one, and Flooded
	// how often the signals' brake was reached.
	Given, Ended, Renewed, Flooded int
}

// counts tells how much happened.
func (w *world) counts() counts {
	var r result
	w.tally.fill(&r)
	c := counts{
		Stamped: r.ReadBack, Notifications: r.Notifications, ReSent: r.NotificationsReSent,
		Requests: r.GraphRequests, Throttled: r.GraphThrottled,
		Reached: len(w.orders.released), Paused: len(w.orders.paused), Ordered: len(w.orders.given), Gaps: len(w.seen.gaps),
		Aged: w.aged, Unfixed: w.unfixed, Latest: w.latest,
	}
	for _, n := range r.LeftAlone {
		c.LeftAlone += n
	}
	c.Crashes, c.Failed = w.faults.counts()
	c.Frozen, c.Doubled = w.faults.frozen, w.faults.doubled
	w.provider.count(&c)
	return c
}

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
	s.Frozen += c.Frozen
	s.Doubled += c.Doubled
	s.Reached += c.Reached
	s.Paused += c.Paused
	s.Ordered += c.Ordered
	s.Gaps += c.Gaps
	s.Aged += c.Aged
	s.Unfixed += c.Unfixed
	s.Latest = max(s.Latest, c.Latest)
	s.Given += c.Given
	s.Ended += c.Ended
	s.Renewed += c.Renewed
	s.Flooded += c.Flooded
}

// check checks that everything has happened: a world in which nothing goes wrong proves
// nothing.
func (s *totals) check(t *testing.T, p plan) {
	happened := map[string]int{
		"stamped": s.Stamped, "left alone": s.LeftAlone, "throttled": s.Throttled,
		"crashes": s.Crashes, "failed": s.Failed, "frozen": s.Frozen,
		"brake": s.Reached, "orders": s.Ordered,
	}
	if !p.watched {
		happened["doubled"], happened["sent again"], happened["pauses"] = s.Doubled, s.ReSent, s.Paused
	}
	if p.disasters && !p.watched {
		happened["gaps"], happened["aged"] = s.Gaps, s.Aged
	}
	if p.provided {
		happened["reports that end sessions"], happened["reports that end none"] = s.Ended, s.Given-s.Ended
		happened["signed out for a report"], happened["brake of the signals"] = s.Renewed, s.Flooded
	}
	if s.Unfixed > s.Stamped/10 {
		t.Errorf("%d users were left to a person, and only %d stamped", s.Unfixed, s.Stamped)
	}
	for what, n := range happened {
		if n == 0 {
			t.Errorf("in no world there was anything of this: %s", what)
		}
	}
}

// playSeed simulates one seed of many, and keeps its log if it fails and that is wanted.
func playSeed(t *testing.T, p plan, seed uint64) counts {
	if *keepLogs == "" {
		return simulate(t, p, seed, io.Discard)
	}
	var log bytes.Buffer
	defer func() {
		if t.Failed() {
			name := strings.ReplaceAll(t.Name(), "/", "-") + ".log"
			if err := os.WriteFile(filepath.Join(*keepLogs, name), log.Bytes(), 0o600); err != nil {
				t.Error(err)
			}
		}
	}()
	return simulate(t, p, seed, &log)
}

func simulate(t *testing.T, p plan, seed uint64, log io.Writer) (c counts) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, p, seed, log, nil)
		w.run()
		w.check()
		c = w.counts()
		if t.Failed() {
			t.Logf("replay: go test ./infra/local -run '^%s$' -seed %d -v", strings.SplitN(t.Name(), "/", 2)[0], seed)
		}
	})
	return c
}
