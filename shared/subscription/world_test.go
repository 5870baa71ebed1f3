package subscription_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/memory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
	"github.com/sessionstamp/sessionstamp/shared/notification"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
	"github.com/sessionstamp/sessionstamp/shared/subscription"
	"github.com/sessionstamp/sessionstamp/shared/webhook"
)

const (
	tenantID = "84bd8158-6d4d-4958-8b9f-9d6445542f95"
	clientID = "5a3c1d52-1f0e-4c56-9d3f-6f0f8a1b2c3d"
	hookURL  = "https://hook.example/notify"
	lifeURL  = "https://hook.example/lifecycle"
	otherURL = "https://elsewhere.example/notify"
	fullLife = subscription.MaxLife
	// lapse is more than a lease.
	lapse = 4 * time.Minute
)

// A step is one call that the keeper makes, before or after it has taken effect.
type step struct {
	call  string
	after bool
}

func (s step) String() string {
	if s.after {
		return "after " + s.call
	}
	return "before " + s.call
}

// world is the emulator, a tenant in it, the real webhook, and a keeper.
type world struct {
	t      *testing.T
	server *msgraphtest.Server
	tenant *msgraphtest.Tenant
	app    *msgraphtest.App
	graph  *plainGraph
	store  *memory.Subscriptions
	config subscription.Config
	log    *bytes.Buffer

	watched string // the user whom somebody else's subscription is on
	// hook is called at every step, if it is not nil.
	hook func(context.Context, step) error
	// unreachable makes a firewall answer for the webhook.
	unreachable bool

	mu                sync.Mutex
	current, previous string
	asked             []sweep
	forgotten         []time.Time
	accepted          map[string]bool
	events            []notification.Lifecycle
	held              []notification.Lifecycle
	hired             int
	born              map[string]time.Time
	receipts          []webhook.Receipt
	reports           []subscription.Report
}

// sweep is one that was asked for.
type sweep struct {
	why       string
	since, at time.Time
}

// newWorld must be called within a bubble of synctest.
func newWorld(t *testing.T) *world {
	w := &world{t: t, current: "s3cr3t-1", accepted: map[string]bool{}, born: map[string]time.Time{}, store: new(memory.Subscriptions), log: new(bytes.Buffer)}
	w.server = msgraphtest.New(msgraphtest.Options{Notify: w})
	t.Cleanup(w.server.Close)
	w.tenant = w.server.AddTenant(msgraphtest.TenantOptions{
		ID: tenantID, Domains: []msgraphtest.Domain{{Name: "example.co.jp", Federated: true}}})
	w.app = w.tenant.AddApp(msgraphtest.AppOptions{
		ID: clientID, Permissions: []string{"User.Read.All"}, Secrets: []msgraphtest.Secret{{Text: "sub8Q~scription"}}})
	w.graph = w.client()
	w.config = subscription.Config{
		Tenant: tenantID, NotificationURL: hookURL, LifecycleURL: lifeURL, ClientID: clientID,
		Graph: steppedGraph{w.graph, w}, Store: steppedStore{w.store, w}, Sweeps: w, Secrets: w,
		Settings: subscription.DefaultSettings, Observer: w,
		Log: slog.New(slog.NewJSONHandler(leaktest.Writer(w.t, w.log), nil)), Now: time.Now,
	}
	w.watched = w.tenant.AddUser(msgraphtest.NewUser{UPN: "watched@example.co.jp"})
	w.addOther()
	return w
}

// addOther makes a subscription that nobody may touch: it watches one user.
func (w *world) addOther() {
	if !w.hasOther() {
		w.make(directory.Subscription{Resource: "users/" + w.watched, NotificationURL: otherURL}, "other")
	}
}

// fill makes n subscriptions more of that kind.
func (w *world) fill(n int) {
	for i := range n {
		user := w.tenant.AddUser(msgraphtest.NewUser{UPN: fmt.Sprintf("full%d@example.co.jp", i)})
		w.make(directory.Subscription{Resource: "users/" + user, NotificationURL: otherURL}, "other")
	}
}

func (w *world) hasOther() bool { return len(w.tenant.Subscriptions()) > len(w.ours()) }

func (w *world) client() *plainGraph {
	return &plainGraph{transport: w.server, tenant: tenantID, app: w.app.ID(), token: "sub8Q~scription"}
}

func (w *world) keeper() *subscription.Keeper {
	w.t.Helper()
	k, err := subscription.New(w.config)
	if err != nil {
		w.t.Fatal(err)
	}
	return k
}

// at lets the hook have its say.
func (w *world) at(ctx context.Context, call string, after bool) error {
	if w.hook == nil {
		return nil
	}
	return w.hook(ctx, step{call, after})
}

// stepped makes a call between its two steps.
func stepped[T any](ctx context.Context, w *world, call string, do func() (T, error)) (result T, err error) {
	if err := w.at(ctx, call, false); err != nil {
		return result, err
	}
	if result, err = do(); err != nil {
		return result, err
	}
	if err := w.at(ctx, call, true); err != nil {
		var none T
		return none, err
	}
	return result, nil
}

