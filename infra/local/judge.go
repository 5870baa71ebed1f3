package main

import (
	"math"
	"runtime"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// result compares what happened with what should have, by the directory itself.
func (d *demo) result() result {
	r := result{
		Users: d.options.users, Seed: d.options.seed, BrakeLimit: d.plant.config.brakeLimit,
		Violations:  append([]string{}, d.graph.Violations()...),
		DeadLetters: len(d.plant.requests.DeadLetters()),
		Seconds:     tenths(time.Since(d.started).Seconds()),
		PeakRSSMB:   tenths(peakRSS()),
		Existing:    len(d.old),
	}
	r.WorkersDied, _ = d.faults.counts()
	d.tally.fill(&r)
	var times []time.Duration
	for _, u := range d.tenant.Users() {
		d.judge(&r, u, &times)
	}
	r.LatencyMS, r.Histogram = percentiles(times), newHistogram(times)
	for _, e := range d.plant.ledger.All(d.tenant.ID()) {
		if e.State == stamp.StateStamped && e.Source == stamp.SourceSweep && d.unnotified[e.User] {
			r.RecoveredBySweep++
		}
	}
	return r
}

// peakRSS is the memory that the Go runtime has asked the system for, in MB: it gives
// none back in so short a run.
func peakRSS() float64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return float64(stats.Sys) / 1024 / 1024
}

// tenths is as exact as these numbers are.
func tenths(x float64) float64 { return math.Round(10*x) / 10 }

// twiceAfter is how long after a first call a second one costs the user nothing.
const twiceAfter = time.Minute

func (d *demo) judge(r *result, u msgraphtest.UserState, times *[]time.Duration) {
	calls := u.Revocations
	if len(calls) > 1 && calls[len(calls)-1].Sub(calls[0]) > twiceAfter {
		r.StampedTwice++
	}
	isNew := d.created[u.ID]
	if isNew {
		r.Created++
	}
	if !isNew || !u.InScope {
		if len(calls) > 0 {
			r.OutOfScopeTouched++
		}
		return
	}
	r.InScope++
	if d.unnotified[u.ID] {
		r.Unnotified++
	}
	if u.Stamped.IsZero() {
		r.Unstamped++
		return
	}
	r.Stamped++
	*times = append(*times, u.Stamped.Sub(u.Created))
}

// stamped counts the new users in scope, and those of them without a stamp.
func (d *demo) stamped() (inScope, unstamped int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, u := range d.tenant.Users() {
		if !u.InScope || !d.created[u.ID] {
			continue
		}
		inScope++
		if u.Stamped.IsZero() {
			unstamped++
		}
	}
	return inScope, unstamped
}

// usualTime is what a run takes besides its calls, of which callsPerSecond are made.
const (
	usualTime      = 34 * time.Second
	callsPerSecond = 2 * stamp.CallsPerSecond
)

// progress is what a display shows while it runs.
func (d *demo) progress() progress {
	var r result
	d.tally.fill(&r)
	died, _ := d.faults.counts()
	p := progress{
		elapsed:   time.Since(d.started),
		confirmed: r.ReadBack, forged: r.ForgedDropped, throttled: r.GraphThrottled, died: died,
		waiting: d.plant.requests.Len(),
	}
	for _, act := range d.plan {
		p.users += len(act)
	}
	p.expected = usualTime + max(0, time.Duration(p.users)*time.Second/callsPerSecond-8*time.Second)
	d.mu.Lock()
	defer d.mu.Unlock()
	p.act, p.now, p.created, p.late = d.act, d.now, len(d.created), len(d.unnotified)
	var times []time.Duration
	for _, u := range d.tenant.Users() {
		if !u.InScope || !d.created[u.ID] {
			continue
		}
		p.due++
		if !u.Stamped.IsZero() {
			p.stamped++
			times = append(times, u.Stamped.Sub(u.Created))
		}
	}
	p.times = newHistogram(times)
	return p
}
