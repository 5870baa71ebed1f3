package main

import (
	"math"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
)

// result compares what happened with what should have, by the directory itself.
func (d *demo) result() result {
	r := result{
		Users: d.options.users, Seed: d.options.seed,
		Violations:  append([]string{}, d.graph.Violations()...),
		DeadLetters: len(d.plant.requests.DeadLetters()),
		Seconds:     tenths(time.Since(d.started).Seconds()),
		PeakRSSMB:   tenths(peakRSS()),
	}
	r.WorkersDied, _ = d.faults.counts()
	d.tally.fill(&r)
	var times []time.Duration
	for _, u := range d.tenant.Users() {
		d.judge(&r, u, &times)
	}
	r.LatencyMS = percentiles(times)
	d.judgeRecovery(&r)
	return r
}

// tenths is as exact as these numbers are.
func tenths(x float64) float64 { return math.Round(10*x) / 10 }

// judgeRecovery tells by the ledger how each user came to be stamped, and who
// still waits.
func (d *demo) judgeRecovery(r *result) {
	r.Existing, r.Unnotified = len(d.old), len(d.unnotified)
	r.RecoveredBySweep, _ = d.recovered()
	for _, e := range d.plant.ledger.All(d.tenant.ID()) {
		if e.State == revocation.StateHeld {
			r.BackfillHeld++
		}
	}
}

// recovered counts the users of whom no notification told: by the ledger those who
// were stamped because of the sweep, by the directory those in scope without a stamp.
func (d *demo) recovered() (found, unstamped int) {
	for _, e := range d.plant.ledger.All(d.tenant.ID()) {
		if e.State == revocation.StateStamped && e.Source == revocation.SourceSweep && d.unnotified[e.User] {
			found++
		}
	}
	for id := range d.unnotified {
		if u, _ := d.tenant.User(id); u.InScope && u.Stamped.IsZero() {
			unstamped++
		}
	}
	return found, unstamped
}

// isNew tells whether the user was created while it ran.
func (d *demo) isNew(u msgraphtest.UserState) bool {
	return u.Created.After(d.started.Add(-time.Minute))
}

func (d *demo) judge(r *result, u msgraphtest.UserState, times *[]time.Duration) {
	isNew := d.isNew(u)
	if isNew {
		r.Created++
	}
	if len(u.Revocations) > 1 {
		r.StampedTwice++
	}
	if !isNew && u.InScope && len(u.Revocations) > 0 {
		d.judgeBackfilled(r, u)
		return
	}
	if !isNew || !u.InScope {
		if len(u.Revocations) > 0 {
			r.OutOfScopeTouched++
		}
		return
	}
	r.InScope++
	if u.Stamped.IsZero() {
		r.Unstamped++
		return
	}
	r.Stamped++
	if !d.unnotified[u.ID] {
		*times = append(*times, u.Stamped.Sub(u.Created))
	}
}

// judgeBackfilled judges an existing user who was stamped: nobody may be before
// the administrator says so, nor more than the ceiling.
func (d *demo) judgeBackfilled(r *result, u msgraphtest.UserState) {
	r.BackfillStamped++
	if d.enforced.IsZero() || u.Stamped.Before(d.enforced) || r.BackfillStamped > d.ceiling {
		r.OutOfScopeTouched++
	}
}
