package revocation_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/memory"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
)

// TestManyWorkers lets several workers, each slow at random and some slow enough
// to lose their messages to another, handle the same users at once. Claims keep
// them from signing anybody out twice.
func TestManyWorkers(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { manyWorkers(t, rand.New(rand.NewPCG(seed, 1))) })
		})
	}
}

func manyWorkers(t *testing.T, random *rand.Rand) {
	const workers, users = 4, 12
	w := newWorld(t)
	// Messages come back while their worker is still busy, and for as long as
	// that takes.
	w.queue = memory.NewQueue(memory.QueueOptions{Visibility: 20 * time.Second, MaxReceives: 1000})
	w.config.Queue = fakeQueue{memory.Requests{Queue: w.queue}, &w.steps}
	stamped := make([]int, users)
	for n := range users {
		u := w.user(n)
		stamped[n] = n
		if n%4 == 0 {
			u.answers = []answer{{err: errPlain, effect: true}}
		}
		for range 1 + random.IntN(3) {
			after := time.Duration(random.IntN(600)) * time.Second
			w.notify(n, after)
		}
	}
	var mu sync.Mutex // of random
	w.steps.hook = func(context.Context, step) error {
		mu.Lock()
		delay := slowness(random)
		mu.Unlock()
		time.Sleep(delay)
		return nil
	}
	var all sync.WaitGroup
	ctx, cancel := context.WithTimeout(t.Context(), aWeek)
	defer cancel()
	for range workers {
		all.Go(func() { w.work(ctx) })
	}
	time.Sleep(10 * time.Minute) // until the last notification
	for w.queue.Len() > 0 && ctx.Err() == nil {
		time.Sleep(time.Minute)
	}
	cancel()
	all.Wait()
	w.checkQuiet(stamped...)
}

// slowness is how long a call takes: mostly some milliseconds, at times some
// seconds, and rarely longer than a claim holds.
func slowness(random *rand.Rand) time.Duration {
	switch p := random.IntN(100); {
	case p < 80:
		return time.Duration(random.IntN(200)) * time.Millisecond
	case p < 98:
		return time.Duration(random.IntN(30)) * time.Second
	default:
		return time.Duration(random.IntN(600)) * time.Second
	}
}

// work handles messages until ctx is done.
func (w *world) work(ctx context.Context) {
	revoker := w.newRevoker()
	for {
		messages, err := w.queue.Receive(ctx, 5)
		if err != nil {
			return
		}
		bodies := make([][]byte, len(messages))
		for i, m := range messages {
			bodies[i] = m.Body
		}
		call, stop := context.WithTimeout(context.WithoutCancel(ctx), functionTimeout)
		for i, err := range revoker.HandleMessages(call, bodies) {
			if leaktest.Seen(w.t, err) == nil {
				w.queue.Delete(messages[i])
			}
		}
		stop()
	}
}

// TestOutageCostsNothingButTime lets all of Graph fail for a day.
func TestOutageCostsNothingButTime(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	calls := map[string]error{
		"Directory.ReadUsers":            graphError(503),
		"Directory.RevokeSignInSessions": graphError(503),
		"Domains.Domains":                graphError(503),
		"Ledger.Entries":                 errPlain,
		"Ledger.Write":                   errPlain,
		"Quota.Reserve":                  errPlain,
	}
	for call, err := range calls {
		t.Run(call, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const users = 7
				w := newWorld(t)
				var stamped []int
				for n := range users {
					w.user(n)
					w.notify(n, 0)
					stamped = append(stamped, n)
				}
				w.failing(call, false, day, err)
				w.run()
				w.checkQuiet(stamped...)
				for _, n := range stamped {
					if late := w.graph.users[userID(n)].signOuts[0].Sub(w.start) - day; late < 0 || late > revocation.MaxDelay {
						t.Errorf("user %d was stamped %s after the outage, want at most %s", n, late, revocation.MaxDelay)
					}
				}
				// A day of the longest delay, the doublings before, and the end.
				if got, most := len(w.observer.outcomes), users*(int(day/revocation.MaxDelay)+20); got > most {
					t.Errorf("%d outcomes for %d users, want at most %d", got, users, most)
				}
			})
		})
	}
}
