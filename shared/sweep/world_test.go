package sweep_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/memory"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

const (
	tenant = "7e000000-0000-4000-8000-000000000001"
	// canary stands in every user principal name and must be in no log record
	// and no error.
	canary = "canary-4711"
	// interval is the time between two runs.
	interval = 15 * time.Minute
)

func userID(n int) string { return fmt.Sprintf("05e40000-0000-4000-8000-%012d", n) }

// A world is a tenant, a store, a queue and a calendar that the test moves.
type world struct {
	t          testing.TB
	steps      steps
	graph      *fakeGraph
	queue      *fakeQueue
	store      *memory.Checkpoints
	ledger     *memory.Ledger
	subscribed time.Time
	config     sweep.Config
	log        lockedBuffer

	mu  sync.Mutex
	now time.Time
}

// newWorld makes a tenant whose subscription began just now.
func newWorld(t testing.TB) *world {
	w := &world{t: t, steps: steps{t: t}, now: time.Date(2026, time.November, 3, 9, 0, 0, 0, time.UTC)}
	w.subscribed = w.now
	w.graph = &fakeGraph{
		t: t, steps: &w.steps, now: w.clock, pageSize: 3,
		users: make(map[string]directory.User), created: make(map[string]time.Time), links: make(map[string]bool),
	}
	w.queue = &fakeQueue{t: t, steps: &w.steps, now: w.clock, backfilled: make(map[string]time.Time)}
	w.store, w.ledger = new(memory.Checkpoints), new(memory.Ledger)
	w.config = sweep.Config{
		Tenant:     tenant,
		Graph:      w.graph,
		Domains:    revocation.NewDomainCache(fakeDomains{&w.steps}, revocation.DefaultDomainSettings),
		Store:      fakeStore{w.store, &w.steps},
		Queue:      w.queue,
		Subscribed: w.askSubscribed,
		Policy:     revocation.Policy{NewUserWindow: 24 * time.Hour, Backfill: revocation.DefaultBackfill},
		Backfill:   new(memory.Backfill),
		Held:       fakeHeld{w.ledger, &w.steps},
		Settings:   sweep.DefaultSettings,
		Log:        slog.New(slog.NewJSONHandler(leaktest.Writer(w.t, &w.log), nil)),
		Now:        w.clock,
	}
	return w
}

func (w *world) askSubscribed(ctx context.Context) (since time.Time, err error) {
	err = w.steps.at(ctx, "Subscribed", func() error { since = w.subscribed; return nil })
	return since, err
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// user makes a new member in scope without a stamp, changed by each change.
func (w *world) user(n int, change ...func(*directory.User)) string {
	u := directory.User{
		ID:                userID(n),
		UserPrincipalName: fmt.Sprintf("%s-%d@federated.example", canary, n),
		UserType:          "Member",
		Created:           w.clock(),
	}
	for _, c := range change {
		c(&u)
	}
	w.graph.put(u)
	return u.ID
}

// change changes a user there is.
func (w *world) change(id string, change func(*directory.User)) {
	w.graph.mu.Lock()
	u := w.graph.users[id]
	w.graph.mu.Unlock()
	change(&u)
	w.graph.put(u)
}

func stamped(u *directory.User) { u.SignInSessionsValidFrom = u.Created.Add(time.Second) }

func old(d time.Duration) func(*directory.User) {
	return func(u *directory.User) { u.Created = u.Created.Add(-d) }
}

// sweeper makes the Sweeper of a fresh process.
func (w *world) sweeper() *sweep.Sweeper {
	w.t.Helper()
	s, err := sweep.New(w.config)
	if err != nil {
		w.t.Fatalf("New: %v", err)
	}
	return s
}

// try runs a process, which may fail or die.
func (w *world) try() (report sweep.Report, err error) {
	defer func() {
		if p := recover(); p != nil {
			if p != any(errDeath) {
				panic(p)
			}
			err = errDeath
		}
		leaktest.Error(w.t, err)
	}()
	return w.sweeper().Run(w.t.Context())
}

// run runs a process that must finish.
func (w *world) run() sweep.Report {
	w.t.Helper()
	report, err := w.try()
	if err != nil || !report.Finished {
		w.t.Fatalf("Run = %+v, %v; want it to finish", report, err)
	}
	return report
}

// settle makes the tenant one that has been swept, with the confirming round
// done.
func (w *world) settle() {
	w.t.Helper()
	w.run()
	w.advance(interval)
	w.run()
	w.queue.drain()
}

func (w *world) ask(why string, since time.Time) {
	w.t.Helper()
	if err := (sweep.Asker{Store: w.store}).AskForSweep(w.t.Context(), tenant, why, since); err != nil {
		w.t.Fatalf("AskForSweep: %v", err)
	}
}

func (w *world) checkpoint() sweep.Checkpoint {
	w.t.Helper()
	c, err := w.store.Checkpoint(w.t.Context(), tenant)
	if err != nil {
		w.t.Fatalf("Checkpoint: %v", err)
	}
	return c
}

// hold lets n existing users wait for the backfill, the first being the newest.
func (w *world) hold(n int) []string {
	w.t.Helper()
	var ids []string
	for i := range n {
		e := revocation.Entry{
			Tenant: tenant, User: userID(7000 + i), State: revocation.StateHeld,
			Created: w.clock().Add(-time.Duration(1000+i) * time.Hour),
		}
		if err := w.ledger.Write(w.t.Context(), []revocation.Entry{e})[0]; err != nil {
			w.t.Fatalf("Write: %v", err)
		}
		ids = append(ids, e.User)
	}
	return ids
}

// queued lists the users in the queue, each once, and empties it.
func (w *world) queued() []string {
	ids := []string{}
	seen := make(map[string]bool)
	for _, d := range w.queue.drain() {
		if !seen[d.Request.User] {
			seen[d.Request.User] = true
			ids = append(ids, d.Request.User)
		}
	}
	return ids
}

// records are the log's.
func (w *world) records() []map[string]any {
	var all []map[string]any
	decoder := json.NewDecoder(strings.NewReader(w.log.String()))
	for decoder.More() {
		var record map[string]any
		if err := decoder.Decode(&record); err != nil {
			w.t.Fatalf("read the log: %v", err)
		}
		all = append(all, record)
	}
	return all
}

// errGraph is a Graph that is down.
var errGraph = &directory.Error{Operation: "GET /users", StatusCode: 503, Code: "serviceUnavailable"}

// errStore is a store that is down.
var errStore = errors.New("store is down")

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

// member adds a user who needs nothing, for the round to count.
func (w *world) member() {
	w.user(9000, func(u *directory.User) { u.SignInSessionsValidFrom = w.clock() })
}

// state changes how the backfill stands.
func (w *world) state(change func(*revocation.BackfillState)) {
	w.t.Helper()
	err := revocation.UpdateBackfill(w.t.Context(), w.config.Backfill, tenant, func(s revocation.BackfillState) revocation.BackfillState {
		change(&s)
		return s
	})
	if err != nil {
		w.t.Fatalf("UpdateBackfill: %v", err)
	}
}
