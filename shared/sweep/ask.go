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
	if !directory.IsID(tenant) {
		return errors.New("ask for a sweep: tenant is not a lower-case GUID")
	}
	var err error
	for range saveAttempts {
		if err = a.ask(ctx, tenant, why, since); !errors.Is(err, ErrConflict) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("ask for a sweep: %w", err)
	}
	return nil
}

func (a Asker) ask(ctx context.Context, tenant, why string, since time.Time) error {
	c, err := a.Store.Checkpoint(ctx, tenant)
	if err != nil {
		return err
	}
	c.Tenant = tenant
	c.Asks++
	c.Asked = why
	c.AskedSince = earliest(c.AskedSince, since.UTC())
	return a.Store.SaveCheckpoint(ctx, c)
}

// AskForSweep is [Asker.AskForSweep].
func (s *Sweeper) AskForSweep(ctx context.Context, tenant, why string, since time.Time) error {
	return Asker{s.Store}.AskForSweep(ctx, tenant, why, since)
}
