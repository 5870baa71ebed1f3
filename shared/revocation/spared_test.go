package revocation_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/revocation"
)

// A scene is one request for user 1, after something has changed.
type scene struct {
	after   time.Duration // the scene before
	change  func(*world)
	request func(*world) revocation.Request
	want    revocation.Reason
	state   revocation.State
}

// window is that of new users in a world.
const window = time.Hour

func told(w *world) revocation.Request { return w.request(1, time.Since(w.start)) }
func asked(w *world) revocation.Request {
	return w.backfillOf(1, time.Since(w.start))
}

// missed is what the sweep asks who finds a user without a stamp who was created
// after the subscription began.
func missed(w *world) revocation.Request {
	r := told(w)
	r.Source, r.Missed = revocation.SourceSweep, true
	return r
}

// delayed is a notification that came at the beginning and was put back since.
func delayed(w *world) revocation.Request { return w.request(1, 0) }

// during is one that came half a window later.
func during(w *world) revocation.Request { return w.request(1, window/2) }

// ahead is one by a clock two seconds ahead of ours.
func ahead(w *world) revocation.Request { return w.request(1, 2*time.Second) }

func dry(w *world)       { w.config.DryRun = true }
func earnest(w *world)   { w.config.DryRun = false }
func exclude(w *world)   { w.config.Policy.Exclusions.IDs = []string{userID(1)} }
func include(w *world)   { w.config.Policy.Exclusions.IDs = nil }
func enforcing(w *world) { w.enforce() }

const (
	spared  = revocation.StateSpared
	held    = revocation.StateHeld
	revoked = revocation.StateRevoked
	tooOld  = revocation.ReasonExistingUser
)

