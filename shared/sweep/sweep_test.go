package sweep_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

// The first run lists all users, and the next ones read what has changed.
func TestRounds(t *testing.T) {
	t.Parallel()
	play(t, func(t *testing.T, w *world) {
		for n := range 4 {
			w.user(n)
		}
		w.user(4, old)
		w.user(5, stamped)
		r := w.run()
		expectCauses(t, r, sweep.KindFull, sweep.CauseFirst)
		w.expectQueued(0, 1, 2, 3)
		w.expectCalls(map[string]int{"LatestDelta": 1, "UserPage": 2, "Domains": 1, "Postpone": 2, "SetMembers": 1})
		want := sweep.Report{Tenant: tenant, Kind: sweep.KindFull, Finished: true, Causes: r.Causes,
			Pages: 2, Users: 6, Queued: 4, Counts: sweep.Counts{Members: 6, Unstamped: 5, Existing: 1}}
		if diff := cmp.Diff(want, r); diff != "" || w.brake.members != 6 {
			t.Errorf("the brake knows %d members; the report (-want +got):\n%s", w.brake.members, diff)
		}
		time.Sleep(time.Hour)
		w.user(6)
		w.user(6)
		w.user(7, stamped)
		w.graph.remove(userID(0))
		r = w.run()
		expectCauses(t, r, sweep.KindIncrement)
		w.expectQueued(6)
		w.expectCalls(map[string]int{"DeltaPage": 2, "Postpone": 1})
		if len(w.seen) != 2 || w.seen[1].Kind != sweep.KindIncrement || !w.seen[1].Finished {
			t.Errorf("the observer saw %+v", w.seen)
		}
	})
}

// A full round comes once a day, although the runs are an hour apart.
func TestDaily(t *testing.T) {
	t.Parallel()
	play(t, func(t *testing.T, w *world) {
		w.run()
		var full []int
		for hour := 1; hour <= 50; hour++ {
			time.Sleep(time.Hour)
			if r := w.run(); r.Kind == sweep.KindFull {
				expectCauses(t, r, sweep.KindFull, sweep.CauseDaily)
				full = append(full, hour)
			}
		}
		if !slices.Equal(full, []int{24, 48}) || w.steps.calls["LatestDelta"] != 1 {
			t.Errorf("full rounds after hours %v, and %d chains of delta", full, w.steps.calls["LatestDelta"])
		}
	})
}

// Who has moved into a federated domain may come without userType: the door reads the user.
func TestCandidatesOfDelta(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(*directory.User)
		queued bool
	}{
		{"new", func(*directory.User) {}, true},
		{"stamped", stamped, false},
		{"old", old, false},
		{"guest", guest, false},
		{"invited", func(u *directory.User) { u.CreationType = "Invitation" }, false},
		{"external", func(u *directory.User) { u.ExternalUserState = "Accepted" }, false},
		{"of another type", func(u *directory.User) { u.UserType = "Robot" }, false},
		{"excluded by id", func(u *directory.User) { u.ID = userID(99) }, false},
		{"excluded by pattern", func(u *directory.User) { u.UserPrincipalName = "svc-1@federated.example" }, false},
		{"without a type", func(u *directory.User) { u.UserType = "" }, true},
		{"without an age", func(u *directory.User) { u.Created = time.Time{} }, true},
		{"without a name", func(u *directory.User) { u.UserPrincipalName = "" }, true},
		{"of a domain that may have been federated a moment ago", managed, true},
		{"stamped, without all else", func(u *directory.User) {
			stamped(u)
			u.UserType, u.UserPrincipalName, u.Created = "", "", time.Time{}
		}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			play(t, func(t *testing.T, w *world) {
				w.config.Policy.Exclusions.IDs = []string{userID(99)}
				w.config.Policy.Exclusions.Patterns = []string{"svc-*@federated.example"}
				w.run()
				w.user(1, tt.change)
				w.run()
				if got := len(w.queue.drain()) == 1; got != tt.queued {
					t.Errorf("queued: %t, want %t", got, tt.queued)
				}
			})
		})
	}
}

