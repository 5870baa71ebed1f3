package job

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/bolt"
	"github.com/sessionstamp/sessionstamp/shared/memory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// RunOptions are how an order is carried out. The zero value will do.
type RunOptions struct {
	// NoWait ends the run after the calls. The next run or watch reads the stamps back.
	NoWait bool
	// MayCall tells whether a call may begin now; nil: it always may. Where it may not,
	// the run ends with [ErrClosed], and nothing is read back any more.
	MayCall func() bool
	// Progress is told after each user, one call at a time; it may be nil, and must not
	// block.
	Progress func(Progress)
}

// ErrStopped is what a run ends with before its order is done. What stopped it is in the
// error as well: [context.Canceled] where a person did.
var ErrStopped = errors.New("stopped before the end: nothing is lost, and the same order goes on from here")

// ErrClosed ends a run at a call that might not begin.
var ErrClosed = errors.New("no call may begin now")

// fileReaders is how many batches of stamps are read back at once.
const fileReaders = 2

// A run carries one order out.
type run struct {
	*tracker
	stamper *stamp.Stamper
	own     *memory.Queue // the order's requests; they are lost with the process
	file    *bolt.Queue
}

// Run carries an order out, new or unfinished, until each of its users is done: the call
// accepted and its stamp read back, or the reason known why not. It puts the order in the
// place of the last one, and takes it away once nobody is left to be called. It obeys Graph where that asks to wait, and goes on for days
// where Graph can't be reached.
//
// It ends with [ErrStopped] when ctx does, when Graph knows the caller no longer or lacks
// the right that it needs, and when the file can't be written. Then the same order goes
// on, in this process or another. The Result beside an error tells how far it came.
//
// It also reads back the stamps that earlier runs have left.
func (e *Engine) Run(ctx context.Context, o Order, options RunOptions) (Result, error) {
	e = e.excluding(o)
	r := &run{
		tracker: newTracker(e, o, options.Progress),
		own:     memory.NewQueue(memory.QueueOptions{Visibility: visibility, AllowRecursion: true, Now: e.Now}),
		file:    e.newQueue(0),
	}
	r.again = memory.Requests{Queue: r.own}
	r.stamper = e.newStamper(split{own: r.again, file: r.file}, r.tracker, func() error {
		if options.MayCall == nil || options.MayCall() {
			return nil
		}
		r.fail(ErrClosed)
		return ErrClosed
	})
	err := r.carryOut(ctx, options.NoWait)
	if err != nil {
		err = fmt.Errorf("%w: %w", ErrStopped, err)
	} else {
		err = e.record(context.WithoutCancel(ctx), o)
	}
	result, unread := r.result(context.WithoutCancel(ctx))
	return result, errors.Join(err, unread)
}

func (r *run) carryOut(ctx context.Context, noWait bool) error {
	if err := r.engine.Store(ctx, r.order); err != nil {
		return err
	}
	if err := r.again.Postpone(ctx, r.order.requests(r.engine.Tenant, r.engine.Now())); err != nil {
		return err
	}
	if err := r.work(ctx, noWait); err != nil {
		return err
	}
	// What earlier runs have left is due, and may be more than the workers came to.
	rest := func(ctx context.Context, _ int, bodies [][]byte) []error { return r.handle(ctx, bodies) }
	if err := newPoller(idle{r.file}, 1, rest).Run(ctx); !errors.Is(err, errIdle) {
		return err
	}
	return nil
}

// work has the workers work until the order is done. Then they receive nothing more, and
// end what is under way.
func (r *run) work(ctx context.Context, noWait bool) error {
	ctx, r.fail = context.WithCancelCause(ctx)
	defer r.fail(nil)
	receiving, stop := context.WithCancel(ctx)
	var pollers sync.WaitGroup
	defer pollers.Wait()
	defer stop()
	poll := func(from memory.Source, workers int) {
		handle := func(_ context.Context, _ int, bodies [][]byte) []error { return r.handle(ctx, bodies) }
		if err := newPoller(from, workers, handle).Run(receiving); receiving.Err() == nil {
			r.fail(err)
		}
	}
	pollers.Go(func() { poll(r.own, workers) })
	pollers.Go(func() { poll(r.file, fileReaders) })
	select {
	case <-r.called: // what is left, the reading back of stamps, is in the file
		if ctx.Err() != nil { // both at once: what failed says more
			return context.Cause(ctx)
		}
		if err := errors.Join(r.engine.record(ctx, r.order), r.engine.Store(ctx, Order{})); err != nil {
			return err
		}
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if noWait {
		return context.Cause(ctx)
	}
	select {
	case <-r.done:
	case <-ctx.Done():
	}
	return context.Cause(ctx)
}

// errNotOurs leaves an automatic request in the file, for a watch: nobody has named its
// user to this run.
var errNotOurs = errors.New("the request is left to a watch")

// handle passes a batch to the Stamper, without the requests that no person has made.
func (r *run) handle(ctx context.Context, bodies [][]byte) []error {
	ctx, cancel := context.WithTimeout(ctx, batchTime)
	defer cancel()
	errs := make([]error, len(bodies))
	var requests []stamp.Request
	var at []int
	for i, body := range bodies {
		req, err := stamp.DecodeRequest(body)
		if err == nil && !req.Approved {
			err = errNotOurs
		}
		if errs[i] = err; err == nil && !r.leave(ctx, req) {
			requests, at = append(requests, req), append(at, i)
		}
	}
	if len(requests) == 0 {
		return errs
	}
	for i, err := range r.stamper.Handle(ctx, requests) {
		errs[at[i]] = err
	}
	return errs
}

// leave tells whether nothing is to be done for a request any more: calls for its user have
// failed in this order.
func (r *run) leave(ctx context.Context, req stamp.Request) bool {
	entries, err := r.engine.ledger.Entries(ctx, r.engine.Tenant, []string{req.User})
	known := entries[req.User]
	if err != nil || !r.order.hasFailed(known) {
		return false // the Stamper tells of what is wrong with the file
	}
	r.Observe(ctx, stamp.Outcome{Request: req, Verdict: stamp.Done, Reason: stamp.ReasonKnownCannotFix})
	return true
}

// split keeps the reading back of stamps in the file, whatever becomes of the order, and
// all else with the order.
type split struct {
	own  memory.Requests
	file *bolt.Queue
}

// Postpone implements [stamp.Queue].
func (s split) Postpone(ctx context.Context, delayed []stamp.Delayed) error {
	var own, file []stamp.Delayed
	for _, d := range delayed {
		if d.Request.ReadBack {
			file = append(file, d)
		} else {
			own = append(own, d)
		}
	}
	if len(file) > 0 {
		if err := s.file.Postpone(ctx, file); err != nil {
			return err
		}
	}
	return s.own.Postpone(ctx, own)
}

// Progress is how far an order is.
type Progress struct {
	// Done of Total users need no call any more: it was accepted, or is not to be made.
	// It holds the Failed as well.
	Done, Failed, Total int
	// Ended counts those of them of whom nothing is left to do; the others' stamps are
	// to be read back.
	Ended int
	// ReadBack is in how long the last stamp can be read back, once nobody is left to be
	// called.
	ReadBack time.Duration
}
