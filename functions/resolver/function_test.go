package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/sessionstamp/sessionstamp/functions/internal/program"
	"github.com/sessionstamp/sessionstamp/functions/internal/signin"
	"github.com/sessionstamp/sessionstamp/shared/aws/metrics"
	"github.com/sessionstamp/sessionstamp/shared/config"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/signal/resolver"
)

// A batch names what is to come again. A failed sign-in has one record with advice, and
// rings once a signal has waited for long, not for what ends by itself.
func TestServe(t *testing.T) {
	t.Parallel()
	refused := &directory.Error{Operation: directory.Token, StatusCode: 401, Code: "AADSTS7000215", NotDone: true}
	unwell := &directory.Error{Operation: directory.Token, StatusCode: 503, NotDone: true}
	for name, tt := range map[string]struct {
		err     error
		waited  time.Duration
		records int
		rings   bool
	}{
		"well":             {nil, 0, 0, false},
		"Graph fails":      {&directory.Error{Operation: "lookUpUsers", StatusCode: 503}, time.Hour, 0, false},
		"refused at once":  {refused, 9 * time.Minute, 1, false},
		"refused for long": {refused, 10 * time.Minute, 1, true},
		"unwell for long":  {unwell, time.Hour, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out, log bytes.Buffer
			recorder, err := metrics.New(metrics.Config{Namespace: "n", Stack: "s", Out: &out, Now: time.Now})
			if err != nil {
				t.Fatal(err)
			}
			f := new(function)
			f.Reporter = signin.Reporter{Metrics: recorder, Log: slog.New(slog.NewTextHandler(&log, nil))}
			f.Handle = func(ctx context.Context, bodies [][]byte) []error {
				for range bodies {
					f.ObserveSignal(ctx, resolver.Outcome{Waited: tt.waited, Left: true, Err: tt.err})
				}
				return []error{nil, errors.New("left to the queue")}
			}
			for range 2 { // the second time nothing is left of the first
				answer, err := f.Serve(t.Context(), events.SQSEvent{Records: []events.SQSMessage{{MessageId: "a"}, {MessageId: "b"}}})
				text, _ := json.Marshal(answer)
				if err != nil || string(text) != `{"batchItemFailures":[{"itemIdentifier":"b"}]}` {
					t.Errorf("%s, %v", text, err)
				}
				if got := strings.Count(log.String(), "the app can't sign in"); got != tt.records {
					t.Errorf("%d records, want %d:\n%s", got, tt.records, log.String())
				}
				if got := strings.Contains(out.String(), "sign_in_refused"); got != tt.rings {
					t.Errorf("rings: %t\n%s", got, out.String())
				}
				tt.err = nil
			}
		})
	}
}

// The function is made of what the template sets, and of nothing else.
func TestStart(t *testing.T) {
	t.Parallel()
	env := program.Environment{
		AWS: aws.Config{Region: "eu-central-1"}, Out: io.Discard, Log: slog.New(slog.DiscardHandler), Now: time.Now,
		Lookup: config.Environ([]string{
			"TENANT_ID=84bd8158-6d4d-4958-8b9f-9d6445542f95", "STACK_NAME=s", "METRICS_NAMESPACE=n", "TABLE_NAME=t",
			"NOTIFICATION_QUEUE_URL=https://sqs.invalid/q", "CLIENT_ID=5c1a2b7e-11f2-4a38-8c0b-6b1a94ec2f02",
			"CLOUD=global", "AUTH_MODE=web-identity", "NEW_USER_WINDOW_HOURS=72", "STAMPS_PER_DAY=0", "DRY_RUN=false", "SIGNAL_MODE=report",
		}),
	}
	made, err := start(t.Context(), env)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := made.(func(context.Context, events.SQSEvent) (events.SQSEventResponse, error)); !ok {
		t.Errorf("%T is not what Lambda invokes with messages", made)
	}
	env.Lookup = config.Environ(nil)
	if _, err := start(t.Context(), env); err == nil {
		t.Error("a function without a configuration was made")
	}
}
