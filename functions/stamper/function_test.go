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

	"github.com/sessionstamp/sessionstamp/functions/internal/signin"
	"github.com/sessionstamp/sessionstamp/shared/aws/metrics"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// A batch names what is to come again. A failed sign-in has one record with advice, and
// rings once somebody has been put back time and again, not for what ends by itself.
func TestServe(t *testing.T) {
	t.Parallel()
	refused := &directory.Error{Operation: directory.Token, StatusCode: 401, Code: "AADSTS7000215", NotDone: true}
	unwell := &directory.Error{Operation: directory.Token, StatusCode: 503, NotDone: true}
	for name, tt := range map[string]struct {
		err     error
		attempt int
		records int
		rings   bool
	}{
		"well":             {nil, 0, 0, false},
		"Graph fails":      {&directory.Error{Operation: "users", StatusCode: 503}, 9, 0, false},
		"refused at once":  {refused, 0, 1, false},
		"refused for long": {refused, 8, 1, true},
		"unwell for long":  {unwell, 8, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out, log bytes.Buffer
			recorder, err := metrics.New(metrics.Config{Namespace: "n", Stack: "s", Out: &out, Now: time.Now})
			if err != nil {
				t.Fatal(err)
			}
			logger := slog.New(slog.NewTextHandler(&log, nil))
			f := new(function)
			f.Reporter = signin.Reporter{Metrics: recorder, Log: logger}
			f.Handle = func(ctx context.Context, bodies [][]byte) []error {
				for range bodies {
					f.Observe(ctx, stamp.Outcome{Request: stamp.Request{Seen: time.Now(), Attempt: tt.attempt}, Verdict: stamp.Later, Err: tt.err})
				}
				return []error{nil, errors.New("left to the queue")}
			}
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
		})
	}
}
