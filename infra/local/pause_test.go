package main

import (
	"context"
	mathrand "math/rand/v2"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

// pauseAtRandom is the person who pauses and resumes, once or twice, in half of the worlds
// that are not calm. One machine has no such order.
func (w *world) pauseAtRandom(ctx context.Context) {
	random := mathrand.New(mathrand.NewPCG(w.faults.seed, 4))
	if w.calm || w.watcher != nil || random.IntN(2) == 0 {
		return
	}
	longest := 20 * time.Minute
	switch {
	case w.plan.disasters && random.IntN(12) == 0: // beyond the time for which requests are put back
		longest = 130 * time.Hour
	case w.plan.disasters:
		longest = 3 * time.Hour
	}
	for range 1 + random.IntN(2) {
		waitFor(ctx, time.Duration(random.Int64N(int64(w.plan.play)/2)))
		w.pause(ctx, min(time.Duration(random.Int64N(int64(longest))), time.Until(w.playEnd())))
	}
}

// pause pauses for so long. An order whose answer is lost may stand all the same: nobody
// may be called from the first answer until the end was first asked for.
func (w *world) pause(ctx context.Context, long time.Duration) {
	if long <= 0 {
		return
	}
	asked := time.Now()
	w.insist(ctx, sweep.OrderPause)
	began := time.Now()
	waitFor(ctx, long)
	ended := time.Now()
	w.insist(ctx, sweep.OrderResume)
	w.orders.mu.Lock()
	w.orders.paused = append(w.orders.paused, span{began, ended})
	w.orders.mu.Unlock()
	w.seen.block(span{asked, time.Now()})
}

// insist gives an order until it is carried out.
func (w *world) insist(ctx context.Context, o sweep.Order) {
	for new(environment).order(ctx, w.plant, o) != nil && ctx.Err() == nil {
		waitFor(ctx, time.Minute)
	}
}

// paceTime is how long a batch that the brake has let pass may wait for its pace.
const paceTime = 5 * time.Second

// checkPaused checks that nobody was called for in a pause, whoever had approved, but in a
// batch that was under way when it began.
func (w *world) checkPaused() {
	for _, p := range w.orders.paused {
		from := p.began.Add(paceTime + policy.CallWindow)
		for _, u := range w.tenant.Users() {
			for _, at := range u.Revocations {
				if at.After(from) && at.Before(p.ended) {
					w.t.Errorf("user %s was signed out at %s, in the pause of %s", u.ID, at, p)
				}
			}
		}
	}
}
