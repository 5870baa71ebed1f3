package main

import (
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // SQS's own
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/sessionstamp/sessionstamp/functions/internal/programtest"
	"github.com/sessionstamp/sessionstamp/functions/internal/signin"
	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
	"github.com/sessionstamp/sessionstamp/shared/subscription"
)

var (
	errRefused = &directory.Error{Operation: directory.Token, StatusCode: 401, Code: "AADSTS7000215", NotDone: true}
	errUnwell  = &directory.Error{Operation: directory.Token, StatusCode: 503, NotDone: true}
	errSilent  = &directory.Error{Operation: directory.Token, NotDone: true, Err: context.DeadlineExceeded}
)

// tally counts outcomes, and sign-ins that failed.
type tally struct{ outcomes, signIns int }

func (t *tally) Observe(context.Context, revocation.Outcome) { t.outcomes++ }

func (t *tally) ObserveSignInFailure() { t.signIns++ }

// A batch without a token has one record that explains it. It rings once somebody has been
// put back time and again, and not for what ends by itself.
func TestSignInFailure(t *testing.T) {
	t.Parallel()
	seen := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	tried := func(attempt int, err error) revocation.Outcome {
		return revocation.Outcome{Request: revocation.Request{Seen: seen, Attempt: attempt}, Verdict: revocation.Later, Err: err}
	}
	for name, test := range map[string]struct {
		outcomes []revocation.Outcome
		spent    bool               // its time is over
		cause    subscription.Cause // "" for any
		logged   int
		count    int
	}{
		"all is well":          {outcomes: []revocation.Outcome{tried(20, nil)}},
		"Graph fails":          {outcomes: []revocation.Outcome{tried(20, errors.New("down"))}},
		"at first":             {outcomes: []revocation.Outcome{tried(0, errRefused), tried(7, errRefused)}, cause: subscription.CauseSecretWrong, logged: 1},
		"time and again":       {outcomes: []revocation.Outcome{tried(0, errRefused), tried(8, errRefused)}, cause: subscription.CauseSecretWrong, logged: 1, count: 1},
		"in the other order":   {outcomes: []revocation.Outcome{tried(8, errRefused), tried(0, errRefused)}, cause: subscription.CauseSecretWrong, logged: 1, count: 1},
		"many":                 {outcomes: []revocation.Outcome{tried(9, errRefused), tried(9, errRefused), tried(9, errRefused)}, cause: subscription.CauseSecretWrong, logged: 1, count: 1},
		"who else waits":       {outcomes: []revocation.Outcome{tried(20, nil), tried(0, errRefused)}, cause: subscription.CauseSecretWrong, logged: 1},
		"a moment of Entra's":  {outcomes: []revocation.Outcome{tried(20, errUnwell)}, logged: 1},
		"what lasts is told":   {outcomes: []revocation.Outcome{tried(0, errUnwell), tried(8, errRefused), tried(0, errUnwell)}, cause: subscription.CauseSecretWrong, logged: 1, count: 1},
		"no answer":            {outcomes: []revocation.Outcome{tried(20, errSilent)}, logged: 1},
		"out of one's time":    {outcomes: []revocation.Outcome{tried(20, errSilent)}, spent: true},
		"refused, out of time": {outcomes: []revocation.Outcome{tried(8, errRefused)}, spent: true, cause: subscription.CauseSecretWrong, logged: 1, count: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			counts := new(tally)
			f := &function{failures: &failures{next: counts}, log: leaktest.Log(t), flush: func() error { return nil },
				reporter: signin.Reporter{Adviser: subscription.Adviser{}, Metrics: counts, Log: slog.New(slog.NewTextHandler(leaktest.Writer(t, &log), nil))}}
			f.handle = func(ctx context.Context, bodies [][]byte) []error {
				ctx, cancel := context.WithCancel(ctx)
				defer cancel()
				if test.spent {
					cancel()
				}
				for _, o := range test.outcomes {
					f.failures.Observe(ctx, o)
				}
				return make([]error, len(bodies))
			}
			if _, err := f.serve(t.Context(), batchOf("x")); err != nil {
				t.Error(err)
			}
			told := strings.Count(log.String(), "level=ERROR")
			if told != test.logged || !strings.Contains(log.String(), string(test.cause)) || counts.signIns != test.count || counts.outcomes != len(test.outcomes) {
				t.Errorf("%d records, want %d of %q; %d failures counted, want %d; %d outcomes passed on, want %d:\n%s",
					told, test.logged, test.cause, counts.signIns, test.count, counts.outcomes, len(test.outcomes), log.String())
			}
			f.reportSignIn(t.Context())
			if n := strings.Count(log.String(), "level=ERROR"); n != test.logged {
				t.Errorf("the next batch tells of this one's failure:\n%s", log.String())
			}
		})
	}
}

// accepting plays an AWS whose queue takes all messages, and has no secret.
func accepting(t *testing.T) http.Handler {
	t.Helper()
	vault := programtest.NewVault(t, nil)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Amz-Target") != "AmazonSQS.SendMessageBatch" {
			vault.ServeHTTP(w, r)
			return
		}
		type entry struct {
			ID   string `json:"Id"`
			Body string `json:"MessageBody,omitempty"`
			Sum  string `json:"MD5OfMessageBody"`
		}
		var in, out struct {
			Entries    []entry `json:",omitempty"`
			Successful []entry
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			t.Error(leaktest.Seen(t, err))
		}
		for _, e := range in.Entries {
			out.Successful = append(out.Successful, entry{ID: e.ID, Sum: fmt.Sprintf("%x", md5.Sum([]byte(e.Body)))}) //nolint:gosec // SQS's own
		}
		_ = json.NewEncoder(w).Encode(out)
	})
}

// The whole function, which finds no client secret, puts its users back and says what to do
// about it; where one of them was put back time and again, it rings.
func TestSaysWhatToDo(t *testing.T) {
	t.Parallel()
	env, log, metrics := programtest.New(t, programtest.Variables(), accepting(t))
	handler, err := start(t.Context(), env)
	if err != nil {
		t.Fatal(err)
	}
	young := request("0000000a-0000-0000-0000-000000000001")
	old := strings.Replace(request("0000000a-0000-0000-0000-000000000002"), `"seen"`, `"attempt":8,"seen"`, 1)
	for n, batch := range []events.SQSEvent{batchOf(young), batchOf(young, old)} {
		event, err := json.Marshal(batch)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := programtest.Invoke(t, handler, string(event)); err != nil || got != `{"batchItemFailures":[]}` {
			t.Errorf("got %s and %v", got, err)
		}
		if told := strings.Count(log.String(), "level=ERROR"); told != n+1 || !strings.Contains(log.String(), "cause=secret_unread problem=") || !strings.Contains(log.String(), programtest.CredentialSecret) {
			t.Errorf("%d errors in the log, want %d that tell of the secret:\n%s", told, n+1, log.String())
		}
		if counted := strings.Count(metrics.String(), `"SignInFailed":1`); counted != n {
			t.Errorf("%d failures counted, want %d:\n%s", counted, n, metrics.String())
		}
	}
}
