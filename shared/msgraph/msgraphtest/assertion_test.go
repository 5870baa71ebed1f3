package msgraphtest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
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
		{"key without its name", func(a *assertion) { a.header = nil }, 401, "7000272"},
		{"another issuer", func(a *assertion) { a.claims["iss"] = provider + "/" }, 401, "700211"},
		{"another subject", func(a *assertion) { a.claims["sub"] = role + "S" }, 401, "700213"},
		{"subject in another case", func(a *assertion) { a.claims["sub"] = strings.ToUpper(role) }, 401, "7002138"},
		{"another audience", func(a *assertion) { a.claims["aud"] = "sts.amazonaws.com" }, 401, "700212"},
		{"two audiences", func(a *assertion) { a.claims["aud"] = []string{exchangeAudience, "b"} }, 401, "700212"},
		{"unknown key", func(a *assertion) { a.header["kid"] = "k2" }, 401, "7000272"},
		{"signed with another key", func(a *assertion) { a.key = keys[1] }, 401, "700027"},
		{"another algorithm", func(a *assertion) { a.method = jwt.SigningMethodRS384 }, 401, "700027"},
		{"without exp", func(a *assertion) { delete(a.claims, "exp") }, 401, "700024"},
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
			app := w.tenant.AddApp(AppOptions{ID: client})
			app.AddFederated(FederatedCredential{Name: "aws", Issuer: provider, Subject: role})
			app.AddFederated(FederatedCredential{Name: "unreachable", Issuer: "https://elsewhere.example", Subject: role})
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
