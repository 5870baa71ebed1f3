package main

import (
	"context"
	mathrand "math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/keeper"
	"github.com/sessionstamp/sessionstamp/shared/memory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
	"github.com/sessionstamp/sessionstamp/shared/wait"
)

// sparingKind is why users are left alone for a part of a month whom sessionstamp would
// have stamped.
type sparingKind int

const (
	spareNobody sparingKind = iota
	// spareExcluded ends when the exclusion of the service accounts is lifted.
	spareExcluded
	// spareDryRun ends when the dry run does.
	spareDryRun
	// spareTakenDown ends when the system is set up again.
	spareTakenDown
)

// sparing is what an administrator changes in the middle of the play.
type sparing struct {
	kind  sparingKind
	from  time.Time // when the system is taken down; else the start
	until time.Time
	stop  time.Time // when a deployment is to end what runs, zero for never
	down  atomic.Bool
}

// drawSparing lets three quarters of these worlds have a sparing, unless they are calm.
func (w *world) drawSparing() {
	if !w.plan.disasters || w.calm {
		return
	}
	w.sparing.kind = sparingKind(w.random.IntN(4))
	w.sparing.from = w.start
	// A full round follows within a day, and that before the play ends.
	begin := w.start.Add(w.plan.play/5 + w.upTo(w.plan.play/3))
	w.sparing.until = begin.Add(48*time.Hour + w.upTo(60*time.Hour))
	switch w.sparing.kind {
	case spareNobody:
	case spareTakenDown:
		w.sparing.from, w.sparing.stop = begin, begin
	case spareExcluded, spareDryRun:
		w.sparing.stop = w.sparing.until
	}
}

// operate runs the plant, and carries out the changes of the settings. To change anything is
// to deploy anew: what runs then comes to its end before.
func (w *world) operate(ctx context.Context) {
	switch w.sparing.kind {
	case spareNobody:
	case spareExcluded, spareDryRun:
		w.operateUntil(ctx, w.sparing.until)
		w.sparing.until = time.Now() // the last worker may have stood still
		if w.sparing.kind == spareExcluded {
			w.plant.config.policy.Exclusions = stamp.Exclusions{}
		} else {
			w.seen.block(span{w.sparing.from, w.sparing.until})
		}
		w.plant.config.dryRun = false
		clear(w.plant.stampers)
	case spareTakenDown:
		w.operateUntil(ctx, w.sparing.from)
		w.takeDown(ctx)
	}
	w.work(ctx)
}

// work is what runs until ctx is done.
func (w *world) work(ctx context.Context) {
	if w.watcher != nil {
		w.watcher.lives(ctx)
		return
	}
	w.plant.run(ctx)
}

func (w *world) operateUntil(ctx context.Context, t time.Time) {
	ctx, cancel := context.WithDeadline(ctx, t)
	defer cancel()
	w.work(ctx)
}

// takeDown takes the system down, and sets it up again days later.
func (w *world) takeDown(ctx context.Context) {
	w.sparing.down.Store(true)
	began := time.Now()
	w.repeat(ctx, (*keeper.Keeper).TakeDown)
	w.until(w.sparing.until)
	w.repeat(ctx, func(k *keeper.Keeper, ctx context.Context) error {
		_, err := k.SetUp(ctx)
		return err
	})
	w.sparing.down.Store(false)
	w.seen.block(span{began, time.Now()})
}

// repeat repeats an order to the keeper until it is carried out.
func (w *world) repeat(ctx context.Context, give func(*keeper.Keeper, context.Context) error) {
	for w.watcher == nil && ctx.Err() == nil {
		keeper, _ := w.plant.newKeeper() // newPlant has made one without a fault
		var refused error
		if died := survive(func() { refused = give(keeper, ctx) }); died == nil && refused == nil {
			return
		}
		waitFor(ctx, time.Hour)
	}
}

