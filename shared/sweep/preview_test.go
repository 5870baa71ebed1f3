package sweep_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/memory"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

// excludedGroup is excluded wherever a test fills it.
const excludedGroup = "96000000-0000-4000-8000-000000000001"

// oneGroup shows the members of the excluded group.
type oneGroup []string

func (g oneGroup) GroupMembers(context.Context, string, string) ([]string, string, error) {
	return g, "", nil
}

// populate makes users of every kind, and excludes some.
func (w *world) populate() {
	w.config.Policy.Exclusions.Patterns = []string{"svc-*"}
	w.config.Groups = revocation.NewGroupCache(oneGroup{userID(20), userID(21)}, []string{excludedGroup}, revocation.DefaultGroupSettings)
	const year = 365 * 24 * time.Hour
	kinds := [][]func(*directory.User){
		{}, // new
		{old(20 * time.Hour)},
		{}, // excluded by group
		{old(year)},
		{old(year), stamped},
		{old(25 * time.Hour)}, // before the subscription
		{func(u *directory.User) { u.UserType = "Guest" }},
		{func(u *directory.User) { u.UserType = "" }},
		{func(u *directory.User) { u.UserPrincipalName = "user@managed.example" }},
		{old(year), func(u *directory.User) { u.UserPrincipalName = "svc-x@federated.example" }},
		{func(u *directory.User) { u.Created = time.Time{} }},
	}
	for i, kind := range kinds {
		n := 10 * i
		w.user(n, kind...)
		w.user(n+1, kind...)
	}
	// A week later two more have come, of one of whom nobody was told in time.
	w.advance(7 * 24 * time.Hour)
	w.user(200, old(3*24*time.Hour))
	w.user(201)
	w.graph.broken = 1
}

func TestPreview(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.populate()
	var calls []string
	w.steps.hook = func(s step) error { calls = append(calls, s.call); return nil }
	p := w.do(sweep.Order{DryRun: true}).Preview
	want := &sweep.Preview{
		Tenant: tenant, Started: w.clock(), Finished: true, Requests: 8, Users: 24, Unreadable: 8, Members: 20,
		Reasons: map[revocation.Reason]int{
			revocation.ReasonNewUser: 4, revocation.ReasonExistingUser: 6, revocation.ReasonExcluded: 4, revocation.ReasonStamped: 2,
			revocation.ReasonGuest: 2, revocation.ReasonNotMember: 2, revocation.ReasonNotFederated: 2, revocation.ReasonCreatedUnknown: 2,
		},
		Existing: 6, BeforeCeiling: 1, Ceiling: revocation.ReasonCeilingShare,
		NewestNew:      []string{userID(201), userID(200), userID(0), userID(1)},
		NewestExisting: []string{userID(10), userID(11), userID(30), userID(31), userID(50), userID(51)},
	}
	order := cmpopts.SortSlices(strings.Compare) // TestPreviewNamesTheNewest looks at the order
	if diff := cmp.Diff(want, p, order); diff != "" {
		t.Errorf("preview (-want +got):\n%s", diff)
	}
	slices.Sort(calls)
	if diff := cmp.Diff([]string{"Domains.Domains", "Graph.UserPage", "Store.Checkpoint", "Subscribed"}, slices.Compact(calls)); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	if s, err := w.config.Backfill.Backfill(t.Context(), tenant); err != nil || s.Version+w.checkpoint().Version != 0 || len(w.queue.drain()) != 0 {
		t.Errorf("a preview wrote something: %+v, %+v, %v", s, w.checkpoint(), err)
	}
}

// realUsers lets a revoker read the users of a world, and signs nobody out.
type realUsers struct{ graph *fakeGraph }

func (d realUsers) ReadUsers(_ context.Context, ids []string) ([]directory.Read, error) {
	reads := make([]directory.Read, len(ids))
	for i, id := range ids {
		reads[i].User = d.graph.users[id]
	}
	return reads, nil
}

func (d realUsers) RevokeSignInSessions(_ context.Context, ids []string) ([]error, error) {
	return make([]error, len(ids)), nil
}

// verdicts counts what a revoker said.
type verdicts map[revocation.Reason]int

func (v verdicts) Observe(_ context.Context, o revocation.Outcome) { v[o.Reason]++ }

