package revocation

import (
	"context"
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
// revoked, so that a worker that dies leaves too many counted, never too few.
func (r *Revoker) takeCeilings(ctx context.Context, n int, now time.Time) (granted int, stopped Reason, err error) {
	err = UpdateBackfill(ctx, r.Backfill, r.Tenant, func(s BackfillState) BackfillState {
		granted, s = s.Take(n, r.Policy.Backfill.Ceilings, now)
		stopped = s.Stopped
		return s
	})
	return granted, stopped, err
}
