package stamp_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"context"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/memory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// A story is what becomes of user 1, from the first message until the queue is empty.
type story struct {
	name    string
	arrange func(*world)
	// want are verdict and reason of every outcome, repetitions left out.
	want  []string
	state stamp.State // in the ledger at the end
	// calls reached Graph, and signOuts took effect.
	calls, signOuts, dead int
	// counted is what the brake has counted in the end.
	counted int
}

func withAnswers(answers ...answer) func(*world) {
	return func(w *world) {
		w.user(1).answers = answers
		w.notify(1, 0)
	}
}

func withUser(change func(*fakeUser)) func(*world) {
	return func(w *world) {
		w.user(1, change)
		w.notify(1, 0)
	}
}

func person(w *world) stamp.Request {
	r := w.request(1, 0)
	r.Source, r.Approved = stamp.SourcePerson, true
	return r
}

// reported is a signal of now.
func reported(w *world) stamp.Request {
	r := w.request(1, 0)
	r.Source, r.Provider, r.Cause, r.NotBefore = stamp.SourceSignal, "7", "password_changed", w.start.UTC()
	return r
}

var (
	lost       = answer{err: errPlain}
	lostEffect = answer{err: errPlain, effect: true}
	seen       = []string{"done called", "done read_back"}
	stories    = []story{
		{"a new user", withAnswers(), seen, stamp.StateStamped, 1, 1, 0, 1},
		{"a lost answer", withAnswers(lostEffect), seen, stamp.StateStamped, 2, 2, 0, 1},
		{"two lost answers", withAnswers(lost, lost), seen, stamp.StateStamped, 3, 1, 0, 1},
		{"three lost answers of calls that worked", withAnswers(lostEffect, lostEffect, lostEffect),
			[]string{"later outcome_unknown", "done read_back"}, stamp.StateStamped, 3, 3, 0, 1},
		{"three lost calls: two reads, once more", withAnswers(lost, lost, lost),
			[]string{"later outcome_unknown", "later empty_seen", "done called", "done read_back"}, stamp.StateStamped, 4, 1, 0, 2},
		{"lost for ever: left to a person", withAnswers(lost, lost, lost, lost, lost, lost),
			[]string{"later outcome_unknown", "later empty_seen", "later outcome_unknown", "later empty_seen", "done still_empty"},
			stamp.StateCannotFix, 6, 0, 0, 2},
		{"called, and no stamp ever", withUser(func(u *fakeUser) { u.answers = []answer{{}, {}} }),
			[]string{"done called", "later empty_seen", "done called", "later empty_seen", "done still_empty"},
			stamp.StateCannotFix, 2, 0, 0, 2},
		{"throttled gives back claim and brake", withAnswers(answer{err: graphError(429, retryAfter(10*time.Second))}),
			[]string{"later throttled", "done called", "done read_back"}, stamp.StateStamped, 2, 1, 0, 1},
		{"throttled after a lost answer: the claim stands", withAnswers(lostEffect, answer{err: graphError(429)}),
			[]string{"later outcome_unknown", "done read_back"}, stamp.StateStamped, 2, 1, 0, 1},
		{"throttled in the late call", withAnswers(lost, lost, lost, answer{err: graphError(429, retryAfter(10*time.Second))}),
			[]string{"later outcome_unknown", "later empty_seen", "later throttled", "done called", "done read_back"},
			stamp.StateStamped, 5, 1, 0, 2},
		{"forbidden", withAnswers(answer{err: graphError(403)}), []string{"done forbidden"}, stamp.StateCannotFix, 1, 0, 0, 0},
		{"refused", withAnswers(answer{err: graphError(400)}), []string{"done refused"}, stamp.StateCannotFix, 1, 0, 0, 0},
		{"a minute's outage of Graph", func(w *world) {
			withAnswers()(w)
			w.failing("Directory.ReadUsers", false, time.Minute, graphError(503))
		}, append([]string{"later graph_unavailable"}, seen...), stamp.StateStamped, 1, 1, 0, 1},
		{"appears later", withUser(func(u *fakeUser) { u.appears = time.Now().Add(time.Minute) }),
			append([]string{"later not_found_yet"}, seen...), stamp.StateStamped, 1, 1, 0, 1},
		{"never appears", func(w *world) { w.notify(1, 0) },
			[]string{"later not_found_yet", "done not_found"}, stamp.StateNone, 0, 0, 0, 0},
		{"a guest", withUser(func(u *fakeUser) { u.UserType, u.outOfScope = "Guest", true }),
			[]string{"done guest"}, stamp.StateNone, 0, 0, 0, 0},
		{"in an excluded group", func(w *world) {
			w.config.Groups = []string{userID(99)}
			withUser(func(u *fakeUser) { u.grouped, u.outOfScope = true, true })(w)
		}, []string{"done excluded"}, stamp.StateNone, 0, 0, 0, 0},
		{"groups can't be read", func(w *world) {
			w.config.Groups = []string{userID(99)}
			withAnswers()(w)
			w.failing("Directory.MemberOf", false, time.Minute, graphError(403))
		}, append([]string{"later exclusions_unavailable"}, seen...), stamp.StateStamped, 1, 1, 0, 1},
		{"a domain that became federated a moment ago", func(w *world) {
			w.domains[0].Federated = false
			withAnswers()(w)
			time.AfterFunc(2*time.Minute, func() {
				w.mu.Lock()
				defer w.mu.Unlock()
				w.domains[0].Federated = true
			})
		}, append([]string{"later domain_unknown"}, seen...), stamp.StateStamped, 1, 1, 0, 1},
		{"a managed domain", func(w *world) {
			w.domains[0].Federated = false
			withUser(func(u *fakeUser) { u.outOfScope = true })(w)
		}, []string{"later domain_unknown", "done not_federated"}, stamp.StateNone, 0, 0, 0, 0},
		{"dry run writes nothing", func(w *world) {
			w.config.DryRun = true
			withUser(func(u *fakeUser) { u.outOfScope = true })(w)
		}, []string{"done dry_run"}, stamp.StateNone, 0, 0, 0, 0},
		{"dry run after a call whose stamp does not show", func(w *world) {
			w.config.DryRun = true
			withUser(func(u *fakeUser) { u.outOfScope = true })(w)
			at := w.start.Add(-time.Hour)
			w.ledger.Ledger.Write(context.Background(), []stamp.Entry{{Tenant: tenant, User: userID(1), State: stamp.StateCalled, Claimed: at, Called: at, Updated: at}})
		}, []string{"done dry_run"}, stamp.StateCalled, 0, 0, 0, 0},
		{"an existing user waits for a person", withUser(func(u *fakeUser) {
			u.Created, u.outOfScope = u.Created.Add(-73*time.Hour), true
		}), []string{"done existing"}, stamp.StateNone, 0, 0, 0, 0},
		{"a person approves, and the brake does not count", func(w *world) {
			w.user(1, func(u *fakeUser) { u.Created = u.Created.Add(-1000 * time.Hour) })
			w.send(person(w), 0)
		}, seen, stamp.StateStamped, 1, 1, 0, 0},
		{"a person's order for any stamp beside a signal that is only reported", func(w *world) {
			w.config.Policy.EnforceSignals = false
			w.user(1, func(u *fakeUser) {
				u.Created, u.outOfScope = u.Created.Add(-1000*time.Hour), true
				u.SignInSessionsValidFrom = w.start.Add(-time.Hour).UTC()
			})
			w.send(reported(w), 0)
			w.send(person(w), 0)
			w.send(reported(w), 0)
		}, []string{"done stamped"}, stamp.StateStamped, 0, 0, 0, 0},
		{"a person's order of a later stamp while another call is open", func(w *world) {
			withUser(func(*fakeUser) {})(w)
			r := person(w)
			r.NotBefore = w.start.Add(2 * time.Minute).UTC()
			w.graph.users[userID(1)].ordered = r.NotBefore
			w.send(r, 2*time.Minute)
		}, []string{"done called", "later read_back_early", "done called", "done read_back"}, stamp.StateStamped, 2, 2, 0, 1},
		{"the brake can't be asked", func(w *world) {
			withAnswers()(w)
			w.failing("Brake.Load", false, time.Minute, errPlain)
		}, append([]string{"later brake_unavailable"}, seen...), stamp.StateStamped, 1, 1, 0, 1},
		{"the brake can't be asked whether an approved one may go on", func(w *world) {
			w.user(1)
			w.send(person(w), 0)
			w.failing("Brake.Load", false, time.Minute, errPlain)
		}, append([]string{"later brake_unavailable"}, seen...), stamp.StateStamped, 1, 1, 0, 0},
		{"paused", func(w *world) {
			withAnswers()(w)
			w.pause(0, 2*time.Hour)
		}, append([]string{"later paused"}, seen...), stamp.StateStamped, 1, 1, 0, 1},
		{"paused, whoever approves", func(w *world) {
			w.user(1)
			w.send(person(w), 0)
			w.pause(0, 2*time.Hour)
		}, append([]string{"later paused"}, seen...), stamp.StateStamped, 1, 1, 0, 0},
		{"paused after a call: it is read back", func(w *world) {
			withAnswers()(w)
			w.pause(time.Minute, 2*time.Hour)
		}, seen, stamp.StateStamped, 1, 1, 0, 1},
		{"paused before the late call", func(w *world) {
			withAnswers(lost, lost, lost)(w)
			w.pause(2*time.Minute, 2*time.Hour)
		}, []string{"later outcome_unknown", "later empty_seen", "later paused", "done called", "done read_back"}, stamp.StateStamped, 4, 1, 0, 2},
		{"paused until the user is new no longer", func(w *world) {
			withUser(func(u *fakeUser) { u.outOfScope = true })(w)
			w.pause(0, 80*time.Hour)
		}, []string{"later paused", "done existing"}, stamp.StateNone, 0, 0, 0, 0},
		{"paused for four days: an approved one is a dead letter, and can be sent again", func(w *world) {
			w.user(1, func(u *fakeUser) { u.outOfScope = true })
			w.send(person(w), 0)
			w.pause(0, 100*time.Hour)
		}, []string{"later paused", "failed gave_up"}, stamp.StateNone, 0, 0, 1, 0},
		{"the ledger can't be read", func(w *world) {
			withAnswers()(w)
			w.failing("Ledger.Entries", false, time.Minute, errPlain)
		}, append([]string{"later ledger_unavailable"}, seen...), stamp.StateStamped, 1, 1, 0, 1},
		{"the queue fails: the message stays", func(w *world) {
			withAnswers(lost, lost, lost)(w)
			w.failing("Queue.Postpone", false, time.Second*10, errPlain)
		}, []string{"failed outcome_unknown", "later claimed", "later empty_seen", "done called", "done read_back"}, stamp.StateStamped, 4, 1, 0, 2},
		{"somebody else was faster", func(w *world) {
			withAnswers()(w)
			w.failing("Ledger.Write", false, time.Second, stamp.ErrConflict)
		}, append([]string{"later conflict"}, seen...), stamp.StateStamped, 1, 1, 0, 1},
		{"nonsense goes to the dead letters", func(w *world) { w.sendBody([]byte(canary), 0) },
			[]string{"failed invalid"}, stamp.StateNone, 0, 0, 1, 0},
		{"put back for four days", func(w *world) {
			withAnswers()(w)
			w.failing("Directory.ReadUsers", false, aWeek, graphError(503))
		}, []string{"later graph_unavailable", "failed gave_up"}, stamp.StateNone, 0, 0, 1, 0},
	}
)

