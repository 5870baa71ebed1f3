package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"time"

	"github.com/aws/aws-lambda-go/cfn"

	"github.com/sessionstamp/sessionstamp/functions/internal/program"
	"github.com/sessionstamp/sessionstamp/shared/aws/metrics"
	"github.com/sessionstamp/sessionstamp/shared/keeper"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// withoutURL leaves the address out of net/http's error: whoever has it may answer for us.
func withoutURL(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

// keeping is [*keeper.Keeper].
type keeping interface {
	Keep(ctx context.Context) (keeper.Report, error)
	SetUp(ctx context.Context) (keeper.Report, error)
	TakeDown(ctx context.Context) error
}

// function is what Lambda invokes.
type function struct {
	keeper keeping
	tenant string
	// brake tells how the brake stands, and where its limit is.
	brake func(ctx context.Context, tenant string) (stamp.BrakeState, int, error)
	// expires tells when what the app signs in with expires, nil where nothing is stored.
	expires func(context.Context) (time.Time, error)
	metrics *metrics.Recorder
	// signals come after the subscription, nil where a fault is.
	signals *signals
	// fault is why there is none of these, nil if they are there.
	fault error
	log   *slog.Logger
}

// start makes the function, even if it can do nothing: CloudFormation waits an
// hour for a function that doesn't come up, and a stack that can't be created
// must still be deleted.
func start(ctx context.Context, env program.Environment) (any, error) {
	f, err := build(env)
	if err != nil {
		env.Report(ctx, err)
		f = &function{fault: err, log: env.Log}
	}
	return f.serve, nil
}

// serve tells a request of CloudFormation from a run on schedule.
func (f *function) serve(ctx context.Context, event json.RawMessage) (any, error) {
	var request cfn.Event
	if json.Unmarshal(event, &request) == nil && request.RequestType != "" {
		reason, err := cfn.LambdaWrap(f.provide)(ctx, request)
		if err != nil {
			return nil, fmt.Errorf("answer CloudFormation: %w", withoutURL(err))
		}
		return reason, nil
	}
	return f.keep(ctx)
}

// keep answers what it found, for a person who starts it by hand.
func (f *function) keep(ctx context.Context) (any, error) {
	if f.fault != nil {
		return nil, f.fault
	}
	early, cancel := program.EndEarly(ctx)
	defer cancel()
	report, err := f.keeper.Keep(early)
	f.tellBrake(early)
	f.tellExpiry(early)
	if !slices.Contains(report.Found, keeper.FoundTakenDown) {
		f.signals.keep(early)
	}
	return report.Found, err
}

// tellBrake says at each run which brake is reached: where one is, no user comes up
// any more who would tell.
func (f *function) tellBrake(ctx context.Context) {
	s, limit, err := f.brake(ctx, f.tenant)
	if err != nil {
		f.log.LogAttrs(ctx, slog.LevelWarn, "nobody knows how the brake stands", slog.String("error", err.Error()))
		return
	}
	if !s.Reached.IsZero() {
		f.metrics.Attend(metrics.BrakeReached, 1)
		f.log.LogAttrs(ctx, slog.LevelWarn, brakeReached, slog.Time("reached", s.Reached), slog.Int("limit", limit))
	}
	if reached := s.Signals.Reached; !reached.IsZero() {
		f.metrics.Attend(metrics.BrakeReached, 1)
		f.log.LogAttrs(ctx, slog.LevelWarn, signalBrakeReached, slog.Time("reached", reached), slog.Int("limit", limit))
	}
}

// What is said of the brakes, at each run.
const (
	brakeReached       = "the brake is reached: nobody is stamped automatically until a person releases it"
	signalBrakeReached = "the brake of signals is reached: nobody is signed out for what providers report until a person releases it"
)

// tellExpiry says when what the app signs in with expires. This is the function for it
// because it runs whether or not anything happens.
func (f *function) tellExpiry(ctx context.Context) {
	if f.expires == nil {
		return
	}
	expires, err := f.expires(ctx)
	if err != nil {
		f.log.LogAttrs(ctx, slog.LevelWarn, "nobody knows when the credential expires", slog.String("error", err.Error()))
		return
	}
	if expires.IsZero() {
		f.log.LogAttrs(ctx, slog.LevelWarn, unknownExpiry)
	}
	f.metrics.ObserveExpiry(expires)
}

// unknownExpiry is said at each run. A certificate says itself when it expires.
const unknownExpiry = "nobody knows when the client secret expires, and no alarm will ring before: " +
	`store it with its expiry, as {"clientSecret":"…","expires":"2027-05-21T00:00:00Z"}`
