package revocationtest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
)

// Sender is both sending sides of the queue: the webhook's and the revoker's.
type Sender interface {
	revocation.Queue
	// Enqueue stores all requests for delivery at once.
	Enqueue(ctx context.Context, requests []revocation.Request) error
}

// Message is one delivery.
type Message struct {
	Body []byte
	// Delete acknowledges the message.
	Delete func(ctx context.Context) error
}

// Queue is one queue of its own, as the suite needs it.
type Queue struct {
	Sender Sender
	// Receive waits until there is at least one message or ctx is done.
	Receive func(ctx context.Context) ([]Message, error)
	// DeadLetters returns the bodies of all messages that were delivered too
	// often.
	DeadLetters func(ctx context.Context) ([][]byte, error)
}

// QueueSettings are what a case needs of its queue.
type QueueSettings struct {
	// Visibility is how long a received message stays hidden.
	Visibility time.Duration
	// MaxReceives is how often a message is delivered before it is dead.
	MaxReceives int
}

// The settings of most cases: no message comes back by itself.
var patientQueue = QueueSettings{Visibility: time.Minute, MaxReceives: 10}

// The settings of the cases in which messages come back.
var hastyQueue = QueueSettings{Visibility: time.Second, MaxReceives: 2}

// TestQueue checks that what open returns keeps the promises of
// [revocation.Queue] and of the webhook's queue. Every case opens a queue of its
// own, and is run by run.
func TestQueue(t *testing.T, run Runner, open func(*testing.T, QueueSettings) Queue) {
	cases := map[string]struct {
		settings QueueSettings
		test     func(*testing.T, Queue)
	}{
		"what is enqueued arrives as it was":     {patientQueue, testQueueRoundTrip},
		"a delay is respected":                   {patientQueue, testQueueDelay},
		"each request has a delay of its own":    {patientQueue, testQueueMixedDelays},
		"a delay that is no whole second":        {patientQueue, testQueueFraction},
		"more requests than one call of SQS":     {patientQueue, manyRequests(11)},
		"many more requests":                     {patientQueue, manyRequests(101)},
		"a delay out of bounds is refused":       {patientQueue, testQueueBounds},
		"nothing to send":                        {patientQueue, testQueueEmpty},
		"a cancelled context is an error":        {patientQueue, testQueueCancelled},
		"what is not deleted comes back":         {hastyQueue, testQueueRedelivery},
		"what is deleted does not":               {hastyQueue, testQueueDelete},
		"what is delivered too often is a death": {hastyQueue, testQueueDeadLetter},
	}
	for name, tt := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, func(t *testing.T) { tt.test(t, open(t, tt.settings)) })
		})
	}
}

// patience is how long a message may take to arrive before a case fails.
const patience = 20 * time.Second

// requests returns n different requests of one tenant.
func requests(n int) []revocation.Request {
	tenant := NewID()
	list := make([]revocation.Request, n)
	for i, user := range newIDs(n) {
		list[i] = sampleRequest(tenant, user)
		list[i].Attempt = i
	}
	return list
}

func byUser(list []revocation.Request) map[string]revocation.Request {
	m := make(map[string]revocation.Request, len(list))
	for _, r := range list {
		m[r.User] = r
	}
	return m
}

// arrive receives and deletes until n different users have arrived, and returns
// their requests.
func (q Queue) arrive(t *testing.T, n int) map[string]revocation.Request {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	arrived := make(map[string]revocation.Request, n)
	for len(arrived) < n {
		messages, err := q.Receive(ctx)
		if err != nil {
			t.Fatalf("Receive, after %d of %d: %v", len(arrived), n, err)
		}
		for _, m := range messages {
			r, err := revocation.DecodeRequest(m.Body)
			if err != nil {
				t.Fatalf("a message is no request: %v", err)
			}
			arrived[r.User] = r
			if err := m.Delete(ctx); err != nil {
				t.Fatalf("Delete: %v", err)
			}
		}
	}
	return arrived
}

