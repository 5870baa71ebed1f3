package ststest_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/aws/ststest"
)

const (
	issuer   = "https://3f0c1a2b-4d5e-4f60-8a9b-0c1d2e3f4a5b.tokens.sts.global.api.aws"
	role     = "arn:aws:iam::123456789012:role/sessionstamp-revoker"
	audience = "api://AzureADTokenExchange"
	regional = "sts.eu-central-1.amazonaws.com"
)

var now = time.Date(2026, 11, 1, 10, 0, 0, 0, time.UTC)

func newServer() *ststest.Server {
	return ststest.New(ststest.Options{Issuer: issuer, Subject: role, Now: func() time.Time { return now }})
}

// signature is one for a service.
func signature(service string) string {
	return "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20261101/eu-central-1/" + service + "/aws4_request, SignedHeaders=host;x-amz-date, Signature=0a1b"
}

// asking is the form of a call that is granted, changed.
func asking(changes url.Values) url.Values {
	form := url.Values{"Action": {"GetWebIdentityToken"}, "Version": {"2011-06-15"}, "Audience.member.1": {audience},
		"SigningAlgorithm": {"RS256"}, "DurationSeconds": {"300"}}
	for name, values := range changes {
		form[name] = values
		if values == nil {
			delete(form, name)
		}
	}
	return form
}

// audiences are members of a list.
func audiences(n int) url.Values {
	form := make(url.Values)
	for i := range n {
		form.Set(fmt.Sprint("Audience.member.", i+1), fmt.Sprint("https://", i+1, ".example"))
	}
	return form
}

// send sends a request to the server.
func send(t *testing.T, s *ststest.Server, method, address, authorization string, form url.Values) (status int, body []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if authorization != "" {
		request.Header.Set("Authorization", authorization)
	}
	answer, err := s.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if body, err = io.ReadAll(answer.Body); err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, body
}

// TestGranted checks that what is asked for is what the token says, and that it is
// signed with a key that the issuer publishes.
func TestGranted(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		changes   url.Values
		algorithm string
		audience  []string
		seconds   int
	}{
		"as we ask":         {nil, "RS256", []string{audience}, 300},
		"ES384":             {url.Values{"SigningAlgorithm": {"ES384"}}, "ES384", []string{audience}, 300},
		"two audiences":     {audiences(2), "RS256", []string{"https://1.example", "https://2.example"}, 300},
		"no duration":       {url.Values{"DurationSeconds": nil}, "RS256", []string{audience}, 300},
		"shortest duration": {url.Values{"DurationSeconds": {"60"}}, "RS256", []string{audience}, 60},
		"longest duration":  {url.Values{"DurationSeconds": {"3600"}}, "RS256", []string{audience}, 3600},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer()
			status, body := send(t, s, http.MethodPost, "https://"+regional+"/", signature("sts"), asking(test.changes))
			var answer struct {
				Token      string    `xml:"GetWebIdentityTokenResult>WebIdentityToken"`
				Expiration time.Time `xml:"GetWebIdentityTokenResult>Expiration"`
			}
			if err := xml.Unmarshal(body, &answer); err != nil || status != http.StatusOK {
				t.Fatalf("status %d, %v", status, err)
			}
			var claims jwt.RegisteredClaims
			_, err := jwt.ParseWithClaims(answer.Token, &claims, func(token *jwt.Token) (any, error) { return published(t, s, token.Header["kid"]), nil },
				jwt.WithValidMethods([]string{test.algorithm}), jwt.WithTimeFunc(func() time.Time { return now }),
				jwt.WithIssuer(issuer), jwt.WithSubject(role))
			if err != nil {
				t.Error(err)
			}
			ends := now.Add(time.Duration(test.seconds) * time.Second)
			if !answer.Expiration.Equal(ends) || !claims.ExpiresAt.Equal(ends) {
				t.Errorf("the token is good until %s and %s, want %s", answer.Expiration, claims.ExpiresAt, ends)
			}
			if diff := cmp.Diff(test.audience, []string(claims.Audience)); diff != "" {
				t.Errorf("audience (-want +got):\n%s", diff)
			}
			want := []ststest.Request{{Host: regional, Audience: test.audience, Algorithm: test.algorithm, Seconds: test.seconds}}
			if diff := cmp.Diff(want, s.Requests()); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}

