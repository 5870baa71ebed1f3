package job_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/job"
	"github.com/sessionstamp/sessionstamp/shared/bolt"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

func wantFate(t *testing.T, r job.Result, f job.Fate, n int) {
	t.Helper()
	if got := r.Count(f); got != n || len(r.Users) < n {
		t.Errorf("%d of %d users are %q, want %d", got, len(r.Users), f, n)
	}
}

func TestRunStampsAndReadsBack(t *testing.T) {
	t.Parallel()
	for _, latency := range []time.Duration{400 * time.Millisecond, 15 * time.Second} {
		inWorld(t, func(t *testing.T, w *world) {
			p := w.start()
			defer p.end()
			ids := w.addMany(400, nil)
			o := p.plan(job.Wanted{Verb: job.Stamp, All: true}).Order(0)
			w.latency = latency
			var called time.Duration
			began := time.Now()
			var last job.Progress
			result := p.run(o, job.RunOptions{Progress: func(g job.Progress) {
				if last = g; g.Done == g.Total && called == 0 {
					called = time.Since(began)
				}
			}})
			w.want(1, ids...)
			wantFate(t, result, job.Cured, 400)
			if want := (job.Progress{Done: 400, Total: 400, Ended: 400}); last != want {
				t.Errorf("progress ended with %+v, want %+v", last, want)
			}
			if most := job.Duration(400) + 5*time.Second + 8*latency; called > most {
				t.Errorf("the calls took %s, want at most %s", called, most)
			}
			if got := w.busiest(); got > 2*job.CallsPerSecond {
				t.Errorf("%d users were signed out within a second", got)
			}
			for _, u := range result.Users {
				if u.Called.IsZero() || time.Since(u.Called) < time.Minute {
					t.Fatalf("user %s was called at %s", u.User, u.Called)
				}
			}
		})
	}
}

func TestRunSurvivesABadDay(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		p := w.start(func(c *job.Config) { c.ExcludedGroups = []string{group} })
		defer p.end()
		ids := w.addMany(500, nil)
		w.addMany(20, func(p *person) { p.group = true })
		w.fault = badDay
		result := p.run(p.plan(job.Wanted{Verb: job.SignOut, All: true}).Order(0), job.RunOptions{})
		wantFate(t, result, job.Cured, 500)
		for _, id := range ids {
			if len(w.people[id].revoked) == 0 {
				t.Errorf("user %s was left out", id)
			}
		}
	})
}

func TestRunWithoutWaiting(t *testing.T) {
	t.Parallel()
	for _, verb := range []job.Verb{job.Stamp, job.SignOut} {
		inWorld(t, func(t *testing.T, w *world) {
			p := w.start()
			ids := w.addMany(50, nil)
			began := time.Now()
			wanted := job.Wanted{Verb: verb, Users: ids}
			wantFate(t, p.run(p.plan(wanted).Order(0), job.RunOptions{NoWait: true}), job.Called, 50)
			if took := time.Since(began); took > time.Minute {
				t.Errorf("it waited for %s", took)
			}
			p.end()

			// The same once more, while replicas may show no stamp: nobody is called again.
			time.Sleep(time.Minute)
			p = w.start()
			plan := p.plan(wanted)
			if due, way := plan.Count(job.Due), plan.Count(job.UnderWay); due > 0 || way < 40 {
				t.Errorf("%s: %d are due and %d under way, want 0 and most", verb, due, way)
			}
			wantFate(t, p.run(plan.Order(0), job.RunOptions{}), job.Failed, 0)
			p.end()
			w.want(1, ids...)

			// What was left to be read back is done by whoever comes.
			time.Sleep(10 * time.Minute)
			p = w.start()
			defer p.end()
			p.run(job.Order{}, job.RunOptions{NoWait: true})
			if left, err := bolt.NewQueue(p.file, bolt.QueueOptions{Now: time.Now}).Len(); err != nil || left > 0 {
				t.Errorf("%s: %d requests are left in the file (%v)", verb, left, err)
			}
		})
	}
}

func TestNextRunReadsBack(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		ids := w.addMany(32, nil)
		w.people[ids[29]].forgets = true
		var earlier [][]job.End
		for _, named := range [][]string{ids[:30], ids[30:31], ids[31:]} {
			p := w.start()
			result := p.run(p.plan(job.Wanted{Verb: job.Stamp, Users: named}).Order(0), job.RunOptions{NoWait: true})
			wantFate(t, result, job.Called, len(named))
			earlier = append(earlier, result.Earlier)
			p.end()
			time.Sleep(time.Hour)
			w.allowAgain()
		}
		if len(earlier[1]) != 29 || earlier[1][0].Fate != job.Cured {
			t.Errorf("%d earlier users were read back, want 29", len(earlier[1]))
		}
		// Two reads have shown no stamp, so one is called again, and another is read back.
		if got := earlier[2]; len(got) != 2 || got[0].Fate != job.Called && got[1].Fate != job.Called {
			t.Errorf("the last run tells of these earlier users: %+v", got)
		}
		w.want(1, ids[:29]...)
		w.want(2, ids[29])
	})
}

