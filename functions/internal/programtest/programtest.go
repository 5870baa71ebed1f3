// Package programtest makes environments for tests of the functions: all variables
// of the template, and an AWS that tests play.
package programtest

import (
	"bytes"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/sessionstamp/sessionstamp/functions/internal/program"
	"github.com/sessionstamp/sessionstamp/shared/deployment"
)

// Tenant is that of the environments.
const Tenant = "11111111-2222-3333-4444-555555555555"

// ClientState is the secret that notifications carry.
const ClientState = "AnInventedClientState"

// Variables returns the environment variables of all functions, without a fault.
func Variables() map[string]string {
	return map[string]string{ //nolint:gosec // ARNs of secrets are none
		"TENANT_ID":               Tenant,
		"STACK_NAME":              "stack",
		"METRICS_NAMESPACE":       "sessionstamp",
		"TABLE_NAME":              "table",
		"NOTIFICATION_QUEUE_URL":  "https://sqs.eu-central-1.amazonaws.com/123456789012/notification",
		"LIFECYCLE_QUEUE_URL":     "https://sqs.eu-central-1.amazonaws.com/123456789012/lifecycle",
		"CLIENT_STATE_SECRET_ARN": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:state-AbCdEf",
		"CLIENT_ID":               "66666666-7777-8888-9999-aaaaaaaaaaaa",
		"CLOUD":                   "global",
		"CREDENTIAL_SECRET_ARN":   "arn:aws:secretsmanager:eu-central-1:123456789012:secret:credential-AbCdEf",
		"NOTIFICATION_URL":        "https://abc.execute-api.eu-central-1.amazonaws.com/graph",
		"FEDERATED_DOMAINS":       "",
		"EXCLUDED_USERS":          "",
		"EXCLUDED_UPN_PATTERNS":   "svc-*@contoso.com",
		"EXCLUDED_GROUPS":         "0000000c-0000-0000-0000-000000000003",
		"NEW_USER_WINDOW_HOURS":   "24",
		"BACKFILL_MODE":           "enforce",
		"BACKFILL_HOURS":          "22:00-05:00",
		"BACKFILL_TIME_ZONE":      "Asia/Tokyo",
		"CEILING_PER_RUN":         "200",
		"CEILING_PER_HOUR":        "200",
		"CEILING_SHARE_PERCENT":   "5",
		"DRY_RUN":                 "false",
		"REPLICATION_LAG_SECONDS": "300",
	}
}

// An Output is what a function has written: its log or its metrics.
type Output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements [io.Writer].
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

// String returns what was written so far.
func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// New makes an environment with the variables, in which AWS is what the handler
// plays. No call of AWS is repeated.
func New(t testing.TB, variables map[string]string, handler http.Handler) (env program.Environment, log, metrics *Output) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	log, metrics = new(Output), new(Output)
	own := maps.Clone(variables)
	return program.Environment{
		Lookup: func(name string) (string, bool) { value, ok := own[name]; return value, ok },
		AWS: aws.Config{
			Region: "eu-central-1", BaseEndpoint: &server.URL, RetryMaxAttempts: 1,
			Credentials: credentials.NewStaticCredentialsProvider("id", "key", ""),
		},
		Transport: http.NewFileTransport(http.Dir(t.TempDir())), // no Graph
		Out:       metrics,
		Log:       slog.New(slog.NewTextHandler(log, nil)),
		Now:       time.Now,
	}, log, metrics
}

// Denied plays an AWS that refuses everything.
var Denied = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.WriteHeader(http.StatusBadRequest)
	_, _ = w.Write([]byte(`{"__type":"AccessDeniedException","message":"denied"}`))
})

// Invoke lets a handler serve an event as Lambda does, from JSON to JSON.
func Invoke(t *testing.T, handler any, event string) (answer string, err error) {
	t.Helper()
	out, err := lambda.NewHandler(handler).Invoke(t.Context(), []byte(event))
	return string(out), err
}

// CheckFaults lets build meet an environment without variables, and wants it to
// name all that it needs at once.
func CheckFaults(t *testing.T, build func(program.Environment) error, want int) {
	t.Helper()
	env, log, _ := New(t, nil, Denied)
	err := build(env)
	faults, ok := errors.AsType[deployment.Faults](err)
	if !ok || len(faults) != want {
		t.Errorf("got %d faults, want %d: %v", len(faults), want, err)
	}
	if log.String() != "" {
		t.Errorf("something was logged:\n%s", log.String())
	}
}