// sparings tell what becomes of user 1, who was left alone on purpose, once that
// is over: who is old by then is an existing user, whatever a sweep may say.
var sparings = map[string][]scene{
	"a dry run that ends": {
		{0, dry, told, revocation.ReasonDryRun, spared},
		{2 * window, earnest, missed, tooOld, held},
		{time.Minute, nil, missed, tooOld, held},
		{time.Minute, nil, asked, tooOld, held},
		{time.Minute, enforcing, asked, revocation.ReasonRevoked, revoked},
	},
	"a dry run that ends soon": {
		{0, dry, told, revocation.ReasonDryRun, spared},
		{window / 2, earnest, missed, revocation.ReasonRevoked, revoked},
	},
	"an exclusion that is lifted": {
		{0, exclude, told, revocation.ReasonExcluded, spared},
		{time.Minute, nil, missed, revocation.ReasonExcluded, spared},
		{2 * window, include, missed, tooOld, held},
		{time.Minute, nil, missed, tooOld, held},
		{time.Minute, enforcing, told, tooOld, held},
		{time.Minute, nil, asked, revocation.ReasonRevoked, revoked},
	},
	"an exclusion that is lifted soon": {
		{0, exclude, told, revocation.ReasonExcluded, spared},
		{window / 2, include, told, revocation.ReasonRevoked, revoked},
	},
	"an exclusion that is lifted soon, and a sweep much later": {
		{0, exclude, told, revocation.ReasonExcluded, spared},
		{window / 2, include, told, revocation.ReasonRevoked, revoked},
		{aDay, exclude, missed, revocation.ReasonReadBack, revocation.StateStamped},
	},
	"a request from before the sparing": {
		{0, exclude, told, revocation.ReasonExcluded, spared},
		{2 * window, include, delayed, tooOld, held},
		{time.Minute, nil, delayed, tooOld, held},
		{time.Minute, nil, missed, tooOld, held},
		{time.Minute, enforcing, asked, revocation.ReasonRevoked, revoked},
	},
	"a request from before the sparing, while the user is new": {
		{0, exclude, told, revocation.ReasonExcluded, spared},
		{window / 2, include, delayed, revocation.ReasonRevoked, revoked},
	},
	"a clock that is ahead of the revoker's": {
		{0, exclude, ahead, revocation.ReasonExcluded, spared},
		{2 * window, include, missed, tooOld, held},
		{time.Minute, nil, ahead, tooOld, held},
		{time.Minute, enforcing, asked, revocation.ReasonRevoked, revoked},
	},
	"a request from within the sparing": {
		{0, exclude, told, revocation.ReasonExcluded, spared},
		{3 * window, include, during, tooOld, held},
		{time.Minute, nil, during, tooOld, held},
		{time.Minute, enforcing, during, tooOld, held},
		{time.Minute, nil, asked, revocation.ReasonRevoked, revoked},
	},
	"a request from within a dry run": {
		{0, dry, told, revocation.ReasonDryRun, spared},
		{3 * window, earnest, during, tooOld, held},
	},
	"a request from within the sparing that comes after another one": {
		{0, exclude, told, revocation.ReasonExcluded, spared},
		{3 * window, include, told, tooOld, held},
		{time.Minute, nil, during, tooOld, held},
	},
	"a request from within the sparing that is redriven": {
		{0, exclude, told, revocation.ReasonExcluded, spared},
		{aDay, include, told, tooOld, held},
		{12 * aDay, nil, during, tooOld, held},
	},
	"a request from within the sparing, while the user is new": {
		{0, exclude, told, revocation.ReasonExcluded, spared},
		{window - time.Minute, include, during, revocation.ReasonRevoked, revoked},
	},
	"a sparing that ends while the user is new, and an outage after it": {
		{0, exclude, told, revocation.ReasonExcluded, spared},
		{window / 2, func(w *world) { include(w); throttled(w) }, told, revocation.ReasonThrottled, revocation.StateReleased},
		{2 * window, nil, during, revocation.ReasonRevoked, revoked},
	},
	"who is spared is deleted and restored": {
		{0, exclude, told, revocation.ReasonExcluded, spared},
		{10 * time.Minute, func(w *world) { w.graph.users[userID(1)].missing = true }, delayed, revocation.ReasonNotFound, revocation.StateGone},
		{aDay, func(w *world) { include(w); w.graph.users[userID(1)].missing = false }, told, tooOld, held},
		{time.Minute, nil, during, tooOld, held},
	},
	"who was spared is deleted and restored": {
		{0, exclude, told, revocation.ReasonExcluded, spared},
		{10 * time.Minute, func(w *world) { include(w); throttled(w) }, told, revocation.ReasonThrottled, revocation.StateReleased},
		{time.Minute, func(w *world) { w.graph.users[userID(1)].missing = true }, delayed, revocation.ReasonNotFound, revocation.StateGone},
		{aDay, func(w *world) { w.graph.users[userID(1)].missing = false }, told, tooOld, held},
	},
	"one sparing after the other": {
		{0, dry, told, revocation.ReasonDryRun, spared},
		{window, exclude, told, revocation.ReasonExcluded, spared},
		{window, include, missed, tooOld, held},
		{window, earnest, missed, tooOld, held},
	},
	"an exclusion within a dry run": {
		{0, exclude, told, revocation.ReasonExcluded, spared},
		{time.Minute, func(w *world) { include(w); dry(w) }, missed, revocation.ReasonDryRun, spared},
		{2 * window, nil, missed, revocation.ReasonDryRun, spared},
		{2 * window, earnest, missed, tooOld, held},
	},
	"the mode changes within a dry run": {
		{0, dry, told, revocation.ReasonDryRun, spared},
		{2 * window, enforcing, missed, revocation.ReasonDryRun, spared},
		{time.Minute, nil, asked, revocation.ReasonDryRun, spared},
	},
	"a held user is excluded for a while": {
		{2 * window, nil, told, tooOld, held},
		{time.Minute, exclude, missed, revocation.ReasonExcluded, spared},
		{time.Minute, include, missed, tooOld, held},
	},
	"a stamp comes in a dry run": {
		{0, dry, told, revocation.ReasonDryRun, spared},
		{time.Minute, func(w *world) { stamp(w.graph.users[userID(1)]) }, told, revocation.ReasonStamped, revocation.StateStamped},
	},
	"who waited for a person, found by a sweep": {
		{0, refused, told, revocation.ReasonForbidden, revocation.StateCannotFix},
		{20 * aDay, nil, missed, tooOld, held},
		{aDay, nil, missed, tooOld, held},
	},
	"who waited for a person, told of by a notification": {
		{0, refused, told, revocation.ReasonForbidden, revocation.StateCannotFix},
		{20 * aDay, nil, told, tooOld, held},
		{aDay, nil, missed, tooOld, held},
	},
	"who waited for a person after a call that is wrong": {
		{0, wrong, told, revocation.ReasonRefused, revocation.StateCannotFix},
		{20 * aDay, nil, missed, tooOld, held},
		{aDay, nil, missed, tooOld, held},
	},
	"who was missed, and then waited for a person": {
		{2 * aDay, refused, missed, revocation.ReasonForbidden, revocation.StateCannotFix},
		{10 * aDay, nil, missed, tooOld, held},
		{aDay, nil, missed, tooOld, held},
	},
	"who waited for a person is deleted and restored": {
		{0, refused, told, revocation.ReasonForbidden, revocation.StateCannotFix},
		{5 * aDay, func(w *world) { w.graph.users[userID(1)].missing = true }, delayed, revocation.ReasonNotFound, revocation.StateGone},
		{15 * aDay, func(w *world) { w.graph.users[userID(1)].missing = false }, missed, tooOld, held},
		{aDay, nil, missed, tooOld, held},
	},
	"who waited for a person, and then for a ceiling": {
		{0, func(w *world) { refused(w); w.enforce(ceilings(revocation.Ceilings{})) }, told, revocation.ReasonForbidden, revocation.StateCannotFix},
		{20 * aDay, nil, asked, revocation.ReasonCeilingRun, held},
		{aDay, nil, missed, tooOld, held},
	},
	"who waited for a person for less than a request may wait": {
		{0, refused, told, revocation.ReasonForbidden, revocation.StateCannotFix},
		{3 * aDay, nil, missed, revocation.ReasonRevoked, revoked},
	},
	"who can't be fixed is excluded for a while": {
		{0, refused, told, revocation.ReasonForbidden, revocation.StateCannotFix},
		{2 * aDay, exclude, told, revocation.ReasonExcluded, spared},
		{aDay, include, missed, tooOld, held},
	},
}

