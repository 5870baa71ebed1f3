package msgraphtest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
)

func TestTokenRefusals(t *testing.T) {
	t.Parallel()
	other := "99999999-6d4d-4958-8b9f-9d6445542f95"
	tests := []struct {
		name   string
		url    string
		form   url.Values
		status int
		code   string
	}{
		{"unknown tenant", strings.Replace(tokenURL, testTenant, other, 1), secretForm(), 400, "90002"},
		{"unknown domain", strings.Replace(tokenURL, testTenant, "example.org", 1), secretForm(), 400, "90002"},
		{"no tenant", strings.Replace(tokenURL, testTenant, "nonsense", 1), secretForm(), 400, "900023"},
		{"common", strings.Replace(tokenURL, testTenant, "common", 1), secretForm(), 400, "900023"},
		{"by domain", strings.Replace(tokenURL, testTenant, "example.co.jp", 1), secretForm(), 200, ""},
		{"unknown app", tokenURL, secretForm("client_id", other), 400, "700016"},
		{"no app", tokenURL, secretForm("client_id", ""), 400, "900144"},
		{"no grant type", tokenURL, secretForm("grant_type", ""), 400, "900144"},
		{"another grant type", tokenURL, secretForm("grant_type", "password"), 400, "70003"},
		{"bad secret", tokenURL, secretForm("client_secret", "wrong"), 401, "7000215"},
		{"no credential", tokenURL, secretForm("client_secret", ""), 401, "7000216"},
		{"no scope", tokenURL, secretForm("scope", ""), 400, "900144"},
		{"scope of a permission", tokenURL, secretForm("scope", "https://graph.microsoft.com/User.Read.All"), 400, "1002012"},
		{"two scopes", tokenURL, secretForm("scope", "https://graph.microsoft.com/.default https://vault.azure.net/.default"), 400, "1002012"},
		{"scopes that MSAL adds", tokenURL, secretForm("scope", "https://graph.microsoft.com/.default openid offline_access profile"), 200, ""},
		{"only scopes that MSAL adds", tokenURL, secretForm("scope", "openid offline_access profile"), 400, "1002012"},
		{"another resource", tokenURL, secretForm("scope", "https://vault.azure.net/.default"), 400, "500011"},
		{"another cloud", tokenURL, secretForm("scope", "https://graph.microsoft.us/.default"), 400, "500011"},
		{"another cloud's login", strings.Replace(tokenURL, ".com/", ".us/", 1), secretForm(), 400, "500011"},
		{"assertion of an unknown type", tokenURL, secretForm("client_assertion", "a.b.c"), 400, "70002"},
		{"assertion that is no token", tokenURL, secretForm("client_assertion", "nonsense", "client_assertion_type", assertionType), 401, "50027"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, Options{})
			w.want(w.postForm(test.url, test.form), test.status, test.code)
		})
	}
}

func TestTokenErrorBody(t *testing.T) {
	t.Parallel()
	at := newClock()
	w := newWorld(t, Options{Now: at.now})
	r := w.postForm(tokenURL, secretForm("client_secret", "wrong"))
	id := r.Header.Get("request-id")
	want := tokenError{
		Error: "invalid_client",
		Description: "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the " +
			"client secret value, not the client secret ID, for a secret added to app '" + testApp + "'. " +
			"Trace ID: " + id + " Correlation ID: " + id + " Timestamp: 2026-05-24 22:24:30Z",
		Codes: []int{7000215}, Timestamp: "2026-05-24 22:24:30Z", TraceID: id, CorrelationID: id,
		URI: "https://login.microsoftonline.com/error?code=7000215",
	}
	var got tokenError
	if err := json.Unmarshal(r.body, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
}

func TestAccessTokenRefusals(t *testing.T) {
	t.Parallel()
	at := newClock()
	w := newWorld(t, Options{Now: at.now})
	good := w.token()
	head, rest, _ := strings.Cut(good, ".")
	claims, signature, _ := strings.Cut(rest, ".")
	foreign := newWorld(t, Options{Now: at.now})
	const invalid = "Access token validation failure."
	tests := []struct {
		name, authorization, host string
		later                     time.Duration
		message                   string
	}{
		{name: "none", message: "Access token is empty."},
		{name: "another scheme", authorization: "Basic " + good, message: "Access token is empty."},
		{name: "malformed", authorization: "Bearer nonsense", message: invalid},
		{name: "unsigned", authorization: "Bearer " + head + "." + claims + ".", message: invalid},
		{name: "signature of another", authorization: "Bearer " + head + "." + claims + "." + signature[1:] + "A", message: invalid},
		{name: "another server's", authorization: "Bearer " + foreign.token(), message: invalid},
		{name: "another cloud's", authorization: "Bearer " + good, host: "graph.microsoft.us", message: invalid},
		{name: "expired", authorization: "Bearer " + good, later: time.Hour, message: "Lifetime validation failed, the token is expired."},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { // one after the other: they share the clock
			at.advance(test.later)
			req := w.requestAs("", "GET", "/users/"+testUser, "")
			req.Header.Set("Authorization", test.authorization)
			if test.host != "" {
				req.URL.Host = test.host
			}
			r := w.send(req)
			w.want(r, 401, "InvalidAuthenticationToken")
			if !strings.Contains(string(r.body), `"message":"`+test.message+`"`) {
				t.Errorf("got %s, want the message %q", r.body, test.message)
			}
			if !strings.HasPrefix(r.Header.Get("WWW-Authenticate"), "Bearer ") {
				t.Error("no challenge")
			}
		})
	}
}

