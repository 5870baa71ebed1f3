package webhook_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sessionstamp/sessionstamp/internal/leak"
	"github.com/sessionstamp/sessionstamp/shared/notification"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
	"github.com/sessionstamp/sessionstamp/shared/webhook"
)

type drops = map[webhook.Reason]int

// delivery completes the receipt of a delivery at noon that was answered 202.
func delivery(r webhook.Receipt) webhook.Receipt {
	r.Kind, r.Received, r.Status = webhook.Delivery, noon, http.StatusAccepted
	return r
}

func TestDelivery(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		body    string
		want    webhook.Receipt
		users   []int // who is queued
		lookups int   // how often the secrets are asked for
	}{
		"one user":              {collection(ofUser(1)), webhook.Receipt{Items: 1, Queued: 1}, []int{1}, 1},
		"several users":         {collection(ofUser(1), ofUser(2), ofUser(3)), webhook.Receipt{Items: 3, Queued: 3}, []int{1, 2, 3}, 1},
		"previous secret":       {collection(item("clientState", oldSecret)), webhook.Receipt{Items: 1, Queued: 1}, []int{1}, 1},
		"lower-case resource":   {collection(item("resource", "users/"+userID(1))), webhook.Receipt{Items: 1, Queued: 1}, []int{1}, 1},
		"capital tenant":        {collection(item("tenantId", strings.ToUpper(tenant))), webhook.Receipt{Items: 1, Queued: 1}, []int{1}, 1},
		"lifecycle":             {collection(lifecycle()), webhook.Receipt{Items: 1, Lifecycle: 1}, nil, 1},
		"both":                  {collection(lifecycle(), ofUser(1)), webhook.Receipt{Items: 2, Queued: 1, Lifecycle: 1}, []int{1}, 1},
		"nothing":               {collection(), webhook.Receipt{}, nil, 0},
		"forged":                {collection(item("clientState", "guess")), webhook.Receipt{Items: 1, Dropped: drops{webhook.Forged: 1}}, nil, 1},
		"forged: no state":      {collection(item("clientState", "")), webhook.Receipt{Items: 1, Dropped: drops{webhook.Forged: 1}}, nil, 1},
		"forged: part":          {collection(item("clientState", secret[:5])), webhook.Receipt{Items: 1, Dropped: drops{webhook.Forged: 1}}, nil, 1},
		"forged comes first":    {collection(item("clientState", "guess", "tenantId", otherTenant, "resource", "groups/x", "changeType", "deleted")), webhook.Receipt{Items: 1, Dropped: drops{webhook.Forged: 1}}, nil, 1},
		"forged lifecycle":      {collection(lifecycle("clientState", "guess")), webhook.Receipt{Items: 1, Dropped: drops{webhook.Forged: 1}}, nil, 1},
		"foreign tenant":        {collection(item("tenantId", otherTenant)), webhook.Receipt{Items: 1, Dropped: drops{webhook.ForeignTenant: 1}}, nil, 1},
		"foreign lifecycle":     {collection(lifecycle("tenantId", otherTenant)), webhook.Receipt{Items: 1, Dropped: drops{webhook.ForeignTenant: 1}}, nil, 1},
		"foreign resource":      {collection(item("resource", "groups/"+userID(1))), webhook.Receipt{Items: 1, Dropped: drops{webhook.ForeignResource: 1}}, nil, 1},
		"deleted":               {collection(item("changeType", "deleted")), webhook.Receipt{Items: 1, Dropped: drops{webhook.Deleted: 1}}, nil, 1},
		"unknown change":        {collection(item("changeType", "created")), webhook.Receipt{Items: 1, Dropped: drops{webhook.Malformed: 1}}, nil, 1},
		"unknown lifecycle":     {collection(lifecycle("lifecycleEvent", "somethingNew")), webhook.Receipt{Items: 1, Dropped: drops{webhook.LifecycleUnknown: 1}}, nil, 1},
		"duplicate":             {collection(ofUser(1), ofUser(2), ofUser(1), ofUser(1)), webhook.Receipt{Items: 4, Queued: 2, Dropped: drops{webhook.Duplicate: 2}}, []int{1, 2}, 1},
		"duplicate of deleted":  {collection(item("changeType", "deleted"), ofUser(1)), webhook.Receipt{Items: 2, Queued: 1, Dropped: drops{webhook.Deleted: 1}}, []int{1}, 1},
		"duplicate of forged":   {collection(item("clientState", "guess"), ofUser(1)), webhook.Receipt{Items: 2, Queued: 1, Dropped: drops{webhook.Forged: 1}}, []int{1}, 1},
		"malformed among good":  {collection(ofUser(1), `5`, ofUser(2)), webhook.Receipt{Items: 3, Queued: 2, Dropped: drops{webhook.Malformed: 1}}, []int{1, 2}, 1},
		"malformed only":        {collection(`{}`, `null`), webhook.Receipt{Items: 2, Dropped: drops{webhook.Malformed: 2}}, nil, 0},
		"malformed body":        {`{"value":`, webhook.Receipt{Dropped: drops{webhook.Malformed: 1}}, nil, 0},
		"empty body":            {"", webhook.Receipt{Dropped: drops{webhook.Malformed: 1}}, nil, 0},
		"too large":             {collection(ofUser(1)) + strings.Repeat(" ", notification.MaxBytes), webhook.Receipt{Dropped: drops{webhook.TooLarge: 1}}, nil, 0},
		"everything at a time":  {collection(ofUser(1), lifecycle(), `0`, item("clientState", "x"), ofUser(1)), webhook.Receipt{Items: 5, Queued: 1, Lifecycle: 1, Dropped: drops{webhook.Malformed: 1, webhook.Forged: 1, webhook.Duplicate: 1}}, []int{1}, 1},
		"fixture: number":       {fixture(t, "user-updated"), webhook.Receipt{Items: 1, Queued: 1}, []int{0x1d7f7f1f0a01}, 1},
		"fixture: string":       {fixture(t, "user-updated-string-sequence"), webhook.Receipt{Items: 2, Queued: 1, Dropped: drops{webhook.Forged: 1}}, []int{0x1d7f7f1f0a01}, 1},
		"fixture: as described": {fixture(t, "lifecycle-documented"), webhook.Receipt{Items: 1, Lifecycle: 1}, nil, 1},
		"fixture: as seen":      {fixture(t, "lifecycle-observed"), webhook.Receipt{Items: 1, Lifecycle: 1}, nil, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			if diff := cmp.Diff(delivery(test.want), h.post(t, test.body)); diff != "" {
				t.Errorf("receipt (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(calls(test.users), h.queue.calls); diff != "" {
				t.Errorf("queued (-want +got):\n%s", diff)
			}
			if h.secrets.asked != test.lookups {
				t.Errorf("asked for the secrets %d times, want %d", h.secrets.asked, test.lookups)
			}
		})
	}
}

