package main

import (
	"bytes"
	"cmp"
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

	"github.com/sessionstamp/sessionstamp/functions/internal/program"
	"github.com/sessionstamp/sessionstamp/shared/aws/metrics"
	"github.com/sessionstamp/sessionstamp/shared/config"
	"github.com/sessionstamp/sessionstamp/shared/keeper"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

var errGraph = errors.New("no answer from Graph")

// stub is a keeper, a credential and a brake that say what a test wants.
type stub struct {
	asked   []string
	err     error
	expires time.Time
	reached time.Time
	signals time.Time      // when the brake of signals was reached
	found   keeper.Finding // healthy, if empty
}

func (s *stub) note(what string) {
	s.asked = append(s.asked, what)
}

func (s *stub) Keep(context.Context) (keeper.Report, error) {
	s.note("keep")
	return keeper.Report{Found: []keeper.Finding{cmp.Or(s.found, keeper.FoundHealthy)}}, s.err
}

func (s *stub) SetUp(context.Context) (keeper.Report, error) {
	s.note("set up")
	return keeper.Report{}, s.err
}

func (s *stub) TakeDown(context.Context) error {
	s.note("take down")
	return s.err
}

func (s *stub) ends(context.Context) (time.Time, error) { return s.expires, nil }

func (s *stub) brake(context.Context, string) (stamp.BrakeState, int, error) {
	return stamp.BrakeState{Tally: stamp.Tally{Reached: s.reached}, Signals: stamp.Tally{Reached: s.signals}}, 200, nil
}

// functionOf is a function around a stub, whose log and metrics go to out.
func functionOf(t *testing.T, s *stub, fault error, out io.Writer) *function {
	t.Helper()
	recorder, err := metrics.New(metrics.Config{Namespace: "n", Stack: "s", Out: out, Now: func() time.Time { return time.Now().UTC().Truncate(24 * time.Hour).Add(8 * time.Hour) }})
	if err != nil {
		t.Fatal(err)
	}
	return &function{
		keeper: s, brake: s.brake, expires: s.ends, metrics: recorder, fault: fault,
		log: slog.New(slog.NewTextHandler(out, nil)),
	}
}

// A run on schedule tells each time what needs a person, and returns its error.
func TestSchedule(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		stub *stub
		says []string
	}{
		"all well":             {&stub{expires: time.Now().AddDate(1, 0, 0)}, nil},
		"the brake is reached": {&stub{expires: time.Now().AddDate(1, 0, 0), reached: time.Now()}, []string{"brake_reached", "until a person releases it"}},
		"that of signals":      {&stub{expires: time.Now().AddDate(1, 0, 0), signals: time.Now()}, []string{"brake_reached", "for what providers report"}},
		"the credential ends":  {&stub{expires: time.Now().AddDate(0, 0, 2)}, []string{"credential_ends"}},
		"nobody knows":         {&stub{}, []string{"nobody knows when the client secret expires"}},
		"the keeper fails":     {&stub{err: errGraph, expires: time.Now().AddDate(0, 0, 2)}, []string{"credential_ends"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			_, err := functionOf(t, tt.stub, nil, &out).serve(t.Context(), json.RawMessage(`{"source":"aws.scheduler"}`))
			if !errors.Is(err, tt.stub.err) || strings.Join(tt.stub.asked, ",") != "keep" {
				t.Errorf("%v, asked to %v", err, tt.stub.asked)
			}
			for _, text := range tt.says {
				if !strings.Contains(out.String(), text) {
					t.Errorf("nobody says %q:\n%s", text, out.String())
				}
			}
			if tt.says == nil && out.Len() > 0 {
				t.Errorf("said:\n%s", out.String())
			}
		})
	}
}

// CloudFormation gets one answer, whatever happens, and a stack can always be deleted.
func TestCloudFormation(t *testing.T) {
	t.Parallel()
	fault := errors.New("TENANT_ID is missing")
	tests := []struct {
		name, kind, id string
		stub           *stub
		fault          error
		asked, status  string
		says           string
	}{
		{"create", "Create", "", &stub{}, nil, "set up", "SUCCESS", physicalID},
		{"create fails", "Create", "", &stub{err: errGraph}, nil, "set up", "FAILED", "no answer from Graph"},
		{"create fails at length", "Create", "", &stub{err: errors.New(strings.Repeat("é.", 2000))}, nil, "set up", "FAILED", "…"},
		{"misconfigured", "Create", "", &stub{}, fault, "", "FAILED", "TENANT_ID is missing"},
		{"update keeps the id", "Update", "given-before", &stub{}, nil, "set up", "SUCCESS", "given-before"},
		{"delete", "Delete", physicalID, &stub{}, nil, "take down", "SUCCESS", physicalID},
		{"delete fails", "Delete", physicalID, &stub{err: errGraph}, nil, "take down", "SUCCESS", physicalID},
		{"delete misconfigured", "Delete", physicalID, &stub{}, fault, "", "SUCCESS", physicalID},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var answers []string
			server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				answers = append(answers, string(body))
			}))
			defer server.Close()
			event, _ := json.Marshal(map[string]any{
				"RequestType": tt.kind, "ResponseURL": server.URL, "StackId": "arn:aws:cloudformation:eu-central-1:123456789012:stack/s/1",
				"RequestId": "r", "LogicalResourceId": "Subscription", "PhysicalResourceId": tt.id,
			})
			if _, err := functionOf(t, tt.stub, tt.fault, io.Discard).serve(t.Context(), event); err != nil {
				t.Errorf("the function failed: %v", err)
			}
			if strings.Join(tt.stub.asked, ",") != tt.asked {
				t.Errorf("asked to %v, want %q", tt.stub.asked, tt.asked)
			}
			if len(answers) != 1 || len(answers[0]) > 4096 || !strings.Contains(answers[0], `"`+tt.status+`"`) || !strings.Contains(answers[0], tt.says) {
				t.Errorf("answered %q", answers)
			}
		})
	}
}

// The program starts with nothing, and says why it can't work.
func TestStartMisconfigured(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	env := program.Environment{Lookup: config.Environ(nil), Log: slog.New(slog.NewJSONHandler(&out, nil)), Out: io.Discard, Now: time.Now}
	handler, err := start(t.Context(), env)
	if err != nil || handler == nil || !strings.Contains(out.String(), "EXCLUDED") && !strings.Contains(out.String(), "TENANT_ID") {
		t.Errorf("%v, log:\n%s", err, out.String())
	}
}
