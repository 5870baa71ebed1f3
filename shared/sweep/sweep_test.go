package sweep_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
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
		want := sweep.Report{Tenant: tenant, Kind: sweep.KindFull, Started: r.Started, Finished: true, Causes: r.Causes,
			Pages: 2, Users: 6, Candidates: 4, Queued: 4, Members: 6, Unstamped: 5, Existing: 1}
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
		version := w.store.item.Version
		time.Sleep(time.Hour)
		w.run()
		w.expectCalls(map[string]int{"DeltaPage": 1})
		if w.store.item.Version != version {
			t.Error("an increment in which nothing has changed writes")
		}
		if len(w.seen) != 3 || w.seen[2].Kind != sweep.KindIncrement || !w.seen[2].Finished {
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

// Whoever is looked at by delta: see issue 11, and cases.md row 13.
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
		{"without a readable id", func(u *directory.User) { u.ID = "42" }, false},
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
// type is an old one (cases.md row 4).
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

// A link that no longer works costs one full round, in the same run; and nobody.
func TestLinkFails(t *testing.T) {
	t.Parallel()
	for name, e := range map[string]directory.Error{
		"gone":            resync,
		"unknown":         {StatusCode: http.StatusNotFound, Code: "syncStateNotFound"},
		"older than 30 d": {StatusCode: http.StatusBadRequest, Code: "Request_UnsupportedQuery"},
		"page token":      {StatusCode: http.StatusBadRequest, Code: "Directory_ExpiredPageToken"},
		"code within":     {StatusCode: http.StatusForbidden, Code: "DirectoryPageTokenNotFoundException"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, func(t *testing.T, w *world) {
				w.graph.expired = e
				w.run()
				w.graph.epoch++
				w.user(1)
				r := w.run()
				expectCauses(t, r, sweep.KindFull, sweep.CauseLinkFailed, sweep.CauseFirst)
				w.expectQueued(1)
				w.user(2)
				expectCauses(t, w.run(), sweep.KindIncrement)
				w.expectQueued(2)
			})
		})
	}
}

// A page that leads nowhere counts as a link that fails; its users are queued all the same.
func TestLinkLeadsNowhere(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(link string, page *directory.UserPage){
		"no link": func(_ string, page *directory.UserPage) { page.Next, page.Delta = "", "" },
		"itself":  func(link string, page *directory.UserPage) { page.Next, page.Delta = link, "" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, func(t *testing.T, w *world) {
				w.run()
				w.user(1)
				w.graph.spoil = func(link string, page *directory.UserPage) error {
					if page.Delta != "" {
						spoil(link, page)
					}
					return nil
				}
				expectCauses(t, w.run(), sweep.KindFull, sweep.CauseLinkFailed, sweep.CauseFirst)
				w.expectQueued(1)
			})
		})
	}
}

// A list whose link has expired begins again, once in a run; one that leads to itself too.
func TestListFails(t *testing.T) {
	t.Parallel()
	play(t, func(t *testing.T, w *world) {
		for n := range 8 {
			w.user(n)
		}
		failures := 1
		w.graph.spoil = func(link string, page *directory.UserPage) error {
			if link != "" && failures > 0 {
				failures--
				return &resync
			}
			return nil
		}
		r := w.run()
		expectCauses(t, r, sweep.KindFull, sweep.CauseFirst, sweep.CauseLinkFailed)
		if r.Members != 8 || len(w.queue.drain()) != 8 {
			t.Errorf("after a list that began again: %+v", r)
		}
		failures = 2
		w.ask()
		if r, err := w.try(t.Context(), sweep.Order{}); err == nil || r.Finished {
			t.Errorf("a list that always expires: %+v, %v", r, err)
		}
		w.graph.spoil = nil
		expectCauses(t, w.run(), sweep.KindFull, sweep.CauseContinued)
	})
}

