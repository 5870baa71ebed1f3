package subscription_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/subscription"
)

// story runs a test in a world, in virtual time.
func story(t *testing.T, tell func(*testing.T, *world)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { tell(t, newWorld(t)) })
}

// calls counts how often the keeper made a call since the last time it was asked.
func (w *world) calls() func(call string) int {
	counts := map[string]int{}
	w.hook = func(_ context.Context, s step) error {
		if !s.after {
			counts[s.call]++
		}
		return nil
	}
	return func(call string) int { return counts[call] }
}

// failing makes a call fail from now on, before it takes effect.
func (w *world) failing(call string, err error) {
	w.hook = func(_ context.Context, s step) error {
		if s.call == call && !s.after {
			return err
		}
		return nil
	}
}

func checkFound(t *testing.T, r subscription.Report, found []subscription.Finding, done []subscription.Action) {
	t.Helper()
	if !slices.Equal(r.Found, found) || !slices.Equal(r.Done, done) {
		t.Errorf("found %v and did %v, want %v and %v", r.Found, r.Done, found, done)
	}
}

// TestCalm tells what the first run and a run without anything to do cost.
func TestCalm(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		report := w.keep()
		checkFound(t, report, []subscription.Finding{subscription.FoundNone},
			[]subscription.Action{subscription.ActionCreated, subscription.ActionSweepAsked})
		if report.HoursLeft < 695 || report.HoursLeft > 696 || !report.GapSince.IsZero() {
			t.Errorf("report of the first run: %+v", report)
		}
		calls := w.calls()
		checkFound(t, w.keep(), []subscription.Finding{subscription.FoundHealthy}, nil)
		if list, reads, writes := calls("list"), calls("read record"), calls("save record"); list != 1 || reads != 1 || writes != 2 {
			t.Errorf("a calm run lists %d times, reads %d and writes %d times; want 1, 1, 2", list, reads, writes)
		}
	})
}

// TestYear keeps a subscription for a year of daily runs, with a rotation of
// clientState every month and a new user every hour. Every notification arrives,
// so no sweep is asked for.
func TestYear(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.keep()
		w.asked = nil
		for day := range 365 {
			if day%30 == 29 {
				w.rotate()
			}
			for range 4 {
				w.hire()
				time.Sleep(6 * time.Hour)
			}
			w.hook = func(context.Context, step) error { w.hire(); return nil }
			w.keep()
			w.hook = nil
		}
		w.addOther()
		w.checkQuiet()
		if len(w.asked) > 0 {
			t.Errorf("sweeps were asked for: %+v", w.asked)
		}
		for _, r := range w.receipts {
			if len(r.Dropped) > 0 {
				t.Fatalf("the webhook dropped %v", r.Dropped)
			}
		}
		if d := w.tenant.Deliveries(); d.Lost+d.Dropped > 0 || d.Delivered < len(w.born) {
			t.Errorf("deliveries of %d users: %+v", len(w.born), d)
		}
	})
}

// TestTogether lets several keepers run at once, each slow at random, some so slow
// that their lease lapses.
func TestTogether(t *testing.T) {
	t.Parallel()
	for i, s := range starts {
		for seed := range uint64(6) {
			t.Run(fmt.Sprintf("%s, seed %d", s.name, seed), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) { together(t, s, rand.New(rand.NewPCG(seed, uint64(i)))) })
			})
		}
	}
}

func together(t *testing.T, s start, random *rand.Rand) {
	w := s.begin(t)
	var mu sync.Mutex
	w.hook = func(context.Context, step) error {
		mu.Lock()
		delay := time.Duration(random.IntN(15)) * time.Second
		if random.IntN(12) == 0 {
			delay = time.Duration(random.IntN(300)) * time.Second
		}
		mu.Unlock()
		time.Sleep(delay)
		w.hire()
		return nil
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 3 {
				_, _ = w.keeper().Keep(t.Context())
			}
		})
	}
	all.Wait()
	w.hook = nil
	time.Sleep(lapse)
	w.keepUntilQuiet()
	w.checkQuiet()
	if asked := len(w.asked) > 0; asked != s.gap {
		t.Errorf("asked for sweeps %+v, want any: %t", w.asked, s.gap)
	}
}

