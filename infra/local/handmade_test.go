package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // Graph names certificates by it
	"crypto/x509"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/sessionstamp/sessionstamp/internal/x509test"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
)

// handMade is the credential that an administrator has made, stored, and is to remove
// once it is replaced.
type handMade struct {
	stored       string
	clientSecret string
	certificate  *x509.Certificate
	key          *rsa.PrivateKey
}

// federatedName is what the administrator has called the federated credential.
const federatedName = "sessionstamp"

// register registers sessionstamp's app with what it signs in with at first, and
// returns that as an administrator stores it.
func (w *world) register(o msgraphtest.AppOptions) (app *msgraphtest.App, stored string) {
	made := &w.turnover.made
	trusted := msgraphtest.FederatedCredential{Name: federatedName, Issuer: issuer, Subject: role}
	switch w.turnover.mode {
	case directory.AuthClientSecret:
		made.clientSecret = "fst8Q~" + rand.Text()
		made.stored = storedSecret(made.clientSecret)
		o.Secrets = append(o.Secrets, msgraphtest.Secret{Text: made.clientSecret})
	case directory.AuthCertificate:
		*made = w.selfSigned()
		o.Certificates = append(o.Certificates, made.certificate.Raw)
	case directory.AuthWebIdentity:
		w.graph.AddProvider(issuer, w.turnover.account)
		if !w.turnover.late {
			o.Federated = append(o.Federated, trusted)
		}
	}
	w.turnover.app = w.tenant.AddApp(o)
	switch {
	case w.turnover.late:
		w.turnover.app.AddFederated(trusted)
	case w.turnover.mode == directory.AuthWebIdentity && !w.calm:
		time.AfterFunc(w.plan.play/2, func() { w.trustAnew(trusted) })
	}
	return w.turnover.app, made.stored
}

func (w *world) selfSigned() handMade {
	key, err := w.turnover.newKey()
	w.must(err)
	certificate := x509test.Issue(w.t, x509test.Template("by hand", w.start.Add(-time.Hour), w.start.AddDate(1, 0, 0)), key, nil, nil)
	return handMade{stored: x509test.Stored(w.t, certificate, key), certificate: certificate, key: key}
}

// keyPairs are those of all worlds, since to make one is slow.
type keyPairs struct {
	mu   sync.Mutex
	made []*rsa.PrivateKey
}

var pairs keyPairs

// at returns the pair with that number.
func (p *keyPairs) at(n int) (*rsa.PrivateKey, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.made) <= n {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return nil, err
		}
		p.made = append(p.made, key)
	}
	return p.made[n], nil
}

// newKey hands out a key pair that this world has not seen: a proof that is signed with
// a wrong key must not pass for one that is signed with the right one.
func (o *turnover) newKey() (*rsa.PrivateKey, error) { return pairs.at(int(o.keys.Add(1)) - 1) }

// trustAnew removes the federated credential and makes it again, of which Entra hears
// later. If everything is down it stays as it is.
func (w *world) trustAnew(trusted msgraphtest.FederatedCredential) {
	w.turnover.checking.Add(1)
	defer w.turnover.checking.Add(-1)
	us := admin{tenant: w.tenant.ID(), client: w.tally.app, secret: w.admin.secret, http: w.admin.http}
	path := "/applications/" + w.turnover.app.ObjectID() + "/federatedIdentityCredentials/" + federatedName
	if us.call(w.ctx, http.MethodDelete, path, nil, nil) != nil {
		return
	}
	w.turnover.app.AddFederated(trusted)
	w.turnover.note(func(c *turnovers) { c.Retrusted++ })
}

// retire removes what was made by hand. Functions that still sign in with it have to
// read what is stored.
func (w *world) retire() {
	if w.ctx.Err() != nil {
		return
	}
	w.turnover.checking.Add(1)
	defer w.turnover.checking.Add(-1)
	w.turnover.retired.Store(true)
	if w.turnover.mode == directory.AuthClientSecret {
		w.turnover.app.RemoveSecret(w.turnover.made.clientSecret)
	} else if err := w.removeCertificate(); err != nil {
		w.t.Errorf("the certificate that was made by hand can't be removed: %v", err)
	}
	w.turnover.note(func(c *turnovers) { c.Retired++ })
}

var errNoKey = errors.New("the application does not list it")

// removeCertificate signs in with the certificate for the last time.
func (w *world) removeCertificate() error {
	made := w.turnover.made
	client, err := w.plant.newClient(signIn{msgraph.Auth{
		Mode:         directory.AuthCertificate,
		Certificates: msgraph.FixedCertificate([]*x509.Certificate{made.certificate}, made.key),
	}, w.graph})
	if err != nil {
		return err
	}
	app := client.Application(w.turnover.app.ID())
	registration, err := app.Registration(w.ctx)
	if err != nil {
		return err
	}
	thumbprint := sha1.Sum(made.certificate.Raw) //nolint:gosec // see the import
	i := slices.IndexFunc(registration.Keys, func(k directory.Key) bool { return k.Thumbprint == hex.EncodeToString(thumbprint[:]) })
	if i < 0 {
		return errNoKey
	}
	proof, err := made.proof(registration.ObjectID)
	if err != nil {
		return err
	}
	return app.RemoveKey(w.ctx, registration.Keys[i].KeyID, directory.NewSecret(proof))
}

// proof is a proof of possession
// (https://learn.microsoft.com/graph/application-rollkey-prooftoken).
func (m handMade) proof(objectID string) (string, error) {
	now := time.Now()
	return jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"aud": "00000002-0000-0000-c000-000000000000", "iss": objectID,
		"nbf": now.Unix(), "exp": now.Add(10 * time.Minute).Unix(),
	}).SignedString(m.key)
}
