package revocation_test

import (
	"context"
	"sync"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/revocation"
)

// aDay is the time until the hours come again.
const aDay = 24 * time.Hour

// excludedGroup holds users 1 and 2 where it is excluded.
const excludedGroup = "96000000-0000-4000-8000-000000000001"

func excludeGroup(w *world) {
	w.groups = map[string][]string{excludedGroup: {userID(2), userID(1)}}
}

var backfillStories = []story{
	{
		name: "an existing user in mode report, even when asked for",
		arrange: func(w *world) {
			w.user(1, old, outOfScope)
			w.notify(1, 0)
			w.ask(1, time.Minute, time.Hour)
		},
		want:  []string{"done existing_user"},
		state: revocation.StateHeld,
	},
	{
		name: "an existing user in mode enforce, for whom nobody asks",
		arrange: func(w *world) {
			w.enforce()
			w.user(1, old, outOfScope)
			w.notify(1, 0)
			for _, source := range []revocation.Source{revocation.SourceSweep, revocation.SourceOperator} {
				r := w.request(1, time.Minute)
				r.Source = source
				w.send(r, time.Minute)
			}
		},
		want:  []string{"done existing_user"},
		state: revocation.StateHeld,
	},
	{
		name: "an existing user in mode enforce is stamped once, however often asked for",
		arrange: func(w *world) {
			w.enforce()
			w.user(1, old)
			w.notify(1, 0)
			w.ask(1, time.Minute, time.Minute, time.Minute+time.Second, 10*time.Minute)
		},
		want:  []string{"done existing_user", "done revoked", "done read_back_pending", "done read_back", "done known_stamped"},
		state: revocation.StateStamped, calls: 1, signOuts: 1,
	},
	{
		name: "a request of the backfill beside a notification of the same moment",
		arrange: func(w *world) {
			w.enforce()
			w.user(1, old)
			w.notify(1, 0)
			w.ask(1, 0)
		},
		want:  []string{"done revoked", "done read_back"},
		state: revocation.StateStamped, calls: 1, signOuts: 1,
	},
	{
		name: "a request of the backfill beside a notification that says the user was new",
		arrange: func(w *world) {
			w.user(1, aged(2*time.Hour))
			w.ask(1, 0)
			w.send(w.request(1, -2*time.Hour+time.Minute), 0) // was put back by an outage
		},
		want:  []string{"done revoked", "done read_back"},
		state: revocation.StateStamped, calls: 1, signOuts: 1,
	},
	{
		name: "a new user waits for neither mode nor hours nor ceilings, though the backfill asks",
		arrange: func(w *world) {
			w.enforce(hours(2*time.Hour, 3*time.Hour), ceilings(revocation.Ceilings{}))
			w.user(1)
			w.ask(1, 0)
		},
		want:  []string{"done revoked", "done read_back"},
		state: revocation.StateStamped, calls: 1, signOuts: 1,
	},
	{
		name: "an accepted call that leaves no stamp, and mode report since",
		arrange: func(w *world) {
			w.enforce()
			w.user(1, old, func(u *fakeUser) { u.deaf = true })
			w.ask(1, 0)
			w.steps.hook = func(_ context.Context, s step) error {
				if s.call == "Directory.RevokeSignInSessions" {
					w.config.Policy.Backfill.Mode = revocation.ModeReport
				}
				return nil
			}
		},
		want:  []string{"done revoked", "later empty_seen", "done existing_user"},
		state: revocation.StateHeld, calls: 1, signOuts: 1,
	},
	{
		name: "a dry run of a new user",
		arrange: func(w *world) {
			w.config.DryRun = true
			w.user(1, outOfScope)
			w.notify(1, 0, time.Minute)
		},
		want:  []string{"done dry_run"},
		state: revocation.StateSpared,
	},
	{
		name: "a dry run of an existing user",
		arrange: func(w *world) {
			w.config.DryRun = true
			w.enforce()
			w.user(1, old, outOfScope)
			w.notify(1, 0)
			w.ask(1, time.Minute)
		},
		want:  []string{"done existing_user", "done dry_run"},
		state: revocation.StateSpared,
	},
}