// stopAfter runs an order until a person presses Ctrl-C.
func (p *process) stopAfter(d time.Duration, o job.Order) job.Result {
	p.t.Helper()
	ctx, cancel := context.WithCancel(p.t.Context())
	time.AfterFunc(d, cancel)
	result, err := p.engine.Run(ctx, o, job.RunOptions{})
	if !errors.Is(err, job.ErrStopped) || !errors.Is(err, context.Canceled) {
		p.t.Errorf("Run ended with %v, want ErrStopped", err)
	}
	return result
}

// An order that was stopped goes on a day later with its own targets, moments and
// exclusions, and calls nobody twice.
func TestCtrlCAndContinue(t *testing.T) {
	t.Parallel()
	for _, verb := range []job.Verb{job.Stamp, job.SignOut} {
		inWorld(t, func(t *testing.T, w *world) {
			ids := w.addMany(400, nil)
			p := w.start(func(c *job.Config) {
				c.ExcludedGroups, c.Policy.Exclusions.Patterns = []string{group}, []string{"vip@" + federated}
			})
			result := p.stopAfter(9*time.Second+700*time.Millisecond, p.plan(job.Wanted{Verb: verb, Users: ids}).Order(0))
			p.end()
			called, revoked := result.Count(job.Called), 0
			for _, id := range ids {
				revoked += len(w.people[id].revoked)
			}
			if called != revoked || called == 0 || called > 300 {
				t.Errorf("%s: %d users were signed out, and %d are known", verb, revoked, called)
			}

			time.Sleep(25 * time.Hour)
			w.people[ids[398]].user.UserPrincipalName, w.people[ids[399]].group = "vip@"+federated, true
			p = w.start()
			defer p.end()
			o, ok, err := p.engine.Unfinished(t.Context())
			if !ok || err != nil || len(o.Targets) != 400 {
				t.Fatalf("%s: the order of %d users is not told as unfinished (%v)", verb, len(o.Targets), err)
			}
			plan, err := p.engine.Continue(t.Context(), o)
			if due := plan.Count(job.Due); err != nil || due != 398-called || plan.Count(job.Excluded) != 2 {
				t.Errorf("%s: %d are due, want %d (%v)", verb, due, 398-called, err)
			}
			result = p.run(o, job.RunOptions{})
			wantFate(t, result, job.Cured, 398)
			w.want(1, ids[:398]...)
			w.want(0, ids[398:]...)
			if _, ok, _ := p.engine.Unfinished(t.Context()); ok {
				t.Errorf("%s: the order is done, and told as unfinished", verb)
			}
		})
	}
}

// Users whom a role protects stop a run; they do not stop the next, and are not called
// again.
func TestContinueLeavesWhoHasFailed(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		protected := w.addMany(100, func(p *person) { p.protected = true })
		ids := w.addMany(50, nil)
		p := w.start()
		defer p.end()
		o := p.plan(job.Wanted{Verb: job.SignOut, All: true}).Order(0)
		if _, err := p.engine.Run(t.Context(), o, job.RunOptions{}); !errors.Is(err, job.ErrStopped) {
			t.Errorf("Run ended with %v", err)
		}
		time.Sleep(time.Hour)
		plan, err := p.engine.Continue(t.Context(), o)
		if plan.Count(job.FailedBefore) < 20 || err != nil {
			t.Errorf("%d have failed, want 20 at least (%v)", plan.Count(job.FailedBefore), err)
		}
		result, err := p.engine.Run(t.Context(), o, job.RunOptions{})
		for range 4 { // each comes further
			if err != nil {
				result, err = p.engine.Run(t.Context(), o, job.RunOptions{})
			}
		}
		if err != nil {
			t.Errorf("Run: %v", err)
		}
		wantFate(t, result, job.Cured, 50)
		wantFate(t, result, job.Failed, 100)
		w.want(1, ids...)
		for _, id := range protected {
			if n := w.people[id].refused; n != 1 {
				t.Fatalf("user %s was called %d times", id, n)
			}
		}
		if got := result.Users[0].Reason; got != stamp.ReasonForbidden {
			t.Errorf("the first has failed for %s", got)
		}
	})
}

