package main

import (
	"context"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/webhook"
)

// check holds what happened against what sessionstamp promises. The emulator has failed
// the test already if anybody was signed out late twice or out of scope.
func (w *world) check() {
	entries := w.entries()
	for _, u := range w.tenant.Users() {
		w.checkCalls(u)
		w.checkUser(u, entries[u.ID])
		w.checkOrders(u, entries[u.ID])
	}
	w.checkEnded(entries)
	if dead := len(w.plant.requests.DeadLetters()); dead != w.poison {
		w.t.Errorf("%d dead letters, want the %d that were poison: %s", dead, w.poison, w.plant.requests.DeadLetters())
	}
	if left := w.plant.requests.Len(); left != 0 && !w.plan.disasters {
		w.t.Errorf("%d requests are left in the queue", left)
	}
	if w.watcher != nil {
		w.watcher.check()
	} else {
		w.checkKeeper()
		w.checkSwept()
	}
	w.checkBrake()
	w.checkPaused()
	w.provider.check(entries)
}

// entries is the ledger at the end.
func (w *world) entries() map[string]stamp.Entry {
	entries := make(map[string]stamp.Entry)
	if w.watcher != nil {
		return w.watcher.entries()
	}
	for _, e := range w.plant.ledger.All(w.tenant.ID()) {
		entries[e.User] = e
	}
	return entries
}

// callSlack is how long after a decision its call may begin: reading, checking and
// waiting for the limiter take their time.
const callSlack = 5 * time.Minute

// checkCalls checks that each call for a user had leave.
func (w *world) checkCalls(u msgraphtest.UserState) {
	for _, at := range u.Revocations {
		switch {
		case !w.mayStamp(u) && w.provider.allows(u.ID, at) == 0:
			w.t.Errorf("user %s is out of scope and was signed out at %s", u.UPN, at)
		case w.sparing.kind == spareDryRun && at.Before(w.sparing.until):
			w.t.Errorf("user %s was signed out at %s, in a dry run", u.ID, at)
		case w.sparing.kind == spareExcluded && w.created[u.ID].named() && at.Before(w.sparing.until):
			w.t.Errorf("user %s was signed out at %s, and was excluded until %s", u.ID, at, w.sparing.until)
		case at.Sub(u.Created) > newUserWindow+callSlack && !w.orderedBy(u.ID, at) && w.provider.allows(u.ID, at) == 0:
			w.t.Errorf("user %s, %s old, was signed out at %s, and nobody had ordered it", u.ID, at.Sub(u.Created), at)
		}
	}
	if times, most := occasions(u.Revocations), w.mostOccasions(u.ID); times > most {
		w.t.Errorf("user %s was signed out on %d occasions, at %s, want %d at most", u.ID, times, u.Revocations, most)
	}
}

// occasions counts calls that are within a minute of the first of them as one.
func occasions(calls []time.Time) int {
	var n int
	var first time.Time
	for _, at := range calls {
		if n == 0 || at.Sub(first) > time.Minute {
			n++
			first = at
		}
	}
	return n
}

// mostOccasions is once for the first stamp, once for each order to sign out, and once for
// each report.
func (w *world) mostOccasions(user string) int {
	n := 1 + w.provider.allows(user, time.Now())
	for _, o := range w.orders.to(user) {
		if o.signOut {
			n++
		}
	}
	return n
}

func (w *world) orderedBy(user string, at time.Time) bool {
	given := w.orders.to(user)
	return len(given) > 0 && !at.Before(given[0].at.Truncate(time.Second))
}

// isOld tells whether the user was there before.
func (w *world) isOld(user string) bool {
	_, created := w.created[user]
	return !created
}

// mayStamp tells whether the user is in scope at the end.
func (w *world) mayStamp(u msgraphtest.UserState) bool {
	drawn := w.created[u.ID]
	switch {
	case drawn.guest || drawn.grouped || drawn.named() && w.sparing.kind != spareExcluded:
		return false
	case drawn.domain == managedDomain:
		return !w.converted.IsZero() && !u.Created.Before(w.converted)
	}
	return true
}

func (w *world) checkUser(u msgraphtest.UserState, e stamp.Entry) {
	switch {
	case w.isOld(u.ID), !w.mayStamp(u), u.Deleted:
	case w.protected[u.ID]:
		w.checkProtected(u, e)
	case !u.Stamped.IsZero():
		w.checkStamped(u, e)
	case w.mayHaveAged(u):
		w.aged++
	case e.State == stamp.StateCannotFix && (e.Reason == stamp.ReasonStillEmpty || !w.plan.disasters):
		w.unfixed++ // two calls were lost, or a full round looks again a day later
	default:
		w.t.Errorf("user %s, created %s after the start, was not stamped: ledger %+v", u.ID, u.Created.Sub(w.start), e)
	}
}

// enoughTime is how long it takes at most, with all that goes wrong, to find a user and
// stamp them: a day, because a change of the settings is followed by a nightly round.
const enoughTime = 30 * time.Hour

// mayHaveAged tells whether the user grew older than the window before anybody could
// stamp them.
func (w *world) mayHaveAged(u msgraphtest.UserState) bool {
	w.seen.mu.Lock()
	defer w.seen.mu.Unlock()
	from := u.Created
	if w.sparing.kind == spareExcluded && w.created[u.ID].named() && from.Before(w.sparing.until) {
		from = w.sparing.until
	}
	until, end := u.Created.Add(newUserWindow), w.playEnd().Add(w.plan.rest)
	return until.Before(end) && !w.seen.freeWithin(from, until, enoughTime)
}

