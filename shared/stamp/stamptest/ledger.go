// Package stamptest holds the suite that every [stamp.Ledger] passes. It assumes neither a
// virtual clock nor an empty store: every case uses tenants and users of its own, so that
// many runs can share one table.
package stamptest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// TestLedger checks that what open returns keeps the promises of
// [stamp.Ledger]. The ledgers that open returns may share their store.
func TestLedger(t *testing.T, open func(*testing.T) stamp.Ledger) {
	cases := map[string]func(*testing.T, stamp.Ledger){
		"an unknown user is absent":                 testLedgerAbsent,
		"a write raises the version by one":         testLedgerVersion,
		"a version that is not stored conflicts":    testLedgerConflict,
		"entries of one write stand alone":          testLedgerIndependence,
		"every field comes back":                    testLedgerRoundTrip,
		"a later write replaces every field":        testLedgerReplace,
		"tenants are apart":                         testLedgerTenants,
		"more users than fit into one store's call": testLedgerMany,
		"a user asked for twice is found once":      testLedgerRepeatedUser,
		"empty lists":                               testLedgerEmpty,
		"one of many wins a claim":                  testLedgerRace,
		"a cancelled context is an error":           testLedgerCancelled,
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

// entry returns an entry with a value in every field.
func entry(tenant, user string, version int64) stamp.Entry {
	at := func(n int) time.Time { return sampleTime.Add(time.Duration(n) * time.Hour) }
	return stamp.Entry{
		Tenant:     tenant,
		User:       user,
		Version:    version,
		State:      stamp.StateCalled,
		Reason:     stamp.ReasonCalled,
		Source:     stamp.SourceNotification,
		NotBefore:  at(6),
		Created:    at(0),
		Claimed:    at(2),
		Called:     at(3),
		Stamp:      at(4),
		EmptyReads: 1,
		Again:      true,
		Updated:    at(5),
	}
}

// mustWrite writes entries that nothing stands against.
func mustWrite(t *testing.T, l stamp.Ledger, entries ...stamp.Entry) {
	t.Helper()
	errs := l.Write(t.Context(), entries)
	if len(errs) != len(entries) {
		t.Fatalf("Write of %d entries returned %d errors", len(entries), len(errs))
	}
	for i, err := range errs {
		if err != nil {
			t.Fatalf("Write of entry %d: %v", i, err)
		}
	}
}

// mustEntries reads entries.
func mustEntries(t *testing.T, l stamp.Ledger, tenant string, users ...string) map[string]stamp.Entry {
	t.Helper()
	entries, err := l.Entries(t.Context(), tenant, users)
	if err != nil {
		t.Fatalf("Entries: %v", err)
	}
	return entries
}

// written returns e as it stands in the ledger once written.
func written(e stamp.Entry) stamp.Entry {
	e.Version++
	return e
}

// NewID returns a random object or tenant id, a lower-case GUID.
func NewID() string { return uuid.NewString() }

// newIDs returns n different ids.
func newIDs(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = NewID()
	}
	return ids
}

// sampleTime is a moment that needs every digit down to the microsecond, which is what a
// store must keep.
var sampleTime = time.Date(2026, time.November, 3, 9, 30, 15, 123_456_000, time.UTC)

func testLedgerAbsent(t *testing.T, l stamp.Ledger) {
	tenant, users := NewID(), newIDs(2)
	mustWrite(t, l, entry(tenant, users[0], 0))
	got := mustEntries(t, l, tenant, users...)
	want := map[string]stamp.Entry{users[0]: entry(tenant, users[0], 1)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}

func testLedgerVersion(t *testing.T, l stamp.Ledger) {
	tenant, user := NewID(), NewID()
	for version := range int64(4) {
		mustWrite(t, l, entry(tenant, user, version))
		if got := mustEntries(t, l, tenant, user)[user].Version; got != version+1 {
			t.Fatalf("version %d is stored after a write of version %d, want %d", got, version, version+1)
		}
	}
}

func testLedgerConflict(t *testing.T, l stamp.Ledger) {
	tests := []struct {
		name   string
		stored int64 // the version in the ledger, 0 for none
		write  int64
	}{
		{"a first write for a user who is there", 1, 0},
		{"a stale version", 3, 2},
		{"a version from the future", 1, 2},
		{"a version of a user who is not there", 0, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tenant, user := NewID(), NewID()
			for version := range tt.stored {
				mustWrite(t, l, entry(tenant, user, version))
			}
			before := mustEntries(t, l, tenant, user)

			e := entry(tenant, user, tt.write)
			e.State = stamp.StateClaimed
			errs := l.Write(t.Context(), []stamp.Entry{e})
			if len(errs) != 1 || !errors.Is(errs[0], stamp.ErrConflict) {
				t.Errorf("Write = %v, want ErrConflict", errs)
			}
			if diff := cmp.Diff(before, mustEntries(t, l, tenant, user)); diff != "" {
				t.Errorf("the refused write changed the ledger (-before +after):\n%s", diff)
			}
		})
	}
}

func testLedgerIndependence(t *testing.T, l stamp.Ledger) {
	const n = 60 // more than DynamoDB takes in one BatchWriteItem
	tenant, users := NewID(), newIDs(n)
	taken := func(i int) bool { return i%7 == 3 }
	for i, user := range users {
		if taken(i) {
			mustWrite(t, l, entry(tenant, user, 0))
		}
	}
	entries := make([]stamp.Entry, n)
	for i, user := range users {
		entries[i] = entry(tenant, user, 0)
		entries[i].EmptyReads = 100 + i
	}
	errs := l.Write(t.Context(), entries)
	if len(errs) != n {
		t.Fatalf("Write of %d entries returned %d errors", n, len(errs))
	}
	stored := mustEntries(t, l, tenant, users...)
	for i, user := range users {
		wantEmptyReads := entries[i].EmptyReads
		if taken(i) {
			wantEmptyReads = entry(tenant, user, 0).EmptyReads
		}
		if got := errors.Is(errs[i], stamp.ErrConflict); got != taken(i) || !got && errs[i] != nil {
			t.Errorf("entry %d: error %v, want a conflict: %t", i, errs[i], taken(i))
		}
		if got := stored[user].EmptyReads; got != wantEmptyReads {
			t.Errorf("entry %d: %d is stored, want %d", i, got, wantEmptyReads)
		}
	}
}

func testLedgerRoundTrip(t *testing.T, l stamp.Ledger) {
	tenant := NewID()
	full := entry(tenant, NewID(), 0)
	for field, value := range reflect.ValueOf(written(full)).Fields() {
		if value.IsZero() {
			t.Fatalf("the sample has no value in field %s: add one", field.Name)
		}
	}
	tests := []struct {
		name  string
		entry stamp.Entry
	}{
		{"all fields", full},
		{"nothing but the key", stamp.Entry{Tenant: tenant, User: NewID()}},
		{"whole seconds", stamp.Entry{Tenant: tenant, User: NewID(), Stamp: sampleTime.Truncate(time.Second)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			mustWrite(t, l, tt.entry)
			got := mustEntries(t, l, tenant, tt.entry.User)[tt.entry.User]
			if diff := cmp.Diff(written(tt.entry), got); diff != "" {
				t.Errorf("entry (-written +read):\n%s", diff)
			}
			checkUTC(t, got)
		})
	}
}

// checkUTC checks what comparing times does not: that they are UTC, and that a
// moment that has not come is the zero Time.
func checkUTC(t *testing.T, e stamp.Entry) {
	t.Helper()
	for field, value := range reflect.ValueOf(e).Fields() {
		if at, ok := value.Interface().(time.Time); ok && at.Location() != time.UTC {
			t.Errorf("%s is in %s, want UTC", field.Name, at.Location())
		}
	}
}

func testLedgerReplace(t *testing.T, l stamp.Ledger) {
	tenant, user := NewID(), NewID()
	mustWrite(t, l, entry(tenant, user, 0))
	bare := stamp.Entry{Tenant: tenant, User: user, Version: 1, State: stamp.StateStamped}
	mustWrite(t, l, bare)
	if diff := cmp.Diff(written(bare), mustEntries(t, l, tenant, user)[user]); diff != "" {
		t.Errorf("entry (-written +read):\n%s", diff)
	}
}

func testLedgerTenants(t *testing.T, l stamp.Ledger) {
	user, tenants := NewID(), newIDs(2)
	mustWrite(t, l, entry(tenants[0], user, 0))
	if got := mustEntries(t, l, tenants[1], user); len(got) != 0 {
		t.Errorf("another tenant's entry was found: %v", got)
	}
	mustWrite(t, l, entry(tenants[1], user, 0)) // is no conflict
	mustWrite(t, l, entry(tenants[1], user, 1))
	if got := mustEntries(t, l, tenants[0], user)[user].Version; got != 1 {
		t.Errorf("writes of another tenant raised the version to %d, want 1", got)
	}
}

func testLedgerMany(t *testing.T, l stamp.Ledger) {
	const n = 230 // DynamoDB reads 100 and writes 25 in one batch
	tenant, users := NewID(), newIDs(n)
	entries := make([]stamp.Entry, n)
	want := make(map[string]stamp.Entry, n)
	for i, user := range users {
		entries[i] = entry(tenant, user, 0)
		entries[i].EmptyReads = i
		want[user] = written(entries[i])
	}
	mustWrite(t, l, entries...)
	got := mustEntries(t, l, tenant, append(newIDs(20), users...)...)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}

func testLedgerRepeatedUser(t *testing.T, l stamp.Ledger) {
	tenant, user := NewID(), NewID()
	mustWrite(t, l, entry(tenant, user, 0))
	got := mustEntries(t, l, tenant, user, NewID(), user)
	want := map[string]stamp.Entry{user: entry(tenant, user, 1)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}

func testLedgerEmpty(t *testing.T, l stamp.Ledger) {
	if got := mustEntries(t, l, NewID()); len(got) != 0 {
		t.Errorf("Entries of nobody = %v, want none", got)
	}
	if errs := l.Write(t.Context(), nil); len(errs) != 0 {
		t.Errorf("Write of nothing = %v, want no errors", errs)
	}
}

func testLedgerRace(t *testing.T, l stamp.Ledger) {
	const workers, rounds = 12, 3
	tenant, user := NewID(), NewID()
	for version := range int64(rounds) {
		results := make([]error, workers)
		var wg sync.WaitGroup
		for worker := range workers {
			wg.Go(func() {
				e := entry(tenant, user, version)
				e.State, e.EmptyReads = stamp.StateClaimed, worker
				results[worker] = l.Write(t.Context(), []stamp.Entry{e})[0]
			})
		}
		wg.Wait()
		winner, err := onlyWinner(t, results)
		if err != nil {
			t.Fatalf("version %d: %v", version, err)
		}
		if got := mustEntries(t, l, tenant, user)[user]; got.EmptyReads != winner || got.Version != version+1 {
			t.Errorf("version %d: worker %d stands in the ledger with version %d, want worker %d and version %d",
				version, got.EmptyReads, got.Version, winner, version+1)
		}
	}
}

// onlyWinner returns the worker whose write succeeded, if all others conflicted.
func onlyWinner(t *testing.T, results []error) (int, error) {
	t.Helper()
	winner := -1
	for worker, err := range results {
		switch {
		case errors.Is(err, stamp.ErrConflict):
		case err != nil:
			return -1, fmt.Errorf("worker %d: %w", worker, err)
		case winner >= 0:
			return -1, fmt.Errorf("workers %d and %d both claimed the user", winner, worker)
		default:
			winner = worker
		}
	}
	if winner < 0 {
		return -1, errors.New("no worker claimed the user")
	}
	return winner, nil
}

func testLedgerCancelled(t *testing.T, l stamp.Ledger) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	tenant, users := NewID(), newIDs(2)
	if _, err := l.Entries(ctx, tenant, users); !errors.Is(err, context.Canceled) {
		t.Errorf("Entries = %v, want it to wrap %v", err, context.Canceled)
	}
	errs := l.Write(ctx, []stamp.Entry{entry(tenant, users[0], 0), entry(tenant, users[1], 0)})
	if len(errs) != len(users) {
		t.Fatalf("Write of %d entries returned %d errors", len(users), len(errs))
	}
	for i, err := range errs {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Write of entry %d = %v, want it to wrap %v", i, err, context.Canceled)
		}
	}
}
