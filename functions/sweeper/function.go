package main

import (
	"context"
	"encoding/json"

	"github.com/sessionstamp/sessionstamp/functions/internal/program"
	"github.com/sessionstamp/sessionstamp/functions/internal/signin"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

// sweeper does what an order says.
type sweeper interface {
	Do(ctx context.Context, order sweep.Order) (sweep.Answer, error)
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

// serve carries out the order that the event is. What Lambda is told of an error
// is its text, so that a person who gave a wrong order reads what a right one is, and
// one whose app can't sign in what to do. The next sweep may be most of a day away, so a
// failure that lasts rings at once.
func (f *function) serve(ctx context.Context, event json.RawMessage) (sweep.Answer, error) {
	order, err := sweep.DecodeOrder(event)
	if err != nil {
		return sweep.Answer{}, err
	}
	early, cancel := program.EndEarly(ctx, program.Margin)
	defer cancel()
	answer, err := f.sweeper.Do(early, order)
	if signin.Failed(early, err) {
		err = f.reporter.Report(ctx, err, signin.Lasts(err))
	}
	return answer, err
}
