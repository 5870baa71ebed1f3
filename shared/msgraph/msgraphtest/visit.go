package msgraphtest

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
)

// organizations stands for the tenant of whoever signs in.
const organizations = "organizations"

// visitor is the person who sits at the browser.
type visitor struct {
	tenant *Tenant
	user   *user
}

// visit is a person's sign-in to an app, at whatever stage: an authorization code, a device
// code and a refresh token each stand for one. See the [authorization code flow] and the
// [device code flow].
//
// [authorization code flow]: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow
// [device code flow]: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code
type visit struct {
	kind     string // the grant type that it is good for
	clientID string
	tenant   string // as the address names it
	scopes   []string
	who      *visitor // nil as long as nobody has signed in
	declined bool
	expires  time.Time
	since    time.Time // when the person signed in
	used     bool

	redirect, challenge string // of an authorization code
}

// The grant types of a person. The Microsoft Authentication Library for Go calls a device
// code by its short name.
const (
	byAuthorizationCode = "authorization_code"
	byDeviceCode        = "device_code"
	byRefreshToken      = "refresh_token"
)

// How long what stands for a visit is good.
const (
	codeLife    = 10 * time.Minute
	deviceLife  = 15 * time.Minute
	refreshLife = 90 * 24 * time.Hour
)

// SignInPerson puts a user at the browser, who is signed in and consents to what an
// administrator has consented to. It panics if the tenant has no such user.
func (t *Tenant) SignInPerson(id string) {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	u := t.dir.find(id)
	if u == nil {
		panic("msgraphtest: no user " + id)
	}
	t.s.visitor = &visitor{t, u}
}

// EnterDeviceCode has the person at the browser enter a user code, and go on or decline. It
// tells whether the code is known, and somebody is there.
func (s *Server) EnterDeviceCode(code string, accept bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.devices[code]
	if v == nil || s.visitor == nil {
		return false
	}
	delete(s.devices, code)
	v.who, v.declined, v.since = s.visitor, !accept, s.now()
	return true
}

// appOf finds the public app of a visit in the tenant of who signs in, and checks what is
// asked of the person. s.mu is held.
func (s *Server) appOf(v *visit, login string) (*App, *aadsts) {
	t := v.who.tenant
	if v.tenant != organizations {
		named, refusal := s.tenantNamed(v.tenant)
		if refusal != nil {
			return nil, refusal
		}
		if named != t {
			return nil, refuseToken(otherTenant, "User account does not exist in tenant '%s' and cannot access the application '%s' in that tenant.", named.id, v.clientID)
		}
	}
	app := t.app(v.clientID)
	if app == nil || len(app.delegated) == 0 {
		return nil, refuseToken(appNotFound, "Application with identifier '%s' was not found in the directory '%s'.", v.clientID, t.id)
	}
	for _, scope := range v.scopes {
		graph, permission, ok := strings.Cut(strings.TrimPrefix(scope, "https://"), "/")
		switch {
		case !ok || !slices.Contains(graphsOf(login), graph):
			return nil, refuseToken(resourceNotFound, "The resource principal named %s was not found in the tenant named %s.", graph, t.id)
		case !slices.Contains(app.delegated, permission):
			return nil, refuseToken(noConsent, "The user or administrator has not consented to use the application with ID '%s'. Send an interactive authorization request for this user and resource.", v.clientID)
		}
	}
	return app, nil
}

// asked is what a person is asked for, without the scopes of OpenID Connect.
func asked(scope string) []string {
	return slices.DeleteFunc(strings.Fields(scope), func(s string) bool {
		return s == "openid" || s == "offline_access" || s == "profile"
	})
}

// webPage is an answer of Entra's to a browser.
type webPage string

// authorize is the page where a person signs in, who is there already: it posts the code to
// the app at once.
func (s *Server) authorize(c *call) (reply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := c.query
	redirect, err := url.Parse(q.Get("redirect_uri"))
	v := &visit{
		kind: byAuthorizationCode, clientID: q.Get("client_id"), tenant: c.path[0], scopes: asked(q.Get("scope")), who: s.visitor,
		since: c.now, expires: c.now.Add(codeLife), redirect: q.Get("redirect_uri"), challenge: q.Get("code_challenge"),
	}
	switch {
	case err != nil || redirect.Scheme != "http" || redirect.Hostname() != "localhost" || strings.Trim(redirect.Path, "/") != "":
		return refuseToken(wrongRedirect, "The redirect URI specified in the request does not match the redirect URIs configured for the application '%s'.", v.clientID).reply(), nil
	case q.Get("response_type") != "code" || q.Get("response_mode") != "form_post" || v.challenge == "" || q.Get("code_challenge_method") != "S256" || len(v.scopes) == 0:
		return refuseToken(missingParameter, "The request must have response_type, response_mode, scope, code_challenge and code_challenge_method.").reply(), nil
	case s.visitor == nil:
		return reply{status: http.StatusOK, body: webPage("<html>Sign in</html>")}, nil
	}
	fields := url.Values{"state": {q.Get("state")}}
	if _, refusal := s.appOf(v, c.host); refusal != nil {
		told := refusal.complete(c)
		fields.Set("error", told.Error)
		fields.Set("error_description", told.Description)
	} else {
		fields.Set("code", s.seal(v))
	}
	return reply{status: http.StatusOK, body: formPost(v.redirect, fields)}, nil
}

