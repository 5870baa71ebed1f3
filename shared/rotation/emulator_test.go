package rotation_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
	"github.com/sessionstamp/sessionstamp/shared/rotation"
)

const (
	emulatedTenant = "84bd8158-6d4d-4958-8b9f-9d6445542f95"
	emulatedApp    = "5c1a2b7e-11f2-4a38-8c0b-6b1a94ec2f02"
)

// plainGraph calls Graph with nothing but net/http, signed in with what the vault
// holds as current.
type plainGraph struct {
	t         *testing.T
	transport http.RoundTripper
	vault     *vault
}

// form is what a value of the secret signs in with.
func (g plainGraph) form(value directory.Secret) url.Values {
	if c, err := rotation.DecodeClientSecret(value); leaktest.Seen(g.t, err) == nil {
		return bySecret(c.Text)
	}
	c, err := rotation.DecodeCertificate(value, nil)
	if leaktest.Seen(g.t, err) != nil {
		return byNothing()
	}
	return byCertificate(c.Leaf(), c.Signer())
}

func byNothing() url.Values {
	return url.Values{"client_id": {emulatedApp}, "grant_type": {"client_credentials"},
		"scope": {"https://graph.microsoft.com/.default"}}
}

func bySecret(secret directory.Secret) url.Values {
	form := byNothing()
	form.Set("client_secret", secret.Reveal())
	return form
}

func byCertificate(leaf *x509.Certificate, key crypto.Signer) url.Values {
	form := byNothing()
	form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
	form.Set("client_assertion", assertion(leaf, key))
	return form
}

const tokenURL = "https://login.microsoftonline.com/" + emulatedTenant + "/oauth2/v2.0/token"

