package msgraphtest

import (
	"crypto/rsa"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// issuer is an outside OpenID provider, whose tokens federated credentials
// trust, with its signing keys by key id.
type issuer struct{ keys map[string]*rsa.PublicKey }

// key finds the key that a token names; a provider with a single key may leave
// the name out.
func (i *issuer) key(token *jwt.Token) (any, error) {
	kid, _ := token.Header["kid"].(string)
	if key := i.keys[kid]; key != nil {
		return key, nil
	}
	if only := slices.Collect(maps.Values(i.keys)); kid == "" && len(only) == 1 {
		return only[0], nil
	}
	return nil, errUnpublished
}

// errUnpublished is a key that the provider's key set does not have.
var errUnpublished = errors.New("no such key")

// checkAssertion takes a client assertion for one that the app signed with its
// certificate if it says that the app issued it, and otherwise for the token of
// an outside issuer.
func (g *grant) checkAssertion(assertion string) *aadsts {
	if given := g.form.Get("client_assertion_type"); given != assertionType {
		return refuseToken(invalidClientType, "The client_assertion_type '%s' is not supported.", given)
	}
	var claims jwt.RegisteredClaims
	if _, _, err := jwt.NewParser().ParseUnverified(assertion, &claims); err != nil {
		return refuseToken(malformedToken, "JWT token is invalid or malformed.")
	}
	if claims.Issuer == g.app.id {
		return g.checkCertificate(assertion, &claims)
	}
	return g.checkFederated(assertion, &claims)
}

// checkCertificate follows
// https://learn.microsoft.com/entra/identity-platform/certificate-credentials.
func (g *grant) checkCertificate(assertion string, claims *jwt.RegisteredClaims) *aadsts {
	if claims.Subject != g.app.id {
		return refuseToken(assertionNotOfClient, "Client assertion application identifier doesn't match 'client_id' parameter.")
	}
	endpoints := g.tokenEndpoints()
	if len(claims.Audience) != 1 || !slices.Contains(endpoints, claims.Audience[0]) {
		return refuseToken(assertionBadAudience, "Client assertion audience claim does not match Realm issuer.")
	}
	return g.verify(assertion, g.certificateKey, jwt.WithNotBeforeRequired(),
		jwt.WithValidMethods([]string{"RS256", "PS256"}))
}

// certificateKey finds the key that an assertion names by its thumbprint.
func (g *grant) certificateKey(token *jwt.Token) (any, error) {
	x5t, x5t256 := thumbprintIn(token, "x5t"), thumbprintIn(token, "x5t#S256")
	for _, c := range g.app.certificates {
		print1, print256 := thumbprints(c)
		valid := !g.now.Before(c.NotBefore) && !g.now.After(c.NotAfter)
		if (x5t256 == print256 || x5t256 == "" && x5t == print1) && valid {
			return c.PublicKey, nil
		}
	}
	return nil, errors.New("no such certificate")
}

// thumbprintIn reads a thumbprint from a token's header. RFC 7515 wants it in
// base64url without padding; MSAL for Go has always written base64 with it, so Entra
// must read that too.
func thumbprintIn(token *jwt.Token, header string) string {
	text, _ := token.Header[header].(string)
	return strings.TrimRight(strings.NewReplacer("+", "-", "/", "_").Replace(text), "=")
}

// checkFederated follows
// https://learn.microsoft.com/entra/workload-id/workload-identity-federation.
// Issuer, subject and audience match exactly, case included.
func (g *grant) checkFederated(assertion string, claims *jwt.RegisteredClaims) *aadsts {
	if refusal := g.matchFederated(claims); refusal != nil {
		return refusal
	}
	if g.issuer == nil {
		return refuseToken(unreachableIssuer, "Request to External OIDC endpoint failed.")
	}
	return g.verify(assertion, g.issuer.key, jwt.WithValidMethods([]string{"RS256"}))
}

// matchFederated looks for the record that trusts a token, and says how the
// closest one falls short.
func (g *grant) matchFederated(claims *jwt.RegisteredClaims) *aadsts {
	refusal := refuseToken(noFederatedAtAll, "The client '%s' has no configured federated identity credentials.", g.app.id)
	best := -1
	for _, f := range g.app.federated {
		closeness, short := f.match(claims)
		if short == nil {
			return nil
		}
		if closeness > best {
			best, refusal = closeness, short
		}
	}
	return refusal
}

// match tells why a record doesn't trust a token, and how many of the claims it
// has in common with it; nil if it trusts it.
func (f FederatedCredential) match(claims *jwt.RegisteredClaims) (closeness int, short *aadsts) {
	const message = "No matching federated identity record found for presented assertion %s '%s'. Check your federated identity credential Subject, Audience and Issuer against the presented assertion."
	audience := strings.Join(claims.Audience, " ")
	switch {
	case f.Issuer != claims.Issuer:
		return 0, refuseToken(noFederatedIssuer, message, "issuer", claims.Issuer)
	case f.Subject != claims.Subject && strings.EqualFold(f.Subject, claims.Subject):
		return 1, refuseToken(noFederatedCase, message+" The subject matches with case-insensitive comparison, but not with case-sensitive comparison.", "subject", claims.Subject)
	case f.Subject != claims.Subject:
		return 1, refuseToken(noFederatedSubject, message, "subject", claims.Subject)
	case f.Audience != audience:
		return 2, refuseToken(noFederatedAudience, message, "audience", audience)
	default:
		return 3, nil
	}
}

// verify checks signature and validity of an assertion.
func (g *grant) verify(assertion string, key jwt.Keyfunc, options ...jwt.ParserOption) *aadsts {
	options = append(options, jwt.WithExpirationRequired(),
		jwt.WithTimeFunc(func() time.Time { return g.now }))
	_, err := jwt.NewParser(options...).ParseWithClaims(assertion, new(jwt.RegisteredClaims), key)
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
