package sweep

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// Asker asks for sweeps: it is the part of the sweep that the keeper needs.
type Asker struct{ Store Store }

// AskForSweep lets the next run begin a full round. Notifications of what
// happened after since may be lost; the zero Time is for a gap that nobody knows
// the beginning of. Once it has returned without an error the wish is stored,
// and stays until a full round that began after it is done.
//
// A round is told to be older or newer than the wish by counting, not by clocks,
// which differ between machines.
func (a Asker) AskForSweep(ctx context.Context, tenant, why string, since time.Time) error {
	return a.change(ctx, "ask for a sweep", tenant, func(c *Checkpoint) {
		c.Asks++
		c.Asked = why
		c.AskedSince = earliest(c.AskedSince, since.UTC())
	})
}

// ForgetSince lets notifications tell of new users no earlier than from the next
// subscription on: whoever was created before it has not been missed. Once it has
// returned without an error that is stored, for a run under way as well. It may
// be called again.
//
// It writes even where there is nothing to forget: a run that has just asked since
// when notifications flow, and not written it yet, has to ask again.
func (a Asker) ForgetSince(ctx context.Context, tenant string) error {
	return a.change(ctx, "forget the subscription", tenant, func(c *Checkpoint) {
		c.Since, c.AskedSince = time.Time{}, time.Time{}
	})
}

// change changes the checkpoint. Somebody else may be faster: then it is read
// again.
func (a Asker) change(ctx context.Context, what, tenant string, change func(*Checkpoint)) error {
	if !directory.IsID(tenant) {
		return fmt.Errorf("%s: tenant is not a lower-case GUID", what)
	}
	var err error
	for range saveAttempts {
		if err = a.tryChange(ctx, tenant, change); !errors.Is(err, ErrConflict) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

func (a Asker) tryChange(ctx context.Context, tenant string, change func(*Checkpoint)) error {
	c, err := a.Store.Checkpoint(ctx, tenant)
	if err != nil {
		return err
	}
	c.Tenant = tenant
	change(&c)
	return a.Store.SaveCheckpoint(ctx, c)
}

// AskForSweep is [Asker.AskForSweep].
func (s *Sweeper) AskForSweep(ctx context.Context, tenant, why string, since time.Time) error {
	return Asker{s.Store}.AskForSweep(ctx, tenant, why, since)
}