// giveDeviceCode begins the device code flow.
func (s *Server) giveDeviceCode(c *call) (reply, error) {
	form := formOf(c)
	s.mu.Lock()
	defer s.mu.Unlock()
	v := &visit{
		kind: byDeviceCode, clientID: form.Get("client_id"), tenant: c.path[0],
		scopes: asked(form.Get("scope")), expires: c.now.Add(deviceLife),
	}
	if v.clientID == "" || len(v.scopes) == 0 {
		return refuseToken(missingParameter, "The request body must contain the following parameters: 'client_id', 'scope'.").reply(), nil
	}
	code := strings.ToUpper(s.newID()[:8])
	s.devices[code] = v
	page := "https://" + c.host + "/device"
	return reply{status: http.StatusOK, body: map[string]any{
		"user_code": code, "device_code": s.seal(v), "verification_uri": page,
		"expires_in": int(deviceLife / time.Second), "interval": 5,
		"message": "To sign in, use a web browser to open the page " + page + " and enter the code " + code + " to authenticate.",
	}}, nil
}

// personResponse is a successful answer to a grant of a person.
type personResponse struct {
	tokenResponse

	Scope        string `json:"scope"`
	RefreshToken string `json:"refresh_token"`
	IDToken      string `json:"id_token"`
	ClientInfo   string `json:"client_info"`
}

// answerPerson answers the grants of a person. s.mu is held.
func (g *grant) answerPerson(tenant string) reply {
	v, refusal := g.visit()
	switch {
	case refusal != nil:
		return refusal.reply()
	case v.declined:
		return reply{status: http.StatusBadRequest, body: oauthError{"authorization_declined", "The person declined."}}
	case v.who == nil:
		return refuseToken(pendingAuthorization, "OAuth 2.0 device flow error. Authorization is pending. Continue polling.").reply()
	}
	v.tenant = tenant
	if g.app, refusal = g.s.appOf(v, g.login); refusal != nil {
		return refusal.reply()
	}
	return g.delegate(v)
}

// visit finds the visit that the request proves to be its own.
func (g *grant) visit() (*visit, *aadsts) {
	kind := g.form.Get("grant_type")
	name := map[string]string{byAuthorizationCode: "code", byDeviceCode: "device_code", byRefreshToken: "refresh_token"}[kind]
	if name == "" {
		return nil, refuseToken(unsupportedGrant, "The app requested an unsupported grant type '%s'.", kind)
	}
	v, ok := unseal[*visit](g.s, g.form.Get(name))
	proof := sha256.Sum256([]byte(g.form.Get("code_verifier")))
	switch {
	case !ok || v.kind != kind || v.used || v.clientID != g.form.Get("client_id") || g.now.After(v.expires):
		return nil, refuseToken(badGrant, "The provided value for the input parameter '%s' is not valid, or has expired.", name)
	case kind == byAuthorizationCode && (v.redirect != g.form.Get("redirect_uri") || v.challenge != base64.RawURLEncoding.EncodeToString(proof[:])):
		return nil, refuseToken(badGrant, "The code_verifier or the redirect_uri does not match the one supplied in the authorization request.")
	case kind == byRefreshToken && v.who.user.stamp > v.since.UnixNano():
		return nil, refuseToken(sessionsRevoked, "The provided grant has expired due to it being revoked, a fresh auth token is needed.")
	}
	return v, nil
}

// delegate gives the tokens of a person. A code is good once.
func (g *grant) delegate(v *visit) reply {
	again := *v
	v.used = v.kind != byRefreshToken
	again.kind, again.expires = byRefreshToken, g.now.Add(refreshLife)
	u := v.who.user
	graph, _, _ := strings.Cut(strings.TrimPrefix(v.scopes[0], "https://"), "/")
	claims := g.s.claims(g.app, "https://"+graph, g.now)
	claims.Roles, claims.Scope, claims.IDType, claims.ObjectID, claims.Subject = nil, permissionsOf(v.scopes), "user", u.id.String(), u.id.String()
	access, err := g.s.sign(claims)
	id, idErr := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"oid": u.id.String(), "sub": u.id.String(), "tid": v.who.tenant.id, "preferred_username": u.upn, "aud": g.app.id,
	}).SignedString(signingKey())
	if err != nil || idErr != nil {
		return reply{status: http.StatusInternalServerError}
	}
	lasts := int(g.s.opts.TokenLife/time.Second) - 1
	return reply{status: http.StatusOK, header: http.Header{"Cache-Control": {"no-store, no-cache"}}, body: personResponse{
		tokenResponse{"Bearer", lasts, lasts, access}, strings.Join(v.scopes, " "), g.s.seal(&again), id, clientInfo(u.id, v.who.tenant.id),
	}}
}

// permissionsOf is the claim scp.
func permissionsOf(scopes []string) string {
	names := make([]string, len(scopes))
	for i, scope := range scopes {
		names[i] = scope[strings.LastIndexByte(scope, '/')+1:]
	}
	return strings.Join(names, " ")
}

// clientInfo names the account, as MSAL keeps it.
func clientInfo(user uuid.UUID, tenant string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(`{"uid":"` + user.String() + `","utid":"` + tenant + `"}`))
}
