package keeper

import (
	"context"
	"errors"
	"time"
)

const (
	// downRounds is how often TakeDown looks where a run has not ended, or has died: what
	// that run made may be listed late.
	downRounds = 3
	// downPause is the time between two rounds.
	downPause = 15 * time.Second
	// downAttempts is how often TakeDown tries to write its order against other runs.
	downAttempts = 5
)

// takeDown is [Keeper.TakeDown]. The order is written first: a run that is at work meets
// it when it records what it has made, and deletes that.
func (r *run) takeDown(ctx context.Context) error {
	unfinished, err := r.orderDown(ctx)
	if err != nil {
		return err
	}
	rounds := 1
	if unfinished {
		rounds = downRounds
	}
	for round := range rounds {
		if round > 0 && sleep(ctx, downPause) != nil {
			return ctx.Err()
		}
		if err := r.deleteAll(ctx, r.record().ID); err != nil && !nobodyLeft(err) {
			return err
		}
	}
	r.item.Doc = Record{TakenDown: true}
	return r.save(ctx)
}

// orderDown writes that the system is taken down, and tells whether another run may have
// made a subscription that the record does not know.
func (r *run) orderDown(ctx context.Context) (unfinished bool, err error) {
	for range downAttempts {
		if err = r.load(ctx); err != nil {
			return false, err
		}
		unfinished = !r.record().Claimed.IsZero()
		r.record().TakenDown = true
		if err = r.save(ctx); !errors.Is(err, errBusy) {
			return unfinished, err
		}
	}
	return false, err
}

// nobodyLeft tells whether app or tenant are gone, and all subscriptions with them.
func nobodyLeft(err error) bool {
	cause := causeOf(err)
	return cause == CauseAppUnknown || cause == CauseTenantUnknown
}
