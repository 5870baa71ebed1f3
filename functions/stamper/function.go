package main

import (
	"context"
	"log/slog"

	"github.com/aws/aws-lambda-go/events"

	"github.com/sessionstamp/sessionstamp/functions/internal/batch"
	"github.com/sessionstamp/sessionstamp/functions/internal/program"
	"github.com/sessionstamp/sessionstamp/functions/internal/signin"
)

// function is what Lambda invokes.
type function struct {
	handle batch.Handler
	// failures are the sign-ins that failed in a batch, and reporter tells of them.
	failures *failures
	reporter signin.Reporter
	log      *slog.Logger
}

func start(_ context.Context, env program.Environment) (any, error) {
	f, err := build(env)
	if err != nil {
		return nil, err
	}
	return f.serve, nil
}

// serve handles one batch. Its error is always nil: a message that is to come
// again says so by itself.
func (f *function) serve(ctx context.Context, event events.SQSEvent) (events.SQSEventResponse, error) {
	defer f.reportSignIn(ctx)
	early, cancel := program.EndEarly(ctx, program.Margin)
	defer cancel()
	return batch.Handle(early, f.log, event, f.handle), nil
}

// reportSignIn tells of the batch once, however many users wait.
func (f *function) reportSignIn(ctx context.Context) {
	rings, err := f.failures.take()
	if err == nil {
		return
	}
	_ = f.reporter.Report(ctx, err, rings) // the requests are put back already
}
