// Package ststest stands in for AWS's Security Token Service where a test calls
// [GetWebIdentityToken], which moto does not know, and for the issuer of an account,
// which publishes its keys by OpenID Connect Discovery.
//
// [GetWebIdentityToken]: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetWebIdentityToken.html
package ststest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
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
	change   func(claims map[string]any)
	refusal  *refusal
	requests []Request
}

// Request is what was asked for, be it granted or not.
type Request struct {
	// Host is the one that was called.
	Host string
	// Audience is whom the token is for.
	Audience []string
	// Algorithm is RS256 or ES384.
	Algorithm string
	// Seconds is how long it is to be good for: 300 if nothing was said.
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
// a message. An empty code ends it.
func (s *Server) Refuse(status int, code, message string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusal = nil
	if code != "" {
		s.refusal = &refusal{status, code, message}
	}
}

// Change lets tokens have other claims from now on.
func (s *Server) Change(change func(claims map[string]any)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.change = change
}

// Requests returns what has been asked for.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.requests...)
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch r.Method + " " + r.URL.Path {
	case "GET /.well-known/openid-configuration":
		writeJSON(w, map[string]any{"issuer": s.options.Issuer, "jwks_uri": s.options.Issuer + "/.well-known/jwks.json",
			"id_token_signing_alg_values_supported": []string{"RS256", "ES384"}})
	case "GET /.well-known/jwks.json":
		writeJSON(w, map[string]any{"keys": publicKeys()})
	case "POST /":
		s.call(w, r)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// RoundTrip implements [http.RoundTripper].
func (s *Server) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	if r.Body == nil {
		r.Body = http.NoBody
	}
	recorder := httptest.NewRecorder()
	s.ServeHTTP(recorder, r)
	answer := recorder.Result()
	answer.Request = r
	return answer, nil
}

func writeJSON(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body) //nolint:errchkjson // texts
}
