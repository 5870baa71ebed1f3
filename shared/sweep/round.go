package sweep

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/state"
)

const (
	// fullEvery is a day, less half an hour: runs are hourly, and a round of once a day
	// is not to wander through the day.
	fullEvery = 24*time.Hour - 30*time.Minute
	// margin is how long before its deadline a run begins no more pages: longer than a
	// page takes from Graph to the checkpoint.
	margin = 15 * time.Second
	// maxFull bounds the full rounds of one run: one that an earlier run has begun, and
	// one that was asked for meanwhile.
	maxFull = 2
)

// errOutOfTime ends a run that the next one goes on with.
var errOutOfTime = errors.New("the deadline is near")

// A run is one increment, and a full round where one is due; or a preview.
type run struct {
	Config

	// dry lets nothing be queued or stored: a preview is a full round that leaves no
	// trace.
	dry    bool
	stored state.Item[Checkpoint] // as it was stored last
	report Report
}

func (r *run) because(c Cause) { r.report.Causes = append(r.report.Causes, c) }

// rounds makes the increment first, because the newest users are in it. In a pause it
// reads nothing, so that the next run after it goes on from the same place.
func (r *run) rounds(ctx context.Context) error {
	brake, _, err := r.Brake.State(ctx, r.Tenant)
	if err != nil {
		return err
	}
	if !brake.Paused.IsZero() {
		return stamp.ErrPaused
	}
	if r.stored, err = r.Store.Load(ctx, r.Tenant); err != nil {
		return fmt.Errorf("read the checkpoint: %w", err)
	}
	if err := r.increment(ctx); err != nil {
		return err
	}
	for range maxFull {
		cause := r.fullDue()
		if cause == "" {
			break
		}
		r.because(cause)
		r.report.Kind = KindFull
		if err := r.full(ctx); err != nil {
			return err
		}
	}
	return nil
}

// fullDue tells why a full round is to be made now, "" for not at all.
func (r *run) fullDue() Cause {
	switch c := r.stored.Doc; {
	case c.underWay(r.Now()):
		return CauseContinued
	case c.DeltaLink == "":
		return CauseFirst
	case c.FullDue.IsZero():
		return CauseAsked
	case !r.Now().Before(c.FullDue):
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
		page, err := r.read(ctx, r.Graph.DeltaPage, next.DeltaLink)
		if err != nil {
			return r.dropDelta(ctx, err)
		}
		complete(page.Users, r.Now())
		if err := r.enqueue(ctx, page.Users); err != nil {
			return err
		}
		more, next.DeltaLink = page.Next != "", cmp.Or(page.Next, page.Delta)
		if err := r.save(ctx, next); err != nil {
			return err
		}
	}
	return nil
}

// dropDelta gives up a link of delta that has failed, for whatever reason: the client has
// tried it several times, and a link that is not dropped could hold up the sweep for
// ever. A full round finds the users behind it. One under way goes on, and another one
// follows, because it has passed pages on which such users may stand.
func (r *run) dropDelta(ctx context.Context, failed error) error {
	if ctx.Err() != nil {
		return failed
	}
	r.because(CauseLinkFailed)
	r.Log.LogAttrs(ctx, slog.LevelWarn, "the link of delta failed: a full round replaces it",
		slog.String(logTenant, r.Tenant), slog.String(logError, failed.Error()))
	next := r.stored.Doc
	next.DeltaLink = ""
	return r.save(ctx, next)
}

// full goes on with the full round under way, or begins one, and ends it.
func (r *run) full(ctx context.Context) error {
	if !r.stored.Doc.underWay(r.Now()) {
		if err := r.beginFull(ctx); err != nil {
			return err
		}
	}
	for more := true; more; {
		if err := proceed(ctx); err != nil {
			return err
		}
		var err error
		if more, err = r.fullPage(ctx); err != nil {
			return err
		}
	}
	return nil
}

