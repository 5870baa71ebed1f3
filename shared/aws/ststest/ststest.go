// Package ststest stands in for AWS's Security Token Service where a test calls
// [GetWebIdentityToken], which moto does not know, and for the issuer of an account,
// which publishes its keys by OpenID Connect Discovery.
//
// [GetWebIdentityToken]: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetWebIdentityToken.html
package ststest

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"time"
)

// Options say whose tokens a Server issues.
type Options struct {
	// Issuer is that of the account:
	// "https://11111111-….tokens.sts.global.api.aws".
	Issuer string
	// Subject is the ARN of the role that calls.
	Subject string
	// Now is the calendar; nil means time.Now.
	Now func() time.Time
}

// A Server is STS and the issuer. It is an [http.Handler], and the transport of a
// client in the same process.
type Server struct {
	options Options

	mu       sync.Mutex
	refusal  *refusal
	requests []Request
}

// Request is what was asked for, be it granted or not.
type Request struct {
	// Host is the one that was called.
	Host string
	// Audience is whom the token is for, and Algorithm how it is to be signed.
	Audience, Algorithm string
	// Seconds is how long it is to be good for.
	Seconds int
}

// New returns a server.
func New(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Server{options: o}
}

// Refuse lets calls fail from now on with a status, a code such as AccessDenied, and
// a message.
func (s *Server) Refuse(status int, code, message string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusal = &refusal{status, code, message}
}

// Requests returns what has been asked for.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch r.Method + " " + r.URL.Path {
	case "GET /.well-known/openid-configuration":
		writeJSON(w, map[string]string{"issuer": s.options.Issuer, "jwks_uri": s.options.Issuer + "/.well-known/jwks.json"})
	case "GET /.well-known/jwks.json":
		writeJSON(w, map[string]any{"keys": []any{publicKey()}})
	case "POST /":
		s.call(w, r)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// RoundTrip implements [http.RoundTripper].
func (s *Server) RoundTrip(r *http.Request) (*http.Response, error) {
	recorder := httptest.NewRecorder()
	s.ServeHTTP(recorder, r.Clone(r.Context()))
	answer := recorder.Result()
	answer.Request = r
	return answer, nil
}

func writeJSON(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body) //nolint:errchkjson // texts
}

// keyID names the key that tokens are signed with.
const keyID = "RSA_1"

// key is made once for the process, since that costs time: so all servers have the same.
var key = sync.OnceValue(func() *rsa.PrivateKey {
	made, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic("ststest: " + err.Error())
	}
	return made
})

// publicKey is the key as a set of keys shows it (RFC 7517, RFC 7518).
func publicKey() map[string]string {
	number := base64.RawURLEncoding.EncodeToString
	return map[string]string{
		"kty": "RSA", "use": "sig", "alg": algorithm, "kid": keyID,
		"n": number(key().N.Bytes()), "e": number(big.NewInt(int64(key().E)).Bytes()),
	}
}