// TestBusy shows what everybody does who meets a run at work.
func TestBusy(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		slow := make(chan struct{})
		w.hook = func(_ context.Context, s step) error {
			if s.call == "create" {
				w.hook = nil
				<-slow
			}
			return nil
		}
		go func() { _, _ = w.keeper().Keep(t.Context()) }()
		synctest.Wait()

		report, err := w.keeper().Keep(t.Context())
		if err != nil || !report.Busy() {
			t.Errorf("Keep: %+v, %v; want busy and no error", report, err)
		}
		w.tenant.ChallengeSubscriptions()
		errs := w.keeper().HandleLifecycle(t.Context(), w.challenges(2))
		if !subscription.IsBusy(errs[0]) || !subscription.IsBusy(errs[1]) {
			t.Errorf("HandleLifecycle: %v, want busy", errs)
		}
		time.AfterFunc(10*time.Second, func() { close(slow) })
		if report, err = w.keeper().SetUp(t.Context()); err != nil || report.SubscriptionID == "" {
			t.Errorf("SetUp: %+v, %v; want it to wait", report, err)
		}
		w.checkQuiet()
	})
}

// TestStaleList lets Graph's list lag behind.
func TestStaleList(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.keep()
		before, hidden := w.record().SubscriptionID, 1
		w.config.Graph = editedGraph{w.graph, func(all []directory.Subscription) []directory.Subscription {
			if hidden--; hidden >= 0 {
				return nil
			}
			return all
		}}
		report := w.keep()
		checkFound(t, report, []subscription.Finding{subscription.FoundVanished, subscription.FoundConflict},
			[]subscription.Action{subscription.ActionSweepAsked})
		if w.checkQuiet(); w.record().SubscriptionID != before {
			t.Error("the subscription was replaced")
		}
		hidden = 100
		_, err := w.keeper().SetUp(t.Context())
		if a, ok := errors.AsType[*subscription.Advice](leaktest.Seen(t, err)); !ok || a.Cause != subscription.CauseUnsettled {
			t.Errorf("SetUp: %v, want it to tell that Graph is not settled", err)
		}
	})
}

// editedGraph shows another list than the true one.
type editedGraph struct {
	subscription.Graph
	edit func([]directory.Subscription) []directory.Subscription
}

func (g editedGraph) Subscriptions(ctx context.Context) ([]directory.Subscription, error) {
	all, err := g.Graph.Subscriptions(ctx)
	return g.edit(all), err
}

// TestRenewalOfTheDead lets a subscription be listed that can't be renewed.
func TestRenewalOfTheDead(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.keep()
		time.Sleep(fullLife * 3 / 4)
		var ghosts []directory.Subscription
		w.config.Graph = editedGraph{w.graph, func(all []directory.Subscription) []directory.Subscription {
			if ghosts == nil {
				ghosts = all
			}
			return ghosts
		}}
		w.tenant.DropSubscription(w.record().SubscriptionID)
		w.hire()
		checkFound(t, w.keep(), []subscription.Finding{subscription.FoundVanished},
			[]subscription.Action{subscription.ActionCreated, subscription.ActionSweepAsked})
		w.checkQuiet()
	})
}

// TestTwins removes all but one of subscriptions that are alike, should Graph ever
// admit them.
func TestTwins(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.keep()
		w.asked = nil
		bridge := w.make(directory.Subscription{ChangeType: "updated,deleted"}, "x")
		w.config.Graph = editedGraph{w.graph, func(all []directory.Subscription) []directory.Subscription {
			for i := range all {
				if all[i].ID == bridge {
					all[i].ChangeType = "updated"
				}
			}
			return all
		}}
		checkFound(t, w.keep(), []subscription.Finding{subscription.FoundHealthy, subscription.FoundExtra},
			[]subscription.Action{subscription.ActionRemoved})
		w.checkQuietAfter(0)
	})
}

