package main

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
	"github.com/sessionstamp/sessionstamp/shared/subscription"
)

// A sparing is why users are left alone for a part of a month whom sessionstamp
// would have stamped.
type sparing int

const (
	spareNobody sparing = iota
	// spareExcluded ends with the exclusion of the service accounts.
	spareExcluded
	// spareDryRun ends with a dry run of the revoker.
	spareDryRun
	// spareTakenDown ends when the system is set up again.
	spareTakenDown
)

// orders are what an administrator orders in the middle of a month.
type orders struct {
	sparing sparing
	from    time.Time // when the system is taken down
	until   time.Time // when the sparing ends
	stop    time.Time // when a deployment is to end what runs, zero for never
	down    atomic.Bool
	// spared are the users whom the sparing concerned. It is true of those who were
	// new no more when it ended: only the backfill may stamp them. Of the others the
	// end finds some on their way, so that it is not certain whether they are
	// stamped.
	spared map[string]bool
}

// longestOutage is for how long a request that was heard of in time may wait for
// Graph, and so outlast the sparing: a day, and what it is put back for.
const longestOutage = 30 * time.Hour

// drawOrders lets three quarters of the months have a sparing, unless they are
// calm.
func (w *world) drawOrders() {
	w.orders.spared = make(map[string]bool)
	if !w.plan.disasters || w.calm {
		return
	}
	w.orders.sparing = sparing(w.random.IntN(4))
	w.orders.from = w.start.Add(w.plan.play/3 + w.upTo(w.plan.play/3))
	w.orders.until = w.orders.from.Add(48*time.Hour + w.upTo(48*time.Hour))
	switch w.orders.sparing {
	case spareNobody:
	case spareTakenDown:
		w.orders.stop = w.orders.from
	case spareExcluded, spareDryRun:
		w.orders.stop = w.orders.until
	}
}

// operate runs the plant, and carries out the orders of the month. To change
// anything is to deploy anew: what runs then comes to its end before.
func (w *world) operate(ctx context.Context) {
	switch w.orders.sparing {
	case spareNobody:
	case spareExcluded, spareDryRun:
		w.operateUntil(ctx, w.orders.until)
		w.orders.until = time.Now() // the last worker may have stood still
		if w.orders.sparing == spareExcluded {
			w.plant.config.policy.Exclusions = revocation.Exclusions{}
		}
		w.plant.config.dryRun = false
		clear(w.plant.revokers)
		w.noteSpared()
	case spareTakenDown:
		w.operateUntil(ctx, w.orders.from)
		w.takeDown(ctx)
	}
	w.plant.run(ctx)
}

func (w *world) operateUntil(ctx context.Context, t time.Time) {
	ctx, cancel := context.WithDeadline(ctx, t)
	defer cancel()
	w.plant.run(ctx)
}

// takeDown takes the system down, and sets it up again days later.
func (w *world) takeDown(ctx context.Context) {
	w.orders.down.Store(true)
	w.order(ctx, (*subscription.Keeper).TakeDown)
	w.orders.from = time.Now()
	w.until(w.orders.until)
	w.orders.until = time.Now()
	w.order(ctx, func(k *subscription.Keeper, ctx context.Context) error {
		_, err := k.SetUp(ctx)
		return err
	})
	w.orders.down.Store(false)
	w.noteSpared()
}

// order repeats an order until it is carried out.
func (w *world) order(ctx context.Context, give func(*subscription.Keeper, context.Context) error) {
	for ctx.Err() == nil {
		keeper, _ := w.plant.newKeeper() // newPlant has made one without a fault
		var refused error
		if died := survive(func() { refused = give(keeper, ctx) }); died == nil && refused == nil {
			return
		}
		time.Sleep(time.Hour)
	}
}

// noteSpared notes, when a sparing has ended, whom it concerned.
func (w *world) noteSpared() {
	entries := w.entries()
	for _, u := range w.tenant.Users() {
		if !w.existing[u.ID] && w.concerns(u) {
			w.orders.spared[u.ID] = w.newNoMore(u, entries[u.ID])
		}
	}
}

// concerns tells whether the sparing that ends concerns a user. Whoever was stamped
// before the system was taken down is as any other.
func (w *world) concerns(u msgraphtest.UserState) bool {
	switch w.orders.sparing {
	case spareExcluded:
		return w.created[u.ID].excluded()
	case spareTakenDown:
		return u.Stamp.IsZero()
	default:
		return true
	}
}

// newNoMore tells whether it is certain that a user was not heard of in time,
// but for what the sparing ended.
func (w *world) newNoMore(u msgraphtest.UserState, e revocation.Entry) bool {
	age := w.orders.until.Sub(u.Created)
	if w.orders.sparing == spareTakenDown {
		return u.Created.After(w.orders.from) && age > newUserWindow
	}
	return e.State == revocation.StateSpared && age > newUserWindow+longestOutage
}

// checkSpared checks a user who was left alone for a while: nobody is stamped
// meanwhile, and who is new no more when it ends needs leave as any existing user
// does, and stands in the report once a full round was there.
func (w *world) checkSpared(u msgraphtest.UserState, e revocation.Entry) {
	if len(u.Revocations) > 1 {
		w.t.Errorf("user %s, who was spared, was revoked %d times", u.UPN, len(u.Revocations))
	}
	for _, at := range u.Revocations {
		if at.Before(w.orders.until) && w.orders.sparing != spareTakenDown {
			w.t.Errorf("user %s was revoked at %s, and was to be spared until %s", u.UPN, at, w.orders.until)
		}
		if w.orders.spared[u.ID] {
			w.checkLeave(u, at)
		}
	}
	waits := w.orders.spared[u.ID] && u.Stamp.IsZero() && !u.Deleted && !w.doubtful(u)
	if waits && w.plant.config.policy.Backfill.Mode == revocation.ModeReport && w.sweptSince(w.orders.until) && e.State != revocation.StateHeld {
		w.t.Errorf("user %s was spared until %s, has no stamp, and is not held in the ledger: %+v", u.UPN, w.orders.until, e)
	}
}
