package signaltest

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// What a receiver may do (CAEP Interoperability Profile 1.0, section 2.7.2).
const (
	scopeRead   = "ssf.read"
	scopeManage = "ssf.manage"
)

// grant is what a bearer token stands for.
type grant struct {
	client  string
	scopes  []string
	expires time.Time
}

// ExpireTokens makes every token that was issued so far an expired one.
func (t *Transmitter) ExpireTokens() {
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.tokens)
}

// token is the token endpoint for client credentials (RFC 6749, sections 4.4 and 5).
func (t *Transmitter) token(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil || len(r.PostForm) == 0 {
		t.fault("asked for a token without a form (RFC 6749, 4.4.2)")
		refuse(w, http.StatusBadRequest, "invalid_request", "Send a form.")
		return
	}
	client, ok := t.authenticate(r)
	scopes := strings.Fields(r.PostForm.Get("scope"))
	switch {
	case !ok:
		w.Header().Set("WWW-Authenticate", "Basic")
		refuse(w, http.StatusUnauthorized, "invalid_client", "No such client.")
	case r.PostForm.Get("grant_type") != "client_credentials":
		t.fault("asked for a token by another grant than client_credentials")
		refuse(w, http.StatusBadRequest, "unsupported_grant_type", "Use client_credentials.")
	case len(scopes) == 0 || slices.ContainsFunc(scopes, func(s string) bool { return s != scopeRead && s != scopeManage }):
		t.fault("asked for a token with the scope %q, not ssf.read or ssf.manage (CAEP Interoperability Profile, 2.7.2)", r.PostForm.Get("scope"))
		refuse(w, http.StatusBadRequest, "invalid_scope", "Ask for ssf.read, ssf.manage or both.")
	default:
		answer(w, http.StatusOK, t.issue(client, scopes))
	}
}

func (t *Transmitter) issue(client string, scopes []string) map[string]any {
	text := rand.Text()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tokens[text] = grant{client, scopes, t.opts.Now().Add(t.opts.TokenLife)}
	return map[string]any{
		"access_token": text, "token_type": "Bearer",
		"expires_in": int(t.opts.TokenLife.Seconds()), "scope": strings.Join(scopes, " "),
	}
}

// authenticate finds the client by HTTP Basic, where id and secret are encoded as in a
// form, or by the form's own fields; both at once are refused (RFC 6749, section 2.3).
func (t *Transmitter) authenticate(r *http.Request) (client string, ok bool) {
	id, secret := r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	if user, password, basic := r.BasicAuth(); basic {
		if secret != "" {
			t.fault("authenticated a client in two ways (RFC 6749, 2.3)")
			return "", false
		}
		var bad [2]error
		id, bad[0] = url.QueryUnescape(user)
		secret, bad[1] = url.QueryUnescape(password)
		if bad[0] != nil || bad[1] != nil {
			t.fault("did not encode a client's id or secret (RFC 6749, 2.3.1)")
			return "", false
		}
	}
	want, known := t.opts.Clients[id]
	return id, known && secret == want && secret != ""
}

// managed lets a call of the management API through if its token has the scope
// (RFC 6750, sections 2.1 and 3.1).
func (t *Transmitter) managed(scope string, serve func(c *call)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		g, ok := t.bearer(r)
		switch {
		case !ok:
			w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
			refuse(w, http.StatusUnauthorized, "invalid_token", "The token is missing, unknown or expired.")
		case !slices.Contains(g.scopes, scope):
			t.fault("called %s %s without the scope %s (CAEP Interoperability Profile, 2.7.2)", r.Method, r.URL.Path, scope)
			w.Header().Set("WWW-Authenticate", `Bearer error="insufficient_scope", scope="`+scope+`"`)
			refuse(w, http.StatusForbidden, "insufficient_scope", "The token lacks the scope "+scope+".")
		default:
			t.serve(w, r, g.client, serve)
		}
	}
}

// bearer finds what the call's token stands for.
func (t *Transmitter) bearer(r *http.Request) (grant, bool) {
	if r.URL.Query().Has("access_token") {
		t.fault("sent a token in a query (CAEP Interoperability Profile, 2.7.3)")
		return grant{}, false
	}
	scheme, text, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || text == "" {
		t.fault("called %s %s without a bearer token (SSF 8)", r.Method, r.URL.Path)
		return grant{}, false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if text == t.opts.StaticToken {
		return grant{client: t.firstClient(), scopes: []string{scopeRead, scopeManage}}, true
	}
	g, ok := t.tokens[text]
	return g, ok && t.opts.Now().Before(g.expires)
}

// firstClient is the one that a static token belongs to.
func (t *Transmitter) firstClient() string {
	first := ""
	for id := range t.opts.Clients {
		if first == "" || id < first {
			first = id
		}
	}
	return first
}
