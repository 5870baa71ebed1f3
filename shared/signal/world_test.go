package signal_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/sessionstamp/sessionstamp/shared/signal"
)

const (
	source   = "7"
	issuer   = "https://idp.example.com/"
	audience = "https://signals.example.net/idp/7"
	static   = "Bearer an-invented-secret-of-a-hook"
)

var (
	event    = time.Date(2026, 8, 1, 10, 0, 0, 0, time.UTC)
	received = event.Add(2 * time.Minute)
	secret   = "whsec_" + base64.StdEncoding.EncodeToString([]byte("an invented secret of 32 bytes.."))
	other    = "whsec_" + base64.StdEncoding.EncodeToString([]byte("another invented secret of 34 byte"))
)

// The keys are made once: RSA is slow.
var keys = sync.OnceValue(func() (k struct {
	rsa, stranger *rsa.PrivateKey
	ec            *ecdsa.PrivateKey
}) {
	var errs [3]error
	k.rsa, errs[0] = rsa.GenerateKey(rand.Reader, 2048)
	k.stranger, errs[1] = rsa.GenerateKey(rand.Reader, 2048)
	k.ec, errs[2] = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err := errors.Join(errs[:]...); err != nil {
		panic(err)
	}
	return k
})

func b64(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

func jwk(kid string, key crypto.PublicKey) map[string]string {
	switch key := key.(type) {
	case *rsa.PublicKey:
		return map[string]string{"kty": "RSA", "kid": kid, "n": b64(key.N.Bytes()), "e": b64(big.NewInt(int64(key.E)).Bytes())}
	case *ecdsa.PublicKey:
		point, _ := key.Bytes()
		return map[string]string{"kty": "EC", "crv": "P-256", "kid": kid, "x": b64(point[1:33]), "y": b64(point[33:])}
	}
	return nil
}

func jwks(members ...map[string]string) []byte {
	raw, _ := json.Marshal(map[string][]map[string]string{"keys": members}) //nolint:errchkjson // texts
	return raw
}

// A publisher is a transmitter's jwks_uri.
type publisher struct {
	set     []byte
	err     error
	fetched int
	bounded bool // each time
}

func (p *publisher) FetchKeys(ctx context.Context) ([]byte, error) {
	p.fetched++
	_, p.bounded = ctx.Deadline()
	return p.set, p.err
}

func published() *publisher {
	return &publisher{set: jwks(jwk("rsa", &keys().rsa.PublicKey), jwk("ec", &keys().ec.PublicKey))}
}

// state is what verifications are asked for with.
var state = signal.Credential{Secrets: []string{static}}.State()

// A config is a stream's.
type config struct {
	signal.Stream
	keys     *signal.Keys
	secrets  []string
	sessions bool
}

func streamOf(vary ...func(*config)) (signal.Source, error) {
	c := config{
		Stream: signal.Stream{Provider: signal.OtherSSF, Issuer: issuer, Audiences: []string{audience}},
		keys:   signal.NewKeys(published()), secrets: []string{static},
	}
	for _, f := range vary {
		f(&c)
	}
	r := signal.Record{Kind: signal.KindSSF, Domains: []string{"contoso.com"}, SessionsRevoked: c.sessions, Stream: c.Stream}
	return r.Open(source, signal.Credential{Secrets: c.secrets}, c.keys)
}

func stream(t testing.TB, vary ...func(*config)) signal.Source {
	t.Helper()
	return must(t)(streamOf(vary...))
}

func must(t testing.TB) func(signal.Source, error) signal.Source {
	return func(s signal.Source, err error) signal.Source {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}

// opened is a source of that kind and id.
func opened(kind signal.SourceKind, id string, secrets ...string) (signal.Source, error) {
	return signal.Record{Kind: kind, Domains: []string{"contoso.com"}}.Open(id, signal.Credential{Secrets: secrets}, nil)
}

func webhook(t testing.TB, secrets ...string) signal.Source {
	t.Helper()
	return must(t)(opened(signal.KindWebhook, source, secrets...))
}

func hook(t testing.TB) signal.Source {
	t.Helper()
	return must(t)(opened(signal.KindOkta, source, "Bearer the-secret-before-this-one", static))
}

// A header of a token, as most transmitters write it.
func header(alg, kid string) map[string]any {
	return map[string]any{"typ": "secevent+jwt", "alg": alg, "kid": kid}
}

// compact signs any payload with any header, by a method that may not be the header's.
func compact(header map[string]any, payload string, method jwt.SigningMethod, key any) []byte {
	head, err := json.Marshal(header)
	if err != nil {
		panic(err)
	}
	signed := b64(head) + "." + b64([]byte(payload))
	signature, err := method.Sign(signed, key)
	if err != nil {
		panic(err)
	}
	return []byte(signed + "." + b64(signature))
}

func token(payload string) []byte {
	return compact(header("ES256", "ec"), payload, jwt.SigningMethodES256, keys().ec)
}

// sample is a payload whose issuer is ours where it is nobody's in particular.
func sample(t testing.TB, name string) string {
	t.Helper()
	raw, err := os.ReadFile("testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(raw), "state-of-ours", state)
}

func pushed(body []byte) signal.Request { return hooked(string(body), static) }

// at is a request that came at another time.
func at(r signal.Request, received time.Time) signal.Request {
	r.Received = received
	return r
}

func hooked(body, authorization string) signal.Request {
	return signal.Request{Body: []byte(body), Header: http.Header{"Authorization": {authorization}}, Received: received}
}

// sent is signed as the specification says, with whatever id and time.
func sent(body, id string, at time.Time, secrets ...string) signal.Request {
	var signatures []string
	for _, secret := range secrets {
		key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
		mac := hmac.New(sha256.New, key)
		fmt.Fprintf(mac, "%s.%d.%s", id, at.Unix(), body)
		signatures = append(signatures, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	return signal.Request{Body: []byte(body), Received: received, Header: http.Header{
		"Webhook-Id": {id}, "Webhook-Timestamp": {strconv.FormatInt(at.Unix(), 10)}, "Webhook-Signature": {strings.Join(signatures, " ")},
	}}
}

func receive(t testing.TB, s signal.Source, r signal.Request) (signal.Delivery, error) {
	t.Helper()
	return signal.Receive(t.Context(), s, r)
}

// reason is that of a refusal.
func reason(t testing.TB, err error) signal.Reason {
	t.Helper()
	var refusal *signal.Refusal
	if err != nil && !errors.As(err, &refusal) {
		t.Fatalf("error of type %T", err)
	}
	if refusal == nil {
		return ""
	}
	return refusal.Reason
}

// long is longer than any source reads.
var long = sync.OnceValue(func() string { return strings.Repeat("x", 10<<20) })

func deep(n int) string { return strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n) }