// A call of minutes ago is what a sign-out wants, whichever verb made it. Later it is not.
func TestSignOutRightAfterACall(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		ids := w.addMany(100, nil)
		var o job.Order
		for i, pause := range []time.Duration{0, 10 * time.Second, 4 * time.Minute, 7 * time.Minute} {
			time.Sleep(pause)
			p := w.start()
			verb := map[bool]job.Verb{true: job.Stamp, false: job.SignOut}[i == 0]
			plan := p.plan(job.Wanted{Verb: verb, Users: ids})
			if due, first := plan.Count(job.Due), i == 0 || i == 3; due != map[bool]int{true: 100}[first] {
				t.Errorf("after %s %d are due", pause, due)
			}
			if o = plan.Order(0); i == 3 {
				w.allowAgain()
			}
			result := p.run(o, job.RunOptions{NoWait: i < 3})
			wantFate(t, result, job.Failed, 0)
			p.end()
		}
		w.want(2, ids...)
		for _, id := range ids {
			if called := w.people[id].revoked[1]; called.Before(o.Started) {
				t.Errorf("user %s was called at %s, before the order", id, called)
			}
		}
	})
}

// Whoever presses Ctrl-C since it was the wrong order must not fear the next run.
func TestAStoppedOrderIsLeftToItself(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		wrong, right := w.addMany(200, nil), w.addMany(1, nil)
		w.fault = func(random *rand.Rand, call string) (before, after error) {
			if call == "revokeSignInSessions" {
				return throttled(call), nil
			}
			return nil, nil
		}
		p := w.start()
		p.stopAfter(10*time.Second, p.plan(job.Wanted{Verb: job.SignOut, Users: wrong}).Order(0))
		p.end()
		w.fault = nil
		p = w.start()
		defer p.end()
		p.run(p.plan(job.Wanted{Verb: job.Stamp, Users: right}).Order(0), job.RunOptions{})
		w.want(0, wrong...)
		w.want(1, right...)
	})
}

func TestRunStopsWhereGoingOnIsOfNoUse(t *testing.T) {
	t.Parallel()
	for name, failure := range map[string]*directory.Error{
		"the right is missing":    {Operation: "revokeSignInSessions", StatusCode: http.StatusForbidden, NotDone: true},
		"the sign-in has ended":   {Operation: directory.Token, StatusCode: http.StatusBadRequest, NotDone: true},
		"the certificate is gone": {Operation: directory.Certificate, NotDone: true},
	} {
		inWorld(t, func(t *testing.T, w *world) {
			p := w.start()
			defer p.end()
			o := p.plan(job.Wanted{Verb: job.Stamp, Users: w.addMany(100, nil)}).Order(0)
			w.fault = func(_ *rand.Rand, call string) (before, after error) {
				if call == "revokeSignInSessions" {
					return failure, nil
				}
				return nil, nil
			}
			began := time.Now()
			_, err := p.engine.Run(t.Context(), o, job.RunOptions{})
			if e, ok := errors.AsType[*directory.Error](err); !ok || e != failure || !errors.Is(err, job.ErrStopped) {
				t.Errorf("%s: Run ended with %v", name, err)
			}
			if took := time.Since(began); took > time.Minute {
				t.Errorf("%s: it took %s", name, took)
			}
		})
	}
}

func TestRunTellsWhoIsLeftAlone(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		p := w.start()
		defer p.end()
		ids := w.addMany(3, nil)
		o := p.plan(job.Wanted{Verb: job.Stamp, Users: ids}).Order(0)
		w.people[ids[0]].user.UserType = "Guest"                   // since the plan
		w.people[ids[1]].user.SignInSessionsValidFrom = time.Now() // by somebody else
		delete(w.people, ids[2])
		result := p.run(o, job.RunOptions{})
		wantFate(t, result, job.Spared, 3)
		for i, want := range []stamp.Reason{stamp.ReasonGuest, stamp.ReasonStamped, stamp.ReasonNotFound} {
			if got := result.Users[i].Reason; got != want {
				t.Errorf("user %d was spared for %s, want %s", i, got, want)
			}
		}
	})
}

// A log may end with what happened just now, or in a minute that has not ended.
func TestRestampOfThisMoment(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		p := w.start()
		defer p.end()
		id := w.add(func(p *person) { p.user.SignInSessionsValidFrom = time.Now().Add(-time.Hour) })
		wanted := job.Wanted{Verb: job.Restamp, Users: []string{id}, Moments: map[string]time.Time{id: time.Now()}}
		wantFate(t, p.run(p.plan(wanted).Order(0), job.RunOptions{}), job.Cured, 1)
		w.want(1, id)
	})
}
