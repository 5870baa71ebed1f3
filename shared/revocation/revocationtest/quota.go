package revocationtest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
)

// pace is coarse enough for a store behind a socket: some dozens of grants fill
// a window. It lets 90 writes through in ten seconds, ten of them at once.
var pace = revocation.Pace{Limit: 100, Window: 10 * time.Second, Share: 0.9, Burst: 10}

// perWindow is the most that pace may let through.
const perWindow = 90

// TestQuota checks that what open returns keeps the promises of
// [revocation.Quota]. The quotas that open returns may share their store.
func TestQuota(t *testing.T, open func(*testing.T, revocation.Pace) revocation.Quota) {
	cases := map[string]func(*testing.T, revocation.Quota){
		"a caller who takes all stays below the limit": testQuotaGreedy,
		"patience reserves ahead":                      testQuotaPatience,
		"a refusal reserves nothing":                   testQuotaRefusal,
		"a pause lets nothing begin":                   testQuotaPause,
		"a pause only ever lengthens":                  testQuotaShorterPause,
		"two takers share":                             testQuotaTogether,
		"tenants are apart":                            testQuotaTenants,
		"a cancelled context is an error":              testQuotaCancelled,
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t, pace))
		})
	}
}

// A grant is n writes that were allowed at a moment.
type grant struct {
	at time.Time
	n  int
}

// busiest is the most writes granted within any one window.
func busiest(grants []grant) int {
	grants = slices.SortedFunc(slices.Values(grants), func(a, b grant) int { return a.at.Compare(b.at) })
	most, sum, first := 0, 0, 0
	for _, g := range grants {
		sum += g.n
		for g.at.Sub(grants[first].at) >= pace.Window {
			sum -= grants[first].n
			first++
		}
		most = max(most, sum)
	}
	return most
}

func total(grants []grant) int {
	sum := 0
	for _, g := range grants {
		sum += g.n
	}
	return sum
}

// reserve asks once, and returns the grant if there is one.
func reserve(t *testing.T, q revocation.Quota, tenant string, n int, now time.Time, patience time.Duration) (grant, time.Duration, bool) {
	t.Helper()
	wait, ok, err := q.Reserve(t.Context(), tenant, n, now, patience)
	switch {
	case err != nil:
		t.Fatalf("Reserve: %v", err)
	case wait < 0:
		t.Fatalf("Reserve: wait is %s, want none or a positive one", wait)
	case ok && wait > patience:
		t.Fatalf("Reserve: granted after %s with a patience of %s", wait, patience)
	case !ok && wait <= patience:
		t.Fatalf("Reserve: refused with a wait of %s and a patience of %s", wait, patience)
	}
	return grant{at: now.Add(wait), n: n}, wait, ok
}

// drain takes all that is granted without a wait.
func drain(t *testing.T, q revocation.Quota, tenant string, now time.Time) {
	t.Helper()
	for range perWindow + 1 {
		if _, _, ok := reserve(t, q, tenant, 1, now, 0); !ok {
			return
		}
	}
	t.Fatalf("more than %d writes were granted at one moment", perWindow)
}

func testQuotaGreedy(t *testing.T, q revocation.Quota) {
	const windows = 4
	tenant, start := NewID(), sampleTime
	sizes := []int{10, 1, 7, 3, 10, 5}
	var grants []grant
	now := start
	for i := 0; now.Sub(start) < windows*pace.Window; i++ {
		n := sizes[i%len(sizes)]
		g, wait, ok := reserve(t, q, tenant, n, now, 0)
		if !ok {
			now = now.Add(wait)
			if g, _, ok = reserve(t, q, tenant, n, now, 0); !ok {
				t.Fatalf("refused again after the wait of %s that was asked for", wait)
			}
		}
		grants = append(grants, g)
	}
	if got := busiest(grants); got > perWindow {
		t.Errorf("%d writes were granted in one window, want at most %d", got, perWindow)
	}
	// From the second window on the burst is spent; 1/9 of the share was kept
	// for it, and the last grants may lie just beyond the end.
	if got, want := total(grants), windows*perWindow*85/100; got < want {
		t.Errorf("%d writes were granted in %d windows, want at least %d", got, windows, want)
	}
}

func testQuotaPatience(t *testing.T, q revocation.Quota) {
	tenant, now := NewID(), sampleTime
	var grants []grant
	for {
		g, _, ok := reserve(t, q, tenant, 10, now, pace.Window)
		if !ok {
			break
		}
		if grants = append(grants, g); len(grants) > perWindow {
			t.Fatalf("%d reservations were granted within one window", len(grants))
		}
	}
	if got := busiest(grants); got > perWindow {
		t.Errorf("%d writes were granted in one window, want at most %d", got, perWindow)
	}
	if got := total(grants); got < perWindow*9/10 {
		t.Errorf("%d writes were granted within the patience of one window, want nearly %d", got, perWindow)
	}
	if !slices.IsSortedFunc(grants, func(a, b grant) int { return a.at.Compare(b.at) }) {
		t.Errorf("later reservations were granted for earlier moments: %v", grants)
	}
}

