// Package sweeptest holds the conformance suite of [sweep.Store]. Whatever
// passes it may stand behind a Sweeper.
//
// The suite assumes no empty store: every case uses a tenant of its own, so that
// many runs can share one table.
package sweeptest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

// TestStore checks that what open returns keeps the promises of [sweep.Store].
// The stores that open returns may share what they hold.
func TestStore(t *testing.T, open func(*testing.T) sweep.Store) {
	cases := map[string]func(*testing.T, sweep.Store){
		"a tenant never written has nothing but its name": testUnknown,
		"a write raises the version by one":               testVersion,
		"a version that is not stored conflicts":          testConflict,
		"every field comes back":                          testRoundTrip,
		"a later write replaces every field":              testReplace,
		"what was read is the reader's own":               testDetached,
		"tenants are apart":                               testTenants,
		"one of many wins":                                testRace,
		"a cancelled context is an error":                 testCancelled,
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

// newTenant returns a random tenant id.
func newTenant() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// sample returns a checkpoint with a value in every field. Its times need every
// digit down to the microsecond, and its links are as long as Graph's.
func sample(tenant string, version int64) sweep.Checkpoint {
	at := func(hours int) time.Time {
		return time.Date(2026, time.November, 3, 9, 30, 15, 123_456_000, time.UTC).Add(time.Duration(hours) * time.Hour)
	}
	link := func(name string) string {
		var token [2000]byte
		_, _ = rand.Read(token[:])
		return "https://graph.microsoft.com/v1.0/users/delta?$" + name + "=" + hex.EncodeToString(token[:])
	}
	return sweep.Checkpoint{
		Tenant: tenant, Version: version,
		DeltaLink: link("deltatoken"), Failed: 12,
		Full: &sweep.FullRound{
			Started: at(1), DeltaLink: link("deltatoken"), Next: link("skiptoken"),
			Pages: 2, Members: 3, Unstamped: 4, Unreadable: 11, Failed: 13, Asks: 5,
		},
		FullDone: at(2), Confirm: at(3), Members: 6, Unstamped: 7, Unreadable: 10,
		Since: at(4), Asked: "the subscription was gone", AskedSince: at(5), Asks: 9, Answered: 8,
		BackfillUntil: at(6), Holder: "a run", HeldUntil: at(7),
	}
}

func mustSave(t *testing.T, s sweep.Store, c sweep.Checkpoint) {
	t.Helper()
	if err := s.SaveCheckpoint(t.Context(), c); err != nil {
		t.Fatalf("SaveCheckpoint: %v", err)
	}
}

func mustRead(t *testing.T, s sweep.Store, tenant string) sweep.Checkpoint {
	t.Helper()
	c, err := s.Checkpoint(t.Context(), tenant)
	if err != nil {
		t.Fatalf("Checkpoint: %v", err)
	}
	return c
}

func written(c sweep.Checkpoint) sweep.Checkpoint {
	c.Version++
	return c
}

func testUnknown(t *testing.T, s sweep.Store) {
	tenant := newTenant()
	if diff := cmp.Diff(sweep.Checkpoint{Tenant: tenant}, mustRead(t, s, tenant)); diff != "" {
		t.Errorf("checkpoint (-want +got):\n%s", diff)
	}
}

func testVersion(t *testing.T, s sweep.Store) {
	tenant := newTenant()
	for version := range int64(4) {
		mustSave(t, s, sample(tenant, version))
		if got := mustRead(t, s, tenant).Version; got != version+1 {
			t.Fatalf("version %d is stored after a write of version %d, want %d", got, version, version+1)
		}
	}
}

func testConflict(t *testing.T, s sweep.Store) {
	tests := []struct {
		name          string
		stored, write int64
	}{
		{"a first write for a tenant that is there", 1, 0},
		{"a stale version", 3, 2},
		{"a version from the future", 1, 2},
		{"a version of a tenant that is not there", 0, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tenant := newTenant()
			for version := range tt.stored {
				mustSave(t, s, sample(tenant, version))
			}
			before := mustRead(t, s, tenant)
			c := sample(tenant, tt.write)
			c.Members = 1000
			if err := s.SaveCheckpoint(t.Context(), c); !errors.Is(leaktest.Seen(t, err), sweep.ErrConflict) {
				t.Errorf("SaveCheckpoint = %v, want ErrConflict", err)
			}
			if diff := cmp.Diff(before, mustRead(t, s, tenant)); diff != "" {
				t.Errorf("the refused write changed the store (-before +after):\n%s", diff)
			}
		})
	}
}

func testRoundTrip(t *testing.T, s sweep.Store) {
	full := sample(newTenant(), 0)
	checkFilled(t, reflect.ValueOf(written(full)))
	checkFilled(t, reflect.ValueOf(*full.Full))
	begun := sample(newTenant(), 0)
	begun.Full = &sweep.FullRound{}
	tests := []struct {
		name       string
		checkpoint sweep.Checkpoint
	}{
		{"all fields", full},
		{"a round without anything yet", begun},
		{"nothing but the key", sweep.Checkpoint{Tenant: newTenant()}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			mustSave(t, s, tt.checkpoint)
			got := mustRead(t, s, tt.checkpoint.Tenant)
			if diff := cmp.Diff(written(tt.checkpoint), got); diff != "" {
				t.Errorf("checkpoint (-written +read):\n%s", diff)
			}
			checkUTC(t, reflect.ValueOf(got))
			if got.Full != nil {
				checkUTC(t, reflect.ValueOf(*got.Full))
			}
		})
	}
}

