package main

import (
	"context"
	"encoding/json"

	"github.com/sessionstamp/sessionstamp/functions/internal/program"
	"github.com/sessionstamp/sessionstamp/functions/internal/signin"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

// sweeper carries out what an order says.
type sweeper interface {
	Run(ctx context.Context, order sweep.Order) (sweep.Report, error)
}

// function is what Lambda invokes.
type function struct {
	sweeper  sweeper
	reporter signin.Reporter
}

func start(_ context.Context, env program.Environment) (any, error) {
	f, err := build(env)
	if err != nil {
		return nil, err
	}
	return f.serve, nil
}

// serve carries out the order that the event is. Lambda shows the text of its error: a
// person who gave a wrong order reads what a right one is, and one whose app can't sign
// in what to do.
func (f *function) serve(ctx context.Context, event json.RawMessage) (sweep.Report, error) {
	order, err := sweep.DecodeOrder(event)
	if err != nil {
		return sweep.Report{}, err
	}
	early, cancel := program.EndEarly(ctx, program.Margin)
	defer cancel()
	report, err := f.sweeper.Run(early, order)
	if signin.Failed(early, err) {
		err = f.reporter.Report(ctx, err, signin.Lasts(err))
	}
	return report, err
}
