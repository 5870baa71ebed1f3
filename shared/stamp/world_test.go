package stamp_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/memory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

const (
	tenant = "7e000000-0000-4000-8000-000000000001"

	// canary stands in every user principal name and must not be found in any
	// log record or error.
	canary = "canary-4711"

	// functionTimeout is the time of one invocation, and visibility that of the
	// queue, as they are in a deployment.
	functionTimeout = 2 * time.Minute
	visibility      = 3 * time.Minute
	maxReceives     = 5
)

func userID(n int) string { return fmt.Sprintf("05e40000-0000-4000-8000-%012d", n) }

// A world is a tenant, a queue, a store, and the workers between them, in the
// virtual time of a synctest bubble.
type world struct {
	t        *testing.T
	start    time.Time
	steps    steps
	graph    *fakeGraph
	ledger   *fakeLedger
	queue    *memory.Queue
	brake    memory.State[stamp.BrakeState]
	limit    int
	observer *fakeObserver
	config   stamp.Config
	domains  []directory.Domain

	log     lockedBuffer
	dead    chan struct{} // a worker sends when it is killed
	over    chan struct{} // closed when nothing more is to come
	mu      sync.Mutex    // of domains and refused
	refused []error       // what Handle returned for requests that it did not finish
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, start: time.Now(), dead: make(chan struct{}), over: make(chan struct{})}
	w.queue = memory.NewQueue(memory.QueueOptions{Visibility: visibility, MaxReceives: maxReceives})
	w.graph = &fakeGraph{t: t, steps: &w.steps, lag: stamp.DefaultPolicy.ReplicationLag, users: make(map[string]*fakeUser)}
	w.ledger = &fakeLedger{Ledger: new(memory.Ledger), t: t, steps: &w.steps, reasons: make(map[stamp.Reason]bool)}
	w.observer = &fakeObserver{steps: &w.steps}
	w.domains = []directory.Domain{
		{Name: "federated.example", Federated: true, Verified: true},
		{Name: "managed.example", Verified: true},
	}
	w.config = stamp.Config{
		Tenant:    tenant,
		Directory: w.graph,
		Ledger:    w.ledger,
		Queue:     fakeQueue{memory.Requests{Queue: w.queue}, &w.steps},
		Policy:    policy(),
		Observer:  w.observer,
		Log:       slog.New(slog.NewJSONHandler(&w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Now:       func() time.Time { return time.Now().UTC() },
	}
	t.Cleanup(func() {
		close(w.over)
		w.checkErrors()
	})
	return w
}

// checkErrors checks that no user principal name reached an error or the log.
func (w *world) checkErrors() {
	if strings.Contains(w.log.String(), canary) {
		w.t.Errorf("the log names a user:\n%s", w.log.String())
	}
	for _, err := range w.refused {
		if strings.Contains(err.Error(), canary) {
			w.t.Errorf("an error names a user: %v", err)
		}
	}
}

// user adds a new user in scope, and lets change make another one of it.
func (w *world) user(n int, change ...func(*fakeUser)) *fakeUser {
	u := &fakeUser{User: directory.User{
		ID:                userID(n),
		UserPrincipalName: fmt.Sprintf("%s-%d@federated.example", canary, n),
		UserType:          "Member",
		Created:           w.start.Add(-time.Second).UTC(),
		StampKnown:        true,
	}}
	for _, c := range change {
		c(u)
	}
	w.graph.users[u.ID] = u
	return u
}

// request is a notification of user n that comes in at the given time.
func (w *world) request(n int, after time.Duration) stamp.Request {
	return stamp.Request{
		Tenant: tenant,
		User:   userID(n),
		Source: stamp.SourceNotification,
		Seen:   w.start.Add(after).UTC(),
	}
}

// notify lets notifications of user n arrive at the given times.
func (w *world) notify(n int, after ...time.Duration) {
	for _, d := range after {
		w.send(w.request(n, d), d)
	}
}

// send puts a request into the queue.
func (w *world) send(r stamp.Request, delay time.Duration) {
	body, err := json.Marshal(r)
	if err != nil {
		w.t.Fatalf("encode %v: %v", r, err)
	}
	w.sendBody(body, delay)
}

func (w *world) sendBody(body []byte, delay time.Duration) {
	if err := w.queue.Send(w.t.Context(), body, delay); err != nil {
		w.t.Fatalf("send: %v", err)
	}
}

// entry is what the ledger holds of user n.
func (w *world) entry(n int) stamp.Entry { return w.entryOf(userID(n)) }

func (w *world) entryOf(id string) stamp.Entry {
	entries, err := w.ledger.Ledger.Entries(w.t.Context(), tenant, []string{id})
	if err != nil {
		w.t.Fatalf("read the ledger: %v", err)
	}
	return entries[id]
}

// newStamper makes the Stamper of a fresh process.
func (w *world) newStamper() *stamp.Stamper {
	w.mu.Lock()
	c := w.config
	w.mu.Unlock()
	c.Domains = stamp.NewDomains(fakeDomains{w})
	c.Brake = stamp.NewBrake(fakeBrake{&w.brake, &w.steps}, w.limit)
	return stamp.New(c)
}

// aWeek is longer than anything is put back.
const aWeek = 7 * 24 * time.Hour

// run delivers messages, to one process after the other, until the queue is
// empty.
func (w *world) run() {
	ctx, cancel := context.WithTimeout(w.t.Context(), aWeek)
	defer cancel()
	for w.queue.Len() > 0 {
		messages, err := w.queue.Receive(ctx, 10)
		if err != nil {
			break
		}
		w.deliver(ctx, messages)
	}
	if n := w.queue.Len(); n > 0 {
		w.t.Errorf("%d messages are still in the queue after %s", n, aWeek)
	}
}

// death is what a worker panics with when it is told to.
type death struct{}

// deliver hands messages to a process of their own, which may die, and returns
// when it has ended or died. What it acknowledges is deleted.
func (w *world) deliver(ctx context.Context, messages []memory.Message) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer func() {
			if p := recover(); p != nil && p != any(death{}) {
				panic(p)
			}
		}()
		bodies := make([][]byte, len(messages))
		for i, m := range messages {
			bodies[i] = m.Body
		}
		call, cancel := context.WithTimeout(ctx, functionTimeout)
		defer cancel()
		for i, err := range w.newStamper().HandleMessages(call, bodies) {
			if err == nil {
				w.queue.Delete(messages[i])
				continue
			}
			w.mu.Lock()
			w.refused = append(w.refused, err)
			w.mu.Unlock()
		}
	}()
	select {
	case <-ended:
	case <-w.dead:
	}
}

