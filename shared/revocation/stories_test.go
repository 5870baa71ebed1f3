package revocation_test

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
)

// hold is how long after a call its stamp is looked at.
const hold = 5*time.Minute + 20*time.Second

func stamp(u *fakeUser)      { u.SignInSessionsValidFrom = time.Now().UTC().Add(-time.Minute) }
func outOfScope(u *fakeUser) { u.outOfScope = true }

func answers(list ...answer) func(*fakeUser) {
	return func(u *fakeUser) { u.answers = list }
}

// stories are grouped by what a reader looks for; TestStories runs them all, and
// checks that together they reach every reason.
var stories = slices.Concat(policyStories, endStories, claimStories, outageStories, envelopeStories,
	backfillStories, hoursStories, missedStories, heldBackStories)

var policyStories = []story{
	{
		name:    "a new user is stamped and the stamp read back",
		arrange: func(w *world) { w.user(1); w.notify(1, 0) },
		want:    []string{"done revoked", "done read_back"},
		state:   revocation.StateStamped, calls: 1, signOuts: 1,
	},
	{
		name:    "a stamp of somebody else is left alone, and remembered",
		arrange: func(w *world) { w.user(1, stamp, outOfScope); w.notify(1, 0, time.Minute) },
		want:    []string{"done stamped", "done known_stamped"},
		state:   revocation.StateStamped,
	},
	{
		name: "a guest",
		arrange: func(w *world) {
			w.user(1, outOfScope, func(u *fakeUser) { u.UserType = "Guest" })
			w.notify(1, 0)
		},
		want: []string{"done guest"},
	},
	{
		name: "neither member nor guest",
		arrange: func(w *world) {
			w.user(1, outOfScope, func(u *fakeUser) { u.UserType = "" })
			w.notify(1, 0)
		},
		want: []string{"done not_member"},
	},
	{
		name: "a managed domain",
		arrange: func(w *world) {
			w.user(1, outOfScope, func(u *fakeUser) { u.UserPrincipalName = canary + "@managed.example" })
			w.notify(1, 0)
		},
		want: []string{"done not_federated"},
	},
	{
		name: "an excluded user",
		arrange: func(w *world) {
			w.user(1, outOfScope, func(u *fakeUser) { u.UserPrincipalName = "SVC-" + canary + "@federated.example" })
			w.notify(1, 0)
		},
		want:  []string{"done excluded"},
		state: revocation.StateSpared,
	},
	{
		name: "an answer without the stamp's property",
		arrange: func(w *world) {
			w.user(1, outOfScope, func(u *fakeUser) { u.StampKnown = false })
			w.notify(1, 0)
		},
		want: []string{"done stamp_unknown"},
	},
	{
		name: "an answer without the time of creation",
		arrange: func(w *world) {
			w.user(1, outOfScope, func(u *fakeUser) { u.Created = time.Time{} })
			w.notify(1, 0)
		},
		want: []string{"done created_unknown"},
	},
	{
		name: "an existing user is held",
		arrange: func(w *world) {
			w.user(1, outOfScope, func(u *fakeUser) { u.Created = w.start.Add(-2 * time.Hour) })
			w.notify(1, 0, time.Minute)
		},
		want:  []string{"done existing_user"},
		state: revocation.StateHeld,
	},
	{
		name: "a user held by a later notification is new by an earlier one",
		arrange: func(w *world) {
			w.user(1, func(u *fakeUser) { u.Created = w.start.Add(-2 * time.Hour) })
			w.notify(1, 0)
			w.send(w.request(1, -2*time.Hour+time.Second), time.Minute) // was put back by an outage
		},
		want:  []string{"done existing_user", "done revoked", "done read_back"},
		state: revocation.StateStamped, calls: 1, signOuts: 1,
	},
	{
		name: "a held user who has got a stamp is known by it after a sweep",
		arrange: func(w *world) {
			w.user(1, stamp, outOfScope)
			w.remember(1, revocation.Entry{State: revocation.StateHeld, Reason: revocation.ReasonExistingUser, Seen: w.start})
			sweep := w.request(1, 0)
			sweep.Source = revocation.SourceSweep
			w.send(sweep, 0)
		},
		want:  []string{"done stamped"},
		state: revocation.StateStamped,
	},
	{
		name: "an outage makes nobody old",
		arrange: func(w *world) {
			w.user(1)
			w.notify(1, 0)
			w.failing("Directory.ReadUsers", false, 3*time.Hour, graphError(503))
		},
		want:  []string{"later graph_unavailable", "done revoked", "done read_back"},
		state: revocation.StateStamped, calls: 1, signOuts: 1,
	},
}