func TestStories(t *testing.T) {
	t.Parallel()
	tell(t, stories)
}

// tell runs each story in a world of its own.
func tell(t *testing.T, list []story) {
	t.Helper()
	for _, s := range list {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				s.arrange(w)
				w.run()
				s.check(t, w)
			})
		})
	}
}

func (s story) check(t *testing.T, w *world) {
	t.Helper()
	if diff := cmp.Diff(s.want, w.outcomes("")); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	if got := w.entry(1).State; got != s.state {
		t.Errorf("state %q in the ledger, want %q", got, s.state)
	}
	var calls, signOuts int
	if u := w.graph.users[userID(1)]; u != nil {
		calls, signOuts = len(u.calls), len(u.signOuts)
	}
	if calls != s.calls || signOuts != s.signOuts {
		t.Errorf("called %d times and signed out %d times, want %d and %d", calls, signOuts, s.calls, s.signOuts)
	}
	if got := len(w.queue.DeadLetters()); got != s.dead {
		t.Errorf("%d dead letters, want %d", got, s.dead)
	}
	if got := w.counted(); got != s.counted {
		t.Errorf("the brake has counted %d, want %d", got, s.counted)
	}
}

// TestManyWorkers lets several workers, each slow at random and some slow enough to lose
// their messages to another, handle the same users at once. Nobody is signed out late.
func TestManyWorkers(t *testing.T) {
	t.Parallel()
	for seed := range uint64(40) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { manyWorkers(t, rand.New(rand.NewPCG(seed, 1))) })
		})
	}
}

