package msgraphtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// tokenLife is how long an access token is good for if nobody says otherwise.
const tokenLife = time.Hour

// accessClaims are those of an app-only access token that the emulator reads.
// See https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference.
type accessClaims struct {
	jwt.RegisteredClaims
	AppID    string   `json:"appid"`
	ObjectID string   `json:"oid"`
	Tenant   string   `json:"tid"`
	Roles    []string `json:"roles,omitempty"`
	IDType   string   `json:"idtyp"`
	Version  string   `json:"ver"`
}

// issue makes an access token with the permissions that the app has now: later
// grants show in the next token only. s.mu is held.
func (s *Server) issue(a *App, graph string, now time.Time) (string, error) {
	claims := accessClaims{
		RegisteredClaims: jwt.RegisteredClaims{
			ID:        s.newID(),
			Issuer:    "https://sts.windows.net/" + a.tenant.id + "/",
			Subject:   a.principal,
			Audience:  jwt.ClaimStrings{"https://" + graph},
			IssuedAt:  jwt.NewNumericDate(now),
			NotBefore: jwt.NewNumericDate(now),
			ExpiresAt: jwt.NewNumericDate(now.Add(s.opts.TokenLife)),
		},
		AppID: a.id, ObjectID: a.principal, Tenant: a.tenant.id, Roles: a.permissions,
		IDType: "app", Version: "1.0",
	}
	token := jwt.NewWithClaims(jwt.SigningMethodES256, claims)
	token.Header["kid"] = keyID
	return token.SignedString(s.signingKey())
}

// keyID names the one key in the key set.
const keyID = "emulator"

// signingKey is the server's own, made when it is first needed. Entra's is RSA;
// an elliptic one takes microseconds to make, and to a client an access token is
// opaque. s.mu is held.
func (s *Server) signingKey() *ecdsa.PrivateKey {
	if s.key == nil {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			panic("msgraphtest: " + err.Error())
		}
		s.key = key
	}
	return s.key
}

// authenticate finds out who calls by the bearer token, or refuses it.
func (s *Server) authenticate(c *call) (refusal reply, ok bool) {
	token := bearer(c.header)
	if token == "" {
		return unauthorized("Access token is empty."), false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	claims, err := s.signed(token)
	if err == nil {
		err = c.validate(claims)
	}
	if err != nil {
		return unauthorized(tokenProblem(err)), false
	}
	c.tenant = s.tenants[claims.Tenant]
	if c.tenant != nil {
		c.app = c.tenant.apps.find(claims.AppID)
	}
	if c.app == nil {
		return unauthorized("The identity of the calling application could not be established."), false
	}
	c.roles = claims.Roles
	return reply{}, true
}

// signed returns the claims of a token that the server signed. It remembers the
// tokens it has seen, because checking a signature takes longer than all else
// that a call does. s.mu is held.
func (s *Server) signed(token string) (*accessClaims, error) {
	if claims := s.proven[token]; claims != nil {
		return claims, nil
	}
	claims := new(accessClaims)
	_, err := jwt.ParseWithClaims(token, claims, func(*jwt.Token) (any, error) { return s.signingKey().Public(), nil },
		jwt.WithValidMethods([]string{jwt.SigningMethodES256.Alg()}), jwt.WithoutClaimsValidation())
	if err != nil {
		return nil, err
	}
	s.proven[token] = claims
	return claims, nil
}

// validate checks that a token is for the host called and for this moment.
func (c *call) validate(claims *accessClaims) error {
	return jwt.NewValidator(
		jwt.WithAudience("https://"+c.host),
		jwt.WithExpirationRequired(),
		jwt.WithTimeFunc(func() time.Time { return c.now })).Validate(claims)
}

// tokenProblem words the reason as Graph does.
func tokenProblem(err error) string {
	switch {
	case errors.Is(err, jwt.ErrTokenMalformed):
		return "CompactToken parsing failed with error code: 80049217"
	case errors.Is(err, jwt.ErrTokenSignatureInvalid):
		return "Access token validation failure. Signature is invalid."
	case errors.Is(err, jwt.ErrTokenInvalidAudience):
		return "Access token validation failure. Invalid audience."
	case errors.Is(err, jwt.ErrTokenExpired), errors.Is(err, jwt.ErrTokenNotValidYet):
		return "Lifetime validation failed, the token is expired."
	default:
		return "Access token validation failure."
	}
}

// bearer returns the token of the Authorization header, "" if there is none.
func bearer(h http.Header) string {
	scheme, token, _ := strings.Cut(h.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return token
}

// peek reads tenant and app off a token without believing it, for the record.
func (s *Server) peek(token string) (tenant, app string) {
	s.mu.Lock()
	claims := s.proven[token]
	s.mu.Unlock()
	if claims != nil {
		return claims.Tenant, claims.AppID
	}
	claims = new(accessClaims)
	if _, _, err := jwt.NewParser().ParseUnverified(token, claims); err != nil {
		return "", ""
	}
	return claims.Tenant, claims.AppID
}
