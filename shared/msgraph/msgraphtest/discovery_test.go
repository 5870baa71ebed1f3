package msgraphtest

import (
	"crypto/rsa"
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

// publish is what a provider with one good key, k1, publishes.
func publish(provider string, key *rsa.PrivateKey) documents {
	encode := base64.RawURLEncoding.EncodeToString
	keySet := provider + "/.well-known/jwks.json"
	return documents{
		provider + "/.well-known/openid-configuration": `{"issuer":"` + provider + `","jwks_uri":"` + keySet + `"}`,
		keySet: `{"keys":[{"kty":"EC","kid":"other"},{"kty":"RSA","use":"sig","kid":"k1",` +
			`"n":"` + encode(key.N.Bytes()) + `","e":"` + encode(big.NewInt(int64(key.E)).Bytes()) + `"}]}`,
	}
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
			published := publish(provider, keys[0])
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