// checkProtected checks a user for whom Graph answers 403: a person has to see that.
func (w *world) checkProtected(u msgraphtest.UserState, e stamp.Entry) {
	if len(u.Revocations) > 0 {
		w.t.Errorf("user %s was signed out in spite of the 403", u.ID)
	}
	// A user who has grown old since, while a later attempt was open, stays as that was.
	if e.State != stamp.StateCannotFix && time.Since(u.Created) <= newUserWindow {
		w.t.Errorf("user %s can't be fixed, the ledger says %+v", u.ID, e)
	}
}

func (w *world) checkStamped(u msgraphtest.UserState, e stamp.Entry) {
	after, took := u.Stamped.Sub(w.playEnd()), u.Stamped.Sub(u.Created)
	w.latest = max(w.latest, after)
	if after > w.plan.bound {
		w.t.Errorf("user %s was stamped %s after the last fault, the bound is %s", u.ID, after, w.plan.bound)
	}
	if bound := w.calmBound(); w.calm && took > bound {
		w.t.Errorf("user %s was stamped %s after the creation, and nothing was in the way for longer than %s", u.ID, took, bound)
	}
	if e.State == stamp.StateCannotFix && w.provider.allows(u.ID, time.Now()) > 0 {
		return // two later calls were lost
	}
	if e.State != stamp.StateStamped || !e.Stamp.Equal(u.Stamp) || e.Created.IsZero() {
		w.t.Errorf("user %s is stamped at %s, the ledger says %+v", u.ID, u.Stamp, e)
	}
}

// calmBound is how long a user may wait in a calm world. A user whom the replica does not
// know yet is asked for at doubled distances, and so may be found later by as much again;
// but not later than replication is said to take.
func (w *world) calmBound() time.Duration {
	unknown := min(w.lag*2, policy.ReplicationLag)
	if w.watcher != nil { // a look that comes before the replica knows the user is followed by the next
		return w.lag + w.watcher.every + unknown + time.Minute
	}
	return w.drawn.Latency + w.drawn.Jitter + unknown + time.Minute
}

// checkOrders checks that each order about a user was carried out.
func (w *world) checkOrders(u msgraphtest.UserState, e stamp.Entry) {
	if !w.mayStamp(u) || u.Deleted || w.protected[u.ID] {
		return
	}
	if e.State == stamp.StateCannotFix {
		w.unfixed++ // and the person hears of it
		return
	}
	for _, o := range w.orders.to(u.ID) {
		if w.sparing.kind == spareDryRun && o.at.Before(w.sparing.until) || w.created[u.ID].named() {
			continue // the answer was that it would have been done
		}
		if u.Stamp.IsZero() || o.signOut && u.Stamp.Before(o.at.Add(-policy.ClockSkew).Truncate(time.Second)) {
			w.t.Errorf("the order of %s about user %s was not carried out: stamp %s", o.at, u.ID, u.Stamp)
		}
	}
}

// longestMatter is far longer than a matter takes in which nothing goes wrong.
const longestMatter = 2 * time.Hour

// checkEnded checks that every matter came to its end: where the ledger waits for a
// request, there was one in the queue until the end.
func (w *world) checkEnded(entries map[string]stamp.Entry) {
	for _, e := range entries {
		waits := e.State == stamp.StateClaimed || e.State == stamp.StateCalled
		u, _ := w.tenant.User(e.User)
		aged := time.Since(u.Created) > newUserWindow // and waits for a person
		if waits && !u.Deleted && !aged && time.Since(e.Updated) > longestMatter {
			w.t.Errorf("nobody came back to the matter of user %s: %+v", e.User, e)
		}
	}
}

// checkKeeper checks that one healthy subscription is left.
func (w *world) checkKeeper() {
	have := w.tenant.Subscriptions()
	item, err := w.plant.records.Load(context.WithoutCancel(w.ctx), w.tenant.ID())
	w.must(err)
	record, wanted := item.Doc, webhook.ClientState(w.plant.config.vault.read(), w.tenant.ID())
	if len(have) != 1 || have[0].ID != record.ID || have[0].ClientState != wanted || have[0].ChangeType != "updated" || record.SweepOwed {
		w.t.Errorf("at the end there are the subscriptions %+v, the keeper's record is %+v", have, record)
	}
}

// checkBrake checks that no more users than the limit were stamped automatically in 24
// hours, unless a person released the brake meanwhile.
func (w *world) checkBrake() {
	var calls []time.Time
	for _, u := range w.tenant.Users() {
		if len(u.Revocations) > 0 && !w.orderedBy(u.ID, u.Stamped) && w.provider.allows(u.ID, u.Stamped) == 0 {
			calls = append(calls, u.Stamped)
		}
	}
	w.checkLimit("the brake", calls, w.orders.released)
}

// checkLimit checks the calls that one brake counts.
func (w *world) checkLimit(brake string, calls []time.Time, released []span) {
	limit := w.plant.config.brakeLimit
	for _, at := range calls {
		from, n := countsFrom(at, released), 0
		for _, other := range calls {
			if !other.Before(from) && !other.After(at) {
				n++
			}
		}
		if n > limit {
			w.t.Errorf("%d users were stamped between %s and %s, %s is at %d", n, from, at, brake, limit)
		}
	}
}

// countsFrom is since when a brake counts at a time: for a day, in whole hours, and not
// from before the last release.
func countsFrom(at time.Time, released []span) time.Time {
	from := at.Add(-23 * time.Hour)
	for _, r := range released {
		if since := r.ended.Add(callSlack); since.After(from) && r.ended.Before(at) {
			from = since
		}
	}
	return from
}
