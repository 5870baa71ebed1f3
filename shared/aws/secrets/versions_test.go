package secrets_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/aws/mototest"
	"github.com/sessionstamp/sessionstamp/shared/aws/secrets"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/rotation"
)

// The ids of versions.
const (
	oldVersion  = "00000000-0000-4000-8000-000000000001"
	newVersion  = "00000000-0000-4000-8000-000000000002"
	nextVersion = "00000000-0000-4000-8000-000000000003"
	lastVersion = "00000000-0000-4000-8000-000000000004"
)

// makeSecret makes one in moto, named like the test, whose rotation is switched on
// and has begun: newVersion is AWSPENDING and has no value.
func makeSecret(t *testing.T, client *secretsmanager.Client, value string) (id string) {
	t.Helper()
	id = strings.ReplaceAll(t.Name(), "/", "_")
	_, err := client.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{
		Name: &id, SecretString: &value, ClientRequestToken: aws.String(oldVersion),
	})
	if err != nil {
		t.Fatal(err)
	}
	mototest.BeginRotation(t, client, id, newVersion)
	return id
}

func motoClient(t *testing.T) *secretsmanager.Client {
	t.Helper()
	return secretsmanager.NewFromConfig(mototest.Config(mototest.Shared(t)))
}

// TestVersions goes through a rotation as Secrets Manager answers it.
func TestVersions(t *testing.T) {
	t.Parallel()
	client := motoClient(t)
	id, versions := makeSecret(t, client, "first"), secrets.NewVersions(client)
	ctx := t.Context()
	stages := func(want map[string][]string) {
		t.Helper()
		d, err := versions.DescribeSecret(ctx, id)
		if err != nil || !d.RotationEnabled || !strings.HasPrefix(d.ARN, "arn:aws:secretsmanager:") {
			t.Errorf("got %+v and %v", d, err)
		}
		if diff := cmp.Diff(want, d.Stages); diff != "" {
			t.Errorf("labels (-want +got):\n%s", diff)
		}
	}
	stages(map[string][]string{oldVersion: {"AWSCURRENT"}, newVersion: {"AWSPENDING"}})
	if _, err := versions.GetSecretValue(ctx, id, newVersion); !errors.Is(leaktest.Seen(t, err), rotation.ErrNotFound) {
		t.Errorf("a version without a value: got %v, want %v", err, rotation.ErrNotFound)
	}
	for range 2 { // the same value twice is no error
		if err := versions.PutSecretValue(ctx, id, newVersion, directory.NewSecret("second")); err != nil {
			t.Fatal(err)
		}
	}
	for version, want := range map[string]string{oldVersion: "first", newVersion: "second"} {
		got, err := versions.GetSecretValue(ctx, id, version)
		if err != nil || got.Value.Reveal() != want || time.Since(got.Created).Abs() > time.Hour {
			t.Errorf("version %s is %q of %s, want %q: %v", version, got.Value.Reveal(), got.Created, want, err)
		}
	}
	if err := versions.UpdateSecretVersionStage(ctx, id, "AWSCURRENT", oldVersion, newVersion); err != nil {
		t.Error(err)
	}
	stages(map[string][]string{oldVersion: {"AWSPREVIOUS"}, newVersion: {"AWSPENDING", "AWSCURRENT"}})
	if err := versions.UpdateSecretVersionStage(ctx, id, "AWSPENDING", newVersion, ""); err != nil {
		t.Error(err)
	}
	stages(map[string][]string{oldVersion: {"AWSPREVIOUS"}, newVersion: {"AWSCURRENT"}})
	err := versions.PutSecretValue(ctx, id, newVersion, directory.NewSecret("hunter2"))
	if !errors.Is(leaktest.Seen(t, err), rotation.ErrExists) || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("another value: got %v, want %v", err, rotation.ErrExists)
	}
}

// subscribed is the digest of the clientState that a subscription carries.
type subscribed string

func (s subscribed) ClientStateDigest(context.Context) (string, error) { return string(s), nil }

