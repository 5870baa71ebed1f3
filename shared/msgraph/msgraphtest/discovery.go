package msgraphtest

import (
	"context"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"net/http"

	"github.com/golang-jwt/jwt/v5"
)

// AddProvider makes an outside OpenID provider known by its issuer. At each exchange
// of one of its tokens, the server looks its keys up over the transport, as Entra
// does, by [OpenID Connect Discovery]. It fetches nothing from anybody else.
//
// [OpenID Connect Discovery]: https://openid.net/specs/openid-connect-discovery-1_0.html
func (s *Server) AddProvider(issuer string, transport http.RoundTripper) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.providers[issuer] = transport
}

// maxDocument is the most that is read of what a provider publishes, in bytes.
const maxDocument = 1 << 20

// published looks up the keys of the provider that issued an assertion: nil if it is
// not known, or publishes none. s.mu is not held, as the provider may be slow.
func (s *Server) published(ctx context.Context, assertion string) keys {
	var claims jwt.RegisteredClaims
	if _, _, err := jwt.NewParser().ParseUnverified(assertion, &claims); err != nil {
		return nil
	}
	s.mu.Lock()
	transport := s.providers[claims.Issuer]
	s.mu.Unlock()
	if transport == nil {
		return nil
	}
	found, _ := discover(ctx, transport, claims.Issuer) // none if it fails
	return found
}

var errProvider = errors.New("the provider does not publish what OpenID Connect Discovery asks for")

// discover reads the provider's configuration, and the keys that it names.
func discover(ctx context.Context, transport http.RoundTripper, name string) (keys, error) {
	var configuration struct {
		Issuer string `json:"issuer"`
		Keys   string `json:"jwks_uri"`
	}
	if err := fetch(ctx, transport, name+"/.well-known/openid-configuration", &configuration); err != nil {
		return nil, err
	}
	if configuration.Issuer != name {
		return nil, errProvider
	}
	var set struct{ Keys []jsonWebKey }
	if err := fetch(ctx, transport, configuration.Keys, &set); err != nil {
		return nil, err
	}
	found := make(keys)
	for _, k := range set.Keys {
		if key := k.public(); key != nil {
			found[k.ID] = key
		}
	}
	return found, nil
}

// jsonWebKey is one key of a set (RFC 7517).
type jsonWebKey struct {
	ID   string `json:"kid"`
	Kind string `json:"kty"`
	Use  string `json:"use"`
	N, E string
}

// public is the key, nil if it is not one of RSA for signatures.
func (k jsonWebKey) public() *rsa.PublicKey {
	n, nErr := base64.RawURLEncoding.DecodeString(k.N)
	e, eErr := base64.RawURLEncoding.DecodeString(k.E)
	if k.Kind != "RSA" || k.Use != "" && k.Use != "sig" || nErr != nil || eErr != nil || len(n) == 0 || len(e) > 4 {
		return nil
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}
}

// fetch reads a document of JSON.
func fetch(ctx context.Context, transport http.RoundTripper, address string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return errProvider
	}
	return json.NewDecoder(io.LimitReader(resp.Body, maxDocument)).Decode(into)
}
