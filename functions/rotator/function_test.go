package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/functions/internal/program"
	"github.com/sessionstamp/sessionstamp/functions/internal/programtest"
	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/rotation"
)

func TestFaults(t *testing.T) {
	t.Parallel()
	programtest.CheckFaults(t, func(env program.Environment) error {
		_, err := start(t.Context(), env)
		return err
	}, 8)
}

// stub is a rotator that notes its events.
type stub struct {
	events []rotation.Event
	err    error
	panics bool
	hangs  bool
}

func (s *stub) Rotate(ctx context.Context, e rotation.Event) error {
	s.events = append(s.events, e)
	if s.hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	if s.panics {
		panic("hunter2")
	}
	return s.err
}

// told is a recorder that notes what it was told, "" for a rotation that has ended.
type told struct {
	failed, clientState []string
	flushed             int
}

func (r *told) ObserveRotation(failed string) { r.failed = append(r.failed, failed) }

func (r *told) ObserveClientStateRotation(failed string) {
	r.clientState = append(r.clientState, failed)
}

func (r *told) Flush() error { r.flushed++; return errors.New("no space") }

// sent is an event as Secrets Manager sends it.
//
// Source: https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
const sent = `{"Step":"testSecret","SecretId":"` + programtest.ClientStateSecret + `","ClientRequestToken":"token","RotationToken":"hunter2"}`

// Each step is the right rotator's, and its outcome is told even if it panics.
func TestServe(t *testing.T) {
	t.Parallel()
	denied := &rotation.Fault{Wrong: rotation.WrongPermission, Operation: "addPassword", Err: errors.New("denied"), Advice: "Grant it."}
	tests := []struct {
		name  string
		event string
		mine  *stub
		told  told
		err   string
	}{
		{name: "done", event: sent, mine: &stub{}},
		{name: "explained", event: sent, mine: &stub{err: denied}, told: told{clientState: []string{"permission"}}, err: "addPassword: denied. Grant it."},
		{name: "not explained", event: sent, mine: &stub{err: errors.New("broke off")}, told: told{clientState: []string{"other"}}, err: "broke off"},
		{name: "panic", event: sent, mine: &stub{panics: true}, told: told{clientState: []string{"panic"}}},
		{name: "another secret", event: strings.Replace(sent, "state-", "other-", 1), mine: &stub{}, err: "take it off the other secret"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			recorder, other := new(told), new(stub)
			f := &function{
				rotators:    map[string]rotator{programtest.ClientStateSecret: test.mine, programtest.CredentialSecret: other},
				clientState: programtest.ClientStateSecret, metrics: recorder, log: slog.New(slog.NewTextHandler(leaktest.Writer(t, &log), nil)),
			}
			err := f.invoke(t, test.event)
			if (leaktest.Seen(t, err) != nil) != (test.err != "") || err != nil && !strings.Contains(err.Error(), test.err) {
				t.Errorf("got %v, want one that says %q", err, test.err)
			}
			want := []rotation.Event{{Step: rotation.TestSecret, SecretID: programtest.ClientStateSecret, Token: "token"}}
			if test.event != sent { // nobody's
				want = nil
			}
			if diff := cmp.Diff(want, test.mine.events); diff != "" || len(other.events) > 0 {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			test.told.flushed = 1
			if diff := cmp.Diff(test.told, *recorder, cmp.AllowUnexported(told{})); diff != "" {
				t.Errorf("told (-want +got):\n%s", diff)
			}
			if !strings.Contains(log.String(), "metrics are lost") || strings.Contains(log.String(), "hunter2") {
				t.Errorf("log:\n%s", log.String())
			}
		})
	}
}

// What is told last says whether the secret was replaced: a failure until a rotation has
// come to its end, whatever went well in between, and whatever became of the other secret.
func TestTellsUntilReplaced(t *testing.T) {
	t.Parallel()
	recorder, credential, clientState := new(told), new(stub), new(stub)
	f := &function{
		rotators:    map[string]rotator{programtest.ClientStateSecret: clientState, programtest.CredentialSecret: credential},
		clientState: programtest.ClientStateSecret, metrics: recorder, log: leaktest.Log(t),
	}
	for _, step := range []struct {
		secret, step string
		err          error
		want         told
	}{
		{secret: programtest.CredentialSecret, step: "createSecret"},
		{secret: programtest.CredentialSecret, step: "setSecret", err: errors.New("down"), want: told{failed: []string{"other"}}},
		{secret: programtest.ClientStateSecret, step: "createSecret"},
		{secret: programtest.ClientStateSecret, step: "finishSecret", want: told{clientState: []string{""}}},
		{secret: programtest.CredentialSecret, step: "createSecret"},
		{secret: programtest.CredentialSecret, step: "setSecret"},
		{secret: programtest.CredentialSecret, step: "testSecret"},
		{secret: programtest.CredentialSecret, step: "finishSecret", err: errors.New("down"), want: told{failed: []string{"other"}}},
		{secret: programtest.CredentialSecret, step: "finishSecret", want: told{failed: []string{""}}},
	} {
		*recorder, credential.err = told{}, step.err
		err := f.serve(t.Context(), events.SecretsManagerSecretRotationEvent{SecretID: step.secret, Step: step.step})
		if !errors.Is(leaktest.Seen(t, err), step.err) {
			t.Errorf("%s of %s: %v", step.step, step.secret, err)
		}
		step.want.flushed = 1
		if diff := cmp.Diff(step.want, *recorder, cmp.AllowUnexported(told{})); diff != "" {
			t.Errorf("after %s of %s (-want +got):\n%s", step.step, step.secret, diff)
		}
	}
}

// A step that takes too long is told before Lambda ends the function.
func TestTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		recorder := new(told)
		f := &function{
			rotators: map[string]rotator{programtest.ClientStateSecret: &stub{hangs: true}},
			metrics:  recorder, log: leaktest.Log(t),
		}
		err := f.serve(ctx, events.SecretsManagerSecretRotationEvent{SecretID: programtest.ClientStateSecret})
		if end, _ := ctx.Deadline(); !errors.Is(leaktest.Seen(t, err), context.DeadlineExceeded) || time.Until(end) != program.Margin {
			t.Errorf("%v, %s before the end", err, time.Until(end))
		}
		if diff := cmp.Diff([]string{"other"}, recorder.failed); diff != "" || recorder.flushed != 1 {
			t.Errorf("flushed %d times; told (-want +got):\n%s", recorder.flushed, diff)
		}
	})
}

// invoke serves an event, and survives a panic, as Lambda does.
func (f *function) invoke(t *testing.T, text string) (err error) {
	t.Helper()
	var event events.SecretsManagerSecretRotationEvent
	if err := json.Unmarshal([]byte(text), &event); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = recover() }()
	return f.serve(t.Context(), event)
}
