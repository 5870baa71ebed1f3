package job_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/job"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/signal/receiver"
	"github.com/sessionstamp/sessionstamp/shared/signal/resolver"
	"github.com/sessionstamp/sessionstamp/shared/signal/signaltest"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

var (
	source = strings.Repeat("5", 32)
	secret = "whsec_" + base64.StdEncoding.EncodeToString([]byte("a secret of thirty-two characters"))
)

// pipes are a network within a process, in virtual time.
type pipes struct {
	calls chan net.Conn
	once  sync.Once
	ended chan struct{}
}

func newPipes() *pipes { return &pipes{calls: make(chan net.Conn), ended: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.calls:
		return c, nil
	case <-p.ended:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.ended) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case p.calls <- there:
		return here, nil
	case <-p.ended:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// LookUp implements [resolver.Directory] for principal names.
func (p *process) LookUp(ctx context.Context, questions []directory.Question) ([]directory.Found, error) {
	found := make([]directory.Found, len(questions))
	return found, p.at(ctx, "lookUpUsers", func() {
		for i, q := range questions {
			for _, known := range p.people {
				if q.Property == directory.PropertyUPN && known.user.UserPrincipalName == q.Value {
					found[i].Users = []directory.User{known.see()}
				}
			}
		}
	})
}

// heard are what a watch tells of signals.
type heard struct {
	mu       sync.Mutex
	statuses map[int]int
	reasons  map[signal.Reason]int
	gaveUp   int
}

// listening lets a process listen, and tell.
func (p *process) listening(pipes *pipes, h *heard) *job.Listening {
	return &job.Listening{
		Listener: pipes, Source: source, Keys: receiver.HTTPS(http.DefaultTransport), Directory: p, Credential: signal.Credential{Secrets: []string{secret}},
		Record: signal.Record{Name: "watch", Kind: signal.KindWebhook, Domains: []string{federated}},
		Received: func(r receiver.Receipt) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.statuses[r.Status]++
		},
		Resolved: func(o resolver.Outcome) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.reasons[o.Reason]++
		},
		GaveUp: func() {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.gaveUp++
		},
	}
}

func newHeard() *heard {
	return &heard{statuses: make(map[int]int), reasons: make(map[signal.Reason]int)}
}

func (p *pipes) sender(secret string) signaltest.Webhook {
	return signaltest.Webhook{
		URL: "http://127.0.0.1/idp/" + source, Secrets: []string{secret}, Now: time.Now,
		HTTP: &http.Client{Transport: &http.Transport{DialContext: p.dial, DisableKeepAlives: true}},
	}
}

// report sends one event once.
func (w *world) report(pipes *pipes, id, kind, upn string, at time.Time) (int, error) {
	body, err := json.Marshal(map[string]any{
		"type": kind, "timestamp": at.UTC().Format(time.RFC3339),
		"data": map[string]any{"subject": map[string]string{"format": "upn", "value": upn}},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(w.t.Context(), 5*time.Second)
	defer cancel()
	return pipes.sender(secret).Post(ctx, id, body)
}

func enforcing(c *job.Config) { c.StampsPerDay, c.Policy.EnforceSignals = 5000, true }

func veteran(p *person) {
	p.user.Created = time.Now().Add(-1000 * time.Hour)
	p.user.SignInSessionsValidFrom = time.Now().Add(-500 * time.Hour).UTC().Truncate(time.Second)
}

// TestSignalOutlivesTheProcess: it is taken, and the process dies before it asks Graph
// anything; the next one stamps the user.
func TestSignalOutlivesTheProcess(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		id := w.add(veteran)
		p, network := w.start(enforcing), newPipes()
		stop := p.watch(job.WatchOptions{Listening: p.listening(network, newHeard())})
		synctest.Wait()
		status, err := w.report(network, "1", "user.disabled", w.people[id].user.UserPrincipalName, time.Now())
		p.kill()
		if err != nil || status != http.StatusNoContent {
			t.Fatalf("answered with %d, %v", status, err)
		}
		stop()
		w.want(0, id)

		p, network = w.start(enforcing), newPipes()
		defer p.end()
		stop = p.watch(job.WatchOptions{Listening: p.listening(network, newHeard())})
		time.Sleep(10 * time.Minute)
		stop()
		w.want(1, id)
	})
}

// TestWatchListensThroughDeathsAndABadDay: each user whose report was acknowledged has at last
// a stamp that is not older than it.
func TestWatchListensThroughDeathsAndABadDay(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			inWorld(t, func(t *testing.T, w *world) { listenTenTimes(t, w, seed) })
		})
	}
}

