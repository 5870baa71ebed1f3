// Package batch handles the [batches of SQS messages] that Lambda hands to a
// function, of which each message succeeds or fails by itself.
//
// [batches of SQS messages]: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
package batch

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"

	"github.com/aws/aws-lambda-go/events"
)

// A Handler is passed the bodies of messages, and returns one error for each, in
// order. A message whose error is nil is deleted.
type Handler func(ctx context.Context, bodies [][]byte) []error

// Log keys.
const (
	logMessage  = "message_id"
	logReceived = "receive_count"
	logError    = "error"
	logStack    = "stack"
)

// Handle passes a batch to the handler, and names the messages that are to come
// again. Each of them has a log record that says why.
//
// If the handler panics, it is passed each message alone, so that one message
// which it can't bear does not take its neighbours to the dead letters. Messages
// must bear being handled twice.
func Handle(ctx context.Context, log *slog.Logger, event events.SQSEvent, handle Handler) events.SQSEventResponse {
	bodies := make([][]byte, len(event.Records))
	for i, message := range event.Records {
		bodies[i] = []byte(message.Body)
	}
	// Nothing but an empty list says that all is done.
	response := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	for i, err := range guarded(log, handle).each(ctx, bodies) {
		if err == nil {
			continue
		}
		message := event.Records[i]
		log.LogAttrs(ctx, slog.LevelError, "message left to the queue",
			slog.String(logMessage, message.MessageId),
			slog.String(logReceived, message.Attributes["ApproximateReceiveCount"]),
			slog.String(logError, err.Error()))
		response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: message.MessageId})
	}
	return response
}

// attempt is a Handler that survives: ok tells whether it did its work.
type attempt func(ctx context.Context, bodies [][]byte) (errs []error, err error)

// each returns one error for each body, whatever happens.
func (try attempt) each(ctx context.Context, bodies [][]byte) []error {
	errs, err := try(ctx, bodies)
	if err == nil {
		return errs
	}
	errs = make([]error, len(bodies))
	for i := range bodies {
		if len(bodies) == 1 {
			errs[i] = err
			break
		}
		errs[i] = try.each(ctx, bodies[i:i+1])[0]
	}
	return errs
}

// guarded makes errors of a handler's panics and of wrong answers.
func guarded(log *slog.Logger, handle Handler) attempt {
	return func(ctx context.Context, bodies [][]byte) (errs []error, err error) {
		defer func() {
			if p := recover(); p != nil {
				err = panicked(p)
				log.LogAttrs(ctx, slog.LevelError, "the handler panicked",
					slog.String(logError, err.Error()), slog.String(logStack, string(debug.Stack())))
			}
		}()
		errs = handle(ctx, bodies)
		if len(errs) != len(bodies) {
			return nil, fmt.Errorf("%d messages were handled, with %d results", len(bodies), len(errs))
		}
		return errs, nil
	}
}

// panicked tells what a panic was about. Only of the runtime's own is it known
// that their text holds nothing of a message.
func panicked(p any) error {
	if err, ok := p.(runtime.Error); ok {
		return fmt.Errorf("panic: %w", err)
	}
	return fmt.Errorf("panic of type %T", p)
}
