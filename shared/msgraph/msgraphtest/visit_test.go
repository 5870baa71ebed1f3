package msgraphtest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

const (
	publicApp = "14d82eec-204b-4c2f-b7e8-296a70dab67e"
	verifier  = "a-random-text"
	loopback  = "http://localhost:4711"
	readScope = "https://graph.microsoft.com/User.Read.All"
)

// visitedWorld is a world with a public app, and the user at the browser.
func visitedWorld(t *testing.T, o Options) *world {
	t.Helper()
	w := newWorld(t, o)
	w.tenant.AddApp(AppOptions{ID: publicApp, Delegated: []string{"User.Read.All"}})
	w.tenant.SignInPerson(testUser)
	return w
}

// form is a good request, changed as secretForm's is.
func form(good url.Values, pairs ...string) url.Values {
	for i := 0; i < len(pairs); i += 2 {
		good.Set(pairs[i], pairs[i+1])
	}
	return good
}

// authorizing is a good request for an authorization code.
func authorizing(pairs ...string) string {
	challenge := sha256.Sum256([]byte(verifier))
	return strings.TrimSuffix(tokenURL, "token") + "authorize?" + form(url.Values{
		"client_id": {publicApp}, "response_type": {"code"}, "response_mode": {"form_post"}, "redirect_uri": {loopback}, "state": {"s<>"},
		"scope": {readScope + " openid"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "code_challenge_method": {"S256"},
	}, pairs...).Encode()
}

// redeeming is a good request for tokens.
func redeeming(code string, pairs ...string) url.Values {
	return form(url.Values{"grant_type": {"authorization_code"}, "client_id": {publicApp}, "code": {code}, "redirect_uri": {loopback}, "code_verifier": {verifier}}, pairs...)
}

// browse returns what the browser would post.
func (w *world) browse(address string) (response, url.Values) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), "GET", address, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	r := w.send(req)
	_, fields := readForm(string(r.body))
	return r, fields
}

// A code is good once, for who has its verifier. The token has the permissions, and no others.
func TestAuthorizationCode(t *testing.T) {
	t.Parallel()
	w := visitedWorld(t, Options{})
	_, fields := w.browse(authorizing())
	code := fields.Get("code")
	if fields.Get("state") != "s<>" {
		t.Errorf("fields %v", fields)
	}
	for _, wrong := range [][]string{{"code_verifier", "another"}, {"redirect_uri", loopback + "0"}, {"client_id", testApp}, {"code", "x"}, {"grant_type", "device_code"}} {
		w.want(w.postForm(tokenURL, redeeming(code, wrong...)), http.StatusBadRequest, "70000")
	}
	token := w.tokenFrom(w.postForm(tokenURL, redeeming(code)))
	w.want(w.postForm(tokenURL, redeeming(code)), http.StatusBadRequest, "70000")
	w.want(w.send(w.requestAs(token, "GET", "/me", "")), http.StatusOK, "")
	w.want(w.send(w.requestAs(token, "GET", "/domains", "")), http.StatusForbidden, "Authorization_RequestDenied")
	w.want(w.send(w.requestAs(w.token(), "GET", "/me", "")), http.StatusBadRequest, "BadRequest")
	w.want(w.postForm(tokenURL, redeeming(code, "grant_type", "password")), http.StatusBadRequest, "70003")
}

// What Entra does not grant, it tells the app, but for a redirect that it does not trust.
func TestAuthorizeRefusals(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change []string
		code   string // of the page
		told   string // to the app
	}{
		"foreign redirect": {[]string{"redirect_uri", "https://evil.example"}, "50011", ""},
		"no challenge":     {[]string{"code_challenge", ""}, "900144", ""},
		"no consent":       {[]string{"scope", "https://graph.microsoft.com/User.ReadWrite.All"}, "", "AADSTS65001"},
		"other cloud":      {[]string{"scope", "https://graph.microsoft.us/User.Read.All"}, "", "AADSTS500011"},
		"no public client": {[]string{"client_id", testApp}, "", "AADSTS700016"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := visitedWorld(t, Options{})
			r, fields := w.browse(authorizing(tt.change...))
			if r.code() != tt.code || !strings.HasPrefix(fields.Get("error_description"), tt.told) || fields.Has("code") {
				t.Errorf("page %q, fields %v", r.code(), fields)
			}
		})
	}
}

// A refresh token gives new tokens until the person's sessions are revoked.
func TestRefreshToken(t *testing.T) {
	t.Parallel()
	clock := newClock()
	w := visitedWorld(t, Options{Now: clock.now})
	_, fields := w.browse(authorizing())
	var got personResponse
	if err := json.Unmarshal(w.postForm(tokenURL, redeeming(fields.Get("code"))).body, &got); err != nil {
		t.Fatal(err)
	}
	refresh := redeeming("", "grant_type", "refresh_token", "refresh_token", got.RefreshToken)
	clock.advance(2 * time.Hour)
	w.tokenFrom(w.postForm(tokenURL, refresh))
	w.want(w.call("POST", "/users/"+testUser+"/revokeSignInSessions", ""), http.StatusOK, "")
	w.want(w.postForm(tokenURL, refresh), http.StatusBadRequest, "50173")
}

// Device codes wait for the person, who may decline.
func TestDeviceCodes(t *testing.T) {
	t.Parallel()
	clock := newClock()
	w := visitedWorld(t, Options{Now: clock.now})
	begin := func(pairs ...string) (user string, redeem url.Values) {
		r := w.postForm(strings.TrimSuffix(tokenURL, "token")+"devicecode", form(url.Values{"client_id": {publicApp}, "scope": {readScope}}, pairs...))
		var got struct {
			User   string `json:"user_code"`
			Device string `json:"device_code"`
		}
		if err := json.Unmarshal(r.body, &got); err != nil {
			t.Fatal(err)
		}
		return got.User, url.Values{"grant_type": {"device_code"}, "client_id": {publicApp}, "device_code": {got.Device}}
	}
	user, redeem := begin()
	w.want(w.postForm(tokenURL, redeem), http.StatusBadRequest, "70016")
	if w.EnterDeviceCode("x", true) || !w.EnterDeviceCode(user, true) || w.EnterDeviceCode(user, true) {
		t.Error("codes are entered otherwise")
	}
	w.tokenFrom(w.postForm(tokenURL, redeem))
	user, redeem = begin()
	w.EnterDeviceCode(user, false)
	if r := w.postForm(tokenURL, redeem); !strings.Contains(string(r.body), "authorization_declined") {
		t.Errorf("declined: %s", r.body)
	}
	_, redeem = begin()
	clock.advance(deviceLife + time.Second)
	w.want(w.postForm(tokenURL, redeem), http.StatusBadRequest, "70000")
	if user, _ := begin("scope", "openid"); user != "" {
		t.Error("a code for nothing")
	}
}

// Browse posts what Entra answers, and fails where that is no form.
func TestBrowse(t *testing.T) {
	t.Parallel()
	posted := make(chan url.Values, 1)
	app := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		posted <- r.PostForm
	}))
	defer app.Close()
	w := visitedWorld(t, Options{})
	address := authorizing("redirect_uri", strings.Replace(app.URL, "127.0.0.1", "localhost", 1))
	if err := Browse(t.Context(), w, address); err != nil || (<-posted).Get("code") == "" {
		t.Errorf("browsed: %v", err)
	}
	if err := Browse(t.Context(), w, authorizing("redirect_uri", "x")); err == nil {
		t.Error("no error without a form")
	}
	if err := Browse(t.Context(), newWorld(t, Options{}), address); err == nil {
		t.Error("no error without a person")
	}
}