// beginFull stores where the next increment begins, before anybody is listed: so no
// user falls between the list and delta. A link that works is kept.
func (r *run) beginFull(ctx context.Context) error {
	next := r.begun()
	if next.DeltaLink == "" && !r.dry {
		link, err := r.Graph.LatestDelta(ctx)
		if err != nil {
			return fmt.Errorf("begin delta: %w", err)
		}
		next.DeltaLink = link
	}
	return r.save(ctx, next)
}

// begun is the checkpoint with which the list of all users begins. It answers whoever
// asked before.
func (r *run) begun() Checkpoint {
	next, now := r.stored.Doc, r.Now().UTC()
	next.FullNext, next.FullStarted, next.FullDue = "", now, r.NextFull(now)
	next.Counts = Counts{}
	next.Unmatched = slices.Concat(r.Policy.Exclusions.IDs, r.Policy.Exclusions.Patterns)
	return next
}

// fullPage reads one page of the list, counts, queues its candidates, and stores the
// place.
func (r *run) fullPage(ctx context.Context) (more bool, err error) {
	next := r.stored.Doc
	page, err := r.read(ctx, r.Graph.UserPage, next.FullNext)
	if err != nil {
		return false, r.listFailed(ctx, err)
	}
	if err := r.survey(ctx, &next, page.Users); err != nil {
		return false, err
	}
	if err := r.enqueue(ctx, page.Users); err != nil {
		return false, err
	}
	if next.FullNext = page.Next; page.Next == "" {
		return false, r.endFull(ctx, next)
	}
	return true, r.save(ctx, next)
}

// listFailed lets the next run begin the list again where asking for the same page once
// more is of no use: Graph refuses its address, or nobody can read what is there. Where
// Graph is down, throttles, or knows us no longer, the next run goes on.
func (r *run) listFailed(ctx context.Context, failed error) error {
	e, ok := errors.AsType[*directory.Error](failed)
	down := !ok || e.StatusCode == 0 || e.StatusCode >= http.StatusInternalServerError
	if down || e.Throttled() || e.Forbidden() || e.StatusCode == http.StatusUnauthorized {
		return failed
	}
	if err := r.save(ctx, r.begun()); err != nil {
		return fmt.Errorf("%w (and the list can't begin again: %s)", failed, err.Error()) // a conflict must not hide it
	}
	return failed
}

// endFull tells what was counted before it stores that the round is done: a run that
// dies in between reads the last page once more.
func (r *run) endFull(ctx context.Context, next Checkpoint) error {
	if !r.dry {
		if err := r.Brake.SetMembers(ctx, r.Tenant, next.Counts.Members); err != nil {
			return fmt.Errorf("tell the brake of %d members: %w", next.Counts.Members, err)
		}
	}
	next.FullStarted = time.Time{}
	if err := r.save(ctx, next); err != nil {
		return err
	}
	r.report.UnmatchedExclusions = next.Unmatched
	return nil
}

// errEndless is the fault of a page that leads to itself.
var errEndless = &directory.Error{Operation: "follow a page", StatusCode: http.StatusOK, Err: errors.New("it leads to itself")}

// read reads the page at a link, and counts what is there.
func (r *run) read(ctx context.Context, get func(context.Context, string) (directory.UserPage, error), link string) (directory.UserPage, error) {
	page, err := get(ctx, link)
	if err == nil && page.Next != "" && page.Next == link {
		err = errEndless
	}
	if err != nil {
		return page, fmt.Errorf("read a page of users: %w", err)
	}
	r.report.Pages++
	r.report.Users += len(page.Users)
	r.report.Unreadable += page.Unreadable
	return page, nil
}

// proceed tells, before every page, whether there is time for one.
func proceed(ctx context.Context) error {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < margin {
		return errOutOfTime
	}
	return nil
}

// save stores the checkpoint. If another run, or somebody who asked for a full round, has
// written it meanwhile, this run ends: what it would have stored is read once more.
func (r *run) save(ctx context.Context, next Checkpoint) error {
	r.stored.Doc = next
	if r.dry {
		return nil
	}
	stored, err := r.Store.Save(ctx, r.Tenant, r.stored)
	if err != nil {
		return fmt.Errorf("save the checkpoint: %w", err)
	}
	r.stored = stored
	return nil
}
