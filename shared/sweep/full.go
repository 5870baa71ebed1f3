package sweep

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// full goes on with the full round under way, or begins one, and ends it.
func (r *run) full(ctx context.Context) error {
	r.report.Kind = KindFull
	if err := r.beginFull(ctx); err != nil {
		return err
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
	next := r.stored.Doc
	if !next.FullStarted.IsZero() {
		return nil
	}
	if err := proceed(ctx); err != nil {
		return err
	}
	if next.DeltaLink == "" {
		link, err := r.Graph.LatestDelta(ctx)
		if err != nil {
			return fmt.Errorf("begin delta: %w", err)
		}
		next.DeltaLink = link
	}
	return r.save(ctx, next.beginFull(r.Now().UTC()))
}

// fullPage reads one page of the list, queues its candidates, counts, and stores the
// place.
func (r *run) fullPage(ctx context.Context) (more bool, err error) {
	next := r.stored.Doc
	page, err := r.Graph.UserPage(ctx, next.FullNext)
	if err == nil && page.Next != "" && page.Next == next.FullNext {
		err = errNowhere
	}
	if err != nil {
		return true, r.listAgain(ctx, &pageError{fmt.Errorf("read a page of users: %w", err)})
	}
	if next.Counts, err = r.takeList(ctx, page); err != nil {
		return false, err
	}
	if page.Next == "" {
		return false, r.endFull(ctx, next)
	}
	next.FullNext = page.Next
	return true, r.save(ctx, next)
}

// listAgain lets the list begin again after its link has died, once in a run.
func (r *run) listAgain(ctx context.Context, failed *pageError) error {
	if r.stored.Doc.FullNext == "" || !failed.dead() || slices.Contains(r.report.Causes, CauseLinkFailed) || ctx.Err() != nil {
		return failed
	}
	r.because(CauseLinkFailed)
	next := r.stored.Doc.beginFull(r.Now().UTC())
	next.Asked = r.stored.Doc.Asked // the round may be of before the wish
	return r.save(ctx, next)
}

// endFull tells what was counted before it stores that the round is done: a run that
// dies in between reads the last page once more.
func (r *run) endFull(ctx context.Context, next Checkpoint) error {
	if err := r.Brake.SetMembers(ctx, r.Tenant, next.Counts.Members); err != nil {
		return fmt.Errorf("tell the brake of %d members: %w", next.Counts.Members, err)
	}
	next.FullNext, next.FullStarted, next.FullDone = "", time.Time{}, r.Now().UTC()
	if err := r.save(ctx, next); err != nil {
		return err
	}
	r.report.UnmatchedExclusions = r.unmatched(next.Counts.Matched)
	return nil
}
