package main

import (
	"context"
	"crypto"
	"crypto/x509"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/aws/secrets"
	"github.com/sessionstamp/sessionstamp/shared/aws/secretstest"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/rotation"
)

// A door is how one execution environment of a function signs in: what is stored is
// read by the code of a deployment, which keeps a copy, and AWS issues no token now and
// then. It checks that a credential that Entra refuses costs one more attempt, with the
// one that is stored, and not a call.
type door struct {
	*world
	signIn
	secret      *secrets.ClientSecret
	certificate *secrets.Certificate

	held string // what was read last; msgraph reads in turn
	// asked and tried count what was read because it had to be fresh, and the requests
	// for a token.
	asked, tried atomic.Int64
	// second tells that the next of those is the one more attempt.
	second atomic.Bool
}

// dressSignIn gives a function a door. The world may have no plant yet.
func (w *world) dressSignIn(in signIn) signIn {
	config := secrets.Config{
		Manager: secretstest.Manager{Versions: faultyVersions{w}}, ARN: credentialSecret,
		Settings: secrets.DefaultSettings, Log: leaktest.Log(w.t), Now: time.Now,
	}
	d := &door{world: w, signIn: in, secret: secrets.NewClientSecret(config), certificate: secrets.NewCertificate(config)}
	in.transport = d
	in.auth.Secrets, in.auth.Certificates, in.auth.WebIdentity = d, d, d.webIdentity
	return in
}

// faultyVersions are those that are stored. Their faults don't kill: the credential
// that asks outlives the call.
type faultyVersions struct{ *world }

// Current implements [secretstest.Versions].
func (v faultyVersions) Current(ctx context.Context, secretID string) (rotation.Version, error) {
	if v.faults.draw("read credential", "").fail {
		return rotation.Version{}, errInjected
	}
	return v.plant.config.secrets.Current(ctx, secretID)
}

// Previous implements [secretstest.Versions].
func (v faultyVersions) Previous(ctx context.Context, secretID string) (rotation.Version, error) {
	return v.plant.config.secrets.Previous(ctx, secretID)
}

// webIdentity is a [msgraph.WebIdentitySource]: AWS, which now and then refuses.
func (d *door) webIdentity(ctx context.Context) (string, error) {
	if d.faults.draw("issue token", "").fail {
		d.turnover.note(func(c *turnovers) { c.Withheld++ })
		return "", errInjected
	}
	return d.auth.WebIdentity(ctx)
}

// ClientSecret implements [msgraph.SecretSource].
func (d *door) ClientSecret(ctx context.Context, fresh bool) (string, error) {
	d.ask(fresh)
	secret, err := d.secret.ClientSecret(ctx, fresh)
	if leaktest.Seen(d.t, err) == nil {
		d.give(fresh, secret)
	}
	return secret, err
}

// Certificate implements [msgraph.CertificateSource].
func (d *door) Certificate(ctx context.Context, fresh bool) ([]*x509.Certificate, crypto.Signer, error) {
	d.ask(fresh)
	chain, key, err := d.certificate.Certificate(ctx, fresh)
	if leaktest.Seen(d.t, err) == nil {
		d.give(fresh, string(chain[0].Raw))
	}
	return chain, key, err
}

func (d *door) ask(fresh bool) {
	if fresh {
		d.asked.Add(1)
	}
}

// give sees what is given. If it takes the place of what was refused, it is to be tried
// at once.
func (d *door) give(fresh bool, what string) {
	replaced := fresh && d.held != what
	d.held = what
	if !replaced {
		return
	}
	d.turnover.note(func(c *turnovers) { c.Reloaded++ })
	d.second.Store(true)
	d.expect(&d.tried, "Entra refused a credential, another one is stored, and the function gave up without trying that")
}

// RoundTrip implements [http.RoundTripper]. After a refusal a fresh credential is to be
// asked for at once, unless it was what was refused.
func (d *door) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/token") {
		return d.transport.RoundTrip(r)
	}
	d.tried.Add(1)
	second := d.second.Swap(false)
	answer, err := d.transport.RoundTrip(r)
	refused := leaktest.Seen(d.t, err) == nil && answer.StatusCode == http.StatusUnauthorized
	if refused && !second && d.turnover.mode != directory.AuthWebIdentity {
		d.expect(&d.asked, "Entra refused a credential, and the function did not ask whether there is another")
	}
	return answer, err
}

// expect checks that something has happened once more when all that happens now is
// over.
func (d *door) expect(once *atomic.Int64, otherwise string) {
	before := once.Load()
	time.AfterFunc(time.Nanosecond, func() {
		if once.Load() == before {
			d.t.Errorf("at %s: %s", time.Since(d.start), otherwise)
		}
	})
}
