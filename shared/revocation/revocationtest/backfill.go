package revocationtest

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
)

// TestBackfillStore checks that what open returns keeps the promises of
// [revocation.BackfillStore]. The stores that open returns may share their
// place.
func TestBackfillStore(t *testing.T, open func(*testing.T) revocation.BackfillStore) {
	cases := map[string]func(*testing.T, revocation.BackfillStore){
		"a tenant never written has version 0":       testBackfillAbsent,
		"a write raises the version by one":          testBackfillVersion,
		"a version that is not stored conflicts":     testBackfillConflict,
		"every field comes back":                     testBackfillRoundTrip,
		"a later write replaces every field":         testBackfillReplace,
		"tenants and their dry runs are apart":       testBackfillTenants,
		"what the caller changes later is not there": testBackfillAliasing,
		"one of many wins":                           testBackfillRace,
		"updates from all sides all count":           testBackfillUpdates,
		"a cancelled context is an error":            testBackfillCancelled,
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

// backfillState returns a state with a value in every field.
func backfillState(tenant string, version int64) revocation.BackfillState {
	at := func(n int) time.Time { return sampleTime.Add(time.Duration(n) * time.Hour) }
	return revocation.BackfillState{
		Tenant:    tenant,
		Version:   version,
		Run:       17,
		Recent:    []revocation.Slot{{Start: at(0), Count: 3}, {Start: at(1), Count: 4}},
		Members:   100_000,
		Stopped:   revocation.ReasonCeilingHour,
		StoppedAt: at(2),
		Lifted:    at(3),
	}
}

// mustSave saves a state that nothing stands against.
func mustSave(t *testing.T, s revocation.BackfillStore, state revocation.BackfillState) {
	t.Helper()
	if err := s.SaveBackfill(t.Context(), state); err != nil {
		t.Fatalf("SaveBackfill of version %d: %v", state.Version, err)
	}
}

// mustBackfill reads a state.
func mustBackfill(t *testing.T, s revocation.BackfillStore, tenant string) revocation.BackfillState {
	t.Helper()
	state, err := s.Backfill(t.Context(), tenant)
	if err != nil {
		t.Fatalf("Backfill: %v", err)
	}
	return state
}

func testBackfillAbsent(t *testing.T, s revocation.BackfillStore) {
	tenant := NewID()
	mustSave(t, s, backfillState(NewID(), 0))
	if diff := cmp.Diff(revocation.BackfillState{Tenant: tenant}, mustBackfill(t, s, tenant)); diff != "" {
		t.Errorf("state (-want +got):\n%s", diff)
	}
}

func testBackfillVersion(t *testing.T, s revocation.BackfillStore) {
	tenant := NewID()
	for version := range int64(4) {
		mustSave(t, s, backfillState(tenant, version))
		if got := mustBackfill(t, s, tenant).Version; got != version+1 {
			t.Fatalf("version %d is stored after a write of version %d, want %d", got, version, version+1)
		}
	}
}

func testBackfillConflict(t *testing.T, s revocation.BackfillStore) {
	tests := []struct {
		name   string
		stored int64 // the version in the store, 0 for none
		write  int64
	}{
		{"a first write for a tenant who is there", 1, 0},
		{"a stale version", 3, 2},
		{"a version from the future", 1, 2},
		{"a version of a tenant who is not there", 0, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tenant := NewID()
			for version := range tt.stored {
				mustSave(t, s, backfillState(tenant, version))
			}
			before := mustBackfill(t, s, tenant)
			refused := revocation.BackfillState{Tenant: tenant, Version: tt.write, Run: 99}
			if err := s.SaveBackfill(t.Context(), refused); !errors.Is(leaktest.Seen(t, err), revocation.ErrConflict) {
				t.Errorf("SaveBackfill = %v, want ErrConflict", err)
			}
			if diff := cmp.Diff(before, mustBackfill(t, s, tenant)); diff != "" {
				t.Errorf("the refused write changed the store (-before +after):\n%s", diff)
			}
		})
	}
}

func testBackfillRoundTrip(t *testing.T, s revocation.BackfillStore) {
	full := backfillState(NewID(), 0)
	for field, value := range reflect.ValueOf(full).Fields() {
		if value.IsZero() && field.Name != "Version" {
			t.Fatalf("the sample has no value in field %s: add one", field.Name)
		}
	}
	tests := []struct {
		name  string
		state revocation.BackfillState
	}{
		{"all fields", full},
		{"nothing but the key", revocation.BackfillState{Tenant: NewID()}},
		{"as many slots as there can be", revocation.BackfillState{
			Tenant: NewID(), Recent: slices.Repeat([]revocation.Slot{{Start: sampleTime, Count: 5000}}, 20),
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			mustSave(t, s, tt.state)
			got, want := mustBackfill(t, s, tt.state.Tenant), tt.state
			want.Version++
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("state (-written +read):\n%s", diff)
			}
			for _, at := range append(starts(got), got.StoppedAt, got.Lifted) {
				if at.Location() != time.UTC {
					t.Errorf("a time is in %s, want UTC", at.Location())
				}
			}
		})
	}
}

