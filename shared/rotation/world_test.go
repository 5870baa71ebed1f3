package rotation_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/internal/x509test"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/rotation"
)

const (
	stack    = "sign-in"
	secretID = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:entra-AbCdEf"
	// canary is in every password.
	canary = "cAnAry~4711"
)

var (
	steps = []rotation.Step{rotation.CreateSecret, rotation.SetSecret, rotation.TestSecret, rotation.FinishSecret}
	kinds = []string{"client-secret", "certificate", "client-state"}
)

// A call is one outgoing call: the n-th of a step, counted from 0.
type call struct {
	step rotation.Step
	n    int
	name string
}

func (c call) String() string { return fmt.Sprintf("%s %d %s", c.step, c.n, c.name) }

// A world is a rotator with everything around it.
type world struct {
	t       *testing.T
	kind    string
	stack   string // its name
	vault   *vault
	entra   *entra
	rotator *rotation.Rotator
	log     bytes.Buffer
	errs    []error
	tokens  int
	keys    int
	decoded map[string]*x509.Certificate // by the value of the secret: decoding is slow
	// subscription is the clientState that Graph notifies with.
	subscription string
	attempts     int  // of a story's own
	lost         bool // the current secret does not work any more

	step  rotation.Step
	calls []call
	// strike is what befalls a call; nil means that nothing does.
	strike func(call, func() error) error
}

func newWorld(t *testing.T, kind string) *world {
	w := &world{t: t, kind: kind, stack: stack, decoded: make(map[string]*x509.Certificate), entra: newEntra(t, 0, 20*time.Second, 45*time.Second)}
	w.entra.inUse, w.entra.spared = w.inUse, w.spared
	w.entra.add(credential{name: "somebody's", text: "foreign" + canary, end: never(), foreign: true})
	w.entra.add(credential{name: "sessionstamp/other/00000000/x", text: "other" + canary, end: never(), foreign: true})
	w.entra.add(credential{name: "CN=somebody's", certificate: w.certificate("somebody's"), end: never(), foreign: true})
	w.vault = newVault(t, w.byHand())
	w.vault.promoting = w.checkProven
	w.rotator = w.newRotator(rotation.DefaultSettings)
	time.Sleep(time.Hour)
	return w
}

func never() time.Time { return time.Now().AddDate(20, 0, 0) }

func (w *world) newRotator(settings rotation.Settings) *rotation.Rotator {
	w.t.Helper()
	return w.rotatorThrough(outside{w: w}, settings)
}

