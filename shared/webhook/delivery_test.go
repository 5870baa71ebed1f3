package webhook_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/webhook"
)

type drops = map[webhook.Reason]int

// delivery completes the receipt of a delivery at noon that was answered 202.
func delivery(r webhook.Receipt) webhook.Receipt {
	r.Received, r.Status = noon, http.StatusAccepted
	return r
}

func dropped(items int, reason webhook.Reason) webhook.Receipt {
	return webhook.Receipt{Items: items, Dropped: drops{reason: max(items, 1)}}
}

func TestDelivery(t *testing.T) {
	t.Parallel()
	tooLarge := strings.Repeat(" ", webhook.MaxBytes)
	for name, test := range map[string]struct {
		body  string
		want  webhook.Receipt
		users []int // who is queued
	}{
		"one user":              {collection(ofUser(1)), webhook.Receipt{Items: 1, Queued: 1}, []int{1}},
		"several users":         {collection(ofUser(1), ofUser(2), ofUser(3)), webhook.Receipt{Items: 3, Queued: 3}, []int{1, 2, 3}},
		"id in brackets":        {collection(item("resource", "Users('"+userID(1)+"')")), webhook.Receipt{Items: 1, Queued: 1}, []int{1}},
		"byte order mark":       {"\ufeff" + collection(ofUser(1)), webhook.Receipt{Items: 1, Queued: 1}, []int{1}},
		"lifecycle":             {collection(lifecycle(), ofUser(1)), webhook.Receipt{Items: 2, Queued: 1, Dropped: drops{webhook.Lifecycle: 1}}, []int{1}},
		"unknown lifecycle":     {collection(lifecycle("lifecycleEvent", "somethingNew")), dropped(1, webhook.Lifecycle), nil},
		"forged lifecycle":      {collection(lifecycle("clientState", "guess")), dropped(1, webhook.Forged), nil},
		"nothing":               {collection(), webhook.Receipt{}, nil},
		"forged":                {collection(item("clientState", "guess")), dropped(1, webhook.Forged), nil},
		"forged: no state":      {collection(item("clientState", "")), dropped(1, webhook.Forged), nil},
		"forged: part":          {collection(item("clientState", secret[:5])), dropped(1, webhook.Forged), nil},
		"forged comes first":    {collection(item("clientState", "guess", "tenantId", "x", "resource", "groups/x")), dropped(1, webhook.Forged), nil},
		"foreign tenant":        {collection(item("tenantId", otherTenant)), dropped(1, webhook.ForeignTenant), nil},
		"foreign resource":      {collection(item("resource", "groups/"+userID(1))), dropped(1, webhook.ForeignResource), nil},
		"deleted":               {collection(item("changeType", "deleted")), dropped(1, webhook.Deleted), nil},
		"unknown change":        {collection(item("changeType", "created")), dropped(1, webhook.Malformed), nil},
		"ours, but no user":     {collection(item("resource", "Users"), ofUser(2)), webhook.Receipt{Items: 2, Queued: 1, Dropped: drops{webhook.Malformed: 1}}, []int{2}},
		"duplicate":             {collection(ofUser(1), ofUser(2), ofUser(1), ofUser(1)), webhook.Receipt{Items: 4, Queued: 2, Dropped: drops{webhook.Duplicate: 2}}, []int{1, 2}},
		"duplicate of deleted":  {collection(item("changeType", "deleted"), ofUser(1)), webhook.Receipt{Items: 2, Queued: 1, Dropped: drops{webhook.Deleted: 1}}, []int{1}},
		"duplicate of forged":   {collection(item("clientState", "guess"), ofUser(1)), webhook.Receipt{Items: 2, Queued: 1, Dropped: drops{webhook.Forged: 1}}, []int{1}},
		"malformed among good":  {collection(ofUser(1), `5`, ofUser(2)), webhook.Receipt{Items: 3, Queued: 2, Dropped: drops{webhook.Forged: 1}}, []int{1, 2}},
		"malformed only":        {collection(`{}`, `null`), dropped(2, webhook.Forged), nil},
		"malformed body":        {`{"value":[` + ofUser(1), dropped(0, webhook.Malformed), nil},
		"malformed, forged":     {"<html>", dropped(0, webhook.Forged), nil},
		"empty":                 {"", dropped(0, webhook.Forged), nil},
		"capital change":        {collection(item("changeType", "Updated")), webhook.Receipt{Items: 1, Queued: 1}, []int{1}},
		"too large":             {collection(ofUser(1)) + tooLarge, dropped(0, webhook.TooLarge), nil},
		"too large, forged":     {tooLarge + "x", dropped(0, webhook.Forged), nil},
		"fixture: number":       {fixture(t, "user-updated"), webhook.Receipt{Items: 1, Queued: 1}, []int{0x1d7f7f1f0a01}},
		"fixture: string":       {fixture(t, "user-updated-string-sequence"), webhook.Receipt{Items: 2, Queued: 1, Dropped: drops{webhook.Forged: 1}}, []int{0x1d7f7f1f0a01}},
		"fixture: as described": {fixture(t, "lifecycle-documented"), dropped(1, webhook.Lifecycle), nil},
		"fixture: as seen":      {fixture(t, "lifecycle-observed"), dropped(1, webhook.Lifecycle), nil},
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
		})
	}
}

