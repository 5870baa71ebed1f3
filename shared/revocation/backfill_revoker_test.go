package revocation_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/memory"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
)

// checkSignedOut checks who was signed out, once each, and nobody else.
func (w *world) checkSignedOut(users ...int) {
	w.t.Helper()
	want := make(map[string]int)
	for _, n := range users {
		want[userID(n)] = 1
	}
	got := make(map[string]int)
	for id, u := range w.graph.users {
		if n := len(u.signOuts); n > 0 {
			got[id] = n
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		w.t.Errorf("signed out (-want +got):\n%s", diff)
	}
}

// Each ceiling lets the newest of the existing users pass, holds the others, and
// is nothing to the new users in the same batch.
func TestCeilingsStopExistingUsersOnly(t *testing.T) {
	t.Parallel()
	tests := []struct {
		reason   revocation.Reason
		ceilings revocation.Ceilings
		wait     time.Duration // after which lifting helps
	}{
		{revocation.ReasonCeilingRun, revocation.Ceilings{PerRun: 2, PerHour: 9, Share: 1}, 0},
		{revocation.ReasonCeilingHour, revocation.Ceilings{PerRun: 9, PerHour: 2, Share: 1}, 2 * time.Hour},
		{revocation.ReasonCeilingShare, revocation.Ceilings{PerRun: 9, PerHour: 9, Share: 0.002}, 0},
	}
	for _, tt := range tests {
		t.Run(string(tt.reason), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.enforce(ceilings(tt.ceilings))
				ages := []time.Duration{1: 50 * aDay, 2: 10 * aDay, 3: 40 * aDay, 4: 20 * aDay, 5: 30 * aDay}
				var requests []revocation.Request
				for n := 1; n <= 5; n++ {
					w.user(n, aged(ages[n]))
					w.user(n + 10)
					requests = append(requests, w.backfillOf(n, 0), w.request(n+10, 0))
				}
				if err := errors.Join(w.handle(requests...)...); err != nil {
					t.Fatalf("Handle: %v", err)
				}
				w.checkSignedOut(2, 4, 11, 12, 13, 14, 15)
				for _, n := range []int{1, 3, 5} {
					if e := w.entry(n); e.State != revocation.StateHeld || e.Reason != tt.reason {
						t.Errorf("user %d stands in the ledger as %s for %s, want held for %s", n, e.State, e.Reason, tt.reason)
					}
				}
				if s := w.state(tenant); s.Stopped != tt.reason || !s.StoppedAt.Equal(w.start) || s.Run != 2 {
					t.Errorf("the backfill is stopped by %q at %s after %d users", s.Stopped, s.StoppedAt, s.Run)
				}

				time.Sleep(tt.wait)
				w.handle(w.backfillOf(5, 0))
				w.checkSignedOut(2, 4, 11, 12, 13, 14, 15)
				w.lift()
				w.handle(w.backfillOf(5, 0), w.backfillOf(3, 0), w.backfillOf(1, 0))
				w.run()
				w.checkQuiet(2, 3, 4, 5, 11, 12, 13, 14, 15)
				w.checkSignedOut(2, 3, 4, 5, 11, 12, 13, 14, 15)
			})
		})
	}
}

// A ceiling in the middle of the second of three chunks.
func TestCeilingAcrossChunks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.enforce(ceilings(revocation.Ceilings{PerRun: 30, PerHour: 100, Share: 1}))
		var requests []revocation.Request
		for n := range 45 {
			w.user(n, aged(time.Duration(n+1)*aDay))
			requests = append(requests, w.backfillOf(n, 0))
		}
		w.handle(requests...)
		var newest []int
		for n := range 30 {
			newest = append(newest, n)
		}
		w.checkSignedOut(newest...)
		// The store is asked once for each chunk.
		if got := w.steps.calls("Backfill.SaveBackfill"); got != 3 {
			t.Errorf("the state of the backfill was written %d times, want 3", got)
		}
	})
}

