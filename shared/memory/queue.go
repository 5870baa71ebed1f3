// Package memory holds the in-memory twins of what AWS provides in a deployment: queue,
// ledger and documents. They pass the same conformance suites as the twins over
// SQS and DynamoDB, and serve the system on one machine.
package memory

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// QueueOptions are the attributes of an SQS queue that the rest of the system
// can tell.
type QueueOptions struct {
	// Visibility is how long a message that was received stays hidden from
	// others.
	Visibility time.Duration
	// MaxReceives is how often a message is delivered before it is moved to the
	// dead letters.
	MaxReceives int
	// AllowRecursion lets a chain of messages, each sent while the one before was
	// handled, go on for ever. Without it Lambda stops the chain (RecursiveLoop).
	AllowRecursion bool
	// Now is the calendar; nil means time.Now.
	Now func() time.Time
}

// A Message is one delivery of a message.
type Message struct {
	// Body is what was sent.
	Body []byte
	// Receives counts the deliveries, this one included.
	Receives int
	// Hop is the message's place in its chain: 1 unless it was sent while another
	// message was handled, then one more than that one's.
	Hop int
	// Receipt is how the queue finds the message again. It means nothing to others.
	Receipt any
}

// item is a message as it lies in the queue. It is in the heap until deleted.
type item struct {
	body     []byte
	visible  time.Time
	sequence uint64 // of sending, so that equals keep their order
	receives int
	hop      int
	index    int // in the heap, -1 once deleted
}

// Queue is a standard SQS queue: at least once, in no promised order, with
// delays, a visibility timeout, and a dead-letter queue. It is safe for
// concurrent use. Make one with NewQueue.
type Queue struct {
	options QueueOptions

	mu       sync.Mutex
	items    itemHeap
	sequence uint64
	dead     [][]byte
	changed  chan struct{} // closed and replaced whenever a message is sent
}

// NewQueue makes an empty queue.
func NewQueue(o QueueOptions) *Queue {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Queue{options: o, changed: make(chan struct{})}
}

// Send stores a message that can be received after delay.
func (q *Queue) Send(ctx context.Context, body []byte, delay time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q.push(body, delay, hopOf(ctx)+1)
	return nil
}

func (q *Queue) push(body []byte, delay time.Duration, hop int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.sequence++
	heap.Push(&q.items, &item{body: body, visible: q.options.Now().Add(delay), sequence: q.sequence, hop: hop})
	close(q.changed)
	q.changed = make(chan struct{})
}

// Receive waits for messages until there is one or ctx is done, and returns at
// most limit of them.
func (q *Queue) Receive(ctx context.Context, limit int) ([]Message, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		messages, next, changed := q.take(limit)
		if len(messages) > 0 {
			return messages, nil
		}
		if err := wait(ctx, next, changed); err != nil {
			return nil, err
		}
	}
}

// wait returns when d has passed (if it is positive), when changed is closed, or
// with ctx's error.
func wait(ctx context.Context, d time.Duration, changed <-chan struct{}) error {
	var due <-chan time.Time
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-due:
	case <-changed:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// take returns what can be received now; if that is nothing, how long until the
// next message can be, 0 for never.
func (q *Queue) take(limit int) (messages []Message, next time.Duration, changed <-chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.options.Now()
	for len(q.items) > 0 && len(messages) < limit {
		first := q.items[0]
		if until := first.visible.Sub(now); until > 0 {
			next = until
			break
		}
		if q.spent(first) {
			q.dead = append(q.dead, first.body)
			heap.Pop(&q.items)
			continue
		}
		first.receives++
		first.visible = now.Add(q.options.Visibility)
		heap.Fix(&q.items, 0)
		messages = append(messages, Message{Body: first.body, Receives: first.receives, Hop: first.hop, Receipt: first})
	}
	return messages, next, q.changed
}

// maxHops is how long a chain Lambda lets grow: "approximately 16 times"
// (https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html).
const maxHops = 16

// spent tells whether the message is not delivered any more.
func (q *Queue) spent(i *item) bool {
	tooOften := q.options.MaxReceives > 0 && i.receives >= q.options.MaxReceives
	return tooOften || !q.options.AllowRecursion && i.hop > maxHops
}

// hopKey is where a context holds the hop of the message that is being handled, as
// X-Ray's trace header holds it in AWS (Lineage).
type hopKey struct{}

func hopOf(ctx context.Context) int {
	hop, _ := ctx.Value(hopKey{}).(int)
	return hop
}

// Handling returns the context in which the messages are handled: what is sent with it
// goes on the longest of their chains, since a function's invocation has one lineage.
func Handling(ctx context.Context, messages []Message) context.Context {
	hop := 0
	for _, m := range messages {
		hop = max(hop, m.Hop)
	}
	return context.WithValue(ctx, hopKey{}, hop)
}

// Delete acknowledges messages, and never fails. One that is gone already is no error,
// nor is one that was delivered again meanwhile: it stays, since of its receipt handles
// only the last one counts.
// (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html)
func (q *Queue) Delete(messages ...Message) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, m := range messages {
		if i, ok := m.Receipt.(*item); ok && i.index >= 0 && i.receives == m.Receives {
			heap.Remove(&q.items, i.index)
		}
	}
	return nil
}

// Len is the number of messages, hidden and delayed ones included.
func (q *Queue) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items)
}

// Visible is the number of messages that can be received now.
func (q *Queue) Visible() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, now := 0, q.options.Now()
	for _, i := range q.items {
		if !i.visible.After(now) {
			n++
		}
	}
	return n
}

// DeadLetters returns the bodies of all messages that are not delivered any more.
func (q *Queue) DeadLetters() [][]byte {
	q.mu.Lock()
	defer q.mu.Unlock()
	return append([][]byte(nil), q.dead...)
}

// Redrive sends all dead letters once more
// (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html).
func (q *Queue) Redrive() {
	q.mu.Lock()
	dead := q.dead
	q.dead = nil
	q.mu.Unlock()
	for _, body := range dead {
		q.push(body, 0, 1)
	}
}

// itemHeap orders items by when they can be received.
type itemHeap []*item

func (h itemHeap) Len() int { return len(h) }

func (h itemHeap) Less(i, j int) bool {
	if !h[i].visible.Equal(h[j].visible) {
		return h[i].visible.Before(h[j].visible)
	}
	return h[i].sequence < h[j].sequence
}

func (h itemHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *itemHeap) Push(x any) {
	i := x.(*item)
	i.index = len(*h)
	*h = append(*h, i)
}

func (h *itemHeap) Pop() any {
	old := *h
	last := len(old) - 1
	i := old[last]
	old[last] = nil
	i.index = -1
	*h = old[:last]
	return i
}
