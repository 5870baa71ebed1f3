package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/job"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// errHours ends a run at the end of its hours.
var errHours = errors.New("the hours are over")

// carryOut does what was said yes to, and shows what became of it.
func (c *call) carryOut(ctx context.Context, engine *job.Engine, m mission) error {
	result, err := c.run(ctx, engine, m)
	if len(result.Users) == 0 && err != nil {
		return err // nothing has begun
	}
	if err != nil || result.Count(job.Failed) > 0 {
		c.status = wrong
	}
	shown := c.show(c.outcome(m, result, err != nil))
	if err == nil {
		err = forbidden(result)
	}
	if errors.Is(err, context.Canceled) {
		err = nil // the result has said so
	}
	return errors.Join(shown, err)
}

// forbidden is what Graph says where it lets us sign out nobody: a right may be missing.
func forbidden(r job.Result) (err error) {
	for _, end := range r.Users {
		switch {
		case end.Fate == job.Failed && end.Reason == stamp.ReasonForbidden:
			err = end.Err
		case end.Fate != job.Open:
			return nil
		}
	}
	return err
}

// run carries an order out, within its hours.
func (c *call) run(ctx context.Context, engine *job.Engine, m mission) (result job.Result, err error) {
	for {
		until, err := c.await(ctx, m.hours)
		if err != nil {
			return result, err
		}
		work, stop := context.WithCancelCause(ctx)
		f := c.follow(len(m.order.Targets), until, stop)
		result, err = engine.Run(work, m.order, job.RunOptions{NoWait: m.noWait, Progress: f.take})
		f.end()
		stop(nil)
		if !errors.Is(err, errHours) {
			return result, err
		}
	}
}

// A follower shows how far an order is, and stops it when its hours are over.
type follower struct {
	c     *call
	bar   *screen.Progress
	until time.Time
	halt  context.CancelCauseFunc

	mu     sync.Mutex
	latest job.Progress

	// What follows is its goroutine's.
	called bool      // told that nobody is left to be called
	wait   time.Time // until when we have said that stamps are read back

	stop chan struct{}
	over sync.WaitGroup
}

// follow begins to show. Its goroutine lives until end.
func (c *call) follow(total int, until time.Time, halt context.CancelCauseFunc) *follower {
	f := &follower{
		c: c, until: until, halt: halt, latest: job.Progress{Total: total}, stop: make(chan struct{}),
		bar: screen.NewProgress(c.Stderr, c.Err, c.lang, c.Now),
	}
	every := time.Second
	if c.Err.Live {
		every = 200 * time.Millisecond
	}
	f.over.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				f.show()
			case <-f.stop:
				return
			}
		}
	})
	return f
}

// take is told by the run.
func (f *follower) take(p job.Progress) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.latest = p
}

func (f *follower) show() {
	f.mu.Lock()
	p := f.latest
	f.mu.Unlock()
	count := screen.Count{Done: p.Done, Failed: p.Failed, Total: p.Total}
	now := f.c.Now()
	switch {
	case p.Done < p.Total && now.After(f.until):
		f.halt(errHours)
	case p.Done < p.Total:
		f.bar.Show(count)
	case !f.called:
		f.called = true
		f.bar.End(count)
		fallthrough
	default:
		f.readBack(p, now)
	}
}

// readBack says what a run waits for whose calls are over, and until when. It may take
// longer than that: a server of Microsoft's may lag behind.
func (f *follower) readBack(p job.Progress, now time.Time) {
	left := p.Total - p.Ended
	if left == 0 || now.Before(f.wait) {
		return
	}
	f.wait = now.Add(f.c.lag())
	if p.End.After(now) {
		f.wait = p.End
	}
	f.c.tell(line{text: f.c.say("order.reads_back", language.Number(left), f.c.by(f.wait)), colour: screen.Faint})
}

// end shows the last count, unless it was shown.
func (f *follower) end() {
	close(f.stop)
	f.over.Wait()
	if !f.called {
		f.bar.End(screen.Count{Done: f.latest.Done, Failed: f.latest.Failed, Total: f.latest.Total})
	}
}
