// Package programtest makes environments for tests of the functions: all variables
// of the template, and an AWS that tests play.
package programtest

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/json"
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
	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/internal/x509test"
	"github.com/sessionstamp/sessionstamp/shared/deployment"
)

// Tenant and ClientID are those of the environments.
const (
	Tenant   = "11111111-2222-3333-4444-555555555555"
	ClientID = "66666666-7777-8888-9999-aaaaaaaaaaaa"
)

// The ARNs of the secrets.
const (
	ClientStateSecret = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:state-AbCdEf"      //nolint:gosec // an ARN is no secret
	CredentialSecret  = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:credential-AbCdEf" //nolint:gosec // an ARN is no secret
)

// ClientState is the secret that notifications carry.
const ClientState = "AnInventedCanary-4711"

// Variables returns the environment variables of all functions, without a fault.
func Variables() map[string]string {
	return map[string]string{
		"TENANT_ID":               Tenant,
		"STACK_NAME":              "stack",
		"METRICS_NAMESPACE":       "sessionstamp",
		"TABLE_NAME":              "table",
		"NOTIFICATION_QUEUE_URL":  "https://sqs.eu-central-1.amazonaws.com/123456789012/notification",
		"LIFECYCLE_QUEUE_URL":     "https://sqs.eu-central-1.amazonaws.com/123456789012/lifecycle",
		"CLIENT_STATE_SECRET_ARN": ClientStateSecret,
		"CLIENT_ID":               ClientID,
		"CLOUD":                   "global",
		"AUTH_MODE":               "client-secret",
		"CREDENTIAL_SECRET_ARN":   CredentialSecret,
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

// StoredCertificate makes a certificate of a key by hand, self-signed and good for a
// time from now. It returns it as a secret holds it, with its key, and by itself.
func StoredCertificate(t testing.TB, key crypto.Signer, life time.Duration) (stored string, certificate *x509.Certificate) {
	t.Helper()
	now := time.Now()
	certificate = x509test.Issue(t, x509test.Template("by hand", now.Add(-time.Hour), now.Add(life)), key, nil, nil)
	return x509test.Stored(t, certificate, key), certificate
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
// plays, without a socket. No call of AWS is repeated.
func New(t testing.TB, variables map[string]string, handler http.Handler) (env program.Environment, log, metrics *Output) {
	t.Helper()
	log, metrics = new(Output), new(Output)
	own := maps.Clone(variables)
	return program.Environment{
		Lookup: func(name string) (string, bool) { value, ok := own[name]; return value, ok },
		AWS: aws.Config{
			Region: "eu-central-1", HTTPClient: inProcess{handler}, RetryMaxAttempts: 1,
			Credentials: credentials.NewStaticCredentialsProvider("id", "key", ""),
		},
		Transport: http.NewFileTransport(http.Dir(t.TempDir())), // no Graph
		Out:       leaktest.Writer(t, metrics),
		Log:       slog.New(slog.NewTextHandler(leaktest.Writer(t, log), nil)),
		Now:       time.Now,
	}, log, metrics
}

// inProcess hands requests to a handler. It implements [aws.HTTPClient].
type inProcess struct{ handler http.Handler }

// Do implements [aws.HTTPClient].
func (p inProcess) Do(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		r.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, r)
	answer := w.Result()
	answer.Request = r
	return answer, r.Context().Err()
}

// answer writes JSON as AWS does.
func answer(w http.ResponseWriter, status int, body map[string]any) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) //nolint:errchkjson // texts, numbers and lists of them
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
	leaktest.Error(t, err)
	return string(out), err
}

// CheckFaults lets build meet an environment without variables, and wants it to
// name all that it needs at once.
func CheckFaults(t *testing.T, build func(program.Environment) error, want int) {
	t.Helper()
	env, log, _ := New(t, nil, Denied)
	err := build(env)
	faults, ok := errors.AsType[deployment.Faults](leaktest.Seen(t, err))
	if !ok || len(faults) != want {
		t.Errorf("got %d faults, want %d: %v", len(faults), want, err)
	}
	if log.String() != "" {
		t.Errorf("something was logged:\n%s", log.String())
	}
}