// hoursStories begin at midnight.
var hoursStories = []story{
	{
		name: "quiet hours hold, and the hours let pass",
		arrange: func(w *world) {
			w.enforce(hours(time.Hour, 2*time.Hour))
			w.user(1, old)
			w.ask(1, 0, 59*time.Minute+59*time.Second, time.Hour)
		},
		want:  []string{"done quiet_hours", "done revoked", "done read_back"},
		state: revocation.StateStamped, calls: 1, signOuts: 1,
	},
	{
		name: "a notification for a user held by the hours changes nothing",
		arrange: func(w *world) {
			w.enforce(hours(time.Hour, 2*time.Hour))
			w.user(1, old)
			w.ask(1, 0, time.Hour)
			w.notify(1, time.Minute)
		},
		want:  []string{"done quiet_hours", "done existing_user", "done revoked", "done read_back"},
		state: revocation.StateStamped, calls: 1, signOuts: 1,
	},
	{
		name: "the hours end while the write quota is waited for",
		arrange: func(w *world) {
			w.enforce(hours(0, time.Hour))
			w.user(1, old, outOfScope)
			w.ask(1, time.Hour-5*time.Second)
			if err := w.config.Quota.Pause(w.t.Context(), tenant, w.start.Add(time.Hour+3*time.Second)); err != nil {
				w.t.Fatalf("Pause: %v", err)
			}
		},
		want:  []string{"done quiet_hours"},
		state: revocation.StateHeld,
	},
	{
		name: "an unknown outcome that took no effect, and the hours over",
		arrange: func(w *world) {
			w.enforce(hours(0, time.Hour))
			w.user(1, old, answers(answer{err: errPlain}))
			w.ask(1, time.Hour-time.Minute, aDay)
		},
		want: []string{
			"later outcome_unknown",
			"later empty_seen",
			"done quiet_hours",
			"done revoked",
			"done read_back",
		},
		state: revocation.StateStamped, calls: 2, signOuts: 1,
	},
	{
		name: "an unknown outcome that took effect, and the hours over",
		arrange: func(w *world) {
			w.enforce(hours(0, time.Hour))
			w.user(1, old, answers(answer{err: errPlain, effect: true}))
			w.ask(1, time.Hour-time.Minute, aDay)
		},
		want:  []string{"later outcome_unknown", "done read_back", "done known_stamped"},
		state: revocation.StateStamped, calls: 1, signOuts: 1,
	},
	{
		name: "an unknown outcome that a notification looks at first",
		arrange: func(w *world) {
			w.enforce()
			w.user(1, old, answers(answer{err: errPlain}))
			w.ask(1, 0)
			w.notify(1, time.Minute)
		},
		want: []string{
			"later outcome_unknown",
			"later claimed",
			"later empty_seen",
			"done revoked",
			"done read_back",
		},
		state: revocation.StateStamped, calls: 2, signOuts: 1,
	},
	{
		name: "an accepted call that leaves no stamp, and the hours over",
		arrange: func(w *world) {
			w.enforce(hours(0, time.Hour))
			w.user(1, old, func(u *fakeUser) { u.deaf = true })
			w.ask(1, time.Hour-time.Minute, aDay, 2*aDay, 3*aDay)
		},
		want: []string{
			"done revoked",
			"later empty_seen",
			"done quiet_hours",
			"done revoked",
			"later empty_seen",
			"done still_empty",
			"done known_cannot_fix",
			"done still_empty",
		},
		state: revocation.StateCannotFix, calls: 2, signOuts: 2,
	},
	{
		name: "a throttled call, and the hours over",
		arrange: func(w *world) {
			w.enforce(hours(0, time.Hour))
			w.user(1, old, answers(answer{err: graphError(429, retryAfter(2*time.Minute))}))
			w.ask(1, time.Hour-time.Minute)
		},
		want:  []string{"later throttled", "done quiet_hours"},
		state: revocation.StateHeld, calls: 1,
	},
}