func listenTenTimes(t *testing.T, w *world, seed uint64) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 5))
	w.random, w.fault = rand.New(rand.NewPCG(seed, 6)), badDay
	ids, changed := w.addMany(300, veteran), make(map[string]time.Time)
	for range 10 {
		p, network := w.start(enforcing), newPipes()
		stop := p.watch(job.WatchOptions{Listening: p.listening(network, newHeard())})
		for range 30 {
			time.Sleep(time.Duration(random.Int64N(int64(5 * time.Second))))
			id := ids[random.IntN(len(ids))]
			if _, known := changed[id]; known {
				continue
			}
			now := time.Now()
			kind := []string{"user.password_changed", "user.password_reset", "user.disabled"}[random.IntN(3)]
			if status, err := w.report(network, id, kind, w.people[id].user.UserPrincipalName, now); err == nil && status == http.StatusNoContent {
				changed[id] = now.Truncate(time.Second)
			}
		}
		p.kill()
		stop()
		synctest.Wait()
	}
	p := w.start(enforcing)
	defer p.end()
	stop := p.watch(job.WatchOptions{Every: 10 * time.Minute, Listening: p.listening(newPipes(), newHeard())})
	time.Sleep(6 * time.Hour)
	stop()
	if len(changed) < 50 {
		t.Errorf("only %d reports were acknowledged", len(changed))
	}
	for _, id := range ids {
		switch at, known := changed[id]; {
		case !known:
			w.want(0, id)
		case w.people[id].user.SignInSessionsValidFrom.Before(at):
			t.Errorf("user %s has an older stamp than %s", id, at)
		}
	}
}

// TestWatchOnlyReports: without enforcement nobody is signed out; a stranger's domain, a wrong
// secret and another path are told.
func TestWatchOnlyReports(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		id, other := w.add(veteran), w.add(func(p *person) { veteran(p); p.user.UserPrincipalName = "x@" + managed })
		p, network := w.start(), newPipes()
		defer p.end()
		told, reasons := newHeard(), make(map[stamp.Reason]int)
		stop := p.watch(job.WatchOptions{Listening: p.listening(network, told), Observe: func(o stamp.Outcome) {
			told.mu.Lock()
			defer told.mu.Unlock()
			reasons[o.Reason]++
		}})
		synctest.Wait()
		for i, user := range []string{id, other} {
			if status, err := w.report(network, fmt.Sprint(i), "user.password_changed", w.people[user].user.UserPrincipalName, time.Now()); err != nil || status != http.StatusNoContent {
				t.Errorf("answered with %d, %v", status, err)
			}
		}
		sender := network.sender("whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 32)))
		if status, err := sender.Post(t.Context(), "3", []byte("{}")); err != nil || status != http.StatusUnauthorized {
			t.Errorf("a wrong secret was answered with %d, %v", status, err)
		}
		time.Sleep(10 * time.Minute)
		stop()
		w.want(0, id, other)
		if reasons[stamp.ReasonReported] != 1 || told.reasons[signal.SubjectForeignDomain] != 1 || told.statuses[http.StatusUnauthorized] != 1 {
			t.Errorf("%v, %v, %v", reasons, told.reasons, told.statuses)
		}
	})
}

// TestWatchGivesUpASignal: of one that nobody can resolve for a day no name stays.
func TestWatchGivesUpASignal(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		id := w.add(veteran)
		p, network, told := w.start(enforcing), newPipes(), newHeard()
		defer p.end()
		w.fault = func(_ *rand.Rand, call string) (before, after error) {
			if call == "lookUpUsers" {
				return lost(call), nil
			}
			return nil, nil
		}
		stop := p.watch(job.WatchOptions{Every: time.Hour, Listening: p.listening(network, told)})
		synctest.Wait()
		if status, err := w.report(network, "1", "user.password_changed", w.people[id].user.UserPrincipalName, time.Now()); err != nil || status != http.StatusNoContent {
			t.Errorf("answered with %d, %v", status, err)
		}
		time.Sleep(23 * time.Hour)
		before := told.gaveUp
		time.Sleep(2 * time.Hour)
		stop()
		if before != 0 || told.gaveUp != 1 {
			t.Errorf("given up %d, then %d times", before, told.gaveUp)
		}
	})
}

// TestWatchEndsWithItsListener: whoever no longer listens must not seem to.
func TestWatchEndsWithItsListener(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		p, network := w.start(), newPipes()
		defer p.end()
		time.AfterFunc(time.Minute, func() { _ = network.Close() })
		if err := p.engine.Watch(t.Context(), job.WatchOptions{Listening: p.listening(network, newHeard())}); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Watch: %v", err)
		}
	})
}
