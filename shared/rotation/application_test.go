package rotation_test

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // Entra names certificates by it
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/directory"
)

const applicationID = "0f7c1b9e-7f0a-4c62-9d1e-2b1f54f2a7aa"

// An entra is our application at Entra, whose replicas hear of a change one after
// the other. It refuses what Graph refuses, and fails the test at what must never
// happen.
type entra struct {
	t *testing.T
	// lags are how late each replica is.
	lags []time.Duration
	// audience is whom a proof must be addressed to, and another is answered with
	// proofStatus.
	audience    string
	proofStatus int
	credentials []*credential
	made        int // credentials so far
	signIns     int // so far: each goes to the next replica
	// inUse tells whether a credential is one of those that the secret holds.
	inUse func(*credential) bool
	// spared tells whether a credential may be what a pending version holds.
	spared func(*credential) bool
	// refusal is what addPassword is answered with, nil for success.
	refusal error
}

// A credential is a password, or a key where certificate is set.
type credential struct {
	keyID, name, text string
	certificate       *x509.Certificate
	end               time.Time
	foreign           bool
	added, removed    time.Time
}

func newEntra(t *testing.T, lags ...time.Duration) *entra {
	return &entra{t: t, lags: lags, audience: "00000002-0000-0000-c000-000000000000", proofStatus: 401}
}

// add adds a credential.
func (e *entra) add(c credential) *credential {
	e.made++
	c.keyID = fmt.Sprintf("%08x-0000-4000-8000-000000000000", e.made)
	c.added = time.Now()
	e.credentials = append(e.credentials, &c)
	return &c
}

// seen are the credentials that a replica knows.
func (e *entra) seen(replica int) (seen []*credential) {
	now := time.Now().Add(-e.lags[replica])
	for _, c := range e.credentials {
		if !c.added.After(now) && (c.removed.IsZero() || c.removed.After(now)) {
			seen = append(seen, c)
		}
	}
	return seen
}

// alive are the credentials that there really are.
func (e *entra) alive() (alive []*credential) {
	for _, c := range e.credentials {
		if c.removed.IsZero() {
			alive = append(alive, c)
		}
	}
	return alive
}

// accepts tells whether a replica lets a value sign in.
func (e *entra) accepts(replica int, match func(*credential) bool) bool {
	return slices.ContainsFunc(e.seen(replica), func(c *credential) bool {
		return match(c) && time.Now().Before(c.end)
	})
}

// signIn signs in at the next replica.
func (e *entra) signIn(code string, match func(*credential) bool) error {
	e.signIns++
	if !e.accepts(e.signIns%len(e.lags), match) {
		return &directory.Error{Operation: "token", StatusCode: 401, Code: code, NotDone: true}
	}
	return nil
}

func hasText(text string) func(*credential) bool {
	return func(c *credential) bool { return c.text != "" && c.text == text }
}

func hasCertificate(certificate *x509.Certificate) func(*credential) bool {
	return func(c *credential) bool { return c.certificate != nil && c.certificate.Equal(certificate) }
}

// Registration lists what the next replica knows.
func (e *entra) Registration(context.Context) (directory.Registration, error) {
	r := directory.Registration{ObjectID: applicationID}
	e.signIns++
	for _, c := range e.seen(e.signIns % len(e.lags)) {
		if c.certificate == nil {
			r.Passwords = append(r.Passwords, directory.Password{
				KeyID: c.keyID, DisplayName: c.name, Hint: c.text[:3], End: c.end})
			continue
		}
		print1 := sha1.Sum(c.certificate.Raw) //nolint:gosec // as above
		r.Keys = append(r.Keys, directory.Key{
			KeyID: c.keyID, DisplayName: c.name, Thumbprint: hex.EncodeToString(print1[:]), End: c.end})
	}
	return r, nil
}

func (e *entra) AddPassword(_ context.Context, name string, end time.Time) (directory.Password, error) {
	if e.refusal != nil {
		return directory.Password{}, e.refusal
	}
	e.checkName(name)
	e.checkNoOrphan()
	c := e.add(credential{name: name, text: fmt.Sprintf("p%02d%s", e.made, canary), end: end})
	return directory.Password{KeyID: c.keyID, DisplayName: name, Hint: c.text[:3], End: end, Text: directory.NewSecret(c.text)}, nil
}

