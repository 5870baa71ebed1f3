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

	"github.com/sessionstamp/sessionstamp/functions/internal/program"
	"github.com/sessionstamp/sessionstamp/functions/internal/signin"
)

// A Worker is what Lambda invokes, one batch at a time. It tells once of a batch that the
// app could not sign in.
type Worker struct {
	Handle Handler
	signin.Watch
}

// Serve handles one batch. Its error is always nil: a message that is to come again says
// so by itself.
func (w *Worker) Serve(ctx context.Context, event events.SQSEvent) (events.SQSEventResponse, error) {
	early, cancel := program.EndEarly(ctx)
	defer cancel()
	response := Handle(early, w.Log, event, w.Handle)
	w.Tell(ctx)
	return response, nil
}

// A Handler is passed the bodies of messages, and returns one error for each, in
// order. A message whose error is nil is deleted.
type Handler func(ctx context.Context, bodies [][]byte) []error

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
	for i, err := range each(ctx, log, bodies, handle) {
		if err == nil {
			continue
		}
		message := event.Records[i]
		log.LogAttrs(ctx, slog.LevelError, "message left to the queue",
			slog.String("message_id", message.MessageId),
			slog.String("receive_count", message.Attributes["ApproximateReceiveCount"]),
			slog.String("error", err.Error()))
		response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: message.MessageId})
	}
	return response
}

// each returns one error for each body, whatever happens.
func each(ctx context.Context, log *slog.Logger, bodies [][]byte, handle Handler) []error {
	errs, err := try(ctx, log, bodies, handle)
	switch {
	case err == nil:
		return errs
	case len(bodies) == 1:
		return []error{err}
	}
	for i := range bodies {
		errs = append(errs, each(ctx, log, bodies[i:i+1], handle)...)
	}
	return errs
}

// try makes an error of the handler's panic, and of a wrong number of results.
func try(ctx context.Context, log *slog.Logger, bodies [][]byte, handle Handler) (errs []error, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicked(p)
			log.LogAttrs(ctx, slog.LevelError, "the handler panicked",
				slog.String("error", err.Error()), slog.String("stack", string(debug.Stack())))
		}
	}()
	errs = handle(ctx, bodies)
	if len(errs) != len(bodies) {
		return nil, fmt.Errorf("%d messages were handled, with %d results", len(bodies), len(errs))
	}
	return errs, nil
}

// panicked tells what a panic was about. Only of the runtime's own is it known
// that their text holds nothing of a message.
func panicked(p any) error {
	if err, ok := p.(runtime.Error); ok {
		return fmt.Errorf("panic: %w", err)
	}
	return fmt.Errorf("panic of type %T", p)
}
