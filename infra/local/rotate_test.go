package main

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	mathrand "math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/sessionstamp/sessionstamp/shared/msgraph"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
	"github.com/sessionstamp/sessionstamp/shared/rotation"
)

// A turnover is how a world signs in, and how its secrets are replaced.
type turnover struct {
	mode msgraph.AuthMode
	// lag is how late the token endpoint hears of a new credential. Some are too
	// late for one invocation.
	lag    time.Duration
	random *mathrand.Rand
	app    *msgraphtest.App
	// checking tells that a check signs in, which nothing may keep from it.
	checking atomic.Bool

	keys              atomic.Int64 // key pairs handed out
	rotated, repeated atomic.Int64
}

// newTurnover draws the mode and the lag. Hours have the mode that is quickest to
// play, and so have most months.
func newTurnover(p plan, seed uint64) *turnover {
	random := mathrand.New(mathrand.NewPCG(seed, 0x207a7e))
	o := &turnover{random: random, mode: msgraph.AuthClientSecret, lag: time.Duration(random.Int64N(int64(3 * time.Minute)))}
	if random.IntN(8) == 0 {
		o.lag = 10 * time.Minute
	}
	if !p.disasters {
		return o
	}
	switch random.IntN(8) {
	case 0:
		o.mode = msgraph.AuthCertificate
	case 1, 2:
		o.mode = msgraph.AuthWebIdentity
	}
	return o
}

func (o *turnover) count(c *counts) {
	c.Rotated, c.Repeated = int(o.rotated.Load()), int(o.repeated.Load())
}

// drawRotatorFaults draws how often a call of the rotator fails, and how often it
// dies at one.
func (w *world) drawRotatorFaults(seed uint64) *faults {
	f := &faults{seed: seed, until: w.start.Add(w.plan.play)}
	if !w.calm {
		f.fail, f.crash = 0.05*w.turnover.random.Float64(), 0.05*w.turnover.random.Float64()
	}
	return f
}

// keyPairs are made once for all worlds: that is slow. They are enough for a
// certificate that is current, one that was, and one that is to be.
var keyPairs = sync.OnceValue(func() (keys [3]*rsa.PrivateKey) {
	for i := range keys {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		keys[i] = key
	}
	return keys
})

// newKey hands out the next key pair.
func (o *turnover) newKey() (*rsa.PrivateKey, error) {
	keys := keyPairs()
	return keys[int(o.keys.Add(1))%len(keys)], nil
}

// The issuer and the role by which Entra knows the plant.
const (
	issuer = "https://11111111-2222-3333-4444-555555555555.tokens.sts.global.api.aws"
	role   = "arn:aws:iam::123456789012:role/sessionstamp"
)

// register registers sessionstamp's app with what it signs in with at first, and
// returns that as an administrator stores it.
func (w *world) register(o msgraphtest.AppOptions) (app *msgraphtest.App, stored string) {
	switch w.turnover.mode {
	case msgraph.AuthClientSecret:
		first := "fst8Q~" + rand.Text()
		o.Secrets = append(o.Secrets, msgraphtest.Secret{Text: first})
		stored = storedSecret(first)
	case msgraph.AuthCertificate:
		certificate := w.selfSigned()
		o.Certificates = append(o.Certificates, certificate.der)
		stored = certificate.stored
	case msgraph.AuthWebIdentity:
		w.graph.AddIssuer(issuer, map[string]crypto.PublicKey{"": signingKey().Public()})
		o.Federated = []msgraphtest.FederatedCredential{{Name: "sessionstamp", Issuer: issuer, Subject: role}}
	}
	w.turnover.app = w.tenant.AddApp(o)
	return w.turnover.app, stored
}

// byHand is a certificate that an administrator has made.
type byHand struct {
	der    []byte
	stored string
}

func (w *world) selfSigned() byHand {
	key, err := w.turnover.newKey()
	w.must(err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "by hand"},
		NotBefore: w.start.Add(-time.Hour), NotAfter: w.start.AddDate(1, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	w.must(err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	w.must(err)
	stored, err := json.Marshal(map[string]string{
		"certificate": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		"privateKey":  string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})),
	})
	w.must(err)
	return byHand{der, string(stored)}
}

// signingKey signs for the issuer. It is small, since it guards nothing.
var signingKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 1024) //nolint:gosec // see above
	if err != nil {
		panic(err)
	}
	return key
})

// identity returns a token of the issuer's, as AWS makes them. It is a
// [msgraph.WebIdentitySource].
func identity(context.Context) (string, error) {
	now := time.Now()
	return jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"iss": issuer, "sub": role, "aud": "api://AzureADTokenExchange",
		"iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(), "jti": rand.Text(),
	}).SignedString(signingKey())
}

// rotations draws when a secret is to be replaced, and returns what does so. In some
// hours there is no run of the keeper between two.
func (w *world) rotations(ctx context.Context, secretID string) func() {
	most := 1
	if w.plan.disasters {
		most = 4
	}
	random := mathrand.New(mathrand.NewPCG(w.turnover.random.Uint64(), 1))
	times := make([]time.Time, random.IntN(most+1))
	for i := range times {
		times[i] = w.start.Add(time.Duration(random.Int64N(int64(w.plan.play))))
	}
	slices.SortFunc(times, time.Time.Compare)
	return func() {
		function := new(environment)
		for _, at := range times {
			w.until(at)
			w.rotate(ctx, function, random, secretID)
		}
	}
}

