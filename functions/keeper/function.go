package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/cfn"
	"github.com/aws/aws-lambda-go/events"

	"github.com/sessionstamp/sessionstamp/functions/internal/batch"
	"github.com/sessionstamp/sessionstamp/functions/internal/program"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/notification"
	"github.com/sessionstamp/sessionstamp/shared/subscription"
)

// keeper is [*subscription.Keeper].
type keeper interface {
	Keep(ctx context.Context) (subscription.Report, error)
	SetUp(ctx context.Context) (subscription.Report, error)
	TakeDown(ctx context.Context) error
	HandleLifecycle(ctx context.Context, events []notification.Lifecycle) []error
	Explain(err error) error
}

// credential is [*graphclient.Client].
type credential interface {
	CredentialExpiry(ctx context.Context) (time.Time, error)
}

// recorder is [*metrics.Recorder].
type recorder interface {
	ObserveExpiry(expires time.Time)
}

// function is what Lambda invokes.
type function struct {
	keeper     keeper
	credential credential
	// stored tells that the credential is, and so expires.
	stored  bool
	metrics recorder
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

// serve tells by its shape what an event is: a request of CloudFormation, messages
// of the lifecycle queue or, for all else, the schedule.
func (f *function) serve(ctx context.Context, event json.RawMessage) (any, error) {
	var shape struct{ RequestType, ResponseURL, Records json.RawMessage }
	if json.Unmarshal(event, &shape) != nil {
		return f.keep(ctx)
	}
	switch {
	case shape.RequestType != nil && shape.ResponseURL != nil:
		var request cfn.Event
		if err := json.Unmarshal(event, &request); err != nil {
			return nil, fmt.Errorf("read the request of CloudFormation: %w", err)
		}
		return cfn.LambdaWrap(f.provide)(ctx, request)
	case shape.Records != nil:
		var messages events.SQSEvent
		if err := json.Unmarshal(event, &messages); err != nil {
			return nil, fmt.Errorf("read the messages of the lifecycle queue: %w", err)
		}
		early, cancel := program.EndEarly(ctx, program.Margin)
		defer cancel()
		return batch.Handle(early, f.log, messages, f.handleLifecycle), nil
	}
	return f.keep(ctx)
}

// kept is what a run on schedule answers, for those who start one by hand.
type kept struct {
	Found []subscription.Finding `json:"found"`
	Done  []subscription.Action  `json:"done"`
}

func (f *function) keep(ctx context.Context) (any, error) {
	if f.fault != nil {
		return nil, f.fault
	}
	early, cancel := program.EndEarly(ctx, program.Margin)
	defer cancel()
	report, err := f.keeper.Keep(early)
	f.tellExpiry(early)
	if err != nil {
		return nil, f.keeper.Explain(err)
	}
	return kept{report.Found, report.Done}, nil
}

// tellExpiry writes a metric of when what the app signs in with expires. This is the
// function for it because it runs each hour, whether or not anything happens. So the
// metric lags behind a rotation by that hour, and by the five minutes at most for which
// an execution environment believes what it has read. While Secrets Manager fails it is
// up to twelve hours ([secrets.DefaultSettings]), and the log says so; after that nothing
// is told.
func (f *function) tellExpiry(ctx context.Context) {
	expires, err := f.credential.CredentialExpiry(ctx)
	if err != nil {
		f.log.LogAttrs(ctx, slog.LevelWarn, "nobody knows when the credential expires", slog.String(logError, err.Error()))
		return
	}
	if f.stored && expires.IsZero() {
		f.log.LogAttrs(ctx, slog.LevelWarn, unknownExpiry)
	}
	f.metrics.ObserveExpiry(expires)
}

// unknownExpiry is said each hour: the alarm that should ring before a client secret
// expires never will. A certificate says itself when it does.
const unknownExpiry = "nobody knows when the client secret expires, and no alarm will ring before: " +
	`store it with its expiry, as {"clientSecret":"…","expires":"2027-05-21T00:00:00Z"}; README.md, step 3, has the command`

// handleLifecycle is a [batch.Handler].
func (f *function) handleLifecycle(ctx context.Context, bodies [][]byte) []error {
	errs := make([]error, len(bodies))
	var lifecycles []notification.Lifecycle
	var positions []int
	for i, body := range bodies {
		l, err := decodeLifecycle(body)
		if err == nil {
			err = f.fault
		}
		if err != nil {
			errs[i] = err
			continue
		}
		lifecycles, positions = append(lifecycles, l), append(positions, i)
	}
	if len(lifecycles) == 0 {
		return errs
	}
	for i, err := range f.keeper.HandleLifecycle(ctx, lifecycles) {
		errs[positions[i]] = err
	}
	return errs
}

var errLifecycle = errors.New("the message is not a lifecycle notification")

// decodeLifecycle reads what the webhook has queued.
func decodeLifecycle(body []byte) (notification.Lifecycle, error) {
	var l notification.Lifecycle
	if json.Unmarshal(body, &l) != nil || !directory.IsID(l.TenantID) || !l.Event.Known() {
		return notification.Lifecycle{}, errLifecycle
	}
	return l, nil
}