// rotatorThrough makes a rotator that sees the world in its own way.
func (w *world) rotatorThrough(outside outside, settings rotation.Settings) *rotation.Rotator {
	w.t.Helper()
	r, err := rotation.New(rotation.Config{
		Stack: w.stack, SecretsManager: outside, Settings: settings, Now: time.Now,
		Log: slog.New(slog.NewJSONHandler(leaktest.Writer(w.t, &w.log), nil)),
		Kind: map[string]rotation.Kind{
			"client-secret": rotation.ClientSecrets{Application: outside, Prover: outside},
			"certificate":   rotation.Certificates{Application: outside, Prover: outside, NewKey: w.newKey},
			"client-state":  rotation.ClientStates{Subscriptions: outside},
		}[w.kind],
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// byHand makes the first secret, as an administrator or the template does.
func (w *world) byHand() string {
	switch w.kind {
	case "client-secret":
		w.entra.add(credential{name: "by hand", text: "byhand" + canary, end: never(), foreign: true})
		return `{"clientSecret":"byhand` + canary + `"}`
	case "certificate":
		certificate := w.certificate("by hand")
		w.entra.add(credential{name: "CN=by hand", certificate: certificate, end: never(), foreign: true})
		return x509test.Stored(w.t, certificate, pool()[w.keys-1])
	}
	w.subscription = strings.Repeat("a", 64)
	return w.subscription
}

// encode writes JSON.
func encode(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// pool makes keys once; they are small, since there are many.
var pool = sync.OnceValue(func() (keys []*rsa.PrivateKey) {
	for range 16 {
		key, err := rsa.GenerateKey(rand.Reader, 1024) //nolint:gosec // they guard nothing
		if err != nil {
			panic(err)
		}
		keys = append(keys, key)
	}
	return keys
})

func (w *world) newKey() (*rsa.PrivateKey, error) {
	w.keys++
	return pool()[w.keys-1], nil
}

func (w *world) certificate(name string) *x509.Certificate {
	key, _ := w.newKey()
	template := x509test.Template(name, time.Now().Add(-time.Hour), never())
	template.SerialNumber = big.NewInt(int64(w.keys))
	return x509test.Issue(w.t, template, key, nil, nil)
}

// holds returns what recognizes the credential that a value of the secret holds,
// nil where it holds none.
func (w *world) holds(value string) func(*credential) bool {
	if w.kind == "certificate" {
		if w.decoded[value] == nil {
			c, err := rotation.DecodeCertificate(directory.NewSecret(value), nil)
			if err != nil {
				return nil
			}
			w.decoded[value] = c.Leaf()
		}
		return hasCertificate(w.decoded[value])
	}
	c, err := rotation.DecodeClientSecret(directory.NewSecret(value))
	if err != nil {
		return nil
	}
	return hasText(c.Text.Reveal())
}

// inUse tells whether the current or the previous secret holds a credential.
func (w *world) inUse(c *credential) bool {
	for _, stage := range []string{awsCurrent, awsPrevious} {
		if match := w.holds(w.vault.value(stage)); match != nil && match(c) {
			return true
		}
	}
	return false
}

// spared tells whether a credential was made for the rotation that is under way. A name
// may be cut, but not so short.
func (w *world) spared(c *credential) bool {
	for id, v := range w.vault.versions {
		if slices.Contains(v.stages, awsPending) && !slices.Contains(v.stages, awsCurrent) && len(id) > 20 && strings.Contains(c.name, id[:20]) {
			return true
		}
	}
	return false
}

// works tells whether a value of the secret is accepted everywhere.
func (w *world) works(value string) bool {
	if w.kind == "client-state" {
		return len(value) == 64
	}
	match := w.holds(value)
	if match == nil {
		return false
	}
	for replica := range w.entra.lags {
		if !w.entra.accepts(replica, match) {
			return false
		}
	}
	return true
}

// checkProven checks a value that is about to be promoted.
func (w *world) checkProven(value string) {
	if !w.works(value) {
		w.t.Error("a secret becomes current that is not accepted everywhere")
	}
	if w.kind == "client-state" && w.subscription != w.vault.value(awsCurrent) && w.subscription != value {
		w.t.Error("the webhook will drop what Graph sends")
	}
}

// keep is a run of the keeper: it moves the subscription to the current clientState.
func (w *world) keep() {
	if w.kind == "client-state" {
		w.subscription = w.vault.value(awsCurrent)
	}
}

func (w *world) token() string {
	w.tokens++
	return w.lastToken()
}

// lastToken is the one that token returned last.
func (w *world) lastToken() string { return fmt.Sprintf("%08x-aaaa-4000-8000-000000000000", w.tokens) }

var errDied = errors.New("the function died")

// do does one step, within the time limit of a function.
func (w *world) do(step rotation.Step, token string) (err error) {
	ctx, cancel := context.WithTimeout(w.t.Context(), 10*time.Minute)
	defer cancel()
	defer func() {
		switch r := recover(); r {
		case nil:
		case errDied:
			err = errDied
		default:
			panic(r)
		}
		if err != nil {
			leaktest.Error(w.t, err)
			w.errs = append(w.errs, err)
		}
	}()
	w.step = step
	return w.rotator.Rotate(ctx, rotation.Event{Step: step, SecretID: w.vault.arn, Token: token})
}

// attempt does the four steps as Secrets Manager does, until one fails.
func (w *world) attempt(token string) error {
	for _, step := range steps {
		if err := w.do(step, token); err != nil {
			return err
		}
		time.Sleep(time.Second)
	}
	return nil
}

// rotate rotates, and lets a month go by.
func (w *world) rotate() {
	w.t.Helper()
	if err := w.attempt(w.vault.rotateSecret(w.token())); err != nil {
		w.t.Fatalf("rotate: %v", err)
	}
	w.month()
}

func (w *world) month() {
	time.Sleep(15 * 24 * time.Hour)
	w.keep()
	time.Sleep(15 * 24 * time.Hour)
}

// record does a rotation and returns its calls.
func (w *world) record(token string) []call {
	w.t.Helper()
	w.calls = nil
	if err := w.attempt(token); err != nil {
		w.t.Fatalf("rotate: %v", err)
	}
	return w.calls
}

// ours are the credentials alive that are not somebody else's.
func (w *world) ours() (ours []*credential) {
	for _, c := range w.entra.alive() {
		if !c.foreign {
			ours = append(ours, c)
		}
	}
	return ours
}

// checkEnd checks how a rotation must leave the world.
func (w *world) checkEnd() {
	w.t.Helper()
	w.vault.check()
	current, previous := w.vault.value(awsCurrent), w.vault.value(awsPrevious)
	if !w.works(current) || !w.works(previous) {
		w.t.Errorf("the current secret works: %t, the previous one: %t", w.works(current), w.works(previous))
	}
	if current == previous {
		w.t.Error("current and previous are the same")
	}
	if w.kind == "client-state" && w.subscription != current && w.subscription != previous {
		w.t.Error("the webhook drops what Graph sends")
	}
	for _, c := range w.ours() {
		if !w.entra.inUse(c) {
			w.t.Errorf("orphan %q is alive, labels %v", c.name, w.vault.labels())
		}
	}
	w.checkSilent()
}

// checkSilent checks that neither log nor errors tell a secret.
func (w *world) checkSilent() {
	w.t.Helper()
	said := w.log.String()
	for _, err := range w.errs {
		said += leaktest.Seen(w.t, err).Error() + fmt.Sprintf("%+v %#v", err, err)
	}
	for _, held := range w.vault.versions {
		for _, secret := range []string{canary, "PRIVATE KEY", held.value} {
			if secret != "" && strings.Contains(said, secret) {
				w.t.Fatal("a log record or error tells a secret")
			}
		}
	}
}

// outside is the rest of the world as the rotator sees it, where calls can fail.
type outside struct {
	w *world
	// gate is called before each call; nil means that there is none.
	gate func(name string)
}

func (o outside) call(name string, lost error, do func() error) error {
	w := o.w
	if o.gate != nil {
		o.gate(name)
	}
	at := call{step: w.step, name: name}
	if n := len(w.calls); n > 0 && w.calls[n-1].step == w.step {
		at.n = w.calls[n-1].n + 1
	}
	w.calls = append(w.calls, at)
	if w.strike == nil {
		return do()
	}
	if err := w.strike(at, do); !errors.Is(leaktest.Seen(w.t, err), errStruck) {
		return err
	}
	return lost
}

// errStruck stands for the error that a lost call has.
var errStruck = errors.New("struck")

func (o outside) aws(name string, do func() error) error {
	return o.call(name, fmt.Errorf("operation %s: %w", name, syscall.ECONNRESET), do)
}

// graph calls Graph as the app, which takes that the current secret works.
func (o outside) graph(name string, do func() error) error {
	if !o.w.lost && !o.w.works(o.w.vault.value(awsCurrent)) {
		o.w.t.Error("Graph is called without a secret that works")
	}
	return o.call(name, &directory.Error{Operation: name, Err: syscall.ECONNRESET}, do)
}

func (o outside) DescribeSecret(ctx context.Context, id string) (d rotation.Description, err error) {
	err = o.aws("DescribeSecret", func() (err error) { d, err = o.w.vault.DescribeSecret(ctx, id); return err })
	return d, err
}

func (o outside) GetSecretValue(ctx context.Context, id, version string) (v rotation.Version, err error) {
	err = o.aws("GetSecretValue", func() (err error) { v, err = o.w.vault.GetSecretValue(ctx, id, version); return err })
	return v, err
}

func (o outside) PutSecretValue(ctx context.Context, id, token string, value directory.Secret) error {
	return o.aws("PutSecretValue", func() error { return o.w.vault.PutSecretValue(ctx, id, token, value) })
}

func (o outside) UpdateSecretVersionStage(ctx context.Context, id, stage, from, to string) error {
	if end, ok := ctx.Deadline(); stage == awsCurrent && (!ok || time.Until(end) > 20*time.Second) {
		o.w.t.Error("the promotion may take longer than 20 seconds")
	}
	return o.aws("UpdateSecretVersionStage "+stage, func() error {
		return o.w.vault.UpdateSecretVersionStage(ctx, id, stage, from, to)
	})
}

func (o outside) Registration(ctx context.Context) (r directory.Registration, err error) {
	err = o.graph("getApplication", func() (err error) { r, err = o.w.entra.Registration(ctx); return err })
	return r, err
}

func (o outside) AddPassword(ctx context.Context, name string, end time.Time) (p directory.Password, err error) {
	err = o.graph("addPassword", func() (err error) { p, err = o.w.entra.AddPassword(ctx, name, end); return err })
	return p, err
}

func (o outside) RemovePassword(ctx context.Context, keyID string) error {
	return o.graph("removePassword", func() error { return o.w.entra.RemovePassword(ctx, keyID) })
}

func (o outside) AddKey(ctx context.Context, name string, der []byte, proof directory.Secret) error {
	return o.graph("addKey", func() error { return o.w.entra.AddKey(ctx, name, der, proof) })
}

func (o outside) RemoveKey(ctx context.Context, keyID string, proof directory.Secret) error {
	return o.graph("removeKey", func() error { return o.w.entra.RemoveKey(ctx, keyID, proof) })
}

func (o outside) ProveClientSecret(ctx context.Context, secret directory.Secret) error {
	return o.graph("prove", func() error { return o.w.entra.ProveClientSecret(ctx, secret) })
}

func (o outside) ProveCertificate(ctx context.Context, chain []*x509.Certificate, key crypto.Signer) error {
	return o.graph("prove", func() error { return o.w.entra.ProveCertificate(ctx, chain, key) })
}

func (o outside) ClientStateDigest(context.Context) (digest string, err error) {
	err = o.aws("ClientStateDigest", func() error {
		sum := sha256.Sum256([]byte(o.w.subscription))
		digest = hex.EncodeToString(sum[:])
		return nil
	})
	return digest, err
}

// names are the names of calls, in order.
func names(calls []call) (names []string) {
	for _, c := range calls {
		if names = append(names, c.name); c.name == "prove" && len(names) > 1 && names[len(names)-2] == "prove" {
			names = names[:len(names)-1]
		}
	}
	return slices.Clip(names)
}
