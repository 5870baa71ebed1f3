package revocation_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
)

// What Graph or its token endpoint answers to a call as a whole says nothing of
// the users in it.
var envelopeStories = []story{
	{
		name:    "a token endpoint that refuses, at the call",
		arrange: refusing(10*time.Minute, &directory.Error{Operation: "token", StatusCode: 400, Code: "AADSTS90013", NotDone: true}),
		want:    []string{"later graph_unavailable", "done revoked", "done read_back"},
		state:   revocation.StateStamped, calls: 1, signOuts: 1,
	},
	{
		name:    "a whole call that is forbidden",
		arrange: refusing(time.Second, graphError(403)),
		want:    []string{"later graph_forbidden", "done revoked", "done read_back"},
		state:   revocation.StateStamped, calls: 1, signOuts: 1,
	},
	{
		name: "a whole call that is not found, long after the user was seen",
		arrange: func(w *world) {
			refusing(20*time.Minute, graphError(404))(w)
			w.failing("Directory.ReadUsers", false, 6*time.Minute, graphError(503))
		},
		want:  []string{"later graph_unavailable", "done revoked", "done read_back"},
		state: revocation.StateStamped, calls: 1, signOuts: 1,
	},
	{
		name:    "a whole call that is throttled",
		arrange: refusing(time.Second, graphError(429, retryAfter(time.Minute))),
		want:    []string{"later throttled", "done revoked", "done read_back"},
		state:   revocation.StateStamped, calls: 1, signOuts: 1,
	},
	{
		name: "reading that is forbidden, until consent is given",
		arrange: func(w *world) {
			w.user(1)
			w.notify(1, 0)
			w.failing("Directory.ReadUsers", false, time.Hour, graphError(403))
		},
		want:  []string{"later graph_forbidden", "done revoked", "done read_back"},
		state: revocation.StateStamped, calls: 1, signOuts: 1,
	},
	{
		name: "a stamp that one replica does not show in time",
		arrange: func(w *world) {
			u := w.user(1)
			u.show = func(shown *directory.User) {
				if len(u.signOuts) == 1 && time.Since(u.signOuts[0]) < hold+7*time.Minute {
					shown.SignInSessionsValidFrom = time.Time{}
				}
			}
			w.notify(1, 0)
		},
		want:  []string{"done revoked", "later empty_seen", "done read_back"},
		state: revocation.StateStamped, calls: 1, signOuts: 1,
	},
	{
		name: "too little time left for a call, after reading",
		arrange: func(w *world) {
			w.user(1)
			w.notify(1, 0)
			slow := true
			w.steps.hook = func(_ context.Context, s step) error {
				if slow && s == (step{"Directory.ReadUsers", false}) {
					slow = false
					time.Sleep(functionTimeout - time.Second)
				}
				return nil
			}
		},
		want:  []string{"later out_of_time", "done revoked", "done read_back"},
		state: revocation.StateStamped, calls: 1, signOuts: 1,
	},
}

// refusing lets the calls as a whole fail for a while.
func refusing(until time.Duration, err *directory.Error) func(*world) {
	return func(w *world) {
		w.user(1)
		w.notify(1, 0)
		w.failing("Directory.RevokeSignInSessions", false, until, err)
	}
}

// A 429 is obeyed by everybody, even where giving back the claim fails.
func TestThrottlingPausesEverybody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.user(1, answers(answer{err: graphError(429, retryAfter(time.Minute))}))
		second := w.user(2)
		w.notify(1, 0)
		w.notify(2, 2*time.Second)
		w.steps.hook = func(_ context.Context, s step) error {
			if s == (step{"Ledger.Write", false}) && len(w.graph.users[userID(1)].calls) == 1 && time.Since(w.start) < time.Second {
				return errPlain
			}
			return nil
		}
		w.run()
		w.checkQuiet(1, 2)
		if called := second.calls[0].Sub(w.start); called < time.Minute {
			t.Errorf("another user was called for after %s, Graph had asked for a minute", called)
		}
	})
}

// Reading that is throttled is not gone on with in the same batch.
func TestThrottledReadingStops(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var requests []revocation.Request
		for n := range 3 * revocation.MaxBatch {
			w.user(n)
			requests = append(requests, w.request(n, 0))
		}
		reads := 0
		w.steps.hook = func(_ context.Context, s step) error {
			if s == (step{"Directory.ReadUsers", false}) {
				reads++
				return graphError(429, retryAfter(time.Minute))
			}
			return nil
		}
		w.handle(requests...)
		if reads != 1 {
			t.Errorf("Graph was asked %d times, want once", reads)
		}
	})
}
