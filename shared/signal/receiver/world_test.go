package receiver_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/signal/receiver"
	"github.com/sessionstamp/sessionstamp/shared/state"
)

const (
	tenant = "84bd8158-6d4d-4958-8b9f-9d6445542f95"
	issuer = "https://idp.example.com/"
	jwks   = "https://idp.example.com/jwks"
	// The sources, one of each kind, and one that is not there.
	hook    = "0123456789abcdef0123456789abcde0"
	okta    = "0123456789abcdef0123456789abcde1"
	ssf     = "0123456789abcdef0123456789abcde2"
	nowhere = "0123456789abcdef0123456789abcdef"
)

var (
	noon   = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	errOut = errors.New("out of order")
)

// secret is the nth of a source.
func secret(source string, n int) string {
	text := fmt.Sprintf("an invented secret of %s, number %d", source[30:], n)
	if source == hook {
		return "whsec_" + base64.StdEncoding.EncodeToString([]byte(text))
	}
	return "Bearer " + text
}

func credential(source string, ns ...int) (c signal.Credential) {
	for _, n := range ns {
		c.Secrets = append(c.Secrets, secret(source, n))
	}
	return c
}

// A world is a handler and all that it calls. What is fresh becomes what is cached.
type world struct {
	t       testing.TB
	now     func() time.Time
	handler http.Handler
	log     bytes.Buffer
	last    receiver.Receipt

	mu            sync.Mutex
	sources       map[string]signal.Record
	cached, fresh map[string]signal.Credential
	down, slow    map[string]bool // what fails or hangs: "registry", "credentials", "fresh", "keys", "queue"
	calls         map[string]int  // of the same
	failing       map[string]int  // how often they still fail
	queued        []signal.Message
	uri           string // of the keys, and the set that is there
	set           []byte
}

func newWorld(t testing.TB, now func() time.Time) *world {
	w := &world{
		t: t, now: now, calls: make(map[string]int), failing: make(map[string]int), down: make(map[string]bool), slow: make(map[string]bool),
		sources: map[string]signal.Record{
			hook: {Kind: signal.KindWebhook, Domains: []string{"example.com"}},
			okta: {Kind: signal.KindOkta, Domains: []string{"example.com"}},
			ssf: {Kind: signal.KindSSF, Domains: []string{"example.com"}, Stream: signal.Stream{
				Provider: signal.OtherSSF, Issuer: issuer, KeysURI: jwks, ID: "stream-1", Audiences: []string{"us"}}},
		},
		cached: make(map[string]signal.Credential), uri: jwks, set: keySet("k1"),
	}
	for id := range w.sources {
		w.cached[id] = credential(id, 1)
	}
	w.fresh = maps.Clone(w.cached)
	w.handler = receiver.New(receiver.Config{
		Tenant: tenant, Registry: w, Credentials: w, Queue: w, Observer: w, Now: now,
		Log:  slog.New(slog.NewTextHandler(&w.log, nil)),
		Keys: func(uri string) signal.KeyFetcher { return fetched{w, uri} },
	})
	return w
}

func atNoon(t testing.TB) *world {
	t.Helper()
	return newWorld(t, func() time.Time { return noon })
}

// call counts a call, and fails or hangs where it is to.
func (w *world) call(ctx context.Context, what string) error {
	w.mu.Lock()
	w.calls[what]++
	down, slow := w.down[what] || w.failing[what] > 0, w.slow[what]
	w.failing[what]--
	w.mu.Unlock()
	if _, limited := ctx.Deadline(); !limited {
		w.t.Errorf("a call of %s without a time limit", what)
	}
	if slow {
		<-ctx.Done()
		return ctx.Err()
	}
	if down {
		return errOut
	}
	return nil
}

func (w *world) Load(ctx context.Context, of string) (state.Item[signal.Registry], error) {
	err := w.call(ctx, "registry")
	if of != tenant {
		w.t.Errorf("the registry of %s was read", of)
	}
	return state.Item[signal.Registry]{Doc: signal.Registry{Sources: maps.Clone(w.sources)}}, err
}

