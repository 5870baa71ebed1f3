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

	"github.com/sessionstamp/sessionstamp/functions/internal/programtest"
	"github.com/sessionstamp/sessionstamp/functions/internal/signin"
	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
	"github.com/sessionstamp/sessionstamp/shared/subscription"
)

var errNoToken = &directory.Error{Operation: directory.Token, StatusCode: 401, Code: "AADSTS7000215", NotDone: true}

// tally counts outcomes, and sign-ins that failed.
type tally struct{ outcomes, signIns int }

func (t *tally) Observe(context.Context, revocation.Outcome) { t.outcomes++ }

func (t *tally) ObserveSignInFailure() { t.signIns++ }

// A batch without a token has one record that explains it, and counts once somebody has
// waited for a while.
func TestSignInFailure(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	waiting := func(d time.Duration, err error) revocation.Outcome {
		return revocation.Outcome{Request: revocation.Request{Seen: now.Add(-d)}, Verdict: revocation.Later, Err: err}
	}
	for name, test := range map[string]struct {
		outcomes      []revocation.Outcome
		logged, count int
	}{
		"all is well":        {[]revocation.Outcome{waiting(time.Hour, nil)}, 0, 0},
		"Graph fails":        {[]revocation.Outcome{waiting(time.Hour, errors.New("down"))}, 0, 0},
		"at first":           {[]revocation.Outcome{waiting(time.Second, errNoToken), waiting(9*time.Minute, errNoToken)}, 1, 0},
		"for long":           {[]revocation.Outcome{waiting(time.Second, errNoToken), waiting(10*time.Minute, errNoToken)}, 1, 1},
		"for long, at once":  {[]revocation.Outcome{waiting(time.Hour, errNoToken), waiting(time.Second, errNoToken)}, 1, 1},
		"who else waits":     {[]revocation.Outcome{waiting(time.Hour, nil), waiting(time.Second, errNoToken)}, 1, 0},
		"many wait for long": {[]revocation.Outcome{waiting(time.Hour, errNoToken), waiting(time.Hour, errNoToken), waiting(time.Hour, errNoToken)}, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			counts := new(tally)
			f := &function{failures: &failures{next: counts}, log: leaktest.Log(t), now: func() time.Time { return now }, flush: func() error { return nil },
				reporter: signin.Reporter{Adviser: subscription.Adviser{}, Metrics: counts, Log: slog.New(slog.NewTextHandler(leaktest.Writer(t, &log), nil))}}
			f.handle = func(ctx context.Context, bodies [][]byte) []error {
				for _, o := range test.outcomes {
					f.failures.Observe(ctx, o)
				}
				return make([]error, len(bodies))
			}
			if _, err := f.serve(t.Context(), batchOf("x")); err != nil {
				t.Error(err)
			}
			if n := strings.Count(log.String(), "level=ERROR"); n != test.logged || counts.signIns != test.count || counts.outcomes != len(test.outcomes) {
				t.Errorf("%d records, want %d; %d failures counted, want %d; %d outcomes passed on, want %d:\n%s",
					n, test.logged, counts.signIns, test.count, counts.outcomes, len(test.outcomes), log.String())
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

// The whole function, which finds no client secret, puts its users back, says what to do
// about it, and counts it.
func TestSaysWhatToDo(t *testing.T) {
	t.Parallel()
	env, log, metrics := programtest.New(t, programtest.Variables(), accepting(t))
	handler, err := start(t.Context(), env)
	if err != nil {
		t.Fatal(err)
	}
	event, err := json.Marshal(batchOf(request("0000000a-0000-0000-0000-000000000001"), request("0000000a-0000-0000-0000-000000000002")))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := programtest.Invoke(t, handler, string(event)); err != nil || got != `{"batchItemFailures":[]}` {
		t.Errorf("got %s and %v", got, err)
	}
	if n := strings.Count(log.String(), "level=ERROR"); n != 1 || !strings.Contains(log.String(), "cause=secret_unread problem=") || !strings.Contains(log.String(), programtest.CredentialSecret) {
		t.Errorf("%d errors in the log, want one that tells of the secret:\n%s", n, log.String())
	}
	if n := strings.Count(metrics.String(), `"SignInFailed":1`); n != 1 {
		t.Errorf("%d failures counted, want 1:\n%s", n, metrics.String())
	}
}
