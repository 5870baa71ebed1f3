package main

import (
	"context"
	"encoding/json"

	"github.com/sessionstamp/sessionstamp/functions/internal/program"
	"github.com/sessionstamp/sessionstamp/functions/internal/signin"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

// function is what Lambda invokes.
type function struct {
	// run carries out what an order says.
	run      func(context.Context, sweep.Order) (sweep.Report, error)
	reporter signin.Reporter
}

// serve carries out the order that the event is. Lambda shows the text of its error: a
// person who gave a wrong order reads what a right one is, and one whose app can't sign
// in what to do.
func (f *function) serve(ctx context.Context, event json.RawMessage) (sweep.Report, error) {
	order, err := sweep.DecodeOrder(event)
	if err != nil {
		return sweep.Report{}, err
	}
	early, cancel := program.EndEarly(ctx)
	defer cancel()
	report, err := f.run(early, order)
	if signin.Failed(early, err) {
		err = f.reporter.Report(ctx, err, signin.Lasts(err))
	}
	return report, err
}
