package job_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/job"
	"github.com/sessionstamp/sessionstamp/shared/bolt"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

// watched are the outcomes and looks of a watch.
type watched struct {
	mu      sync.Mutex
	reasons map[stamp.Reason]int
	full    []time.Time
}

func (w *watched) options() job.WatchOptions {
	w.reasons = make(map[stamp.Reason]int)
	return job.WatchOptions{
		Observe: func(o stamp.Outcome) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.reasons[o.Reason]++
		},
		Swept: func(r sweep.Report, _ error) {
			if r.Kind == sweep.KindFull {
				w.full = append(w.full, time.Now())
			}
		},
	}
}

// watch watches until stop is called, which returns when it has ended.
func (p *process) watch(options job.WatchOptions) (stop func()) {
	ctx, cancel := context.WithCancel(p.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.engine.Watch(ctx, options) }()
	return func() {
		cancel()
		if err := <-ended; err != nil && !p.dead.Load() {
			p.t.Errorf("Watch: %v", err)
		}
	}
}

func newcomer(p *person) { p.user.Created = time.Now() }

func TestWatchStampsNewUsersOnly(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		old := w.addMany(50, func(p *person) { p.user.Created = time.Now().Add(-100 * time.Hour) })
		young := w.addMany(5, newcomer) // before the first look
		p := w.start()
		defer p.end()
		var seen watched
		stop := p.watch(seen.options())
		for range 10 {
			time.Sleep(17 * time.Minute)
			young = append(young, w.add(newcomer))
			w.add(func(p *person) { newcomer(p); p.user.UserType = "Guest" })
			w.add(func(p *person) { newcomer(p); p.user.UserPrincipalName = "x@" + managed })
			time.Sleep(70 * time.Second)
			w.want(1, young...)
		}
		time.Sleep(10 * time.Minute)
		stop()
		if got := seen.reasons[stamp.ReasonReadBack]; got != len(young) {
			t.Errorf("%d stamps were read back, want %d", got, len(young))
		}
		w.want(0, old...)
	})
}

func TestWatchLooksAtEverybodyEachNight(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		p := w.start()
		defer p.end()
		var seen watched
		options := seen.options()
		options.Every = 15 * time.Minute
		stop := p.watch(options)
		time.Sleep(20 * time.Hour) // it began at midnight
		lost := w.add(func(p *person) { newcomer(p); p.hidden = true })
		time.Sleep(time.Hour)
		w.want(0, lost)
		time.Sleep(6 * time.Hour)
		w.want(1, lost)
		time.Sleep(3 * 24 * time.Hour)
		stop()
		if len(seen.full) != 5 {
			t.Errorf("there were full rounds at %s, want one at the start and four nights", seen.full)
		}
		for _, at := range seen.full[1:] {
			if at.Hour() != 2 || at.Minute() > 1 {
				t.Errorf("a full round was at %s, want two o'clock", at)
			}
		}
	})
}

func TestWatchStopsAtTheBrake(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		young := w.addMany(30, newcomer)
		limited := func(c *job.Config) { c.StampsPerDay = 7 }
		var seen watched
		p := w.start(limited)
		stop := p.watch(seen.options())
		time.Sleep(3 * time.Hour)
		stop()
		p.end()
		if len(w.waves) != 7 || seen.reasons[stamp.ReasonBrake] == 0 {
			t.Errorf("%d users were stamped, want the brake to stop at 7", len(w.waves))
		}

		p = w.start() // a person has looked
		if err := p.engine.Brake().Release(t.Context(), tenant, time.Now()); err != nil {
			t.Fatalf("release the brake: %v", err)
		}
		stop = p.watch(seen.options())
		time.Sleep(20 * time.Minute)
		stop()
		p.end()
		w.want(1, young...)
	})
}

