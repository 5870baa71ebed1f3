package revocation

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// BackfillStore keeps the state of each tenant's backfill. Package revocationtest
// holds the suite that every implementation passes.
type BackfillStore interface {
	// Backfill returns the state; of a tenant never written, one with Version 0.
	Backfill(ctx context.Context, tenant string) (BackfillState, error)
	// SaveBackfill stores the state, with its version raised by one, if the
	// stored version is still state.Version; else it returns [ErrConflict].
	SaveBackfill(ctx context.Context, state BackfillState) error
}

// conflictsBorne is how often an update is tried again because somebody else
// wrote in between.
const conflictsBorne = 10

// UpdateBackfill changes the tenant's state in the store by change, which may be
// called more than once.
func UpdateBackfill(ctx context.Context, store BackfillStore, tenant string, change func(BackfillState) BackfillState) error {
	var err error
	for range conflictsBorne {
		var state BackfillState
		if state, err = store.Backfill(ctx, tenant); err != nil {
			return fmt.Errorf("read the state of the backfill: %w", err)
		}
		state.Tenant = tenant
		if err = store.SaveBackfill(ctx, change(state)); err == nil {
			return nil
		}
		if !errors.Is(err, ErrConflict) {
			break
		}
	}
	return fmt.Errorf("write the state of the backfill: %w", err)
}

// Lift lifts the tenant's ceilings, and those of its dry run: see
// [BackfillState.Lift]. It returns the real state that comes of it. To lift what
// was lifted at the same now changes nothing, so that it can be tried again after
// an error.
func Lift(ctx context.Context, store BackfillStore, tenant string, now time.Time) (BackfillState, error) {
	state, err := lift(ctx, store, tenant, now)
	_, dryErr := lift(ctx, DryRunStore(store), tenant, now)
	if err = errors.Join(err, dryErr); err != nil {
		return state, fmt.Errorf("lift the ceilings: %w", err)
	}
	return state, nil
}

func lift(ctx context.Context, store BackfillStore, tenant string, now time.Time) (lifted BackfillState, err error) {
	err = UpdateBackfill(ctx, store, tenant, func(s BackfillState) BackfillState {
		if !s.Lifted.Equal(now) {
			s = s.Lift(now)
		}
		lifted = s
		return s
	})
	if err == nil {
		lifted.Version++ // as it stands in the store
	}
	return lifted, err
}

// DryRunStore keeps the state of a dry run's backfill in store, apart from the
// real one, which it neither reads nor changes.
func DryRunStore(store BackfillStore) BackfillStore { return dryRunStore{store} }

type dryRunStore struct{ store BackfillStore }

const dryRunKey = "/dry-run"

// Backfill implements [BackfillStore].
func (d dryRunStore) Backfill(ctx context.Context, tenant string) (BackfillState, error) {
	state, err := d.store.Backfill(ctx, tenant+dryRunKey)
	state.Tenant = tenant
	return state, err
}

// SaveBackfill implements [BackfillStore].
func (d dryRunStore) SaveBackfill(ctx context.Context, state BackfillState) error {
	state.Tenant += dryRunKey
	return d.store.SaveBackfill(ctx, state)
}
