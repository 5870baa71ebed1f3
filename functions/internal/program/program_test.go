package program_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/functions/internal/program"
	"github.com/sessionstamp/sessionstamp/shared/config"
)

var errBuild = errors.New("cannot be built")

// A program that can't be built is not started.
func TestStartFails(t *testing.T) {
	t.Parallel()
	err := program.Start(t.Context(), []string{"TENANT_ID=x=y"}, io.Discard, func(_ context.Context, env program.Environment) (any, error) {
		if value, ok := env.Lookup("TENANT_ID"); !ok || value != "x=y" || env.Log == nil || env.Now == nil || env.Out != io.Discard {
			t.Errorf("the environment is incomplete: %+v", env)
		}
		return nil, errBuild
	})
	if !errors.Is(err, errBuild) {
		t.Errorf("got %v, want %v", err, errBuild)
	}
}

// All faults stand in one record.
func TestReport(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	env := program.Environment{Log: slog.New(slog.NewJSONHandler(&log, nil))}
	_, err := config.ReadWebhook(config.Environ(nil))
	env.Report(t.Context(), err)
	if strings.Count(log.String(), "\n") != 1 || !strings.Contains(log.String(), `"level":"ERROR"`) ||
		!strings.Contains(log.String(), "TENANT_ID") || !strings.Contains(log.String(), "CLIENT_STATE_SECRET_ARN") {
		t.Errorf("log:\n%s", log.String())
	}
}

func TestEndEarly(t *testing.T) {
	t.Parallel()
	ctx, cancel := program.EndEarly(t.Context())
	if _, ok := ctx.Deadline(); ok {
		t.Error("an invocation without an end has one")
	}
	if cancel(); ctx.Err() == nil {
		t.Error("the context can't be cancelled")
	}
	end := time.Now().Add(time.Hour)
	late, stop := context.WithDeadline(t.Context(), end)
	defer stop()
	early, cancel := program.EndEarly(late)
	defer cancel()
	if got, _ := early.Deadline(); !got.Equal(end.Add(-program.Margin)) {
		t.Errorf("ends at %s, want a margin before %s", got, end)
	}
}

func TestMetricsAndSecrets(t *testing.T) {
	t.Parallel()
	env := program.Environment{Out: io.Discard, Log: slog.New(slog.DiscardHandler), Now: time.Now}
	if _, err := env.Recorder(config.Stack{Name: "s", Namespace: "n"}); err != nil {
		t.Error(err)
	}
	if _, err := env.Recorder(config.Stack{}); err == nil {
		t.Error("a recorder without a stack was made")
	}
	secret := env.Secret("arn")
	if secret.ARN != "arn" || secret.Manager == nil || secret.Log == nil || secret.Now == nil {
		t.Errorf("incomplete: %+v", secret)
	}
}
