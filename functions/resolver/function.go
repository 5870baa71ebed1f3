package main

import (
	"context"
	"time"

	"github.com/sessionstamp/sessionstamp/functions/internal/batch"
	"github.com/sessionstamp/sessionstamp/shared/signal/resolver"
)

// function is what Lambda invokes.
type function struct{ batch.Worker }

// signInPatience is how long a signal must have waited before a sign-in that failed for it
// rings.
const signInPatience = 10 * time.Minute

// ObserveSignal implements [resolver.Observer]. It remembers that the app could not sign in.
func (f *function) ObserveSignal(ctx context.Context, o resolver.Outcome) {
	f.Note(ctx, o.Err, o.Waited >= signInPatience)
}
