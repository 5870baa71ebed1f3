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

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
)

var (
	seeds    = flag.Int("seeds", 200, "how many seeds the simulation runs")
	onlySeed = flag.Int64("seed", -1, "run only this seed, with a log: replays a failure")
	keepLogs = flag.String("logs", "", "keep the logs of failed seeds in this `directory`: a replay can come out otherwise")
)

// TestSimulationHours runs the real packages and the real SDK against the emulated
// Graph in virtual time, once for every seed, with all that can go wrong between
// them going wrong, in a few busy hours.
func TestSimulationHours(t *testing.T) {
	t.Parallel()
	simulateAll(t, hours)
}

// TestSimulationMonth does the same for thirty days, in which disasters happen
// that only the keeper and the sweep can mend.
func TestSimulationMonth(t *testing.T) {
	t.Parallel()
	simulateAll(t, month)
}

func simulateAll(t *testing.T, p plan) {
	if *onlySeed >= 0 {
		simulate(t, p, uint64(*onlySeed), os.Stderr)
		return
	}
	var sum totals
	t.Run("seeds", func(t *testing.T) {
		for seed := range uint64(*seeds) {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				sum.add(playSeed(t, p, seed))
			})
		}
	})
	t.Logf("%d seeds: %+v", *seeds, sum.counts)
	sum.checkTurnovers(t)
	if p.disasters {
		sum.checkBackfill(t)
		sum.checkUnanswered(t)
	}
	if c := sum.counts; c.Stamped == 0 || c.Crashes == 0 || c.Failed == 0 || c.Throttled == 0 || c.LeftAlone == 0 || c.ReSent == 0 || c.Frozen == 0 || c.Doubled == 0 || c.Repeated == 0 || c.Spared == 0 && p.disasters {
		t.Errorf("a world in which nothing goes wrong proves nothing: %+v", c)
	}
}

// counts tell how much happened in a world, or in all of them.
type counts struct {
	Stamped, LeftAlone, Notifications, ReSent, Requests, Throttled int
	Crashes, Failed, Frozen, Doubled                               int
	// Spared are the users who were left alone, and new no more by the end of it.
	Spared int
	// Unanswered is how often delivery paused because of a challenge of which the
	// webhook had heard in time.
	Unanswered int
	// Backfilled are the users who were stamped though they were not new, and
	// Stopped the worlds in which a ceiling was reached, by ceiling.
	Backfilled int
	Stopped    map[revocation.Reason]int
	// Turnovers are what happened to credentials and secrets, by how worlds sign in.
	Turnovers map[directory.AuthMode]turnovers
	// Repeated is how often a rotation had to begin again.
	Repeated int
	// Latest is how long after the last fault the last user was stamped.
	Latest time.Duration
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
	s.Spared += c.Spared
	s.Unanswered += c.Unanswered
	s.Backfilled += c.Backfilled
	if s.Stopped == nil {
		s.Stopped = make(map[revocation.Reason]int)
	}
	for reason, n := range c.Stopped {
		s.Stopped[reason] += n
	}
	if s.Turnovers == nil {
		s.Turnovers = make(map[directory.AuthMode]turnovers)
	}
	for mode, n := range c.Turnovers {
		s.Turnovers[mode] = s.Turnovers[mode].add(n)
	}
	s.Repeated += c.Repeated
	s.Latest = max(s.Latest, c.Latest)
}

// enoughSeeds are as many as it takes for everything to happen in every mode, of which
// one is drawn for an eighth of the worlds.
const enoughSeeds = 200

// checkTurnovers checks that the worlds have signed in in every mode, and that in each
// of them there was all that can happen to what they sign in with.
func (s *totals) checkTurnovers(t *testing.T) {
	var all turnovers
	for _, n := range s.Turnovers {
		all = all.add(n)
	}
	if all.Credentials == 0 || all.ClientStates == 0 {
		t.Errorf("nothing was rotated: %+v", all)
	}
	if *seeds < enoughSeeds {
		return
	}
	for _, mode := range directory.AuthModes() {
		if n := s.Turnovers[mode]; !n.proves(mode) {
			t.Errorf("in mode %s, something never happened: %+v", mode, n)
		}
	}
}

// checkUnanswered checks that there was a challenge that nobody answered.
func (s *totals) checkUnanswered(t *testing.T) {
	if *seeds >= enoughSeeds && s.Unanswered == 0 {
		t.Error("whatever challenge the webhook had heard of in time was answered")
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

// checkBackfill checks that existing users were stamped, and that each ceiling was the
// one that was reached in some world.
func (s *totals) checkBackfill(t *testing.T) {
	if *seeds < enoughSeeds {
		return
	}
	if s.Backfilled == 0 {
		t.Error("no existing user was stamped")
	}
	for _, ceiling := range []revocation.Reason{revocation.ReasonCeilingRun, revocation.ReasonCeilingHour, revocation.ReasonCeilingShare} {
		if s.Stopped[ceiling] == 0 {
			t.Errorf("%s was reached in no world: %v", ceiling, s.Stopped)
		}
	}
}

func simulate(t *testing.T, p plan, seed uint64, log io.Writer) (c counts) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, p, seed, log)
		w.run()
		w.check()
		c = w.counts()
		if t.Failed() {
			t.Logf("replay: go test ./infra/local -run '^%s$' -seed %d -v", strings.SplitN(t.Name(), "/", 2)[0], seed)
		}
	})
	return c
}