func manyWorkers(t *testing.T, random *rand.Rand) {
	const users = 12
	w := newWorld(t)
	w.queue = memory.NewQueue(memory.QueueOptions{Visibility: 20 * time.Second, MaxReceives: 1000})
	w.config.Queue = fakeQueue{memory.Requests{Queue: w.queue}, &w.steps}
	var stamped []int
	for n := range users {
		u := w.user(n)
		stamped = append(stamped, n)
		if n%4 == 0 {
			u.answers = []answer{lostEffect}
		}
		for range 1 + random.IntN(3) {
			w.notify(n, time.Duration(random.IntN(600))*time.Second)
		}
	}
	var mu sync.Mutex // of random
	w.steps.hook = func(context.Context, step) error {
		mu.Lock()
		delay := time.Duration(random.IntN(200)) * time.Millisecond
		if random.IntN(10) == 0 {
			delay *= 100
		}
		mu.Unlock()
		time.Sleep(delay)
		return nil
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(w.run)
	}
	all.Wait()
	w.checkQuiet(stamped...)
}

// Nothing is asked of the future: nobody is signed out, and no request lives for ever.
func TestFuture(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.user(1)
		person := stamp.Request{
			Tenant: tenant, User: userID(1), Source: stamp.SourcePerson, Approved: true,
			Seen: time.Now(), NotBefore: time.Now().Add(time.Hour),
		}
		for _, req := range []stamp.Request{person, w.request(1, time.Hour)} {
			if err := w.newStamper().Handle(t.Context(), []stamp.Request{req})[0]; err == nil {
				t.Errorf("%+v was taken", req)
			}
		}
		if n := w.graph.total(); n != 0 {
			t.Errorf("%d were signed out", n)
		}
	})
}