// TestAdopt finds the subscription whose making had seemed to fail.
func TestAdopt(t *testing.T) {
	for name, arrange := range map[string]func(*world){"all is listed": func(*world) {}, "little is listed": (*world).listLittle} {
		t.Run(name, func(t *testing.T) {
			story(t, func(t *testing.T, w *world) { arrange(w); adopt(t, w) })
		})
	}
}

func adopt(t *testing.T, w *world) {
	w.hook = func(_ context.Context, s step) error {
		if s.call == "create" && s.after {
			return &directory.Error{Operation: "createSubscription", StatusCode: 504}
		}
		return nil
	}
	checkFound(t, w.keep(), []subscription.Finding{subscription.FoundNone},
		[]subscription.Action{subscription.ActionAdopted, subscription.ActionSweepAsked})
	w.checkQuiet()
}

// TestReturnedExpiry counts on what Graph grants, not on what was asked for.
func TestReturnedExpiry(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.config.Graph = stingyGraph{w.graph}
		first := w.keep()
		if want := time.Now().Add(4230 * time.Minute); first.Expires.Sub(want).Abs() > time.Second {
			t.Errorf("expires %s, want %s", first.Expires, want)
		}
		time.Sleep(time.Hour)
		checkFound(t, w.keep(), []subscription.Finding{subscription.FoundHealthy}, []subscription.Action{subscription.ActionRenewed})
	})
}

// stingyGraph grants less than it is asked for.
type stingyGraph struct{ *plainGraph }

func (g stingyGraph) CreateSubscription(ctx context.Context, s directory.Subscription, clientState string) (directory.Subscription, error) {
	s.Expires = time.Now().Add(4230 * time.Minute)
	return g.plainGraph.CreateSubscription(ctx, s, clientState)
}

// TestNoRoom replaces a subscription although a quota leaves no room for a bridge.
func TestNoRoom(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.keep()
		w.fill(98)
		w.rotate()
		w.asked = nil
		w.hook = func(context.Context, step) error { time.Sleep(time.Second); w.hire(); return nil }
		report := w.keep()
		w.hook = nil
		checkFound(t, report, []subscription.Finding{subscription.FoundOldClientState, subscription.FoundNoRoom},
			[]subscription.Action{subscription.ActionRemoved, subscription.ActionCreated, subscription.ActionSweepAsked})
		w.checkQuiet()
	})
}

// TestTakeDown removes what is ours, and never fails for what is gone.
func TestTakeDown(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.keep()
		w.make(directory.Subscription{ChangeType: "updated,deleted"}, "x")
		w.asked = nil
		for n := range 2 {
			if err := w.keeper().TakeDown(t.Context()); err != nil {
				t.Fatalf("TakeDown %d: %v", n+1, err)
			}
			if ours := w.ours(); len(ours) > 0 || !w.hasOther() {
				t.Errorf("after TakeDown %d there are %+v", n+1, w.tenant.Subscriptions())
			}
		}
		if record := w.record(); record.SubscriptionID != "" || record.ClientState != "" || !record.Since.IsZero() || record.Holder != "" {
			t.Errorf("the record remembers: %+v", record)
		}
		if len(w.asked) > 0 {
			t.Error("a sweep was asked for")
		}
		for _, code := range []string{"AADSTS700016", "AADSTS90002"} {
			w.failing("list", &directory.Error{Operation: "token", StatusCode: 400, Code: code, NotDone: true})
			if err := w.keeper().TakeDown(t.Context()); err != nil {
				t.Errorf("TakeDown where app or tenant are gone (%s): %v", code, err)
			}
		}
		w.failing("list", &directory.Error{Operation: "listSubscriptions", StatusCode: 503})
		if err := w.keeper().TakeDown(t.Context()); leaktest.Seen(t, err) == nil {
			t.Error("TakeDown succeeds though Graph is down")
		}
	})
}

