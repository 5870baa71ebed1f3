package main

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/bolt"
	"github.com/sessionstamp/sessionstamp/shared/keeper"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/state"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

// witness notes what becomes of gaps: when notifications begin to be lost with their
// subscription, when keeper and sweeper look, and what they do about it.
type witness struct {
	mu   sync.Mutex
	gaps []time.Time // made by the world
	asks []time.Time // for a sweep, once they are stored
	// keeps and sweeps are the runs that came to a good end.
	keeps, sweeps []span
	rounds        []span    // full rounds that ended
	began         time.Time // when the full round under way began
	trouble       time.Time // when Graph or its token endpoint last failed
	blocked       []span    // when nobody could be stamped
}

// A span is from the beginning of something to its end.
type span struct{ began, ended time.Time }

func (s span) String() string { return s.began.String() + " to " + s.ended.String() }

func (s *witness) noteGap() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gaps = append(s.gaps, time.Now())
}

func (s *witness) block(b span) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.blocked = append(s.blocked, b)
}

// watch lets keeper and sweeper be seen.
func (w *world) watch() watch {
	return watch{
		keeper: func(c keeper.Config) keeper.Config {
			c.Sweeps = watchedSweeps{&w.seen, c.Sweeps}
			return c
		},
		sweeper: func(c sweep.Config) sweep.Config {
			c.Store = watchedRounds{&w.seen, c.Store}
			return c
		},
		kept:  w.kept,
		swept: w.swept,
	}
}

// watchedSweeps sees when a sweep was asked for. A keeper that died at once afterwards
// has asked, too.
type watchedSweeps struct {
	*witness
	keeper.Sweeps
}

func (s watchedSweeps) Ask(ctx context.Context, tenant string) error {
	if err := s.Sweeps.Ask(ctx, tenant); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asks = append(s.asks, time.Now())
	return nil
}

// watchedRounds sees full rounds begin and end, by what is stored of them.
type watchedRounds struct {
	*witness
	state.Store[sweep.Checkpoint]
}

func (s watchedRounds) Save(ctx context.Context, tenant string, i state.Item[sweep.Checkpoint]) (state.Item[sweep.Checkpoint], error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	saved, err := s.Store.Save(ctx, tenant, i)
	if err != nil {
		return saved, err
	}
	switch began := saved.Doc.FullStarted; {
	case !began.IsZero():
		s.began = began
	case !s.began.IsZero():
		s.rounds, s.began = append(s.rounds, span{s.began, time.Now()}), time.Time{}
	}
	return saved, nil
}

// record sees a call of Graph. It checks that a user who is signed out was claimed, not
// too long before.
func (w *world) record(r msgraphtest.Request) {
	w.tally.record(r)
	// Only stamper and resolver use $batch.
	if failed := r.Status == 0 || r.Status >= http.StatusBadRequest; w.ours(r) && failed && !r.Part && r.Path != "/$batch" {
		w.seen.mu.Lock()
		w.seen.trouble = time.Now()
		w.seen.mu.Unlock()
	}
	user, revoked := strings.CutSuffix(strings.TrimPrefix(r.Path, "/users/"), "/revokeSignInSessions")
	if !revoked || !r.Wrote {
		return
	}
	if w.watcher != nil && w.watcher.now().dead.Load() {
		return // the call was under way
	}
	entries, err := w.ledger().Entries(context.WithoutCancel(w.ctx), w.tenant.ID(), []string{user})
	if err != nil {
		w.t.Error(err)
	}
	age := r.Time.Sub(entries[user].Claimed)
	if age < 0 || age > policy.CallWindow {
		w.t.Errorf("user %s was signed out %s after the claim: %+v", user, age, entries[user])
	}
}

// ledger is the one that a call is judged by.
func (w *world) ledger() stamp.Ledger {
	if w.watcher != nil {
		return bolt.NewLedger(w.watcher.now().file)
	}
	return w.plant.ledger
}

