package secrets_test

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/sessionstamp/sessionstamp/shared/aws/secrets"
)

const arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:name-AbCdEf"

var errDown = errors.New("secrets manager is down")

// manager is a Secrets Manager that holds one secret. It counts requests.
type manager struct {
	mu       sync.Mutex
	text     *string // nil for binary data
	name     string  // of the secret, "" for arn
	down     bool
	fault    error         // what is answered while it is down, nil for errDown
	slow     time.Duration // how long an answer takes
	requests int
}

func (m *manager) GetSecretValue(ctx context.Context, in *secretsmanager.GetSecretValueInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	m.mu.Lock()
	m.requests++
	text, down, slow, fault, name := m.text, m.down, m.slow, m.fault, cmp.Or(m.name, arn)
	m.mu.Unlock()
	select {
	case <-time.After(slow):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if down || aws.ToString(in.SecretId) != name {
		return nil, cmp.Or(fault, errDown)
	}
	return &secretsmanager.GetSecretValueOutput{SecretString: text}, nil
}

// holding returns a manager that holds a text.
func holding(text string) *manager { return &manager{text: &text} }

// put makes text the current version.
func (m *manager) put(text string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.text = &text
}

func (m *manager) set(down bool, slow time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.down, m.slow = down, slow
}

// fail makes it answer with a fault.
func (m *manager) fail(fault error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.down, m.fault = true, fault
}

// expectRequests checks the number of requests since it was last called.
func expectRequests(t *testing.T, m *manager, want int) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.requests != want {
		t.Errorf("%d requests to Secrets Manager, want %d", m.requests, want)
	}
	m.requests = 0
}

func config(m secrets.Manager, log io.Writer) secrets.Config {
	return secrets.Config{Manager: m, ARN: arn, Log: slog.New(slog.NewTextHandler(log, nil)), Now: time.Now}
}

// checkFault checks what an error says, "" for that there is none.
func checkFault(t *testing.T, err error, fault string) {
	t.Helper()
	if (err != nil) != (fault != "") || err != nil && !strings.Contains(err.Error(), fault) {
		t.Errorf("got %v, want %q", err, fault)
	}
	if err != nil && (strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "c4nary") || !strings.Contains(err.Error(), arn)) {
		t.Errorf("the error quotes a secret, or does not name it: %v", err)
	}
}