// checkFilled checks that the sample knows of every field.
func checkFilled(t *testing.T, v reflect.Value) {
	t.Helper()
	for field, value := range v.Fields() {
		if value.IsZero() {
			t.Fatalf("the sample has no value in field %s: add one", field.Name)
		}
	}
}

// checkUTC checks what comparing times does not.
func checkUTC(t *testing.T, v reflect.Value) {
	t.Helper()
	for field, value := range v.Fields() {
		if at, ok := value.Interface().(time.Time); ok && at.Location() != time.UTC {
			t.Errorf("%s is in %s, want UTC", field.Name, at.Location())
		}
	}
}

func testReplace(t *testing.T, s sweep.Store) {
	tenant := newTenant()
	mustSave(t, s, sample(tenant, 0))
	bare := sweep.Checkpoint{Tenant: tenant, Version: 1}
	mustSave(t, s, bare)
	if diff := cmp.Diff(written(bare), mustRead(t, s, tenant)); diff != "" {
		t.Errorf("checkpoint (-written +read):\n%s", diff)
	}
}

func testDetached(t *testing.T, s sweep.Store) {
	tenant := newTenant()
	c := sample(tenant, 0)
	mustSave(t, s, c)
	want := *c.Full
	c.Full.Pages = 1000
	mustRead(t, s, tenant).Full.Members = 1000
	if diff := cmp.Diff(&want, mustRead(t, s, tenant).Full); diff != "" {
		t.Errorf("full round (-want +got):\n%s", diff)
	}
}

func testTenants(t *testing.T, s sweep.Store) {
	first, second := newTenant(), newTenant()
	mustSave(t, s, sample(first, 0))
	mustSave(t, s, sample(second, 0)) // is no conflict
	mustSave(t, s, sample(second, 1))
	if got := mustRead(t, s, first).Version; got != 1 {
		t.Errorf("writes of another tenant raised the version to %d, want 1", got)
	}
}

func testRace(t *testing.T, s sweep.Store) {
	const workers, rounds = 12, 3
	tenant := newTenant()
	for version := range int64(rounds) {
		results := make([]error, workers)
		var wg sync.WaitGroup
		for worker := range workers {
			wg.Go(func() {
				c := sample(tenant, version)
				c.Members = worker
				results[worker] = s.SaveCheckpoint(t.Context(), c)
			})
		}
		wg.Wait()
		winner := -1
		for worker, err := range results {
			switch {
			case errors.Is(leaktest.Seen(t, err), sweep.ErrConflict):
			case err != nil || winner >= 0:
				t.Fatalf("version %d: worker %d came to %v after worker %d had won", version, worker, err, winner)
			default:
				winner = worker
			}
		}
		if got := mustRead(t, s, tenant); winner < 0 || got.Members != winner || got.Version != version+1 {
			t.Errorf("version %d: worker %d is stored with version %d, want worker %d", version, got.Members, got.Version, winner)
		}
	}
}

func testCancelled(t *testing.T, s sweep.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	tenant := newTenant()
	if _, err := s.Checkpoint(ctx, tenant); !errors.Is(leaktest.Seen(t, err), context.Canceled) {
		t.Errorf("Checkpoint = %v, want it to wrap %v", err, context.Canceled)
	}
	if err := s.SaveCheckpoint(ctx, sample(tenant, 0)); !errors.Is(leaktest.Seen(t, err), context.Canceled) {
		t.Errorf("SaveCheckpoint = %v, want it to wrap %v", err, context.Canceled)
	}
}