type steppedGraph struct {
	subscription.Graph
	w *world
}

func (g steppedGraph) Subscriptions(ctx context.Context) ([]directory.Subscription, error) {
	return stepped(ctx, g.w, "list", func() ([]directory.Subscription, error) { return g.Graph.Subscriptions(ctx) })
}

func (g steppedGraph) CreateSubscription(ctx context.Context, s directory.Subscription, clientState string) (directory.Subscription, error) {
	return stepped(ctx, g.w, "create", func() (directory.Subscription, error) {
		return g.Graph.CreateSubscription(ctx, s, clientState)
	})
}

func (g steppedGraph) RenewSubscription(ctx context.Context, id string, expires time.Time) (directory.Subscription, error) {
	return stepped(ctx, g.w, "renew", func() (directory.Subscription, error) { return g.Graph.RenewSubscription(ctx, id, expires) })
}

func (g steppedGraph) DeleteSubscription(ctx context.Context, id string) error {
	_, err := stepped(ctx, g.w, "delete", func() (struct{}, error) { return struct{}{}, g.Graph.DeleteSubscription(ctx, id) })
	return err
}

type steppedStore struct {
	subscription.Store
	w *world
}

func (s steppedStore) Record(ctx context.Context, tenant string) (subscription.Record, error) {
	return stepped(ctx, s.w, "read record", func() (subscription.Record, error) { return s.Store.Record(ctx, tenant) })
}

func (s steppedStore) SaveRecord(ctx context.Context, record subscription.Record) error {
	_, err := stepped(ctx, s.w, "save record", func() (struct{}, error) { return struct{}{}, s.Store.SaveRecord(ctx, record) })
	return err
}

// AskForSweep implements subscription.Sweeps.
func (w *world) AskForSweep(ctx context.Context, tenant, why string, since time.Time) error {
	if tenant != tenantID || why == "" {
		w.t.Errorf("a sweep of %q was asked for because of %q", tenant, why)
	}
	_, err := stepped(ctx, w, "ask for sweep", func() (struct{}, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.asked = append(w.asked, sweep{why, since, time.Now()})
		return struct{}{}, nil
	})
	return err
}

// ForgetSince implements subscription.Sweeps.
func (w *world) ForgetSince(ctx context.Context, tenant string) error {
	if tenant != tenantID {
		w.t.Errorf("the sweep of %q was to forget", tenant)
	}
	_, err := stepped(ctx, w, "forget since", func() (struct{}, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.forgotten = append(w.forgotten, time.Now())
		return struct{}{}, nil
	})
	return err
}

// ClientStates implements subscription.Secrets; the webhook has its own.
func (w *world) ClientStates(ctx context.Context) (current, previous string, err error) {
	if err := w.at(ctx, "read secrets", false); err != nil {
		return "", "", err
	}
	return webhookSecrets{w}.ClientStates(ctx)
}

// ObserveKeeper implements subscription.Observer.
func (w *world) ObserveKeeper(_ context.Context, r subscription.Report) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reports = append(w.reports, r)
}

// rotate makes a new clientState current.
func (w *world) rotate() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.current, w.previous = w.current+"'", w.current
}

type webhookSecrets struct{ w *world }

func (s webhookSecrets) ClientStates(context.Context) (current, previous string, err error) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	return s.w.current, s.w.previous, nil
}

// RoundTrip is the internet as Graph sees it: our webhook, and an endpoint
// elsewhere that answers every handshake.
func (w *world) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Host != "hook.example" {
		return echo(req), nil
	}
	w.mu.Lock()
	unreachable := w.unreachable
	w.mu.Unlock()
	if unreachable {
		return &http.Response{StatusCode: http.StatusForbidden, Body: http.NoBody, Request: req}, nil
	}
	handler, err := webhook.New(webhook.Config{
		Tenant: tenantID, Secrets: webhookSecrets{w}, Queue: w, Lifecycle: w, Observer: w, Log: leaktest.Log(w.t)})
	if err != nil {
		return nil, err
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, req)
	return recorder.Result(), nil
}

func echo(req *http.Request) *http.Response {
	recorder := httptest.NewRecorder()
	recorder.Header().Set("Content-Type", "text/plain")
	fmt.Fprint(recorder, req.URL.Query().Get("validationToken"))
	return recorder.Result()
}

// Enqueue implements webhook.Queue.
func (w *world) Enqueue(_ context.Context, requests []revocation.Request) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range requests {
		w.accepted[r.User] = true
	}
	return nil
}

// EnqueueLifecycle implements webhook.LifecycleQueue.
func (w *world) EnqueueLifecycle(_ context.Context, events []notification.Lifecycle) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, events...)
	return nil
}

// ObserveReceipt implements webhook.Observer.
func (w *world) ObserveReceipt(_ context.Context, r webhook.Receipt) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.receipts = append(w.receipts, r)
}

// hire creates a user, of whom Graph tells whoever listens.
func (w *world) hire() {
	w.mu.Lock()
	w.hired++
	n := w.hired
	w.mu.Unlock()
	now := time.Now()
	id := w.tenant.AddUser(msgraphtest.NewUser{UPN: fmt.Sprintf("user%d@example.co.jp", n), Notify: true})
	w.mu.Lock()
	w.born[id] = now
	w.mu.Unlock()
}

