package msgraphtest

import (
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// The proof that a caller holds a key of the application: whom it is addressed
// to and how long it may be good for.
const (
	proofAudience = "00000002-0000-0000-c000-000000000000"
	proofLife     = 10 * time.Minute
)

// addKey follows https://learn.microsoft.com/graph/api/application-addkey: it
// needs no permission to roll the caller's own keys, but a proof signed with one
// of its valid certificates, and so is of no use without one.
func addKey(s *Server, c *call) (reply, error) {
	var body struct {
		KeyCredential askedKey
		Proof         string
	}
	a, err := c.reach(applicationsWrite)
	if err == nil {
		err = c.decode(&body)
	}
	if err == nil {
		err = a.checkProof(body.Proof, c.now)
	}
	if err != nil {
		return reply{}, err
	}
	cert, err := body.KeyCredential.parse(c.now)
	if err != nil {
		return reply{}, err
	}
	added := a.addCertificate(cert, body.KeyCredential.DisplayName, c.now.Add(s.opts.CredentialLag)).wire()
	added.Context = c.context("microsoft.graph.keyCredential")
	return reply{status: http.StatusOK, body: added}, nil
}

// askedKey is the certificate a caller wants to add.
type askedKey struct{ Type, Usage, Key, DisplayName string }

func (k askedKey) parse(now time.Time) (*x509.Certificate, error) {
	if k.Type != "AsymmetricX509Cert" || k.Usage != "Verify" {
		return nil, badRequest("The key credential must have the type AsymmetricX509Cert and the usage Verify.")
	}
	cert, err := parseKey(k.Key)
	if err != nil || now.After(cert.NotAfter) {
		return nil, badRequest("The key credential's value is not a valid certificate.")
	}
	return cert, nil
}

func parseKey(encoded string) (*x509.Certificate, error) {
	der, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// removeKey follows https://learn.microsoft.com/graph/api/application-removekey.
func removeKey(_ *Server, c *call) (reply, error) {
	var body struct{ KeyID, Proof string }
	a, err := c.reach(applicationsWrite)
	if err == nil {
		err = c.decode(&body)
	}
	if err == nil {
		err = a.checkProof(body.Proof, c.now)
	}
	if err != nil {
		return reply{}, err
	}
	i := slices.IndexFunc(a.certificates, func(k *certificate) bool { return strings.EqualFold(k.keyID, body.KeyID) })
	if i < 0 {
		return reply{}, badRequest("No key credential found with keyId '%s'.", body.KeyID)
	}
	a.certificates = slices.Delete(a.certificates, i, i+1)
	return reply{status: http.StatusNoContent}, nil
}

// checkProof verifies a proof of possession: signed with a valid certificate of
// the application that is known by now, issued by it, addressed to the directory, and
// good for ten minutes at most. What Graph says of another, it says of access tokens
// too (https://github.com/microsoftgraph/microsoft-graph-docs/issues/22076).
func (a *App) checkProof(proof string, now time.Time) error {
	for _, c := range a.certificates {
		if c.valid(now) && !c.known.After(now) && a.provenBy(c, proof, now) == nil {
			return nil
		}
	}
	return refuse(http.StatusUnauthorized, "Authentication_MissingOrMalformed", "Access Token missing or malformed.")
}

func (a *App) provenBy(c *certificate, proof string, now time.Time) error {
	var claims jwt.RegisteredClaims
	_, err := jwt.ParseWithClaims(proof, &claims, func(*jwt.Token) (any, error) { return c.PublicKey, nil },
		jwt.WithValidMethods([]string{"RS256", "PS256"}),
		jwt.WithAudience(proofAudience), jwt.WithIssuer(a.objectID),
		jwt.WithExpirationRequired(), jwt.WithNotBeforeRequired(),
		jwt.WithTimeFunc(func() time.Time { return now }))
	if err == nil && claims.ExpiresAt.Sub(claims.NotBefore.Time) > proofLife {
		return errors.New("good for too long")
	}
	return err
}
