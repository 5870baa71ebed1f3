package main

import (
	"net/http"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

// sweeping are the sweep's settings in a simulated run.
var sweeping = sweep.DefaultSettings

// setUp lets the keeper subscribe before anything goes wrong.
func (w *world) setUp() {
	keeper, err := w.plant.calm().newKeeper()
	w.must(err)
	_, err = keeper.SetUp(w.ctx)
	w.must(err)
}

// calm is the plant without its faults.
func (p *plant) calm() *plant {
	calm := *p
	calm.config.faults = nil
	return &calm
}

func (w *world) drawDelta() msgraphtest.Delta {
	d := msgraphtest.Delta{
		PageSize:        1 + w.random.IntN(100),
		ReplayChance:    w.random.Float64() / 2,
		RepeatChance:    w.random.Float64() / 2,
		EmptyPageChance: w.random.Float64() / 4,
		Shuffle:         true,
		OmitStamp:       w.random.IntN(3) == 0,
		IgnoreStamp:     w.random.IntN(3) == 0,
		ExpireStatus:    []int{0, http.StatusBadRequest, http.StatusNotFound}[w.random.IntN(3)],
	}
	if w.deaf {
		d.ReplayChance, d.RepeatChance = 0, 0 // nobody whom the sweep loses is shown again
		return d
	}
	if w.random.IntN(4) == 0 {
		d.TokenLife = time.Hour + w.upTo(12*time.Hour) // often shorter than the time between two sweeps
	}
	return d
}

// drawBackfill lets existing users be stamped in a third of the months, at night.
func (w *world) drawBackfill() revocation.Backfill {
	if !w.plan.disasters || w.random.IntN(3) != 0 {
		return revocation.DefaultBackfill
	}
	place, err := time.LoadLocation("Europe/Berlin")
	w.must(err)
	return revocation.Backfill{
		Mode:     revocation.ModeEnforce,
		Hours:    revocation.Hours{From: 22 * 60, To: 5 * 60, Place: place},
		Ceilings: w.drawCeilings(),
	}
}

// drawCeilings lets each ceiling be the one that is reached in some worlds: it
// stops short of half of the existing users without a stamp, and the others are
// above all of them. Of the ten members at the beginning, the share is one or two.
func (w *world) drawCeilings() revocation.Ceilings {
	c := revocation.Ceilings{PerRun: 1000, PerHour: 1000, Share: 1}
	switch w.random.IntN(4) {
	case 0:
		c.PerRun = 1 + w.random.IntN(2)
	case 1:
		c.PerHour = 1 + w.random.IntN(2)
	case 2:
		c.Share = 0.1 + 0.15*w.random.Float64()
	default:
		c = revocation.Ceilings{PerRun: 1 + w.random.IntN(6), PerHour: 1 + w.random.IntN(4), Share: w.random.Float64()}
	}
	return c
}

// scheduleDisasters draws what happens to the month, and when.
func (w *world) scheduleDisasters() {
	for _, d := range []struct {
		most   int
		length time.Duration
		strike func() (mend func())
	}{
		{2, 12 * time.Hour, func() func() { return w.lose(0.1) }},
		{2, 48 * time.Hour, func() func() { return w.lose(1) }},
		{2, 12 * time.Hour, w.frontDown},
		{1, 24 * time.Hour, w.failing(w.graphFault())},
		{1, 24 * time.Hour, w.failing(w.tokenFault())},
		{2, 6 * time.Hour, w.failing(w.envelopeFault())},
		{2, time.Minute, w.atOnce(w.dropSubscription)},
		{2, time.Minute, w.atOnce(w.expireSubscription)},
		{2, time.Minute, w.atOnce(w.doubleSubscription)},
		{2, time.Minute, w.atOnce(w.challenge)},
		{1, 4 * time.Hour, w.challengeInVain},
		{5, time.Minute, w.atOnce(w.keepTwice)},
		{5, time.Minute, w.atOnce(w.sweepTwice)},
	} {
		for range w.random.IntN(d.most + 1) {
			length := w.upTo(d.length)
			time.AfterFunc(w.upTo(w.plan.play-length), func() {
				mend := d.strike()
				time.AfterFunc(length, mend)
			})
		}
	}
}

// goDeaf loses all notifications of the play.
func (w *world) goDeaf() {
	time.AfterFunc(w.plan.play, w.lose(1))
}

// atOnce makes a strike of what needs no mending.
func (w *world) atOnce(strike func()) func() func() {
	return func() func() { strike(); return func() {} }
}

// lose loses a share of the notifications.
func (w *world) lose(share float64) (mend func()) {
	d := w.drawn
	d.LossChance = share
	w.graph.SetDelivery(d)
	return func() { w.graph.SetDelivery(w.drawn) }
}

// graphFault is Graph when it is down, whatever the call.
func (w *world) graphFault() msgraphtest.Fault {
	return msgraphtest.Fault{
		Match:  func(r msgraphtest.Request) bool { return !r.Token && w.ours(r) },
		Status: http.StatusServiceUnavailable, Code: "ServiceUnavailable",
	}
}

func (w *world) dropSubscription() {
	for _, s := range w.tenant.Subscriptions() {
		w.noteGap()
		w.tenant.DropSubscription(s.ID)
	}
}

func (w *world) expireSubscription() {
	for _, s := range w.tenant.Subscriptions() {
		w.noteGap()
		w.tenant.ExpireSubscription(s.ID)
	}
}

// doubleSubscription makes a second one by sessionstamp's own app, as a run of an
// older version might have.
func (w *world) doubleSubscription() {
	us := admin{tenant: w.tenant.ID(), client: w.tally.app, secret: w.admin.secret, http: w.admin.http}
	_ = us.call(w.ctx, http.MethodPost, "/subscriptions", map[string]any{
		"changeType":         "updated,deleted",
		"resource":           "/users",
		"notificationUrl":    w.front.url,
		"clientState":        "of another time",
		"expirationDateTime": time.Now().Add(20 * 24 * time.Hour).UTC().Format(time.RFC3339),
	}, nil) // refused, if everything is down
}

func (w *world) keepTwice() {
	for range 2 {
		go func() { new(environment).keep(w.ctx, w.plant) }()
	}
}

func (w *world) sweepTwice() {
	if w.orders.down.Load() {
		return // it would hear of users in time
	}
	for range 2 {
		go func() { new(environment).sweep(w.ctx, w.plant) }()
	}
}
