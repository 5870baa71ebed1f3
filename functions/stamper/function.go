package main

import (
	"context"

	"github.com/aws/aws-lambda-go/events"

	"github.com/sessionstamp/sessionstamp/functions/internal/batch"
	"github.com/sessionstamp/sessionstamp/functions/internal/program"
	"github.com/sessionstamp/sessionstamp/functions/internal/signin"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// function is what Lambda invokes, one batch at a time.
type function struct {
	handle batch.Handler
	watch  signin.Watch
}

// serve handles one batch. Its error is always nil: a message that is to come
// again says so by itself.
func (f *function) serve(ctx context.Context, event events.SQSEvent) (events.SQSEventResponse, error) {
	early, cancel := program.EndEarly(ctx)
	defer cancel()
	response := batch.Handle(early, f.watch.Log, event, f.handle)
	f.watch.Tell(ctx)
	return response, nil
}

// signInTries is how often a request must have been put back before a sign-in that
// failed for it rings. The pauses between, from two seconds on, come to about ten
// minutes by then.
const signInTries = 8

// Observe implements [stamp.Observer]. It remembers that the app could not sign in.
func (f *function) Observe(ctx context.Context, o stamp.Outcome) {
	f.watch.Metrics.Observe(ctx, o)
	f.watch.Note(ctx, o.Err, o.Request.Attempt >= signInTries)
}