func (w *world) Credential(ctx context.Context, id string, fresh bool) (signal.Credential, error) {
	what := "credentials"
	if fresh {
		what = "fresh"
	}
	if err := w.call(ctx, what); err != nil {
		return signal.Credential{}, err
	}
	if fresh {
		w.cached[id] = w.fresh[id]
	}
	c := w.cached[id]
	if len(c.Secrets) == 0 {
		return c, fmt.Errorf("secret: %w", signal.ErrNoCredential)
	}
	return c, nil
}

// Enqueue checks what the handler promises of each message.
func (w *world) Enqueue(ctx context.Context, messages []signal.Message) error {
	for _, m := range messages {
		if m.Tenant != tenant || w.sources[m.Source].Kind == "" || m.Received.After(w.now()) || w.now().Sub(m.Received) > receiver.Timeout ||
			m.Signal != nil && (m.Signal.Source != m.Source || m.Signal.Subject.Value == "") {
			w.t.Errorf("a message of %s says too little", m.Source)
		}
	}
	err := w.call(ctx, "queue")
	if err == nil {
		w.queued = append(w.queued, messages...)
	}
	return err
}

func (w *world) ObserveSignals(_ context.Context, r receiver.Receipt) { w.last = r }

type fetched struct {
	*world
	uri string
}

func (f fetched) FetchKeys(ctx context.Context) ([]byte, error) {
	if f.uri != f.world.uri {
		f.t.Errorf("keys of %s", f.uri)
	}
	return f.set, f.call(ctx, "keys")
}

// told is what a request came to: the status, why it was refused, whether it rings; then
// what was queued.
func (w *world) told(req *http.Request) string {
	w.t.Helper()
	w.log.Reset()
	w.queued, w.last = nil, receiver.Receipt{}
	answer := httptest.NewRecorder()
	w.handler.ServeHTTP(answer, req)
	w.checkLog()
	words := []string{strconv.Itoa(answer.Code)}
	var refusal *signal.Refusal
	if errors.As(w.last.Err, &refusal) {
		words = append(words, string(refusal.Reason))
	}
	if w.last.Refused() {
		words = append(words, "rings")
	}
	signals := 0
	for _, m := range w.queued {
		switch {
		case m.Signal == nil && m.Heartbeat:
			words = append(words, "heartbeat")
		case m.Signal == nil:
			words = append(words, strings.TrimSpace("heard "+m.Status))
		case m.Urgent():
			words = append(words, string(m.Signal.Kind)+"!")
			signals++
		default:
			words = append(words, string(m.Signal.Kind))
			signals++
		}
	}
	if w.last.Status != answer.Code || w.last.Signals != signals || (w.last.Status >= 300) != (w.last.Err != nil) {
		w.t.Errorf("the receipt says status %d and %d signals: %v", w.last.Status, w.last.Signals, w.last.Err)
	}
	return strings.Join(words, " ")
}

// checkLog holds the log to one record, which tells no name and no secret.
func (w *world) checkLog() {
	w.t.Helper()
	text := w.log.String()
	if n := strings.Count(text, `msg="signals received"`); n != 1 {
		w.t.Errorf("%d log records of one request", n)
	}
	for _, word := range []string{"example.com", "aiko", "invented", "eyJ", "whsec"} {
		if strings.Contains(text, word) {
			w.t.Errorf("the log tells a name, a secret or a token")
		}
	}
}

func post(source, body string, header http.Header) *http.Request {
	req := httptest.NewRequest(http.MethodPost, receiver.Path+source, strings.NewReader(body))
	maps.Copy(req.Header, header)
	return req
}

// webhook is signed by the nth secret at the time.
func (w *world) webhook(body string, n int) *http.Request { return w.webhookAt(body, n, w.now()) }

