package msgraphtest

import (
	"crypto"
	"encoding/base64"
	"io"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// documents is a provider's web server: what it answers, by address.
type documents map[string]string

func (d documents) RoundTrip(req *http.Request) (*http.Response, error) {
	body, ok := d[req.URL.String()]
	if !ok {
		return nil, io.ErrUnexpectedEOF
	}
	status := http.StatusOK
	if body == "" {
		status = http.StatusNotFound
	}
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(body)), Request: req}, nil
}

// The keys of a provider are those that it publishes.
func TestProviderPublishesItsKeys(t *testing.T) {
	t.Parallel()
	const (
		provider      = "https://0123.tokens.sts.global.api.aws"
		configuration = provider + "/.well-known/openid-configuration"
		keySet        = provider + "/.well-known/jwks.json"
	)
	at, keys := newClock(), rsaKeys()
	encode := base64.RawURLEncoding.EncodeToString
	key := `"n":"` + encode(keys[0].N.Bytes()) + `","e":"` + encode(big.NewInt(int64(keys[0].E)).Bytes()) + `"}`
	tests := []struct {
		name   string
		change func(documents)
		status int
		code   string
	}{
		{"as it should be", func(documents) {}, 200, ""},
		{"no configuration", func(d documents) { delete(d, configuration) }, 400, "50166"},
		{"configuration not found", func(d documents) { d[configuration] = "" }, 400, "50166"},
		{"configuration of another", func(d documents) { d[configuration] = strings.Replace(d[configuration], provider, provider+"/", 1) }, 400, "50166"},
		{"no address of keys", func(d documents) { d[configuration] = `{"issuer":"` + provider + `"}` }, 400, "50166"},
		{"no keys", func(d documents) { delete(d, keySet) }, 400, "50166"},
		{"keys that are not JSON", func(d documents) { d[keySet] = "<html>" }, 400, "50166"},
		{"another key", func(d documents) { d[keySet] = strings.Replace(d[keySet], `"k1"`, `"k2"`, 1) }, 401, "7000272"},
		{"key of another kind", func(d documents) { d[keySet] = strings.Replace(d[keySet], "RSA", "EC", 1) }, 401, "7000272"},
		{"key for encryption", func(d documents) { d[keySet] = strings.Replace(d[keySet], `"sig"`, `"enc"`, 1) }, 401, "7000272"},
		{"key that is not base64", func(d documents) { d[keySet] = strings.Replace(d[keySet], `"e":"`, `"e":"*`, 1) }, 401, "7000272"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			published := documents{
				configuration: `{"issuer":"` + provider + `","jwks_uri":"` + keySet + `"}`,
				keySet:        `{"keys":[{"kty":"EC","kid":"other"},{"kty":"RSA","use":"sig","kid":"k1",` + key + `]}`,
			}
			test.change(published)
			w := newWorld(t, Options{Now: at.now})
			w.AddProvider(provider, published)
			w.app.AddFederated(FederatedCredential{Name: "aws", Issuer: provider, Subject: "role"})
			a := assertion{
				method: jwt.SigningMethodRS256, key: keys[0], header: map[string]any{"kid": "k1"},
				claims: jwt.MapClaims{"iss": provider, "sub": "role", "aud": exchangeAudience, "exp": at.at.Add(5 * time.Minute).Unix()},
			}
			w.want(w.postForm(tokenURL, secretForm(assertionForm(a.sign(t))...)), test.status, test.code)
		})
	}
}

// A federated credential that is added later is not known at once, and a certificate
// is.
func TestCredentialsThatAreAddedLater(t *testing.T) {
	t.Parallel()
	at, keys := newClock(), rsaKeys()
	w := newWorld(t, Options{Now: at.now, CredentialLag: time.Minute})
	w.AddIssuer("https://issuer.example", map[string]crypto.PublicKey{"k1": keys[0].Public()})
	w.app.AddFederated(FederatedCredential{Name: "a", Issuer: "https://issuer.example", Subject: "b"})
	outside := assertion{
		method: jwt.SigningMethodRS256, key: keys[0], header: map[string]any{"kid": "k1"},
		claims: jwt.MapClaims{"iss": "https://issuer.example", "sub": "b", "aud": exchangeAudience, "exp": at.at.Add(5 * time.Minute).Unix()},
	}
	form := secretForm(assertionForm(outside.sign(t))...)
	w.want(w.postForm(tokenURL, form), 400, "70021")
	at.advance(time.Minute)
	w.want(w.postForm(tokenURL, form), 200, "")

	cert := certify(t, keys[1], at.at.Add(-time.Hour))
	w.app.AddCertificate(cert.Raw)
	_, print256 := (&certificate{Certificate: cert}).thumbprints()
	own := assertion{
		method: jwt.SigningMethodPS256, key: keys[1], header: map[string]any{"x5t#S256": print256},
		claims: jwt.MapClaims{"iss": testApp, "sub": testApp, "aud": tokenURL, "nbf": at.at.Unix(), "exp": at.at.Add(time.Minute).Unix()},
	}
	form = secretForm(assertionForm(own.sign(t))...)
	w.want(w.postForm(tokenURL, form), 200, "")
	w.app.RemoveCertificates()
	w.want(w.postForm(tokenURL, form), 401, "700027")
}
