package msgraphtest

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// subscriber is a notification endpoint within the process. Its zero value
// passes the handshake and accepts every notification.
type subscriber struct {
	// shake answers the validation request; nil repeats the token.
	shake func(req *http.Request, token string) handshakeAnswer
	// status answers the nth POST of notifications, from 1; nil is always 202.
	status func(n int) int
	// delay passes before the answer to the nth POST; nil is none.
	delay func(n int) time.Duration

	mu     sync.Mutex
	shakes []*http.Request
	posts  []posted
}

// handshakeAnswer is what an endpoint makes of a validation request.
type handshakeAnswer struct {
	status            int
	contentType, body string
	delay             time.Duration
}

// posted is one POST of notifications as it arrived.
type posted struct {
	at     time.Time
	url    string
	header http.Header
	body   string
}

func (e *subscriber) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	answer := e.respond(req, string(body))
	select {
	case <-time.After(answer.delay):
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
	return &http.Response{
		StatusCode: answer.status,
		Header:     http.Header{"Content-Type": {answer.contentType}},
		Body:       io.NopCloser(strings.NewReader(answer.body)),
		Request:    req,
	}, nil
}

func (e *subscriber) respond(req *http.Request, body string) handshakeAnswer {
	e.mu.Lock()
	defer e.mu.Unlock()
	if token := req.URL.Query().Get("validationToken"); token != "" {
		e.shakes = append(e.shakes, req)
		if e.shake != nil {
			return e.shake(req, token)
		}
		return handshakeAnswer{status: http.StatusOK, contentType: "text/plain", body: token}
	}
	e.posts = append(e.posts, posted{at: time.Now(), url: req.URL.String(), header: req.Header, body: body})
	answer := handshakeAnswer{status: http.StatusAccepted}
	if e.status != nil {
		answer.status = e.status(len(e.posts))
	}
	if e.delay != nil {
		answer.delay = e.delay(len(e.posts))
	}
	return answer
}

// received are the POSTs so far.
func (e *subscriber) received() []posted {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]posted(nil), e.posts...)
}

// items are the notifications in all POSTs so far.
func (e *subscriber) items(t *testing.T) []map[string]any {
	t.Helper()
	var items []map[string]any
	for _, p := range e.received() {
		var collection struct{ Value []map[string]any }
		if err := json.Unmarshal([]byte(p.body), &collection); err != nil {
			t.Fatalf("the POST's body %s: %v", p.body, err)
		}
		items = append(items, collection.Value...)
	}
	return items
}

// bench is a tenant with one app, called at the level of handlers.
type bench struct {
	*Server
	tenant     *Tenant
	app        *App
	subscriber *subscriber
}

const (
	benchTenant = "84bd8158-6d4d-4958-8b9f-9d6445542f95"
	benchUser   = "0b7e5a0c-6f0e-4a1b-9c55-1d7f7f1f0a01"
	otherUser   = "0b7e5a0c-6f0e-4a1b-9c55-1d7f7f1f0a02"
	hookURL     = "https://hook.example/notify"
)

// newBench must be called within the bubble of a synctest where it is used
// there.
func newBench(t *testing.T, d Delivery) *bench {
	t.Helper()
	e := &subscriber{}
	s := New(Options{Delivery: d, Notify: e, Seed: 1})
	t.Cleanup(s.Close)
	tenant := s.AddTenant(TenantOptions{ID: benchTenant})
	return &bench{Server: s, tenant: tenant, app: tenant.AddApp(AppOptions{}), subscriber: e}
}

// call carries one call out as the app, so that these tests need no token.
func (b *bench) call(app *App, method, path string, body any) reply {
	c := &call{
		ctx: context.Background(), tenant: b.tenant, app: app, method: method,
		now: b.now(), host: "graph.microsoft.com",
	}
	path, query, _ := strings.Cut(strings.TrimPrefix(path, "/"), "?")
	c.path = strings.Split(path, "/")
	c.query, _ = url.ParseQuery(query)
	switch body := body.(type) {
	case nil:
	case string:
		c.body = []byte(body)
	default:
		c.body = mustJSON(body)
	}
	if refusal, ok := b.find(c); !ok {
		return refusal
	}
	return b.carryOut(c)
}

// properties are those of a good subscription, with changes; a nil value takes
// a property away.
func (b *bench) properties(changes map[string]any) map[string]any {
	p := map[string]any{
		"changeType":         "updated",
		"resource":           "/users",
		"notificationUrl":    hookURL,
		"clientState":        "s3cr3t-client-state",
		"expirationDateTime": b.now().Add(24 * time.Hour).UTC().Format(time.RFC3339),
	}
	for name, value := range changes {
		if p[name] = value; value == nil {
			delete(p, name)
		}
	}
	return p
}

// subscribe creates a subscription that must succeed.
func (b *bench) subscribe(t *testing.T, changes map[string]any) *subscriptionEntity {
	t.Helper()
	r := b.call(b.app, http.MethodPost, "/subscriptions", b.properties(changes))
	if r.status != http.StatusCreated {
		t.Fatalf("POST /subscriptions answered %d %+v, want 201", r.status, r.body)
	}
	return r.body.(*subscriptionEntity)
}

// change tells the hub of a change that touched so many properties.
func (b *bench) change(user string, properties int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.changed(b.tenant, user, properties)
}

// wantFailure checks a refusal's status, code and message.
func wantFailure(t *testing.T, r reply, status int, code, message string) {
	t.Helper()
	f, ok := r.body.(*failure)
	if !ok {
		t.Fatalf("answered %d %+v, want %d %s", r.status, r.body, status, code)
	}
	if r.status != status || f.code != code || f.message != message {
		t.Errorf("answered %d %s %q\nwant     %d %s %q", r.status, f.code, f.message, status, code, message)
	}
}

// wantStatus checks the status of a success.
func wantStatus(t *testing.T, r reply, status int) {
	t.Helper()
	if r.status != status {
		t.Errorf("answered %d %+v, want %d", r.status, r.body, status)
	}
}

// wantReceived compares how many POSTs came, and how many notifications in them all.
func (b *bench) wantReceived(t *testing.T, posts, notifications int) {
	t.Helper()
	if got, items := len(b.subscriber.received()), len(b.subscriber.items(t)); got != posts || items != notifications {
		t.Errorf("%d POSTs came with %d notifications, want %d with %d", got, items, posts, notifications)
	}
}