// A rotation by its four steps, with the SDK and all.
func TestRotation(t *testing.T) {
	t.Parallel()
	client := motoClient(t)
	id := makeSecret(t, client, strings.Repeat("a", 64))
	rotator, err := rotation.New(rotation.Config{
		Stack: "stack", Kind: rotation.ClientStates{Subscriptions: subscribed("")}, SecretsManager: secrets.NewVersions(client),
		Settings: rotation.DefaultSettings, Log: leaktest.Log(t), Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	rotate := func(token string) {
		t.Helper()
		for _, step := range []rotation.Step{rotation.CreateSecret, rotation.SetSecret, rotation.TestSecret, rotation.FinishSecret, rotation.FinishSecret} {
			if err := rotator.Rotate(t.Context(), rotation.Event{Step: step, SecretID: id, Token: token}); err != nil {
				t.Fatalf("%s: %v", step, err)
			}
		}
	}
	rotate(newVersion)
	webhook := secrets.NewClientState(secrets.Config{
		Manager: client, ARN: id, Settings: secrets.DefaultSettings, Log: leaktest.Log(t), Now: time.Now,
	})
	got := states(t, webhook)
	if got[1] != strings.Repeat("a", 64) || len(got[0]) != 64 || got[0] == got[1] {
		t.Errorf("the webhook accepts %q", got)
	}
	mototest.BeginRotation(t, client, id, nextVersion)
	rotate(nextVersion)
	// As where AWSPENDING stays on a version that is current when the next begins.
	if err := secrets.NewVersions(client).UpdateSecretVersionStage(t.Context(), id, "AWSPENDING", nextVersion, ""); err != nil {
		t.Fatal(err)
	}
	mototest.BeginRotation(t, client, id, lastVersion)
	if err := secrets.NewVersions(client).UpdateSecretVersionStage(t.Context(), id, "AWSPENDING", "", nextVersion); err != nil {
		t.Fatal(err)
	}
	rotate(lastVersion)
}

// What Secrets Manager refuses, in its words.
func TestVersionsFail(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, code string
		known      error
	}{
		{name: "no such version", code: "ResourceNotFoundException", known: rotation.ErrNotFound},
		{name: "another value", code: "ResourceExistsException", known: rotation.ErrExists},
		{name: "deleted", code: "InvalidRequestException"},
		{name: "denied", code: "AccessDeniedException"},
		{name: "key", code: "DecryptionFailure"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			versions := faulty(func(_ string, r *http.Request, _ mototest.Send) (*http.Response, error) {
				return mototest.Refuse(r, http.StatusBadRequest, test.code)
			})
			for operation, err := range callAll(t.Context(), versions) {
				if leaktest.Seen(t, err) == nil || !strings.Contains(err.Error(), test.code) || !strings.Contains(err.Error(), arn) || strings.Contains(err.Error(), "hunter2") {
					t.Errorf("%s: got %v, want one that says %s of %s", operation, err, test.code, arn)
				}
				ofVersion := operation == "GetSecretValue" || operation == "PutSecretValue"
				for _, known := range []error{rotation.ErrNotFound, rotation.ErrExists} {
					if got := errors.Is(leaktest.Seen(t, err), known); got != (ofVersion && errors.Is(leaktest.Seen(t, known), test.known)) {
						t.Errorf("%s: it is %t that %q is %q", operation, got, err, known)
					}
				}
			}
		})
	}
}

// callAll calls each method once.
func callAll(ctx context.Context, versions *secrets.Versions) map[string]error {
	errs := make(map[string]error)
	_, errs["DescribeSecret"] = versions.DescribeSecret(ctx, arn)
	_, errs["GetSecretValue"] = versions.GetSecretValue(ctx, arn, newVersion)
	errs["PutSecretValue"] = versions.PutSecretValue(ctx, arn, newVersion, directory.NewSecret("hunter2"))
	errs["UpdateSecretVersionStage"] = versions.UpdateSecretVersionStage(ctx, arn, "AWSPENDING", newVersion, "")
	return errs
}

// faulty is a Secrets Manager that a test plays.
func faulty(play mototest.Intercept) *secrets.Versions {
	c := mototest.Config("http://127.0.0.1:1")
	c.HTTPClient, c.Retryer = play, mototest.QuickRetryer
	return secrets.NewVersions(secretsmanager.NewFromConfig(c))
}

// An answer that is lost is asked for again: a second write of the same value is
// none.
func TestVersionsAskAgain(t *testing.T) {
	t.Parallel()
	requests := make(map[string]int)
	versions := faulty(func(operation string, r *http.Request, _ mototest.Send) (*http.Response, error) {
		if requests[operation]++; requests[operation] == 1 {
			return nil, io.ErrUnexpectedEOF
		}
		return mototest.Answer(r, http.StatusOK, map[string]string{"ARN": arn, "SecretString": "s"})
	})
	for operation, err := range callAll(t.Context(), versions) {
		if err != nil || requests[operation] != 2 {
			t.Errorf("%s: %v after %d requests, want success after 2", operation, err, requests[operation])
		}
	}
}

func TestVersionIsBinary(t *testing.T) {
	t.Parallel()
	versions := faulty(func(_ string, r *http.Request, _ mototest.Send) (*http.Response, error) {
		return mototest.Answer(r, http.StatusOK, map[string]string{"SecretBinary": "aHVudGVyMg=="})
	})
	if _, err := versions.GetSecretValue(t.Context(), arn, newVersion); leaktest.Seen(t, err) == nil || !strings.Contains(err.Error(), "binary") {
		t.Errorf("got %v", err)
	}
}
