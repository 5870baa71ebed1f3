package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/sessionstamp/sessionstamp/functions/internal/program"
	"github.com/sessionstamp/sessionstamp/functions/internal/programtest"
	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
)

func TestFaults(t *testing.T) {
	t.Parallel()
	programtest.CheckFaults(t, func(env program.Environment) error {
		_, err := start(t.Context(), env)
		return err
	}, 15)
}

// batchOf is an event with these bodies.
func batchOf(bodies ...string) events.SQSEvent {
	var event events.SQSEvent
	for i, body := range bodies {
		event.Records = append(event.Records, events.SQSMessage{
			MessageId: "m-" + string(rune('1'+i)), Body: body, Attributes: map[string]string{"ApproximateReceiveCount": "1"},
		})
	}
	return event
}

// request is a message for one user, seen a minute ago: the function under test reads
// the real clock, and gives up what is days old.
func request(user string) string {
	seen := time.Now().Add(-time.Minute).UTC().Format(time.RFC3339)
	return `{"tenant":"` + programtest.Tenant + `","user":"` + user + `","source":"notification","seen":"` + seen + `"}`
}

// With nothing of AWS at hand every message comes again, each with its reason.
func TestNothingIsLost(t *testing.T) {
	t.Parallel()
	env, log, metrics := programtest.New(t, programtest.Variables(), programtest.Denied)
	handler, err := start(t.Context(), env)
	if err != nil {
		t.Fatal(err)
	}
	event, err := json.Marshal(batchOf(request("0000000a-0000-0000-0000-000000000001"), "hunter2"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := programtest.Invoke(t, handler, string(event))
	if want := `{"batchItemFailures":[{"itemIdentifier":"m-1"},{"itemIdentifier":"m-2"}]}`; err != nil || got != want {
		t.Errorf("got %s and %v, want %s", got, err, want)
	}
	for _, want := range []string{"message_id=m-1", "AccessDenied", "message_id=m-2", "decode request"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %q:\n%s", want, log.String())
		}
	}
	for _, want := range []string{`"Reason":"ledger_unavailable"`, `"RequestsFailed":1`, `"Reason":"invalid"`} {
		if !strings.Contains(metrics.String(), want) {
			t.Errorf("the metrics lack %s:\n%s", want, metrics.String())
		}
	}
	if strings.Contains(log.String()+metrics.String(), "hunter2") {
		t.Error("a body is in the log")
	}
}

// The revoker's time ends before Lambda's, and metrics are written in the end,
// even after a panic.
func TestServe(t *testing.T) {
	t.Parallel()
	end := time.Now().Add(time.Hour)
	ctx, cancel := context.WithDeadline(t.Context(), end)
	defer cancel()
	var steps []string
	var log bytes.Buffer
	f := &function{
		handle: func(ctx context.Context, _ [][]byte) []error {
			steps = append(steps, "handle")
			if deadline, _ := ctx.Deadline(); end.Sub(deadline) != program.Margin {
				t.Errorf("the batch is given up %s before the end, want %s", end.Sub(deadline), program.Margin)
			}
			panic("poison")
		},
		failures: new(failures),
		flush:    func() error { steps = append(steps, "flush"); return errors.New("no space") },
		log:      slog.New(slog.NewTextHandler(leaktest.Writer(t, &log), nil)),
	}
	answer, err := f.serve(ctx, batchOf("x"))
	if err != nil || len(answer.BatchItemFailures) != 1 {
		t.Errorf("got %+v and %v", answer, err)
	}
	if got := strings.Join(steps, ","); got != "handle,flush" {
		t.Errorf("steps %s", got)
	}
	if !strings.Contains(log.String(), "metrics are lost") {
		t.Errorf("the log lacks the failure to write metrics:\n%s", log.String())
	}
}