// Users whom the ceilings have nothing to do with cost the store no call.
func TestBackfillStoreIsLeftAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.enforce(hours(2*time.Hour, 3*time.Hour))
		w.steps.count = nil
		w.user(1)
		w.user(2, old)
		w.user(3, old, stamp)
		w.user(4, old)
		w.handle(w.request(1, 0), w.backfillOf(2, 0), w.backfillOf(3, 0), w.request(4, 0))
		if got := w.steps.calls("Backfill.Backfill") + w.steps.calls("Backfill.SaveBackfill"); got != 0 {
			t.Errorf("the store of the backfill was called %d times, want none", got)
		}
	})
}

// Whether a user whom the sweep found was missed, the user's age says when
// something else told of the user as well.
func TestMissedOrTold(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		age   time.Duration
		other time.Duration // when the other request saw the user
		want  bool
	}{
		{"a notification that told in time, and then waited", 5 * time.Hour, -5*time.Hour + time.Minute, false},
		{"a notification just in time", 5 * time.Hour, -4*time.Hour - time.Second, false},
		{"a notification of another change, later", 5 * time.Hour, -3 * time.Hour, true},
		{"a notification after the sweep", 5 * time.Hour, time.Minute, true},
	}
	for _, tt := range tests {
		for _, order := range []string{"sweep first", "sweep last"} {
			t.Run(tt.name+", "+order, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t)
					w.user(1, aged(tt.age))
					sweep, other := w.request(1, 0), w.request(1, tt.other)
					sweep.Source, sweep.Missed = revocation.SourceSweep, true
					requests := []revocation.Request{sweep, other}
					if order == "sweep last" {
						requests = []revocation.Request{other, sweep}
					}
					w.handle(requests...)
					if o := w.observer.outcomes[0]; o.Reason != revocation.ReasonRevoked || o.Request.Missed != tt.want {
						t.Errorf("outcome %s, missed %t; want revoked, missed %t", o.Reason, o.Request.Missed, tt.want)
					}
				})
			})
		}
	}
}

// A request that says missed is not believed for ever: it may have been a dead letter.
func TestMissedLongAgo(t *testing.T) {
	t.Parallel()
	latest := revocation.DefaultSettings.Recover + revocation.DefaultSettings.GiveUpAfter
	for age, want := range map[time.Duration]revocation.Reason{
		latest - time.Minute: revocation.ReasonRevoked,
		latest + time.Minute: revocation.ReasonExistingUser,
	} {
		t.Run(age.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.user(1, aged(age))
				r := w.request(1, 0)
				r.Source, r.Missed = revocation.SourceSweep, true
				w.handle(r)
				if o := w.observer.outcomes[0]; o.Reason != want || o.Request.Missed != (want == revocation.ReasonRevoked) {
					t.Errorf("outcome %s, missed %t; want %s", o.Reason, o.Request.Missed, want)
				}
			})
		})
	}
}

// populateAll fills a tenant with one user of every kind, and returns requests for
// them all.
func (w *world) populateAll() (requests []revocation.Request) {
	kinds := [][]func(*fakeUser){
		{}, {old}, {aged(30 * aDay)}, {aged(20 * aDay)}, {aged(10 * aDay)}, {stamp}, {old, stamp},
		{func(u *fakeUser) { u.UserType = "Guest" }},
		{old, func(u *fakeUser) { u.ExternalUserState = "Accepted" }},
		{old, func(u *fakeUser) { u.UserPrincipalName = canary + "@managed.example" }},
		{old, func(u *fakeUser) { u.UserPrincipalName = "svc-" + canary + "@federated.example" }},
		{old, func(u *fakeUser) { u.StampKnown = false }},
		{func(u *fakeUser) { u.Created = time.Time{} }},
		{func(u *fakeUser) { u.missing = true }},
		{func(u *fakeUser) { u.readErr = graphError(500) }},
	}
	for i, kind := range kinds {
		for form := range 3 {
			n := 10*(i+1) + form
			w.user(n, kind...)
			r := w.request(n, 0)
			r.Source = revocation.SourceSweep
			r.Missed, r.Backfill = form == 1, form == 2
			requests = append(requests, r)
		}
	}
	w.groups = map[string][]string{excludedGroup: {userID(10), userID(22)}}
	return requests
}

