package memory

import (
	"context"
	"slices"
	"sync"

	"github.com/sessionstamp/sessionstamp/shared/revocation"
)

// Backfill is a [revocation.BackfillStore] that forgets with the process. The
// zero value is empty and ready. It is safe for concurrent use.
type Backfill struct {
	mu     sync.Mutex
	states map[string]revocation.BackfillState // by tenant
}

// Backfill implements [revocation.BackfillStore].
func (b *Backfill) Backfill(ctx context.Context, tenant string) (revocation.BackfillState, error) {
	if err := ctx.Err(); err != nil {
		return revocation.BackfillState{}, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	state := b.states[tenant]
	state.Tenant, state.Recent = tenant, slices.Clone(state.Recent)
	return state, nil
}

// SaveBackfill implements [revocation.BackfillStore].
func (b *Backfill) SaveBackfill(ctx context.Context, state revocation.BackfillState) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.states[state.Tenant].Version != state.Version {
		return revocation.ErrConflict
	}
	if b.states == nil {
		b.states = make(map[string]revocation.BackfillState)
	}
	state.Version++
	state.Recent = slices.Clone(state.Recent)
	b.states[state.Tenant] = state
	return nil
}
