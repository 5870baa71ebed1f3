package sweep_test

import (
	"context"
	"fmt"
	"runtime"
	"strconv"
	"testing"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

// bigGraph makes the pages of a tenant of any size on the fly, so that what the
// test measures is the Sweeper's. Every hundredth user has no stamp.
type bigGraph struct {
	world    *world
	users    int
	requests int
	peak     uint64 // of the heap, after collection, in the middle of the work
}

func (g *bigGraph) LatestDelta(context.Context) (string, error) {
	g.requests++
	return "0", nil
}

func (g *bigGraph) DeltaPage(_ context.Context, link string) (directory.UserPage, error) {
	return g.page(link)
}

func (g *bigGraph) UserPage(_ context.Context, next string) (directory.UserPage, error) {
	if next == "" {
		next = "0"
	}
	return g.page(next)
}

func (g *bigGraph) page(link string) (directory.UserPage, error) {
	const size = 999
	g.requests++
	from, err := strconv.Atoi(link)
	if err != nil {
		return directory.UserPage{}, err
	}
	created := g.world.clock().AddDate(-1, 0, 0)
	users := make([]directory.User, min(size, g.users-from))
	for i := range users {
		users[i] = directory.User{
			ID:                userID(from + i),
			UserPrincipalName: fmt.Sprintf("user-%d@federated.example", from+i),
			UserType:          "Member",
			Created:           created,
			StampKnown:        true,
		}
		if (from+i)%100 != 0 {
			users[i].SignInSessionsValidFrom = created
		}
	}
	if g.requests%10 == 0 {
		g.measure()
	}
	page := directory.UserPage{Users: users}
	if page.Next = strconv.Itoa(from + size); from+size >= g.users {
		page.Next, page.Delta = "", strconv.Itoa(g.users)
	}
	return page, nil
}

func (g *bigGraph) measure() {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	g.peak = max(g.peak, m.HeapAlloc)
}

// countingQueue forgets what it stores.
type countingQueue struct{ n int }

func (q *countingQueue) Postpone(_ context.Context, requests []revocation.Delayed) error {
	q.n += len(requests)
	return nil
}

// sweepBig makes a full round, and then an increment in which every user appears,
// and returns the requests of both and the peak of the heap.
func sweepBig(t *testing.T, users int) (full, increment int, peak uint64) {
	t.Helper()
	w := newWorld(t)
	g, q := &bigGraph{world: w, users: users}, &countingQueue{}
	w.config.Graph, w.config.Queue = g, q
	report := w.run()
	if q.n != 2*users/100 || report.Members != users || report.Unstamped != users/100 {
		t.Errorf("of %d users %d were queued: %+v", users, q.n, report)
	}
	// The increment that ends the run shows all users too: its requests are its
	// pages.
	return report.Requests - report.Pages/2, report.Pages / 2, g.peak
}

// It is not parallel: other tests would be in its heap.
func TestRequestsAndMemoryAtAnySize(t *testing.T) {
	_, _, small := sweepBig(t, 10_000)
	for _, users := range []int{100_000} {
		full, increment, peak := sweepBig(t, users)
		if limit := 1.1 * float64(users) / 999; float64(full) > limit {
			t.Errorf("a full round over %d users takes %d requests, want at most %.0f", users, full, limit)
		}
		if pages := (users + 998) / 999; increment != pages {
			t.Errorf("an increment of %d pages takes %d requests", pages, increment)
		}
		if ratio := float64(peak) / float64(small); ratio > 1.3 {
			t.Errorf("the heap peaks at %d bytes with %d users, %.2f times as much as with 10,000", peak, users, ratio)
		}
	}
}

var _ sweep.Graph = (*bigGraph)(nil)
