package keeper_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/keeper"
)

type (
	found = []keeper.Finding
	done  = []keeper.Action
)

func check(t *testing.T, r keeper.Report, f found, d done) {
	t.Helper()
	if diff := cmp.Diff(f, r.Found); diff != "" {
		t.Errorf("found (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(d, r.Done); diff != "" {
		t.Errorf("done (-want +got):\n%s", diff)
	}
}

// A year of runs renews one subscription, and lists nothing after the first.
func TestYear(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		r := w.setUp()
		check(t, r, found{keeper.FoundNone}, done{keeper.ActionCreated, keeper.ActionSweepAsked})
		if want := (keeper.MaxLife - 10*time.Minute).Hours(); r.HoursLeft != want || !r.Known {
			t.Errorf("report %+v, want %v hours left", r, want)
		}
		for range 365 * 4 {
			time.Sleep(6 * time.Hour)
			check(t, w.keep(), found{keeper.FoundHealthy}, done{keeper.ActionRenewed})
		}
		w.healthy()
		if w.count("list") != 1 || w.made != 1 || w.sweeps != 1 {
			t.Errorf("%d lists, %d made, %d sweeps", w.count("list"), w.made, w.sweeps)
		}
	})
}

// Whatever is no longer as wanted is replaced, and a sweep asked for.
func TestReplaced(t *testing.T) {
	for name, test := range map[string]struct {
		arrange func(w *world)
		found   found
		done    done
	}{
		"lapsed":   {func(*world) { time.Sleep(30 * 24 * time.Hour) }, found{keeper.FoundGone}, done{keeper.ActionCreated, keeper.ActionSweepAsked}},
		"vanished": {func(w *world) { w.subs = nil }, found{keeper.FoundGone}, done{keeper.ActionCreated, keeper.ActionSweepAsked}},
		"another URL": {func(w *world) { w.config.NotificationURL += "2" }, found{keeper.FoundChanged},
			done{keeper.ActionRemoved, keeper.ActionCreated, keeper.ActionSweepAsked}},
		"another clientState": {func(w *world) { w.state = "state-2" }, found{keeper.FoundChanged},
			done{keeper.ActionRemoved, keeper.ActionCreated, keeper.ActionSweepAsked}},
		"the record is lost": {func(w *world) { w.item.Doc = keeper.Record{} }, found{keeper.FoundNone},
			done{keeper.ActionRemoved, keeper.ActionCreated, keeper.ActionSweepAsked}},
		"an extra one of ours": {func(w *world) {
			extra := w.subs[0]
			extra.ID, extra.ChangeType, extra.Resource = "extra", "updated,deleted", "/Users"
			w.subs, w.state = append(w.subs, extra), "state-2"
		}, found{keeper.FoundChanged}, done{keeper.ActionRemoved, keeper.ActionRemoved, keeper.ActionCreated, keeper.ActionSweepAsked}},
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(t *testing.T, w *world) {
				w.setUp()
				test.arrange(w)
				check(t, w.keep(), test.found, test.done)
				w.healthy()
				check(t, w.keep(), found{keeper.FoundHealthy}, done{keeper.ActionRenewed})
			})
		})
	}
}

// What the app watches besides users is left alone.
func TestForeignSubscription(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.subs = []subscription{{Subscription: directory.Subscription{ID: "x", Resource: "groups", ChangeType: "updated", Expires: time.Now().Add(time.Hour)}}}
		w.setUp()
		if len(w.live()) != 2 {
			t.Errorf("%d subscriptions, want both", len(w.live()))
		}
		if err := w.keeper().TakeDown(t.Context()); err != nil || len(w.live()) != 1 || w.live()[0].ID != "x" {
			t.Errorf("TakeDown: %v, left %+v", err, w.live())
		}
	})
}

// Graph may grant less than was asked for.
func TestShorterLife(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.setUp()
		w.config.Graph = shortened{w}
		if r := w.keep(); r.HoursLeft != 1 {
			t.Errorf("%v hours left, want 1", r.HoursLeft)
		}
	})
}

type shortened struct{ *world }

func (s shortened) RenewSubscription(ctx context.Context, id string, _ time.Time) (directory.Subscription, error) {
	return s.world.RenewSubscription(ctx, id, time.Now().Add(time.Hour))
}