// make puts a subscription into Graph behind the keeper's back.
func (w *world) make(s directory.Subscription, clientState string) string {
	w.t.Helper()
	if s.Resource == "" {
		s.Resource = "users"
	}
	if s.ChangeType == "" {
		s.ChangeType = "updated"
	}
	if s.NotificationURL == "" {
		s.NotificationURL = hookURL
	}
	s.Expires = time.Now().Add(fullLife - time.Hour)
	made, err := w.graph.CreateSubscription(w.t.Context(), s, clientState)
	if err != nil {
		w.t.Fatal(err)
	}
	return made.ID
}

// remember makes the record name a subscription that has been well until now.
func (w *world) remember(id, clientState string) {
	w.t.Helper()
	record := w.record()
	now := time.Now().UTC()
	record.SubscriptionID, record.ClientState = id, digest(clientState)
	record.Began, record.Since, record.Checked, record.Renewed = now, now, now, now
	record.Expires = now.Add(fullLife - time.Hour)
	if err := w.store.SaveRecord(w.t.Context(), record); err != nil {
		w.t.Fatal(err)
	}
}

func digest(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

func (w *world) record() subscription.Record {
	w.t.Helper()
	record, err := w.store.Record(w.t.Context(), tenantID)
	if err != nil {
		w.t.Fatal(err)
	}
	return record
}

// keep runs the keeper once, which must succeed.
func (w *world) keep() subscription.Report {
	w.t.Helper()
	report, err := w.keeper().Keep(w.t.Context())
	if err != nil {
		w.t.Fatalf("Keep: %v", err)
	}
	return report
}

// keepUntilQuiet runs the keeper until there is nothing more to do.
func (w *world) keepUntilQuiet() {
	w.t.Helper()
	for range 4 {
		if report := w.keep(); len(report.Done) == 0 && !report.Busy() {
			return
		}
		time.Sleep(time.Second)
	}
	w.t.Error("the keeper does not come to rest")
}

// ours are the subscriptions on all users that there are.
func (w *world) ours() []msgraphtest.SubscriptionState {
	var ours []msgraphtest.SubscriptionState
	for _, s := range w.tenant.Subscriptions() {
		if !strings.HasPrefix(s.Resource, "users/") {
			ours = append(ours, s)
		}
	}
	return ours
}

// checkQuiet checks what must be true once the keeper rests.
func (w *world) checkQuiet() {
	w.t.Helper()
	synctest.Wait()
	ours, record := w.ours(), w.record()
	if len(ours) != 1 {
		w.t.Fatalf("%d subscriptions on users, want one: %+v", len(ours), ours)
	}
	if !w.hasOther() {
		w.t.Error("a subscription that is not ours was touched")
	}
	s := ours[0]
	if s.ChangeType != "updated" || s.NotificationURL != hookURL || s.LifecycleURL != lifeURL || s.ClientState != w.current {
		w.t.Errorf("the subscription is not as wanted: %+v", s)
	}
	if left := time.Until(s.Expires); left < fullLife/2 {
		w.t.Errorf("the subscription has only %s left", left)
	}
	if record.SubscriptionID != s.ID || record.ClientState != digest(w.current) || !record.Expires.Equal(s.Expires) {
		w.t.Errorf("the record %+v is not true of %+v", record, s)
	}
	if record.NotificationURL != hookURL || record.LifecycleURL != lifeURL {
		w.t.Errorf("the record %+v does not tell how %+v was made", record, s)
	}
	if record.Holder != "" || !record.HeldUntil.IsZero() || !record.Challenged.IsZero() || !record.TakenDown.IsZero() {
		w.t.Errorf("the record %+v is not at rest", record)
	}
	if record.Since.IsZero() || record.Began.IsZero() || record.Since.Before(record.Began) || record.Checked.Before(record.Since) {
		w.t.Errorf("the record's times are not in order: %+v", record)
	}
	w.checkNobodyLost()
}

// checkQuietAfter also checks how many sweeps were asked for until then.
func (w *world) checkQuietAfter(asks int) {
	w.t.Helper()
	if w.checkQuiet(); len(w.asked) != asks {
		w.t.Errorf("sweeps were asked for: %+v, want %d", w.asked, asks)
	}
}

// checkNobodyLost checks that of every user who was hired the webhook has heard,
// or a sweep was asked for that will find him.
func (w *world) checkNobodyLost() {
	w.t.Helper()
	for id, born := range w.born {
		if !w.accepted[id] && !w.swept(born) {
			w.t.Errorf("a user hired at %s was neither notified nor swept for: %+v", born.Format(time.TimeOnly), w.asked)
		}
	}
}

func (w *world) swept(born time.Time) bool {
	for _, s := range w.asked {
		if !s.since.After(born) && !s.at.Before(born) {
			return true
		}
	}
	return false
}

// drain takes the lifecycle events that have arrived.
func (w *world) drain() []notification.Lifecycle {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	events := w.events
	w.events = nil
	return events
}
