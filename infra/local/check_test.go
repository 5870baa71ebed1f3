package main

import (
	"slices"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
)

// check holds what happened against what sessionstamp promises. The emulator has
// failed the test already if anybody was revoked twice or out of scope.
func (w *world) check() {
	entries := w.entries()
	for _, u := range w.tenant.Users() {
		w.checkUser(u, entries[u.ID])
	}
	w.checkEnded(entries)
	if dead := len(w.plant.requests.DeadLetters()); dead != w.poison {
		w.t.Errorf("%d dead letters, want the %d that were poison: %s", dead, w.poison, w.plant.requests.DeadLetters())
	}
	if left := w.plant.requests.Len(); left != 0 && !w.plan.disasters {
		w.t.Errorf("%d requests are left in the queue", left)
	}
	w.checkKeeper()
	w.checkCeilings()
	w.checkSecrets()
}

// entries are the ledger's, by user.
func (w *world) entries() map[string]revocation.Entry {
	entries := make(map[string]revocation.Entry)
	for _, e := range w.plant.ledger.All(w.tenant.ID()) {
		entries[e.User] = e
	}
	return entries
}

// longestMatter is far longer than a matter takes in which nothing goes wrong.
const longestMatter = 4 * time.Hour

// checkEnded checks that every matter came to its end, whoever it was about: where the
// ledger waits for a request, there was one in the queue until the end.
func (w *world) checkEnded(entries map[string]revocation.Entry) {
	ended := w.start.Add(w.plan.play + w.plan.rest)
	for _, e := range entries {
		waits := e.State == revocation.StateClaimed || e.State == revocation.StateRevoked ||
			e.State == revocation.StateReleased && slices.Contains(putBack, e.Reason)
		if waits && ended.Sub(e.Updated) > longestMatter {
			w.t.Errorf("nobody came back to the matter of user %s: %+v", e.User, e)
		}
	}
}

// putBack are the reasons for which a claim is given back and its request put back.
var putBack = []revocation.Reason{revocation.ReasonThrottled, revocation.ReasonGraphForbidden, revocation.ReasonGraphUnavailable, revocation.ReasonNotFoundYet}

func (w *world) checkUser(u msgraphtest.UserState, e revocation.Entry) {
	_, spared := w.orders.spared[u.ID]
	switch {
	case w.existing[u.ID]:
		w.checkExisting(u, e)
	case !w.mayStamp(u):
		if len(u.Revocations) > 0 {
			w.t.Errorf("user %s is out of scope and was revoked at %s", u.UPN, u.Revocations)
		}
	case w.protected[u.ID]:
		w.checkProtected(u, e)
	case spared:
		w.checkSpared(u, e)
	case u.Deleted:
		if len(u.Revocations) > 1 {
			w.t.Errorf("user %s, deleted since, was revoked %d times", u.ID, len(u.Revocations))
		}
	case !u.Stamped.IsZero():
		w.checkStamped(u, e)
	case !w.doubtful(u):
		w.t.Errorf("user %s, created %s after the start, was not stamped: ledger %+v", u.ID, u.Created.Sub(w.start), e)
	}
}

// mayStamp tells by how the user was created whether sessionstamp may ever stamp
// the user.
func (w *world) mayStamp(u msgraphtest.UserState) bool {
	drawn, ok := w.created[u.ID]
	switch {
	case !ok || drawn.guest || drawn.excluded() && w.orders.sparing != spareExcluded:
		return false
	case drawn.domain == managedDomain:
		return !w.converted.IsZero() && !u.Created.Before(w.converted)
	}
	return true
}

// doubtful tells whether the user was created so soon after the domain became
// federated that an old list of domains, which serves while Graph fails, may not
// know of it.
func (w *world) doubtful(u msgraphtest.UserState) bool {
	old := revocation.DefaultDomainSettings.Stale
	if w.calm {
		old = revocation.DefaultDomainSettings.RefreshDoubtful
	}
	return w.created[u.ID].domain == managedDomain && u.Created.Before(w.converted.Add(old))
}

// checkProtected checks a user for whom Graph answers 403: that is a person's to
// see. Weeks later, a change of such a user is that of an existing one.
func (w *world) checkProtected(u msgraphtest.UserState, e revocation.Entry) {
	if len(u.Revocations) > 0 {
		w.t.Errorf("user %s was revoked in spite of the 403", u.ID)
	}
	seen := e.State == revocation.StateCannotFix && e.Reason == revocation.ReasonForbidden
	_, spared := w.orders.spared[u.ID]
	old := e.State == revocation.StateHeld || spared
	if !seen && (!old || !w.plan.disasters) && !u.Deleted && !w.doubtful(u) {
		w.t.Errorf("user %s can't be fixed, the ledger says %+v", u.ID, e)
	}
}

