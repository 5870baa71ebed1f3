package sweep_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

const (
	tenant = "7e000000-0000-4000-8000-000000000001"
	// canary stands in every user principal name and must be in no log record and no
	// error.
	canary = "canary-4711"
	window = 72 * time.Hour
)

func userID(n int) string { return fmt.Sprintf("05e40000-0000-4000-8000-%012d", n) }

func userIDs(numbers ...int) []string {
	ids := []string{}
	for _, n := range numbers {
		ids = append(ids, userID(n))
	}
	return ids
}

// A world is a tenant, a store and a queue, in virtual time.
type world struct {
	t      testing.TB
	steps  steps
	graph  *fakeGraph
	queue  *fakeQueue
	store  *fakeStore
	brake  *fakeBrake
	config sweep.Config
	log    bytes.Buffer
	seen   []sweep.Report
}

// play runs a test in a bubble, whose time is its own.
func play(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		test(t, w)
		if strings.Contains(w.log.String(), canary) {
			t.Errorf("the log names somebody:\n%s", w.log.String())
		}
	})
}

func newWorld(t testing.TB) *world {
	w := &world{t: t, steps: steps{calls: make(map[string]int)}}
	w.graph = &fakeGraph{
		t: t, steps: &w.steps, pageSize: 3,
		users: make(map[string]directory.User), links: make(map[string]bool),
	}
	w.queue = &fakeQueue{t: t, steps: &w.steps}
	w.store, w.brake = &fakeStore{steps: &w.steps}, &fakeBrake{steps: &w.steps}
	w.config = sweep.Config{
		Tenant: tenant, Graph: w.graph, Queue: w.queue, Store: w.store, Brake: w.brake,
		Policy:   stamp.Policy{NewUserWindow: window},
		Observer: w, Log: slog.New(slog.NewJSONHandler(&w.log, nil)), Now: time.Now,
	}
	return w
}

func (w *world) ObserveSweep(_ context.Context, r sweep.Report) { w.seen = append(w.seen, r) }

// user makes a new member in scope without a stamp, changed by each change.
func (w *world) user(n int, change ...func(*directory.User)) {
	u := directory.User{
		ID:                userID(n),
		UserPrincipalName: fmt.Sprintf("%s-%d@federated.example", canary, n),
		UserType:          "Member",
		Created:           time.Now().UTC(),
	}
	for _, c := range change {
		c(&u)
	}
	w.graph.put(u)
}

func (w *world) change(n int, change func(*directory.User)) {
	u := w.graph.users[userID(n)]
	change(&u)
	w.graph.put(u)
}

func stamped(u *directory.User) { u.SignInSessionsValidFrom = u.Created.Add(time.Second) }

func old(u *directory.User) { u.Created = u.Created.Add(-window - time.Second) }

func managed(u *directory.User) { u.UserPrincipalName = canary + "@managed.example" }

func guest(u *directory.User) { u.UserType = "Guest" }

// sweeper makes the Sweeper of a fresh process.
func (w *world) sweeper() *sweep.Sweeper {
	w.t.Helper()
	c := w.config
	if c.Domains == nil {
		c.Domains = stamp.NewDomains(fakeDomains{&w.steps})
	}
	return sweep.New(c)
}

// try runs a process, which may fail or die.
func (w *world) try(ctx context.Context, o sweep.Order) (report sweep.Report, err error) {
	defer func() {
		if p := recover(); p != nil {
			if p != any(errDeath) {
				panic(p)
			}
			err = errDeath
		}
		if err != nil && strings.Contains(err.Error(), canary) {
			w.t.Errorf("the error names somebody: %v", err)
		}
	}()
	return w.sweeper().Run(ctx, o)
}

// run runs a process that must finish.
func (w *world) run() sweep.Report {
	w.t.Helper()
	return w.order(sweep.OrderUsual)
}

func (w *world) order(o sweep.Order) sweep.Report {
	w.t.Helper()
	report, err := w.try(w.t.Context(), o)
	if err != nil || !report.Finished {
		w.t.Fatalf("Run = %+v, %v; want it to finish", report, err)
	}
	return report
}

func (w *world) ask() {
	w.t.Helper()
	if err := (sweep.Asker{Store: w.store}).Ask(w.t.Context(), tenant); err != nil {
		w.t.Fatalf("Ask: %v", err)
	}
}

// called returns the calls since the last time, without those of the stores.
func (w *world) called() map[string]int {
	calls := maps.Clone(w.steps.calls)
	clear(w.steps.calls)
	delete(calls, "State")
	delete(calls, "Load")
	delete(calls, "Save")
	return calls
}

func (w *world) expectCalls(want map[string]int) {
	w.t.Helper()
	if diff := cmp.Diff(want, w.called()); diff != "" {
		w.t.Errorf("calls (-want +got):\n%s", diff)
	}
}

func (w *world) expectQueued(want ...int) {
	w.t.Helper()
	if diff := cmp.Diff(userIDs(want...), w.queue.drain()); diff != "" {
		w.t.Errorf("queued (-want +got):\n%s", diff)
	}
}

func expectCauses(t testing.TB, r sweep.Report, kind sweep.Kind, want ...sweep.Cause) {
	t.Helper()
	if r.Kind != kind || !slices.Equal(r.Causes, want) {
		t.Errorf("a run of kind %s, because of %v; want %s, %v", r.Kind, r.Causes, kind, want)
	}
}

// records are the log's.
func (w *world) records() []map[string]any {
	var all []map[string]any
	for d := json.NewDecoder(strings.NewReader(w.log.String())); d.More(); {
		var record map[string]any
		if err := d.Decode(&record); err != nil {
			w.t.Fatalf("read the log: %v", err)
		}
		all = append(all, record)
	}
	return all
}

// errGraph is a Graph that is down.
var errGraph = &directory.Error{Operation: "GET /users", StatusCode: 503, Code: "serviceUnavailable"}