// checkNoOrphan checks, when a credential is made, that there is none that no
// version in use holds, nor a pending one may hold, and that every replica could have
// told of.
func (e *entra) checkNoOrphan() {
	for _, c := range e.seen(len(e.lags) - 1) {
		if c.removed.IsZero() && !c.foreign && !e.inUse(c) && !e.spared(c) {
			e.t.Errorf("a credential is made while the orphan %q is alive", c.name)
		}
	}
}

func (e *entra) checkName(name string) {
	if len(name) > 90 || !strings.Contains(name, "/"+stack) {
		e.t.Errorf("display name %q is too long or doesn't name the stack", name)
	}
}

func (e *entra) RemovePassword(_ context.Context, keyID string) error { return e.remove(keyID) }

func (e *entra) AddKey(_ context.Context, name string, der []byte, proof directory.Secret) error {
	if err := e.checkProof("addKey", proof.Reveal()); err != nil {
		return err
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return &directory.Error{Operation: "addKey", StatusCode: 400, NotDone: true}
	}
	if slices.ContainsFunc(e.alive(), hasCertificate(certificate)) {
		if slices.ContainsFunc(e.seen(len(e.lags)-1), hasCertificate(certificate)) {
			e.t.Error("a key is added that is there for all to see")
		}
		return &directory.Error{Operation: "addKey", StatusCode: 400, Code: "Request_BadRequest", NotDone: true}
	}
	e.checkName(name)
	e.checkNoOrphan()
	if len(certificate.Subject.CommonName) > 64 {
		e.t.Errorf("common name %q is too long", certificate.Subject.CommonName)
	}
	if e.made%2 == 0 { // a Graph that goes by the subject
		name = certificate.Subject.String()
	}
	e.add(credential{name: name, certificate: certificate, end: certificate.NotAfter})
	return nil
}

func (e *entra) RemoveKey(_ context.Context, keyID string, proof directory.Secret) error {
	if err := e.checkProof("removeKey", proof.Reveal()); err != nil {
		return err
	}
	return e.remove(keyID)
}

func (e *entra) remove(keyID string) error {
	for _, c := range e.alive() {
		if c.keyID != keyID {
			continue
		}
		if c.foreign {
			e.t.Errorf("credential %q of somebody else is removed", c.name)
		}
		if e.inUse(c) || e.spared(c) {
			e.t.Errorf("credential %q, which is in use or may be, is removed", c.name)
		}
		c.removed = time.Now()
		return nil
	}
	return &directory.Error{Operation: "remove", StatusCode: 400, Code: "Request_BadRequest", NotDone: true}
}

// checkProof verifies a proof of possession at the next replica. What Graph says of
// one that it does not accept, it says of access tokens too.
func (e *entra) checkProof(operation, proof string) error {
	leaktest.Known(e.t, proof)
	refused := &directory.Error{Operation: operation, StatusCode: e.proofStatus, Code: "Authentication_MissingOrMalformed", NotDone: true}
	parts := strings.Split(proof, ".")
	if len(parts) != 3 {
		return refused
	}
	var claims struct {
		Aud, Iss string
		Nbf, Exp int64
	}
	text, _ := base64.RawURLEncoding.DecodeString(parts[1])
	signature, _ := base64.RawURLEncoding.DecodeString(parts[2])
	now := time.Now().Unix()
	if json.Unmarshal(text, &claims) != nil || claims.Aud != e.audience || claims.Iss != applicationID ||
		claims.Nbf > now || claims.Exp <= now || claims.Exp-claims.Nbf > 600 {
		return refused
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	e.signIns++
	if !e.accepts(e.signIns%len(e.lags), func(c *credential) bool {
		return c.certificate != nil &&
			rsa.VerifyPKCS1v15(c.certificate.PublicKey.(*rsa.PublicKey), crypto.SHA256, digest[:], signature) == nil
	}) {
		return refused
	}
	return nil
}

// ProveClientSecret signs in and reads something.
func (e *entra) ProveClientSecret(_ context.Context, secret directory.Secret) error {
	return e.signIn("AADSTS7000215", hasText(secret.Reveal()))
}

// ProveCertificate signs in and reads something.
func (e *entra) ProveCertificate(_ context.Context, chain []*x509.Certificate, _ crypto.Signer) error {
	return e.signIn("AADSTS700027", hasCertificate(chain[0]))
}
