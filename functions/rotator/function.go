package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"github.com/sessionstamp/sessionstamp/functions/internal/program"
	"github.com/sessionstamp/sessionstamp/shared/rotation"
)

// rotator is [*rotation.Rotator].
type rotator interface {
	Rotate(ctx context.Context, e rotation.Event) error
}

// recorder is [*metrics.Recorder].
type recorder interface {
	ObserveRotation(failed string)
	ObserveClientStateRotation(failed string)
	Flush() error
}

// function is what Lambda invokes.
type function struct {
	rotators    map[string]rotator // by the ARN of the secret
	clientState string             // the ARN of that one
	metrics     recorder
	log         *slog.Logger
}

func start(_ context.Context, env program.Environment) (any, error) {
	f, err := build(env)
	if err != nil {
		return nil, err
	}
	return f.serve, nil
}

// logError is a log key.
const logError = "error"

// serve does one step of a rotation. Secrets Manager takes any error for a step that
// failed, and begins again with the first one.
func (f *function) serve(ctx context.Context, event events.SecretsManagerSecretRotationEvent) (err error) {
	told, failed := true, reasonPanic // if Rotate does not return
	defer func() {
		if told {
			f.tell(event, failed)
		}
		if lost := f.metrics.Flush(); lost != nil {
			f.log.LogAttrs(ctx, slog.LevelError, "metrics are lost", slog.String(logError, lost.Error()))
		}
	}()
	early, cancel := program.EndEarly(ctx, program.Margin)
	defer cancel()
	r, err := f.rotator(event.SecretID)
	if err == nil {
		err = r.Rotate(early, rotation.Event{
			Step: rotation.Step(event.Step), SecretID: event.SecretID, Token: event.ClientRequestToken,
		})
	}
	told, failed = !rotation.Stray(err), reasonOf(err)
	return err
}

// tell writes the metric of the secret's rotation. A step in between that went well is
// no news: the one that failed before may be yet to come, and the alarm must not end
// before the rotation does. Of a secret that is not this stack's no rotation ever ends:
// that the function fails is told by Lambda.
func (f *function) tell(event events.SecretsManagerSecretRotationEvent, failed string) {
	_, ours := f.rotators[event.SecretID]
	switch {
	case !ours, failed == "" && rotation.Step(event.Step) != rotation.FinishSecret:
	case event.SecretID == f.clientState:
		f.metrics.ObserveClientStateRotation(failed)
	default:
		f.metrics.ObserveRotation(failed)
	}
}

// rotator returns the one for a secret.
func (f *function) rotator(secretID string) (rotator, error) {
	if r, ok := f.rotators[secretID]; ok {
		return r, nil
	}
	known := strings.Join(slices.Sorted(maps.Keys(f.rotators)), " and ")
	return nil, &rotation.Fault{
		Wrong: rotation.WrongSettings, Err: fmt.Errorf("the secret %s is not one of this stack's", secretID),
		Advice: "This function rotates " + known + ": take it off the other secret, or correct the parameters of the stack.",
	}
}

// Reasons of a failure that no [rotation.Wrong] is.
const (
	reasonOther = "other"
	reasonPanic = "panic"
)

// reasonOf is what the metric of a failed step counts for, "" for none.
func reasonOf(err error) string {
	if err == nil {
		return ""
	}
	if fault, ok := errors.AsType[*rotation.Fault](err); ok {
		return string(fault.Wrong)
	}
	return reasonOther
}