// calls returns what a queue holds after one POST: one call, or none if there was
// nothing to queue.
func calls(users []int) [][]stamp.Request {
	if users == nil {
		return nil
	}
	var requests []stamp.Request
	for _, user := range users {
		requests = append(requests, request(user))
	}
	return [][]stamp.Request{requests}
}

// A clientState that is not known has the secret read anew, once a minute at most.
func TestSecretIsReadAnew(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for i, step := range []struct {
		name    string
		arrange func()
		state   string
		queued  int
		anew    int // how often the secret has been read anew by then
	}{
		{"known", func() {}, secret, 1, 0},
		{"none", func() {}, "", 0, 0},
		{"changed", func() { h.secrets.fresh = newSecret }, newSecret, 1, 1},
		{"known from now on", func() {}, newSecret, 1, 1},
		{"forged within a minute", func() { h.now = h.now.Add(time.Minute - time.Second) }, "guess", 0, 1},
		{"forged after it", func() { h.now = h.now.Add(time.Second) }, "guess", 0, 2},
		{"changed back", func() { h.now, h.secrets.fresh = h.now.Add(time.Minute), secret }, secret, 1, 3},
	} {
		step.arrange()
		got := h.post(t, collection(item("clientState", step.state)))
		if got.Queued != step.queued || got.Status != http.StatusAccepted || h.secrets.anew != step.anew {
			t.Errorf("%d, %s: queued %d, status %d, read anew %d times; want %d, 202, %d", i, step.name, got.Queued, got.Status, h.secrets.anew, step.queued, step.anew)
		}
	}
}

// A failed reading uses up no minute: what Graph sends again is believed.
func TestSecretCannotBeReadAnew(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.secrets.cached, h.secrets.freshErr = "old", errors.New("down")
	if got := h.post(t, collection(item())); got.Status != http.StatusServiceUnavailable {
		t.Errorf("status %d, want 503", got.Status)
	}
	h.secrets.freshErr = nil
	if got := h.post(t, collection(item())); got.Status != http.StatusAccepted || got.Queued != 1 {
		t.Errorf("status %d, queued %d; want 202 and 1", got.Status, got.Queued)
	}
}

func TestFailure(t *testing.T) {
	t.Parallel()
	broken := errors.New("no connection")
	readable := collection(ofUser(1), item("clientState", ""))
	for name, test := range map[string]struct {
		body    string
		breakIt func(*house)
	}{
		"queue":               {readable, func(h *house) { h.queue.err = broken }},
		"secrets":             {readable, func(h *house) { h.secrets.err = broken }},
		"secrets, anew":       {readable, func(h *house) { h.secrets.cached, h.secrets.freshErr = "x", broken }},
		"secrets, unreadable": {readable[1:], func(h *house) { h.secrets.err = broken }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			test.breakIt(h)
			got := h.post(t, test.body)
			if got.Status != http.StatusServiceUnavailable || got.Err == nil || got.Queued != 0 {
				t.Errorf("status %d, error %v, queued %d; want 503 and an error", got.Status, got.Err, got.Queued)
			}
		})
	}
}

// A broken queue does not make Graph repeat what would be dropped again.
func TestDropsNeedNoQueue(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.queue.err = io.ErrClosedPipe
	got := h.post(t, collection(item("clientState", "guess"), item("changeType", "deleted"), `7`))
	want := delivery(webhook.Receipt{Items: 3, Dropped: drops{webhook.Forged: 2, webhook.Deleted: 1}})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestBodyBrokeOff(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	body := io.MultiReader(strings.NewReader(`{"value":[`+ofUser(1)+`,`), iotest.ErrReader(io.ErrUnexpectedEOF))
	got := h.send(t, httptest.NewRequest(http.MethodPost, "/graph", body))
	want := delivery(webhook.Receipt{Err: io.ErrUnexpectedEOF})
	want.Status = http.StatusServiceUnavailable
	if diff := cmp.Diff(want, got, cmpopts.EquateErrors()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestSlowQueue shows, in virtual time, that Graph is answered within the 3 s that it
// waits, however slow the queue is.
func TestSlowQueue(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		delay time.Duration
		want  int
		after time.Duration
	}{
		"fast enough": {2 * time.Second, http.StatusAccepted, 2 * time.Second},
		"stuck":       {time.Hour, http.StatusServiceUnavailable, webhook.Timeout},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				h.queue.delay = test.delay
				start := time.Now()
				got := h.post(t, collection(ofUser(1)))
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
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		h.serve(req.WithContext(ctx))
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