// hindered tells whether anything was in the way of a run since it began: a fault, a
// deployment that left it no time, or the end of the world. s.mu is held.
func (w *world) hindered(began time.Time) bool {
	over := !began.Before(w.playEnd().Add(w.plan.rest))
	cut := !w.sparing.stop.Before(began) && w.sparing.stop.Before(began.Add(runLimit))
	return over || cut || !w.seen.trouble.Before(began) || w.faults.struckSince(began)
}

// kept sees a run of the keeper. Nothing but a fault makes it fail.
func (w *world) kept(began time.Time, r keeper.Report, err error) {
	w.seen.mu.Lock()
	defer w.seen.mu.Unlock()
	switch {
	case err != nil && !w.hindered(began):
		w.t.Errorf("the keeper of %s failed, and nothing was in its way: %v", began, err)
	case err == nil && !r.Busy() && !slices.Contains(r.Found, keeper.FoundTakenDown):
		w.seen.keeps = append(w.seen.keeps, span{began, time.Now()})
	}
}

// swept sees a run of the sweeper. Nothing but a fault makes it fail.
func (w *world) swept(began time.Time, r sweep.Report, err error) {
	w.seen.mu.Lock()
	defer w.seen.mu.Unlock()
	switch {
	case err != nil && !w.hindered(began):
		w.t.Errorf("the sweep of %s failed, and nothing was in its way: %v", began, err)
	case err == nil && r.Finished && (r.Kind == sweep.KindIncrement || r.Kind == sweep.KindFull):
		w.seen.sweeps = append(w.seen.sweeps, span{began, time.Now()})
	}
}

// checkSwept checks that each gap was found by the first keeper who could look for it,
// and that the first sweep to end well after somebody asked for one has made a full round.
func (w *world) checkSwept() {
	if !w.plan.disasters {
		return // the sweep is too rare
	}
	w.seen.mu.Lock()
	defer w.seen.mu.Unlock()
	for _, gap := range w.seen.gaps {
		kept, ok := firstAfter(w.seen.keeps, gap)
		if !ok || !w.seen.askedWithin(gap, kept.ended) {
			w.t.Errorf("a gap was made at %s, and the keeper's run of %s did not ask for a sweep; it was asked for at %s", gap, kept, w.seen.asks)
		}
	}
	for _, ask := range w.seen.asks {
		swept, ok := firstAfter(w.seen.sweeps, ask)
		if !ok || !w.seen.roundWithin(ask, swept.ended) {
			w.t.Errorf("a sweep was asked for at %s, and no full round was made until the end of the run of %s; there were %v", ask, swept, w.seen.rounds)
		}
	}
}

// firstAfter returns the first of the runs that began after t. They are in the order of
// their ends.
func firstAfter(runs []span, t time.Time) (first span, ok bool) {
	for _, r := range runs {
		if r.began.After(t) {
			return r, true
		}
	}
	return span{}, false
}

// askedWithin tells whether a sweep was asked for in that time. s.mu is held.
func (s *witness) askedWithin(from, to time.Time) bool {
	return slices.ContainsFunc(s.asks, func(at time.Time) bool { return !at.Before(from) && !at.After(to) })
}

// roundWithin tells whether a full round began and ended in that time. s.mu is held.
func (s *witness) roundWithin(from, to time.Time) bool {
	return slices.ContainsFunc(s.rounds, func(r span) bool { return !r.began.Before(from) && !r.ended.After(to) })
}

// freeWithin tells whether users could be stamped for so long at a stretch between two
// times. s.mu is held.
func (s *witness) freeWithin(from, to time.Time, long time.Duration) bool {
	slices.SortFunc(s.blocked, func(a, b span) int { return a.began.Compare(b.began) })
	for _, b := range s.blocked {
		if b.began.Sub(from) >= long && to.Sub(from) >= long {
			return true
		}
		if b.ended.After(from) {
			from = b.ended
		}
	}
	return to.Sub(from) >= long
}
