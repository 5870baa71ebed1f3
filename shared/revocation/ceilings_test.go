package revocation_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/memory"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
)

// ample lets everybody through.
var ample = revocation.Ceilings{PerRun: 1000, PerHour: 1000, Share: 1}

func TestTake(t *testing.T) {
	t.Parallel()
	type take struct {
		after   time.Duration // since the first take
		n       int           // -1 lifts
		granted int
		stopped revocation.Reason
	}
	tests := []struct {
		name     string
		ceilings revocation.Ceilings
		members  int
		takes    []take
	}{
		{"below all ceilings", ample, 1000, []take{{0, 20, 20, ""}, {time.Minute, 20, 20, ""}}},
		{"just as many as a run may have", revocation.Ceilings{PerRun: 5, PerHour: 9, Share: 1}, 100, []take{
			{0, 3, 3, ""}, {0, 2, 2, ""}, {0, 1, 0, revocation.ReasonCeilingRun},
		}},
		{"what is left of a run", revocation.Ceilings{PerRun: 5, PerHour: 9, Share: 1}, 100, []take{
			{0, 3, 3, ""}, {0, 3, 2, revocation.ReasonCeilingRun}, {aDay, 1, 0, revocation.ReasonCeilingRun},
		}},
		{"what is left of an hour, which stops until lifted", revocation.Ceilings{PerRun: 90, PerHour: 5, Share: 1}, 100, []take{
			{0, 3, 3, ""}, {time.Minute, 3, 2, revocation.ReasonCeilingHour},
			{2 * time.Hour, 1, 0, revocation.ReasonCeilingHour}, {2 * time.Hour, -1, 0, ""}, {2 * time.Hour, 5, 5, ""},
		}},
		{"an hour that goes by unfilled is forgotten", revocation.Ceilings{PerRun: 90, PerHour: 5, Share: 1}, 100, []take{
			{0, 5, 5, ""}, {2 * time.Hour, 5, 5, ""}, {4 * time.Hour, 5, 5, ""},
		}},
		{"the hour's count survives a lift", revocation.Ceilings{PerRun: 6, PerHour: 5, Share: 1}, 100, []take{
			{0, 5, 5, ""}, {0, 1, 0, revocation.ReasonCeilingHour}, {time.Minute, -1, 0, ""},
			{time.Hour, 1, 0, revocation.ReasonCeilingHour}, {time.Hour, -1, 0, ""}, {2 * time.Hour, 1, 1, ""},
		}},
		{"a part of the tenant, rounded down", revocation.Ceilings{PerRun: 90, PerHour: 90, Share: 0.05}, 59, []take{
			{0, 2, 2, ""}, {0, 1, 0, revocation.ReasonCeilingShare}, {0, -1, 0, ""}, {0, 3, 2, revocation.ReasonCeilingShare},
		}},
		{"a tenant so small that the part is nobody", revocation.Ceilings{PerRun: 9, PerHour: 9, Share: 0.05}, 19, []take{
			{0, 1, 0, revocation.ReasonCeilingShare},
		}},
		{"members whom nobody has counted", ample, 0, []take{{0, 1, 0, revocation.ReasonCeilingShare}}},
		{"no users in a run", revocation.Ceilings{PerHour: 9, Share: 1}, 100, []take{
			{0, 1, 0, revocation.ReasonCeilingRun}, {0, -1, 0, ""}, {aDay, 1, 0, revocation.ReasonCeilingRun},
		}},
		{"no users in an hour", revocation.Ceilings{PerRun: 9, Share: 1}, 100, []take{{0, 1, 0, revocation.ReasonCeilingHour}}},
		{"no part of the tenant", revocation.Ceilings{PerRun: 9, PerHour: 9}, 100, []take{{0, 1, 0, revocation.ReasonCeilingShare}}},
		{"the lowest ceiling counts", revocation.Ceilings{PerRun: 7, PerHour: 4, Share: 0.06}, 100, []take{
			{0, 9, 4, revocation.ReasonCeilingHour},
		}},
		{"nobody asks", revocation.Ceilings{}, 0, []take{{0, 0, 0, ""}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			start := time.Date(2026, time.November, 3, 9, 30, 15, 0, time.UTC)
			state := revocation.BackfillState{Members: tt.members}
			for i, take := range tt.takes {
				now := start.Add(take.after)
				granted := 0
				if take.n < 0 {
					state = state.Lift(now)
				} else {
					granted, state = state.Take(take.n, tt.ceilings, now)
				}
				if granted != take.granted || state.Stopped != take.stopped {
					t.Fatalf("step %d: granted %d and stopped by %q, want %d and %q", i, granted, state.Stopped, take.granted, take.stopped)
				}
				if state.StoppedAt.IsZero() != (take.stopped == "") {
					t.Errorf("step %d: stopped at %s by %q", i, state.StoppedAt, state.Stopped)
				}
			}
		})
	}
}

