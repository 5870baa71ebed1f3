package bolt

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"github.com/sessionstamp/sessionstamp/shared/memory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// QueueOptions say how a [Queue] delivers.
type QueueOptions struct {
	// Visibility is how long a request that was received stays hidden, unless it is
	// deleted.
	Visibility time.Duration
	// MaxReceives is how often one process is given a request before it is moved to the
	// dead letters; 0: for ever.
	MaxReceives int
	// Now is the calendar.
	Now func() time.Time
}

// Queue is a queue of requests in a file: [stamp.Queue] for who sends, [memory.Source]
// for who receives. It delivers at least once, by when the requests are due, and of those
// due at the same moment the last one first.
//
// Who has received what is not in the file: a process has it open alone, and all that it
// had not deleted when it died is delivered again to the next one. A Queue is safe for
// concurrent use; a file must not have two.
type Queue struct {
	file         *File
	bucket, dead []byte
	options      QueueOptions

	mu      sync.Mutex
	held    map[string]hold // by key, what was received and not deleted
	changed chan struct{}   // closed and replaced whenever a request is sent
}

// hold is what the queue knows of a request that was received.
type hold struct {
	until    time.Time
	receives int
}

// longestWait lets a receiver notice that the clock was set, or that the machine slept.
const longestWait = time.Minute

// NewQueue returns the queue in the file.
func NewQueue(f *File, o QueueOptions) *Queue {
	return newQueue(f, requests, dead, o)
}

func newQueue(f *File, bucket, dead []byte, o QueueOptions) *Queue {
	return &Queue{file: f, bucket: bucket, dead: dead, options: o, held: make(map[string]hold), changed: make(chan struct{})}
}

// dueLayout sorts as the moments do.
const dueLayout = "2006-01-02T15:04:05.000000000Z"

// requestKey sorts by when the request is due, then the last one first.
func requestKey(due time.Time, sequence uint64) []byte {
	return fmt.Appendf(nil, "%s#%020d", due.UTC().Format(dueLayout), math.MaxUint64-sequence)
}

func dueOf(key []byte) (time.Time, error) {
	due, _, _ := strings.Cut(string(key), "#")
	return time.Parse(dueLayout, due)
}