// Whoever is looked at by the list, which shows all there is: a user without an age or a
// type is an old one.
func TestCandidatesOfList(t *testing.T) {
	t.Parallel()
	type result struct{ Queued, Members, Unstamped, Existing int }
	tests := []struct {
		name   string
		change func(*directory.User)
		want   result
	}{
		{"new", func(*directory.User) {}, result{1, 1, 1, 0}},
		{"stamped", stamped, result{0, 1, 0, 0}},
		{"old", old, result{0, 1, 1, 1}},
		{"without an age", func(u *directory.User) { u.Created = time.Time{} }, result{0, 1, 1, 1}},
		{"without a type", func(u *directory.User) { u.UserType = "" }, result{0, 1, 1, 1}},
		{"guest", guest, result{}},
		{"managed", managed, result{1, 0, 0, 0}},
		{"managed and old", func(u *directory.User) { managed(u); old(u) }, result{}},
		{"excluded", func(u *directory.User) { u.ID = userID(99) }, result{0, 1, 0, 0}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			play(t, func(t *testing.T, w *world) {
				w.config.Policy.Exclusions.IDs = []string{userID(99)}
				w.user(1, tt.change)
				r := w.run()
				if got := (result{r.Queued, r.Members, r.Unstamped, r.Existing}); got != tt.want {
					t.Errorf("got %+v, want %+v", got, tt.want)
				}
			})
		})
	}
}

// A notification comes first: a young user waits for it.
func TestGrace(t *testing.T) {
	t.Parallel()
	for age, want := range map[time.Duration]time.Duration{
		-time.Hour: 15 * time.Minute, 0: 15 * time.Minute, 10 * time.Minute: 5 * time.Minute, time.Hour: 0,
	} {
		play(t, func(t *testing.T, w *world) {
			w.user(1, func(u *directory.User) { u.Created = u.Created.Add(-age) })
			w.run()
			if got := w.queue.fresh[0].Delay; got != want {
				t.Errorf("a user of age %s waits %s, want %s", age, got, want)
			}
		})
	}
}

// A link of delta that fails for whatever reason costs one full round, in the same run;
// and nobody.
func TestLinkFails(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]error{"gone": &resync, "down": errGraph, "leads to itself": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, func(t *testing.T, w *world) {
				w.run()
				bad := w.store.item.Doc.DeltaLink
				w.graph.spoil = func(link string, page *directory.UserPage) error {
					if link != bad {
						return nil
					}
					page.Next = link
					return fault
				}
				w.user(1)
				expectCauses(t, w.run(), sweep.KindFull, sweep.CauseLinkFailed, sweep.CauseFirst)
				w.expectQueued(1)
				if warned := w.records()[1]; warned["level"] != "WARN" || fault != nil && !strings.HasSuffix(warned["error"].(string), fault.Error()) {
					t.Errorf("the log says %v", warned)
				}
				w.user(2)
				expectCauses(t, w.run(), sweep.KindIncrement)
				w.expectQueued(2)
			})
		})
	}
}

// A list whose link no longer works begins again in the next run. One whose page only
// fails goes on there.
func TestListFails(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		fault error
		pages int // of the next run
	}{
		"gone":         {&resync, 3},
		"unreadable":   {&directory.Error{StatusCode: http.StatusOK}, 3},
		"down":         {errGraph, 2},
		"throttled":    {&directory.Error{StatusCode: http.StatusTooManyRequests}, 2},
		"refused":      {&directory.Error{StatusCode: http.StatusForbidden}, 2},
		"out of reach": {&directory.Error{}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, func(t *testing.T, w *world) {
				for n := range 8 {
					w.user(n)
				}
				down := true
				w.graph.spoil = func(link string, _ *directory.UserPage) error {
					if link != "" && down {
						return tt.fault
					}
					return nil
				}
				if r, err := w.try(t.Context(), sweep.OrderUsual); !errors.Is(err, tt.fault) || r.Finished {
					t.Errorf("got %+v, %v", r, err)
				}
				down = false
				w.called()
				r := w.run()
				expectCauses(t, r, sweep.KindFull, sweep.CauseContinued)
				if got := w.steps.calls["UserPage"]; got != tt.pages || r.Members != 8 || len(w.queue.drain()) < 8 {
					t.Errorf("%d pages of the list, want %d: %+v", got, tt.pages, r)
				}
			})
		})
	}
}

// A full round that can't come to its end is given up when the next is due.
func TestListFailsForADay(t *testing.T) {
	t.Parallel()
	play(t, func(t *testing.T, w *world) {
		for n := range 8 {
			w.user(n)
		}
		w.graph.spoil = func(link string, _ *directory.UserPage) error {
			if link != "" {
				return errGraph
			}
			return nil
		}
		for range 24 {
			if r, err := w.try(t.Context(), sweep.OrderUsual); err == nil {
				t.Errorf("got %+v", r)
			}
			time.Sleep(time.Hour)
		}
		w.graph.spoil = nil
		w.called()
		r := w.run()
		expectCauses(t, r, sweep.KindFull, sweep.CauseFirst)
		if got := w.steps.calls["UserPage"]; got != 3 || r.Members != 8 {
			t.Errorf("%d pages of the list, want 3: %+v", got, r)
		}
	})
}

