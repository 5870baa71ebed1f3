package sweep

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
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
	// FullDone is when the last full round ended.
	FullDone time.Time
	// Asked tells that somebody wants a full round that begins from now on.
	Asked bool
	// Counts are those of the full round under way, or of the last one.
	Counts Counts
}

// Counts are what a full round has counted.
type Counts struct {
	// Pages and Users are those that were listed, and Unreadable the users of whom
	// nothing could be read.
	Pages, Users, Unreadable int
	// Members are the members of federated domains.
	Members int
	// Unstamped are those of them without a stamp who are not excluded by id or pattern,
	// and Existing those of the unstamped who wait for a person.
	Unstamped, Existing int
	// Matched are the exclusions that matched somebody.
	Matched []string
}

// samePlace tells whether nobody has swept between the two checkpoints.
func (c Checkpoint) samePlace(other Checkpoint) bool {
	return c.DeltaLink == other.DeltaLink && c.FullNext == other.FullNext &&
		c.FullStarted.Equal(other.FullStarted) && c.FullDone.Equal(other.FullDone) &&
		c.Counts.Pages == other.Counts.Pages
}

// beginFull is the checkpoint with which a full round begins. It answers whoever asked
// before, and stands until the round is done.
func (c Checkpoint) beginFull(now time.Time) Checkpoint {
	c.FullNext, c.FullStarted, c.Asked, c.Counts = "", now, false, Counts{}
	return c
}

// dropDelta is the checkpoint after a link of delta has failed. A full round under way
// has passed pages on which users of the gap may stand: so it goes as well.
func (c Checkpoint) dropDelta() Checkpoint {
	c.DeltaLink, c.FullNext, c.FullStarted = "", "", time.Time{}
	return c
}

// saveAttempts bounds how often a checkpoint is read again because somebody who asked for
// a full round was faster.
const saveAttempts = 10

// Asker asks for full rounds: it is the part of the sweep that the keeper needs.
type Asker struct{ Store state.Store[Checkpoint] }

// Ask lets the next run begin a full round. Once it has returned nil the wish is stored,
// and stays until a full round that began after it stands in its place.
func (a Asker) Ask(ctx context.Context, tenant string) error {
	if !directory.IsID(tenant) {
		return errors.New("ask for a sweep: the tenant is not a lower-case GUID")
	}
	var err error
	for range saveAttempts {
		if err = a.tryAsk(ctx, tenant); !errors.Is(err, state.ErrConflict) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("ask for a sweep: %w", err)
	}
	return nil
}

func (a Asker) tryAsk(ctx context.Context, tenant string) error {
	item, err := a.Store.Load(ctx, tenant)
	if err != nil || item.Doc.Asked {
		return err
	}
	item.Doc.Asked = true
	_, err = a.Store.Save(ctx, tenant, item)
	return err
}
