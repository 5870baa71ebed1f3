package main

import (
	"context"

	"github.com/sessionstamp/sessionstamp/functions/internal/batch"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// function is what Lambda invokes.
type function struct{ batch.Worker }

// signInTries is how often a request must have been put back before a sign-in that
// failed for it rings. The pauses between, from two seconds on, come to about ten
// minutes by then.
const signInTries = 8

// Observe implements [stamp.Observer]. It remembers that the app could not sign in.
func (f *function) Observe(ctx context.Context, o stamp.Outcome) {
	f.Metrics.Observe(ctx, o)
	f.Note(ctx, o.Err, o.Request.Attempt >= signInTries)
}
