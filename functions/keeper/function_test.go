package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/internal/goldentest"
	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/notification"
	"github.com/sessionstamp/sessionstamp/shared/subscription"
)

const tenant = "11111111-2222-3333-4444-555555555555"

var errGraph = errors.New("no answer from Graph")

// expiring is a credential with an expiry, or an error instead. It is a recorder too,
// which notes what it was told.
type expiring struct {
	at   time.Time
	err  error
	told []time.Time
}

func (e *expiring) CredentialExpiry(context.Context) (time.Time, error) { return e.at, e.err }

func (e *expiring) ObserveExpiry(at time.Time) { e.told = append(e.told, at) }

// functionOf is a function around a keeper.
func functionOf(t testing.TB, k keeper) *function {
	t.Helper()
	unknown := new(expiring)
	return &function{keeper: k, credential: unknown, metrics: unknown, log: leaktest.Log(t)}
}

// The expiry of the credential is told on schedule, whether the keeper failed or not.
func TestExpiry(t *testing.T) {
	t.Parallel()
	at := time.Date(2027, 5, 21, 0, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		keeper     *stub
		credential *expiring
		stored     bool
		want       []time.Time
		logged     string
	}{
		"known":              {&stub{}, &expiring{at: at}, true, []time.Time{at}, ""},
		"the keeper fails":   {&stub{err: errGraph}, &expiring{at: at}, true, []time.Time{at}, ""},
		"it cannot be read":  {&stub{}, &expiring{err: errGraph}, true, nil, "nobody knows when the credential expires"},
		"nothing is stored":  {&stub{}, &expiring{}, false, []time.Time{{}}, ""},
		"nobody has said it": {&stub{}, &expiring{}, true, []time.Time{{}}, "level=WARN msg=\"nobody knows when the client secret expires"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			f := &function{keeper: test.keeper, credential: test.credential, stored: test.stored, metrics: test.credential, log: slog.New(slog.NewTextHandler(leaktest.Writer(t, &log), nil))}
			if _, err := f.serve(t.Context(), json.RawMessage(`{}`)); !errors.Is(leaktest.Seen(t, err), test.keeper.err) {
				t.Errorf("got %v, want %v", err, test.keeper.err)
			}
			if diff := cmp.Diff(test.want, test.credential.told); diff != "" {
				t.Errorf("told (-want +got):\n%s", diff)
			}
			if strings.Count(log.String(), "\n") != min(len(test.logged), 1) || !strings.Contains(log.String(), test.logged) {
				t.Errorf("the log lacks %q, or holds more:\n%s", test.logged, log.String())
			}
		})
	}
}

// stub is a keeper that notes what it was asked for.
type stub struct {
	asked    []string
	deadline time.Time // of the context of the last call
	events   []notification.Lifecycle
	err      error
	panics   bool
}

func (s *stub) note(ctx context.Context, what string) {
	s.asked = append(s.asked, what)
	s.deadline, _ = ctx.Deadline()
	if s.panics {
		panic("hunter2")
	}
}

func (s *stub) Keep(ctx context.Context) (subscription.Report, error) {
	s.note(ctx, "keep")
	return subscription.Report{Found: []subscription.Finding{subscription.FoundHealthy}, Done: []subscription.Action{}}, s.err
}

func (s *stub) SetUp(ctx context.Context) (subscription.Report, error) {
	s.note(ctx, "set up")
	return subscription.Report{SubscriptionID: "graph-id", Expires: time.Date(2026, 12, 21, 9, 0, 0, 0, time.UTC)}, s.err
}

func (s *stub) TakeDown(ctx context.Context) error {
	s.note(ctx, "take down")
	return s.err
}

func (s *stub) HandleLifecycle(ctx context.Context, events []notification.Lifecycle) []error {
	s.note(ctx, "lifecycle")
	s.events = events
	errs := make([]error, len(events))
	errs[len(errs)-1] = s.err
	return errs
}

func (s *stub) Explain(err error) error {
	return &subscription.Advice{Problem: "Graph failed.", Step: "Wait.", Err: err}
}

// cloudFormation is where the answers to its requests are put.
func cloudFormation(t *testing.T) (url string, answers *[]string) {
	t.Helper()
	answers = new([]string)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil || req.Method != http.MethodPut || req.Header.Get("Content-Type") != "" {
			t.Errorf("%s with content type %q: %v", req.Method, req.Header.Get("Content-Type"), err)
		}
		*answers = append(*answers, string(body))
	}))
	t.Cleanup(server.Close)
	return server.URL + "/answer", answers
}

