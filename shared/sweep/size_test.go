package sweep_test

import (
	"context"
	"fmt"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

// bigGraph makes the pages of a tenant of any size on the fly, so that what the test
// measures is the Sweeper's. Every hundredth user has no stamp and is new.
type bigGraph struct {
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

func (g *bigGraph) Domains(context.Context) ([]directory.Domain, error) {
	g.requests++
	return []directory.Domain{{Name: "federated.example", Federated: true, Verified: true}}, nil
}

func (g *bigGraph) page(link string) (directory.UserPage, error) {
	const size = 999
	g.requests++
	from, err := strconv.Atoi(link)
	if err != nil {
		return directory.UserPage{}, err
	}
	created := time.Now()
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

func (q *countingQueue) Postpone(_ context.Context, requests []stamp.Delayed) error {
	q.n += len(requests)
	return nil
}

// sweepBig makes a full round, and then an increment in which every user appears, and
// returns the requests of both and the peak of the heap.
func sweepBig(t *testing.T, users int) (full, increment int, peak uint64) {
	t.Helper()
	play(t, func(t *testing.T, w *world) {
		g, q := &bigGraph{users: users}, new(countingQueue)
		w.config.Graph, w.config.Queue, w.config.Domains = g, q, stamp.NewDomains(g)
		w.config.Policy.Exclusions.Patterns = []string{"nobody-*", "svc-*@*.example"}
		r := w.run()
		full = g.requests
		if q.n != users/100 || r.Members != users || r.Unstamped != users/100 {
			t.Errorf("of %d users %d were queued: %+v", users, q.n, r)
		}
		if r := w.run(); r.Kind != sweep.KindIncrement || r.Users != users {
			t.Errorf("the increment: %+v", r)
		}
		increment, peak = g.requests-full, g.peak
	})
	return full, increment, peak
}

// It is not parallel: other tests would be in its heap.
func TestRequestsAndMemoryAtAnySize(t *testing.T) {
	const users = 100_000
	_, _, small := sweepBig(t, users/10)
	full, increment, peak := sweepBig(t, users)
	if pages := 101; full != pages+2 || increment != pages {
		t.Errorf("a full round over %d users takes %d requests, an increment %d; want %d and %d", users, full, increment, pages+2, pages)
	}
	if ratio := float64(peak) / float64(small); ratio > 1.3 {
		t.Errorf("the heap peaks at %d bytes with %d users, %.2f times as much as with a tenth", peak, users, ratio)
	}
}
