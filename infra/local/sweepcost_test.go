package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"net/http"
	"runtime"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/msgraph"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

var (
	// A run makes two requests besides the pages of the list, and the last page is
	// seldom full: below some 30,000 users that alone is more than a tenth.
	sweepUsers       = flag.Int("sweep-users", 40_000, "how many users TestSweepRequests sweeps, 40,000 or more")
	sweepMemoryUsers = flag.Int("sweep-memory-users", 100_000, "up to how many users, in powers of ten, TestSweepMemory sweeps")
)

// TestSweepRequests counts what the sweep costs in requests to Graph where nobody
// was missed: of a full round whatever its run asks for, the increment that ends
// it included.
func TestSweepRequests(t *testing.T) {
	t.Parallel()
	const (
		mostPerPage = 1.1
		changed     = 1234
		pages       = 13 // of 100 users, as the emulator's delta has them
	)
	synctest.Test(t, func(t *testing.T) {
		c := newCalm(t, 0, 1)
		defer c.graph.Close()
		ids := c.addStamped(*sweepUsers)
		sweeper, err := c.plant.newSweeper()
		if err != nil {
			t.Fatal(err)
		}

		report, full := c.sweep(sweeper)
		limit := mostPerPage * float64(*sweepUsers) / msgraph.MaxPage
		t.Logf("full round over %d stamped users: %d requests to Graph (at most %.1f × users/%d = %.1f)",
			*sweepUsers, full, mostPerPage, msgraph.MaxPage, limit)
		if report.Kind != sweep.KindFull || report.Members != *sweepUsers || report.Queued != 0 || float64(full) > limit {
			t.Errorf("want a full round over all users, within the limit: %+v", report)
		}

		c.rename(ids[:changed])
		report, increment := c.sweep(sweeper)
		t.Logf("increment after %d changed users: %d requests to Graph (exactly its %d pages)", changed, increment, pages)
		if report.Kind != sweep.KindIncrement || report.Users != changed || report.Pages != pages || increment != pages {
			t.Errorf("want an increment with all changed users, a page for each request: %+v", report)
		}
	})
}

// addStamped adds users who have been there for a year, and returns their ids.
func (c *calm) addStamped(users int) []string {
	created := time.Now().AddDate(-1, 0, 0)
	ids := make([]string, users)
	for n := range ids {
		ids[n] = c.AddUser(msgraphtest.NewUser{UPN: fmt.Sprintf("user%d@%s", n, federatedDomain), Created: created, Stamp: &created})
	}
	return ids
}

// rename changes what the sweep selects of users: delta tells of nothing else.
func (c *calm) rename(ids []string) {
	secret := "loc8Q~" + rand.Text()
	app := c.AddApp(msgraphtest.AppOptions{
		Permissions: []string{"User.ReadWrite.All"},
		Secrets:     []msgraphtest.Secret{{Text: secret}},
	})
	a := &admin{tenant: c.ID(), client: app.ID(), secret: secret, http: &http.Client{Transport: c.graph}}
	for n, id := range ids {
		name := map[string]any{"userPrincipalName": fmt.Sprintf("renamed%d@%s", n, federatedDomain)}
		if err := a.call(c.t.Context(), http.MethodPatch, "/users/"+id, name, nil); err != nil {
			c.t.Fatal(err)
		}
	}
}

// sweep lets the sweeper run once, and returns how many requests to Graph that
// cost, without those for tokens.
func (c *calm) sweep(sweeper *sweep.Sweeper) (report sweep.Report, requests int) {
	before := c.tally.requests
	report, err := sweeper.Run(c.t.Context(), sweep.OrderUsual)
	if err != nil || !report.Finished {
		c.t.Fatalf("sweep: %v: %+v", err, report)
	}
	return report, c.tally.requests - before
}

// TestSweepMemory compares the memory of full rounds over tenants of different
// sizes.
//
// It is not parallel, on purpose: the heap is the whole process's, and parallel
// tests wait until those that are not have ended.
func TestSweepMemory(t *testing.T) {
	const (
		smallest  = 10_000
		mostRatio = 1.3
	)
	peakOfRound(t, msgraph.MaxPage) // what is made once in a process is no round's
	small := peakOfRound(t, smallest)
	for users := 10 * smallest; users <= *sweepMemoryUsers; users *= 10 {
		peak := peakOfRound(t, users)
		ratio := float64(peak) / float64(small)
		t.Logf("full round over %d users: peak heap %d kB, over %d users %d kB: %.2f times as much (at most %.1f)",
			users, peak/1000, smallest, small/1000, ratio, mostRatio)
		if ratio > mostRatio {
			t.Error("the memory of a full round grows with the tenant")
		}
	}
}