// A link of delta that fails for no known reason holds nobody up for longer than a day.
func TestStuck(t *testing.T) {
	t.Parallel()
	play(t, func(t *testing.T, w *world) {
		w.run()
		stuck := w.store.item.Doc.DeltaLink
		w.graph.spoil = func(link string, _ *directory.UserPage) error {
			if link == stuck {
				return errGraph
			}
			return nil
		}
		for range 23 {
			time.Sleep(time.Hour)
			if _, err := w.try(t.Context(), sweep.Order{}); !errors.Is(err, errGraph) {
				t.Fatalf("got %v", err)
			}
		}
		w.user(1)
		time.Sleep(time.Hour)
		expectCauses(t, w.run(), sweep.KindFull, sweep.CauseLinkFailed, sweep.CauseFirst)
		w.expectQueued(1)
	})
}

// A full round under way goes on beside an increment that fails, whose error is told.
func TestFullBesideFailure(t *testing.T) {
	t.Parallel()
	play(t, func(t *testing.T, w *world) {
		for n := range 4 {
			w.user(n, old)
		}
		down := "list"
		w.graph.spoil = func(link string, page *directory.UserPage) error {
			if link != "" && link[:4] == down {
				return errGraph
			}
			return nil
		}
		if _, err := w.try(t.Context(), sweep.Order{}); !errors.Is(err, errGraph) {
			t.Fatalf("got %v", err)
		}
		down = "delt"
		r, err := w.try(t.Context(), sweep.Order{})
		if !errors.Is(err, errGraph) || r.Members != 4 || w.store.item.Doc.FullDone.IsZero() {
			t.Errorf("got %+v, %v", r, err)
		}
		expectCauses(t, r, sweep.KindFull, sweep.CauseContinued, sweep.CauseFailed)
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
			r, err := w.try(ctx, sweep.Order{})
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

// A wish stays until a full round that began after it, and is not lost in one under way.
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
			if len(link) > 4 && link[:4] == "list" {
				w.graph.spoil = nil
				w.ask()
			}
			return nil
		}
		expectCauses(t, w.order(sweep.Order{Full: true}), sweep.KindFull, sweep.CauseAsked, sweep.CauseAsked)
		expectCauses(t, w.run(), sweep.KindIncrement)
		if err := w.sweeper().Ask(t.Context(), "contoso"); err == nil {
			t.Error("a wish for no tenant is taken")
		}
	})
}

// Two sweepers at once: one goes on, the other ends quietly, and nobody is lost.
func TestTogether(t *testing.T) {
	t.Parallel()
	play(t, func(t *testing.T, w *world) {
		for n := range 9 {
			w.user(n)
		}
		once := true
		w.steps.hook = func(s step) error {
			if s.call == "UserPage" && s.after && once {
				once = false
				w.run()
			}
			return nil
		}
		r, err := w.try(t.Context(), sweep.Order{})
		if err != nil || r.Finished {
			t.Errorf("the slower run: %+v, %v", r, err)
		}
		expectCauses(t, r, sweep.KindFull, sweep.CauseFirst, sweep.CauseOvertaken)
		if got := len(w.queue.drain()); got != 9 || w.brake.members != 9 {
			t.Errorf("%d users are queued, %d members known", got, w.brake.members)
		}
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
		if record := w.records()[0]; record["level"] != "WARN" || record["unreadable"] != 1. {
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
		_, _ = w.try(t.Context(), sweep.Order{})
		down = false
		r := w.run()
		want := []string{userID(77), "svc-*@federated.example"}
		if !slices.Equal(r.UnmatchedExclusions, want) {
			t.Errorf("unmatched: %v, want %v", r.UnmatchedExclusions, want)
		}
		last := w.records()[len(w.records())-1]
		if last["level"] != "WARN" || !cmp.Equal(last["exclusions"], []any{want[0], want[1]}) {
			t.Errorf("the log says %v", last)
		}
		if r := w.run(); r.UnmatchedExclusions != nil {
			t.Errorf("an increment says %v", r.UnmatchedExclusions)
		}
	})
}

func TestNew(t *testing.T) {
	t.Parallel()
	if _, err := sweep.New(sweep.Config{}); err == nil {
		t.Error("an empty configuration is taken")
	}
}