func TestWatchSurvivesDeathsAndABadDay(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		w.fault = badDay
		random := rand.New(rand.NewPCG(3, 4))
		var young []string
		for range 10 {
			p := w.start(func(c *job.Config) { c.StampsPerDay = 5000 })
			stop := p.watch(job.WatchOptions{})
			for range 20 {
				time.Sleep(time.Duration(random.Int64N(int64(20 * time.Second))))
				young = append(young, w.addMany(random.IntN(10), newcomer)...)
			}
			p.kill()
			stop()
			synctest.Wait()
			young = append(young, w.addMany(3, newcomer)...) // while nobody watches
		}
		p := w.start(func(c *job.Config) { c.StampsPerDay = 5000 })
		defer p.end()
		stop := p.watch(job.WatchOptions{})
		time.Sleep(3 * time.Hour)
		stop()
		w.wantCured(young, p)
	})
}

func TestOnce(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		young := w.addMany(45, newcomer)
		for range 12 { // as cron does, every five minutes
			p := w.start()
			began := time.Now()
			if err := p.engine.Once(t.Context(), job.WatchOptions{}); err != nil {
				t.Errorf("Once: %v", err)
			}
			if took := time.Since(began); took > time.Minute {
				t.Errorf("Once took %s", took)
			}
			p.end()
			time.Sleep(5 * time.Minute)
			young = append(young, w.add(newcomer))
		}
		p := w.start()
		defer p.end()
		w.wantCured(young[:50], p)
		if left, err := bolt.NewQueue(p.file, bolt.QueueOptions{Now: time.Now}).Len(); err != nil || left > 3 {
			t.Errorf("%d requests are left in the file (%v)", left, err)
		}
	})
}

func TestOnceTellsAFailure(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		p := w.start()
		defer p.end()
		p.dead.Store(true)
		if err := p.engine.Once(t.Context(), job.WatchOptions{}); err == nil {
			t.Errorf("no error")
		}
	})
}

// A run leaves to the watch what is the watch's, and the watch reads back what a run left.
func TestRunAndWatchTakeTurns(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		young := w.addMany(10, newcomer)
		old := w.addMany(10, func(p *person) { p.user.Created = time.Now().Add(-1000 * time.Hour) })
		p := w.start(func(c *job.Config) { c.StampsPerDay = 1 })
		stop := p.watch(job.WatchOptions{})
		time.Sleep(2 * time.Minute)
		stop()
		p.end() // the brake has left nine in the file
		p = w.start()
		time.Sleep(time.Hour)
		wantFate(t, p.run(p.plan(job.Wanted{Verb: job.Stamp, Users: old}).Order(0), job.RunOptions{NoWait: true}), job.Called, 10)
		p.end()
		if got := len(w.waves); got != 11 {
			t.Errorf("%d users were stamped, want the watch's one and the ten who were named", got)
		}
		p = w.start()
		defer p.end()
		if err := p.engine.Brake().Release(t.Context(), tenant, time.Now()); err != nil {
			t.Fatalf("release the brake: %v", err)
		}
		stop = p.watch(job.WatchOptions{})
		time.Sleep(time.Hour)
		stop()
		w.want(1, young...)
		w.wantCured(append(young, old...), p)
	})
}

// The watch's own request is in the file, where a run leaves it; the run reads all the same.
func TestRunReadsBackWhatAWatchHasCalled(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		young := w.addMany(10, newcomer)
		p := w.start()
		defer p.end()
		stop := p.watch(job.WatchOptions{})
		time.Sleep(30 * time.Second)
		stop()
		ctx, cancel := context.WithCancel(t.Context())
		defer time.AfterFunc(time.Hour, cancel).Stop()
		result, err := p.engine.Run(ctx, p.plan(job.Wanted{Verb: job.Stamp, Users: young}).Order(0), job.RunOptions{})
		if err != nil {
			t.Errorf("Run: %v", err)
		}
		wantFate(t, result, job.Cured, 10)
		w.want(1, young...)
	})
}