// pause has a person pause, and resume.
func (w *world) pause(from, until time.Duration) {
	b := stamp.NewBrake(&w.brake, w.limit)
	time.AfterFunc(until, func() { _ = b.Resume(context.Background(), tenant) })
	if from == 0 { // before anything is handled
		_ = b.Pause(w.t.Context(), tenant, time.Now())
		return
	}
	time.AfterFunc(from, func() { _ = b.Pause(context.Background(), tenant, time.Now()) })
}

// failing makes a call fail, before or after its effect, until a time.
func (w *world) failing(call string, after bool, until time.Duration, err error) {
	earlier := w.steps.hook
	w.steps.hook = func(ctx context.Context, s step) error {
		if s == (step{call, after}) && time.Since(w.start) < until {
			return err
		}
		if earlier != nil {
			return earlier(ctx, s)
		}
		return nil
	}
}

// outcomes lists verdict and reason of every outcome of one user, of all users
// for an empty id, with repetitions left out.
func (w *world) outcomes(user string) []string {
	w.observer.mu.Lock()
	defer w.observer.mu.Unlock()
	var list []string
	for _, o := range w.observer.outcomes {
		line := fmt.Sprintf("%s %s", o.Verdict, o.Reason)
		if (user == "" || o.Request.User == user) && (len(list) == 0 || list[len(list)-1] != line) {
			list = append(list, line)
		}
	}
	return list
}

// lockedBuffer is a bytes.Buffer for many writers.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