func testQuotaRefusal(t *testing.T, q revocation.Quota) {
	tenant, now := NewID(), sampleTime
	drain(t, q, tenant, now)
	_, wait, ok := reserve(t, q, tenant, 10, now, 0)
	if ok {
		t.Fatal("the quota was not drained")
	}
	for range 5 {
		if _, again, _ := reserve(t, q, tenant, 10, now, 0); again != wait {
			t.Fatalf("a refusal changed the wait from %s to %s", wait, again)
		}
	}
	if _, _, ok := reserve(t, q, tenant, 10, now.Add(wait), 0); !ok {
		t.Errorf("refused after the wait of %s that was asked for", wait)
	}
}

func testQuotaPause(t *testing.T, q revocation.Quota) {
	for name, n := range map[string]int{"one write": 1, "a whole burst": pace.Burst} {
		t.Run(name, func(t *testing.T) {
			const pause = 5 * time.Second
			tenant, now := NewID(), sampleTime
			until := now.Add(pause)
			if err := q.Pause(t.Context(), tenant, until); err != nil {
				t.Fatalf("Pause: %v", err)
			}
			if g, _, ok := reserve(t, q, tenant, n, now, pause-time.Millisecond); ok {
				t.Errorf("a write was granted %s before the end of the pause", until.Sub(g.at))
			}
			g, _, ok := reserve(t, q, tenant, n, now, 2*pause)
			if !ok || g.at.Before(until) || g.at.After(until.Add(2*time.Second)) {
				t.Errorf("granted %t, %s after the pause, want soon after it", ok, g.at.Sub(until))
			}
		})
	}
}

func testQuotaShorterPause(t *testing.T, q revocation.Quota) {
	tenant, now := NewID(), sampleTime
	until := now.Add(5 * time.Second)
	for _, until := range []time.Time{until, now.Add(time.Second), now.Add(-time.Hour)} {
		if err := q.Pause(t.Context(), tenant, until); err != nil {
			t.Fatalf("Pause: %v", err)
		}
	}
	if g, _, ok := reserve(t, q, tenant, 1, now, pace.Window); !ok || g.at.Before(until) {
		t.Errorf("granted %t, %s before the end of the longest pause", ok, until.Sub(g.at))
	}
}

func testQuotaTogether(t *testing.T, q revocation.Quota) {
	tenant, now := NewID(), sampleTime
	var mu sync.Mutex
	var grants []grant
	var takers sync.WaitGroup
	for range 2 {
		takers.Go(func() {
			for range perWindow {
				wait, ok, err := q.Reserve(t.Context(), tenant, 5, now, pace.Window)
				if err != nil {
					t.Errorf("Reserve: %v", err)
				}
				if err != nil || !ok {
					return
				}
				mu.Lock()
				grants = append(grants, grant{at: now.Add(wait), n: 5})
				mu.Unlock()
			}
		})
	}
	takers.Wait()
	if got := busiest(grants); got > perWindow {
		t.Errorf("%d writes were granted in one window, want at most %d", got, perWindow)
	}
	if got := total(grants); got < perWindow*9/10 {
		t.Errorf("%d writes were granted within one window, want nearly %d", got, perWindow)
	}
}

func testQuotaTenants(t *testing.T, q revocation.Quota) {
	tenants, now := newIDs(2), sampleTime
	drain(t, q, tenants[0], now)
	if err := q.Pause(t.Context(), tenants[0], now.Add(time.Hour)); err != nil {
		t.Fatalf("Pause: %v", err)
	}
	if _, wait, ok := reserve(t, q, tenants[1], pace.Burst, now, 0); !ok {
		t.Errorf("another tenant's pause makes this one wait %s", wait)
	}
}

func testQuotaCancelled(t *testing.T, q revocation.Quota) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	tenant := NewID()
	if _, ok, err := q.Reserve(ctx, tenant, 1, sampleTime, time.Hour); ok || !errors.Is(leaktest.Seen(t, err), context.Canceled) {
		t.Errorf("Reserve = %t, %v, want an error that wraps %v", ok, err, context.Canceled)
	}
	if err := q.Pause(ctx, tenant, sampleTime); !errors.Is(leaktest.Seen(t, err), context.Canceled) {
		t.Errorf("Pause = %v, want it to wrap %v", err, context.Canceled)
	}
}
