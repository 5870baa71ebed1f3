package revocationtest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
)

// HeldLedger is a ledger that can list the users who wait for the backfill.
type HeldLedger interface {
	revocation.Ledger
	Held(ctx context.Context, tenant string, limit int) ([]revocation.Entry, error)
}

// TestHeld checks that what open returns lists existing users who wait, newest
// first. The ledgers that open returns may share their store.
func TestHeld(t *testing.T, open func(*testing.T) HeldLedger) {
	cases := map[string]func(*testing.T, HeldLedger){
		"nobody waits":                      testHeldEmpty,
		"newest first, up to the limit":     testHeldOrder,
		"nobody but who waits":              testHeldStates,
		"who waits no longer is gone":       testHeldLeaves,
		"tenants are apart":                 testHeldTenants,
		"every field comes back":            testHeldRoundTrip,
		"more than fit into a store's page": testHeldMany,
		"a cancelled context is an error":   testHeldCancelled,
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

// heldEntry returns an entry that waits, of a user created at the given hour.
func heldEntry(tenant, user string, hour int) revocation.Entry {
	e := entry(tenant, user, 0)
	e.State, e.Reason = revocation.StateHeld, revocation.ReasonExistingUser
	e.Created = sampleTime.Add(time.Duration(hour) * time.Hour)
	return e
}

// mustHeld lists the users who wait, by id.
func mustHeld(t *testing.T, l HeldLedger, tenant string, limit int) []string {
	t.Helper()
	entries, err := l.Held(t.Context(), tenant, limit)
	if err != nil {
		t.Fatalf("Held: %v", err)
	}
	users := []string{}
	for _, e := range entries {
		users = append(users, e.User)
	}
	return users
}

func testHeldEmpty(t *testing.T, l HeldLedger) {
	tenant := NewID()
	if got := mustHeld(t, l, tenant, 10); len(got) != 0 {
		t.Errorf("Held of an empty ledger = %v, want nobody", got)
	}
	mustWrite(t, l, heldEntry(tenant, NewID(), 0))
	if got := mustHeld(t, l, tenant, 0); len(got) != 0 {
		t.Errorf("Held of no more than nobody = %v, want nobody", got)
	}
}

func testHeldOrder(t *testing.T, l HeldLedger) {
	tenant, users := NewID(), newIDs(5)
	for i, hour := range []int{3, -40, 100_000, 7, 0} {
		mustWrite(t, l, heldEntry(tenant, users[i], hour))
	}
	unknown := heldEntry(tenant, NewID(), 0)
	unknown.Created = time.Time{}
	mustWrite(t, l, unknown)
	all := []string{users[2], users[3], users[0], users[4], users[1], unknown.User}
	for _, limit := range []int{1, 3, 6, 100} {
		if diff := cmp.Diff(all[:min(limit, len(all))], mustHeld(t, l, tenant, limit)); diff != "" {
			t.Errorf("limit %d (-want +got):\n%s", limit, diff)
		}
	}
}

func testHeldStates(t *testing.T, l HeldLedger) {
	tenant, waits := NewID(), NewID()
	for i, state := range []revocation.State{
		revocation.StateClaimed, revocation.StateReleased, revocation.StateRevoked,
		revocation.StateStamped, revocation.StateCannotFix, revocation.StateGone, revocation.StateSpared,
	} {
		e := heldEntry(tenant, NewID(), i)
		e.State = state
		mustWrite(t, l, e)
	}
	mustWrite(t, l, heldEntry(tenant, waits, 3))
	if diff := cmp.Diff([]string{waits}, mustHeld(t, l, tenant, 10)); diff != "" {
		t.Errorf("who waits (-want +got):\n%s", diff)
	}
}

func testHeldLeaves(t *testing.T, l HeldLedger) {
	tenant, users := NewID(), newIDs(2)
	mustWrite(t, l, heldEntry(tenant, users[0], 0), heldEntry(tenant, users[1], 1))
	done := written(heldEntry(tenant, users[1], 1))
	done.State = revocation.StateStamped
	mustWrite(t, l, done)
	if diff := cmp.Diff(users[:1], mustHeld(t, l, tenant, 10)); diff != "" {
		t.Errorf("who waits (-want +got):\n%s", diff)
	}
}

func testHeldTenants(t *testing.T, l HeldLedger) {
	user, tenants := NewID(), newIDs(2)
	mustWrite(t, l, heldEntry(tenants[0], user, 0))
	if got := mustHeld(t, l, tenants[1], 10); len(got) != 0 {
		t.Errorf("users of another tenant wait: %v", got)
	}
}

func testHeldRoundTrip(t *testing.T, l HeldLedger) {
	e := heldEntry(NewID(), NewID(), 0)
	mustWrite(t, l, e)
	got, err := l.Held(t.Context(), e.Tenant, 10)
	if err != nil {
		t.Fatalf("Held: %v", err)
	}
	if diff := cmp.Diff([]revocation.Entry{written(e)}, got); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}

func testHeldMany(t *testing.T, l HeldLedger) {
	const n = 230
	tenant, users := NewID(), newIDs(n)
	entries := make([]revocation.Entry, n)
	for i, user := range users {
		entries[i] = heldEntry(tenant, user, -i)
	}
	shuffled := slices.Clone(entries)
	slices.SortFunc(shuffled, func(a, b revocation.Entry) int { return strings.Compare(a.User, b.User) })
	mustWrite(t, l, shuffled...)
	if diff := cmp.Diff(users[:200], mustHeld(t, l, tenant, 200)); diff != "" {
		t.Errorf("who waits (-want +got):\n%s", diff)
	}
}

func testHeldCancelled(t *testing.T, l HeldLedger) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Held(ctx, NewID(), 10); !errors.Is(leaktest.Seen(t, err), context.Canceled) {
		t.Errorf("Held = %v, want it to wrap %v", err, context.Canceled)
	}
}
