// Package subscriptiontest holds the conformance suite of the store that package
// subscription declares. Whatever passes it may stand behind a Keeper.
//
// The suite assumes neither a clock nor an empty store: every case uses tenants of
// its own, so that many runs can share one table.
package subscriptiontest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/subscription"
)

// TestStore checks that what open returns keeps the promises of
// [subscription.Store]. The stores that open returns may share their table.
func TestStore(t *testing.T, open func(*testing.T) subscription.Store) {
	cases := map[string]func(*testing.T, subscription.Store){
		"an unknown tenant has an empty record":  testUnknown,
		"a write raises the version by one":      testVersion,
		"a version that is not stored conflicts": testConflict,
		"every field comes back":                 testRoundTrip,
		"a later write replaces every field":     testReplace,
		"tenants are apart":                      testTenants,
		"one of many takes the lease":            testRace,
		"a cancelled context is an error":        testCancelled,
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

// newTenant returns a random tenant id, a lower-case GUID.
func newTenant() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// sampleTime is a moment that needs every digit down to the microsecond, which is
// what a store must keep.
var sampleTime = time.Date(2026, time.November, 3, 9, 30, 15, 123_456_000, time.UTC)

// sample returns a record with a value in every field.
func sample(tenant string, version int64) subscription.Record {
	at := func(n int) time.Time { return sampleTime.Add(time.Duration(n) * time.Hour) }
	return subscription.Record{
		Tenant:          tenant,
		Version:         version,
		SubscriptionID:  "7f105c7d-2dc5-4530-97cd-4e7ae6534c07",
		ClientState:     "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
		NotificationURL: "https://hook.example/notify?from=graph",
		LifecycleURL:    "https://hook.example/lifecycle",
		ShownURL:        "https://hook.example/notify/?from=graph",
		Mended:          at(7),
		Refused:         at(9),
		Began:           at(0),
		Since:           at(1),
		Expires:         at(2),
		Renewed:         at(3),
		Checked:         at(4),
		Challenged:      at(5),
		TakenDown:       at(8),
		Holder:          "XKCD4TSVJPDQ2UWZ6Y7N3EHRAM",
		HeldUntil:       at(6),
	}
}

func mustSave(t *testing.T, s subscription.Store, record subscription.Record) {
	t.Helper()
	if err := s.SaveRecord(t.Context(), record); err != nil {
		t.Fatalf("SaveRecord of version %d: %v", record.Version, err)
	}
}

func mustRecord(t *testing.T, s subscription.Store, tenant string) subscription.Record {
	t.Helper()
	record, err := s.Record(t.Context(), tenant)
	if err != nil {
		t.Fatalf("Record: %v", err)
	}
	return record
}

// check compares the stored record with what it should be.
func check(t *testing.T, s subscription.Store, want subscription.Record) {
	t.Helper()
	if diff := cmp.Diff(want, mustRecord(t, s, want.Tenant)); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
}

func testUnknown(t *testing.T, s subscription.Store) {
	check(t, s, subscription.Record{Tenant: newTenant()})
}

func testVersion(t *testing.T, s subscription.Store) {
	tenant := newTenant()
	for version := range int64(4) {
		mustSave(t, s, sample(tenant, version))
		if got := mustRecord(t, s, tenant).Version; got != version+1 {
			t.Fatalf("version %d is stored after a write of version %d, want %d", got, version, version+1)
		}
	}
}

func testConflict(t *testing.T, s subscription.Store) {
	tests := []struct {
		name   string
		stored int64 // the version in the store, 0 for none
		write  int64
	}{
		{"a first write for a tenant that is there", 1, 0},
		{"a stale version", 3, 2},
		{"a version to come", 2, 3},
		{"a version of a record never written", 0, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tenant := newTenant()
			for version := range tt.stored {
				mustSave(t, s, sample(tenant, version))
			}
			before := mustRecord(t, s, tenant)
			record := sample(tenant, tt.write)
			record.Holder = "somebody else"
			if err := s.SaveRecord(t.Context(), record); !errors.Is(leaktest.Seen(t, err), subscription.ErrConflict) {
				t.Errorf("SaveRecord returned %v, want ErrConflict", err)
			}
			check(t, s, before)
		})
	}
}

func testRoundTrip(t *testing.T, s subscription.Store) {
	record := sample(newTenant(), 0)
	fields := reflect.ValueOf(record)
	for i := range fields.NumField() {
		if name := fields.Type().Field(i).Name; fields.Field(i).IsZero() && name != "Version" {
			t.Fatalf("the sample has no %s: this test is out of date", name)
		}
	}
	mustSave(t, s, record)
	record.Version++
	check(t, s, record)
}

func testReplace(t *testing.T, s subscription.Store) {
	tenant := newTenant()
	mustSave(t, s, sample(tenant, 0))
	mustSave(t, s, subscription.Record{Tenant: tenant, Version: 1})
	check(t, s, subscription.Record{Tenant: tenant, Version: 2})
}

func testTenants(t *testing.T, s subscription.Store) {
	mine, other := newTenant(), newTenant()
	mustSave(t, s, sample(mine, 0))
	check(t, s, subscription.Record{Tenant: other})
	mustSave(t, s, subscription.Record{Tenant: other})
	check(t, s, sample(mine, 1))
}

// testRace lets many write the same version at once: the lease is safe only if
// one of them succeeds, and is the one that is stored.
func testRace(t *testing.T, s subscription.Store) {
	const rivals = 16
	tenant := newTenant()
	rival := func(i int) string { return fmt.Sprintf("rival %d", i) }
	var all sync.WaitGroup
	errs := make([]error, rivals)
	for i := range rivals {
		all.Go(func() {
			record := subscription.Record{Tenant: tenant, Holder: rival(i)}
			errs[i] = s.SaveRecord(t.Context(), record)
		})
	}
	all.Wait()
	winner := ""
	for i, err := range errs {
		switch {
		case leaktest.Seen(t, err) == nil && winner == "":
			winner = rival(i)
		case err == nil:
			t.Errorf("%s has written version 0 too", rival(i))
		case !errors.Is(err, subscription.ErrConflict):
			t.Errorf("%s: %v, want ErrConflict", rival(i), err)
		}
	}
	check(t, s, subscription.Record{Tenant: tenant, Version: 1, Holder: winner})
}

func testCancelled(t *testing.T, s subscription.Store) {
	tenant := newTenant()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Record(ctx, tenant); leaktest.Seen(t, err) == nil {
		t.Error("Record succeeded")
	}
	if err := s.SaveRecord(ctx, sample(tenant, 0)); leaktest.Seen(t, err) == nil {
		t.Error("SaveRecord succeeded")
	}
}