var endStories = []story{
	{
		name:    "a user who was deleted",
		arrange: func(w *world) { w.notify(1, 0) },
		want:    []string{"later not_found_yet", "done not_found"},
	},
	{
		name: "a user whom the replicas do not know yet",
		arrange: func(w *world) {
			w.user(1, func(u *fakeUser) { u.appears = w.start.Add(time.Minute) })
			w.notify(1, 0)
		},
		want:  []string{"later not_found_yet", "done revoked", "done read_back"},
		state: revocation.StateStamped, calls: 1, signOuts: 1,
	},
	{
		name: "a user who was deleted after the claim",
		arrange: func(w *world) {
			w.user(1, func(u *fakeUser) { u.missing = true })
			w.remember(1, revocation.Entry{State: revocation.StateClaimed, Claimed: w.start, Seen: w.start})
			w.notify(1, 0)
		},
		want:  []string{"later claimed", "done not_found"},
		state: revocation.StateGone,
	},
	{
		name:    "a user whom only the write does not find",
		arrange: func(w *world) { w.user(1, answers(answer{err: graphError(404)})); w.notify(1, 0) },
		want:    []string{"later not_found_yet", "done revoked", "done read_back"},
		state:   revocation.StateStamped, calls: 2, signOuts: 1,
	},
	{
		name: "a right that is missing, until it is granted",
		arrange: func(w *world) {
			w.user(1, answers(answer{err: graphError(403)}))
			w.notify(1, 0, 23*time.Hour, 25*time.Hour)
		},
		want:  []string{"done forbidden", "done known_cannot_fix", "done revoked", "done read_back"},
		state: revocation.StateStamped, calls: 2, signOuts: 1,
	},
	{
		name: "a call that is refused for another reason",
		arrange: func(w *world) {
			w.user(1, answers(answer{err: graphError(400)}))
			w.notify(1, 0, 23*time.Hour, 25*time.Hour)
		},
		want:  []string{"done refused", "done known_cannot_fix", "done revoked", "done read_back"},
		state: revocation.StateStamped, calls: 2, signOuts: 1,
	},
	{
		name:    "two accepted calls that leave no stamp",
		arrange: func(w *world) { w.user(1, func(u *fakeUser) { u.deaf = true }); w.notify(1, 0) },
		want:    []string{"done revoked", "later empty_seen", "done revoked", "later empty_seen", "done still_empty"},
		state:   revocation.StateCannotFix, calls: 2, signOuts: 2,
	},
	{
		name: "somebody else stamps a user whom two calls left without",
		arrange: func(w *world) {
			u := w.user(1, func(u *fakeUser) { u.deaf = true })
			u.show = func(shown *directory.User) {
				if time.Since(w.start) > 30*time.Hour {
					shown.SignInSessionsValidFrom = w.start.Add(30 * time.Hour)
				}
			}
			w.notify(1, 0, 26*time.Hour, 60*time.Hour)
		},
		want: []string{
			"done revoked",
			"later empty_seen",
			"done revoked",
			"later empty_seen",
			"done still_empty",
			"done stamped",
		},
		state: revocation.StateStamped, calls: 2, signOuts: 2,
	},
	{
		name: "call after call takes effect, unseen, and leaves no stamp",
		arrange: func(w *world) {
			lost := answer{err: graphError(504, perhapsDone), effect: true}
			w.user(1, func(u *fakeUser) { u.deaf = true }, answers(slices.Repeat([]answer{lost}, 13)...))
			w.notify(1, 0)
		},
		// The first two waits fit into one delay of the queue.
		want: slices.Concat(
			slices.Repeat([]string{"later outcome_unknown", "later empty_seen"}, 2),
			slices.Repeat([]string{"later outcome_unknown", "later claimed", "later empty_seen"}, 10),
			[]string{"done unconfirmed"},
		),
		state: revocation.StateCannotFix, calls: 12, signOuts: 12,
	},
	{
		name: "a stamp that stays older than our call",
		arrange: func(w *world) {
			u := w.user(1)
			u.show = showAfterCall(u, 0, aWeek)
			w.notify(1, 0)
		},
		want:  []string{"done revoked", "later older_stamp_seen", "done older_stamp"},
		state: revocation.StateCannotFix, calls: 1, signOuts: 1,
	},
	{
		name: "a stale replica, and a storm of notifications that must not wear out our patience",
		arrange: func(w *world) {
			u := w.user(1)
			u.show = showAfterCall(u, 0, 10*time.Minute)
			w.notify(1, 0)
			for i := range 20 {
				w.notify(1, hold+time.Second*time.Duration(i))
			}
		},
		want:  []string{"done revoked", "later older_stamp_seen", "done read_back_pending", "done read_back"},
		state: revocation.StateStamped, calls: 1, signOuts: 1,
	},
	{
		name: "a message of another tenant",
		arrange: func(w *world) {
			foreign := w.request(1, 0)
			foreign.Tenant = foreignTenant
			w.send(foreign, 0)
		},
		want: []string{"failed invalid"},
		dead: 1,
	},
	{
		name:    "a message that is no request",
		arrange: func(w *world) { w.sendBody([]byte(`{"user":"`+canary+`@federated.example"}`), 0) },
		want:    []string{"failed invalid"},
		dead:    1,
	},
	{
		name: "an outage that outlasts our patience",
		arrange: func(w *world) {
			w.user(1)
			w.notify(1, 0)
			w.failing("Directory.ReadUsers", false, aWeek, graphError(503))
		},
		want: []string{"later graph_unavailable", "failed gave_up"},
		dead: 1,
	},
	{
		name: "a notification after we gave up",
		arrange: func(w *world) {
			w.user(1)
			w.notify(1, 0, 5*24*time.Hour)
			w.failing("Directory.RevokeSignInSessions", false, 5*24*time.Hour, graphError(503))
		},
		// Nobody knows what the user has been doing for five days. The dead letter
		// says so, and can be sent again.
		want:  []string{"later graph_unavailable", "failed gave_up", "done existing_user"},
		state: revocation.StateHeld, calls: 0, signOuts: 0,
		dead: 1,
	},
}

