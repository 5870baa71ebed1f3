package msgraph_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/sessionstamp/sessionstamp/shared/msgraph"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/x509test"
)

const (
	tenantID = "84bd8158-6d4d-4958-8b9f-9d6445542f95"
	clientID = "5c1a2b7e-11f2-4a38-8c0b-6b1a94ec2f02"
	secret   = "s3cr3t~value"
)

// bubble runs a test in virtual time.
func bubble(t *testing.T, test func(*testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, test)
}

// entra is a token endpoint that judges what an app signs in with.
type entra struct {
	// judge returns the number of an error, "" to give a token. Without it all get one.
	judge func(form url.Values) string
	// latency is what a token takes; err, if not nil, comes instead of an answer.
	latency time.Duration
	err     error

	mu    sync.Mutex
	asked int
}

// RoundTrip implements http.RoundTripper.
func (e *entra) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method == http.MethodGet {
		return discovery(req), nil
	}
	e.mu.Lock()
	e.asked++
	n := e.asked
	e.mu.Unlock()
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	select {
	case <-time.After(e.latency):
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
	if e.err != nil {
		return nil, e.err
	}
	code := ""
	if e.judge != nil {
		code = e.judge(form)
	}
	if code != "" {
		return response(http.StatusUnauthorized, `{"error":"invalid_client","error_description":"`+code+`: no.","correlation_id":"c0rr-1"}`), nil
	}
	return response(http.StatusOK, fmt.Sprintf(`{"token_type":"Bearer","expires_in":3599,"access_token":"t0k3n-%d"}`, n)), nil
}

// entraFake answers the discovery of the tenant's endpoints as Entra does, and
// requests for a token with status and body.
func entraFake(status int, body string) *fake {
	return &fake{answer: func(req *http.Request) (*http.Response, error) {
		if strings.HasSuffix(req.URL.Path, "/.well-known/openid-configuration") {
			return discovery(req), nil
		}
		return response(status, body), nil
	}}
}

// tokens returns how many requests for a token there were.
func (e *entra) tokens() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.asked
}

// discovery is where the tenant's endpoints are.
func discovery(req *http.Request) *http.Response {
	base := "https://" + req.URL.Host + "/" + tenantID
	return response(http.StatusOK, `{"issuer":"`+base+`/v2.0",`+
		`"authorization_endpoint":"`+base+`/oauth2/v2.0/authorize","token_endpoint":"`+base+`/oauth2/v2.0/token"}`)
}

// knowsSecret accepts a secret.
func knowsSecret(good string) func(url.Values) string {
	return func(form url.Values) string {
		if form.Get("client_secret") == good {
			return ""
		}
		return "AADSTS7000215"
	}
}

// knowsCertificate accepts what was signed with the key of a certificate.
func knowsCertificate(certificate *x509.Certificate) func(url.Values) string {
	return func(form url.Values) string {
		_, err := jwt.Parse(form.Get("client_assertion"), func(*jwt.Token) (any, error) { return certificate.PublicKey, nil })
		if err != nil {
			return "AADSTS700027"
		}
		return ""
	}
}

// signedIn returns a client that signs in so, to a Graph in which there is one user.
func signedIn(t testing.TB, e *entra, auth msgraph.Auth) *msgraph.Client {
	t.Helper()
	return signedInTo(t, e, answers(http.StatusOK, batchOf(partOf(1, http.StatusOK, userJSON(userID(0), "")))), auth)
}