func TestSpared(t *testing.T) {
	t.Parallel()
	for name, scenes := range sparings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.user(1)
				for i, s := range scenes {
					s.play(w, i)
				}
			})
		})
	}
}

func refused(w *world) { answers(answer{err: graphError(403)})(w.graph.users[userID(1)]) }
func wrong(w *world)   { answers(answer{err: graphError(400)})(w.graph.users[userID(1)]) }
func throttled(w *world) {
	answers(answer{err: graphError(429)})(w.graph.users[userID(1)])
}

func (s scene) play(w *world, i int) {
	w.t.Helper()
	time.Sleep(s.after)
	if s.change != nil {
		s.change(w)
	}
	w.handle(s.request(w))
	o := w.observer.outcomes[len(w.observer.outcomes)-1]
	if got := w.entry(1).State; o.Reason != s.want || got != s.state {
		w.t.Fatalf("scene %d: %s for %s, want %s for %s", i, got, o.Reason, s.state, s.want)
	}
	if s.want == revocation.ReasonRevoked && o.Request.Missed {
		w.t.Errorf("scene %d: a user who was left alone on purpose is stamped as missed", i)
	}
}

// Of who is spared there is no end of notifications: the ledger is written once,
// Graph read once for each, and the dry run's ceilings count once.
func TestSparedIsWrittenOnce(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*world){"dry run": dry, "exclusion": exclude} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.enforce()
				w.user(1, old)
				change(w)
				for range 5 {
					w.handle(asked(w))
					w.handle(told(w), missed(w))
					time.Sleep(window)
				}
				if n := w.steps.calls("Ledger.Write"); n != 1 || w.entry(1).Version != 1 {
					t.Errorf("the ledger was written %d times, want once", n)
				}
				if n := w.steps.calls("Directory.ReadUsers"); n != 10 {
					t.Errorf("Graph was read %d times, want 10", n)
				}
				counted := w.state(tenant).Run + w.state(tenant+"/dry-run").Run
				if want := map[string]int{"dry run": 1, "exclusion": 0}[name]; counted != want {
					t.Errorf("%d were counted, want %d", counted, want)
				}
			})
		})
	}
}

// The backfill of a dry run gets ahead: it is asked for the newest who wait, and
// comes to its ceiling only by users whom it has not seen before.
func TestDryRunAdvances(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.enforce(ceilings(revocation.Ceilings{PerRun: 5, PerHour: 9, Share: 1}))
		dry(w)
		for n := range 7 {
			w.user(n, aged(time.Duration(n+1)*aDay))
			w.handle(w.request(n, 0))
		}
		for range 4 {
			held, err := w.ledger.Held(t.Context(), tenant, 2)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range held {
				r := asked(w)
				r.User = e.User
				w.handle(r, r)
			}
			time.Sleep(time.Minute)
		}
		for n := range 7 {
			want := revocation.StateSpared
			if n >= 5 {
				want = revocation.StateHeld
			}
			if got := w.entry(n).State; got != want {
				t.Errorf("user %d is %s, want %s", n, got, want)
			}
		}
		if s := w.state(tenant + "/dry-run"); s.Run != 5 || s.Stopped != revocation.ReasonCeilingRun {
			t.Errorf("the dry run's state is %+v", s)
		}
		w.checkSignedOut()
	})
}

