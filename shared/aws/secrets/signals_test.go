package secrets_test

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/aws/mototest"
	"github.com/sessionstamp/sessionstamp/shared/aws/secrets"
	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/signal/receiver"
)

var _ receiver.Credentials = (*secrets.Signals)(nil)

// A source's secret is found by its name, and missed when it is not there, or no longer.
func TestSignalSecrets(t *testing.T) {
	t.Parallel()
	client := secretsmanager.NewFromConfig(mototest.Config(mototest.Start(t)))
	signals := secrets.NewSignals(config(client, io.Discard), "stack")
	want := signal.Credential{Secrets: []string{"one", "two"}, ClientID: "id", ClientSecret: "three"}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	name := secrets.SignalName("stack", "0a")
	if _, err := signals.Credential(t.Context(), "0a", false); !errors.Is(err, signal.ErrNoCredential) {
		t.Errorf("before it is made: %v", err)
	}
	if _, err := client.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: &name, SecretString: aws.String(string(text))}); err != nil {
		t.Fatal(err)
	}
	for _, fresh := range []bool{false, true} {
		if got, err := signals.Credential(t.Context(), "0a", fresh); err != nil || !cmp.Equal(got, want) {
			t.Errorf("fresh %t: not what was stored, or %v", fresh, err)
		}
	}
	if _, err := signals.Credential(t.Context(), "0b", false); !errors.Is(err, signal.ErrNoCredential) {
		t.Errorf("of another source: %v", err)
	}
	if _, err := client.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{SecretId: &name}); err != nil {
		t.Fatal(err)
	}
	if _, err := signals.Credential(t.Context(), "0a", true); !errors.Is(err, signal.ErrNoCredential) {
		t.Errorf("scheduled for deletion: %v", err)
	}
}

// An older secret serves through an outage, but not when it is gone: to delete it stops
// its source.
func TestSignalSecretsAreCached(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := holding(`{"secrets":["one"]}`)
		signals := secrets.NewSignals(config(m, io.Discard), "s")
		expect := func(requests int, want error) {
			t.Helper()
			c, err := signals.Credential(t.Context(), arn, false)
			if !errors.Is(err, want) || (want == nil) != (len(c.Secrets) == 1) {
				t.Errorf("%d secrets, %v; want %v", len(c.Secrets), err, want)
			}
			expectRequests(t, m, requests)
		}
		m.name = secrets.SignalName("s", arn)
		expect(1, nil)
		expect(0, nil)
		m.set(true, 0)
		time.Sleep(5 * time.Minute)
		expect(1, nil)
		m.fail(&types.ResourceNotFoundException{})
		time.Sleep(5 * time.Minute)
		expect(1, signal.ErrNoCredential)
		expect(1, signal.ErrNoCredential)
		m.fail(errDown)
		expect(1, errDown)
		m.set(false, 0)
		expect(1, nil)
	})
}

func TestUnusableSignalSecrets(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"hunter2", `{"secrets":[]}`, `{"secrets":"hunter2"}`, `{"clientSecret":"hunter2"}`, ""} {
		m := holding(text)
		m.name = secrets.SignalName("s", "0a")
		_, err := secrets.NewSignals(config(m, io.Discard), "s").Credential(t.Context(), "0a", false)
		if err == nil || !strings.Contains(err.Error(), `{"secrets":["…"]}`) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("got %v", err)
		}
	}
}
