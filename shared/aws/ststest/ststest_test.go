package ststest_test

import (
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/sessionstamp/sessionstamp/shared/aws/ststest"
)

const (
	issuer   = "https://3f0c1a2b-4d5e-4f60-8a9b-0c1d2e3f4a5b.tokens.sts.global.api.aws"
	role     = "arn:aws:iam::123456789012:role/sessionstamp-stamper"
	audience = "api://AzureADTokenExchange"
	regional = "https://sts.eu-central-1.amazonaws.com/"
)

var now = time.Date(2026, 11, 1, 10, 0, 0, 0, time.UTC)

func newServer() *ststest.Server {
	return ststest.New(ststest.Options{Issuer: issuer, Subject: role, Now: func() time.Time { return now }})
}

// signature is one for a service.
func signature(service string) string {
	return "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20261101/eu-central-1/" + service + "/aws4_request, SignedHeaders=host;x-amz-date, Signature=0a1b"
}

// asking is the form of a call that is granted, changed in one field.
func asking(field, value string) url.Values {
	form := url.Values{"Action": {"GetWebIdentityToken"}, "Version": {"2011-06-15"}, "Audience.member.1": {audience},
		"SigningAlgorithm": {"RS256"}, "DurationSeconds": {"300"}}
	if field != "" {
		form.Set(field, value)
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
	request.Header.Set("Authorization", authorization)
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
	s := newServer()
	status, body := send(t, s, http.MethodPost, regional, signature("sts"), asking("", ""))
	var answer struct {
		Token      string    `xml:"GetWebIdentityTokenResult>WebIdentityToken"`
		Expiration time.Time `xml:"GetWebIdentityTokenResult>Expiration"`
	}
	if err := xml.Unmarshal(body, &answer); err != nil || status != http.StatusOK {
		t.Fatalf("status %d, %v", status, err)
	}
	var claims jwt.RegisteredClaims
	_, err := jwt.ParseWithClaims(answer.Token, &claims, func(token *jwt.Token) (any, error) { return published(t, s, token.Header["kid"]), nil },
		jwt.WithValidMethods([]string{"RS256"}), jwt.WithTimeFunc(func() time.Time { return now }),
		jwt.WithIssuer(issuer), jwt.WithSubject(role), jwt.WithAudience(audience))
	if err != nil {
		t.Fatal(err)
	}
	if ends := now.Add(5 * time.Minute); !answer.Expiration.Equal(ends) || !claims.ExpiresAt.Equal(ends) {
		t.Errorf("the token is good until %s and %s, want %s", answer.Expiration, claims.ExpiresAt, ends)
	}
}

// published is the key of an id, as whoever takes a token finds it: by the issuer's
// configuration.
func published(t *testing.T, s *ststest.Server, id any) *rsa.PublicKey {
	t.Helper()
	var configuration struct {
		Keys string `json:"jwks_uri"`
	}
	var set struct {
		Keys []struct{ Kid, N, E string }
	}
	_, body := send(t, s, http.MethodGet, issuer+"/.well-known/openid-configuration", "", nil)
	if err := json.Unmarshal(body, &configuration); err != nil {
		t.Fatal(err)
	}
	_, body = send(t, s, http.MethodGet, configuration.Keys, "", nil)
	if err := json.Unmarshal(body, &set); err != nil || len(set.Keys) != 1 || set.Keys[0].Kid != id {
		t.Fatalf("%s is published, %v", body, err)
	}
	return &rsa.PublicKey{N: number(t, set.Keys[0].N), E: int(number(t, set.Keys[0].E).Int64())}
}

func number(t *testing.T, text string) *big.Int {
	t.Helper()
	bytes, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return new(big.Int).SetBytes(bytes)
}

// TestRefused checks that nobody gets a token here whom STS would give none.
func TestRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		field, value string
		address      string
		sign         string
		code         string
	}{
		"unsigned":            {"", "", regional, "", "MissingAuthenticationToken"},
		"signed for another":  {"", "", regional, signature("secretsmanager"), "MissingAuthenticationToken"},
		"global endpoint":     {"", "", "https://sts.amazonaws.com/", signature("sts"), "InvalidAction"},
		"another action":      {"Action", "GetCallerIdentity", regional, signature("sts"), "InvalidAction"},
		"another algorithm":   {"SigningAlgorithm", "rs256", regional, signature("sts"), "ValidationError"},
		"too short":           {"DurationSeconds", "59", regional, signature("sts"), "ValidationError"},
		"too long":            {"DurationSeconds", "3601", regional, signature("sts"), "ValidationError"},
		"no audience":         {"Audience.member.1", "", regional, signature("sts"), "ValidationError"},
		"more than we ask of": {"Audience.member.2", "b", regional, signature("sts"), "ValidationError"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, body := send(t, newServer(), http.MethodPost, test.address, test.sign, asking(test.field, test.value))
			var answer struct {
				Code string `xml:"Error>Code"`
			}
			if err := xml.Unmarshal(body, &answer); err != nil || status < 400 || answer.Code != test.code {
				t.Errorf("status %d, %+v, %v, want %s", status, answer, err, test.code)
			}
		})
	}
}