// peakOfRound returns how many bytes of the heap a full round holds at most, in
// the sweeper and the client. What was there before would only hide its growth.
func peakOfRound(t *testing.T, users int) int64 {
	t.Helper()
	c := newCalm(t, 0, 1)
	defer c.graph.Close()
	list := &endlessList{rest: c.graph, users: users}
	c.plant.config.transport = list
	graph, err := c.plant.newGraph()
	if err != nil {
		t.Fatal(err)
	}
	sweeper := sweep.New(sweep.Config{
		Tenant: c.ID(), Graph: graph, Domains: stamp.NewDomains(graph),
		Store: c.plant.sweeps, Queue: list, Brake: c.plant.newBrake(),
		Policy: policy,
		Log:    c.plant.config.log, Now: time.Now,
	})

	list.measure()
	before := list.peak
	report, _ := c.sweep(sweeper)
	if report.Members != users || report.Queued != list.queued || list.queued != (users+99)/100 {
		t.Errorf("want a full round over %d users, and every hundredth queued: %+v", users, report)
	}
	return list.peak - before
}

// An endlessList makes the list of a tenant's users, page by page, as it is asked
// for. The rest comes from the emulator, whose tenant is empty. It is the sweep's
// queue as well, and keeps nothing of either: so what is held is not the test's.
// Every hundredth user has no stamp.
type endlessList struct {
	rest   http.RoundTripper
	users  int
	queued int
	peak   int64
}

// measure collects the garbage first: how much of it there is depends on when the
// last collection was. It does so twice: a sync.Pool outlives the first time, but
// under the race detector only by chance.
func (l *endlessList) measure() {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	l.peak = max(l.peak, int64(m.HeapAlloc))
}

// Postpone implements [sweep.Queue]. At this time a page is held as users.
func (l *endlessList) Postpone(_ context.Context, requests []stamp.Delayed) error {
	l.measure()
	l.queued += len(requests)
	return nil
}

// RoundTrip implements http.RoundTripper. At this time no page is held.
func (l *endlessList) RoundTrip(r *http.Request) (*http.Response, error) {
	l.measure()
	if r.URL.Path != "/v1.0/users" {
		return l.rest.RoundTrip(r)
	}
	from := 0
	if token := r.URL.Query().Get("$skiptoken"); token != "" {
		var err error
		if from, err = strconv.Atoi(token); err != nil {
			return nil, err
		}
	}
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}},
		Body: &pageBody{bytes.NewReader(l.page(from)), l.measure}, Request: r,
	}, nil
}

func (l *endlessList) page(from int) []byte {
	var b bytes.Buffer
	b.WriteString(`{`)
	until := min(l.users, from+msgraph.MaxPage)
	if until < l.users {
		fmt.Fprintf(&b, `"@odata.nextLink":"%s/users?$skiptoken=%d",`, graphURL, until)
	}
	b.WriteString(`"value":[`)
	for n := from; n < until; n++ {
		created, stamp := "2020-01-02T03:04:05Z", `"2020-01-02T03:04:05Z"`
		if n%100 == 0 {
			created, stamp = time.Now().UTC().Format(time.RFC3339), `null`
		}
		if n > from {
			b.WriteString(`,`)
		}
		fmt.Fprintf(&b, `{"id":"%08x-5e55-4a11-8a11-000000000000","userPrincipalName":"user%d@%s","userType":"Member",`+
			`"createdDateTime":%q,"signInSessionsValidFromDateTime":%s}`, n, n, federatedDomain, created, stamp)
	}
	b.WriteString(`]}`)
	return b.Bytes()
}

// A pageBody is measured when it was read, and the client holds its bytes.
type pageBody struct {
	*bytes.Reader
	measure func()
}

// Close implements io.Closer.
func (p *pageBody) Close() error {
	p.Reader = new(bytes.Reader) // only the client's copy is to count
	p.measure()
	return nil
}
