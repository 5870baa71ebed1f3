package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/memory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/signal/signaltest"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

var burst = flag.Int("burst", 1000, "how many signals TestSignalBurst works off, 1,000 or more")

// TestSignalBurst lets a provider report many users at once, in any order, and works them off
// with two processes each and an answer of Graph in a fifth of a second. It measures who
// waits how long, and how long new users do who come meanwhile.
func TestSignalBurst(t *testing.T) {
	t.Parallel()
	const (
		newcomers   = 20
		mostWaiting = 3 * time.Minute
	)
	synctest.Test(t, func(t *testing.T) {
		b := newBurst(t, *burst)
		b.graph.Inject(msgraphtest.Fault{
			Match:   func(r msgraphtest.Request) bool { return r.Parts > 0 },
			Latency: 200 * time.Millisecond,
		})
		stop := b.run()
		refused := b.post()
		for range newcomers {
			b.comes()
			time.Sleep(time.Duration(*burst) * time.Second / 10 / newcomers) // the own changes take so long
		}
		b.idle()
		stop()

		last := b.last()
		t.Logf("%d signals at once, a POST each, in any order: %d users disabled, %d passwords reset by an administrator, %d changed by the user; %d refused",
			*burst, len(b.users[0]), len(b.users[1]), len(b.users[2]), refused)
		t.Logf("stamped after, in minutes: the last disabled user %.1f, the last reset %.1f, the last own change %.1f: %.1f times as long as the disabled",
			last[0].Minutes(), last[1].Minutes(), last[2].Minutes(), float64(last[2])/float64(last[0]))
		waits := b.waits()
		t.Logf("%d new users who came meanwhile waited %.0f s in the middle, %.0f s at most",
			len(waits), waits[len(waits)/2].Seconds(), waits[len(waits)-1].Seconds())
		t.Logf("%d requests to Graph, %.2f for each signal; %d calls throttled", b.tally.requests, float64(b.tally.requests)/float64(*burst), b.tally.throttle)
		if refused > 0 || b.stamped() != *burst+newcomers {
			t.Errorf("%d were refused, %d of %d stamped once", refused, b.stamped(), *burst+newcomers)
		}
		if max(last[0], last[1]) > last[2]/2 || waits[len(waits)-1] > mostWaiting {
			t.Errorf("disabled users, resets or new users waited behind the others: %s, %s", last, waits)
		}
	})
}

// A burstWorld is a calm tenant whose users are all reported by one webhook.
type burstWorld struct {
	*calm
	inlet  *inlet
	secret string
	began  time.Time
	// users were there before: those who are disabled, whose password an administrator has
	// reset, and who have changed their own. newcomers come meanwhile.
	users     [3][]string
	newcomers []string
}

func newBurst(t *testing.T, users int) *burstWorld {
	b := &burstWorld{calm: newCalm(t, 0, 2), secret: newSecret(), began: time.Now()}
	b.plant.config.brakeLimit = 1_000_000 // nobody is to be stopped
	b.plant.config.policy.EnforceSignals = true
	for n, id := range b.addStamped(users) {
		kind := max(0, n%10-7) // 0 to 7, 8, 9
		b.users[2-kind] = append(b.users[2-kind], id)
	}
	b.inlet = newInlet(b.plant, http.DefaultTransport)
	record := signal.Record{Kind: signal.KindWebhook, Domains: []string{federatedDomain}}
	if err := b.inlet.add(t.Context(), hookSource, record, signal.Credential{Secrets: []string{b.secret}}); err != nil {
		t.Fatal(err)
	}
	return b
}

// run starts stampers and resolvers. The func it returns ends them, and the emulator.
func (b *burstWorld) run() (stop func()) {
	ctx, cancel := context.WithCancel(b.t.Context())
	var workers sync.WaitGroup
	workers.Go(func() { b.inlet.run(ctx) })
	plant := b.calm.run()
	return func() {
		cancel()
		workers.Wait()
		plant()
	}
}

// post reports everybody, and returns how many POSTs were refused.
func (b *burstWorld) post() (refused int) {
	var bodies [][]byte
	for kind, users := range b.users {
		for _, id := range users {
			b.Report(id, b.began)
			body, err := json.Marshal(map[string]any{
				"type": happenings[2-kind].hook, "timestamp": b.began.UTC().Format(time.RFC3339),
				"data": map[string]any{"subject": map[string]string{"format": "object_id", "value": id}, "actor": "user"},
			})
			if err != nil {
				b.t.Fatal(err)
			}
			bodies = append(bodies, body)
		}
	}
	random := mathrand.New(mathrand.NewPCG(1, 2))
	random.Shuffle(len(bodies), func(i, j int) { bodies[i], bodies[j] = bodies[j], bodies[i] })
	sender := signaltest.Webhook{URL: signalURL + hookSource, Secrets: []string{b.secret}, HTTP: &http.Client{Transport: b.inlet}}
	for n, body := range bodies {
		if status, err := sender.Post(b.t.Context(), fmt.Sprint(n), body); err != nil || status != http.StatusNoContent {
			refused++
		}
	}
	return refused
}

// comes creates a user, and notifies as Graph would.
func (b *burstWorld) comes() {
	id := b.AddUser(msgraphtest.NewUser{UPN: fmt.Sprintf("new%d@%s", len(b.newcomers), federatedDomain)})
	b.newcomers = append(b.newcomers, id)
	request := stamp.Request{Tenant: b.ID(), User: id, Source: stamp.SourceNotification, Seen: time.Now().UTC()}
	if err := (memory.Requests{Queue: b.plant.requests}).Enqueue(b.t.Context(), []stamp.Request{request}); err != nil {
		b.t.Fatal(err)
	}
}

// idle waits until all queues are empty.
func (b *burstWorld) idle() {
	for b.inlet.urgent.Len()+b.inlet.others.Len()+b.plant.requests.Len() > 0 {
		time.Sleep(time.Second)
	}
}

// last is how long it took until the last user of each kind was stamped.
func (b *burstWorld) last() (last [3]time.Duration) {
	for kind, users := range b.users {
		for _, id := range users {
			u, _ := b.User(id)
			last[kind] = max(last[kind], u.Stamped.Sub(b.began))
		}
	}
	return last
}

// waits are the times from creation to stamp of those who came meanwhile, in order.
func (b *burstWorld) waits() (waits []time.Duration) {
	for _, id := range b.newcomers {
		u, _ := b.User(id)
		waits = append(waits, u.Stamped.Sub(u.Created))
	}
	slices.Sort(waits)
	return waits
}