// TestDryRunDecidesAlike runs the same world twice, once dry, and compares.
func TestDryRunDecidesAlike(t *testing.T) {
	t.Parallel()
	worlds := map[string]func(*world){
		"report":    func(*world) {},
		"enforce":   func(w *world) { w.enforce() },
		"quiet":     func(w *world) { w.enforce(hours(2*time.Hour, 3*time.Hour)) },
		"ceiling":   func(w *world) { w.enforce(ceilings(revocation.Ceilings{PerRun: 2, PerHour: 9, Share: 1})) },
		"uncounted": func(w *world) { w.config.Policy.Backfill.Mode = revocation.ModeEnforce },
		"no groups": func(w *world) { w.failing("Groups.GroupMembers", false, aWeek, errPlain) },
		"no store":  func(w *world) { w.enforce(); w.failing("Backfill.Backfill", false, aWeek, errPlain) },
	}
	for name, arrange := range worlds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			outcomes := make(map[bool][]string)
			for _, dry := range []bool{false, true} {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t)
					w.config.DryRun = dry
					requests := w.populateAll()
					arrange(w)
					before := w.state(tenant)
					w.handle(requests...)
					for _, r := range requests {
						for _, line := range w.outcomes(r.User) {
							outcomes[dry] = append(outcomes[dry], r.User+" "+strings.Replace(line, "dry_run", "revoked", 1))
						}
					}
					if dry {
						w.checkDry(before)
					}
				})
			}
			if diff := cmp.Diff(outcomes[false], outcomes[true]); diff != "" {
				t.Errorf("outcomes (-real +dry):\n%s", diff)
			}
			if name == "enforce" && strings.Count(strings.Join(outcomes[true], "\n"), "revoked") != 8 {
				t.Errorf("outcomes are not those of this world:\n%s", strings.Join(outcomes[true], "\n"))
			}
		})
	}
}

// checkDry checks that nothing was written that a dry run must leave alone.
func (w *world) checkDry(before revocation.BackfillState) {
	w.t.Helper()
	w.checkSignedOut()
	for _, call := range []string{"Directory.RevokeSignInSessions", "Quota.Reserve", "Quota.Pause"} {
		if n := w.steps.calls(call); n != 0 {
			w.t.Errorf("%s was called %d times in a dry run", call, n)
		}
	}
	for _, e := range w.ledger.All(tenant) {
		if e.Reason == revocation.ReasonDryRun && (e.State != revocation.StateSpared || e.Seen.IsZero() || e.Created.IsZero()) {
			w.t.Errorf("a dry run wrote %+v", e)
		}
		if e.State == revocation.StateClaimed || e.State == revocation.StateRevoked || e.Tries+e.Accepted > 0 {
			w.t.Errorf("a dry run left user %s as %s in the ledger", e.User, e.State)
		}
	}
	if diff := cmp.Diff(before, w.state(tenant)); diff != "" {
		w.t.Errorf("a dry run changed the counts of the real one (-before +after):\n%s", diff)
	}
}

// A dry run has ceilings of its own: it neither uses up nor minds the real ones.
func TestDryRunCountsApart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.enforce(ceilings(revocation.Ceilings{PerRun: 1, PerHour: 9, Share: 1}))
		w.user(1, old)
		w.user(2, aged(9*aDay))
		w.config.DryRun = true
		w.handle(w.backfillOf(1, 0), w.backfillOf(2, 0))
		w.handle(w.backfillOf(1, 0))
		w.config.DryRun = false
		w.handle(w.backfillOf(1, 0), w.backfillOf(2, 0))
		for n, want := range map[int][]string{
			1: {"done ceiling_run"},
			2: {"done dry_run", "done revoked"},
		} {
			if diff := cmp.Diff(want, w.outcomes(userID(n))); diff != "" {
				t.Errorf("outcomes of user %d (-want +got):\n%s", n, diff)
			}
		}
		dry := w.state(tenant + "/dry-run")
		if dry.Run != 1 || dry.Members != members || dry.Stopped != revocation.ReasonCeilingRun {
			t.Errorf("the dry run's state is %+v", dry)
		}
		w.checkSignedOut(2)
	})
}

