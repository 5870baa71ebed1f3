package msgraphtest

import (
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// tokenLife is how long an access token is good for if nobody says otherwise.
const tokenLife = time.Hour

// accessClaims are those of an access token that the emulator reads.
// See https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference.
type accessClaims struct {
	jwt.RegisteredClaims
	Audience string   `json:"aud"` // one string, which jwt would write as a list
	AppName  string   `json:"app_displayname"`
	AppID    string   `json:"appid"`
	ObjectID string   `json:"oid"`
	Tenant   string   `json:"tid"`
	Roles    []string `json:"roles,omitempty"`
	Scope    string   `json:"scp,omitempty"` // of a delegated token, instead of Roles
	IDType   string   `json:"idtyp"`
	Version  string   `json:"ver"`
}

// GetAudience overrides the list that the embedded claims have.
func (c *accessClaims) GetAudience() (jwt.ClaimStrings, error) {
	return jwt.ClaimStrings{c.Audience}, nil
}

// issue makes an access token with the permissions that the app has now: later
// grants show in the next token only. s.mu is held.
func (s *Server) issue(a *App, audience string, now time.Time) (string, error) {
	return s.sign(s.claims(a, audience, now))
}

// claims are those of an app-only token. s.mu is held.
func (s *Server) claims(a *App, audience string, now time.Time) *accessClaims {
	return &accessClaims{
		RegisteredClaims: jwt.RegisteredClaims{
			ID:        s.newID(),
			Issuer:    "https://sts.windows.net/" + a.tenant.id + "/",
			Subject:   a.principal,
			IssuedAt:  jwt.NewNumericDate(now),
			NotBefore: jwt.NewNumericDate(now),
			ExpiresAt: jwt.NewNumericDate(now.Add(s.opts.TokenLife)),
		},
		Audience: audience, AppName: "App " + a.id, AppID: a.id, ObjectID: a.principal, Tenant: a.tenant.id, Roles: a.granted(now),
		IDType: "app", Version: "1.0",
	}
}

// sign makes a token of claims.
func (s *Server) sign(claims *accessClaims) (string, error) {
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	token.Header["kid"] = s.keyID
	return token.SignedString(signingKey())
}

// signingKey is RSA, as Entra's are. All servers of a process share it, because
// it takes a tenth of a second to make.
var signingKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic("msgraphtest: " + err.Error())
	}
	return key
})

// authenticate finds out who calls by the bearer token, or refuses it.
func (s *Server) authenticate(c *call) (refusal reply, ok bool) {
	token := bearer(c.header)
	if token == "" {
		return unauthorized(invalidToken, "Access token is empty."), false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	claims, err := s.signed(token)
	if err == nil {
		err = c.validate(claims)
	}
	if err != nil {
		return unauthorized(invalidToken, tokenProblem(err)), false
	}
	c.tenant = s.tenants[claims.Tenant]
	if c.tenant != nil {
		c.app = c.tenant.app(claims.AppID)
	}
	if c.app == nil {
		return unauthorized("Authorization_IdentityNotFound", "The identity of the calling application could not be established."), false
	}
	c.roles = append(strings.Fields(claims.Scope), claims.Roles...)
	c.person = ""
	if claims.Scope != "" {
		c.person = claims.ObjectID
	}
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
	_, err := jwt.ParseWithClaims(token, claims, s.keyOf,
		jwt.WithValidMethods([]string{jwt.SigningMethodRS256.Alg()}), jwt.WithoutClaimsValidation())
	if err != nil {
		return nil, err
	}
	s.proven[token] = claims
	return claims, nil
}

// keyOf finds the key that a token names.
func (s *Server) keyOf(token *jwt.Token) (any, error) {
	if token.Header["kid"] != s.keyID {
		return nil, jwt.ErrTokenSignatureInvalid
	}
	return signingKey().Public(), nil
}

// validate checks that a token is for the host called and for this moment.
func (c *call) validate(claims *accessClaims) error {
	return jwt.NewValidator(
		jwt.WithAudience("https://"+c.host, "https://"+c.host+"/", graphAppID),
		jwt.WithExpirationRequired(),
		jwt.WithTimeFunc(func() time.Time { return c.now })).Validate(claims)
}

// tokenProblem words the reason as Graph does.
func tokenProblem(err error) string {
	if errors.Is(err, jwt.ErrTokenExpired) {
		return "Lifetime validation failed, the token is expired."
	}
	return "Access token validation failure."
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