func (w *world) webhookAt(body string, n int, at time.Time) *http.Request {
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret(hook, n), "whsec_"))
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "msg_1.%d.%s", at.Unix(), body)
	return post(hook, body, http.Header{
		"Webhook-Id": {"msg_1"}, "Webhook-Timestamp": {strconv.FormatInt(at.Unix(), 10)},
		"Webhook-Signature": {"v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))},
	})
}

// said is a webhook's body.
func (w *world) said(kind string) string {
	return fmt.Sprintf(`{"type":%q,"timestamp":%q,"data":{"subject":{"format":"upn","value":"aiko@example.com"},"actor":"user"}}`,
		kind, w.now().Add(-time.Minute).Format(time.RFC3339))
}

// event is one of an Okta hook.
func (w *world) event(uuid, kind string) string {
	return fmt.Sprintf(`{"uuid":%q,"published":%q,"eventType":%q,"outcome":{"result":"SUCCESS"},"actor":{"id":"00u1"},`+
		`"target":[{"type":"User","id":"00u1","alternateId":"aiko@example.com"}]}`, uuid, w.now().Format(time.RFC3339), kind)
}

func hooked(n int, events ...string) *http.Request {
	return post(okta, `{"data":{"events":[`+strings.Join(events, ",")+`]}}`, http.Header{"Authorization": {secret(okta, n)}})
}

// The keys are by kid.
var keys = sync.OnceValue(func() map[string]*ecdsa.PrivateKey {
	made := make(map[string]*ecdsa.PrivateKey)
	for _, kid := range []string{"k1", "k2"} {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			panic(err)
		}
		made[kid] = key
	}
	return made
})

func keySet(kids ...string) []byte {
	var all []map[string]string
	for _, kid := range kids {
		point, _ := keys()[kid].PublicKey.Bytes()
		all = append(all, map[string]string{"kty": "EC", "crv": "P-256", "kid": kid,
			"x": base64.RawURLEncoding.EncodeToString(point[1:33]), "y": base64.RawURLEncoding.EncodeToString(point[33:])})
	}
	raw, _ := json.Marshal(map[string][]map[string]string{"keys": all}) //nolint:errchkjson // texts
	return raw
}

// What transmitters say.
const (
	caep         = "https://schemas.openid.net/secevent/caep/event-type/"
	framework    = "https://schemas.openid.net/secevent/ssf/event-type/"
	changed      = `"` + caep + `credential-change":{"credential_type":"password","change_type":"update"}`
	disabled     = `"https://schemas.openid.net/secevent/risc/event-type/account-disabled":{}`
	verification = `"` + framework + `verification":{"state":%q}`
)

// claims are those of a token, which vary changes.
func (w *world) claims(events string, vary ...func(jwt.MapClaims)) jwt.MapClaims {
	c := jwt.MapClaims{"iss": issuer, "jti": "j1", "iat": w.now().Unix(), "aud": "us",
		"sub_id": map[string]any{"format": "email", "email": "aiko@example.com"}, "events": json.RawMessage("{" + events + "}")}
	for _, f := range vary {
		f(c)
	}
	return c
}

func with(name string, value any) func(jwt.MapClaims) {
	return func(c jwt.MapClaims) { c[name] = value }
}

// token is signed by the method and key, with the nth secret beside it.
func token(c jwt.MapClaims, method jwt.SigningMethod, key any, n int, header map[string]any) *http.Request {
	t := jwt.NewWithClaims(method, c)
	t.Header["typ"], t.Header["kid"] = "secevent+jwt", "k1"
	maps.Copy(t.Header, header)
	body, err := t.SignedString(key)
	if err != nil {
		panic(err)
	}
	return post(ssf, body, http.Header{"Authorization": {secret(ssf, n)}})
}

// pushed is a good token.
func (w *world) pushed(events string, vary ...func(jwt.MapClaims)) *http.Request {
	return token(w.claims(events, vary...), jwt.SigningMethodES256, keys()["k1"], 1, nil)
}

// discard reads and forgets.
func discard(r io.Reader) int64 {
	n, _ := io.Copy(io.Discard, r)
	return n
}
