package revocation

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// mayBackfill tells whether the job asks for an existing user to be stamped, and
// the mode allows it.
func (r *Revoker) mayBackfill(j *job) bool {
	j.backfill = j.request.Backfill && r.Policy.Backfill.Mode == ModeEnforce
	return j.backfill
}

// passCeilings lets as many existing users pass as the ceilings allow, the newest
// first, and leaves the others waiting.
func (r *Revoker) passCeilings(ctx context.Context, jobs []*job, now time.Time) {
	var existing []*job
	for _, j := range jobs {
		if j.backfill {
			existing = append(existing, j)
		}
	}
	if len(existing) == 0 {
		return
	}
	granted, stopped, err := r.takeCeilings(ctx, len(existing), now)
	if err != nil {
		postponeAll(existing, ReasonBackfillUnavailable, err)
		return
	}
	slices.SortStableFunc(existing, func(a, b *job) int { return b.user.Created.Compare(a.user.Created) })
	for _, j := range existing[granted:] {
		j.hold(stopped)
	}
}

// takeCeilings counts n existing users against the ceilings before they are
// revoked, so that a worker that dies leaves too many counted, never too few. A
// dry run keeps a count of its own.
func (r *Revoker) takeCeilings(ctx context.Context, n int, now time.Time) (granted int, stopped Reason, err error) {
	var real BackfillState
	if r.DryRun {
		if real, err = r.Backfill.Backfill(ctx, r.Tenant); err != nil {
			return 0, "", fmt.Errorf("read the state of the backfill: %w", err)
		}
	}
	err = UpdateBackfill(ctx, r.Backfill, r.backfillKey(), func(s BackfillState) BackfillState {
		if r.DryRun {
			s.Members = real.Members // counted once, by the sweep
		}
		granted, s = s.Take(n, r.Policy.Backfill.Ceilings, now)
		stopped = s.Stopped
		return s
	})
	return granted, stopped, err
}

// backfillKey keeps the counts of a dry run apart from the real ones.
func (r *Revoker) backfillKey() string {
	if r.DryRun {
		return r.Tenant + "/dry-run"
	}
	return r.Tenant
}