// request is one of CloudFormation.
//
// Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requests.html
func request(t *testing.T, kind, id, url string) json.RawMessage {
	t.Helper()
	event := map[string]any{
		"RequestType": kind, "ResponseURL": url, "StackId": "arn:aws:cloudformation:eu-central-1:123456789012:stack/s/1",
		"RequestId": "request-1", "ResourceType": "Custom::Subscription", "LogicalResourceId": "Subscription",
		"ResourceProperties": map[string]any{"NotificationUrl": "https://x"},
	}
	if id != "" {
		event["PhysicalResourceId"] = id
	}
	raw, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// TestCloudFormation pins what CloudFormation is answered.
func TestCloudFormation(t *testing.T) {
	t.Parallel()
	advice := &subscription.Advice{Problem: "There is no admin consent.", Step: "Open the portal.", Err: errGraph}
	long := &subscription.Advice{Problem: strings.Repeat("<é>", 1000), Step: "Wait.", Err: errGraph}
	fault := errors.New("the configuration has faults: TENANT_ID is missing")
	tests := []struct {
		name, kind, id string
		keeper         *stub
		fault          error
		asked, logged  string
	}{
		{name: "create", kind: "Create", keeper: &stub{}, asked: "set up"},
		{name: "create-fails", kind: "Create", keeper: &stub{err: advice}, asked: "set up"},
		{name: "create-fails-at-length", kind: "Create", keeper: &stub{err: long}, asked: "set up"},
		{name: "create-misconfigured", kind: "Create", fault: fault},
		{name: "update", kind: "Update", id: physicalID, keeper: &stub{}, asked: "set up"},
		{name: "update-of-another-id", kind: "Update", id: "given-before", keeper: &stub{}, asked: "set up"},
		{name: "update-fails", kind: "Update", id: physicalID, keeper: &stub{err: advice}, asked: "set up"},
		{name: "delete", kind: "Delete", id: physicalID, keeper: &stub{}, asked: "take down"},
		{name: "delete-fails", kind: "Delete", id: physicalID, keeper: &stub{err: advice}, asked: "take down", logged: "There is no admin consent."},
		{name: "delete-panics", kind: "Delete", id: physicalID, keeper: &stub{panics: true}, asked: "take down", logged: "panic of type string"},
		{name: "delete-misconfigured", kind: "Delete", id: physicalID, fault: fault, logged: "TENANT_ID is missing"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			url, answers := cloudFormation(t)
			var log bytes.Buffer
			f := &function{keeper: test.keeper, fault: test.fault, log: slog.New(slog.NewTextHandler(leaktest.Writer(t, &log), nil))}
			if _, err := f.serve(t.Context(), request(t, test.kind, test.id, url)); err != nil {
				t.Errorf("the function failed: %v", err)
			}
			if test.keeper != nil && strings.Join(test.keeper.asked, ",") != test.asked {
				t.Errorf("the keeper was asked to %q, want %q", test.keeper.asked, test.asked)
			}
			if len(*answers) != 1 || len((*answers)[0]) > 4096 {
				t.Fatalf("answers %q, want one of at most 4096 bytes", *answers)
			}
			goldentest.Compare(t, "testdata/"+test.name+".json", (*answers)[0]+"\n")
			checkLog(t, log.String(), test.logged)
		})
	}
}

// checkLog wants one error that says what is left and what to do, or nothing.
func checkLog(t *testing.T, log, want string) {
	t.Helper()
	switch {
	case strings.Contains(log, "hunter2"):
		t.Errorf("the log holds what a panic said:\n%s", log)
	case want == "" && log != "":
		t.Errorf("something was logged:\n%s", log)
	case want != "" && (!strings.Contains(log, want) || !strings.Contains(log, "level=ERROR") || !strings.Contains(log, "DELETE https://graph.microsoft.com")):
		t.Errorf("the log lacks %q, or what to do:\n%s", want, log)
	}
}

// Where CloudFormation can't be told, the invocation fails, so that Lambda tries
// it again.
func TestAnswerFails(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	f := functionOf(t, &stub{})
	if _, err := f.serve(t.Context(), request(t, "Create", "", server.URL)); leaktest.Seen(t, err) == nil {
		t.Error("nobody was told that CloudFormation was not answered")
	}
}

// The keeper's time ends early enough for what comes after it.
func TestDeadlines(t *testing.T) {
	t.Parallel()
	url, _ := cloudFormation(t)
	end := time.Now().Add(time.Hour)
	ctx, cancel := context.WithDeadline(t.Context(), end)
	defer cancel()
	for event, want := range map[string]time.Duration{
		string(request(t, "Create", "", url)):  15 * time.Second,
		string(request(t, "Delete", "x", url)): 15 * time.Second,
		`{}`:                                   8 * time.Second,
		messages:                               8 * time.Second,
	} {
		keeper := new(stub)
		f := functionOf(t, keeper)
		if _, err := f.serve(ctx, json.RawMessage(event)); err != nil {
			t.Error(err)
		}
		if got := end.Sub(keeper.deadline); got != want {
			t.Errorf("%s is given up %s before the end, want %s", event, got, want)
		}
	}
}

