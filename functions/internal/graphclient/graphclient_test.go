package graphclient_test

import (
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/functions/internal/graphclient"
	"github.com/sessionstamp/sessionstamp/functions/internal/program"
	"github.com/sessionstamp/sessionstamp/functions/internal/programtest"
	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/aws/ststest"
	"github.com/sessionstamp/sessionstamp/shared/deployment"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
	"github.com/sessionstamp/sessionstamp/shared/rotation"
)

// configured is the app in one mode.
func configured(mode directory.AuthMode) deployment.App {
	return deployment.App{ClientID: programtest.ClientID, Cloud: "global", Mode: mode, CredentialSecret: programtest.CredentialSecret}
}

// newApp registers the app with an emulator.
func newApp(t *testing.T, o msgraphtest.AppOptions) (*msgraphtest.Server, *msgraphtest.App) {
	t.Helper()
	emulator := msgraphtest.New(msgraphtest.Options{})
	t.Cleanup(emulator.Close)
	o.ID, o.Permissions = programtest.ClientID, []string{"Domain.Read.All", "Application.ReadWrite.OwnedBy"}
	return emulator, emulator.AddTenant(msgraphtest.TenantOptions{ID: programtest.Tenant}).AddApp(o)
}

// keys are made once: that is slow.
var keys = sync.OnceValue(func() (keys [2]*rsa.PrivateKey) {
	for i := range keys {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		keys[i] = key
	}
	return keys
})

// A credential that was replaced while a copy of it is in use is read again when
// Entra refuses it, and nobody notices.
func TestCredentialIsReplaced(t *testing.T) {
	t.Parallel()
	oldCertificate, _ := programtest.StoredCertificate(t, keys()[0], 24*time.Hour)
	newCertificate, registered := programtest.StoredCertificate(t, keys()[1], 24*time.Hour)
	for mode, stored := range map[directory.AuthMode][2]string{
		directory.AuthClientSecret: {`{"clientSecret":"old8Q~secret"}`, `{"clientSecret":"new8Q~secret"}`},
		directory.AuthCertificate:  {oldCertificate, newCertificate},
	} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			emulator, app := newApp(t, msgraphtest.AppOptions{Secrets: []msgraphtest.Secret{{Text: "old8Q~secret"}}})
			vault := programtest.NewVault(t, map[string]string{programtest.CredentialSecret: stored[0]})
			env, _, _ := programtest.New(t, nil, &readThenReplaced{vault: vault, value: stored[1]})
			env.Transport = emulator
			app.RemoveSecret("old8Q~secret")
			app.AddSecret("new8Q~secret")
			app.AddCertificate(registered.Raw)
			client, err := graphclient.New(env, programtest.Tenant, configured(mode))
			if err != nil {
				t.Fatal(err)
			}
			if vault.Requests("GetSecretValue") != 0 {
				t.Error("the secret is read before anybody needs it")
			}
			for range 3 {
				if _, err := client.Domains(t.Context()); err != nil {
					t.Error(err)
				}
			}
			if reads := vault.Requests("GetSecretValue"); reads != 2 {
				t.Errorf("the secret was read %d times, want 2", reads)
			}
		})
	}
}

// readThenReplaced is a Vault whose secret gets another value once it was read.
type readThenReplaced struct {
	vault *programtest.Vault
	value string
	once  sync.Once
}

func (r *readThenReplaced) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.vault.ServeHTTP(w, req)
	r.once.Do(func() { r.vault.Put(programtest.CredentialSecret, r.value) })
}

// The issuer and the role by which Entra knows the function.
const (
	issuer = "https://11111111-2222-3333-4444-555555555555.tokens.sts.global.api.aws"
	role   = "arn:aws:iam::123456789012:role/sessionstamp-revoker"
)

// federated is an environment in which AWS is STS alone.
func federated(t *testing.T) program.Environment {
	t.Helper()
	sts := ststest.New(ststest.Options{Issuer: issuer, Subject: role})
	emulator, _ := newApp(t, msgraphtest.AppOptions{
		Federated: []msgraphtest.FederatedCredential{{Name: "revoker", Issuer: issuer, Subject: role}},
	})
	emulator.AddProvider(issuer, sts)
	env, _, _ := programtest.New(t, nil, sts)
	env.Transport = emulator
	return env
}

// Without a stored secret none is read, and the role is enough.
func TestWebIdentity(t *testing.T) {
	t.Parallel()
	client, err := graphclient.New(federated(t), programtest.Tenant, configured(directory.AuthWebIdentity))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Domains(t.Context()); err != nil {
		t.Error(err)
	}
	if expires, err := client.CredentialExpiry(t.Context()); err != nil || !expires.IsZero() {
		t.Errorf("what is not stored expires at %s: %v", expires, err)
	}
}

