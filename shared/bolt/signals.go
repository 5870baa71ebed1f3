package bolt

import (
	"context"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/sessionstamp/sessionstamp/shared/memory"
	"github.com/sessionstamp/sessionstamp/shared/signal"
)

// Signals are the two queues of what providers report, in a file: one of those that go first,
// and one of the others. They deliver as a [Queue] does.
type Signals struct {
	file           *File
	urgent, others *Queue
}

// NewSignals returns the queues in the file, of which there may be one pair at a time.
// MaxReceives is not for them: a message holds a name, and whoever receives it ends it.
func NewSignals(f *File, o QueueOptions) *Signals {
	o.MaxReceives = 0
	return &Signals{file: f, urgent: newQueue(f, urgent, nil, o), others: newQueue(f, signals, nil, o)}
}

// Enqueue stores all messages, or none. What it returned nil for outlives the process.
func (s *Signals) Enqueue(ctx context.Context, messages []signal.Message) error {
	err := ctx.Err()
	if err == nil {
		err = s.file.db.Update(func(tx *bbolt.Tx) error {
			for _, m := range messages {
				q := s.of(m)
				if err := put(tx.Bucket(q.bucket), m, q.options.Now()); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err != nil {
		return fmt.Errorf("queue %d messages: %w", len(messages), err)
	}
	s.urgent.wake()
	s.others.wake()
	return nil
}

func (s *Signals) of(m signal.Message) *Queue {
	if m.Urgent() {
		return s.urgent
	}
	return s.others
}

// Urgent is the queue of the messages that [signal.Message.Urgent] tells of, for who receives.
func (s *Signals) Urgent() memory.Source { return s.urgent }

// Others is the queue of all other messages, for who receives.
func (s *Signals) Others() memory.Source { return s.others }
