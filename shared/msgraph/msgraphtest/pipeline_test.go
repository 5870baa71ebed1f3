package msgraphtest

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestDispatchRefusals(t *testing.T) {
	t.Parallel()
	revoke := "/users/" + testUser + "/revokeSignInSessions"
	tests := []struct {
		name         string
		method, path string
		body         string
		header       http.Header
		status       int
		code         string
	}{
		{name: "unknown segment", method: "GET", path: "/nothing", status: 400, code: "BadRequest"},
		{name: "unknown below a known one", method: "GET", path: "/users/" + testUser + "/nothing", status: 400, code: "BadRequest"},
		{name: "version twice", method: "GET", path: "/v1.0/users", status: 400, code: "BadRequest"},
		{name: "wrong method", method: "GET", path: revoke, status: 405, code: "Request_BadRequest"},
		{name: "no permission", method: "DELETE", path: "/users/" + testUser, status: 403, code: "Authorization_RequestDenied"},
		{name: "body without type", method: "POST", path: revoke, body: "{}", header: http.Header{"Content-Type": {""}}, status: 400, code: "Request_BadRequest"},
		{name: "body of another type", method: "POST", path: revoke, body: "{}", header: http.Header{"Content-Type": {"text/plain"}}, status: 415, code: "Request_BadRequest"},
		{name: "bad escape in the query", method: "GET", path: "/users?$select=%zz", status: 400, code: "BadRequest"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, Options{})
			req := w.request(test.method, test.path, test.body)
			for name, values := range test.header {
				req.Header[name] = values
			}
			w.want(w.send(req), test.status, test.code)
		})
	}
}

func TestAnswerNamesTheCall(t *testing.T) {
	t.Parallel()
	at := newClock()
	w := newWorld(t, Options{Now: at.now})
	req := w.request("GET", "/nothing", "")
	req.Header.Set("client-request-id", "11111111-2222-4333-8444-555555555555")
	got := w.send(req)
	id := got.Header.Get("request-id")
	want := `{"error":{"code":"BadRequest","message":"Resource not found for the segment 'nothing'.",` +
		`"innerError":{"date":"2026-05-24T22:24:30","request-id":"` + id + `",` +
		`"client-request-id":"11111111-2222-4333-8444-555555555555"}}}`
	if diff := cmp.Diff(want, trimmed(got.body)); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
	if id == "" || got.Header.Get("client-request-id") != "11111111-2222-4333-8444-555555555555" {
		t.Errorf("headers don't name the call: %v", got.Header)
	}
	if got.Request != req {
		t.Error("the response is not of its request")
	}
}

func TestBetaIsAViolation(t *testing.T) {
	t.Parallel()
	var reported []string
	w := newWorld(t, Options{Violation: func(v string) { reported = append(reported, v) }})
	req := w.request("GET", "/users", "")
	req.URL.Path = "/beta/users"
	w.want(w.send(req), http.StatusNotFound, "BadRequest")
	want := []string{"the beta version of Graph was called: GET /beta/users"}
	if diff := cmp.Diff(want, w.Violations()); diff != "" {
		t.Errorf("violations (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, reported); diff != "" {
		t.Errorf("reported (-want +got):\n%s", diff)
	}
	req.URL.Path = "/v2.0/users"
	w.want(w.send(req), http.StatusBadRequest, "BadRequest")
}

func TestCountsAndRecord(t *testing.T) {
	t.Parallel()
	at := newClock()
	var seen []Request
	w := newWorld(t, Options{Now: at.now, Record: func(r Request) { seen = append(seen, r) }})
	token := w.token()
	at.advance(time.Minute)
	w.want(w.send(w.requestAs(token, "POST", "/users/"+testUser+"/revokeSignInSessions", "")), 200, "")
	w.want(w.send(w.requestAs(token, "GET", "/nothing?a=b", "")), 400, "BadRequest")

	if want := (Counts{HTTP: 2, Writes: 1}); w.Counts() != want {
		t.Errorf("counted %+v, want %+v", w.Counts(), want)
	}
	wantSeen := []Request{
		{Time: at.at.Add(-time.Minute), Tenant: testTenant, App: testApp, Method: "POST", Host: "login.microsoftonline.com",
			Path: "/" + testTenant + "/oauth2/v2.0/token", Status: 200, Token: true},
		{Time: at.at, Tenant: testTenant, App: testApp, Method: "POST", Host: "graph.microsoft.com",
			Path: "/users/" + testUser + "/revokeSignInSessions", Status: 200, Wrote: true},
		{Time: at.at, Tenant: testTenant, App: testApp, Method: "GET", Host: "graph.microsoft.com",
			Path: "/nothing", Query: "a=b", Status: 400, Code: "BadRequest"},
	}
	if diff := cmp.Diff(wantSeen, seen); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
}