// assertion follows https://learn.microsoft.com/entra/identity-platform/certificate-credentials.
func assertion(leaf *x509.Certificate, key crypto.Signer) string {
	segment := func(fields map[string]any) string {
		return base64.RawURLEncoding.EncodeToString([]byte(encode(fields)))
	}
	print256, now := sha256.Sum256(leaf.Raw), time.Now()
	signed := segment(map[string]any{"alg": "RS256", "typ": "JWT", "x5t#S256": base64.RawURLEncoding.EncodeToString(print256[:])}) + "." +
		segment(map[string]any{"aud": tokenURL, "iss": emulatedApp, "sub": emulatedApp, "jti": rand.Text(),
			"nbf": now.Unix(), "exp": now.Add(5 * time.Minute).Unix()})
	digest := sha256.Sum256([]byte(signed))
	signature, _ := key.Sign(rand.Reader, digest[:], crypto.SHA256)
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// send makes a request and reads the answer. It returns nil or a *directory.Error.
func (g plainGraph) send(req *http.Request, operation string, into any) error {
	resp, err := g.transport.RoundTrip(req)
	if err != nil {
		return &directory.Error{Operation: operation, Err: err}
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	if resp.StatusCode >= 300 {
		return &directory.Error{Operation: operation, StatusCode: resp.StatusCode, NotDone: resp.StatusCode < 500,
			Code: regexp.MustCompile(`AADSTS\d+|Authorization_\w+|Request_\w+`).FindString(string(body))}
	}
	if into != nil {
		return json.Unmarshal(body, into)
	}
	return nil
}

// call makes one call of Graph with a token that a form asks for.
func (g plainGraph) call(ctx context.Context, form url.Values, operation, method, path string, body, into any) error {
	req, _ := http.NewRequestWithContext(ctx, "POST", tokenURL, strings.NewReader(form.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	var token struct {
		Text string `json:"access_token"`
	}
	if err := g.send(req, "token", &token); err != nil {
		return err
	}
	req, _ = http.NewRequestWithContext(ctx, method, "https://graph.microsoft.com/v1.0"+path, strings.NewReader(encode(body)))
	req.Header.Set("Authorization", "Bearer "+token.Text)
	req.Header.Set("Content-Type", "application/json")
	return g.send(req, operation, into)
}

// app calls our own application with the current secret.
func (g plainGraph) app(ctx context.Context, method, action string, body, into any) error {
	current := directory.NewSecret(g.vault.value(awsCurrent))
	return g.call(ctx, g.form(current), "application"+action, method, "/applications(appId='"+emulatedApp+"')"+action, body, into)
}

type wireCredential struct {
	KeyID               string    `json:"keyId"`
	DisplayName         string    `json:"displayName"`
	Hint                string    `json:"hint"`
	EndDateTime         time.Time `json:"endDateTime"`
	SecretText          string    `json:"secretText"`
	CustomKeyIdentifier string    `json:"customKeyIdentifier"`
}

func (c wireCredential) password() directory.Password {
	return directory.Password{KeyID: c.KeyID, DisplayName: c.DisplayName, Hint: c.Hint, End: c.EndDateTime, Text: directory.NewSecret(c.SecretText)}
}

func (g plainGraph) Registration(ctx context.Context) (directory.Registration, error) {
	var wire struct {
		ID                                  string
		PasswordCredentials, KeyCredentials []wireCredential
	}
	err := g.app(ctx, "GET", "", nil, &wire)
	r := directory.Registration{ObjectID: wire.ID}
	for _, c := range wire.PasswordCredentials {
		r.Passwords = append(r.Passwords, c.password())
	}
	for _, c := range wire.KeyCredentials {
		print1, _ := base64.RawURLEncoding.DecodeString(c.CustomKeyIdentifier)
		r.Keys = append(r.Keys, directory.Key{KeyID: c.KeyID, DisplayName: c.DisplayName, Thumbprint: hex.EncodeToString(print1), End: c.EndDateTime})
	}
	return r, err
}

func (g plainGraph) AddPassword(ctx context.Context, name string, end time.Time) (directory.Password, error) {
	var made wireCredential
	err := g.app(ctx, "POST", "/addPassword", map[string]any{
		"passwordCredential": map[string]any{"displayName": name, "endDateTime": end}}, &made)
	return made.password(), err
}

func (g plainGraph) RemovePassword(ctx context.Context, keyID string) error {
	return g.app(ctx, "POST", "/removePassword", map[string]any{"keyId": keyID}, nil)
}

func (g plainGraph) AddKey(ctx context.Context, name string, der []byte, proof directory.Secret) error {
	return g.app(ctx, "POST", "/addKey", map[string]any{"keyCredential": map[string]any{
		"type": "AsymmetricX509Cert", "usage": "Verify", "key": der, "displayName": name}, "proof": proof.Reveal()}, nil)
}

func (g plainGraph) RemoveKey(ctx context.Context, keyID string, proof directory.Secret) error {
	return g.app(ctx, "POST", "/removeKey", map[string]any{"keyId": keyID, "proof": proof.Reveal()}, nil)
}

func (g plainGraph) prove(ctx context.Context, form url.Values) error {
	return g.call(ctx, form, "listDomains", "GET", "/domains", nil, nil)
}

func (g plainGraph) ProveClientSecret(ctx context.Context, secret directory.Secret) error {
	return g.prove(ctx, bySecret(secret))
}

func (g plainGraph) ProveCertificate(ctx context.Context, chain []*x509.Certificate, key crypto.Signer) error {
	return g.prove(ctx, byCertificate(chain[0], key))
}

// TestEmulatedGraph rotates against the emulator, which checks tokens, permissions
// and proofs, and accepts a new secret only after a minute.
func TestEmulatedGraph(t *testing.T) {
	t.Parallel()
	pool()
	for _, kind := range kinds[:2] {
		t.Run(kind, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &world{t: t, kind: kind, entra: newEntra(t, 0)}
				value := w.byHand()
				server := msgraphtest.New(msgraphtest.Options{CredentialLag: time.Minute})
				o := msgraphtest.AppOptions{ID: emulatedApp, ObjectID: applicationID,
					Permissions: []string{"Application.ReadWrite.OwnedBy", "Domain.Read.All"}}
				if hand := w.entra.credentials[0]; hand.certificate != nil {
					o.Certificates = [][]byte{hand.certificate.Raw}
				} else {
					o.Secrets = []msgraphtest.Secret{{Text: hand.text, End: hand.end}}
				}
				server.AddTenant(msgraphtest.TenantOptions{ID: emulatedTenant}).AddApp(o)
				v := newVault(t, value)
				v.promoting = func(string) {}
				graph := plainGraph{t, server, v}
				w.vault = v
				r, err := rotation.New(rotation.Config{
					Stack: stack, SecretsManager: v, Settings: rotation.DefaultSettings, Now: time.Now,
					Log: slog.New(slog.NewJSONHandler(leaktest.Writer(w.t, &w.log), nil)),
					Kind: map[string]rotation.Kind{
						"client-secret": rotation.ClientSecrets{Application: graph, Prover: graph},
						"certificate":   rotation.Certificates{Application: graph, Prover: graph},
					}[kind],
				})
				if err != nil {
					t.Fatal(err)
				}
				w.rotator = r
				for range 4 {
					if err := w.attempt(v.rotateSecret(w.token())); err != nil {
						t.Fatal(err)
					}
					time.Sleep(30 * 24 * time.Hour)
				}
				v.check()
				for _, stage := range []string{awsCurrent, awsPrevious} {
					if err := graph.prove(t.Context(), graph.form(directory.NewSecret(v.value(stage)))); err != nil {
						t.Errorf("%s: %v", stage, err)
					}
				}
				left, err := graph.Registration(t.Context())
				if n := len(left.Passwords) + len(left.Keys); err != nil || n != 3 { // by hand, previous, current
					t.Errorf("%d credentials are left: %v", n, err)
				}
				w.wantLog(`"attempts":` + fmt.Sprint(9))
			})
		})
	}
}
