package memory

import (
	"context"
	"errors"
	"sync"
	"time"
)

// A Source is where a Poller takes messages from: [Queue], or one that outlives the
// process.
type Source interface {
	// Receive waits for messages until there is one or ctx is done, and returns at most
	// limit of them.
	Receive(ctx context.Context, limit int) ([]Message, error)
	// Delete acknowledges messages. After an error they may be delivered again.
	Delete(messages ...Message) error
}

// Poller hands the messages of a queue to a handler in batches, as the event
// source mapping between SQS and Lambda does
// (https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html).
type Poller struct {
	Queue Source
	// Workers is how many batches are handled at once (MaximumConcurrency).
	Workers int
	// Batch is the most messages in one batch (BatchSize).
	Batch int
	// Window is how long to wait for a batch to fill
	// (MaximumBatchingWindowInSeconds).
	Window time.Duration
	// Timeout ends one call of Handle (the function's Timeout). Of a call that
	// takes longer, every message stays.
	Timeout time.Duration
	// Handle returns one error for each body, in order; a message whose error
	// is nil is deleted (ReportBatchItemFailures). It is called by Workers
	// goroutines at once, each of which passes its own number.
	Handle func(ctx context.Context, worker int, bodies [][]byte) []error
}

// errTimeout ends a call that takes too long.
var errTimeout = errors.New("the call took longer than the function may")

// Run polls until ctx is done or the queue fails, and every batch under way is handled.
// It returns why.
func (p Poller) Run(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var workers sync.WaitGroup
	for worker := range p.Workers {
		workers.Go(func() {
			var err error
			for err == nil {
				err = p.poll(ctx, worker)
			}
			stop(err)
		})
	}
	workers.Wait()
	return context.Cause(ctx)
}

func (p Poller) poll(ctx context.Context, worker int) error {
	messages, err := p.gather(ctx)
	if err != nil {
		return err
	}
	bodies := make([][]byte, len(messages))
	for i, m := range messages {
		bodies[i] = m.Body
	}
	call, cancel := context.WithTimeoutCause(Handling(ctx, messages), p.Timeout, errTimeout)
	defer cancel()
	errs := p.Handle(call, worker, bodies)
	late := errors.Is(context.Cause(call), errTimeout)
	var done []Message
	for i, err := range errs {
		if err == nil && !late {
			done = append(done, messages[i])
		}
	}
	return p.Queue.Delete(done...)
}

// gather receives a batch: full, or as full as it gets within the window.
func (p Poller) gather(ctx context.Context) ([]Message, error) {
	messages, err := p.Queue.Receive(ctx, p.Batch)
	if err != nil || p.Window == 0 {
		return messages, err
	}
	window, cancel := context.WithTimeout(ctx, p.Window)
	defer cancel()
	for len(messages) < p.Batch {
		more, err := p.Queue.Receive(window, p.Batch-len(messages))
		if err != nil {
			break
		}
		messages = append(messages, more...)
	}
	return messages, nil
}
