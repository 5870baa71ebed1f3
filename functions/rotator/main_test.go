package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/sessionstamp/sessionstamp/functions/internal/graphclient"
	"github.com/sessionstamp/sessionstamp/functions/internal/program"
	"github.com/sessionstamp/sessionstamp/functions/internal/programtest"
	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/deployment"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
	"github.com/sessionstamp/sessionstamp/shared/rotation"
)

// A world is the function between AWS and Graph.
type world struct {
	*testing.T
	vault        *programtest.Vault
	app          *msgraphtest.App
	env          program.Environment
	handler      any
	log, metrics *programtest.Output
	mode         directory.AuthMode
}

// newWorld makes one whose app has a client secret or a certificate made by hand. A
// new one takes 20 seconds to be known everywhere.
func newWorld(t *testing.T, mode directory.AuthMode) *world {
	t.Helper()
	w := &world{T: t, mode: mode}
	emulator := msgraphtest.New(msgraphtest.Options{CredentialLag: 20 * time.Second})
	t.Cleanup(emulator.Close)
	options := msgraphtest.AppOptions{ID: programtest.ClientID, Permissions: []string{"Domain.Read.All", "Application.ReadWrite.OwnedBy"}}
	stored := `{"clientSecret":"byh8Q~and"}`
	if mode == directory.AuthCertificate {
		var registered *x509.Certificate
		stored, registered = certificate(t)
		options.Certificates = [][]byte{registered.Raw}
	} else {
		options.Secrets = []msgraphtest.Secret{{Text: "byh8Q~and"}}
	}
	w.app = emulator.AddTenant(msgraphtest.TenantOptions{ID: programtest.Tenant}).AddApp(options)
	w.vault = programtest.NewVault(t, map[string]string{
		programtest.CredentialSecret: stored, programtest.ClientStateSecret: strings.Repeat("a", 64),
	})
	variables := programtest.Variables()
	variables["AUTH_MODE"] = string(mode)
	w.env, w.log, w.metrics = programtest.New(t, variables, w.vault)
	w.env.Transport = emulator
	handler, err := start(t.Context(), w.env)
	if err != nil {
		t.Fatal(err)
	}
	w.handler = handler
	return w
}

// certificate is one made by hand, as a secret holds it, and by itself.
func certificate(t *testing.T) (stored string, c *x509.Certificate) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return programtest.StoredCertificate(t, key, 1000*time.Hour)
}

// asPFX returns the same certificate in the other form of a secret, in which another
// stands before it, as those of issuers do.
func asPFX(t *testing.T, stored string) string {
	t.Helper()
	c, err := rotation.DecodeCertificate(directory.NewSecret(stored), nil)
	if err != nil {
		t.Fatal(err)
	}
	other, _ := certificate(t)
	issuer, err := rotation.DecodeCertificate(directory.NewSecret(other), nil)
	if err != nil {
		t.Fatal(err)
	}
	pfx, err := pkcs12.Modern.Encode(c.Signer(), issuer.Leaf(), c.Chain(), "hunter2")
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(map[string]any{"pfx": pfx, "password": "hunter2"})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// steps are those of a rotation, in their order.
var steps = []string{"createSecret", "setSecret", "testSecret", "finishSecret"}

// tokenOf is the token of the n-th rotation.
func tokenOf(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }

// step does one step of a rotation.
func (w *world) step(arn, token, step string) error {
	w.Helper()
	event := fmt.Sprintf(`{"Step":%q,"SecretId":%q,"ClientRequestToken":%q}`, step, arn, token)
	_, err := programtest.Invoke(w.T, w.handler, event)
	return err
}

// rotate does all steps of the n-th rotation, and returns the first error.
func (w *world) rotate(arn string, n int) error {
	w.Helper()
	w.vault.Begin(arn, tokenOf(n))
	for _, step := range steps {
		if err := w.step(arn, tokenOf(n), step); err != nil {
			return fmt.Errorf("%s: %w", step, err)
		}
	}
	return nil
}

// reachable checks that a function that starts now reaches Graph.
func (w *world) reachable() {
	w.Helper()
	client, err := graphclient.New(w.env, programtest.Tenant, deployment.App{
		ClientID: programtest.ClientID, Cloud: "global", Mode: w.mode, CredentialSecret: programtest.CredentialSecret,
	})
	if err != nil {
		w.Fatal(err)
	}
	if _, err := client.Domains(w.Context()); err != nil {
		w.Errorf("Graph can't be reached with the current secret: %v", err)
	}
	if expires, err := client.CredentialExpiry(w.Context()); err != nil || time.Until(expires) < 100*24*time.Hour {
		w.Errorf("what was made expires at %s: %v", expires, err)
	}
}

// The credential is rotated, time and again, and the last one works.
func TestCredentialIsRotated(t *testing.T) {
	t.Parallel()
	for name, mode := range map[string]directory.AuthMode{
		"client secret": directory.AuthClientSecret, "certificate": directory.AuthCertificate, "PFX": directory.AuthCertificate,
		"label stays": directory.AuthClientSecret,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, mode)
				w.vault.KeepsPending = name == "label stays"
				if name == "PFX" {
					w.vault.Put(programtest.CredentialSecret, asPFX(t, w.vault.Value(programtest.CredentialSecret, "AWSCURRENT")))
				}
				for n := range 3 {
					before := w.vault.Value(programtest.CredentialSecret, "AWSCURRENT")
					if err := w.rotate(programtest.CredentialSecret, n); err != nil {
						t.Fatal(err)
					}
					current, previous := w.vault.Value(programtest.CredentialSecret, "AWSCURRENT"), w.vault.Value(programtest.CredentialSecret, "AWSPREVIOUS")
					if current == before || previous != before {
						t.Fatal("the labels are not where they belong")
					}
					w.reachable()
					time.Sleep(30 * 24 * time.Hour)
				}
				if got := w.vault.Requests("UpdateSecretVersionStage"); got != 3 {
					t.Errorf("labels were moved %d times, want 3", got)
				}
				if got := strings.Count(w.metrics.String(), `"RotationFailed":0`); got != 3 {
					t.Errorf("%d rotations were told as done, want 3:\n%s", got, w.metrics.String())
				}
			})
		})
	}
}

