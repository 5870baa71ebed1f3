package keeper_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/keeper"
	"github.com/sessionstamp/sessionstamp/shared/state"
)

const (
	tenant  = "84bd8158-6d4d-4958-8b9f-9d6445542f95"
	hookURL = "https://hook.example.com/graph"
)

// errStruck is what a call fails with that a test has struck.
var errStruck = errors.New("struck")

// subscription is one in the fake of Graph.
type subscription struct {
	directory.Subscription
	clientState string
	listed      time.Time // when the list shows it
}

// world is Graph's subscriptions, the store, the sweeps and the secret of one tenant. It
// judges: it refuses what Graph refuses, and counts every call by name.
type world struct {
	t      testing.TB
	config keeper.Config

	mu      sync.Mutex
	subs    []subscription
	made    int
	listLag time.Duration
	slow    time.Duration // how long CreateSubscription takes
	item    state.Item[keeper.Record]
	sweeps  int
	others  sync.WaitGroup // runs beside the test's own
	state   string
	calls   []string
	reports []keeper.Report
	log     bytes.Buffer
	// hook is asked before and after each call, by its name; an error of before keeps
	// the call from taking effect, one of after is what its caller gets all the same.
	before, after func(call string) error
}

// story runs a test in virtual time.
func story(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	t.Parallel()
	storyNow(t, test)
}

// storyNow is story for a test that others wait for.
func storyNow(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, state: "state-1"}
		w.config = keeper.Config{
			Tenant: tenant, NotificationURL: hookURL, ClientID: "c11e47",
			Graph: w, Secrets: w, Store: w, Sweeps: w, Observer: w,
			Log: slog.New(slog.NewTextHandler(&w.log, nil)), Now: time.Now,
		}
		test(t, w)
	})
}

func (w *world) keeper() *keeper.Keeper { return keeper.New(w.config) }

func (w *world) keep() keeper.Report {
	w.t.Helper()
	report, err := w.keeper().Keep(w.t.Context())
	if err != nil {
		w.t.Fatalf("Keep: %v", err)
	}
	return report
}

func (w *world) setUp() keeper.Report {
	w.t.Helper()
	report, err := w.keeper().SetUp(w.t.Context())
	if err != nil {
		w.t.Fatalf("SetUp: %v", err)
	}
	return report
}

// call does something under its name, unless the hooks object.
func (w *world) call(name string, do func() error) error {
	if w.before != nil {
		if err := w.before(name); err != nil {
			return err
		}
	}
	w.mu.Lock()
	w.calls = append(w.calls, name)
	err := do()
	w.mu.Unlock()
	if err == nil && w.after != nil {
		return w.after(name)
	}
	return err
}

// count is how often a call took effect.
func (w *world) count(name string) int {
	n := 0
	for _, call := range w.calls {
		if call == name {
			n++
		}
	}
	return n
}

func refusal(operation string, status int, code, message string) error {
	return &directory.Error{Operation: operation, StatusCode: status, Code: code, Message: message, NotDone: true}
}

// live are the subscriptions whose time has not run out.
func (w *world) live() []subscription {
	return slices.DeleteFunc(slices.Clone(w.subs), func(s subscription) bool { return !s.Expires.After(time.Now()) })
}

func (w *world) find(id string) int {
	return slices.IndexFunc(w.subs, func(s subscription) bool { return s.ID == id && s.Expires.After(time.Now()) })
}

func (w *world) Subscriptions(context.Context) (list []directory.Subscription, err error) {
	err = w.call("list", func() error {
		for _, s := range w.live() {
			if !s.listed.After(time.Now()) {
				list = append(list, s.Subscription)
			}
		}
		return nil
	})
	return list, err
}

func (w *world) CreateSubscription(_ context.Context, s directory.Subscription, clientState string) (got directory.Subscription, err error) {
	time.Sleep(w.slow)
	err = w.call("create", func() error {
		if most := time.Now().Add(keeper.MaxLife); s.Expires.After(most) {
			return refusal("createSubscription", 400, "InvalidRequest", "Subscription expiration is too far in the future.")
		}
		if clientState == "" || s.ChangeType != "updated" || s.Resource != "users" || s.NotificationURL == "" {
			w.t.Errorf("created %+v with clientState %q", s, clientState)
		}
		for _, other := range w.live() {
			if other.Resource == s.Resource && other.ChangeType == s.ChangeType {
				return refusal("createSubscription", 409, "ObjectIdentifierInUse", "Subscription Id <"+other.ID+"> already exists for the requested combination")
			}
		}
		w.made++
		s.ID = fmt.Sprintf("%08d-0000-4000-8000-000000000000", w.made)
		w.subs = append(w.subs, subscription{s, clientState, time.Now().Add(w.listLag)})
		got = s
		return nil
	})
	return got, err
}

func (w *world) RenewSubscription(_ context.Context, id string, expires time.Time) (got directory.Subscription, err error) {
	err = w.call("renew", func() error {
		i := w.find(id)
		if i < 0 {
			return refusal("updateSubscription", 404, "ResourceNotFound", "")
		}
		w.subs[i].Expires = expires
		got = w.subs[i].Subscription
		return nil
	})
	return got, err
}

func (w *world) DeleteSubscription(_ context.Context, id string) error {
	return w.call("delete", func() error {
		i := w.find(id)
		if i < 0 {
			return refusal("deleteSubscription", 404, "ResourceNotFound", "")
		}
		w.subs = slices.Delete(w.subs, i, i+1)
		return nil
	})
}

func (w *world) ClientState(context.Context, bool) (state string, err error) {
	err = w.call("secret", func() error { state = w.state; return nil })
	return state, err
}

func (w *world) Ask(_ context.Context, id string) error {
	return w.call("sweep", func() error {
		if id != tenant || len(w.live()) == 0 {
			w.t.Errorf("asked for a sweep of %s with %d subscriptions", id, len(w.live()))
		}
		w.sweeps++
		return nil
	})
}

func (w *world) Load(context.Context, string) (item state.Item[keeper.Record], err error) {
	err = w.call("load", func() error { item = w.item; return nil })
	return item, err
}

func (w *world) Save(_ context.Context, _ string, i state.Item[keeper.Record]) (state.Item[keeper.Record], error) {
	err := w.call("save", func() error {
		if i.Version != w.item.Version {
			return state.ErrConflict
		}
		i.Version++
		w.item = i
		return nil
	})
	return i, err
}

func (w *world) ObserveKeeper(_ context.Context, r keeper.Report) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reports = append(w.reports, r)
}

// healthy checks that there is one subscription, that it is the one in the record, with
// our URL and clientState, and that no sweep is owed.
func (w *world) healthy() {
	w.t.Helper()
	live, record := w.live(), w.item.Doc
	if len(live) != 1 {
		w.t.Fatalf("%d subscriptions, want 1; calls: %s", len(live), strings.Join(w.calls, " "))
	}
	s := live[0]
	if s.ID != record.ID || s.NotificationURL != w.config.NotificationURL || s.clientState != w.state || !record.Expires.Equal(s.Expires) {
		w.t.Errorf("subscription %+v, record %+v", s, record)
	}
	if record.SweepOwed || !record.Claimed.IsZero() || record.TakenDown {
		w.t.Errorf("unfinished record: %+v", record)
	}
}

// strike makes the nth call of a name fail, before or after it takes effect.
func (w *world) strike(name string, nth int, after bool) {
	n := 0
	hook := func(call string) error {
		if call == name {
			if n++; n == nth {
				return errStruck
			}
		}
		return nil
	}
	w.before, w.after = hook, nil
	if after {
		w.before, w.after = nil, hook
	}
}