// rotate replaces a secret. A rotation that fails begins again later, with the same
// token unless it was let go of.
func (w *world) rotate(ctx context.Context, function *environment, random *mathrand.Rand, secretID string) {
	for ctx.Err() == nil {
		token := w.plant.config.secrets.RotateSecret(secretID, fmt.Sprintf("%032x", random.Uint64()))
		if function.rotate(ctx, w.plant, secretID, token) == nil {
			w.turnover.rotated.Add(1)
			w.checkPromoted(ctx, secretID)
			return
		}
		w.turnover.repeated.Add(1)
		time.Sleep(time.Duration(random.Int64N(int64(time.Hour))))
	}
}

// checkPromoted checks that both versions of a secret are accepted: the one that has
// become current, and the one that others still hold.
func (w *world) checkPromoted(ctx context.Context, secretID string) {
	ctx = context.WithoutCancel(ctx)
	if secretID == clientStateSecret {
		w.checkCarried(ctx)
		return
	}
	held, err := w.held(ctx)
	w.must(err)
	for i, v := range held {
		if err := w.signsIn(ctx, v); err != nil {
			w.t.Errorf("at %s, version %d of the credential, 0 the current one, is refused: %v", time.Since(w.start), i, err)
		}
	}
}

// held are the current and the previous version of the credential.
func (w *world) held(ctx context.Context) ([]rotation.Version, error) {
	current, err := w.plant.config.secrets.Current(ctx, credentialSecret)
	if err != nil {
		return nil, err
	}
	previous, err := w.plant.config.secrets.Previous(ctx, credentialSecret)
	if errors.Is(err, rotation.ErrNotFound) {
		return []rotation.Version{current}, nil
	}
	return []rotation.Version{current, previous}, err
}

// signsIn tells whether a version of the credential is accepted now.
func (w *world) signsIn(ctx context.Context, v rotation.Version) error {
	w.turnover.checking.Store(true)
	defer w.turnover.checking.Store(false)
	check := proving{w.plant}
	if w.turnover.mode == msgraph.AuthCertificate {
		certificate, err := rotation.DecodeCertificate(v.Value, nil)
		if err != nil {
			return err
		}
		return check.ProveCertificate(ctx, certificate)
	}
	secret, err := rotation.DecodeClientSecret(v.Value)
	if err != nil {
		return err
	}
	return check.ProveClientSecret(ctx, secret.Text)
}

// checkCarried checks that the webhook accepts what Graph notifies with.
func (w *world) checkCarried(ctx context.Context) {
	record, err := w.plant.records.Record(ctx, w.tenant.ID())
	w.must(err)
	states := w.clientStates(ctx)
	for _, s := range w.tenant.Subscriptions() {
		if s.ID == record.SubscriptionID && s.ClientState != states.current && s.ClientState != states.previous {
			w.t.Errorf("at %s, the subscription carries a clientState that the webhook does not accept", time.Since(w.start))
		}
	}
}

// clientStates are the clientStates, read without faults.
func (w *world) clientStates(ctx context.Context) clientStates {
	states, err := readClientStates(ctx, w.plant.config.secrets)
	w.must(err)
	return states
}

// dueClientState is what the subscription is to carry: the current clientState, or
// the previous one if the keeper had no run since the current one has settled.
func (w *world) dueClientState(ctx context.Context) string {
	states := w.clientStates(ctx)
	w.seen.mu.Lock()
	defer w.seen.mu.Unlock()
	if states.previous != "" && w.seen.kept.Before(states.changed.Add(clientStateSettle)) {
		return states.previous
	}
	return states.current
}

// waitsForKeeper tells whether a rotation may be under way when all ends: that of
// the clientState has to wait until the keeper has moved the subscription to the one
// that an earlier rotation has made current.
func (w *world) waitsForKeeper(ctx context.Context, secretID string) bool {
	return secretID == clientStateSecret && w.dueClientState(ctx) != w.clientStates(ctx).current
}

// checkSecrets checks that the app can sign in, that no rotation is left half done,
// and that of our credentials there are those in use and no others.
func (w *world) checkSecrets() {
	ctx := w.t.Context()
	graph, err := w.plant.calm().newGraph()
	w.must(err)
	registration, err := graph.Application(w.turnover.app.ID()).Registration(ctx)
	if err != nil {
		w.t.Errorf("the app can't sign in: %v", err)
		return
	}
	var names []string
	for _, p := range registration.Passwords {
		names = append(names, p.DisplayName)
	}
	for _, k := range registration.Keys {
		names = append(names, k.DisplayName)
	}
	ours := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !strings.HasPrefix(name, "sessionstamp/") })
	w.checkOurs(ctx, len(ours), len(names)-len(ours))
}

// checkOurs checks how many credentials there are that a rotation has made, and how
// many that others have.
func (w *world) checkOurs(ctx context.Context, ours, others int) {
	made := 0
	for _, secretID := range w.plant.rotated() {
		described, err := w.plant.config.secrets.DescribeSecret(ctx, secretID)
		w.must(err)
		for id, stages := range described.Stages {
			if slices.Contains(stages, "AWSPENDING") && !w.waitsForKeeper(ctx, secretID) {
				w.t.Errorf("a rotation is left half done: version %s of %s is %v", id, secretID, stages)
			}
			if secretID == credentialSecret && id != "first" {
				made++
			}
		}
		w.checkPromoted(ctx, secretID)
	}
	byHand := 2
	if w.turnover.mode == msgraph.AuthWebIdentity {
		byHand = 1
	}
	if ours != made || others != byHand {
		w.t.Errorf("of the app's credentials %d were made by rotations and %d by hand, want %d and %d", ours, others, made, byHand)
	}
}
