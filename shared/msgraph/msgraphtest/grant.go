package msgraphtest

import (
	"mime"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// grant is a request for a token under way: the client credentials flow of
// https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow, or
// one of those in which a person takes part: see visit.go.
type grant struct {
	s         *Server
	form      url.Values
	login     string // host
	now       time.Time
	tenant    *Tenant
	app       *App
	published keys // by the issuer of the assertion; nil if not found
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
		g := &grant{s: s, form: form, login: c.host, now: c.now, published: s.published(c.ctx, form.Get("client_assertion"))}
		s.mu.Lock()
		defer s.mu.Unlock()
		if form.Get("grant_type") != "client_credentials" && form.Get("grant_type") != "" {
			return g.answerPerson(c.path[0]), nil
		}
		return g.answer(c.path[0]), nil
	}
}

// formOf reads the parameters of a token request. Of the ways to send a secret only
// client_secret_post is emulated.
func formOf(c *call) url.Values {
	media, _, _ := mime.ParseMediaType(c.header.Get("Content-Type"))
	form, err := url.ParseQuery(string(c.body))
	if err != nil || media != "application/x-www-form-urlencoded" {
		return url.Values{}
	}
	return form
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
	if g.app = g.tenant.app(clientID); g.app == nil || !g.app.hasPrincipal || !g.s.knows(g.app.principalSince, g.now) {
		return "", refuseToken(appNotFound, "Application with identifier '%s' was not found in the directory '%s'.", clientID, g.tenant.id)
	}
	if g.app.disabled {
		return "", refuseToken(appDisabled, "Application '%s' is disabled.", g.app.id)
	}
	return audience, g.checkCredential()
}

func (g *grant) checkParameters() *aadsts {
	for _, name := range []string{"grant_type", "client_id", "scope"} {
		if g.form.Get(name) == "" {
			return refuseToken(missingParameter, "The request body must contain the following parameter: '%s'.", name)
		}
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
	if slices.Contains(g.app.secrets, Secret{Text: text}) {
		return nil
	}
	passwords := slices.Concat(g.app.passwords, g.app.principalPasswords)
	if i := slices.IndexFunc(passwords, func(p password) bool { return p.text == text && p.known(g.s, g.now) }); i >= 0 {
		if g.now.Before(passwords[i].End) {
			return nil
		}
		return refuseToken(expiredSecret, "The provided client secret keys for app '%s' are expired.", g.app.id)
	}
	return refuseToken(badSecret, "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '%s'.", g.app.id)
}

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