func signedInTo(t testing.TB, e, graph http.RoundTripper, auth msgraph.Auth) *msgraph.Client {
	t.Helper()
	client, err := msgraph.NewClient(msgraph.Options{
		Cloud: cloudNamed(t, "global"), TenantID: tenantID, ClientID: clientID, Auth: auth, Transport: both{e, graph},
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// burst makes that many calls at once, and returns their errors.
func burst(ctx context.Context, c *msgraph.Client, calls int) []error {
	errs := make([]error, calls)
	var group sync.WaitGroup
	for i := range errs {
		group.Go(func() { _, errs[i] = c.ReadUsers(ctx, userIDs(1)) })
	}
	group.Wait()
	return errs
}

// reading reads a user within a limit, and tells how long it took.
func reading(ctx context.Context, client *msgraph.Client, limit time.Duration) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	start := time.Now()
	_, err := client.ReadUsers(ctx, userIDs(1))
	return time.Since(start), err
}

// kept is a source of secrets and certificates, and notes what it is asked.
type kept struct {
	// wait, if it is not nil, goes before each answer, and can fail it.
	wait func(ctx context.Context, fresh bool) error

	mu    sync.Mutex
	asked []bool
	// kept is the answer to all who do not want a fresh one.
	kept, stored                 string
	keptCertificate, storedFresh pair
}

// pair is a certificate, those that issued it, and its key.
type pair struct {
	chain []*x509.Certificate
	key   crypto.Signer
}

func (s *kept) ask(ctx context.Context, fresh bool) error {
	s.mu.Lock()
	s.asked = append(s.asked, fresh)
	s.mu.Unlock()
	if s.wait != nil {
		return s.wait(ctx, fresh)
	}
	return nil
}

func (s *kept) clientSecret(ctx context.Context, fresh bool) (string, error) {
	if fresh {
		return s.stored, s.ask(ctx, fresh)
	}
	return s.kept, s.ask(ctx, fresh)
}

func (s *kept) certificate(ctx context.Context, fresh bool) ([]*x509.Certificate, crypto.Signer, error) {
	p := s.keptCertificate
	if fresh {
		p = s.storedFresh
	}
	return p.chain, p.key, s.ask(ctx, fresh)
}

// check fails the test unless exactly this was asked, fresh or not.
func (s *kept) check(t *testing.T, want ...bool) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(s.asked, want) {
		t.Errorf("asked the source, fresh or not: %v, want %v", s.asked, want)
	}
}

// bySecret signs in with a secret that never changes.
func bySecret(text string) msgraph.Auth {
	return msgraph.Auth{ClientSecret: func(context.Context, bool) (string, error) { return text, nil }}
}

func (s *kept) bySecret() msgraph.Auth      { return msgraph.Auth{ClientSecret: s.clientSecret} }
func (s *kept) byCertificate() msgraph.Auth { return msgraph.Auth{Certificate: s.certificate} }

// rsaKeys are made once for the process: they cost time.
var rsaKeys = sync.OnceValue(func() (keys [2]*rsa.PrivateKey) {
	for i := range keys {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		keys[i] = key
	}
	return keys
})

// certify makes a self-signed certificate for a key, good for a year.
func certify(t testing.TB, key crypto.Signer, from time.Time) *x509.Certificate {
	t.Helper()
	return x509test.Issue(t, x509test.Template("app", from, from.AddDate(1, 0, 0)), key, nil, nil)
}

// pairOf returns a key with its certificate.
func pairOf(key *rsa.PrivateKey, certificate *x509.Certificate) pair {
	return pair{[]*x509.Certificate{certificate}, key}
}

// What the tokens of AWS say.
const (
	awsIssuer = "https://3f0c1a2b-4d5e-4f60-8a9b-0c1d2e3f4a5b.tokens.sts.global.api.aws"
	awsRole   = "arn:aws:iam::123456789012:role/sessionstamp-stamper"
	exchange  = "api://AzureADTokenExchange"
)

// provider gives tokens as AWS does.
type provider struct {
	// wait, if it is not nil, goes before each token, and can fail it.
	wait func(context.Context) error

	mu    sync.Mutex
	given []string
}

func (p *provider) token(ctx context.Context) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.given = append(p.given, "")
	if p.wait != nil {
		if err := p.wait(ctx); err != nil {
			return "", err
		}
	}
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"iss": awsIssuer, "sub": awsRole, "aud": exchange, "jti": len(p.given)})
	signed, err := token.SignedString([]byte("any key"))
	p.given[len(p.given)-1] = signed
	return signed, err
}

// tokens returns how many tokens were asked for.
func (p *provider) tokens() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.given)
}

func (p *provider) auth() msgraph.Auth {
	return msgraph.Auth{WebIdentity: p.token}
}

// codeOf returns the code of an error, "" without one.
func codeOf(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	return graphError(t, err).Code
}

// after returns a source's wait that takes so long, and fails with err.
func after(d time.Duration, err error) func(context.Context) error {
	return func(ctx context.Context) error {
		select {
		case <-time.After(d):
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// shows tells whether a text has any part of the token in it.
func shows(text, token string) bool {
	return slices.ContainsFunc(strings.Split(token, "."), func(part string) bool { return part != "" && strings.Contains(text, part) })
}
