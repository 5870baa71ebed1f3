package job

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/bolt"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

// WatchOptions are how a tenant is watched. The zero value will do.
type WatchOptions struct {
	// Every is how often Graph is asked who has changed; 0: once a minute.
	Every time.Duration
	// Observe is told of every outcome, by several goroutines at once; nil: nobody is.
	Observe func(stamp.Outcome)
	// Swept is told of every look, with its failure if there was one, after which the
	// next goes on; nil: nobody is.
	Swept func(sweep.Report, error)
	// Listening is how [Engine.Watch] hears what a provider reports; nil: it does not.
	Listening *Listening
}

const (
	// watchReceives is how often a process is given a request that fails, as in a
	// deployment.
	watchReceives = 20
	// sweepTime bounds one look. The next one goes on where it stopped.
	sweepTime = 15 * time.Minute
)

// A watch looks for new users.
type watch struct {
	options WatchOptions
	queue   stamp.Queue
	sweeper *sweep.Sweeper
	stamper *stamp.Stamper
}

func (e *Engine) newWatch(queue stamp.Queue, options WatchOptions) *watch {
	options.Every = cmp.Or(options.Every, time.Minute)
	w := &watch{options: options, queue: queue}
	w.stamper = e.newStamper(queue, w, nil)
	w.sweeper = sweep.New(sweep.Config{
		Tenant: e.Tenant, Graph: e.Graph, Queue: prompt{queue}, Domains: e.domains, Policy: e.Policy,
		Store: bolt.NewState[sweep.Checkpoint](e.File, "sweep"), Brake: e.brake, Log: e.Log, Now: e.Now,
		NextFull: func(began time.Time) time.Time { return nextNight(began.In(e.Now().Location())) },
	})
	return w
}

// Watch stamps new users as the policy says and the brake allows, until ctx is done; then
// it returns nil. It asks Graph who has changed, and looks at everybody each night. It
// also reads back the stamps that a run has left. It goes on where the last process
// stopped, and survives failures of Graph; it returns an error where the file fails.
func (e *Engine) Watch(ctx context.Context, options WatchOptions) error {
	queue := e.newQueue(watchReceives)
	w := e.newWatch(queue, options)
	work, stop := context.WithCancelCause(ctx)
	var all sync.WaitGroup
	all.Go(func() { stop(newPoller(queue, workers, w.handle).Run(work)) })
	all.Go(func() { w.look(work) })
	if options.Listening != nil {
		all.Go(func() { stop(e.newEars(*options.Listening, queue).listen(work)) })
	}
	all.Wait()
	if ctx.Err() != nil {
		return nil //nolint:nilerr // it was to end
	}
	return context.Cause(work)
}

// Once looks once, and does what is due, for whoever has a scheduler. What is due later,
// such as the reading back of stamps, the next one does.
func (e *Engine) Once(ctx context.Context, options WatchOptions) error {
	queue := e.newQueue(watchReceives)
	w := e.newWatch(queue, options)
	failed := w.sweep(ctx)
	if err := newPoller(idle{queue}, 1, w.handle).Run(ctx); !errors.Is(err, errIdle) {
		failed = errors.Join(failed, err)
	}
	return failed
}

// look sweeps now and after each interval, until ctx is done.
func (w *watch) look(ctx context.Context) {
	tick := time.NewTicker(w.options.Every)
	defer tick.Stop()
	for ctx.Err() == nil {
		_ = w.sweep(ctx) // the next one goes on
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

func (w *watch) sweep(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, sweepTime)
	defer cancel()
	report, err := w.sweeper.Run(ctx, sweep.OrderUsual)
	if w.options.Swept != nil {
		w.options.Swept(report, err)
	}
	return err
}

func (w *watch) handle(ctx context.Context, _ int, bodies [][]byte) []error {
	return w.stamper.HandleMessages(ctx, bodies)
}

// Observe implements [stamp.Observer].
func (w *watch) Observe(_ context.Context, o stamp.Outcome) {
	if w.options.Observe != nil {
		w.options.Observe(o)
	}
}

// prompt is a queue without delays for the sweep, which else leaves its first quarter of
// an hour to a notification. Here none comes.
type prompt struct{ stamp.Queue }

// Postpone implements [stamp.Queue].
func (p prompt) Postpone(ctx context.Context, delayed []stamp.Delayed) error {
	for i := range delayed {
		delayed[i].Delay = 0
	}
	return p.Queue.Postpone(ctx, delayed)
}

const (
	// nightHour is when everybody is looked at, where the clock stands.
	nightHour = 2
	// nightGap is how far a full round is from the next at least: one that was made in
	// the evening need not be made again in the same night.
	nightGap = 6 * time.Hour
)

// nextNight is when the full round after one that began at a moment is due, 30 hours
// later at most.
func nextNight(began time.Time) time.Time {
	night := time.Date(began.Year(), began.Month(), began.Day(), nightHour, 0, 0, 0, began.Location())
	for night.Sub(began) < nightGap {
		night = night.AddDate(0, 0, 1)
	}
	return night
}
