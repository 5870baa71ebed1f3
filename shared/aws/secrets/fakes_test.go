package secrets_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/sessionstamp/sessionstamp/shared/aws/secrets"
)

const arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:name-AbCdEf"

var errDown = errors.New("secrets manager is down")

// A version is one of a secret.
type version struct {
	text    string
	created time.Time
}

// manager is a Secrets Manager that holds one secret. It counts requests.
type manager struct {
	mu       sync.Mutex
	versions map[string]version // by stage
	down     bool
	slow     time.Duration // how long an answer takes
	requests int
	// between is called after each answer, nil for nothing.
	between func()
}

func (m *manager) GetSecretValue(ctx context.Context, in *secretsmanager.GetSecretValueInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	v, ok, down, slow := m.look(aws.ToString(in.VersionStage))
	if aws.ToString(in.SecretId) != arn {
		return nil, errors.New("another secret was asked for")
	}
	select {
	case <-time.After(slow):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	switch {
	case down:
		return nil, errDown
	case !ok:
		return nil, &types.ResourceNotFoundException{Message: aws.String("no such stage")}
	}
	return &secretsmanager.GetSecretValueOutput{SecretString: &v.text, CreatedDate: &v.created}, nil
}

func (m *manager) look(stage string) (v version, ok, down bool, slow time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests++
	v, ok = m.versions[stage]
	if m.between != nil {
		m.between()
	}
	return v, ok, m.down, m.slow
}

// put makes text the current version, as PutSecretValue does.
func (m *manager) put(text string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.putLocked(text)
}

func (m *manager) putLocked(text string) {
	if m.versions == nil {
		m.versions = make(map[string]version)
	}
	if old, ok := m.versions["AWSCURRENT"]; ok {
		m.versions["AWSPREVIOUS"] = old
	}
	m.versions["AWSCURRENT"] = version{text, time.Now()}
}

func (m *manager) set(down bool, slow time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.down, m.slow = down, slow
}

// took returns the number of requests since it was last called.
func (m *manager) took() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.requests
	m.requests = 0
	return n
}

func config(t testing.TB, m secrets.Manager, log io.Writer) secrets.Config {
	t.Helper()
	return secrets.Config{
		Manager: m, ARN: arn, Settings: secrets.DefaultSettings,
		Log: slog.New(slog.NewTextHandler(log, nil)), Now: time.Now,
	}
}

// serve answers over HTTP as Secrets Manager does, and returns the SDK's client.
//
// Source: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
func serve(t *testing.T, answers map[string]string) *secretsmanager.Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		var in struct {
			SecretID     string `json:"SecretId"`
			VersionStage string
		}
		if err := json.NewDecoder(req.Body).Decode(&in); err != nil || in.SecretID != arn ||
			req.Header.Get("X-Amz-Target") != "secretsmanager.GetSecretValue" {
			t.Errorf("unexpected request %s %+v: %v", req.Header.Get("X-Amz-Target"), in, err)
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		answer, ok := answers[in.VersionStage]
		if !ok {
			w.WriteHeader(http.StatusBadRequest)
			answer = `{"__type":"ResourceNotFoundException","Message":"Secrets Manager can't find the specified secret value for staging label: AWSPREVIOUS"}`
		}
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	return secretsmanager.New(secretsmanager.Options{
		Region: "eu-central-1", BaseEndpoint: &server.URL,
		Credentials: credentials.NewStaticCredentialsProvider("id", "key", ""),
	})
}