// quiet checks that nothing is delivered for d.
func (q Queue) quiet(t *testing.T, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	if messages, err := q.Receive(ctx); leaktest.Seen(t, err) == nil && len(messages) > 0 {
		t.Errorf("%d messages were delivered, want none", len(messages))
	}
}

func testQueueRoundTrip(t *testing.T, q Queue) {
	want := requests(2)
	want[1].ReadBack, want[1].Seen = false, sampleTime.Truncate(time.Second)
	if err := q.Sender.Enqueue(t.Context(), want); err != nil {
		t.Fatalf("Enqueue: %v", err)
	}
	if diff := cmp.Diff(byUser(want), q.arrive(t, len(want))); diff != "" {
		t.Errorf("requests (-sent +received):\n%s", diff)
	}
}

func testQueueDelay(t *testing.T, q Queue) {
	const delay = time.Second
	sent := time.Now()
	want := requests(1)
	if err := q.Sender.Postpone(t.Context(), []revocation.Delayed{{Request: want[0], Delay: delay}}); err != nil {
		t.Fatalf("Postpone: %v", err)
	}
	if diff := cmp.Diff(byUser(want), q.arrive(t, 1)); diff != "" {
		t.Errorf("requests (-sent +received):\n%s", diff)
	}
	if got := time.Since(sent); got < delay {
		t.Errorf("the message arrived after %s, want %s at least", got, delay)
	}
}

func testQueueMixedDelays(t *testing.T, q Queue) {
	want := requests(2)
	err := q.Sender.Postpone(t.Context(), []revocation.Delayed{
		{Request: want[0], Delay: revocation.MaxDelay}, // longer than anybody waits here
		{Request: want[1]},
	})
	if err != nil {
		t.Fatalf("Postpone: %v", err)
	}
	if diff := cmp.Diff(byUser(want[1:]), q.arrive(t, 1)); diff != "" {
		t.Errorf("requests (-want +received):\n%s", diff)
	}
	q.quiet(t, 100*time.Millisecond)
}

func testQueueFraction(t *testing.T, q Queue) {
	const delay = 1100 * time.Millisecond
	sent := time.Now()
	if err := q.Sender.Postpone(t.Context(), []revocation.Delayed{{Request: requests(1)[0], Delay: delay}}); err != nil {
		t.Fatalf("Postpone: %v", err)
	}
	q.arrive(t, 1)
	if got := time.Since(sent); got < delay {
		t.Errorf("the message arrived after %s, want %s at least: a delay must be rounded up", got, delay)
	}
}

func manyRequests(n int) func(*testing.T, Queue) {
	return func(t *testing.T, q Queue) {
		enqueued, postponed := requests(n), requests(n)
		if err := q.Sender.Enqueue(t.Context(), enqueued); err != nil {
			t.Fatalf("Enqueue: %v", err)
		}
		delayed := make([]revocation.Delayed, n)
		for i, r := range postponed {
			delayed[i].Request = r
		}
		if err := q.Sender.Postpone(t.Context(), delayed); err != nil {
			t.Fatalf("Postpone: %v", err)
		}
		want := byUser(enqueued)
		maps.Copy(want, byUser(postponed))
		if diff := cmp.Diff(want, q.arrive(t, len(want))); diff != "" {
			t.Errorf("requests (-sent +received):\n%s", diff)
		}
	}
}

func testQueueBounds(t *testing.T, q Queue) {
	for _, delay := range []time.Duration{revocation.MaxDelay + time.Second, -time.Second} {
		if err := q.Sender.Postpone(t.Context(), []revocation.Delayed{{Request: requests(1)[0], Delay: delay}}); leaktest.Seen(t, err) == nil {
			t.Errorf("Postpone by %s succeeded, want an error", delay)
		}
	}
	if err := q.Sender.Postpone(t.Context(), []revocation.Delayed{{Request: requests(1)[0], Delay: revocation.MaxDelay}}); err != nil {
		t.Errorf("Postpone by the longest delay: %v", err)
	}
	q.quiet(t, 100*time.Millisecond)
}

