package signin_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/sessionstamp/sessionstamp/functions/internal/programtest"
	"github.com/sessionstamp/sessionstamp/functions/internal/signin"
	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/deployment"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/subscription"
)

func TestFailed(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		err  error
		want bool
	}{
		"nothing":           {nil, false},
		"refused by Entra":  {fmt.Errorf("user x: %w", &directory.Error{Operation: directory.Token, StatusCode: 401, Code: "AADSTS700213"}), true},
		"Entra is silent":   {&directory.Error{Operation: directory.Token, Err: context.DeadlineExceeded}, true},
		"no token of AWS":   {&directory.Error{Operation: directory.WebIdentityToken, Code: "AccessDenied"}, true},
		"no client secret":  {&directory.Error{Operation: directory.ClientSecret}, true},
		"no certificate":    {&directory.Error{Operation: directory.Certificate}, true},
		"Graph":             {&directory.Error{Operation: "getUser", StatusCode: 503}, false},
		"something else":    {errors.New("token"), false},
		"Graph has no time": {&directory.Error{Operation: "getUser", StatusCode: 429}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := signin.Failed(leaktest.Seen(t, test.err)); got != test.want {
				t.Errorf("got %t for %v", got, test.err)
			}
		})
	}
}

// counter counts what would be metrics.
type counter struct{ failures int }

func (c *counter) ObserveSignInFailure() { c.failures++ }

// The record has the two sentences, and only what lasts is counted.
func TestReport(t *testing.T) {
	t.Parallel()
	err := &directory.Error{Operation: directory.Token, StatusCode: 401, Code: "AADSTS700213",
		Err: &directory.PresentedToken{Issuer: "https://issuer", Subject: "arn:revoker", Audience: "api://x"}}
	for lasting, want := range map[bool]int{true: 1, false: 0} {
		var log bytes.Buffer
		metrics := new(counter)
		r := signin.Reporter{Adviser: subscription.Adviser{ClientID: "app-id"}, Metrics: metrics,
			Log: slog.New(slog.NewJSONHandler(leaktest.Writer(t, &log), nil))}
		got := leaktest.Seen(t, r.Report(t.Context(), err, lasting))
		if metrics.failures != want {
			t.Errorf("lasting %t: %d failures counted, want %d", lasting, metrics.failures, want)
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