// published is the key of an id, as whoever takes a token finds it: by the issuer's
// configuration.
func published(t *testing.T, s *ststest.Server, id any) any {
	t.Helper()
	var configuration struct {
		Keys string `json:"jwks_uri"`
	}
	var set struct {
		Keys []struct{ Kid, Kty, N, E, X, Y string }
	}
	_, body := send(t, s, http.MethodGet, issuer+"/.well-known/openid-configuration", "", nil)
	if err := json.Unmarshal(body, &configuration); err != nil {
		t.Fatal(err)
	}
	_, body = send(t, s, http.MethodGet, configuration.Keys, "", nil)
	if err := json.Unmarshal(body, &set); err != nil {
		t.Fatal(err)
	}
	for _, key := range set.Keys {
		switch {
		case key.Kid != id:
		case key.Kty == "RSA":
			return &rsa.PublicKey{N: new(big.Int).SetBytes(number(t, key.N)), E: int(new(big.Int).SetBytes(number(t, key.E)).Int64())}
		default:
			point := append(append([]byte{4}, number(t, key.X)...), number(t, key.Y)...)
			public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P384(), point)
			if err != nil {
				t.Fatal(err)
			}
			return public
		}
	}
	t.Fatalf("no key %v is published", id)
	return nil
}

func number(t *testing.T, text string) []byte {
	t.Helper()
	bytes, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return bytes
}

// TestRefused checks that nobody gets a token here whom STS would give none.
func TestRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		changes    url.Values
		host, sign string // "": as we call
		status     int
		code       string
	}{
		"unsigned":                {sign: "none", status: 403, code: "MissingAuthenticationToken"},
		"signed by another way":   {sign: "Bearer x", status: 403, code: "MissingAuthenticationToken"},
		"signed for another":      {sign: signature("secretsmanager"), status: 403, code: "SignatureDoesNotMatch"},
		"global endpoint":         {host: "sts.amazonaws.com", status: 400, code: "InvalidAction"},
		"another action":          {changes: url.Values{"Action": {"GetCallerIdentity"}}, status: 400, code: "InvalidAction"},
		"no algorithm":            {changes: url.Values{"SigningAlgorithm": nil}, status: 400, code: "ValidationError"},
		"algorithm":               {changes: url.Values{"SigningAlgorithm": {"RS384"}}, status: 400, code: "ValidationError"},
		"algorithm in lower case": {changes: url.Values{"SigningAlgorithm": {"rs256"}}, status: 400, code: "ValidationError"},
		"too short":               {changes: url.Values{"DurationSeconds": {"59"}}, status: 400, code: "ValidationError"},
		"too long":                {changes: url.Values{"DurationSeconds": {"3601"}}, status: 400, code: "ValidationError"},
		"no number":               {changes: url.Values{"DurationSeconds": {"5m"}}, status: 400, code: "MalformedInput"},
		"no audience":             {changes: url.Values{"Audience.member.1": nil}, status: 400, code: "ValidationError"},
		"empty audience":          {changes: url.Values{"Audience.member.1": {""}}, status: 400, code: "ValidationError"},
		"long audience":           {changes: url.Values{"Audience.member.1": {strings.Repeat("a", 1001)}}, status: 400, code: "ValidationError"},
		"too many audiences":      {changes: audiences(11), status: 400, code: "ValidationError"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			host, sign := regional, signature("sts")
			if test.host != "" {
				host = test.host
			}
			if test.sign != "" {
				sign = strings.TrimPrefix(test.sign, "none")
			}
			status, body := send(t, newServer(), http.MethodPost, "https://"+host+"/", sign, asking(test.changes))
			var answer struct {
				Code    string `xml:"Error>Code"`
				Message string `xml:"Error>Message"`
			}
			if err := xml.Unmarshal(body, &answer); err != nil || status != test.status || answer.Code != test.code || answer.Message == "" {
				t.Errorf("status %d, %+v, %v, want %d and %s", status, answer, err, test.status, test.code)
			}
		})
	}
}