func TestTokenLife(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ option, want time.Duration }{
		"an hour":      {0, time.Hour},
		"five minutes": {5 * time.Minute, 5 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := newClock()
			w := newWorld(t, Options{Now: at.now, TokenLife: test.option})
			var told tokenResponse
			if err := json.Unmarshal(w.postForm(tokenURL, secretForm()).body, &told); err != nil {
				t.Fatal(err)
			}
			if lasts := time.Duration(told.ExpiresIn) * time.Second; lasts != test.want-time.Second {
				t.Errorf("the token is said to last %s, want a second less than %s", lasts, test.want)
			}
			at.advance(test.want - time.Second)
			w.want(w.send(w.requestAs(told.AccessToken, "GET", "/users/"+testUser, "")), 200, "")
			at.advance(time.Second)
			w.want(w.send(w.requestAs(told.AccessToken, "GET", "/users/"+testUser, "")), 401, "InvalidAuthenticationToken")
		})
	}
}

func TestPermissionsAreThoseOfTheTimeOfIssue(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	revoke := func(token string) response {
		return w.send(w.requestAs(token, "POST", "/users/"+testUser+"/revokeSignInSessions", ""))
	}
	before := w.token()
	w.app.permissions = []string{"User.Read.All"}
	without := w.token()
	w.want(revoke(without), 403, "Authorization_RequestDenied")
	w.want(revoke(before), 200, "")
}

func TestTokensOfEveryCloud(t *testing.T) {
	t.Parallel()
	for login, graph := range map[string]string{
		"login.microsoftonline.com":        "graph.microsoft.com",
		"login.microsoftonline.us":         "dod-graph.microsoft.us",
		"login.chinacloudapi.cn":           "microsoftgraph.chinacloudapi.cn",
		"login.partner.microsoftonline.cn": "microsoftgraph.chinacloudapi.cn",
	} {
		w := newWorld(t, Options{})
		token := w.tokenFrom(w.postForm(strings.Replace(tokenURL, "login.microsoftonline.com", login, 1),
			secretForm("scope", "https://"+graph+"/.default")))
		req := w.requestAs(token, "GET", "/users/"+testUser, "")
		req.URL.Host = graph
		w.want(w.send(req), 200, "")
	}
}

func TestDiscovery(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	get := func(address string) response {
		req, err := http.NewRequestWithContext(t.Context(), "GET", address, nil)
		if err != nil {
			t.Fatal(err)
		}
		return w.send(req)
	}
	const login = "https://login.microsoftonline.com/"
	r := get(login + "common/discovery/instance?api-version=1.1&authorization_endpoint=" +
		url.QueryEscape(login+testTenant+"/oauth2/v2.0/authorize"))
	var instance struct {
		Endpoint string `json:"tenant_discovery_endpoint"`
		Metadata []struct{ Aliases []string }
	}
	if err := json.Unmarshal(r.body, &instance); err != nil || len(instance.Metadata) == 0 {
		t.Fatalf("instance: %v %s", err, r.body)
	}
	var configuration struct {
		Token string `json:"token_endpoint"`
	}
	if err := json.Unmarshal(get(instance.Endpoint).body, &configuration); err != nil || configuration.Token != tokenURL {
		t.Errorf("token endpoint %q, %v", configuration.Token, err)
	}
	w.want(get(login+"common/discovery/instance?authorization_endpoint=https://example.org/x"), 400, "50049")
	w.want(get(strings.Replace(instance.Endpoint, testTenant, "example.org", 1)), 400, "90002")
	w.want(get(login+testTenant+"/nothing"), 404, "")
	if n := w.Counts(); n != (Counts{}) {
		t.Errorf("discovery was counted: %+v", n)
	}
}

func TestTokenCarriesItsClaims(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	var claims accessClaims
	if _, _, err := jwt.NewParser().ParseUnverified(w.token(), &claims); err != nil {
		t.Fatal(err)
	}
	if claims.Tenant != testTenant || claims.AppID != testApp || claims.Audience != "https://graph.microsoft.com" {
		t.Errorf("claims %+v", claims)
	}
	if diff := cmp.Diff([]string{"Domain.Read.All", "User.Read.All", "User.RevokeSessions.All"}, claims.Roles); diff != "" {
		t.Errorf("roles (-want +got):\n%s", diff)
	}
}

func TestDisabledApp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.app.Disable()
	w.want(w.postForm(tokenURL, secretForm()), 400, "7000112")
}

// Official clients ask for Graph in more than one way.
func TestScopes(t *testing.T) {
	t.Parallel()
	for _, resource := range []string{"https://graph.microsoft.com", "https://graph.microsoft.com/", graphAppID} {
		w := newWorld(t, Options{})
		token := w.tokenFrom(w.postForm(tokenURL, secretForm("scope", resource+"/.default")))
		w.want(w.send(w.requestAs(token, "GET", "/users/"+testUser, "")), 200, "")
		parsed, _, err := jwt.NewParser().ParseUnverified(token, jwt.MapClaims{})
		if err != nil {
			t.Fatal(err)
		}
		claims := parsed.Claims.(jwt.MapClaims)
		if _, named := claims["app_displayname"]; claims["aud"] != resource || !named || parsed.Method.Alg() != "RS256" {
			t.Errorf("%s: %s claims %v", resource, parsed.Method.Alg(), claims)
		}
	}
}