const messages = `{"Records": [
  {"messageId": "m-1", "body": "{\"subscription\":\"s\",\"tenant\":\"` + tenant + `\",\"event\":\"reauthorizationRequired\",\"received\":\"2026-11-22T12:00:00Z\"}"},
  {"messageId": "m-2", "body": "hunter2"},
  {"messageId": "m-3", "body": "{\"tenant\":\"hunter2\",\"event\":\"missed\"}"},
  {"messageId": "m-4", "body": "{\"tenant\":\"` + tenant + `\",\"event\":\"hunter2\"}"},
  {"messageId": "m-5", "body": "{\"tenant\":\"` + tenant + `\",\"event\":\"missed\"}"}
]}`

func TestLifecycle(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name        string
		err, fault  error
		want        string
		wantHandled int
	}{
		{"handled", nil, nil, `{"batchItemFailures":[{"itemIdentifier":"m-2"},{"itemIdentifier":"m-3"},{"itemIdentifier":"m-4"}]}`, 2},
		{"one comes again", errGraph, nil, `{"batchItemFailures":[{"itemIdentifier":"m-2"},{"itemIdentifier":"m-3"},{"itemIdentifier":"m-4"},{"itemIdentifier":"m-5"}]}`, 2},
		{
			"misconfigured", nil, errors.New("misconfigured"),
			`{"batchItemFailures":[{"itemIdentifier":"m-1"},{"itemIdentifier":"m-2"},{"itemIdentifier":"m-3"},{"itemIdentifier":"m-4"},{"itemIdentifier":"m-5"}]}`, 0,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			keeper := &stub{err: test.err}
			f := &function{keeper: keeper, fault: test.fault, log: slog.New(slog.NewTextHandler(leaktest.Writer(t, &log), nil))}
			answer, err := f.serve(t.Context(), json.RawMessage(messages))
			if err != nil {
				t.Fatal(err)
			}
			got, err := json.Marshal(answer)
			if err != nil || string(got) != test.want {
				t.Errorf("got %s and %v, want %s", got, err, test.want)
			}
			if len(keeper.events) != test.wantHandled || strings.Contains(log.String(), "hunter2") {
				t.Errorf("%d events were handled, want %d; log:\n%s", len(keeper.events), test.wantHandled, log.String())
			}
			for i, received := range []time.Time{time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), {}}[:test.wantHandled] {
				if got := keeper.events[i].Received; !got.Equal(received) {
					t.Errorf("event %d was received at %s, want %s", i, got, received)
				}
			}
		})
	}
}

// Whatever else comes is the schedule, whose errors are the platform's to count.
func TestSchedule(t *testing.T) {
	t.Parallel()
	for _, event := range []string{
		`{}`, `null`, `[]`, `"x"`, `{"RequestType":"Create"}`,
		`{"version":"0","detail-type":"Scheduled Event","source":"aws.scheduler","detail":{}}`,
	} {
		keeper := new(stub)
		f := functionOf(t, keeper)
		answer, err := f.serve(t.Context(), json.RawMessage(event))
		if err != nil || len(keeper.asked) != 1 || keeper.asked[0] != "keep" {
			t.Errorf("%s: asked %q, error %v", event, keeper.asked, err)
		}
		if got, err := json.Marshal(answer); err != nil || string(got) != `{"found":["healthy"],"done":[]}` {
			t.Errorf("%s: answer %s, %v", event, got, err)
		}
		keeper.err = errGraph
		if _, err := f.serve(t.Context(), json.RawMessage(event)); !errors.Is(leaktest.Seen(t, err), errGraph) || !strings.HasPrefix(err.Error(), "Graph failed. Wait.") {
			t.Errorf("%s: got %v, want advice", event, err)
		}
		f.fault = errors.New("misconfigured")
		if _, err := f.serve(t.Context(), json.RawMessage(event)); !errors.Is(leaktest.Seen(t, err), f.fault) {
			t.Errorf("%s: got %v, want %v", event, err, f.fault)
		}
	}
}

// FuzzServe makes sure that no event breaks the function.
func FuzzServe(f *testing.F) {
	for _, seed := range []string{
		messages, `{}`, `null`, `{"Records":null}`, `{"Records":1}`, `{"RequestType":1,"ResponseURL":2}`, `{"Records":[{"body":1}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, event []byte) {
		if bytes.Contains(bytes.ToLower(event), []byte("responseurl")) {
			return // which would be called
		}
		function := functionOf(t, new(stub))
		_, _ = function.serve(t.Context(), event)
	})
}
