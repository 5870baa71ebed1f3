package memory

import (
	"context"
	"sync"

	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

// Checkpoints is a [sweep.Store] that forgets with the process. The zero value
// is empty and ready. It is safe for concurrent use.
type Checkpoints struct {
	mu       sync.Mutex
	byTenant map[string]sweep.Checkpoint
}

// Checkpoint implements [sweep.Store].
func (c *Checkpoints) Checkpoint(ctx context.Context, tenant string) (sweep.Checkpoint, error) {
	if err := ctx.Err(); err != nil {
		return sweep.Checkpoint{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	stored, ok := c.byTenant[tenant]
	if !ok {
		return sweep.Checkpoint{Tenant: tenant}, nil
	}
	return detached(stored), nil
}

// SaveCheckpoint implements [sweep.Store].
func (c *Checkpoints) SaveCheckpoint(ctx context.Context, checkpoint sweep.Checkpoint) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byTenant[checkpoint.Tenant].Version != checkpoint.Version {
		return sweep.ErrConflict
	}
	if c.byTenant == nil {
		c.byTenant = make(map[string]sweep.Checkpoint)
	}
	checkpoint.Version++
	c.byTenant[checkpoint.Tenant] = detached(checkpoint)
	return nil
}

// detached returns the checkpoint with a full round of its own, which nobody
// else can change.
func detached(c sweep.Checkpoint) sweep.Checkpoint {
	if c.Full != nil {
		full := *c.Full
		c.Full = &full
	}
	return c
}