// Until the renewal works again, the hours that are left are known from the record.
func TestRenewalFails(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.setUp()
		time.Sleep(24 * time.Hour)
		w.before = func(call string) error {
			if call == "renew" {
				return refusal("updateSubscription", 503, "ServiceUnavailable", "")
			}
			return nil
		}
		r, err := w.keeper().Keep(t.Context())
		if err == nil || r.Cause != keeper.CauseUnwell || !r.Known || r.HoursLeft > keeper.MaxLife.Hours()-24 || r.HoursLeft < 600 {
			t.Errorf("Keep: %v, report %+v", err, r)
		}
		if w.made != 1 || w.count("delete") != 0 {
			t.Error("a failure of Graph had the subscription replaced")
		}
	})
}

// A run that dies, or fails, at any step, is mended by the next. The steps are found by
// running once.
func TestCrash(t *testing.T) {
	for scene, arrange := range map[string]func(w *world){
		"set up":     func(*world) {},
		"vanished":   func(w *world) { w.setUp(); w.subs = nil },
		"changed":    func(w *world) { w.setUp(); w.state = "state-2" },
		"list late":  func(w *world) { w.setUp(); w.listLag = 10 * time.Minute; w.state = "state-2" },
		"taken down": func(w *world) { w.setUp(); _ = w.keeper().TakeDown(w.t.Context()) },
	} {
		for _, step := range stepsOf(t, arrange) {
			for _, after := range []bool{false, true} {
				name := scene + ", " + step.name + "#" + string(rune('0'+step.nth))
				if after {
					name += ", after"
				}
				t.Run(name, func(t *testing.T) {
					story(t, func(t *testing.T, w *world) {
						arrange(w)
						swept := w.sweeps
						w.dieAt(step, after)
						_, _ = w.keeper().SetUp(t.Context())
						w.before, w.after = nil, nil
						time.Sleep(15 * time.Minute)
						if w.item.Doc.TakenDown || w.item.Version == 0 {
							w.setUp()
						}
						w.keep()
						w.healthy()
						if w.sweeps == swept {
							t.Error("no sweep after a gap")
						}
					})
				})
			}
		}
	}
}

type step struct {
	name string
	nth  int
}

// stepsOf is what SetUp calls in a scene.
func stepsOf(t *testing.T, arrange func(w *world)) (steps []step) {
	t.Helper()
	t.Run("steps", func(t *testing.T) {
		storyNow(t, func(_ *testing.T, w *world) {
			arrange(w)
			w.calls = nil
			w.setUp()
			seen := map[string]int{}
			for _, call := range w.calls {
				seen[call]++
				steps = append(steps, step{call, seen[call]})
			}
		})
	})
	return steps
}

// dieAt lets the run fail at a step, before or after it took effect, and then everything
// that it calls.
func (w *world) dieAt(at step, after bool) {
	w.strike(at.name, at.nth, after)
	inner, dead := w.before, false
	if after {
		inner = w.after
	}
	dying := func(call string) error {
		err := inner(call)
		dead = dead || err != nil
		return err
	}
	w.before = func(call string) error {
		if dead {
			return errStruck
		}
		if !after {
			return dying(call)
		}
		return nil
	}
	if after {
		w.after = dying
	}
}

// Two keepers at once, started at any distance, leave one subscription, whoever wins.
func TestTwoKeepers(t *testing.T) {
	for _, distance := range []time.Duration{0, time.Second, 3 * time.Second, 6 * time.Second, time.Minute} {
		t.Run(distance.String(), func(t *testing.T) {
			story(t, func(t *testing.T, w *world) {
				w.setUp()
				w.subs, w.slow, w.listLag = nil, 5*time.Second, time.Hour
				var both sync.WaitGroup
				for i := range 2 {
					both.Go(func() {
						time.Sleep(time.Duration(i) * distance)
						if _, err := w.keeper().Keep(t.Context()); err != nil {
							t.Errorf("Keep: %v", err)
						}
					})
				}
				both.Wait()
				w.healthy()
				if w.made != 2 {
					t.Errorf("%d were made, want one in place of the first", w.made)
				}
			})
		})
	}
}

