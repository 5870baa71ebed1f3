package msgraphtest

import (
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// grant is a request for a token under way: the client credentials flow of
// https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow.
type grant struct {
	s      *Server
	form   url.Values
	login  string // host
	now    time.Time
	tenant *Tenant
	app    *App
	issuer *issuer // of the assertion, with the keys that it publishes; nil if not found
}

// tokenResponse is a successful answer.
type tokenResponse struct {
	TokenType    string `json:"token_type"`
	ExpiresIn    int    `json:"expires_in"`
	ExtExpiresIn int    `json:"ext_expires_in"`
	AccessToken  string `json:"access_token"`
}

// receiveGrant reads the form, so that faults can see which app it is.
func (s *Server) receiveGrant(c *call) stage {
	form := formOf(c)
	c.record.App = form.Get("client_id")
	return func(c *call) (reply, error) {
		g := &grant{s: s, form: form, login: c.host, now: c.now, issuer: s.published(c.ctx, form.Get("client_assertion"))}
		s.mu.Lock()
		defer s.mu.Unlock()
		return g.answer(c.path[0]), nil
	}
}

// formOf reads the parameters of a token request, with client_secret_basic's
// moved to where client_secret_post has them.
func formOf(c *call) url.Values {
	media, _, _ := mime.ParseMediaType(c.header.Get("Content-Type"))
	form, err := url.ParseQuery(string(c.body))
	if err != nil || media != "application/x-www-form-urlencoded" {
		return url.Values{}
	}
	basic := http.Request{Header: c.header}
	if id, secret, ok := basic.BasicAuth(); ok && !form.Has("client_secret") {
		form.Set("client_id", unescaped(id))
		form.Set("client_secret", unescaped(secret))
	}
	return form
}

// unescaped undoes what RFC 6749 section 2.3.1 does to the user and password of
// client_secret_basic.
func unescaped(s string) string {
	plain, err := url.QueryUnescape(s)
	if err != nil {
		return s
	}
	return plain
}

func (g *grant) answer(tenant string) reply {
	audience, refusal := g.check(tenant)
	if refusal != nil {
		return refusal.reply()
	}
	token, err := g.s.issue(g.app, audience, g.now)
	if err != nil {
		return reply{status: http.StatusInternalServerError}
	}
	lasts := int(g.s.opts.TokenLife/time.Second) - 1 // as Entra says, though it is good for longer
	return reply{
		status: http.StatusOK,
		header: http.Header{"Cache-Control": {"no-store, no-cache"}},
		body:   tokenResponse{"Bearer", lasts, lasts, token},
	}
}

// check goes through a token request in the order in which Entra finds fault.
func (g *grant) check(tenant string) (audience string, refusal *aadsts) {
	if g.tenant, refusal = g.s.tenantNamed(tenant); refusal != nil {
		return "", refusal
	}
	if refusal := g.checkParameters(); refusal != nil {
		return "", refusal
	}
	if audience, refusal = audienceOfScope(g.form.Get("scope"), g.login, g.tenant.id); refusal != nil {
		return "", refusal
	}
	clientID := g.form.Get("client_id")
	if g.app = g.tenant.apps.find(clientID); g.app == nil {
		return "", refuseToken(appNotFound, "Application with identifier '%s' was not found in the directory '%s'.", clientID, g.tenant.id)
	}
	if refusal := g.checkPrincipal(); refusal != nil {
		return "", refusal
	}
	return audience, g.checkCredential()
}

// checkPrincipal looks at what stands for the app in the tenant.
func (g *grant) checkPrincipal() *aadsts {
	switch {
	case g.app.withoutPrincipal:
		return refuseToken(noServicePrincipal, "The client application %s is missing service principal in the tenant %s.", g.app.id, g.tenant.id)
	case g.app.disabled:
		return refuseToken(appDisabled, "Application '%s'(%s) is disabled.", g.app.id, g.app.name)
	}
	return nil
}

func (g *grant) checkParameters() *aadsts {
	for _, name := range []string{"grant_type", "client_id"} {
		if g.form.Get(name) == "" {
			return refuseToken(missingParameter, "The request body must contain the following parameter: '%s'.", name)
		}
	}
	if grantType := g.form.Get("grant_type"); grantType != "client_credentials" {
		return refuseToken(unsupportedGrant, "The app requested an unsupported grant type '%s'.", grantType)
	}
	if g.form.Get("scope") == "" {
		return refuseToken(missingField, "The required field 'scope' is missing from the credential.")
	}
	return nil
}

func (g *grant) checkCredential() *aadsts {
	switch secret, assertion := g.form.Get("client_secret"), g.form.Get("client_assertion"); {
	case assertion != "":
		return g.checkAssertion(assertion)
	case secret != "":
		return g.checkSecret(secret)
	default:
		return refuseToken(noCredential, "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.")
	}
}

// checkSecret looks for the secret among the app's.
func (g *grant) checkSecret(text string) *aadsts {
	expired := false
	for _, s := range g.app.secrets {
		switch {
		case s.Text != text:
		case !s.End.After(g.now):
			expired = true
		case !s.Start.After(g.now):
			return nil
		}
	}
	if expired {
		return refuseToken(expiredSecret, "The provided client secret keys for app '%s' are expired.", g.app.id)
	}
	return refuseToken(badSecret, "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '%s'.", g.app.id)
}

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// tokenEndpoints are what an assertion of a certificate may be addressed to.
func (g *grant) tokenEndpoints() []string {
	var all []string
	for _, name := range append([]string{g.tenant.id}, g.tenant.verifiedNames()...) {
		all = append(all, "https://"+g.login+"/"+name+"/oauth2/v2.0/token")
	}
	return all
}

// verifiedNames are the tenant's verified domains. Server.mu is held.
func (t *Tenant) verifiedNames() []string {
	var names []string
	for _, d := range t.dir.domains {
		if !d.Unverified {
			names = append(names, strings.ToLower(d.Name))
		}
	}
	return names
}