var missedStories = []story{
	{
		name: "a missed user is new however late the sweep comes",
		arrange: func(w *world) {
			w.user(1, aged(10*aDay))
			w.miss(0)
		},
		want:  []string{"done revoked", "done read_back"},
		state: revocation.StateStamped, calls: 1, signOuts: 1,
	},
	{
		name: "a missed user whom a late notification had held",
		arrange: func(w *world) {
			w.user(1, aged(10*aDay))
			w.notify(1, 0)
			w.miss(time.Minute)
		},
		want:  []string{"done existing_user", "done revoked", "done read_back"},
		state: revocation.StateStamped, calls: 1, signOuts: 1,
	},
	{
		name: "a missed user of whom a late notification tells at the same moment",
		arrange: func(w *world) {
			w.user(1, aged(10*aDay))
			w.notify(1, 0)
			w.miss(0)
		},
		want:  []string{"done revoked", "done read_back"},
		state: revocation.StateStamped, calls: 1, signOuts: 1,
	},
	{
		name: "a missed and held user of whom another notification tells at the same moment",
		arrange: func(w *world) {
			w.user(1, aged(10*aDay))
			w.notify(1, 0, time.Minute)
			w.miss(time.Minute)
		},
		want:  []string{"done existing_user", "done revoked", "done read_back"},
		state: revocation.StateStamped, calls: 1, signOuts: 1,
	},
	{
		name: "the second try for a missed user, beside the notification of a change",
		arrange: func(w *world) {
			w.user(1, aged(10*aDay), answers(answer{err: errPlain}))
			w.miss(0)
			w.notify(1, hold)
		},
		want:  []string{"later outcome_unknown", "later empty_seen", "done revoked", "done read_back"},
		state: revocation.StateStamped, calls: 2, signOuts: 1,
	},
}

var heldBackStories = []story{
	closed("a ceiling of no users in a run", "done ceiling_run", revocation.Ceilings{PerHour: 9, Share: 1}),
	closed("a ceiling of no users in an hour", "done ceiling_hour", revocation.Ceilings{PerRun: 9, Share: 1}),
	closed("a ceiling of no part of the tenant", "done ceiling_share", revocation.Ceilings{PerRun: 9, PerHour: 9}),
	{
		name: "a tenant whose members nobody has counted",
		arrange: func(w *world) {
			w.config.Policy.Backfill.Mode = revocation.ModeEnforce
			w.user(1, old, outOfScope)
			w.ask(1, 0, aDay)
		},
		want:  []string{"done ceiling_share"},
		state: revocation.StateHeld,
	},
	{
		name: "a ceiling stops until it is lifted, whatever time goes by",
		arrange: func(w *world) {
			w.enforce(ceilings(revocation.Ceilings{PerRun: 1, PerHour: 9, Share: 1}))
			w.user(1, old)
			w.update(func(s revocation.BackfillState) revocation.BackfillState { s.Run = 1; return s })
			w.ask(1, 0, time.Hour, 3*aDay, 4*aDay)
			time.AfterFunc(4*aDay-time.Second, w.lift)
		},
		want:  []string{"done ceiling_run", "done revoked", "done read_back"},
		state: revocation.StateStamped, calls: 1, signOuts: 1,
	},
	{
		name: "an unknown outcome that took no effect, and a ceiling reached",
		arrange: func(w *world) {
			w.enforce(ceilings(revocation.Ceilings{PerRun: 1, PerHour: 9, Share: 1}))
			w.user(1, old, answers(answer{err: errPlain}))
			w.ask(1, 0)
		},
		want:  []string{"later outcome_unknown", "later empty_seen", "done ceiling_run"},
		state: revocation.StateHeld, calls: 1,
	},
	{
		name: "an existing user excluded by group",
		arrange: func(w *world) {
			excludeGroup(w)
			w.enforce()
			w.user(1, old, outOfScope)
			w.ask(1, 0)
		},
		want:  []string{"done excluded"},
		state: revocation.StateSpared,
	},
	{
		name: "a new user excluded by group",
		arrange: func(w *world) {
			excludeGroup(w)
			w.user(1, outOfScope)
			w.notify(1, 0)
			w.miss(time.Minute)
		},
		want:  []string{"done excluded"},
		state: revocation.StateSpared,
	},
	{
		name: "a held user who has been excluded waits no longer",
		arrange: func(w *world) {
			excludeGroup(w)
			w.enforce()
			w.user(1, old, outOfScope)
			w.remember(1, revocation.Entry{State: revocation.StateHeld, Reason: revocation.ReasonExistingUser, Seen: w.start})
			w.ask(1, 0)
		},
		want:  []string{"done excluded"},
		state: revocation.StateSpared,
	},
	{
		name: "a held user who has left the scope waits no longer",
		arrange: func(w *world) {
			w.user(1, old, outOfScope, func(u *fakeUser) { u.UserPrincipalName = canary + "@managed.example" })
			w.remember(1, revocation.Entry{State: revocation.StateHeld, Reason: revocation.ReasonExistingUser, Seen: w.start})
			w.ask(1, 0)
		},
		want:  []string{"done not_federated"},
		state: revocation.StateReleased,
	},
	groupsUnavailable("members of excluded groups that can't be read, and a new user", func(w *world) { w.user(1); w.notify(1, 0) }),
	groupsUnavailable("members of excluded groups that can't be read, and an existing user", func(w *world) { w.user(1, old); w.ask(1, 0) }),
	backfillOutage("a state of the backfill that can't be read", "Backfill.Backfill"),
	backfillOutage("a state of the backfill that can't be written", "Backfill.SaveBackfill"),
	backfillOutage("a state of the backfill that others keep writing", "Backfill.SaveBackfill", revocation.ErrConflict),
	{
		name: "a store of the backfill that loses its answers",
		arrange: func(w *world) {
			w.enforce(ceilings(revocation.Ceilings{PerRun: 2, PerHour: 9, Share: 1}))
			w.user(1, old, outOfScope)
			w.ask(1, 0)
			w.failing("Backfill.SaveBackfill", true, 10*time.Minute, errPlain)
		},
		// Each try was counted, so that the ceiling is reached without a call.
		want:  []string{"later backfill_unavailable", "done ceiling_run"},
		state: revocation.StateHeld,
	},
	{
		name: "another worker passes the ceilings at the same moment",
		arrange: func(w *world) {
			w.enforce(ceilings(revocation.Ceilings{PerRun: 1, PerHour: 9, Share: 1}))
			w.user(1, old, outOfScope)
			w.ask(1, 0)
			var once sync.Once
			w.steps.hook = func(_ context.Context, s step) error {
				if s == (step{"Backfill.Backfill", true}) {
					once.Do(func() {
						w.update(func(s revocation.BackfillState) revocation.BackfillState { s.Run++; return s })
					})
				}
				return nil
			}
		},
		want:  []string{"done ceiling_run"},
		state: revocation.StateHeld,
	},
	{
		name: "the members are counted while the ceilings are asked",
		arrange: func(w *world) {
			w.config.Policy.Backfill.Mode = revocation.ModeEnforce
			w.user(1, old)
			w.ask(1, 0)
			var once sync.Once
			w.steps.hook = func(_ context.Context, s step) error {
				if s == (step{"Backfill.Backfill", true}) {
					once.Do(func() { w.enforce() })
				}
				return nil
			}
		},
		want:  []string{"done revoked", "done read_back"},
		state: revocation.StateStamped, calls: 1, signOuts: 1,
	},
}