// What is stored says when it expires, if it says so.
func TestCredentialExpiry(t *testing.T) {
	t.Parallel()
	stored, leaf := programtest.StoredCertificate(t, keys()[0], 24*time.Hour)
	end := time.Date(2027, 5, 21, 0, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		mode   directory.AuthMode
		stored string
		want   time.Time
	}{
		"certificate":    {directory.AuthCertificate, stored, leaf.NotAfter},
		"client secret":  {directory.AuthClientSecret, `{"clientSecret":"new8Q~secret","expires":"2027-05-21T00:00:00Z"}`, end},
		"stored by hand": {directory.AuthClientSecret, `{"clientSecret":"new8Q~secret"}`, time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			vault := programtest.NewVault(t, map[string]string{programtest.CredentialSecret: test.stored})
			env, _, _ := programtest.New(t, nil, vault)
			client, err := graphclient.New(env, programtest.Tenant, configured(test.mode))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := client.CredentialExpiry(t.Context()); err != nil || !got.Equal(test.want) {
				t.Errorf("got %s and %v, want %s", got, err, test.want)
			}
		})
	}
}

// rotated is how a rotation replaces what the app signs in with.
func rotated(t *testing.T, env program.Environment, mode directory.AuthMode) rotation.Kind {
	t.Helper()
	client, err := graphclient.New(env, programtest.Tenant, configured(mode))
	if err != nil {
		t.Fatal(err)
	}
	return client.Rotation()
}

// A rotation replaces what the mode says is stored, and nothing where nothing is.
func TestRotation(t *testing.T) {
	t.Parallel()
	env, _, _ := programtest.New(t, nil, programtest.Denied)
	for _, mode := range directory.AuthModes() {
		kind := rotated(t, env, mode)
		certificates, isCertificates := kind.(rotation.Certificates)
		secrets, isSecrets := kind.(rotation.ClientSecrets)
		if isCertificates != (mode == directory.AuthCertificate) || isSecrets != (mode == directory.AuthClientSecret) || (kind != nil) != mode.Stored() {
			t.Errorf("%s rotates a %T", mode, kind)
		}
		if isCertificates && (certificates.Application == nil || certificates.Prover == nil || certificates.ParsePFX == nil) ||
			isSecrets && (secrets.Application == nil || secrets.Prover == nil) {
			t.Errorf("%s lacks what a rotation needs", mode)
		}
	}
}

// A new credential is proved by a token of its own, for each attempt anew.
func TestProver(t *testing.T) {
	t.Parallel()
	stored, registered := programtest.StoredCertificate(t, keys()[0], 24*time.Hour)
	known, err := rotation.DecodeCertificate(directory.NewSecret(stored), nil)
	if err != nil {
		t.Fatal(err)
	}
	emulator, app := newApp(t, msgraphtest.AppOptions{Secrets: []msgraphtest.Secret{{Text: "new8Q~secret"}}, Certificates: [][]byte{registered.Raw}})
	env, _, _ := programtest.New(t, nil, programtest.Denied)
	env.Transport = emulator
	secrets, _ := rotated(t, env, directory.AuthClientSecret).(rotation.ClientSecrets)
	certificates, _ := rotated(t, env, directory.AuthCertificate).(rotation.Certificates)
	prove := map[string]func() error{
		"client secret": func() error {
			return secrets.Prover.ProveClientSecret(t.Context(), directory.NewSecret("new8Q~secret"))
		},
		"certificate": func() error { return certificates.Prover.ProveCertificate(t.Context(), known.Chain(), known.Signer()) },
	}
	for name, attempt := range prove {
		if err := attempt(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	app.RemoveSecret("new8Q~secret")
	app.RemoveCertificates()
	for name, attempt := range prove {
		// A token that was kept would still be good.
		if e, ok := errors.AsType[*directory.Error](leaktest.Seen(t, attempt())); !ok || e.Operation != "token" || !strings.HasPrefix(e.Code, "AADSTS7000") {
			t.Errorf("%s is accepted after it was removed, or refused with %v", name, e)
		}
	}
}

func TestUnknown(t *testing.T) {
	t.Parallel()
	env, _, _ := programtest.New(t, nil, programtest.Denied)
	for want, app := range map[string]deployment.App{
		"global": {ClientID: "c", Cloud: "moon", Mode: directory.AuthClientSecret},
		`Graph: no way to sign in is called "charm"`: {ClientID: "c", Cloud: "global", Mode: "charm"},
	} {
		if _, err := graphclient.New(env, programtest.Tenant, app); leaktest.Seen(t, err) == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error that names %s", err, want)
		}
	}
	if clouds := graphclient.Clouds(); len(clouds) < 2 || clouds[0] != "global" {
		t.Errorf("clouds %q", clouds)
	}
}

// What an administrator may choose is what there is.
func TestModes(t *testing.T) {
	t.Parallel()
	env, _, _ := programtest.New(t, programtest.Variables(), programtest.Denied)
	lookup := env.Lookup
	for _, mode := range directory.AuthModes() {
		env.Lookup = func(name string) (string, bool) {
			if name == "AUTH_MODE" {
				return string(mode), true
			}
			return lookup(name)
		}
		c, err := deployment.ReadRotator(env.Lookup, graphclient.Clouds())
		if err != nil {
			t.Errorf("%s: %v", mode, err)
		}
		if _, err := graphclient.New(env, c.Tenant, c.App); err != nil {
			t.Errorf("%s: %v", mode, err)
		}
	}
}