// fixture reads a wire sample.
func fixture(t *testing.T, name string) string {
	t.Helper()
	body, err := os.ReadFile("testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// calls returns what a queue holds after one POST: one call, or none if there was
// nothing to queue.
func calls(users []int) [][]revocation.Request {
	if users == nil {
		return nil
	}
	var requests []revocation.Request
	for _, user := range users {
		requests = append(requests, request(user))
	}
	return [][]revocation.Request{requests}
}

func TestLifecycleIsQueued(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	sent := strings.Replace(fixture(t, "lifecycle-observed"), `"subscriptionId"`, `"received":"2001-01-01T00:00:00Z","subscriptionId"`, 1)
	h.post(t, sent) // when it came is not the sender's to say
	want := [][]notification.Lifecycle{{{
		SubscriptionID: subscription,
		TenantID:       tenant,
		Event:          notification.ReauthorizationRequired,
		Expires:        time.Date(2026, 6, 20, 23, 21, 19, 0, time.UTC),
		Received:       noon,
	}}}
	if diff := cmp.Diff(want, h.queue.events); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRotation(t *testing.T) {
	t.Parallel()
	const current, old, older = "current-" + leak.Canary, "old-" + leak.Canary, "older-" + leak.Canary
	for name, test := range map[string]struct {
		current, previous string
		state             string
		kept              bool
	}{
		"current":                     {current, old, current, true},
		"previous":                    {current, old, old, true},
		"neither":                     {current, old, older, false},
		"no previous":                 {current, "", current, true},
		"the previous one is gone":    {current, "", old, false},
		"empty is no previous secret": {current, "", "", false},
		"only a previous one":         {"", old, old, true},
		"empty is no current secret":  {"", old, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.secrets.current, h.secrets.previous = test.current, test.previous
			got := h.post(t, collection(item("clientState", test.state)))
			if kept := got.Queued == 1; kept != test.kept || got.Status != http.StatusAccepted {
				t.Errorf("kept: %t, status %d; want %t, 202", kept, got.Status, test.kept)
			}
		})
	}
}

func TestFailure(t *testing.T) {
	t.Parallel()
	broken := errors.New("no connection")
	for name, test := range map[string]struct {
		breakIt           func(*house)
		queued, lifecycle int
	}{
		"queue":            {func(h *house) { h.queue.err = broken }, 0, 1},
		"lifecycle queue":  {func(h *house) { h.queue.lifecycleErr = broken }, 1, 0},
		"both queues":      {func(h *house) { h.queue.err, h.queue.lifecycleErr = broken, broken }, 0, 0},
		"secrets":          {func(h *house) { h.secrets.err = broken }, 0, 0},
		"secrets and data": {func(h *house) { h.secrets.err, h.secrets.current = broken, secret }, 0, 0},
		"no secret":        {func(h *house) { h.secrets.current, h.secrets.previous = "", "" }, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			test.breakIt(h)
			got := h.post(t, collection(ofUser(1), lifecycle(), item("clientState", "")))
			if got.Status != http.StatusServiceUnavailable || got.Err == nil {
				t.Errorf("status %d, error %v; want 503 and an error", got.Status, got.Err)
			}
			if got.Queued != test.queued || got.Lifecycle != test.lifecycle {
				t.Errorf("queued %d and %d, want %d and %d", got.Queued, got.Lifecycle, test.queued, test.lifecycle)
			}
		})
	}
}

// TestDropsNeedNoQueue shows that a broken queue does not make Graph repeat what
// would be dropped again.
func TestDropsNeedNoQueue(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.queue.err, h.queue.lifecycleErr = io.ErrClosedPipe, io.ErrClosedPipe
	got := h.post(t, collection(item("clientState", "guess"), item("changeType", "deleted"), `7`))
	want := delivery(webhook.Receipt{Items: 3, Dropped: drops{webhook.Forged: 1, webhook.Deleted: 1, webhook.Malformed: 1}})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestBodyBrokeOff(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	body := io.MultiReader(strings.NewReader(`{"value":[`+ofUser(1)+`,`), iotest.ErrReader(io.ErrUnexpectedEOF))
	h.serve(httptest.NewRequest(http.MethodPost, "/graph", body))
	want := delivery(webhook.Receipt{Err: io.ErrUnexpectedEOF})
	want.Status = http.StatusServiceUnavailable
	if diff := cmp.Diff(want, h.receipt(t), cmpopts.EquateErrors()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNoBody(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	req := httptest.NewRequest(http.MethodPost, "/graph", nil)
	req.Body = nil
	if answer := h.serve(req); answer.Code != http.StatusAccepted {
		t.Errorf("status %d, want 202", answer.Code)
	}
}

// TestSlowQueue shows, in virtual time, that Graph is answered within the 3 s
// that it waits, however slow the queues are.
func TestSlowQueue(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		delay time.Duration // of each of the two queues
		want  int
		after time.Duration
	}{
		"fast enough":       {time.Second, http.StatusAccepted, 2 * time.Second},
		"one after another": {2 * time.Second, http.StatusServiceUnavailable, webhook.DefaultEnqueueTimeout},
		"stuck":             {time.Hour, http.StatusServiceUnavailable, webhook.DefaultEnqueueTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				h.queue.delay = test.delay
				start := time.Now()
				got := h.post(t, collection(ofUser(1), lifecycle()))
				if after := time.Since(start); got.Status != test.want || after != test.after {
					t.Errorf("answered %d after %s, want %d after %s", got.Status, after, test.want, test.after)
				}
			})
		})
	}
}

// TestCallerGone shows that the context of the invocation ends the wait.
func TestCallerGone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.queue.delay = time.Hour
		req := httptest.NewRequest(http.MethodPost, "/graph", strings.NewReader(collection(ofUser(1))))
		start := time.Now()
		h.serve(req.WithContext(cancelledAfter(t, time.Second)))
		if after := time.Since(start); after != time.Second {
			t.Errorf("answered after %s, want 1s", after)
		}
	})
}

func TestConcurrentPosts(t *testing.T) {
	t.Parallel()
	const posts = 50
	h := newHouse(t)
	var group sync.WaitGroup
	for n := range posts {
		group.Go(func() {
			body := collection(ofUser(n), item("clientState", "guess"))
			answer := h.serve(httptest.NewRequest(http.MethodPost, "/graph", strings.NewReader(body)))
			if answer.Code != http.StatusAccepted {
				t.Errorf("status %d, want 202", answer.Code)
			}
		})
	}
	group.Wait()
	users := make(map[string]bool)
	for _, requests := range h.queue.calls {
		users[requests[0].User] = true
	}
	if len(users) != posts || len(h.observer.receipts) != posts {
		t.Errorf("%d users and %d receipts, want %d of each", len(users), len(h.observer.receipts), posts)
	}
}