func (w *world) checkStamped(u msgraphtest.UserState, e revocation.Entry) {
	if len(u.Revocations) != 1 {
		w.t.Errorf("user %s was revoked %d times", u.ID, len(u.Revocations))
	}
	after, took := u.Stamped.Sub(w.start.Add(w.plan.play)), u.Stamped.Sub(u.Created)
	w.latest = max(w.latest, after)
	if after > w.plan.bound {
		w.t.Errorf("user %s was stamped %s after the last fault, the bound is %s", u.ID, after, w.plan.bound)
	}
	if bound := w.calmBound(); w.calm && took > bound {
		w.t.Errorf("user %s was stamped %s after the creation, and nothing was in the way for longer than %s", u.ID, took, bound)
	}
	if e.State != revocation.StateStamped || !e.Stamp.Equal(u.Stamp) || e.Seen.IsZero() || e.Created.IsZero() {
		w.t.Errorf("user %s is stamped at %s, the ledger says %+v", u.ID, u.Stamp, e)
	}
}

// calmBound is how long a user may wait in a calm world. Whom the replica does not
// know yet is asked for at doubled distances, spread by a quarter, and so may be
// found later by as much again; but not later than replication is said to take.
func (w *world) calmBound() time.Duration {
	unknown := min(w.replica.Lag*9/4, revocation.DefaultSettings.ReplicationLag)
	return w.drawn.Latency + w.drawn.Jitter + unknown + time.Minute
}

// checkKeeper checks that one healthy subscription is left, and that no gap is
// without a sweep after it.
func (w *world) checkKeeper() {
	have := w.tenant.Subscriptions()
	record, err := w.plant.records.Record(w.t.Context(), w.tenant.ID())
	w.must(err)
	if len(have) != 1 || have[0].ID != record.SubscriptionID || record.Since.IsZero() {
		w.t.Errorf("at the end there are the subscriptions %+v, the keeper's record is %+v", have, record)
		return
	}
	if have[0].ClientState != w.dueClientState(w.t.Context()) || have[0].ChangeType != "updated" {
		w.t.Errorf("the subscription left is not as wanted: %+v", have[0])
	}
	w.checkSwept()
}

// checkExisting checks that nobody who was there before was touched without
// leave, or by day, and that who needs a stamp stands in the report.
func (w *world) checkExisting(u msgraphtest.UserState, e revocation.Entry) {
	found := w.touched[u.ID] || w.plan.disasters
	if found && u.Stamp.IsZero() && !slices.Contains(w.waiting(), e.State) {
		w.t.Errorf("existing user %s has no stamp, and does not wait in the ledger: %+v", u.ID, e)
	}
	for _, at := range u.Revocations {
		w.checkLeave(u, at)
	}
	if len(u.Revocations) > 1 {
		w.t.Errorf("existing user %s was revoked %d times", u.ID, len(u.Revocations))
	}
}

// waiting are the states in which an existing user can be left who has no stamp.
func (w *world) waiting() []revocation.State {
	states := []revocation.State{revocation.StateHeld}
	if w.plant.config.policy.Backfill.Mode == revocation.ModeEnforce {
		states = append(states, revocation.StateCannotFix)
		if w.orders.sparing == spareDryRun {
			states = append(states, revocation.StateSpared)
		}
	}
	return states
}

// checkLeave checks that a user who is not new was revoked by the backfill, in
// its hours, and notes it for the ceilings.
func (w *world) checkLeave(u msgraphtest.UserState, at time.Time) {
	w.backfilled = append(w.backfilled, at)
	backfill := w.plant.config.policy.Backfill
	if backfill.Mode == revocation.ModeReport || !backfill.Hours.Contain(at.Add(-time.Minute)) && !backfill.Hours.Contain(at) {
		w.t.Errorf("existing user %s was revoked at %s in mode %s", u.ID, at, backfill.Mode)
	}
	if w.orders.sparing == spareDryRun && at.Before(w.orders.until) {
		w.t.Errorf("existing user %s was revoked at %s, in a dry run", u.ID, at)
	}
}

// membersAt counts whoever was a member at any time until at: a full round can't
// have counted more.
func (w *world) membersAt(at time.Time) int {
	n := 0
	for _, u := range w.tenant.Users() {
		if !w.created[u.ID].guest && !u.Created.After(at) {
			n++
		}
	}
	return n
}

// checkCeilings checks that no more existing users were stamped than may be.
func (w *world) checkCeilings() {
	c := w.plant.config.policy.Backfill.Ceilings
	slices.SortFunc(w.backfilled, time.Time.Compare)
	for i, at := range w.backfilled {
		if most := min(c.PerRun, int(c.Share*float64(w.membersAt(at)))); i >= most {
			w.t.Errorf("%d existing users were stamped by %s, the ceilings %+v let %d through", i+1, at, c, most)
		}
		if i >= c.PerHour && at.Sub(w.backfilled[i-c.PerHour]) < time.Hour {
			w.t.Errorf("more than %d existing users were stamped in the hour before %s", c.PerHour, at)
		}
	}
}
