package signin_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/functions/internal/programtest"
	"github.com/sessionstamp/sessionstamp/functions/internal/signin"
	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/deployment"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/subscription"
)

// An answer of AWS's that was not understood has a status, and nothing more.
func answered(status int) error {
	return &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}}, Err: errors.New("no text")}
}

// late is a context that has not noticed yet that its time is over.
type late struct{ context.Context }

func (late) Deadline() (time.Time, bool) { return time.Now(), true }

func TestFailed(t *testing.T) {
	t.Parallel()
	running := t.Context()
	over, cancel := context.WithCancel(running)
	cancel()
	token := func(status int, err error) error {
		return fmt.Errorf("user x: %w", &directory.Error{Operation: directory.Token, StatusCode: status, NotDone: true, Err: err})
	}
	unread := func(operation string, err error) error {
		return &directory.Error{Operation: operation, NotDone: true, Err: fmt.Errorf("cannot be read: %w", err)}
	}
	type verdict struct{ failed, inTime, lasts bool } // inTime is whether it failed for one whose time is not over
	var (
		none    = verdict{}
		refused = verdict{failed: true, inTime: true, lasts: true}
		passes  = verdict{failed: true, inTime: true}
		unknown = verdict{inTime: true}
	)
	for name, test := range map[string]struct {
		err  error
		want verdict
	}{
		"nothing":               {nil, none},
		"Graph":                 {&directory.Error{Operation: "getUser", StatusCode: 503}, none},
		"Graph refuses a token": {&directory.Error{Operation: "getUser", StatusCode: 401}, none},
		"something else":        {errors.New("token"), none},
		"refused by Entra":      {token(401, nil), refused},
		"Entra wants another":   {token(400, nil), refused},
		"Entra is unwell":       {token(503, nil), passes},
		"Entra has no room":     {token(429, nil), passes},
		"Entra was too slow":    {token(408, nil), passes},
		"Entra is silent":       {token(0, context.DeadlineExceeded), unknown},
		"reset":                 {token(0, syscall.ECONNRESET), unknown},
		"no turn":               {token(0, context.Canceled), unknown},
		"no token of AWS":       {unread(directory.WebIdentityToken, &smithy.GenericAPIError{Code: "AccessDenied"}), refused},
		"no client secret":      {unread(directory.ClientSecret, &smithy.GenericAPIError{Code: "ResourceNotFoundException"}), refused},
		"no certificate":        {unread(directory.Certificate, errors.New("it has no key")), refused},
		"too late for a fresh":  {&directory.Error{Operation: directory.ClientSecret, StatusCode: 401, Err: context.Canceled}, refused},
		"AWS has no room":       {unread(directory.WebIdentityToken, &smithy.GenericAPIError{Code: "ThrottlingException"}), unknown},
		"AWS is unwell":         {unread(directory.ClientSecret, answered(503)), unknown},
		"AWS is far":            {unread(directory.Certificate, &smithyhttp.RequestSendError{Err: syscall.ECONNREFUSED}), unknown},
		"AWS is silent":         {unread(directory.ClientSecret, context.DeadlineExceeded), unknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := leaktest.Seen(t, test.err)
			inTime := signin.Failed(running, err)
			for _, ended := range []context.Context{over, late{running}} {
				got := verdict{signin.Failed(ended, err), inTime, inTime && signin.Lasts(err)} //nolint:contextcheck // the one that is late is made here
				if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(verdict{})); diff != "" {
					t.Errorf("%v (-want +got):\n%s", err, diff)
				}
			}
		})
	}
}

// counter counts what would be metrics.
type counter struct{ failures int }

func (c *counter) ObserveSignInFailure() { c.failures++ }

// The record has the two sentences, and only what is to ring is counted.
func TestReport(t *testing.T) {
	t.Parallel()
	err := &directory.Error{Operation: directory.Token, StatusCode: 401, Code: "AADSTS700213",
		Err: &directory.PresentedToken{Issuer: "https://issuer", Subject: "arn:revoker", Audience: "api://x"}}
	for rings, want := range map[bool]int{true: 1, false: 0} {
		var log bytes.Buffer
		metrics := new(counter)
		r := signin.Reporter{Adviser: subscription.Adviser{ClientID: "app-id"}, Metrics: metrics,
			Log: slog.New(slog.NewJSONHandler(leaktest.Writer(t, &log), nil))}
		got := leaktest.Seen(t, r.Report(t.Context(), err, rings))
		if metrics.failures != want {
			t.Errorf("rings %t: %d failures counted, want %d", rings, metrics.failures, want)
		}
		var record struct{ Level, Cause, Problem, Step, Error string }
		if fault := json.Unmarshal(log.Bytes(), &record); fault != nil {
			t.Fatalf("%v: want one record, got\n%s", leaktest.Seen(t, fault), log.String())
		}
		if record.Level != "ERROR" || record.Cause != string(subscription.CauseFederationSubject) || record.Error != leaktest.Seen(t, err).Error() ||
			!strings.Contains(record.Problem+record.Step, "arn:revoker") || !errors.Is(got, err) ||
			!strings.HasPrefix(got.Error(), record.Problem+" "+record.Step) {
			t.Errorf("logged %+v, returned %v", record, got)
		}
	}
}

// What an administrator reads is about the app, and names the portal of its cloud.
func TestNew(t *testing.T) {
	t.Parallel()
	env, _, _ := programtest.New(t, nil, programtest.Denied)
	app := deployment.App{ClientID: programtest.ClientID, Cloud: "china"}
	r, err := signin.New(env, programtest.Tenant, app, new(counter))
	if err != nil {
		t.Fatal(err)
	}
	want := subscription.Adviser{Tenant: programtest.Tenant, ClientID: programtest.ClientID, Portal: "https://entra.microsoftonline.cn"}
	if r.Adviser != want || r.Metrics == nil || r.Log == nil {
		t.Errorf("got %+v", r)
	}
	app.Cloud = "moon"
	if _, err := signin.New(env, programtest.Tenant, app, new(counter)); leaktest.Seen(t, err) == nil {
		t.Error("an unknown cloud has a portal")
	}
}
