package sweep

import (
	"context"
	"fmt"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/revocation"
)

// backfill asks the revoker to stamp the newest of the existing users that it
// holds. The revoker has the last word on ceilings and quiet hours, and may go on
// holding them: they come again with a later batch.
//
// A batch is not made before the one before it has had its time, so that nobody
// is queued twice. That is written down before the batch is queued: if the run
// dies in between, the users wait until then, which hurts nobody.
func (r *run) backfill(ctx context.Context) error {
	now := r.Now().UTC()
	state, err := r.shareMembers(ctx)
	if err != nil {
		return err
	}
	rules := r.Policy.Backfill
	if rules.Mode != revocation.ModeEnforce || r.Settings.BackfillPerRun == 0 || now.Before(r.checkpoint.BackfillUntil) ||
		r.checkpoint.Members == 0 || state.Stopped != "" || !rules.Hours.Contain(now) {
		return nil
	}
	if err := r.proceed(ctx); err != nil {
		return err
	}
	held, err := r.Held.Held(ctx, r.Tenant, r.Settings.BackfillPerRun)
	if err != nil {
		return fmt.Errorf("ask who waits for the backfill: %w", err)
	}
	held = held[:min(len(held), r.Settings.BackfillPerRun)]
	if len(held) == 0 {
		return nil
	}
	length := time.Duration(len(held)-1) * r.Settings.BackfillPace
	r.checkpoint.BackfillUntil = now.Add(length + r.Settings.BackfillSettle)
	if err := r.save(ctx); err != nil {
		return err
	}
	if err := r.Queue.Postpone(ctx, r.backfillRequests(held, now)); err != nil {
		return fmt.Errorf("queue %d users of the backfill: %w", len(held), err)
	}
	r.report.Backfill = len(held)
	return nil
}

// shareMembers tells the ceilings how many members the last full round counted,
// and returns how the backfill stands. In a dry run the real ceilings are told, too:
// it is a fact, and without it they would stop the backfill as soon as that becomes
// real.
func (r *run) shareMembers(ctx context.Context) (revocation.BackfillState, error) {
	state, err := r.backfillState(ctx)
	if err != nil {
		return state, err
	}
	if err := r.tellMembers(ctx, r.Backfill, state); err != nil || !r.DryRun {
		return state, err
	}
	actual, err := r.real.Backfill(ctx, r.Tenant)
	if err != nil {
		return state, fmt.Errorf("read the state of the backfill: %w", err)
	}
	return state, r.tellMembers(ctx, r.real, actual)
}

func (r *run) tellMembers(ctx context.Context, store revocation.BackfillStore, state revocation.BackfillState) error {
	members := r.checkpoint.Members
	if state.Members == members {
		return nil
	}
	return revocation.UpdateBackfill(ctx, store, r.Tenant, func(s revocation.BackfillState) revocation.BackfillState {
		s.Members = members
		return s
	})
}

// backfillState reads how the backfill stands, and reports a ceiling that was
// reached.
func (r *run) backfillState(ctx context.Context) (revocation.BackfillState, error) {
	state, err := r.Backfill.Backfill(ctx, r.Tenant)
	if err != nil {
		return state, fmt.Errorf("read the state of the backfill: %w", err)
	}
	r.report.BackfillStopped, r.report.BackfillStoppedAt = state.Stopped, state.StoppedAt
	return state, nil
}

// backfillRequests paces the users, newest first.
func (r *run) backfillRequests(held []revocation.Entry, now time.Time) []revocation.Delayed {
	requests := make([]revocation.Delayed, len(held))
	for i, e := range held {
		requests[i] = revocation.Delayed{
			Request: revocation.Request{
				Tenant: r.Tenant, User: e.User, Source: revocation.SourceSweep, Seen: now, Backfill: true,
			},
			Delay: time.Duration(i) * r.Settings.BackfillPace,
		}
	}
	return requests
}
