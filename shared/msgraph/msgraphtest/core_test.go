package msgraphtest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// Names that the tests of the core share.
const (
	testTenant = "84bd8158-6d4d-4958-8b9f-9d6445542f95"
	testApp    = "9a3d526c-b3c1-4479-ba74-197b5c5751ae"
	testSecret = "correct horse battery staple"
	testUser   = "0b7e5a0c-6f0e-4a1b-9c55-1d7f7f1f0a01"
)

// world is a server with one tenant, one app and one user in a federated domain.
type world struct {
	*Server
	t      *testing.T
	tenant *Tenant
	app    *App
}

func newWorld(t *testing.T, o Options) *world {
	t.Helper()
	s := New(o)
	t.Cleanup(s.Close)
	tenant := s.AddTenant(TenantOptions{ID: testTenant, Domains: []Domain{{Name: "example.co.jp", Federated: true}}})
	app := tenant.AddApp(AppOptions{
		ID: testApp, Secrets: []Secret{{Text: testSecret}},
		Permissions: []string{"User.Read.All", "User.RevokeSessions.All", "Domain.Read.All"},
	})
	tenant.AddUser(NewUser{ID: testUser, UPN: "hanako@example.co.jp"})
	return &world{Server: s, t: t, tenant: tenant, app: app}
}

// response is an answer, read.
type response struct {
	*http.Response
	body []byte
}

// code is Graph's error code or, of the token endpoint, the first number.
func (r response) code() string {
	var e struct {
		Error json.RawMessage
		Codes []json.Number `json:"error_codes"`
	}
	json.Unmarshal(r.body, &e)
	if len(e.Codes) > 0 {
		return e.Codes[0].String()
	}
	var detail struct{ Code string }
	json.Unmarshal(e.Error, &detail)
	return detail.Code
}

func (w *world) send(req *http.Request) response {
	w.t.Helper()
	resp, err := w.RoundTrip(req)
	if err != nil {
		w.t.Fatal(err)
	}
	return readResponse(w.t, resp)
}

func readResponse(t *testing.T, resp *http.Response) response {
	t.Helper()
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response{resp, body}
}

// request makes a call of Graph with the world's token.
func (w *world) request(method, path, body string) *http.Request {
	w.t.Helper()
	return w.requestAs(w.token(), method, path, body)
}

func (w *world) requestAs(token, method, path, body string) *http.Request {
	w.t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(w.t.Context(), method, "https://graph.microsoft.com/v1.0"+path, reader)
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	return req
}

func (w *world) call(method, path, body string) response {
	w.t.Helper()
	return w.send(w.request(method, path, body))
}

const tokenURL = "https://login.microsoftonline.com/" + testTenant + "/oauth2/v2.0/token"

// secretForm is a good token request with the secret, changed by pairs of name
// and value; an empty value takes the parameter away.
func secretForm(pairs ...string) url.Values {
	form := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {testApp},
		"client_secret": {testSecret}, "scope": {"https://graph.microsoft.com/.default"},
	}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
		if pairs[i+1] == "" {
			form.Del(pairs[i])
		}
	}
	return form
}

func (w *world) postForm(address string, form url.Values) response {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), "POST", address, strings.NewReader(form.Encode()))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return w.send(req)
}

// token gets an access token.
func (w *world) token() string {
	w.t.Helper()
	return w.tokenFrom(w.postForm(tokenURL, secretForm()))
}

func (w *world) tokenFrom(r response) string {
	w.t.Helper()
	var got tokenResponse
	if err := json.Unmarshal(r.body, &got); err != nil || r.StatusCode != http.StatusOK {
		w.t.Fatalf("token endpoint: %d %s", r.StatusCode, r.body)
	}
	return got.AccessToken
}

// want checks status and code of an answer.
func (w *world) want(r response, status int, code string) {
	w.t.Helper()
	if r.StatusCode != status || r.code() != code {
		w.t.Errorf("answered %d %q, want %d %q\n%s", r.StatusCode, r.code(), status, code, r.body)
	}
}

// clock is a calendar that tests turn.
type clock struct{ at time.Time }

func newClock() *clock { return &clock{time.Date(2026, 5, 24, 22, 24, 30, 0, time.UTC)} }

func (c *clock) now() time.Time          { return c.at }
func (c *clock) advance(d time.Duration) { c.at = c.at.Add(d) }

func trimmed(b []byte) string { return string(bytes.TrimSpace(b)) }
