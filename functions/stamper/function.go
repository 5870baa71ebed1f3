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
	handle   batch.Handler
	reporter signin.Reporter
	// failed is a sign-in that failed in this batch, if possible one that lasts, nil for
	// none. rings tells that somebody had waited for long.
	failed error
	rings  bool
}

// serve handles one batch. Its error is always nil: a message that is to come
// again says so by itself.
func (f *function) serve(ctx context.Context, event events.SQSEvent) (events.SQSEventResponse, error) {
	early, cancel := program.EndEarly(ctx)
	defer cancel()
	f.failed, f.rings = nil, false
	response := batch.Handle(early, f.reporter.Log, event, f.handle)
	if f.failed != nil { // told once, however many users wait
		_ = f.reporter.Report(ctx, f.failed, f.rings) // the requests are put back already
	}
	return response, nil
}

// signInTries is how often a request must have been put back before a sign-in that
// failed for it rings. The pauses between, from two seconds on, come to about ten
// minutes by then: what Entra had not heard of yet, it has.
const signInTries = 8

// Observe implements [stamp.Observer]. It remembers that the app could not sign in.
func (f *function) Observe(ctx context.Context, o stamp.Outcome) {
	f.reporter.Metrics.Observe(ctx, o)
	if !signin.Failed(ctx, o.Err) {
		return
	}
	lasts := signin.Lasts(o.Err)
	if lasts || f.failed == nil {
		f.failed = o.Err
	}
	f.rings = f.rings || lasts && o.Request.Attempt >= signInTries
}