// A run that lives on after its lease has ended leaves nothing of its own behind.
func TestLateKeeper(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.setUp()
		w.subs, w.slow = nil, 3*time.Minute
		var both sync.WaitGroup
		both.Go(func() { w.keep() })
		both.Go(func() {
			time.Sleep(150 * time.Second)
			w.keep()
		})
		both.Wait()
		w.keep()
		w.healthy()
	})
}

// SetUp waits for what a fresh deployment can meet.
func TestSetUpTriesAgain(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		call string
		want keeper.Cause // "" if it helps to wait
	}{
		"webhook not there yet": {refusal("createSubscription", 400, "ValidationError", "Subscription validation request failed."), "create", ""},
		"federated credential":  {refusal(directory.Token, 400, "AADSTS70025", ""), "list", ""},
		"wrong app":             {refusal(directory.Token, 400, "AADSTS700016", ""), "list", keeper.CauseAppUnknown},
		"no consent":            {refusal("createSubscription", 403, "", ""), "create", keeper.CauseNoConsent},
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(t *testing.T, w *world) {
				ready := time.Now().Add(time.Minute)
				w.before = func(call string) error {
					if call == test.call && time.Now().Before(ready) {
						return test.err
					}
					return nil
				}
				began := time.Now()
				r, err := w.keeper().SetUp(t.Context())
				if r.Cause != test.want || (err == nil) != (test.want == "") {
					t.Errorf("SetUp: %v, cause %q", err, r.Cause)
				}
				if took := time.Since(began); (took > 0) != (test.want == "") {
					t.Errorf("it took %s", took)
				}
			})
		})
	}
}

// SetUp gives up after a while, or when its context ends.
func TestSetUpGivesUp(t *testing.T) {
	for _, limit := range []time.Duration{time.Minute, time.Hour} {
		t.Run(limit.String(), func(t *testing.T) {
			story(t, func(t *testing.T, w *world) {
				w.before = func(call string) error {
					if call == "create" {
						return refusal("createSubscription", 400, "ValidationError", "")
					}
					return nil
				}
				ctx, cancel := context.WithTimeout(t.Context(), limit)
				defer cancel()
				began := time.Now()
				r, err := w.keeper().SetUp(ctx)
				if err == nil || r.Cause != keeper.CauseNotificationURL {
					t.Errorf("SetUp: %v", err)
				}
				most := min(limit, 130*time.Second)
				if took := time.Since(began); took > most || took < most-10*time.Second {
					t.Errorf("it took %s, want %s at most", took, most)
				}
			})
		})
	}
}

// SetUp waits for another run, and tries its check first.
func TestSetUpWaits(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.slow = 30 * time.Second
		go w.keep()
		time.Sleep(time.Second)
		if r := w.setUp(); r.Busy() || w.made != 1 {
			t.Errorf("report %+v, %d made", r, w.made)
		}
		w.healthy()
		calls := len(w.calls)
		w.config.Check = func(context.Context) error { return refusal("getGroup", 404, "Request_ResourceNotFound", "") }
		if r, err := w.keeper().SetUp(t.Context()); err == nil || r.Cause != keeper.CauseGroups || len(w.calls) != calls {
			t.Errorf("SetUp: %v, cause %q", err, r.Cause)
		}
	})
}

// One record for each run, with codes and no secret.
func TestLog(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.setUp()
		time.Sleep(time.Hour)
		w.keep()
		w.strike("renew", 1, false)
		_, _ = w.keeper().Keep(t.Context())
		_ = w.keeper().TakeDown(t.Context())
		w.keep()
		var got []string
		for line := range strings.Lines(w.log.String()) {
			_, line, _ = strings.Cut(line, "level=")
			line, _, _ = strings.Cut(line, " subscription")
			got = append(got, line)
		}
		want := []string{
			`WARN msg="keeper ran" trigger=set_up found=[none] done="[created sweep_asked]"`,
			`INFO msg="keeper ran" trigger=schedule found=[healthy] done=[renewed]`,
			`ERROR msg="keeper ran" trigger=schedule found=[] done=[]`,
			`INFO msg="keeper ran" trigger=take_down found=[] done=[removed]`,
			`INFO msg="keeper ran" trigger=schedule found=[taken_down] done=[]`,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if len(w.reports) != len(want) || strings.Contains(w.log.String(), "state-1") {
			t.Errorf("%d reports; log:\n%s", len(w.reports), &w.log)
		}
	})
}
