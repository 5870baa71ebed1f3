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

// carryOut does what was said yes to, and shows what became of it.
func (c *call) carryOut(ctx context.Context, engine *job.Engine, m mission) error {
	result, err := c.run(ctx, engine, m)
	if len(result.Users) == 0 && err != nil {
		return err // nothing has begun
	}
	if err != nil || result.Count(job.Failed) > 0 || earlier(result, job.Failed) > 0 {
		c.status = wrong
	}
	shown := c.show(c.outcome(m, result, err))
	if err == nil {
		err = forbidden(result)
	}
	if toldByOutcome(err) {
		err = nil
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

// run carries an order out, within its hours. The order stands in the file before it waits
// for them: whatever ends the waiting, --continue goes on.
func (c *call) run(ctx context.Context, engine *job.Engine, m mission) (result job.Result, err error) {
	if m.stack != nil {
		return c.handOver(ctx, engine, m)
	}
	if err := engine.Store(ctx, m.order); err != nil {
		return result, err
	}
	options := job.RunOptions{NoWait: m.noWait, MayCall: func() bool { return m.hours.hold(c.Now()) }}
	if from, _ := m.hours.window(c.Now()); !options.MayCall() {
		c.tell(line{text: c.say("order.waits", c.clock(from))})
	}
	for {
		if stopped := c.await(ctx, m.hours); stopped != nil && len(result.Users) > 0 {
			return result, stopped
		} else if stopped != nil {
			return engine.Run(ctx, m.order, options) // it begins nothing, and tells how far the order is
		}
		f := c.follow(len(m.order.Targets), "order.reads_back")
		options.Progress = f.take
		earlier := result.Earlier
		result, err = engine.Run(ctx, m.order, options)
		result.Earlier = append(earlier, result.Earlier...)
		f.end()
		if !errors.Is(err, job.ErrClosed) {
			return result, err
		}
		left := result.Count(job.Open)
		if left == 0 {
			return result, nil // a second call is left to the next run, as the reading back is
		}
		from, _ := m.hours.window(c.Now())
		c.tell(line{text: c.say("order.pauses", language.Number(len(result.Users)-left), language.Number(left), c.clock(from))})
	}
}

// A follower shows how far an order is.
type follower struct {
	c     *call
	bar   *screen.Progress
	waits language.Key // what to say of the reading back

	mu     sync.Mutex
	latest job.Progress
	shows  time.Time // when the last stamp is to show

	// What follows is its goroutine's.
	called bool      // told that nobody is left to be called
	wait   time.Time // until when we have said that stamps are read back

	silence func() // ends its goroutine
}

// follow begins to show. Its goroutine lives until end.
func (c *call) follow(total int, waits language.Key) *follower {
	f := &follower{
		c: c, waits: waits, latest: job.Progress{Total: total},
		bar: screen.NewProgress(c.Stderr, c.Err, c.lang, c.Now),
	}
	every := time.Second
	if c.Err.Live {
		every = 200 * time.Millisecond
	}
	f.silence = repeat(every, f.show)
	return f
}

// take is told by the run.
func (f *follower) take(p job.Progress) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.latest, f.shows = p, f.c.Now().Add(p.ReadBack)
}

func (f *follower) show() {
	f.mu.Lock()
	p, shows := f.latest, f.shows
	f.mu.Unlock()
	count := screen.Count{Done: p.Done, Failed: p.Failed, Total: p.Total}
	switch {
	case p.Done < p.Total:
		f.bar.Show(count)
	case !f.called:
		f.called = true
		f.bar.End(count)
		fallthrough
	default:
		f.readBack(p.Total-p.Ended, shows)
	}
}

// readBack says what a run waits for whose calls are over, and until when. If it takes longer
// than that, since a server of Microsoft's lags behind, it says so again.
func (f *follower) readBack(left int, shows time.Time) {
	now := f.c.Now()
	if left == 0 || now.Before(f.wait) {
		return
	}
	if shows.Before(now) {
		shows = now.Add(f.c.lag())
	}
	const reading = 10 * time.Second // takes its time as well
	f.wait = fullMinute(shows.Add(reading))
	f.c.tell(line{text: f.c.sayN(f.waits, left, f.c.clock(f.wait)), colour: screen.Faint})
}

// end shows the last count, unless it was shown.
func (f *follower) end() {
	f.silence()
	if !f.called {
		f.bar.End(screen.Count{Done: f.latest.Done, Failed: f.latest.Failed, Total: f.latest.Total})
	}
}