// waitFor leaves it to its caller to look at ctx.
func waitFor(ctx context.Context, d time.Duration) { _ = wait.For(ctx, d) }

// orders are a person's.
type orders struct {
	mu       sync.Mutex
	given    []order
	released []span // from when the brake was reached to when it was released
	paused   []span
}

// An order is that one user be stamped or, with signOut, signed out.
type order struct {
	user    string
	at      time.Time
	signOut bool
}

// scheduleOrders lets a person have up to five users stamped or signed out.
func (w *world) scheduleOrders() {
	for range w.random.IntN(6) {
		signOut, draw := w.random.IntN(2) == 0, w.random.Uint64()
		time.AfterFunc(w.upTo(w.plan.play*9/10), func() { w.give(signOut, draw) })
	}
}

// give queues an order as the administrator's command does. To be signed out, a user must
// have been there before: of a new one it would not be certain whether the call was the
// person's or ours.
func (w *world) give(signOut bool, draw uint64) {
	candidates := w.tenant.Users()
	if signOut {
		candidates = candidates[:len(w.old)]
	}
	pick := candidates[draw%uint64(len(candidates))]
	if len(w.orders.to(pick.ID)) > 0 || len(w.provider.about(pick.ID)) > 0 {
		return // the emulator knows one approval of each user
	}
	o := order{user: pick.ID, at: time.Now(), signOut: signOut}
	request := stamp.Request{Tenant: w.tenant.ID(), User: pick.ID, Source: stamp.SourcePerson, Approved: true, Seen: o.at.UTC()}
	if signOut {
		request.NotBefore = o.at.UTC()
	}
	w.tenant.Approve(pick.ID, request.NotBefore)
	w.orders.mu.Lock()
	defer w.orders.mu.Unlock()
	w.orders.given = append(w.orders.given, o)
	if w.watcher != nil {
		go w.watcher.order(pick.ID, signOut)
		return
	}
	if err := (memory.Requests{Queue: w.plant.requests}).Enqueue(w.ctx, []stamp.Request{request}); err != nil {
		w.t.Error(err)
	}
}

// to returns the orders about one user.
func (o *orders) to(user string) []order {
	o.mu.Lock()
	defer o.mu.Unlock()
	var about []order
	for _, given := range o.given {
		if given.user == user {
			about = append(about, given)
		}
	}
	return about
}

// attendBrake is the person who releases the brake, sooner or later.
func (w *world) attendBrake(ctx context.Context) {
	random := mathrand.New(mathrand.NewPCG(w.faults.seed, 2))
	longest := 20 * time.Minute
	switch { // who waits longest is left to a person, and costs the machine most
	case w.plan.disasters && random.IntN(24) == 0:
		longest = 90 * time.Hour
	case w.plan.disasters:
		longest = 3 * time.Hour
	}
	every(ctx, 10*time.Minute, func() {
		reached := w.brakeReached(ctx)
		if reached.IsZero() {
			return
		}
		waitFor(ctx, min(time.Duration(random.Int64N(int64(longest))), time.Until(w.playEnd())))
		asked := time.Now() // the release may stand although its answer is lost
		for w.release(ctx) != nil && ctx.Err() == nil {
			waitFor(ctx, time.Minute)
		}
		w.orders.mu.Lock()
		w.orders.released = append(w.orders.released, span{reached, asked})
		w.orders.mu.Unlock()
		w.seen.block(span{reached, time.Now()})
	})
}

func (w *world) brakeReached(ctx context.Context) time.Time {
	if w.watcher != nil {
		return w.watcher.brakeReached(ctx)
	}
	item, _ := w.plant.brakes.Load(ctx, w.tenant.ID())
	return item.Doc.Reached
}

func (w *world) release(ctx context.Context) error {
	if w.watcher != nil {
		return w.watcher.release(ctx)
	}
	return new(environment).order(ctx, w.plant, sweep.OrderRelease)
}
