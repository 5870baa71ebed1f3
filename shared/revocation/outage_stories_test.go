package revocation_test

import (
	"context"
	"sync"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/revocation"
)

var outageStories = []story{
	{
		name: "no room in the quota",
		arrange: func(w *world) {
			w.user(1)
			w.notify(1, 0)
			if err := w.config.Quota.Pause(w.t.Context(), tenant, w.start.Add(time.Minute)); err != nil {
				w.t.Fatalf("Pause: %v", err)
			}
		},
		want:  []string{"later quota", "done revoked", "done read_back"},
		state: revocation.StateStamped, calls: 1, signOuts: 1,
	},
	{
		name: "a call that is throttled",
		arrange: func(w *world) {
			w.user(1, answers(answer{err: graphError(429, retryAfter(30*time.Second))}))
			w.notify(1, 0)
		},
		want:  []string{"later throttled", "done revoked", "done read_back"},
		state: revocation.StateStamped, calls: 2, signOuts: 1,
	},
	{
		name: "a call that is refused for the time being",
		arrange: func(w *world) {
			w.user(1, answers(answer{err: graphError(503)}, answer{err: graphError(401)}, answer{err: graphError(424)}))
			w.notify(1, 0)
		},
		want:  []string{"later graph_unavailable", "done revoked", "done read_back"},
		state: revocation.StateStamped, calls: 4, signOuts: 1,
	},
	{
		name: "one user who can't be read for a while",
		arrange: func(w *world) {
			u := w.user(1, func(u *fakeUser) { u.readErr = graphError(500) })
			time.AfterFunc(time.Minute, func() {
				w.graph.mu.Lock()
				defer w.graph.mu.Unlock()
				u.readErr = nil
			})
			w.notify(1, 0)
		},
		want:  []string{"later graph_unavailable", "done revoked", "done read_back"},
		state: revocation.StateStamped, calls: 1, signOuts: 1,
	},
	outage("domains that can't be listed", "Domains.Domains", false, "later domains_unavailable"),
	outage("a ledger that can't be read", "Ledger.Entries", false, "later ledger_unavailable"),
	outage("a ledger that can't be written", "Ledger.Write", false, "later ledger_unavailable"),
	outage("a quota that can't be asked", "Quota.Reserve", false, "later quota_unavailable"),
	outage("a quota that loses its answers", "Quota.Reserve", true, "later quota_unavailable"),
	{
		name: "a ledger that loses its answers",
		arrange: func(w *world) {
			w.user(1)
			w.notify(1, 0)
			w.failing("Ledger.Write", true, time.Second, errPlain)
		},
		want: []string{
			"later ledger_unavailable",
			"later claimed",
			"later empty_seen",
			"done revoked",
			"done read_back",
		},
		state: revocation.StateStamped, calls: 1, signOuts: 1,
	},
	{
		name: "a ledger that fails once the call is made",
		arrange: func(w *world) {
			u := w.user(1)
			w.notify(1, 0)
			w.steps.hook = func(_ context.Context, s step) error {
				if s == (step{"Ledger.Write", false}) && len(u.signOuts) > 0 && time.Since(w.start) < time.Second {
					return errPlain
				}
				return nil
			}
		},
		want:  []string{"done revoked", "done read_back"},
		state: revocation.StateStamped, calls: 1, signOuts: 1,
	},
	{
		name: "a queue that takes nothing back",
		arrange: func(w *world) {
			w.user(1)
			w.notify(1, 0)
			w.failing("Queue.Postpone", false, time.Minute, errPlain)
		},
		want:  []string{"failed outcome_unknown", "later claimed", "done read_back"},
		state: revocation.StateStamped, calls: 1, signOuts: 1,
	},
	{
		name: "a worker that dies",
		arrange: func(w *world) {
			w.user(1)
			w.notify(1, 0)
			w.steps.hook = func(_ context.Context, s step) error {
				if s.call == "Quota.Reserve" && time.Since(w.start) < time.Second {
					panic(death{})
				}
				return nil
			}
		},
		want:  []string{"failed aborted", "done revoked", "done read_back"},
		state: revocation.StateStamped, calls: 1, signOuts: 1,
	},
	{
		name: "an invocation that is about to end",
		arrange: func(w *world) {
			w.user(1)
			w.notify(1, 0)
			var once sync.Once
			w.steps.hook = func(context.Context, step) error {
				once.Do(func() { time.Sleep(functionTimeout - 10*time.Second) })
				return nil
			}
		},
		want:  []string{"later out_of_time", "done revoked", "done read_back"},
		state: revocation.StateStamped, calls: 1, signOuts: 1,
	},
}

// outage is the story of a call that fails for ten minutes before anybody is
// signed out.
func outage(name, call string, after bool, want string) story {
	return story{
		name: name,
		arrange: func(w *world) {
			w.user(1)
			w.notify(1, 0)
			w.failing(call, after, 10*time.Minute, errPlain)
		},
		want:  []string{want, "done revoked", "done read_back"},
		state: revocation.StateStamped, calls: 1, signOuts: 1,
	}
}