func starts(s revocation.BackfillState) []time.Time {
	list := make([]time.Time, len(s.Recent))
	for i, slot := range s.Recent {
		list[i] = slot.Start
	}
	return list
}

func testBackfillReplace(t *testing.T, s revocation.BackfillStore) {
	tenant := NewID()
	mustSave(t, s, backfillState(tenant, 0))
	mustSave(t, s, revocation.BackfillState{Tenant: tenant, Version: 1})
	want := revocation.BackfillState{Tenant: tenant, Version: 2}
	if diff := cmp.Diff(want, mustBackfill(t, s, tenant)); diff != "" {
		t.Errorf("state (-written +read):\n%s", diff)
	}
}

func testBackfillTenants(t *testing.T, s revocation.BackfillStore) {
	tenants := newIDs(2)
	keys := []string{tenants[0], tenants[0] + "/dry-run", tenants[1], tenants[1] + "/dry-run"}
	for i, key := range keys {
		state := backfillState(key, 0) // is no conflict
		state.Run = i
		mustSave(t, s, state)
	}
	mustSave(t, s, backfillState(keys[0], 1))
	for i, key := range keys[1:] {
		if got := mustBackfill(t, s, key); got.Tenant != key || got.Run != i+1 || got.Version != 1 {
			t.Errorf("%s holds run %d in version %d of %s, want %d in version 1", key, got.Run, got.Version, got.Tenant, i+1)
		}
	}
}

// A state is a value: the list in it must not be shared with its reader or its
// writer.
func testBackfillAliasing(t *testing.T, s revocation.BackfillStore) {
	tenant := NewID()
	written := backfillState(tenant, 0)
	mustSave(t, s, written)
	written.Recent[0].Count = 1000
	read := mustBackfill(t, s, tenant)
	if got := read.Recent[0].Count; got != 3 {
		t.Errorf("a slot changed to %d with what was written", got)
	}
	read.Recent[0].Count = 2000
	_ = append(read.Recent[:1], revocation.Slot{Count: 3000})
	if diff := cmp.Diff(backfillState(tenant, 1), mustBackfill(t, s, tenant)); diff != "" {
		t.Errorf("the store changed with what was read (-want +got):\n%s", diff)
	}
}

func testBackfillRace(t *testing.T, s revocation.BackfillStore) {
	const workers, rounds = 12, 3
	tenant := NewID()
	for version := range int64(rounds) {
		results := make([]error, workers)
		var wg sync.WaitGroup
		for worker := range workers {
			wg.Go(func() {
				state := backfillState(tenant, version)
				state.Run = worker
				results[worker] = s.SaveBackfill(t.Context(), state)
			})
		}
		wg.Wait()
		winner, err := onlyWinner(t, results)
		if err != nil {
			t.Fatalf("version %d: %v", version, err)
		}
		if got := mustBackfill(t, s, tenant); got.Run != winner || got.Version != version+1 {
			t.Errorf("version %d: worker %d stands in the store with version %d, want worker %d and version %d",
				version, got.Run, got.Version, winner, version+1)
		}
	}
}

// Fewer writers than the conflicts that an update bears never lose a count.
func testBackfillUpdates(t *testing.T, s revocation.BackfillStore) {
	const workers, each = 3, 3
	tenant := NewID()
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range each {
				if err := revocation.UpdateBackfill(t.Context(), s, tenant, func(s revocation.BackfillState) revocation.BackfillState {
					s.Run++
					return s
				}); err != nil {
					t.Errorf("UpdateBackfill: %v", err)
				}
			}
		})
	}
	wg.Wait()
	if got := mustBackfill(t, s, tenant).Run; got != workers*each {
		t.Errorf("%d updates count, want %d", got, workers*each)
	}
}

func testBackfillCancelled(t *testing.T, s revocation.BackfillStore) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	tenant := NewID()
	if _, err := s.Backfill(ctx, tenant); !errors.Is(leaktest.Seen(t, err), context.Canceled) {
		t.Errorf("Backfill = %v, want it to wrap %v", err, context.Canceled)
	}
	if err := s.SaveBackfill(ctx, backfillState(tenant, 0)); !errors.Is(leaktest.Seen(t, err), context.Canceled) {
		t.Errorf("SaveBackfill = %v, want it to wrap %v", err, context.Canceled)
	}
}
