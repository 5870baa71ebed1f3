package msgraphtest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/sessionstamp/sessionstamp/shared/msgraph/x509test"
)

// rsaKeys are made once for the process: they cost seconds under the race
// detector.
var rsaKeys = sync.OnceValue(func() [2]*rsa.PrivateKey {
	var keys [2]*rsa.PrivateKey
	for i := range keys {
		var err error
		if keys[i], err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			panic(err)
		}
	}
	return keys
})

// certify makes a self-signed certificate that is valid for a day.
func certify(t *testing.T, key *rsa.PrivateKey, from time.Time) *x509.Certificate {
	t.Helper()
	return x509test.Issue(t, x509test.Template("sessionstamp", from, from.Add(24*time.Hour)), key, nil, nil)
}

// assertion is a token to be, with what tests change in it.
type assertion struct {
	method jwt.SigningMethod
	header map[string]any
	claims jwt.MapClaims
	key    crypto.PrivateKey
}

func (a assertion) sign(t *testing.T) string {
	t.Helper()
	token := jwt.NewWithClaims(a.method, a.claims)
	for name, value := range a.header {
		token.Header[name] = value
	}
	signed, err := token.SignedString(a.key)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func assertionForm(signed string) []string {
	return []string{"client_secret", "", "client_assertion", signed, "client_assertion_type", assertionType}
}

func TestCertificateAssertion(t *testing.T) {
	t.Parallel()
	at := newClock()
	keys := rsaKeys()
	cert := certify(t, keys[0], at.at.Add(-time.Hour))
	expired := certify(t, keys[1], at.at.Add(-25*time.Hour))
	print1, print256 := thumbprints(cert)
	expiredPrint, _ := thumbprints(expired)
	tests := []struct {
		name   string
		change func(*assertion)
		status int
		code   string
	}{
		{"good", func(*assertion) {}, 200, ""},
		{"good with SHA-256 and PSS", func(a *assertion) {
			a.method, a.header = jwt.SigningMethodPS256, map[string]any{"x5t#S256": print256}
		}, 200, ""},
		{"good with SHA-256 in MSAL's encoding", func(a *assertion) {
			sum := sha256.Sum256(cert.Raw)
			a.method, a.header = jwt.SigningMethodPS256, map[string]any{"x5t#S256": base64.StdEncoding.EncodeToString(sum[:])}
		}, 200, ""},
		{"addressed by domain", func(a *assertion) {
			a.claims["aud"] = "https://login.microsoftonline.com/example.co.jp/oauth2/v2.0/token"
		}, 200, ""},
		{"another algorithm", func(a *assertion) { a.method = jwt.SigningMethodRS512 }, 401, "700027"},
		{"no thumbprint", func(a *assertion) { a.header = nil }, 401, "700027"},
		{"unregistered thumbprint", func(a *assertion) { a.header["x5t"] = "AAAA" }, 401, "700027"},
		{"signed with another key", func(a *assertion) { a.key = keys[1] }, 401, "700027"},
		{"expired certificate", func(a *assertion) { a.key, a.header["x5t"] = keys[1], expiredPrint }, 401, "700027"},
		{"expired", func(a *assertion) { a.claims["exp"] = at.at.Unix() }, 401, "700024"},
		{"not yet valid", func(a *assertion) { a.claims["nbf"] = at.at.Add(time.Minute).Unix() }, 401, "700024"},
		{"without nbf", func(a *assertion) { delete(a.claims, "nbf") }, 401, "700024"},
		{"without exp", func(a *assertion) { delete(a.claims, "exp") }, 401, "700024"},
		{"another audience", func(a *assertion) { a.claims["aud"] = "https://graph.microsoft.com" }, 401, "700023"},
		{"another subject", func(a *assertion) { a.claims["sub"] = testUser }, 401, "700021"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, Options{Now: at.now})
			const client = "22222222-b3c1-4479-ba74-197b5c5751ae"
			w.tenant.AddApp(AppOptions{ID: client, Certificates: [][]byte{cert.Raw, expired.Raw}})
			a := assertion{
				method: jwt.SigningMethodRS256, key: keys[0], header: map[string]any{"x5t": print1},
				claims: jwt.MapClaims{"iss": client, "sub": client, "aud": tokenURL,
					"nbf": at.at.Unix(), "exp": at.at.Add(10 * time.Minute).Unix()},
			}
			test.change(&a)
			form := secretForm(append(assertionForm(a.sign(t)), "client_id", client)...)
			w.want(w.postForm(tokenURL, form), test.status, test.code)
		})
	}
}

func TestFederatedAssertion(t *testing.T) {
	t.Parallel()
	const (
		provider = "https://0123.tokens.sts.global.api.aws"
		role     = "arn:aws:iam::123456789012:role/revoker"
	)
	at := newClock()
	keys := rsaKeys()
	tests := []struct {
		name   string
		change func(*assertion)
		status int
		code   string
	}{
		{"good", func(*assertion) {}, 200, ""},
		{"key of the only name left out", func(a *assertion) { a.header = nil }, 200, ""},
		{"another issuer", func(a *assertion) { a.claims["iss"] = provider + "/" }, 401, "700211"},
		{"another subject", func(a *assertion) { a.claims["sub"] = role + "S" }, 401, "700213"},
		{"subject in another case", func(a *assertion) { a.claims["sub"] = strings.ToUpper(role) }, 401, "7002138"},
		{"another audience", func(a *assertion) { a.claims["aud"] = "sts.amazonaws.com" }, 401, "700212"},
		{"two audiences", func(a *assertion) { a.claims["aud"] = []string{exchangeAudience, "b"} }, 401, "700212"},
		{"unknown key", func(a *assertion) { a.header["kid"] = "k2" }, 401, "7000272"},
		{"signed with another key", func(a *assertion) { a.key = keys[1] }, 401, "700027"},
		{"another algorithm", func(a *assertion) { a.method = jwt.SigningMethodRS384 }, 401, "700027"},
		{"expired", func(a *assertion) { a.claims["exp"] = at.at.Unix() }, 401, "700024"},
		{"not yet valid", func(a *assertion) { a.claims["nbf"] = at.at.Add(time.Minute).Unix() }, 401, "700024"},
		{"provider out of reach", func(a *assertion) { a.claims["iss"] = "https://elsewhere.example" }, 400, "50166"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, Options{Now: at.now})
			w.AddProvider(provider, publish(provider, keys[0]))
			const client = "33333333-b3c1-4479-ba74-197b5c5751ae"
			w.tenant.AddApp(AppOptions{ID: client, Federated: []FederatedCredential{
				{Name: "aws", Issuer: provider, Subject: role},
				{Name: "unreachable", Issuer: "https://elsewhere.example", Subject: role},
			}})
			a := assertion{
				method: jwt.SigningMethodRS256, key: keys[0], header: map[string]any{"kid": "k1"},
				claims: jwt.MapClaims{"iss": provider, "sub": role, "aud": exchangeAudience,
					"exp": at.at.Add(5 * time.Minute).Unix()},
			}
			test.change(&a)
			form := secretForm(append(assertionForm(a.sign(t)), "client_id", client)...)
			w.want(w.postForm(tokenURL, form), test.status, test.code)
		})
	}
}

func TestFederatedAssertionWithoutRecord(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	a := assertion{method: jwt.SigningMethodHS256, key: []byte("x"), claims: jwt.MapClaims{"iss": "a"}}
	w.want(w.postForm(tokenURL, secretForm(assertionForm(a.sign(t))...)), 401, "70025")
}