// The clientState is rotated in all modes, also where no credential is stored.
func TestClientStateIsRotated(t *testing.T) {
	t.Parallel()
	for _, mode := range []directory.AuthMode{directory.AuthWebIdentity, directory.AuthClientSecret} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, mode)
				if err := w.rotate(programtest.ClientStateSecret, 1); err != nil {
					t.Fatal(err)
				}
				if got := w.vault.Value(programtest.ClientStateSecret, "AWSCURRENT"); len(got) != 64 || got == strings.Repeat("a", 64) {
					t.Error("the current clientState is not a new one")
				}
				err := w.rotate(programtest.CredentialSecret, 1)
				if ok := leaktest.Seen(t, err) == nil; ok != (mode == directory.AuthClientSecret) {
					t.Errorf("the credential: %v", err)
				}
			})
		})
	}
}

// A clientState is not replaced as long as Graph notifies with the one before it: of
// the two that the webhook accepts, that would be one too few.
func TestClientStateIsStillPrevious(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, directory.AuthWebIdentity)
		if err := w.rotate(programtest.ClientStateSecret, 1); err != nil {
			t.Fatal(err)
		}
		subscribed := func(clientState string) {
			w.vault.Others = fmt.Sprintf(`{"Item":{"pk":{"S":"x"},"version":{"N":"1"},"doc":{"M":{"clientState":{"S":"%x"}}}}}`, sha256.Sum256([]byte(clientState)))
		}
		subscribed(strings.Repeat("a", 64))
		if err := w.rotate(programtest.ClientStateSecret, 2); leaktest.Seen(t, err) == nil || !strings.Contains(err.Error(), "still carries the previous clientState") {
			t.Errorf("got %v", err)
		}
		subscribed(w.vault.Value(programtest.ClientStateSecret, "AWSCURRENT"))
		if err := w.rotate(programtest.ClientStateSecret, 3); err != nil {
			t.Error(err)
		}
		told := strings.Split(w.metrics.String(), `"ClientStateRotationFailed":`)[1:]
		for i, want := range []string{"0", "1", "0"} {
			if len(told) != 3 || !strings.HasPrefix(told[i], want) {
				t.Fatalf("told %q, want that it went well, failed, and went well", told)
			}
		}
	})
}

// A step that comes late, or for a version that is not there, fails and says so, but no
// rotation has: nothing is told of one that would end.
func TestStray(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, directory.AuthClientSecret)
		for n := range 2 { // the first one's version is AWSPREVIOUS now
			if err := w.rotate(programtest.CredentialSecret, n); err != nil {
				t.Fatal(err)
			}
			time.Sleep(24 * time.Hour)
		}
		told := w.metrics.String()
		for token, want := range map[string]string{tokenOf(0): "its rotation is over", tokenOf(9): "no version of this id"} {
			for _, step := range steps {
				if err := w.step(programtest.CredentialSecret, token, step); leaktest.Seen(t, err) == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%s of %s: got %v, want one that says %q", step, token, err, want)
				}
			}
		}
		if late := strings.TrimPrefix(w.metrics.String(), told); late != "" {
			t.Errorf("told of a rotation:\n%s", late)
		}
	})
}

// A step that fails says whose fault it is, in the error and as a metric.
func TestFails(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		arrange func(*world)
		reason  string
		err     string
	}{
		{"no permission", func(w *world) { w.app.Revoke("Application.ReadWrite.OwnedBy") }, "permission", "Grant the app Application.ReadWrite.OwnedBy"},
		{"secrets manager", func(w *world) { w.vault.Deny("PutSecretValue") }, "secrets_manager", "AccessDenied"},
		{"the secret is unknown", func(w *world) { w.app.RemoveSecret("byh8Q~and") }, "secret", "Entra does not accept the client secret"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, directory.AuthClientSecret)
				test.arrange(w)
				if err := w.rotate(programtest.CredentialSecret, 1); leaktest.Seen(t, err) == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("got %v, want one that says %q", err, test.err)
				}
				if want := `"Reason":"` + test.reason + `","RotationFailed":1`; !strings.Contains(w.metrics.String(), want) {
					t.Errorf("the metrics lack %s:\n%s", want, w.metrics.String())
				}
			})
		})
	}
}
