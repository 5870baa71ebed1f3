package sweep

import (
	"context"
	"fmt"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/state"
)

// A Checkpoint is what the sweep remembers of a tenant between runs. Times are UTC.
type Checkpoint struct {
	// DeltaLink is where the next increment begins. It is empty before the first full
	// round has begun, and after a link has failed.
	DeltaLink string
	// FullNext is the page that the full round under way reads next, "" for the first.
	FullNext string
	// FullStarted is when the full round under way began, zero for none.
	FullStarted time.Time
	// FullDue is when the next full round is to begin, zero for at once.
	FullDue time.Time
	// Counts are those of the full round under way, or of the last one.
	Counts Counts
	// Unmatched are the exclusions that have matched nobody in that round.
	Unmatched []string
}

// underWay tells whether a full round has begun and not ended. One that has not ended when
// the next is due, because its pages lead in a circle or can't be read, is given up.
func (c Checkpoint) underWay(now time.Time) bool {
	return !c.FullStarted.IsZero() && (c.FullDue.IsZero() || now.Before(c.FullDue))
}

// Asker asks for full rounds: it is the part of the sweep that the keeper needs.
type Asker struct{ Store state.Store[Checkpoint] }

// Ask lets the next run begin a full round. Once it has returned nil the wish is stored,
// and stays until a full round that began after it stands in its place. A run under way
// ends, and the next one goes on where it was.
func (a Asker) Ask(ctx context.Context, tenant string) error {
	err := state.Update(ctx, a.Store, tenant, func(c *Checkpoint) bool {
		c.FullDue = time.Time{}
		return true // if it was zero as well: whoever has read it may be about to begin a round
	})
	if err != nil {
		return fmt.Errorf("ask for a sweep: %w", err)
	}
	return nil
}
