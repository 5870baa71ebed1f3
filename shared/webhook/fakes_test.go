package webhook_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/notification"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
	"github.com/sessionstamp/sessionstamp/shared/webhook"
)

const (
	tenant       = "84bd8158-6d4d-4958-8b9f-9d6445542f95"
	otherTenant  = "11111111-1111-4111-8111-111111111111"
	subscription = "7f105c7d-2dc5-4530-97cd-4e7ae6534c07"
	secret       = "s3cr3t-client-state"
	oldSecret    = "0ld-s3cr3t-client-state"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// userID returns the object id of the nth user.
func userID(n int) string { return fmt.Sprintf("0b7e5a0c-6f0e-4a1b-9c55-%012x", n) }

func request(user int) revocation.Request {
	return revocation.Request{Tenant: tenant, User: userID(user), Source: revocation.SourceNotification, Seen: noon}
}

// secrets is a Secrets that counts how often it is asked.
type secrets struct {
	current, previous string
	err               error

	mu    sync.Mutex
	asked int
}

func (s *secrets) ClientStates(context.Context) (string, string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	return s.current, s.previous, s.err
}

// queue is both queues of a handler in memory. It checks what the handler
// promises of everything it hands over.
type queue struct {
	t            testing.TB
	err          error         // what Enqueue returns
	lifecycleErr error         // what EnqueueLifecycle returns
	delay        time.Duration // how long each of them takes unless its context ends

	mu     sync.Mutex
	calls  [][]revocation.Request
	events [][]notification.Lifecycle
}

func (q *queue) Enqueue(ctx context.Context, requests []revocation.Request) error {
	users := make(map[string]bool, len(requests))
	for _, r := range requests {
		if err := r.Validate(); err != nil || users[r.User] {
			q.t.Errorf("queued %+v: %v (known already: %t)", r, err, users[r.User])
		}
		users[r.User] = true
	}
	if err := q.wait(ctx, q.err); err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.calls = append(q.calls, requests)
	return nil
}

func (q *queue) EnqueueLifecycle(ctx context.Context, events []notification.Lifecycle) error {
	for _, e := range events {
		if e.ClientState.Reveal() != "" {
			q.t.Error("queued an event with its clientState")
		}
	}
	if err := q.wait(ctx, q.lifecycleErr); err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.events = append(q.events, events)
	return nil
}

func (q *queue) wait(ctx context.Context, err error) error {
	if _, limited := ctx.Deadline(); !limited {
		q.t.Error("no time limit")
	}
	if q.delay == 0 {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(q.delay):
		return err
	}
}

// observer keeps the receipts.
type observer struct {
	mu       sync.Mutex
	receipts []webhook.Receipt
}

func (o *observer) ObserveReceipt(_ context.Context, r webhook.Receipt) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.receipts = append(o.receipts, r)
}

// house is a handler with all that it is wired to.
type house struct {
	handler  *webhook.Handler
	secrets  *secrets
	queue    *queue
	observer *observer
	log      *bytes.Buffer
}

// newHouse returns a handler whose clock stands still at noon.
func newHouse(t testing.TB) *house {
	t.Helper()
	h := &house{
		secrets:  &secrets{current: secret, previous: oldSecret},
		queue:    &queue{t: t},
		observer: &observer{},
		log:      &bytes.Buffer{},
	}
	handler, err := webhook.New(webhook.Config{
		Tenant:    tenant,
		Secrets:   h.secrets,
		Queue:     h.queue,
		Lifecycle: h.queue,
		Log:       slog.New(slog.NewJSONHandler(leaktest.Writer(t, h.log), &slog.HandlerOptions{Level: slog.LevelDebug})),
		Observer:  h.observer,
		Now:       func() time.Time { return noon },
	})
	if err != nil {
		t.Fatal(err)
	}
	h.handler = handler
	return h
}

// post sends a body and returns the status and the one receipt.
func (h *house) post(t *testing.T, body string) webhook.Receipt {
	t.Helper()
	answer := h.serve(httptest.NewRequest(http.MethodPost, "/graph", strings.NewReader(body)))
	receipt := h.receipt(t)
	if answer.Code != receipt.Status {
		t.Errorf("answered %d, but reported %d", answer.Code, receipt.Status)
	}
	if answer.Body.Len() != 0 {
		t.Errorf("answered with a body: %q", answer.Body)
	}
	return receipt
}

func (h *house) serve(r *http.Request) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	h.handler.ServeHTTP(answer, r)
	return answer
}

func (h *house) receipt(t *testing.T) webhook.Receipt {
	t.Helper()
	if len(h.observer.receipts) != 1 {
		t.Fatalf("%d receipts, want 1", len(h.observer.receipts))
	}
	return h.observer.receipts[0]
}

// item is a notification in JSON. Fields of the pairs replace those of a plain
// one or come on top.
func item(pairs ...string) string {
	fields := []string{
		"changeType", "updated",
		"clientState", secret,
		"resource", "Users/" + userID(1),
		"subscriptionId", subscription,
		"tenantId", tenant,
	}
	for i := 0; i < len(pairs); i += 2 {
		fields = set(fields, pairs[i], pairs[i+1])
	}
	var members []string
	for i := 0; i < len(fields); i += 2 {
		members = append(members, fmt.Sprintf("%q:%q", fields[i], fields[i+1]))
	}
	return "{" + strings.Join(members, ",") + "}"
}

func set(fields []string, name, value string) []string {
	for i := 0; i < len(fields); i += 2 {
		if fields[i] == name {
			fields[i+1] = value
			return fields
		}
	}
	return append(fields, name, value)
}

func ofUser(n int) string { return item("resource", "Users/"+userID(n)) }

func lifecycle(pairs ...string) string {
	return item(append([]string{"lifecycleEvent", "reauthorizationRequired"}, pairs...)...)
}

func collection(items ...string) string { return `{"value":[` + strings.Join(items, ",") + `]}` }