// Take and Lift return a new state and leave the old one as it was, so that an
// update can be tried again.
func TestTakeChangesNothing(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.November, 3, 9, 30, 15, 0, time.UTC)
	state := revocation.BackfillState{
		Members: 100, Run: 3, Stopped: "",
		Recent: []revocation.Slot{{Start: now.Add(-9 * time.Hour), Count: 2}, {Start: now.Truncate(10 * time.Minute), Count: 1}},
	}
	before := state
	before.Recent = append([]revocation.Slot(nil), state.Recent...)
	for range 3 {
		if granted, next := state.Take(2, ample, now); granted != 2 || next.Run != 5 || len(next.Recent) != 1 || next.Recent[0].Count != 3 {
			t.Errorf("Take granted %d, to the state %+v", granted, next)
		}
		if next := state.Lift(now); next.Run != 0 || !next.Lifted.Equal(now) {
			t.Errorf("Lift came to the state %+v", next)
		}
	}
	if diff := cmp.Diff(before, state); diff != "" {
		t.Errorf("state (-before +after):\n%s", diff)
	}
}

// granted are users let through at a moment.
type granted struct {
	at time.Time
	n  int
}

// busiestHour is the most let through in any stretch of an hour, both its ends
// included.
func busiestHour(list []granted) int {
	most, sum, first := 0, 0, 0
	for _, g := range list {
		sum += g.n
		for g.at.Sub(list[first].at) > time.Hour {
			sum -= list[first].n
			first++
		}
		most = max(most, sum)
	}
	return most
}

// TestCeilingsHold takes at random times, lifts at others, and counts by itself.
// The times go over a change to winter time and a month's end, and are told by
// clocks on different walls.
func TestCeilingsHold(t *testing.T) {
	t.Parallel()
	places := []*time.Location{time.UTC, mustHours(t, "00:00-01:00", "Europe/Berlin").Place, mustHours(t, "00:00-01:00", "Asia/Kathmandu").Place}
	for seed := range uint64(200) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, 2))
			c := revocation.Ceilings{PerRun: random.IntN(60), PerHour: random.IntN(30), Share: float64(random.IntN(100)) / 1000}
			state := revocation.BackfillState{Members: random.IntN(2000)}
			share := int(c.Share * float64(state.Members))
			now := time.Date(2026, time.October, 24, 12, 0, 0, 0, time.UTC)
			end := time.Date(2026, time.November, 2, 0, 0, 0, 0, time.UTC)
			var all []granted
			run := 0
			for now.Before(end) {
				now = now.Add(time.Duration(random.Int64N(int64(25 * time.Minute))))
				if random.IntN(8) == 0 {
					state, run = state.Lift(now.In(places[random.IntN(len(places))])), 0
					continue
				}
				stopped := state.Stopped
				n := 1 + random.IntN(20)
				var got int
				got, state = state.Take(n, c, now.In(places[random.IntN(len(places))]))
				all = append(all, granted{now, got})
				run += got
				switch {
				case got < 0 || got > n:
					t.Fatalf("%d of %d were let through", got, n)
				case stopped != "" && (got > 0 || state.Stopped != stopped):
					t.Fatalf("%d were let through though %s had stopped the backfill, and now %q", got, stopped, state.Stopped)
				case got < n && state.Stopped == "":
					t.Fatalf("%d of %d were let through, and nothing stopped the rest", got, n)
				case run > c.PerRun || run > share:
					t.Fatalf("%d were let through in a run, the ceilings are %d and %d", run, c.PerRun, share)
				case state.Run != run:
					t.Fatalf("the state counts %d, want %d", state.Run, run)
				case len(state.Recent) > 9:
					t.Fatalf("the state keeps %d slots", len(state.Recent))
				}
			}
			if most := busiestHour(all); most > c.PerHour {
				t.Errorf("%d were let through in an hour, the ceiling is %d", most, c.PerHour)
			}
		})
	}
}

// An hour by the wall that comes twice is two hours, and a month's end is no end.
func TestHourlyCeilingKnowsNoCalendar(t *testing.T) {
	t.Parallel()
	berlin := mustHours(t, "00:00-01:00", "Europe/Berlin").Place
	tests := map[string]time.Time{
		"summer time ends":   time.Date(2026, time.October, 25, 0, 30, 0, 0, time.UTC),
		"summer time begins": time.Date(2026, time.March, 29, 0, 30, 0, 0, time.UTC),
		"month's end":        time.Date(2026, time.October, 31, 22, 30, 0, 0, time.UTC),
		"leap day":           time.Date(2028, time.February, 29, 22, 30, 0, 0, time.UTC),
	}
	for name, start := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := revocation.Ceilings{PerRun: 100, PerHour: 5, Share: 1}
			got, state := revocation.BackfillState{Members: 100}.Take(5, c, start.In(berlin))
			if got != 5 {
				t.Fatalf("%d of 5 were let through", got)
			}
			if got, _ = state.Take(1, c, start.Add(time.Hour).In(berlin)); got != 0 {
				t.Error("one more was let through within the hour")
			}
			if got, _ = state.Take(5, c, start.Add(90*time.Minute).In(berlin)); got != 5 {
				t.Errorf("%d of 5 were let through after the hour", got)
			}
		})
	}
}

