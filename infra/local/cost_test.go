package main

import (
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/memory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

var (
	fullLoad = flag.Duration("full-load", 8*time.Minute, "virtual time for which TestQuotaUse runs at full load")
	backlog  = flag.Int("backlog", 5000, "how many users TestRequestsPerUser stamps")
)

// TestRequestsPerUser counts what a backlog costs in requests to Graph: reading,
// revoking and reading back.
func TestRequestsPerUser(t *testing.T) {
	t.Parallel()
	const most = 0.2
	synctest.Test(t, func(t *testing.T) {
		c := newCalm(t, *backlog, 1)
		stop := c.run()
		for c.plant.requests.Len() > 0 {
			time.Sleep(time.Second)
		}
		stop()

		requests := c.tally.requests
		stamped := c.stamped()
		perUser := float64(requests) / float64(stamped)
		t.Logf("%d users stamped and read back with %d requests to Graph: %.3f requests per user (at most %.1f)",
			stamped, requests, perUser, most)
		if stamped != *backlog || perUser > most {
			t.Errorf("want all %d users stamped with at most %.1f requests each", *backlog, most)
		}
	})
}

// TestQuotaUse lets two workers loose on more users than Graph's write quota lets
// through, with an answer taking a fifth of a second.
func TestQuotaUse(t *testing.T) {
	t.Parallel()
	const (
		leastUse     = 0.9
		mostThrottle = 0.01
		perSecond    = 3000.0 / 150
	)
	synctest.Test(t, func(t *testing.T) {
		c := newCalm(t, int(1.05*perSecond*fullLoad.Seconds())+1000, 2)
		c.graph.Inject(msgraphtest.Fault{
			Match:   func(r msgraphtest.Request) bool { return r.Parts > 0 },
			Latency: 200 * time.Millisecond,
		})
		stop := c.run()
		time.Sleep(*fullLoad)
		counts := c.graph.Counts()
		stop()

		use := float64(counts.Writes) / (perSecond * fullLoad.Seconds())
		throttled := float64(counts.Throttled) / float64(counts.Parts)
		t.Logf("%d writes in %s of full load: %.1f %% of the quota of 3,000 in 150 s (at least %.0f %%); %d of %d calls throttled: %.2f %% (below %.1f %%)",
			counts.Writes, *fullLoad, 100*use, 100*leastUse, counts.Throttled, counts.Parts, 100*throttled, 100*mostThrottle)
		if use < leastUse || throttled >= mostThrottle {
			t.Error("the write quota is not used as promised")
		}
	})
}

// calm is a tenant full of new users in which nothing goes wrong, and whose
// users all wait in the queue.
type calm struct {
	t     *testing.T
	graph *msgraphtest.Server
	*msgraphtest.Tenant
	tally *tally
	plant *plant
}

func newCalm(t *testing.T, users, workers int) *calm {
	c := &calm{t: t, tally: newTally()}
	c.graph = msgraphtest.New(msgraphtest.Options{
		Violation: func(v string) { t.Errorf("invariant broken: %s", v) },
		Record:    c.tally.record,
	})
	c.Tenant = c.graph.AddTenant(msgraphtest.TenantOptions{Domains: []msgraphtest.Domain{{Name: federatedDomain, Federated: true}}})
	secret := "loc8Q~" + rand.Text()
	app := c.AddApp(msgraphtest.AppOptions{
		Permissions: ourPermissions,
		Secrets:     []msgraphtest.Secret{{Text: secret}},
	})
	c.tally.app = app.ID()
	p, err := newPlant(plantConfig{
		tenant: c.ID(), client: app.ID(), secret: secret,
		vault:     &vault{secret: rand.Text()},
		transport: c.graph, notificationURL: "https://webhook.example/",
		policy:     policy,
		brakeLimit: 1_000_000,
		keepEvery:  24 * time.Hour, sweepEvery: 24 * time.Hour,
		workers: workers, batch: 100,
		timeout: time.Minute, visibility: 6 * time.Minute,
		outcomes: c.tally, receipts: c.tally,
		log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	c.plant = p
	c.enqueue(users)
	return c
}

func (c *calm) enqueue(users int) {
	requests := make([]stamp.Request, users)
	for n := range requests {
		id := c.AddUser(msgraphtest.NewUser{UPN: fmt.Sprintf("user%d@%s", n, federatedDomain)})
		requests[n] = stamp.Request{Tenant: c.ID(), User: id, Source: stamp.SourceSweep, Seen: time.Now()}
	}
	if err := (memory.Requests{Queue: c.plant.requests}).Enqueue(c.t.Context(), requests); err != nil {
		c.t.Fatal(err)
	}
}

// run starts the workers. The func it returns ends them, and the emulator.
func (c *calm) run() (stop func()) {
	ctx, cancel := context.WithCancel(c.t.Context())
	var workers sync.WaitGroup
	workers.Go(func() { c.plant.pollRequests(ctx) })
	return func() {
		cancel()
		workers.Wait()
		c.graph.Close()
	}
}

func (c *calm) stamped() int {
	n := 0
	for _, u := range c.Users() {
		if len(u.Revocations) == 1 {
			n++
		}
	}
	return n
}