// TestBackfillOverTheCalendar lets a backfill run for days, over the end of summer
// time and a month's end. Nobody is signed out outside of the hours or above the
// ceiling of an hour.
func TestBackfillOverTheCalendar(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2000, time.October, 27, 12, 0, 0, 0, time.UTC)))
		w := newWorld(t)
		window := mustHours(t, "01:30-03:30", "Europe/Berlin")
		w.enforce(func(b *revocation.Backfill) {
			b.Hours, b.Ceilings = window, revocation.Ceilings{PerRun: 1000, PerHour: 4, Share: 1}
		})
		const users, days = 200, 6
		for n := range users {
			w.user(n, aged(time.Duration(n+1)*aDay))
		}
		for i := 0; i < days*24*6; i++ { // every ten minutes
			if i%12 == 0 {
				w.lift()
			}
			w.handle(w.backfillOf((2*i)%users, 0), w.backfillOf((2*i+1)%users, 0))
			time.Sleep(10 * time.Minute)
		}
		w.run()
		var all []granted
		byDay := make(map[string]int)
		for _, e := range w.ledger.All(tenant) {
			for _, at := range w.graph.users[e.User].signOuts {
				all = append(all, granted{at, 1})
				byDay[at.In(window.Place).Format(time.DateOnly)]++
				if !window.Contain(at) {
					t.Errorf("user %s was signed out at %s", e.User, at.In(window.Place))
				}
			}
		}
		if most := busiestOf(all); most > 4 {
			t.Errorf("%d users were signed out in an hour, the ceiling is 4", most)
		}
		if n := byDay["2000-10-29"]; n < 8 || len(byDay) < days-1 {
			t.Errorf("signed out by day: %v, want some on each, and more on the day of 25 hours", byDay)
		}
	})
}

// busiestOf is busiestHour of a list in any order.
func busiestOf(list []granted) int {
	most := 0
	for _, first := range list {
		sum := 0
		for _, g := range list {
			if since := g.at.Sub(first.at); since >= 0 && since <= time.Hour {
				sum += g.n
			}
		}
		most = max(most, sum)
	}
	return most
}

// TestManyWorkersBelowOneCeiling lets slow workers take from the ceilings at once.
func TestManyWorkersBelowOneCeiling(t *testing.T) {
	t.Parallel()
	for seed := range uint64(30) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { manyBackfills(t, rand.New(rand.NewPCG(seed, 3))) })
		})
	}
}

func manyBackfills(t *testing.T, random *rand.Rand) {
	const workers, users, ceiling = 4, 12, 5
	w := newWorld(t)
	w.queue = memory.NewQueue(memory.QueueOptions{Visibility: 20 * time.Second, MaxReceives: 1000})
	w.config.Queue = fakeQueue{memory.Requests{Queue: w.queue}, &w.steps}
	w.enforce(ceilings(revocation.Ceilings{PerRun: ceiling, PerHour: users, Share: 1}))
	var existing, fresh []int
	for n := range users {
		u := w.user(n, aged(time.Duration(n+1)*aDay))
		if n%4 == 0 {
			u.answers = []answer{{err: errPlain, effect: true}}
		}
		w.user(n + users)
		existing, fresh = append(existing, n), append(fresh, n+users)
		after := time.Duration(random.IntN(600)) * time.Second
		w.ask(n, after, after+time.Minute)
		w.notify(n+users, after)
	}
	var mu sync.Mutex // of random
	w.steps.hook = func(context.Context, step) error {
		mu.Lock()
		delay := slowness(random)
		mu.Unlock()
		time.Sleep(delay)
		return nil
	}
	var all sync.WaitGroup
	ctx, cancel := context.WithTimeout(t.Context(), aWeek)
	defer cancel()
	for range workers {
		all.Go(func() { w.work(ctx) })
	}
	time.Sleep(20 * time.Minute)
	for w.queue.Len() > 0 && ctx.Err() == nil {
		time.Sleep(time.Minute)
	}
	cancel()
	all.Wait()
	w.checkQuiet(fresh...)
	if n := w.signOuts(existing...); n > ceiling {
		t.Errorf("%d existing users were signed out, the ceiling is %d", n, ceiling)
	}
}