// A stubborn store conflicts for a while, or fails.
type stubbornStore struct {
	state      revocation.BackfillState
	conflicts  int // before it saves
	saves      int // asked for
	read, save error
}

func (s *stubbornStore) Backfill(context.Context, string) (revocation.BackfillState, error) {
	return s.state, s.read
}

func (s *stubbornStore) SaveBackfill(_ context.Context, state revocation.BackfillState) error {
	if s.saves++; s.saves <= s.conflicts {
		s.state.Run += 10 // is what somebody else wrote
		return revocation.ErrConflict
	}
	if s.save == nil {
		s.state = state
	}
	return s.save
}

func TestUpdateBackfill(t *testing.T) {
	t.Parallel()
	errDown := errors.New("down")
	tests := []struct {
		name  string
		store stubbornStore
		run   int
		saves int
		want  error
	}{
		{"at once", stubbornStore{}, 1, 1, nil},
		{"after conflicts", stubbornStore{conflicts: 9}, 91, 10, nil},
		{"not without end", stubbornStore{conflicts: 1000}, 100, 10, revocation.ErrConflict},
		{"a read that fails", stubbornStore{read: errDown}, 0, 0, errDown},
		{"a write that fails is not repeated", stubbornStore{save: errDown}, 0, 1, errDown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			store := tt.store
			err := revocation.UpdateBackfill(t.Context(), &store, tenant, func(s revocation.BackfillState) revocation.BackfillState {
				if s.Tenant != tenant {
					t.Errorf("the state is of tenant %q", s.Tenant)
				}
				s.Run++
				return s
			})
			if !errors.Is(leaktest.Seen(t, err), tt.want) || (err == nil) != (tt.want == nil) {
				t.Errorf("UpdateBackfill = %v, want %v", err, tt.want)
			}
			if store.state.Run != tt.run || store.saves != tt.saves {
				t.Errorf("%d in the store after %d saves, want %d after %d", store.state.Run, store.saves, tt.run, tt.saves)
			}
		})
	}
}

// Lift lifts both the real ceilings and the dry run's, and again without harm.
func TestLift(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.November, 3, 9, 30, 15, 0, time.UTC)
	store := new(memory.Backfill)
	for run, s := range map[int]revocation.BackfillStore{3: store, 5: revocation.DryRunStore(store)} {
		err := revocation.UpdateBackfill(t.Context(), s, tenant, func(s revocation.BackfillState) revocation.BackfillState {
			s.Run, s.Members, s.Stopped, s.StoppedAt = run, 100*run, revocation.ReasonCeilingRun, now.Add(-aDay)
			return s
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for i := range int64(2) {
		got, err := revocation.Lift(t.Context(), store, tenant, now)
		if err != nil {
			t.Fatalf("Lift: %v", err)
		}
		want := revocation.BackfillState{Tenant: tenant, Version: i + 2, Members: 300, Lifted: now}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("Lift came to (-want +got):\n%s", diff)
		}
		for key, members := range map[string]int{tenant: 300, tenant + "/dry-run": 500} {
			s, err := store.Backfill(t.Context(), key)
			if err != nil || s.Run != 0 || s.Stopped != "" || !s.StoppedAt.IsZero() || s.Members != members || !s.Lifted.Equal(now) {
				t.Errorf("%s: %+v, %v", key, s, err)
			}
		}
	}
	// A run that was begun since is not given more by a repetition.
	err := revocation.UpdateBackfill(t.Context(), store, tenant, func(s revocation.BackfillState) revocation.BackfillState {
		s.Run = 2
		return s
	})
	again, liftErr := revocation.Lift(t.Context(), store, tenant, now)
	if err = errors.Join(err, liftErr); err != nil || again.Run != 2 {
		t.Errorf("the second Lift at the same time came to %+v, %v", again, err)
	}
}

func TestLiftFails(t *testing.T) {
	t.Parallel()
	errDown := errors.New("down")
	if _, err := revocation.Lift(t.Context(), &stubbornStore{save: errDown}, tenant, time.Now()); !errors.Is(leaktest.Seen(t, err), errDown) {
		t.Errorf("Lift = %v, want %v", err, errDown)
	}
}
