package main

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
	"github.com/sessionstamp/sessionstamp/shared/notification"
	"github.com/sessionstamp/sessionstamp/shared/subscription"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

// witness notes what becomes of gaps: when notifications begin to be lost with their
// subscription, when keeper and sweeper look, and what they do about it.
type witness struct {
	mu   sync.Mutex
	gaps []time.Time // made by the world
	asks []time.Time // for a sweep, once they are stored
	// unanswered is when delivery paused because of a challenge of which the webhook
	// had heard in time. heard are all lifecycle events that it has taken in.
	unanswered []time.Time
	heard      []notification.Lifecycle
	// keeps and sweeps are the runs that nothing hindered: those of a keeper that is
	// set up, and those of a sweeper that was alone.
	keeps, sweeps []span
	rounds        []span    // full rounds, from their first page to their end
	listed        time.Time // when the last first page was asked for
	trouble       time.Time // when Graph or its token endpoint last failed
	kept          time.Time // when a keeper last ran, to whatever end
}

// A span is from the beginning of something to its end.
type span struct{ began, ended time.Time }

func (s span) String() string { return s.began.String() + " to " + s.ended.String() }

// record sees a call of Graph, and whether it is sessionstamp's.
func (s *witness) record(r msgraphtest.Request, ours bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	// Only the revoker uses $batch.
	if failed := r.Status == 0 || r.Status >= http.StatusBadRequest; ours && failed && !r.Part && r.Path != "/$batch" {
		s.trouble = time.Now()
	}
}

// watchSweeper lets it be seen when a full round begins: before the request, since
// Graph's record of it may come after the round's end, at the same instant.
func (w *world) watchSweeper(c sweep.Config) sweep.Config {
	c.Graph = watchedPages{w, c.Graph}
	return c
}

type watchedPages struct {
	*world
	sweep.Graph
}

func (p watchedPages) UserPage(ctx context.Context, next string) (directory.UserPage, error) {
	if next == "" {
		p.seen.mu.Lock()
		p.seen.listed = time.Now()
		p.seen.mu.Unlock()
	}
	return p.Graph.UserPage(ctx, next)
}

// watchKeeper lets it be seen when a sweep was asked for. A keeper that died at once
// afterwards has asked, too.
func (w *world) watchKeeper(c subscription.Config) subscription.Config {
	c.Sweeps = watchedSweeps{w, c.Sweeps}
	return c
}

type watchedSweeps struct {
	*world
	subscription.Sweeps
}

func (s watchedSweeps) AskForSweep(ctx context.Context, tenant, why string, since time.Time) error {
	if err := s.Sweeps.AskForSweep(ctx, tenant, why, since); err != nil {
		return err
	}
	s.seen.mu.Lock()
	defer s.seen.mu.Unlock()
	s.seen.asks = append(s.seen.asks, time.Now())
	return nil
}

// hindered tells whether anything was in the way of a run since it began: a fault, a
// deployment that left it no time, or the end of the world. s.mu is held.
func (w *world) hindered(began time.Time) bool {
	over := !began.Before(w.start.Add(w.plan.play + w.plan.rest))
	cut := !w.orders.stop.Before(began) && w.orders.stop.Before(began.Add(w.plant.config.sweeping.Lease))
	since := began.Add(-time.Millisecond) // durations are rounded
	return over || cut || !w.seen.trouble.Before(since) || w.faults.struckSince(since)
}

// ObserveKeeper implements [subscription.Observer]. Nothing but a fault makes a run
// fail.
func (w *world) ObserveKeeper(_ context.Context, r subscription.Report) {
	w.seen.mu.Lock()
	defer w.seen.mu.Unlock()
	w.seen.kept = time.Now()
	if began := time.Now().Add(-r.Duration); leaktest.Seen(w.t, r.Err) != nil && !w.hindered(began) {
		w.t.Errorf("the keeper of %s failed, and nothing was in its way: %v", began, r.Err)
	}
	looked := r.Trigger == subscription.TriggerSchedule || r.Trigger == subscription.TriggerSetUp
	if !looked || r.Err != nil || r.Busy() || slices.Contains(r.Found, subscription.FoundTakenDown) {
		return
	}
	w.seen.keeps = append(w.seen.keeps, span{time.Now().Add(-r.Duration), time.Now()})
}

// noteGap notes that notifications will be lost.
func (w *world) noteGap() {
	w.seen.mu.Lock()
	defer w.seen.mu.Unlock()
	w.seen.gaps = append(w.seen.gaps, time.Now())
}

// ObserveSweep implements [sweep.Observer]. Nothing but a fault makes a run fail.
func (w *world) ObserveSweep(_ context.Context, r sweep.Report) {
	w.seen.mu.Lock()
	defer w.seen.mu.Unlock()
	if r.FullDone {
		w.seen.rounds = append(w.seen.rounds, span{w.seen.listed, time.Now()})
	}
	hindered := w.hindered(r.Started)
	if r.Stopped == sweep.StopFailed && !hindered {
		w.t.Errorf("the sweep of %s failed, and nothing was in its way: %+v", r.Started, r)
	}
	if r.Finished || r.Stopped == sweep.StopDeadline && r.Expired == 0 && !hindered {
		w.seen.sweeps = append(w.seen.sweeps, span{r.Started, time.Now()})
	}
}

// checkSwept checks that each gap was found by the first keeper who could look for
// it, and that each time a sweep was asked for, the first one that nothing hindered
// made a full round.
func (w *world) checkSwept() {
	if !w.plan.disasters {
		return
	}
	checkpoint, err := w.plant.sweeps.Checkpoint(w.t.Context(), w.tenant.ID())
	w.must(err)
	if checkpoint.Asks != checkpoint.Answered {
		w.t.Errorf("%d sweeps were asked for, %d answered", checkpoint.Asks, checkpoint.Answered)
	}
	w.seen.mu.Lock()
	defer w.seen.mu.Unlock()
	for _, gap := range w.seen.gaps {
		kept, ok := firstAfter(w.seen.keeps, gap)
		if !ok || !w.seen.askedWithin(gap, kept.ended) {
			w.t.Errorf("a gap was made at %s, and the keeper's run of %s did not ask for a sweep; it was asked for at %s", gap, kept, w.seen.asks)
		}
	}
	w.checkUnanswered()
	for _, ask := range w.seen.asks {
		swept, ok := firstAfter(w.seen.sweeps, ask)
		if !ok || !w.seen.roundWithin(ask, swept.ended) {
			w.t.Errorf("a sweep was asked for at %s, and no full round was made until the end of the run of %s; there were %v", ask, swept, w.seen.rounds)
		}
	}
}

// firstAfter returns the first of the runs that began after t. They are in the order
// of their ends.
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

// sweptSince tells whether a full round began after t, and ended within the play,
// so that there was time for whom it found.
func (w *world) sweptSince(t time.Time) bool {
	w.seen.mu.Lock()
	defer w.seen.mu.Unlock()
	return w.seen.roundWithin(t.Add(1), w.start.Add(w.plan.play))
}