// Postpone implements [stamp.Queue]: all requests are stored, or none.
func (q *Queue) Postpone(ctx context.Context, delayed []stamp.Delayed) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("queue %d requests: %w", len(delayed), err)
	}
	now := q.options.Now()
	err := q.file.db.Update(func(tx *bbolt.Tx) error {
		for _, d := range delayed {
			if d.Delay < 0 || d.Delay > stamp.MaxDelay {
				return fmt.Errorf("user %s: the delay %s is not within 0 and %s", d.Request.User, d.Delay, stamp.MaxDelay)
			}
			if err := put(tx.Bucket(q.bucket), d.Request, now.Add(d.Delay)); err != nil {
				return fmt.Errorf("user %s: %w", d.Request.User, err)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("queue %d requests: %w", len(delayed), err)
	}
	q.wake()
	return nil
}

// wake tells whoever waits that something was sent.
func (q *Queue) wake() {
	q.mu.Lock()
	defer q.mu.Unlock()
	close(q.changed)
	q.changed = make(chan struct{})
}

func put(b *bbolt.Bucket, what any, due time.Time) error {
	body, err := json.Marshal(what)
	if err != nil {
		return err
	}
	sequence, err := b.NextSequence()
	if err != nil {
		return err
	}
	return b.Put(requestKey(due, sequence), body)
}

// Receive implements [memory.Source]. It waits until a request is due or ctx is done.
func (q *Queue) Receive(ctx context.Context, limit int) ([]memory.Message, error) {
	for ctx.Err() == nil {
		batch, changed, err := q.take(limit)
		if err != nil {
			return nil, fmt.Errorf("receive requests: %w", err)
		}
		if len(batch.messages) > 0 {
			return batch.messages, nil
		}
		select {
		case <-time.After(batch.wait):
		case <-changed:
		case <-ctx.Done():
		}
	}
	return nil, ctx.Err()
}

// ReceiveDue is [Queue.Receive] that does not wait: it may return none.
func (q *Queue) ReceiveDue(limit int) ([]memory.Message, error) {
	batch, _, err := q.take(limit)
	return batch.messages, err
}

// batch is what can be received at a moment.
type batch struct {
	messages []memory.Message
	// spent are the keys of the requests that are not delivered any more.
	spent [][]byte
	// wait is how long there is nothing more.
	wait time.Duration
}

func (q *Queue) take(limit int) (b batch, changed <-chan struct{}, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.options.Now()
	err = q.file.db.View(func(tx *bbolt.Tx) (err error) {
		b, err = q.due(tx, limit, now)
		return err
	})
	if err == nil && len(b.spent) > 0 {
		err = q.bury(b.spent)
	}
	if err != nil {
		return batch{}, nil, err
	}
	for _, m := range b.messages {
		q.held[m.Receipt.(string)] = hold{until: now.Add(q.options.Visibility), receives: m.Receives}
	}
	return b, q.changed, nil
}

// due looks for requests that can be received now.
func (q *Queue) due(tx *bbolt.Tx, limit int, now time.Time) (batch, error) {
	b := batch{wait: longestWait}
	c := tx.Bucket(q.bucket).Cursor()
	for k, body := c.First(); k != nil && len(b.messages) < limit; k, body = c.Next() {
		due, err := dueOf(k)
		if err != nil {
			return batch{}, err
		}
		if wait := due.Sub(now); wait > 0 {
			b.wait = min(b.wait, wait)
			break
		}
		h := q.held[string(k)]
		wait := h.until.Sub(now)
		switch {
		case wait > 0:
			b.wait = min(b.wait, wait)
		case q.options.MaxReceives > 0 && h.receives >= q.options.MaxReceives:
			b.spent = append(b.spent, bytes.Clone(k))
		default:
			b.messages = append(b.messages,
				memory.Message{Body: bytes.Clone(body), Receives: h.receives + 1, Receipt: string(k)})
		}
	}
	return b, nil
}

// bury moves requests to the dead letters.
func (q *Queue) bury(keys [][]byte) error {
	err := q.file.db.Update(func(tx *bbolt.Tx) error {
		for _, k := range keys {
			if err := tx.Bucket(q.dead).Put(k, tx.Bucket(q.bucket).Get(k)); err != nil {
				return err
			}
			if err := tx.Bucket(q.bucket).Delete(k); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("move %d requests to the dead letters: %w", len(keys), err)
	}
	for _, k := range keys {
		delete(q.held, string(k))
	}
	return nil
}

// Delete implements [memory.Source]. A request that is gone already is no error, nor is
// one that was delivered again meanwhile: it stays. After an error all of them stay.
func (q *Queue) Delete(messages ...memory.Message) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	var done []string
	for _, m := range messages {
		if k, ok := m.Receipt.(string); ok && q.held[k].receives == m.Receives {
			done = append(done, k)
		}
	}
	if len(done) == 0 {
		return nil
	}
	err := q.file.db.Update(func(tx *bbolt.Tx) error {
		for _, k := range done {
			if err := tx.Bucket(q.bucket).Delete([]byte(k)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("delete %d requests: %w", len(done), err)
	}
	for _, k := range done {
		delete(q.held, k)
	}
	return nil
}

// Len is the number of requests, hidden and delayed ones included.
func (q *Queue) Len() (n int, err error) {
	err = q.file.db.View(func(tx *bbolt.Tx) error {
		n = tx.Bucket(q.bucket).Stats().KeyN
		return nil
	})
	return n, err
}

// DeadLetters returns the bodies of the requests that are not delivered any more.
func (q *Queue) DeadLetters() (bodies [][]byte, err error) {
	err = q.file.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(q.dead).ForEach(func(_, body []byte) error {
			bodies = append(bodies, bytes.Clone(body))
			return nil
		})
	})
	return bodies, err
}