func testQueueEmpty(t *testing.T, q Queue) {
	if err := q.Sender.Enqueue(t.Context(), nil); err != nil {
		t.Errorf("Enqueue of nothing: %v", err)
	}
	if err := q.Sender.Postpone(t.Context(), nil); err != nil {
		t.Errorf("Postpone of nothing: %v", err)
	}
	q.quiet(t, 100*time.Millisecond)
}

// An error makes the caller keep the messages that the requests came from, so a
// send that was cut off must never look like one that was stored.
func testQueueCancelled(t *testing.T, q Queue) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := q.Sender.Enqueue(ctx, requests(1)); !errors.Is(leaktest.Seen(t, err), context.Canceled) {
		t.Errorf("Enqueue = %v, want it to wrap %v", err, context.Canceled)
	}
	if err := q.Sender.Postpone(ctx, []revocation.Delayed{{Request: requests(1)[0]}}); !errors.Is(leaktest.Seen(t, err), context.Canceled) {
		t.Errorf("Postpone = %v, want it to wrap %v", err, context.Canceled)
	}
}

// receiveOne receives the one message of the queue, and keeps it.
func (q Queue) receiveOne(t *testing.T) Message {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	messages, err := q.Receive(ctx)
	if err != nil || len(messages) != 1 {
		t.Fatalf("Receive = %d messages, %v, want one", len(messages), err)
	}
	return messages[0]
}

func testQueueRedelivery(t *testing.T, q Queue) {
	want := requests(1)
	if err := q.Sender.Enqueue(t.Context(), want); err != nil {
		t.Fatalf("Enqueue: %v", err)
	}
	before := time.Now()
	first := q.receiveOne(t)
	second := q.receiveOne(t)
	if got := time.Since(before); got < hastyQueue.Visibility {
		t.Errorf("the message came back after %s, want %s at least", got, hastyQueue.Visibility)
	}
	if diff := cmp.Diff(string(first.Body), string(second.Body)); diff != "" {
		t.Errorf("bodies (-first +second):\n%s", diff)
	}
}

func testQueueDelete(t *testing.T, q Queue) {
	if err := q.Sender.Enqueue(t.Context(), requests(3)); err != nil {
		t.Fatalf("Enqueue: %v", err)
	}
	q.arrive(t, 3)
	q.quiet(t, hastyQueue.Visibility+500*time.Millisecond)
}

func testQueueDeadLetter(t *testing.T, q Queue) {
	want := requests(1)
	if err := q.Sender.Enqueue(t.Context(), want); err != nil {
		t.Fatalf("Enqueue: %v", err)
	}
	for range hastyQueue.MaxReceives {
		q.receiveOne(t)
	}
	if dead := q.deadLetters(t); len(dead) != 0 {
		t.Errorf("%d dead letters before the last delivery has lapsed, want none", len(dead))
	}
	q.quiet(t, hastyQueue.Visibility+500*time.Millisecond)
	dead := q.deadLetters(t)
	if diff := cmp.Diff(want, dead); diff != "" {
		t.Errorf("dead letters (-want +got):\n%s", diff)
	}
}

func (q Queue) deadLetters(t *testing.T) []revocation.Request {
	t.Helper()
	bodies, err := q.DeadLetters(t.Context())
	if err != nil {
		t.Fatalf("DeadLetters: %v", err)
	}
	list, err := decodeAll(bodies)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func decodeAll(bodies [][]byte) ([]revocation.Request, error) {
	var list []revocation.Request
	for _, body := range bodies {
		r, err := revocation.DecodeRequest(body)
		if err != nil {
			return nil, fmt.Errorf("a dead letter is no request: %w", err)
		}
		list = append(list, r)
	}
	return list, nil
}
