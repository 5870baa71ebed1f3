package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	mathrand "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// The issuer and the role by which Entra knows the plant.
const (
	issuer = "https://11111111-2222-3333-4444-555555555555.tokens.sts.global.api.aws"
	role   = "arn:aws:iam::123456789012:role/sessionstamp"
)

// An account issues web identity tokens, as AWS does for an account, and publishes its
// keys, which change.
type account struct {
	keys []accountKey // in the order in which they sign
	// unverified counts the tokens that Entra can't verify yet.
	unverified atomic.Int64
}

// An accountKey signs from a moment on. It is published for good from another, before
// or after: Entra reads anew what it has read of an issuer only after a while.
type accountKey struct {
	key              *rsa.PrivateKey
	signs, published time.Time
}

// latestKey is how long Entra may not know the key that signs. In a month it is as long
// as the time between two sweeps, so that some function needs a token meanwhile.
const latestKey = 20 * time.Minute

// newAccount draws when the keys change. In a calm world each is known in time.
func newAccount(random *mathrand.Rand, p plan, calm bool) *account {
	start, latest := time.Now(), latestKey
	if p.disasters {
		latest = p.sweepEvery
	}
	keys := accountKeys()
	a := &account{keys: []accountKey{{keys[0], start, start}}}
	times := make([]time.Duration, random.IntN(len(keys)))
	for i := range times {
		times[i] = p.play/8 + time.Duration(random.Int64N(int64(p.play*3/4)))
	}
	slices.Sort(times)
	for i, after := range times {
		k := accountKey{keys[i+1], start.Add(after), start.Add(after)}
		if late := time.Duration(random.Int64N(int64(latest))); !calm && random.IntN(2) == 0 {
			k.published = k.signs.Add(late)
		}
		a.keys = append(a.keys, k)
	}
	return a
}

// accountKeys are made once for all worlds. They are small, since they guard nothing.
var accountKeys = sync.OnceValue(func() (keys [4]*rsa.PrivateKey) {
	for i := range keys {
		key, err := rsa.GenerateKey(rand.Reader, 1024) //nolint:gosec // see above
		if err != nil {
			panic(err)
		}
		keys[i] = key
	}
	return keys
})

// token returns a token as AWS makes them. It is a [msgraph.WebIdentitySource].
func (a *account) token(context.Context) (string, error) {
	now := time.Now()
	last := len(a.keys) - 1
	for now.Before(a.keys[last].signs) {
		last--
	}
	if now.Before(a.keys[last].published) {
		a.unverified.Add(1)
	}
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"iss": issuer, "sub": role, "aud": "api://AzureADTokenExchange",
		"iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(), "jti": rand.Text(),
	})
	token.Header["kid"] = fmt.Sprint("RSA_", last)
	return token.SignedString(a.keys[last].key)
}

// RoundTrip implements [http.RoundTripper]: it answers by OpenID Connect Discovery.
func (a *account) RoundTrip(r *http.Request) (*http.Response, error) {
	document := map[string]any{"issuer": issuer, "jwks_uri": issuer + "/.well-known/jwks.json"}
	if r.URL.Path == "/.well-known/jwks.json" {
		document = map[string]any{"keys": a.published()}
	}
	recorder := httptest.NewRecorder()
	err := json.NewEncoder(recorder).Encode(document)
	return recorder.Result(), err
}

func (a *account) published() (set []map[string]string) {
	now := time.Now()
	for i, k := range a.keys {
		if now.Before(k.published) {
			continue
		}
		set = append(set, map[string]string{
			"kty": "RSA", "use": "sig", "alg": "RS256", "kid": fmt.Sprint("RSA_", i),
			"n": base64.RawURLEncoding.EncodeToString(k.key.N.Bytes()),
			"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(k.key.E)).Bytes()),
		})
	}
	return set
}
