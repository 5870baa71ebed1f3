package msgraphtest

import (
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // certificates are named by it
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// keys are those of an outside OpenID provider, whose tokens federated credentials
// trust, by key id.
type keys map[string]*rsa.PublicKey

// named finds the key that a token names.
func (k keys) named(token *jwt.Token) (any, error) {
	kid, _ := token.Header["kid"].(string)
	if key := k[kid]; key != nil {
		return key, nil
	}
	return nil, errUnpublished
}

// errUnpublished is a key that the provider's key set does not have.
var errUnpublished = errors.New("no such key")

// checkAssertion takes a client assertion for one that the app has signed with its
// certificate if the app is its issuer, else for the token of an outside issuer.
func (g *grant) checkAssertion(assertion string) *aadsts {
	if given := g.form.Get("client_assertion_type"); given != assertionType {
		return refuseToken(invalidClientType, "The client_assertion_type '%s' is not supported.", given)
	}
	var claims jwt.RegisteredClaims
	if _, _, err := jwt.NewParser().ParseUnverified(assertion, &claims); err != nil {
		return refuseToken(malformedToken, "JWT token is invalid or malformed.")
	}
	if strings.EqualFold(claims.Issuer, g.app.id) {
		return g.checkSigned(assertion)
	}
	return g.checkFederated(assertion, &claims)
}

// checkFederated follows
// https://learn.microsoft.com/entra/workload-id/workload-identity-federation.
// Issuer, subject and audience match exactly, case included.
func (g *grant) checkFederated(assertion string, claims *jwt.RegisteredClaims) *aadsts {
	if refusal := g.matchFederated(claims); refusal != nil {
		return refusal
	}
	if g.published == nil {
		return refuseToken(unreachableIssuer, "Request to External OIDC endpoint failed.")
	}
	return g.verify(assertion)
}

// matchFederated looks for the record that trusts a token, and says how the
// closest one falls short.
func (g *grant) matchFederated(claims *jwt.RegisteredClaims) *aadsts {
	const message = "No matching federated identity record found for presented assertion %s '%s'. Check your federated identity credential Subject, Audience and Issuer against the presented assertion."
	of := func(among []FederatedCredential, trusts func(FederatedCredential) bool) []FederatedCredential {
		return slices.DeleteFunc(slices.Clone(among), func(f FederatedCredential) bool { return !trusts(f) })
	}
	subject, audience := claims.Subject, strings.Join(claims.Audience, " ")
	late := g.s.opts.Apps
	ofIssuer := of(g.app.federated, func(f FederatedCredential) bool {
		return f.Issuer == claims.Issuer && !g.now.Before(g.tenant.issuers[f.Issuer].Add(late.Issuer))
	})
	known := of(ofIssuer, func(f FederatedCredential) bool { return !g.now.Before(f.since.Add(late.Subject)) })
	ofSubject := of(known, func(f FederatedCredential) bool { return f.Subject == subject })
	alike := of(known, func(f FederatedCredential) bool { return strings.EqualFold(f.Subject, subject) })
	switch {
	case len(g.app.federated) == 0:
		return refuseToken(noFederatedAtAll, "The client '%s' has no configured federated identity credentials.", g.app.id)
	case len(ofIssuer) == 0:
		return refuseToken(noFederatedIssuer, message, "issuer", claims.Issuer)
	case len(alike) == 0:
		return refuseToken(noFederatedSubject, message, "subject", subject)
	case len(ofSubject) == 0:
		return refuseToken(noFederatedCase, message+" The subject matches with case-insensitive comparison, but not with case-sensitive comparison.", "subject", subject)
	case len(of(ofSubject, func(f FederatedCredential) bool { return f.Audience == audience })) == 0:
		return refuseToken(noFederatedAudience, message, "audience", audience)
	}
	return nil
}

// verify checks signature and validity of an assertion.
func (g *grant) verify(assertion string) *aadsts {
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithExpirationRequired(),
		jwt.WithTimeFunc(func() time.Time { return g.now }))
	_, err := parser.ParseWithClaims(assertion, new(jwt.RegisteredClaims), g.published.named)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, jwt.ErrTokenExpired), errors.Is(err, jwt.ErrTokenNotValidYet),
		errors.Is(err, jwt.ErrTokenUsedBeforeIssued), errors.Is(err, jwt.ErrTokenRequiredClaimMissing):
		return refuseToken(assertionOutOfTime, "Client assertion is not within its valid time range.")
	case errors.Is(err, errUnpublished):
		return refuseToken(unpublishedKey, "The certificate used to sign the federated credential could not be found in the metadata of the identity provider.")
	default:
		return refuseToken(assertionBadSignature, "The certificate or key used to sign the client assertion is not registered, or the signature is invalid: %v.", err)
	}
}

// errNoKey is an assertion signed with a certificate that the app does not have.
var errNoKey = errors.New("the certificate is not registered")

// checkSigned takes an assertion that the app has signed with its certificate. See
// https://learn.microsoft.com/entra/identity-platform/certificate-credentials.
func (g *grant) checkSigned(assertion string) *aadsts {
	endpoint := "https://" + g.login + "/" + g.tenant.id + "/oauth2/v2.0/token"
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"RS256", "PS256"}), jwt.WithExpirationRequired(),
		jwt.WithSubject(g.app.id), jwt.WithAudience(endpoint), jwt.WithTimeFunc(func() time.Time { return g.now }))
	_, err := parser.ParseWithClaims(assertion, new(jwt.RegisteredClaims), func(token *jwt.Token) (any, error) {
		for _, k := range g.app.keys {
			if k.names(token) && g.now.Before(k.End) && k.known(g.s, g.now) {
				return k.certificate.PublicKey, nil
			}
		}
		return nil, errNoKey
	})
	switch {
	case err == nil:
		return nil
	case errors.Is(err, jwt.ErrTokenExpired), errors.Is(err, jwt.ErrTokenNotValidYet), errors.Is(err, jwt.ErrTokenRequiredClaimMissing):
		return refuseToken(assertionOutOfTime, "Client assertion is not within its valid time range.")
	case errors.Is(err, jwt.ErrTokenInvalidAudience):
		return refuseToken(assertionForOther, "Client assertion audience claim does not match Realm issuer.")
	default:
		return refuseToken(assertionBadSignature, "The certificate with identifier used to sign the client assertion is not registered on application.")
	}
}

// names tells whether an assertion names the certificate by a thumbprint. Entra takes it in
// either base64: the Microsoft Authentication Library for Go does not write the one for URLs.
func (k *key) names(token *jwt.Token) bool {
	old, strong := sha1.Sum(k.Key), sha256.Sum256(k.Key) //nolint:gosec // see the import
	is := func(header string, thumbprint []byte) bool {
		given, _ := token.Header[header].(string)
		given = strings.TrimRight(strings.NewReplacer("+", "-", "/", "_").Replace(given), "=")
		return given == base64.RawURLEncoding.EncodeToString(thumbprint)
	}
	return is("x5t", old[:]) || is("x5t#S256", strong[:])
}