// closed is the story of ceilings that let nobody through.
func closed(name, want string, c revocation.Ceilings) story {
	return story{
		name: name,
		arrange: func(w *world) {
			w.enforce(ceilings(c))
			w.user(1, old, outOfScope)
			w.ask(1, 0, aDay)
		},
		want:  []string{want},
		state: revocation.StateHeld,
	}
}

// groupsUnavailable is the story of groups that can't be read for ten minutes.
func groupsUnavailable(name string, arrange func(*world)) story {
	return story{
		name: name,
		arrange: func(w *world) {
			w.groups = map[string][]string{excludedGroup: {userID(2)}}
			w.enforce()
			arrange(w)
			w.failing("Groups.GroupMembers", false, 10*time.Minute, graphError(503))
		},
		want:  []string{"later exclusions_unavailable", "done revoked", "done read_back"},
		state: revocation.StateStamped, calls: 1, signOuts: 1,
	}
}

// backfillOutage is the story of a store of the backfill that fails for ten
// minutes.
func backfillOutage(name, call string, causes ...error) story {
	causes = append(causes, errPlain)
	return story{
		name: name,
		arrange: func(w *world) {
			w.enforce()
			w.user(1, old)
			w.ask(1, 0)
			w.failing(call, false, 10*time.Minute, causes[0])
		},
		want:  []string{"later backfill_unavailable", "done revoked", "done read_back"},
		state: revocation.StateStamped, calls: 1, signOuts: 1,
	}
}
