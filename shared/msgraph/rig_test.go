package msgraph_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // Entra names certificates by it
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/sessionstamp/sessionstamp/internal/x509test"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
)

// rsaKeys are made once for the process: they cost time.
var rsaKeys = sync.OnceValue(func() (keys [3]*rsa.PrivateKey) {
	for i := range keys {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		keys[i] = key
	}
	return keys
})

// certify makes a certificate for a key, good for a year, which issuer has signed
// with its key; a nil issuer means the key itself.
func certify(t testing.TB, name string, key crypto.Signer, from time.Time, issuer *x509.Certificate, issuerKey crypto.Signer) *x509.Certificate {
	t.Helper()
	template := x509test.Template(name, from, from.AddDate(1, 0, 0))
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	return x509test.Issue(t, template, key, issuer, issuerKey)
}

// certificateSource knows a certificate, and notes what it is asked.
type certificateSource struct {
	mu    sync.Mutex
	asked []bool
	// kept is the answer to all who do not want a fresh certificate.
	kept, stored pair
	err          error
}

// pair is a certificate, those that issued it, and its key.
type pair struct {
	chain []*x509.Certificate
	key   crypto.Signer
}

// Certificate implements msgraph.CertificateSource.
func (s *certificateSource) Certificate(_ context.Context, fresh bool) ([]*x509.Certificate, crypto.Signer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, fresh)
	if fresh {
		return s.stored.chain, s.stored.key, s.err
	}
	return s.kept.chain, s.kept.key, s.err
}

// check fails the test unless exactly this was asked, fresh or not.
func (s *certificateSource) check(t *testing.T, want ...bool) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(s.asked, want) {
		t.Errorf("asked the source, fresh or not: %v, want %v", s.asked, want)
	}
}

// What the provider's tokens say.
const (
	awsIssuer = "https://3f0c1a2b-4d5e-4f60-8a9b-0c1d2e3f4a5b.tokens.sts.global.api.aws"
	awsRole   = "arn:aws:iam::123456789012:role/sessionstamp-revoker"
	exchange  = "api://AzureADTokenExchange"
)

// provider is an issuer as AWS's: it gives tokens, and publishes its keys.
type provider struct {
	key *rsa.PrivateKey
	// change, if it is not nil, changes the claims of a token.
	change func(jwt.MapClaims)
	// err, if it is not nil, is what comes instead.
	err error
	// garbled, if it is not "", is given in place of a token.
	garbled string
	// unpublished lets it sign as if with a key that it does not publish.
	unpublished bool
	// down lets it publish nothing.
	down bool

	mu    sync.Mutex
	given []string
}

func newProvider() *provider { return &provider{key: rsaKeys()[0]} }

// token is a msgraph.WebIdentitySource.
func (p *provider) token(context.Context) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil || p.garbled != "" {
		return p.garbled, p.err
	}
	claims := jwt.MapClaims{"iss": awsIssuer, "sub": awsRole, "aud": exchange,
		"iat": time.Now().Unix(), "exp": time.Now().Add(5 * time.Minute).Unix()}
	if p.change != nil {
		p.change(claims)
	}
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	token.Header["kid"] = "k1"
	if p.unpublished {
		token.Header["kid"] = "k2"
	}
	signed, err := token.SignedString(p.key)
	p.given = append(p.given, signed)
	return signed, err
}

// tokens returns how many tokens were given.
func (p *provider) tokens() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.given)
}

// RoundTrip publishes the key, by OpenID Connect Discovery.
func (p *provider) RoundTrip(req *http.Request) (*http.Response, error) {
	encode := base64.RawURLEncoding.EncodeToString
	documents := map[string]string{
		awsIssuer + "/.well-known/openid-configuration": `{"issuer":"` + awsIssuer + `","jwks_uri":"` + awsIssuer + `/keys"}`,
		awsIssuer + "/keys": fmt.Sprintf(`{"keys":[{"kty":"RSA","kid":"k1","n":%q,"e":%q}]}`,
			encode(rsaKeys()[0].N.Bytes()), encode(big.NewInt(int64(rsaKeys()[0].E)).Bytes())),
	}
	body, ok := documents[req.URL.String()]
	if p.down || !ok {
		return nil, io.ErrUnexpectedEOF
	}
	return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(body)), Request: req}, nil
}

// trusts makes the app trust the provider's tokens.
func (e emulated) trusts(p *provider) {
	e.server.AddProvider(awsIssuer, p)
	e.app.AddFederated(msgraphtest.FederatedCredential{Name: "aws", Issuer: awsIssuer, Subject: awsRole})
}

// signedInAs returns a client that signs in so.
func (e emulated) signedInAs(t testing.TB, auth msgraph.Auth, change func(*msgraph.CredentialOptions)) *msgraph.Client {
	t.Helper()
	o := msgraph.CredentialOptions{Cloud: cloudNamed(t, "global"), TenantID: tenantID, ClientID: clientID, Transport: known{t, e.server}}
	if change != nil {
		change(&o)
	}
	credential, err := msgraph.NewCredential(o, auth)
	if err != nil {
		t.Fatal(err)
	}
	client, err := msgraph.NewClient(msgraph.Options{Cloud: o.Cloud, Credential: credential, Transport: known{t, e.server}})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// awsError is an error of AWS's, as package identity makes them.
type awsError struct{ code, text string }

func (e awsError) Error() string     { return e.text }
func (e awsError) ErrorCode() string { return e.code }

// sources are all there are, for tests that choose among them.
func sources() msgraph.Auth {
	return msgraph.Auth{
		Secrets:      msgraph.FixedSecret(secret),
		Certificates: msgraph.FixedCertificate(nil, nil),
		WebIdentity:  func(context.Context) (string, error) { return "", nil },
	}
}

// pairOf returns the certificate with its key.
func pairOf(key *rsa.PrivateKey, chain ...*x509.Certificate) pair { return pair{chain, key} }

// sorted returns the keys of a table in order.
func sorted[V any](table map[string]V) []string { return slices.Sorted(maps.Keys(table)) }

// thumbprint is the SHA-1 of a certificate, as the directory has it.
func thumbprint(der []byte) string {
	return fmt.Sprintf("%x", sha1.Sum(der)) //nolint:gosec // see the import
}
