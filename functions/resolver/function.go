package main

import (
	"context"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/sessionstamp/sessionstamp/functions/internal/batch"
	"github.com/sessionstamp/sessionstamp/functions/internal/program"
	"github.com/sessionstamp/sessionstamp/functions/internal/signin"
	"github.com/sessionstamp/sessionstamp/shared/signal/resolver"
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

// signInPatience is how long a signal must have waited before a sign-in that failed for it
// rings.
const signInPatience = 10 * time.Minute

// ObserveSignal implements [resolver.Observer]. It remembers that the app could not sign in.
func (f *function) ObserveSignal(ctx context.Context, o resolver.Outcome) {
	f.watch.Note(ctx, o.Err, o.Waited >= signInPatience)
}
