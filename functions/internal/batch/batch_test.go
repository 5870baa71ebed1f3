package batch_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/functions/internal/batch"
)

// sent is a batch of three messages as Lambda hands it over.
//
// Source: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
const sent = `{"Records": [
  {"messageId": "m-1", "body": "one", "attributes": {"ApproximateReceiveCount": "1"}},
  {"messageId": "m-2", "body": "two", "attributes": {"ApproximateReceiveCount": "4"}},
  {"messageId": "m-3", "body": "three", "attributes": {"ApproximateReceiveCount": "1"}}
]}`

// failing fails the messages with these bodies.
func failing(bodies ...string) batch.Handler {
	return func(_ context.Context, got [][]byte) []error {
		errs := make([]error, len(got))
		for i, body := range got {
			for _, bad := range bodies {
				if string(body) == bad {
					errs[i] = errors.New("cannot handle it")
				}
			}
		}
		return errs
	}
}

// panicking panics with p when it meets the body.
func panicking(poison string, p any) batch.Handler {
	return func(_ context.Context, got [][]byte) []error {
		for _, body := range got {
			if string(body) == poison {
				panic(p)
			}
		}
		return make([]error, len(got))
	}
}

// TestHandle pins what Lambda is answered, and what stands in the log.
func TestHandle(t *testing.T) {
	t.Parallel()
	indexed := func(_ context.Context, got [][]byte) []error {
		return []error{fmt.Errorf("%d", got[0][len(got[0]):][0])} // out of range
	}
	tests := []struct {
		name   string
		handle batch.Handler
		logged []string
	}{
		{"all-done", failing(), nil},
		{"one-fails", failing("two"), []string{"message_id=m-2 receive_count=4", "cannot handle it"}},
		{"all-fail", failing("one", "two", "three"), []string{"m-1", "m-2", "m-3"}},
		{"poison", panicking("two", "hunter2"), []string{"message_id=m-2", "panic of type string", "stack="}},
		{"poison-of-the-runtime", indexed, []string{"index out of range", "m-1", "m-2", "m-3"}},
		{"too-few-results", func(context.Context, [][]byte) []error { return nil }, []string{"1 messages were handled, with 0 results"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var event events.SQSEvent
			if err := json.Unmarshal([]byte(sent), &event); err != nil {
				t.Fatal(err)
			}
			var log bytes.Buffer
			answer, err := json.Marshal(batch.Handle(t.Context(), slog.New(slog.NewTextHandler(&log, nil)), event, test.handle))
			if err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile("testdata/" + test.name + ".json")
			if err != nil {
				t.Fatal(err)
			}
			if got := string(answer) + "\n"; got != string(want) {
				t.Errorf("answered %s, want %s", got, want)
			}
			for _, want := range test.logged {
				if !strings.Contains(log.String(), want) {
					t.Errorf("the log lacks %q:\n%s", want, log.String())
				}
			}
			if len(test.logged) == 0 && log.Len() > 0 || strings.Contains(log.String(), "hunter2") {
				t.Errorf("the log holds what it should not:\n%s", log.String())
			}
		})
	}
}

// A handler is called once, unless it panics.
func TestCalls(t *testing.T) {
	t.Parallel()
	var event events.SQSEvent
	if err := json.Unmarshal([]byte(sent), &event); err != nil {
		t.Fatal(err)
	}
	for poison, want := range map[string][]int{"none": {3}, "three": {3, 1, 1, 1}} {
		var calls []int
		batch.Handle(t.Context(), slog.New(slog.DiscardHandler), event, func(ctx context.Context, got [][]byte) []error {
			calls = append(calls, len(got))
			return panicking(poison, "x")(ctx, got)
		})
		if diff := cmp.Diff(want, calls); diff != "" {
			t.Errorf("poison %s: sizes of calls (-want +got):\n%s", poison, diff)
		}
	}
}
