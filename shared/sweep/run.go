package sweep

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
)

// A run is one call of [Sweeper.Run].
type run struct {
	config

	real       revocation.BackfillStore // of the backfill's state, in a dry run as well
	holder     string                   // of the lease, different in every run
	end        time.Time                // by the calendar
	leased     bool                     // the lease is ours, or may be
	checkpoint Checkpoint
	// found are the new users that this run has queued: those that an increment
	// shows appear in the full round again. There are at most maxFound.
	found  map[string]struct{}
	report Report
	err    error
}

// maxFound bounds the memory of a run. Whoever is beyond is queued and counted
// twice, which is harmless.
const maxFound = 10_000

// Ends of a run that are no failures; errExpired, after which the rounds begin
// afresh; and errStuck, after which they do if it comes again and again.
var (
	errLeased     = errors.New("another run is at work")
	errSuperseded = errors.New("another run has taken over")
	errOutOfTime  = errors.New("the deadline is near")
	errExpired    = errors.New("the link has expired")
	errStuck      = errors.New("the link leads nowhere")
)

// Faults of a page.
var (
	errNoLink = errors.New("it ends without a link")
	errItself = errors.New("it leads to itself")
)

// saveAttempts is how often a checkpoint is read again because somebody else,
// who asked for a sweep, was faster. It bounds what can't happen often.
const saveAttempts = 10

// acquire takes the lease. The version makes sure that nobody else did; the time
// only tells when a run that died can be counted out.
func (r *run) acquire(ctx context.Context) error {
	var err error
	for range saveAttempts {
		if err = r.tryAcquire(ctx); !errors.Is(err, ErrConflict) {
			break
		}
	}
	return err
}

func (r *run) tryAcquire(ctx context.Context) error {
	stored, err := r.Store.Checkpoint(ctx, r.Tenant)
	if err != nil {
		return fmt.Errorf("read the checkpoint: %w", err)
	}
	now := r.Now().UTC()
	r.checkpoint = stored
	if stored.Holder != r.holder && now.Before(stored.HeldUntil) {
		r.leased = false
		return errLeased
	}
	// Only now: if it is forgotten after this, the version tells.
	subscribed, err := r.Subscribed(ctx)
	if err != nil {
		return fmt.Errorf("ask since when notifications flow: %w", err)
	}
	length := r.Settings.Lease
	if deadline, ok := ctx.Deadline(); ok {
		length = min(length, time.Until(deadline))
	}
	r.end = now.Add(length)
	r.checkpoint.Tenant = r.Tenant
	r.checkpoint.Since = earliest(stored.Since, subscribed.UTC())
	r.checkpoint.Holder, r.checkpoint.HeldUntil = r.holder, r.end
	r.leased = true
	return r.store(ctx)
}

// save writes the checkpoint. Somebody may have asked for a sweep meanwhile:
// that is taken over. Somebody may have taken the lease: then nothing of ours
// counts any more.
func (r *run) save(ctx context.Context) error {
	err := r.store(ctx)
	for range saveAttempts {
		if !errors.Is(err, ErrConflict) {
			return err
		}
		stored, readErr := r.Store.Checkpoint(ctx, r.Tenant)
		if readErr != nil {
			return fmt.Errorf("read the checkpoint: %w", readErr)
		}
		if stored.Holder != r.holder {
			r.leased = false
			return errSuperseded
		}
		r.checkpoint.adopt(stored)
		err = r.store(ctx)
	}
	return err
}

func (r *run) store(ctx context.Context) error {
	r.checkpoint.settle()
	if err := r.Store.SaveCheckpoint(ctx, r.checkpoint); err != nil {
		return fmt.Errorf("save the checkpoint: %w", err)
	}
	r.checkpoint.Version++
	return nil
}

// releaseTimeout bounds the release after the invocation's own time.
const releaseTimeout = 5 * time.Second

// release gives the lease back, so that the next run need not wait until it
// lapses. It is tried even where the run failed or was cancelled.
func (r *run) release(ctx context.Context) {
	if !r.leased {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	r.checkpoint.Holder, r.checkpoint.HeldUntil = "", time.Time{}
	if err := r.save(ctx); err != nil && !errors.Is(err, errSuperseded) && r.err == nil {
		r.report.Finished, r.report.Stopped = false, StopFailed
		r.err = fmt.Errorf("give the lease back: %w", err)
	}
}

// proceed tells, before every page, whether there is time for one.
func (r *run) proceed(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	left := r.end.Sub(r.Now())
	if deadline, ok := ctx.Deadline(); ok {
		left = min(left, time.Until(deadline))
	}
	switch {
	case left > r.Settings.Margin:
		return nil
	case r.report.Requests == 0:
		// Such a function would never get anywhere, and never say so.
		return fmt.Errorf("%s are too few for one page: the margin is %s", left, r.Settings.Margin)
	}
	return errOutOfTime
}

// call counts a request to Graph and tells links that have expired, or are stuck,
// from other failures. A first request has no link that could be.
func (r *run) call(link, what string, request func() error) error {
	r.report.Requests++
	err := request()
	if err == nil {
		return nil
	}
	e, graph := errors.AsType[*directory.Error](err)
	switch {
	case link == "":
	case graph && lost(e):
		return fmt.Errorf("%s: %w: %w", what, errExpired, err)
	case graph && answered(e), errors.Is(err, errNoLink), errors.Is(err, errItself):
		return fmt.Errorf("%s: %w: %w", what, errStuck, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// answered tells whether Graph had an answer for this very request. To be throttled
// says nothing of a link.
func answered(e *directory.Error) bool { return e.StatusCode != 0 && !e.Throttled() }

// maxFailed is how many runs in a row may be stuck at a link before it is given up.
// Until then Graph may be at fault, and to go on costs less than to begin anew.
const maxFailed = 4

// lost tells whether a link will never be good again. Graph documents "40x errors
// with error codes such as syncStateNotFound", so any refusal of the request counts:
// to hold on to such a link would be to sweep nobody ever again, and to let a good
// one go costs a full round.
func lost(e *directory.Error) bool {
	return e.Expired() || e.StatusCode == http.StatusBadRequest || e.StatusCode == http.StatusNotFound
}
