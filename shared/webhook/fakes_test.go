package webhook_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/webhook"
)

const (
	tenant       = "84bd8158-6d4d-4958-8b9f-9d6445542f95"
	otherTenant  = "11111111-1111-4111-8111-111111111111"
	subscription = "7f105c7d-2dc5-4530-97cd-4e7ae6534c07"
	secret       = "s3cr3t-client-state"
	newSecret    = "n3w-s3cr3t-client-state"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// userID returns the object id of the nth user.
func userID(n int) string { return fmt.Sprintf("0b7e5a0c-6f0e-4a1b-9c55-%012x", n) }

func request(user int) stamp.Request {
	return stamp.Request{Tenant: tenant, User: userID(user), Source: stamp.SourceNotification, Seen: noon}
}

// secrets is a Secrets that counts how often it is asked. What is fresh becomes what is
// cached.
type secrets struct {
	mu            sync.Mutex
	cached, fresh string
	err, freshErr error
	asked, anew   int
}

func (s *secrets) ClientState(_ context.Context, fresh bool) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !fresh {
		s.asked++
		return s.cached, s.err
	}
	s.anew++
	if s.freshErr == nil {
		s.cached = s.fresh
	}
	return s.fresh, s.freshErr
}

// queue checks what the handler promises of everything it hands over.
type queue struct {
	t     testing.TB
	err   error
	delay time.Duration // how long Enqueue takes unless its context ends

	mu    sync.Mutex
	calls [][]stamp.Request
}

func (q *queue) Enqueue(ctx context.Context, requests []stamp.Request) error {
	users := make(map[string]bool, len(requests))
	for _, r := range requests {
		if err := r.Validate(); err != nil || users[r.User] {
			q.t.Errorf("queued %+v: %v (known already: %t)", r, err, users[r.User])
		}
		users[r.User] = true
	}
	if _, limited := ctx.Deadline(); !limited {
		q.t.Error("no time limit")
	}
	if q.delay > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(q.delay):
		}
	}
	if q.err != nil {
		return q.err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.calls = append(q.calls, requests)
	return nil
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
	now      time.Time
}

// newHouse returns a handler whose clock stands still at noon.
func newHouse(t testing.TB) *house {
	t.Helper()
	h := &house{
		secrets: &secrets{cached: secret, fresh: secret},
		queue:   &queue{t: t}, observer: &observer{}, log: &bytes.Buffer{}, now: noon,
	}
	h.handler = webhook.New(webhook.Config{
		Tenant: tenant, Secrets: h.secrets, Queue: h.queue, Observer: h.observer,
		Log: slog.New(slog.NewJSONHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Now: func() time.Time { return h.now },
	})
	return h
}

// post sends a body as JSON and returns the receipt.
func (h *house) post(t *testing.T, body string) webhook.Receipt {
	t.Helper()
	req := httptest.NewRequest(http.MethodPost, "/graph", strings.NewReader(body))
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	return h.send(t, req)
}

func (h *house) send(t *testing.T, req *http.Request) webhook.Receipt {
	t.Helper()
	answer, before := h.serve(req), len(h.observer.receipts)-1
	if before < 0 {
		t.Fatal("no receipt")
	}
	receipt := h.observer.receipts[before]
	if answer.Code != receipt.Status || answer.Body.Len() != 0 {
		t.Errorf("answered %d %q, but reported %d", answer.Code, answer.Body, receipt.Status)
	}
	return receipt
}

func (h *house) serve(r *http.Request) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	h.handler.ServeHTTP(answer, r)
	return answer
}

// item is a notification in JSON. Fields of the pairs replace those of a plain one or
// come on top.
func item(pairs ...string) string {
	fields := []string{"changeType", "updated", "clientState", secret, "resource", "Users/" + userID(1), "subscriptionId", subscription, "tenantId", tenant}
	var members []string
	for i := 0; i < len(pairs); i += 2 {
		members = append(members, fmt.Sprintf("%q:%q", pairs[i], pairs[i+1]))
	}
	for i := 0; i < len(fields); i += 2 {
		if !contains(pairs, fields[i]) {
			members = append(members, fmt.Sprintf("%q:%q", fields[i], fields[i+1]))
		}
	}
	return "{" + strings.Join(members, ",") + "}"
}

func contains(pairs []string, name string) bool {
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i] == name {
			return true
		}
	}
	return false
}

func ofUser(n int) string { return item("resource", "Users/"+userID(n)) }

func lifecycle(pairs ...string) string {
	return item(append([]string{"lifecycleEvent", "reauthorizationRequired"}, pairs...)...)
}

func collection(items ...string) string { return `{"value":[` + strings.Join(items, ",") + `]}` }

// fixture reads a wire sample.
func fixture(t testing.TB, name string) string {
	t.Helper()
	body, err := os.ReadFile("testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
