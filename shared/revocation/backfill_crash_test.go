package revocation_test

import (
	"time"

	"github.com/sessionstamp/sessionstamp/shared/revocation"
)

// existing are the users of the settings below who have been at work for long.
var existing = []int{7, 8, 9}

// askForExisting adds them to a tenant, one who is excluded by group, and the
// sweep's requests for all of them beside the notifications of changes.
func askForExisting(w *world) {
	for _, n := range existing {
		w.user(n, aged(time.Duration(n)*aDay))
		w.ask(n, 0)
	}
	w.user(10, outOfScope, old)
	w.groups = map[string][]string{excludedGroup: {userID(10)}}
	w.ask(10, 0)
	w.notify(7, 0)
	w.notify(8, hold)
}

// backfillSettings are those in which the backfill asks for existing users, too.
var backfillSettings = []setting{
	{
		name: "existing users are asked for",
		arrange: func(w *world) {
			w.enforce()
			askForExisting(w)
		},
		check: func(w *world) { w.checkQuiet(existing...) },
	},
	{
		name: "existing users are asked for in mode report",
		arrange: func(w *world) {
			askForExisting(w)
			for _, n := range existing {
				outOfScope(w.graph.users[userID(n)])
			}
		},
		check: func(*world) {},
	},
	{
		name: "more existing users than the ceiling lets through, and calls are lost",
		arrange: func(w *world) {
			w.enforce(ceilings(revocation.Ceilings{PerRun: 2, PerHour: 9, Share: 1}))
			askForExisting(w)
			w.graph.users[userID(7)].answers = []answer{{err: errPlain}}
			w.graph.users[userID(8)].answers = []answer{{err: errPlain, effect: true}}
		},
		check: func(w *world) { w.checkExisting(2) },
	},
	{
		name: "the hours end while outcomes are unknown",
		arrange: func(w *world) {
			w.enforce(hours(0, 4*time.Minute))
			askForExisting(w)
			w.graph.users[userID(8)].answers = []answer{{err: errPlain}}
			w.graph.users[userID(9)].answers = []answer{{err: errPlain, effect: true}}
			w.ask(7, aDay)
		},
		check: func(w *world) {
			w.checkExisting(len(existing))
			for _, n := range existing {
				for _, at := range w.graph.users[userID(n)].calls {
					if since := at.Sub(w.start) % aDay; since >= 4*time.Minute+revocation.DefaultSettings.CallTimeout {
						w.t.Errorf("user %d was called for %s after midnight", n, since)
					}
				}
			}
		},
	},
}

// checkExisting checks that none of the existing users was signed out twice, and
// no more than most altogether.
func (w *world) checkExisting(most int) {
	w.t.Helper()
	for _, n := range existing {
		if got := w.signOuts(n); got > 1 {
			w.t.Errorf("existing user %d was signed out %d times", n, got)
		}
	}
	if got := w.signOuts(existing...); got > most {
		w.t.Errorf("%d existing users were signed out, want at most %d", got, most)
	}
	if got, counted := w.signOuts(existing...), w.state(tenant).Run; got > counted {
		w.t.Errorf("%d existing users were signed out, only %d were counted", got, counted)
	}
}
