package main

import (
	"context"
	mathrand "math/rand/v2"
	"slices"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// provided is a few busy hours with a provider. The signals' brake may be reached again after
// the last fault, and is then released in turn. When it ends, no stream was just verified.
func provided(spoil func(*inlet)) plan {
	p := hours
	p.provided, p.spoil = true, spoil
	p.rest = 235 * time.Minute
	return p
}

// attendBrake is the person who releases the signals' brake, sooner or later.
func (p *provider) attendBrake(ctx context.Context) {
	random := mathrand.New(mathrand.NewPCG(p.faults.seed, 9))
	every(ctx, 10*time.Minute, func() {
		item, _ := p.plant.brakes.Load(ctx, p.tenant.ID())
		reached := item.Doc.Signals.Reached
		if reached.IsZero() {
			return
		}
		waitFor(ctx, min(time.Duration(random.Int64N(int64(20*time.Minute))), time.Until(p.playEnd())))
		asked := time.Now() // the release may stand although its answer is lost
		for p.release(ctx) != nil && ctx.Err() == nil {
			waitFor(ctx, time.Minute)
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.released = append(p.released, span{reached, asked})
	})
}

func (p *provider) release(ctx context.Context) (err error) {
	if died := survive(func() { err = p.plant.newBrake().OfSignals().Release(ctx, p.tenant.ID(), time.Now()) }); died != nil {
		return died
	}
	return err
}

// check checks what the provider is promised. The emulator has failed the test already if
// anybody was signed out whose sessions no report may end.
func (p *provider) check(entries map[string]stamp.Entry) {
	if p == nil {
		return
	}
	var calls []time.Time
	for _, u := range p.tenant.Users() {
		p.checkReports(u, entries[u.ID])
		calls = append(calls, p.renewals(u)...)
	}
	p.checkLimit("the brake of the signals", calls, p.released)
	for name, queue := range map[string]interface {
		Len() int
		DeadLetters() [][]byte
	}{"urgent": p.inlet.urgent, "other": p.inlet.others} {
		if left, dead := queue.Len(), len(queue.DeadLetters()); left+dead > 0 {
			p.t.Errorf("of the %s signals %d are left in the queue, and %d among the dead letters", name, left, dead)
		}
	}
	for _, fault := range p.transmitter.Faults()[p.unasked:] {
		p.t.Errorf("the transmitter says: %s", fault)
	}
}

// checkReports checks that the stamp is at last not older than what was reported, where
// that was acknowledged and the directory knows the user by the name that was told.
func (p *provider) checkReports(u msgraphtest.UserState, e stamp.Entry) {
	for _, r := range p.about(u.ID) {
		switch {
		case !r.must || !r.given || u.Deleted || !r.byID && r.name != u.UPN:
		case e.State == stamp.StateCannotFix:
			p.unfixed++ // two calls were lost, and a person hears of it
			return
		case u.Stamp.Before(r.promised()):
			p.t.Errorf("user %s was reported (%s), and the stamp is of %s: ledger %+v", u.ID, r, u.Stamp, e)
		}
	}
}

// renewals are when the user was signed out for a report: of a new user, not the first time.
func (p *provider) renewals(u msgraphtest.UserState) (at []time.Time) {
	if p.allows(u.ID, time.Now()) == 0 {
		return nil
	}
	for i, call := range u.Revocations {
		again := i > 0 && call.Sub(u.Revocations[i-1]) <= time.Minute
		if !again && (i > 0 || slices.Contains(p.old, u.ID)) {
			at = append(at, call)
		}
	}
	return at
}

// count adds what happened.
func (p *provider) count(c *counts) {
	if p == nil {
		return
	}
	for _, r := range p.incidents {
		if r.given {
			c.Given++
			if r.must {
				c.Ended++
			}
		}
	}
	for _, u := range p.tenant.Users() {
		c.Renewed += len(p.renewals(u))
	}
	c.Flooded = len(p.released)
}