// A full round under way goes on beside a link of delta that fails. Then another one
// begins: it has passed users who stand behind the link.
func TestLinkFailsBesideFullRound(t *testing.T) {
	t.Parallel()
	play(t, func(t *testing.T, w *world) {
		for n := range 4 {
			w.user(n+1, old)
		}
		down := "list"
		w.graph.spoil = func(link string, page *directory.UserPage) error {
			if strings.HasPrefix(link, down) {
				return errGraph
			}
			return nil
		}
		if _, err := w.try(t.Context(), sweep.OrderUsual); !errors.Is(err, errGraph) {
			t.Fatalf("got %v", err)
		}
		down = "delta"
		w.user(0) // on a page that was passed
		expectCauses(t, w.run(), sweep.KindFull, sweep.CauseLinkFailed, sweep.CauseContinued, sweep.CauseFirst)
		w.expectQueued(0)
	})
}

// A run ends before its deadline, and the next goes on.
func TestDeadline(t *testing.T) {
	t.Parallel()
	play(t, func(t *testing.T, w *world) {
		w.graph.slow = 10 * time.Second
		for n := range 30 {
			w.user(n)
		}
		runs := 0
		for done := false; !done; runs++ {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			r, err := w.try(ctx, sweep.OrderUsual)
			if err != nil || ctx.Err() != nil {
				t.Fatalf("run %d: %v, %v", runs, err, ctx.Err())
			}
			if done = r.Finished; !done && r.Causes[len(r.Causes)-1] != sweep.CauseOutOfTime {
				t.Fatalf("run %d: %+v", runs, r)
			}
			if done && (r.Members != 30 || r.Unstamped != 30) {
				t.Errorf("counted over all runs: %+v", r)
			}
			cancel()
		}
		if runs < 2 || runs > 4 || len(w.queue.drain()) != 30 || w.graph.epoch != 0 {
			t.Errorf("%d runs", runs)
		}
	})
}

// A wish stays until a full round that began after it. A run under way ends by it, and the
// next one goes on.
func TestAsk(t *testing.T) {
	t.Parallel()
	play(t, func(t *testing.T, w *world) {
		for n := range 8 { // three pages
			w.user(n, old)
		}
		w.run()
		w.ask()
		w.ask()
		expectCauses(t, w.run(), sweep.KindFull, sweep.CauseAsked)
		expectCauses(t, w.run(), sweep.KindIncrement)
		w.graph.spoil = func(link string, page *directory.UserPage) error {
			if strings.HasPrefix(link, "list") {
				w.graph.spoil = nil
				w.ask()
			}
			return nil
		}
		r, err := w.try(t.Context(), sweep.OrderFull)
		if err != nil || r.Finished {
			t.Errorf("a run in which somebody asks: %+v, %v", r, err)
		}
		expectCauses(t, r, sweep.KindFull, sweep.CauseAsked, sweep.CauseOvertaken)
		expectCauses(t, w.run(), sweep.KindFull, sweep.CauseContinued, sweep.CauseAsked)
		expectCauses(t, w.run(), sweep.KindIncrement)
	})
}

// Users who cannot be read hold nobody up, and are told.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	play(t, func(t *testing.T, w *world) {
		w.graph.broken = 1
		w.user(1)
		if r := w.run(); r.Unreadable != 1 || r.Queued != 1 {
			t.Errorf("got %+v", r)
		}
		if record := w.records()[0]; record["level"] != "WARN" {
			t.Errorf("the log says %v", record)
		}
	})
}

// An exclusion that protects nobody is told by name after a full round, over all runs of it.
func TestUnmatchedExclusions(t *testing.T) {
	t.Parallel()
	play(t, func(t *testing.T, w *world) {
		w.config.Policy.Exclusions.IDs = []string{userID(1), userID(77)}
		w.config.Policy.Exclusions.Patterns = []string{canary + "-?@*", "svc-*@federated.example"}
		for n := range 5 {
			w.user(n, stamped)
		}
		down := true
		w.graph.spoil = func(link string, _ *directory.UserPage) error {
			if link != "" && down {
				return errGraph
			}
			return nil
		}
		_, _ = w.try(t.Context(), sweep.OrderUsual)
		down = false
		r := w.run()
		want := []string{userID(77), "svc-*@federated.example"}
		if !slices.Equal(r.UnmatchedExclusions, want) {
			t.Errorf("unmatched: %v, want %v", r.UnmatchedExclusions, want)
		}
		if last := w.records()[len(w.records())-1]; last["level"] != "WARN" || !strings.Contains(w.log.String(), want[1]) {
			t.Errorf("the log says %v", last)
		}
		if r := w.run(); r.UnmatchedExclusions != nil {
			t.Errorf("an increment says %v", r.UnmatchedExclusions)
		}
	})
}