// TestSparedAtRandom begins and ends dry runs, exclusions, outages and the mode
// enforce at random times, among requests of every kind, of which some come late.
// Whoever was left alone on purpose is signed out later only while new, or where
// existing users are.
func TestSparedAtRandom(t *testing.T) {
	t.Parallel()
	signedOut := make(map[string]int)
	for seed := range uint64(300) {
		synctest.Test(t, func(t *testing.T) {
			g := newGambler(t, seed)
			for range 60 {
				time.Sleep(time.Duration(g.random.Int64N(int64(window / 2))))
				g.change()
				if g.random.IntN(8) == 0 {
					g.hire()
				}
				g.hear(g.random.IntN(len(g.graph.users)))
				g.gamble(signedOut)
			}
		})
	}
	for _, kind := range []string{"new", "new, once spared", "existing", "existing, once spared"} {
		if signedOut[kind] == 0 {
			t.Errorf("nobody was signed out who was %s: %v", kind, signedOut)
		}
	}
}

type gambler struct {
	*world
	random  *rand.Rand
	waiting []revocation.Request // heard, and delivered at any time, more than once too
	down    string               // the call that fails, "" for none
}

func newGambler(t *testing.T, seed uint64) *gambler {
	g := &gambler{world: newWorld(t), random: rand.New(rand.NewPCG(seed, 3))}
	g.enforce()
	g.groups = map[string][]string{excludedGroup: nil}
	g.steps.hook = func(_ context.Context, s step) error {
		if s == (step{g.down, false}) {
			return graphError(503)
		}
		return nil
	}
	for n := range 4 {
		g.user(n, aged(time.Duration(g.random.Int64N(int64(3*window)))))
	}
	return g
}

// hire makes one user more, and somebody tells of it.
func (g *gambler) hire() {
	n := len(g.graph.users)
	g.user(n, func(u *fakeUser) { u.Created = time.Now().UTC() })
	g.hear(n)
}

// change turns something round, or nothing.
func (g *gambler) change() {
	p := &g.config.Policy
	switch g.random.IntN(8) {
	case 0:
		g.config.DryRun = !g.config.DryRun
	case 1:
		p.Exclusions.IDs = nil
	case 2:
		p.Exclusions.IDs = append(p.Exclusions.IDs, userID(g.random.IntN(len(g.graph.users))))
	case 3:
		p.Backfill.Mode = revocation.ModeEnforce
	case 4:
		p.Backfill.Mode = revocation.ModeReport
	case 5:
		g.down = []string{"Groups.GroupMembers", "Directory.ReadUsers", "Domains.Domains", "Ledger.Entries"}[g.random.IntN(4)]
	case 6:
		g.down = ""
	}
	for id, u := range g.graph.users {
		u.outOfScope = g.config.DryRun || slices.Contains(p.Exclusions.IDs, id)
	}
}

// hear lets a request of any kind for user n wait.
func (g *gambler) hear(n int) {
	r := g.request(n, time.Since(g.start))
	switch g.random.IntN(4) {
	case 0:
		r.Source, r.Missed = revocation.SourceSweep, true
	case 1:
		r.Source, r.Backfill = revocation.SourceSweep, true
	}
	g.waiting = append(g.waiting, r)
}

// gamble handles one of the requests that wait, the last one as often as any of the
// others, and checks what came of it.
func (g *gambler) gamble(signedOut map[string]int) {
	r := g.waiting[len(g.waiting)-1]
	if g.random.IntN(2) == 0 {
		r = g.waiting[g.random.IntN(len(g.waiting))]
	}
	u, spared := g.graph.users[r.User], !g.entryOf(r.User).Spared.IsZero()
	before := len(u.signOuts)
	g.handle(r)
	if len(u.signOuts) == before {
		return
	}
	kind, isNew := "existing", time.Since(u.Created) <= window
	if isNew {
		kind = "new"
	}
	if spared {
		kind += ", once spared"
	}
	signedOut[kind]++
	if spared && !isNew && (!r.Backfill || g.config.Policy.Backfill.Mode != revocation.ModeEnforce) {
		g.t.Errorf("user %s, %s old and spared before, was signed out by %+v: %+v", r.User, time.Since(u.Created), r, g.entryOf(r.User))
	}
}
