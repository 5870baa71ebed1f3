package sweep

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/state"
)

const (
	// fullEvery is a day, less half an hour: runs are hourly, and a round of every night
	// is not to wander through the day.
	fullEvery = 24*time.Hour - 30*time.Minute
	// margin is how long before its deadline a run begins no more pages: longer than a
	// page takes from Graph to the checkpoint.
	margin = 15 * time.Second
	// maxFull bounds the full rounds of one run: one that an earlier run has begun, and
	// one that was asked for meanwhile.
	maxFull = 2
)

// Ends of a run that are no failures.
var (
	errOutOfTime = errors.New("the deadline is near")
	errOvertaken = errors.New("another run is at work")
)

// errNowhere is the fault of a page without a link, or with a link to itself.
var errNowhere = errors.New("it leads nowhere")

// A pageError is a page that could not be read.
type pageError struct{ error }

func (e *pageError) Unwrap() error { return e.error }

// dead tells whether the link will never work again. Graph says so with several codes,
// see [directory.Error.Expired], and with a bare 400 or 404.
func (e *pageError) dead() bool {
	graph, ok := errors.AsType[*directory.Error](e.error)
	return errors.Is(e.error, errNowhere) || ok &&
		(graph.Expired() || graph.StatusCode == http.StatusBadRequest || graph.StatusCode == http.StatusNotFound)
}

// A run is one increment, and a full round where one is due.
type run struct {
	config

	stored state.Item[Checkpoint] // as it was stored last
	report Report
}

func (s *Sweeper) newRun(k Kind) *run {
	return &run{config: s.config, report: Report{Tenant: s.Tenant, Kind: k, Started: s.Now().UTC()}}
}

// sweep makes a run and tells of it.
func (s *Sweeper) sweep(ctx context.Context) (Report, error) {
	r := s.newRun(KindIncrement)
	err := r.conclude(r.rounds(ctx))
	s.log(ctx, r.report, err)
	if s.Observer != nil {
		s.Observer.ObserveSweep(ctx, r.report)
	}
	return r.report, err
}

// conclude tells an end from a failure.
func (r *run) conclude(err error) error {
	switch {
	case err == nil:
		r.report.Finished = true
	case errors.Is(err, errOutOfTime):
		r.because(CauseOutOfTime)
		return nil
	case errors.Is(err, errOvertaken):
		r.because(CauseOvertaken)
		return nil
	default:
		r.because(CauseFailed)
	}
	return err
}

func (r *run) because(c Cause) { r.report.Causes = append(r.report.Causes, c) }

// rounds makes the increment first, because the newest users are in it.
//
// It drops a link of delta that is dead, and every failing one before a new full round: so
// no link can hold up the sweep for longer than a day. A full round under way goes on
// beside the failure, which is still told.
func (r *run) rounds(ctx context.Context) error {
	var err error
	if r.stored, err = r.Store.Load(ctx, r.Tenant); err != nil {
		return fmt.Errorf("read the checkpoint: %w", err)
	}
	failed := r.increment(ctx)
	page, ok := errors.AsType[*pageError](failed)
	switch {
	case failed != nil && (!ok || ctx.Err() != nil):
		return failed
	case failed != nil && (page.dead() || r.stored.Doc.FullStarted.IsZero() && r.fullDue() != ""):
		r.because(CauseLinkFailed)
		if failed = r.save(ctx, r.stored.Doc.dropDelta()); failed != nil {
			return failed
		}
	}
	for range maxFull {
		cause := r.fullDue()
		if cause == "" {
			break
		}
		r.because(cause)
		if err := r.full(ctx); err != nil {
			return cmp.Or(failed, err)
		}
	}
	return failed
}

// fullDue tells why a full round is to be made now, "" for not at all.
func (r *run) fullDue() Cause {
	c := r.stored.Doc
	switch {
	case !c.FullStarted.IsZero():
		return CauseContinued
	case c.DeltaLink == "":
		return CauseFirst
	case c.Asked:
		return CauseAsked
	case r.Now().Sub(c.FullDone) >= fullEvery:
		return CauseDaily
	}
	return ""
}

// increment follows delta to its end. The place is stored after each page, when its
// candidates are in the queue.
func (r *run) increment(ctx context.Context) error {
	for more := r.stored.Doc.DeltaLink != ""; more; {
		if err := proceed(ctx); err != nil {
			return err
		}
		next := r.stored.Doc
		link := next.DeltaLink
		page, err := r.Graph.DeltaPage(ctx, link)
		if err != nil {
			return &pageError{fmt.Errorf("read a page of delta: %w", err)}
		}
		if err := r.takeDelta(ctx, page); err != nil {
			return err
		}
		more, next.DeltaLink = page.Next != "", cmp.Or(page.Next, page.Delta)
		if next.DeltaLink == "" || page.Next == link {
			return &pageError{fmt.Errorf("read a page of delta: %w", errNowhere)}
		}
		if next.DeltaLink == link {
			return nil // nothing has changed
		}
		if err := r.save(ctx, next); err != nil {
			return err
		}
	}
	return nil
}

// proceed tells, before every page, whether there is time for one.
func proceed(ctx context.Context) error {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < margin {
		return errOutOfTime
	}
	return nil
}

// save stores the checkpoint. Somebody may have asked for a full round meanwhile: then
// the wish is kept. Where another run was faster, this one ends.
func (r *run) save(ctx context.Context, next Checkpoint) error {
	for range saveAttempts {
		stored, err := r.Store.Save(ctx, r.Tenant, state.Item[Checkpoint]{Doc: next, Version: r.stored.Version})
		if err == nil {
			r.stored = stored
			return nil
		}
		if !errors.Is(err, state.ErrConflict) {
			return fmt.Errorf("save the checkpoint: %w", err)
		}
		current, err := r.Store.Load(ctx, r.Tenant)
		if err != nil {
			return fmt.Errorf("read the checkpoint: %w", err)
		}
		if !current.Doc.samePlace(r.stored.Doc) {
			return errOvertaken
		}
		next.Asked = next.Asked || current.Doc.Asked
		r.stored = current
	}
	return errOvertaken
}
