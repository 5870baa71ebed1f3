package memory

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Poller hands the messages of a queue to a handler in batches, as the event
// source mapping between SQS and Lambda does
// (https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html).
type Poller struct {
	Queue *Queue
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

// Run polls until ctx is done and every batch under way is handled.
func (p Poller) Run(ctx context.Context) {
	var workers sync.WaitGroup
	for worker := range p.Workers {
		workers.Go(func() {
			for p.poll(ctx, worker) == nil {
			}
		})
	}
	workers.Wait()
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
	for i, err := range errs {
		if err == nil && !late {
			p.Queue.Delete(messages[i])
		}
	}
	return nil
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