// showAfterCall makes reads show a stamp older than the call, from one time
// after the call until another.
func showAfterCall(u *fakeUser, from, until time.Duration) func(*directory.User) {
	return func(shown *directory.User) {
		if len(u.signOuts) == 0 {
			return
		}
		if since := time.Since(u.signOuts[0]); since >= from && since < until {
			shown.SignInSessionsValidFrom = u.signOuts[0].Add(-time.Hour)
		}
	}
}

var claimStories = []story{
	{
		name: "a claim whose worker died before the call",
		arrange: func(w *world) {
			w.user(1)
			w.remember(1, revocation.Entry{State: revocation.StateClaimed, Claimed: w.start, Seen: w.start})
			w.notify(1, 0)
		},
		want:  []string{"later claimed", "later empty_seen", "done revoked", "done read_back"},
		state: revocation.StateStamped, calls: 1, signOuts: 1,
	},
	{
		name: "a claim whose worker died after the call",
		arrange: func(w *world) {
			w.user(1, outOfScope, func(u *fakeUser) { u.SignInSessionsValidFrom = w.start.Add(time.Second) })
			w.remember(1, revocation.Entry{State: revocation.StateClaimed, Claimed: w.start, Seen: w.start})
			w.notify(1, 0)
		},
		want:  []string{"later claimed", "done read_back"},
		state: revocation.StateStamped,
	},
	{
		name: "a claim that another worker took since the ledger was read",
		arrange: func(w *world) {
			w.user(1)
			w.notify(1, 0)
			var once sync.Once
			w.steps.hook = func(_ context.Context, s step) error {
				if s == (step{"Quota.Reserve", true}) {
					once.Do(func() {
						w.remember(1, revocation.Entry{State: revocation.StateClaimed, Claimed: time.Now(), Seen: w.start})
					})
				}
				return nil
			}
		},
		want:  []string{"later claimed", "later empty_seen", "done revoked", "done read_back"},
		state: revocation.StateStamped, calls: 1, signOuts: 1,
	},
	{
		name: "a claim, and a stamp that somebody else made",
		arrange: func(w *world) {
			w.user(1, stamp, outOfScope)
			w.remember(1, revocation.Entry{State: revocation.StateClaimed, Claimed: w.start, Seen: w.start})
			w.notify(1, 0)
		},
		want:  []string{"later claimed", "done stamped"},
		state: revocation.StateStamped,
	},
	{
		name: "a user who left the scope after a claim",
		arrange: func(w *world) {
			w.user(1, outOfScope, func(u *fakeUser) { u.UserPrincipalName = canary + "@managed.example" })
			w.remember(1, revocation.Entry{State: revocation.StateClaimed, Claimed: w.start, Seen: w.start})
			w.notify(1, 0)
		},
		want:  []string{"later claimed", "later empty_seen", "done not_federated"},
		state: revocation.StateReleased,
	},
	{
		name: "a user who left the scope after a claim was given back",
		arrange: func(w *world) {
			w.user(1, outOfScope, func(u *fakeUser) { u.UserPrincipalName = canary + "@managed.example" })
			w.remember(1, revocation.Entry{State: revocation.StateReleased, Reason: revocation.ReasonThrottled, Seen: w.start})
			w.notify(1, 0, time.Minute)
		},
		want:  []string{"done not_federated"},
		state: revocation.StateReleased,
	},
	{
		name:    "a call without an answer that took effect",
		arrange: func(w *world) { w.user(1, answers(answer{err: errPlain, effect: true})); w.notify(1, 0) },
		want:    []string{"later outcome_unknown", "done read_back"},
		state:   revocation.StateStamped, calls: 1, signOuts: 1,
	},
	{
		name:    "a call without an answer that took none",
		arrange: func(w *world) { w.user(1, answers(answer{err: errPlain})); w.notify(1, 0) },
		want:    []string{"later outcome_unknown", "later empty_seen", "done revoked", "done read_back"},
		state:   revocation.StateStamped, calls: 2, signOuts: 1,
	},
	{
		name: "a 504 after which nobody knows",
		arrange: func(w *world) {
			w.user(1, answers(answer{err: graphError(504, perhapsDone), effect: true}))
			w.notify(1, 0, time.Minute, 2*time.Minute)
		},
		want:  []string{"later outcome_unknown", "later claimed", "done read_back"},
		state: revocation.StateStamped, calls: 1, signOuts: 1,
	},
	{
		name: "a request to read back that comes too early",
		arrange: func(w *world) {
			w.user(1, stamp, outOfScope)
			w.remember(1, revocation.Entry{
				State: revocation.StateRevoked, Claimed: w.start, Seen: w.start, Accepted: 1,
				Called: w.start.Add(-time.Minute),
			})
			back := w.request(1, 0)
			back.ReadBack = true
			w.send(back, time.Minute)
		},
		want:  []string{"later read_back_early", "done read_back"},
		state: revocation.StateStamped,
	},
	{
		name:    "the notifications that our own call brings about",
		arrange: func(w *world) { w.user(1); w.notify(1, 0, time.Second, time.Minute, 10*time.Minute) },
		want:    []string{"done revoked", "done read_back_pending", "done read_back", "done known_stamped"},
		state:   revocation.StateStamped, calls: 1, signOuts: 1,
	},
	{
		name: "a reading back without the stamp's property",
		arrange: func(w *world) {
			u := w.user(1)
			u.show = func(shown *directory.User) {
				shown.StampKnown = len(u.signOuts) == 0 || time.Since(u.signOuts[0]) > 10*time.Minute
			}
			w.notify(1, 0)
		},
		want:  []string{"done revoked", "later stamp_unknown", "done read_back"},
		state: revocation.StateStamped, calls: 1, signOuts: 1,
	},
}
