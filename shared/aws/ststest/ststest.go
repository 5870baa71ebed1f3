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
	"encoding/xml"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
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
	key     *rsa.PrivateKey

	mu       sync.Mutex
	change   func(claims map[string]any)
	refusal  *refusal
	requests []Request
}

// Request is what was asked for.
type Request struct {
	// Host is the one that was called.
	Host                string
	Audience, Algorithm string
	Seconds             int
}

// refusal is an error of the protocol of AWS Query.
type refusal struct {
	status        int
	code, message string
}

// keyID names the one key there is.
const keyID = "RSA_1"

// signingKey is made once for the process: it costs time.
var signingKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic("ststest: " + err.Error())
	}
	return key
})

// New returns a server.
func New(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Server{options: o, key: signingKey()}
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
		writeJSON(w, map[string]any{"keys": []any{s.publicKey()}})
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

// publicKey is the key as a set of them shows it (RFC 7517).
func (s *Server) publicKey() map[string]string {
	return map[string]string{
		"kty": "RSA", "use": "sig", "alg": "RS256", "kid": keyID,
		"n": base64.RawURLEncoding.EncodeToString(s.key.N.Bytes()),
		"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(s.key.E)).Bytes()),
	}
}

// call answers a call in the protocol of AWS Query
// (https://smithy.io/2.0/aws/protocols/aws-query-protocol.html).
func (s *Server) call(w http.ResponseWriter, r *http.Request) {
	if r.FormValue("Action") != "GetWebIdentityToken" {
		refuse(w, refusal{http.StatusBadRequest, "InvalidAction", "Could not find the operation."})
		return
	}
	seconds, _ := strconv.Atoi(r.FormValue("DurationSeconds"))
	asked := Request{Host: r.Host, Audience: r.FormValue("Audience.member.1"), Algorithm: r.FormValue("SigningAlgorithm"), Seconds: seconds}
	if asked.Host == "" {
		asked.Host = r.URL.Host
	}
	s.requests = append(s.requests, asked)
	if s.refusal != nil {
		refuse(w, *s.refusal)
		return
	}
	s.grant(w, asked)
}

func refuse(w http.ResponseWriter, r refusal) {
	type fault struct{ Type, Code, Message string }
	body := struct {
		XMLName   xml.Name `xml:"ErrorResponse"`
		Error     fault
		RequestID string `xml:"RequestId"`
	}{Error: fault{"Sender", r.code, r.message}, RequestID: "c6104cbe-af31-11e0-8154-cbc7ccf896c7"}
	writeXML(w, r.status, body)
}

func (s *Server) grant(w http.ResponseWriter, asked Request) {
	now := s.options.Now()
	ends := now.Add(time.Duration(asked.Seconds) * time.Second)
	claims := jwt.MapClaims{
		"iss": s.options.Issuer, "sub": s.options.Subject, "aud": asked.Audience,
		"iat": now.Unix(), "exp": ends.Unix(), "jti": rand.Text(),
	}
	if s.change != nil {
		s.change(claims)
	}
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	token.Header["kid"] = keyID
	signed, err := token.SignedString(s.key)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	type result struct {
		WebIdentityToken string
		Expiration       string
	}
	writeXML(w, http.StatusOK, struct {
		XMLName xml.Name `xml:"GetWebIdentityTokenResponse"`
		Result  result   `xml:"GetWebIdentityTokenResult"`
	}{Result: result{signed, ends.UTC().Format(time.RFC3339)}})
}

func writeXML(w http.ResponseWriter, status int, body any) {
	text, err := xml.Marshal(body)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(status)
	_, _ = w.Write(text)
}