// What a preview says of the candidates, a revoker then does to them.
func TestPreviewIsWhatTheRevokerDoes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.populate()
	preview := w.do(sweep.Order{DryRun: true}).Preview.Reasons
	w.run()
	said := make(verdicts)
	revoker, err := revocation.New(revocation.Config{
		Tenant: tenant, Directory: realUsers{w.graph}, Domains: w.config.Domains, Groups: w.config.Groups,
		Ledger: w.ledger, Queue: w.queue, Quota: memory.NewQuota(revocation.DefaultPace), Backfill: w.config.Backfill,
		Policy: w.config.Policy, Settings: revocation.DefaultSettings, Observer: said, Log: w.config.Log, Now: w.clock,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range w.queue.drain() {
		if err := revoker.Handle(t.Context(), []revocation.Request{d.Request})[0]; err != nil {
			t.Fatal(err)
		}
	}
	said[revocation.ReasonNewUser] = said[revocation.ReasonRevoked]
	for _, reason := range []revocation.Reason{
		revocation.ReasonNewUser, revocation.ReasonExistingUser, revocation.ReasonExcluded, revocation.ReasonCreatedUnknown,
	} {
		if preview[reason] != said[reason] || said[reason] == 0 {
			t.Errorf("%s: %d in the preview, the revoker said so of %d", reason, preview[reason], said[reason])
		}
	}
}

func TestPreviewOfTheCeilings(t *testing.T) {
	t.Parallel()
	const run, hour, share = revocation.ReasonCeilingRun, revocation.ReasonCeilingHour, revocation.ReasonCeilingShare
	all := revocation.Ceilings{PerRun: 100, PerHour: 100, Share: 1}
	tests := []struct {
		name     string
		ceilings revocation.Ceilings
		state    func(*revocation.BackfillState)
		before   int
		ceiling  revocation.Reason
	}{
		{"none is reached", all, nil, 30, ""},
		{"that of a run", revocation.Ceilings{PerRun: 7, PerHour: 9, Share: 1}, nil, 7, run},
		{"that of a run, of which a part is used up", revocation.Ceilings{PerRun: 7, PerHour: 9, Share: 1},
			func(s *revocation.BackfillState) { s.Run = 5 }, 2, run},
		{"that of an hour", revocation.Ceilings{PerRun: 12, PerHour: 9, Share: 1}, nil, 9, hour},
		{"a share of the members counted now", revocation.Ceilings{PerRun: 100, PerHour: 100, Share: 0.1},
			func(s *revocation.BackfillState) { s.Members = 1000 }, 3, share},
		{"one was reached before", all, func(s *revocation.BackfillState) { s.Stopped = hour }, 0, hour},
	}
	for _, tt := range tests {
		for _, dry := range []bool{false, true} {
			w := newWorld(t)
			w.config.DryRun = dry // the real ceilings are asked about
			w.config.Policy.Backfill.Ceilings = tt.ceilings
			for n := range 30 {
				w.user(n, old(100*time.Hour))
			}
			if tt.state != nil {
				w.state(tt.state)
			}
			p := w.do(sweep.Order{DryRun: true}).Preview
			if p.Existing != 30 || p.BeforeCeiling != tt.before || p.Ceiling != tt.ceiling {
				t.Errorf("%s: %d of %d before %q, want %d of 30 before %q", tt.name, p.BeforeCeiling, p.Existing, p.Ceiling, tt.before, tt.ceiling)
			}
		}
	}
}

// Where nobody would be signed out, no ceiling is in the way.
func TestPreviewOfNobodyNamesNoCeiling(t *testing.T) {
	t.Parallel()
	for _, state := range []revocation.BackfillState{{Stopped: revocation.ReasonCeilingHour}, {Run: 1000}} {
		w := newWorld(t)
		w.user(1, old(100*time.Hour), stamped)
		w.state(func(s *revocation.BackfillState) { s.Stopped, s.Run = state.Stopped, state.Run })
		if p := w.do(sweep.Order{DryRun: true}).Preview; p.Existing != 0 || p.Ceiling != "" {
			t.Errorf("of %+v: %d before %q, want none before none", state, p.Existing, p.Ceiling)
		}
	}
}

func TestPreviewOfQuietHours(t *testing.T) {
	t.Parallel()
	w := newWorld(t) // at nine
	for to, want := range map[int]bool{9 * 60: true, 10 * 60: false} {
		w.config.Policy.Backfill.Hours = revocation.Hours{From: 60, To: to, Place: time.UTC}
		if p := w.do(sweep.Order{DryRun: true}).Preview; p.QuietHours != want {
			t.Errorf("hours until minute %d: quiet %t, want %t", to, p.QuietHours, want)
		}
	}
}

func TestPreviewNamesTheNewest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var newest []string
	const users = 250
	for n := range users {
		// By no order of the ids, on which the pages depend.
		w.user((n*77)%users, old(time.Duration(1000+n)*time.Hour))
		newest = append(newest, userID((n*77)%users))
	}
	p := w.do(sweep.Order{DryRun: true}).Preview
	if diff := cmp.Diff(newest[:100], p.NewestExisting); diff != "" {
		t.Errorf("newest existing users (-want +got):\n%s", diff)
	}
	if len(p.NewestNew) != 0 || p.Existing != users {
		t.Errorf("%d existing users, and as new ones %v", p.Existing, p.NewestNew)
	}
}

func TestPreviewThatBreaksOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.config.Now = func() time.Time { return time.Now().UTC() }
		w.config.Settings.Margin = 10 * time.Second
		for n := range 30 { // ten pages
			w.user(n, func(u *directory.User) { u.Created = time.Now().UTC() })
		}
		w.steps.hook = func(s step) error {
			if s.call == "Graph.UserPage" && !s.after {
				time.Sleep(4 * time.Second)
			}
			return nil
		}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		a, err := w.sweeper().Do(ctx, sweep.Order{DryRun: true})
		if p := a.Preview; err != nil || p.Finished || p.Users != 15 || p.Reasons[revocation.ReasonNewUser] != 15 || len(p.NewestNew) != 15 {
			t.Errorf("Do = %+v, %v; want the five pages that fit", p, err)
		}
		pages := 0
		w.steps.hook = func(s step) error {
			if s.call == "Graph.UserPage" && !s.after {
				if pages++; pages == 3 {
					return errGraph
				}
			}
			return nil
		}
		a, err = w.sweeper().Do(t.Context(), sweep.Order{DryRun: true})
		if p := a.Preview; !errors.Is(leaktest.Seen(t, err), errGraph) || p.Finished || p.Users != 6 || p.Requests != 3 {
			t.Errorf("Do = %+v, %v; want Graph's error after two pages", p, err)
		}
		var levels []any
		for _, r := range w.records() {
			levels = append(levels, r["level"], r["msg"], r["finished"])
		}
		if diff := cmp.Diff([]any{"INFO", "users previewed", false, "ERROR", "users previewed", false}, levels); diff != "" {
			t.Errorf("records (-want +got):\n%s", diff)
		}
	})
}

// Whoever is excluded by a group that can't be read must not be shown as one who
// would be signed out.
func TestPreviewNeedsTheGroups(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user(1)
	w.config.Groups = revocation.NewGroupCache(noGroup{}, []string{excludedGroup}, revocation.DefaultGroupSettings)
	if a, err := w.sweeper().Do(t.Context(), sweep.Order{DryRun: true}); !errors.Is(leaktest.Seen(t, err), errGraph) || a.Preview.Users != 0 {
		t.Errorf("Do = %+v, %v; want the group's error", a.Preview, err)
	}
}

type noGroup struct{}

func (noGroup) GroupMembers(context.Context, string, string) ([]string, string, error) {
	return nil, "", errGraph
}

// It is not parallel: other tests would be in its heap.
func TestPreviewAtAnySize(t *testing.T) {
	peak := func(users int) uint64 {
		w := newWorld(t)
		g := &bigGraph{world: w, users: users}
		w.config.Graph = g
		p := w.do(sweep.Order{DryRun: true}).Preview
		if p.Existing != users/100 || p.Members != users || len(p.NewestExisting) != 100 {
			t.Errorf("of %d users: %+v", users, p)
		}
		return g.peak
	}
	small, large := peak(10_000), peak(100_000)
	if ratio := float64(large) / float64(small); ratio > 1.3 {
		t.Errorf("the heap peaks at %d bytes with 100,000 users, %.2f times as much as with 10,000", large, ratio)
	}
}