// TestTakeDownUnlisted removes what Graph has not listed.
func TestTakeDownUnlisted(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.keep()
		w.config.Graph = editedGraph{w.graph, func([]directory.Subscription) []directory.Subscription { return nil }}
		if err := w.keeper().TakeDown(t.Context()); err != nil || len(w.ours()) > 0 {
			t.Errorf("TakeDown: %v, there are %+v", err, w.ours())
		}
	})
}

// TestLeaseAfterLostAnswer gives the lease back although the answer to a write was
// lost, so that the next run need not wait.
func TestLeaseAfterLostAnswer(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.hook = func(_ context.Context, s step) error {
			if s.call == "save record" && s.after {
				w.hook = nil
				return errDown
			}
			return nil
		}
		if _, err := w.keeper().Keep(t.Context()); leaktest.Seen(t, err) == nil {
			t.Error("Keep succeeded though it can't know")
		}
		if report := w.keep(); report.Busy() {
			t.Error("the lease was left behind")
		}
		w.checkQuiet()
	})
}

// TestLookAlike adopts nothing that somebody else may have made meanwhile.
func TestLookAlike(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.make(directory.Subscription{LifecycleURL: lifeURL}, "x")
		hidden := 1
		w.config.Graph = steppedGraph{editedGraph{w.graph, func(all []directory.Subscription) []directory.Subscription {
			if hidden--; hidden >= 0 {
				return nil
			}
			return all
		}}, w}
		w.failing("create", &directory.Error{Operation: "createSubscription", StatusCode: 504})
		if report, err := w.keeper().Keep(t.Context()); leaktest.Seen(t, err) == nil {
			t.Errorf("Keep succeeded: %+v", report)
		}
		w.hook = nil
		time.Sleep(lapse)
		w.keepUntilQuiet()
		w.checkQuiet()
	})
}

// TestFrozen lets a run be frozen at every step until its lease has lapsed, and
// thaw: it must change nothing more, even if its calls don't heed the context.
func TestFrozen(t *testing.T) {
	t.Parallel()
	for _, s := range starts {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			for i := range s.steps(t) {
				synctest.Test(t, func(t *testing.T) { freeze(t, s, i) })
			}
		})
	}
}

func freeze(t *testing.T, s start, at int) {
	w := s.begin(t)
	w.config.Graph = steppedGraph{heedless{w.graph}, w}
	n, frozen := 0, false
	w.hook = func(_ context.Context, s step) error {
		change := !s.after && slices.Contains([]string{"create", "renew", "delete"}, s.call)
		if frozen && change {
			t.Errorf("frozen at step %d, it went on to %s", at, s.call)
		}
		if n++; n-1 == at {
			time.Sleep(lapse)
			frozen = !change // what is under way is under way
		}
		return nil
	}
	_, _ = w.keeper().Keep(t.Context())
	w.hook = nil
	time.Sleep(lapse)
	w.keepUntilQuiet()
	w.checkQuiet()
}

// heedless is a Graph whose calls go on after their context has ended.
type heedless struct{ subscription.Graph }

func (g heedless) Subscriptions(ctx context.Context) ([]directory.Subscription, error) {
	return g.Graph.Subscriptions(context.WithoutCancel(ctx))
}

func (g heedless) CreateSubscription(ctx context.Context, s directory.Subscription, clientState string) (directory.Subscription, error) {
	return g.Graph.CreateSubscription(context.WithoutCancel(ctx), s, clientState)
}

func (g heedless) RenewSubscription(ctx context.Context, id string, expires time.Time) (directory.Subscription, error) {
	return g.Graph.RenewSubscription(context.WithoutCancel(ctx), id, expires)
}

func (g heedless) DeleteSubscription(ctx context.Context, id string) error {
	return g.Graph.DeleteSubscription(context.WithoutCancel(ctx), id)
}
