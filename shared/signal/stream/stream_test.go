package stream_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/signal/stream"
)

const (
	endpoint = "https://api.example/idp/0123456789abcdef0123456789abcdef"
	secret   = "a-secret-of-at-least-24-bytes"
)

var start = time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC)

// answer is what a transmitter says to one call.
type answer struct {
	status int
	body   string
	header http.Header
}

// transmitter plays back answers by "METHOD path?query", and notes the calls with their
// bodies. {base} stands for its own address.
type transmitter struct {
	*httptest.Server
	answers map[string]answer
	calls   []string
}

func play(t *testing.T, answers map[string]answer) *transmitter {
	t.Helper()
	p := &transmitter{answers: answers}
	p.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		call := r.Method + " " + r.URL.RequestURI()
		body, _ := io.ReadAll(r.Body)
		p.calls = append(p.calls, strings.TrimSpace(call+" "+string(body)))
		a, ok := p.answers[call]
		if !ok {
			a.status = http.StatusNotFound
		}
		if strings.HasPrefix(r.URL.Path, "/ssf") && r.Header.Get("Authorization") != "Bearer token" {
			a = answer{status: http.StatusUnauthorized}
		}
		for name, values := range a.header {
			w.Header()[name] = values
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(a.status)
		_, _ = io.WriteString(w, strings.ReplaceAll(a.body, "{base}", p.URL))
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *transmitter) stream() signal.Stream {
	return signal.Stream{
		Provider: signal.OtherSSF, Issuer: p.URL, ConfigurationEndpoint: p.URL + "/ssf/stream",
		StatusEndpoint: p.URL + "/ssf/status", VerificationEndpoint: p.URL + "/ssf/verify",
	}
}

func (p *transmitter) manager() stream.Manager {
	return stream.Manager{HTTP: p.Client(), Now: func() time.Time { return start }}
}

// earlier is the secret before.
const earlier = "another-secret-of-24-bytes-or-more"

var credential = signal.Credential{Secrets: []string{secret, earlier}, Token: "token"}

const (
	events = `["https://schemas.openid.net/secevent/caep/event-type/credential-change",` +
		`"https://schemas.openid.net/secevent/risc/event-type/account-disabled",` +
		`"https://schemas.openid.net/secevent/risc/event-type/account-purged"]`
	ours      = `"events_requested":` + events + `,"delivery":{"method":"urn:ietf:rfc:8935","endpoint_url":"` + endpoint + `","authorization_header":"` + secret + `"},"description":"sessionstamp: changed passwords and disabled users"}`
	made      = `{"stream_id":"s 1","iss":"{base}","aud":"us","events_supported":` + events + `,"events_requested":` + events + `,"delivery":{"method":"urn:ietf:rfc:8935","endpoint_url":"` + endpoint + `"},"inactivity_timeout":1800}`
	elsewhere = `{"stream_id":"s 1","iss":"{base}","aud":["us","we"],"delivery":{"endpoint_url":"https://api.example/idp/old"}}`
)

// old is a stream that has the earlier secret.
var old = strings.Replace(made, `"endpoint_url"`, `"authorization_header":"`+earlier+`","endpoint_url"`, 1)

// known is a stream that was made before.
func known(s *signal.Stream) {
	s.ID, s.Audiences, s.Given, s.Asked = "s 1", []string{"us"}, "old", start
}

// A run of the keeper is what the transmitter answers, and what is called, in which order, and
// with which bodies.
type run struct {
	change  func(*signal.Stream)
	answers map[string]answer
	calls   []string
	problem stream.Problem
}

// keep runs the keeper. Without a problem, what is to be stored has all that a stream needs,
// and no secret.
func (r run) keep(t *testing.T) {
	t.Helper()
	p := play(t, r.answers)
	s := p.stream()
	if r.change != nil {
		r.change(&s)
	}
	got, err := p.manager().Keep(t.Context(), endpoint, s, credential)
	if diff := cmp.Diff(r.calls, p.calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	e, _ := errors.AsType[*stream.Error](err)
	if r.problem != "" && (e == nil || e.Problem != r.problem || strings.Contains(e.Error(), secret)) || r.problem == "" && err != nil {
		t.Fatalf("%v, want %s", err, r.problem)
	}
	if r.problem != "" || s.ConfigurationEndpoint == "" {
		return
	}
	if text, err := json.Marshal(got); err != nil || got.ID == "" || got.Audiences[0] != "us" || got.Given == s.Given || strings.Contains(string(text), secret) {
		t.Errorf("to be stored: %s, %v", text, err)
	}
}

// The ways to a stream that delivers to us, where the transmitter manages any.
func TestKeep(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]run{
		"made": {nil, map[string]answer{
			"GET /ssf/stream": {200, `[]`, nil}, "POST /ssf/stream": {201, made, nil}, "GET /ssf/status?stream_id=s+1": {200, `{"status":"enabled"}`, nil},
		}, []string{"GET /ssf/stream", "POST /ssf/stream {" + ours, "GET /ssf/status?stream_id=s+1"}, ""},
		"another source of ours has one": {nil, map[string]answer{
			"GET /ssf/stream": {200, "[" + elsewhere + "]", nil}, "POST /ssf/stream": {201, strings.Replace(made, "s 1", "2", 1), nil},
		}, []string{"GET /ssf/stream", "POST /ssf/stream {" + ours, "GET /ssf/status?stream_id=2"}, ""},
		"adopted": {nil, map[string]answer{"GET /ssf/stream": {200, made, nil}, "PATCH /ssf/stream": {200, made, nil}},
			[]string{"GET /ssf/stream", `PATCH /ssf/stream {"stream_id":"s 1",` + ours, "GET /ssf/status?stream_id=s+1"}, ""},
		"deleted there, resumed": {known, map[string]answer{
			"GET /ssf/stream": {200, `[]`, nil}, "POST /ssf/stream": {201, made, nil},
			"GET /ssf/status?stream_id=s+1": {200, `{"status":"paused"}`, nil}, "POST /ssf/status": {200, `{"status":"enabled"}`, nil}, "POST /ssf/verify": {204, ``, nil},
		}, []string{
			"GET /ssf/stream?stream_id=s+1", "GET /ssf/stream", "POST /ssf/stream {" + ours, "GET /ssf/status?stream_id=s+1",
			`POST /ssf/status {"stream_id":"s 1","status":"enabled"}`,
			`POST /ssf/verify {"stream_id":"s 1","state":"` + credential.State() + `"}`,
		}, ""},
		"can neither be read nor changed": {known, map[string]answer{
			"GET /ssf/stream?stream_id=s+1": {405, ``, nil}, "PATCH /ssf/stream": {405, ``, nil}, "DELETE /ssf/stream?stream_id=s+1": {204, ``, nil},
			"POST /ssf/stream": {201, `{"stream_id":"2","iss":"{base}","aud":["us"]}`, nil},
		}, []string{
			"GET /ssf/stream?stream_id=s+1", `PATCH /ssf/stream {"stream_id":"s 1",` + ours, "DELETE /ssf/stream?stream_id=s+1",
			"POST /ssf/stream {" + ours, "GET /ssf/status?stream_id=2",
		}, ""},
		"keeps an earlier secret": {known, map[string]answer{
			"GET /ssf/stream?stream_id=s+1": {200, made, nil}, "PATCH /ssf/stream": {200, old, nil},
			"DELETE /ssf/stream?stream_id=s+1": {204, ``, nil}, "POST /ssf/stream": {201, strings.Replace(made, "s 1", "2", 1), nil},
		}, []string{
			"GET /ssf/stream?stream_id=s+1", `PATCH /ssf/stream {"stream_id":"s 1",` + ours, "DELETE /ssf/stream?stream_id=s+1",
			"POST /ssf/stream {" + ours, "GET /ssf/status?stream_id=2",
		}, ""},
		"authentik": {func(s *signal.Stream) {
			s.Provider, s.Method, s.StatusEndpoint, s.VerificationEndpoint = signal.Authentik, "https://schemas.openid.net/secevent/risc/delivery-method/push", "", ""
		}, map[string]answer{"GET /ssf/stream": {405, ``, nil}, "POST /ssf/stream": {201, `{"stream_id":"2","iss":"{base}","aud":["us"]}`, nil}}, []string{
			"GET /ssf/stream", "POST /ssf/stream " + `{"events_requested":["https://schemas.openid.net/secevent/caep/event-type/credential-change"],` +
				`"delivery":{"method":"https://schemas.openid.net/secevent/risc/delivery-method/push","endpoint_url":"` + endpoint + `","authorization_header":"` + secret + `"},` +
				`"description":"sessionstamp: changed passwords and disabled users","format":"iss_sub","aud":["` + endpoint + `"]}`,
		}, ""},
		"no management API": {func(s *signal.Stream) { s.ConfigurationEndpoint = "" }, nil, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r.keep(t)
		})
	}
}

// What can be wrong, and what is called until that is known.
func TestKeepProblems(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]run{
		"the only one is somebody else's": {nil, map[string]answer{
			"GET /ssf/stream": {200, `[{"stream_id":"2","delivery":{"endpoint_url":"https://other.example"}}]`, nil}, "POST /ssf/stream": {409, ``, nil},
		}, []string{"GET /ssf/stream", "POST /ssf/stream {" + ours, "GET /ssf/stream"}, stream.Occupied},
		"cannot reach us": {func(s *signal.Stream) { known(s); s.Asked = time.Time{} }, map[string]answer{
			"GET /ssf/stream?stream_id=s+1": {200, made, nil}, "PATCH /ssf/stream": {200, made, nil}, "POST /ssf/verify": {400, secret, nil},
		}, []string{
			"GET /ssf/stream?stream_id=s+1", `PATCH /ssf/stream {"stream_id":"s 1",` + ours, "GET /ssf/status?stream_id=s+1",
			`POST /ssf/verify {"stream_id":"s 1","state":"` + credential.State() + `"}`,
		}, stream.NotDelivered},
		"another issuer's": {nil, map[string]answer{"GET /ssf/stream": {200, strings.Replace(made, `"iss":"{base}"`, `"iss":"https://evil.example"`, 1), nil}},
			[]string{"GET /ssf/stream"}, stream.OtherIssuer},
		"an empty audience": {nil, map[string]answer{"GET /ssf/stream": {404, ``, nil}, "POST /ssf/stream": {201, `{"stream_id":"2","aud":["us",""]}`, nil}},
			[]string{"GET /ssf/stream", "POST /ssf/stream {" + ours}, stream.Unreadable},
		"the update did not help": {known, map[string]answer{"GET /ssf/stream?stream_id=s+1": {200, made, nil},
			"PATCH /ssf/stream": {200, `{"stream_id":"s 1","aud":"us","delivery":{"endpoint_url":"https://other.example"}}`, nil},
		}, []string{"GET /ssf/stream?stream_id=s+1", `PATCH /ssf/stream {"stream_id":"s 1",` + ours}, stream.NotAccepted},
		"a new stream has the earlier secret": {nil, map[string]answer{
			"GET /ssf/stream": {404, ``, nil}, "POST /ssf/stream": {201, old, nil}, "PATCH /ssf/stream": {200, old, nil}, "DELETE /ssf/stream?stream_id=s+1": {204, ``, nil},
		}, []string{
			"GET /ssf/stream", "POST /ssf/stream {" + ours, `PATCH /ssf/stream {"stream_id":"s 1",` + ours, "DELETE /ssf/stream?stream_id=s+1", "POST /ssf/stream {" + ours,
		}, stream.NotAccepted},
		"paused and can't be resumed": {func(s *signal.Stream) { s.StatusEndpoint, s.Status = "", "paused" }, map[string]answer{"GET /ssf/stream": {404, ``, nil}, "POST /ssf/stream": {201, made, nil}},
			[]string{"GET /ssf/stream", "POST /ssf/stream {" + ours}, stream.NotEnabled},
		"stays paused": {nil, map[string]answer{
			"GET /ssf/stream": {404, ``, nil}, "POST /ssf/stream": {201, made, nil}, "GET /ssf/status?stream_id=s+1": {200, `{"status":"paused"}`, nil},
		}, []string{"GET /ssf/stream", "POST /ssf/stream {" + ours, "GET /ssf/status?stream_id=s+1", `POST /ssf/status {"stream_id":"s 1","status":"enabled"}`}, stream.NotEnabled},
		"the token has expired":   {known, map[string]answer{"GET /ssf/stream?stream_id=s+1": {401, secret, nil}}, []string{"GET /ssf/stream?stream_id=s+1"}, stream.NotAllowed},
		"it is down":              {known, map[string]answer{"GET /ssf/stream?stream_id=s+1": {502, secret, nil}}, []string{"GET /ssf/stream?stream_id=s+1"}, stream.Unavailable},
		"it answers a page":       {known, map[string]answer{"GET /ssf/stream?stream_id=s+1": {200, `<html>`, nil}}, []string{"GET /ssf/stream?stream_id=s+1"}, stream.Unreadable},
		"it leads elsewhere":      {known, map[string]answer{"GET /ssf/stream?stream_id=s+1": {302, ``, http.Header{"Location": {"/ssf/stream"}}}}, []string{"GET /ssf/stream?stream_id=s+1"}, stream.NotAccepted},
		"a token in clear text":   {func(s *signal.Stream) { s.ConfigurationEndpoint = "http://idp.example/" }, nil, nil, stream.NotSecure},
		"it does not take events": {nil, map[string]answer{"GET /ssf/stream": {404, ``, nil}, "POST /ssf/stream": {400, ``, nil}}, []string{"GET /ssf/stream", "POST /ssf/stream {" + ours}, stream.NotAccepted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r.keep(t)
		})
	}
}

// A client's secret is exchanged for a token.
func TestClientCredentials(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		token   answer
		problem stream.Problem
	}{
		"a token":          {answer{200, `{"access_token":"token","token_type":"Bearer"}`, nil}, stream.Unavailable},
		"refused":          {answer{401, `{"error":"` + secret + `"}`, nil}, stream.NoToken},
		"nothing readable": {answer{200, secret, nil}, stream.NoToken},
		"down":             {answer{503, ``, nil}, stream.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := play(t, map[string]answer{"POST /token": tt.token, "GET /ssf/stream": {429, ``, nil}})
			s := p.stream()
			s.TokenEndpoint, s.Scope = p.URL+"/token", "ssf.read ssf.manage"
			_, err := p.manager().Keep(t.Context(), endpoint, s, signal.Credential{Secrets: []string{secret}, ClientID: "us", ClientSecret: "hunter2"})
			e, _ := errors.AsType[*stream.Error](err)
			if e == nil || e.Problem != tt.problem || strings.Contains(e.Error(), secret) || strings.Contains(e.Error(), "hunter2") {
				t.Errorf("%v", err)
			}
			if p.calls[0] != "POST /token grant_type=client_credentials&scope=ssf.read+ssf.manage" {
				t.Errorf("called %v", p.calls)
			}
		})
	}
}

func TestRemove(t *testing.T) {
	t.Parallel()
	for name, status := range map[string]int{"deleted": 204, "gone already": 404} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := play(t, map[string]answer{"DELETE /ssf/stream?stream_id=1": {status, ``, nil}})
			s := p.stream()
			s.ID = "1"
			if err := p.manager().Remove(t.Context(), s, credential); err != nil || len(p.calls) != 1 {
				t.Errorf("%v after %v", err, p.calls)
			}
			credential := signal.Credential{Secrets: []string{secret}}
			if err := p.manager().Remove(t.Context(), s, credential); err == nil || len(p.calls) != 1 {
				t.Errorf("without a token: %v after %v", err, p.calls)
			}
		})
	}
}

func TestDiscover(t *testing.T) {
	t.Parallel()
	const good = `{"spec_version":"1_0","issuer":"{base}/realms/r","jwks_uri":"{base}/keys","configuration_endpoint":"{base}/ssf/stream",` +
		`"delivery_methods_supported":["urn:ietf:rfc:8935"],"default_subjects":"NONE","critical_subject_members":["user"]}`
	const inserted, behind = "GET /.well-known/ssf-configuration/realms/r", "GET /realms/r/.well-known/ssf-configuration"
	for name, tt := range map[string]struct {
		answers map[string]answer
		problem stream.Problem
		method  string
		token   bool
	}{
		"between host and path": {map[string]answer{inserted: {200, good, nil}}, "", "urn:ietf:rfc:8935", false},
		"behind the path, with tokens": {map[string]answer{behind: {200, good, nil},
			"GET /realms/r/.well-known/openid-configuration": {200, `{"issuer":"{base}/realms/r","token_endpoint":"{base}/token"}`, nil}}, "", "urn:ietf:rfc:8935", true},
		"another issuer's tokens": {map[string]answer{behind: {200, good, nil},
			"GET /realms/r/.well-known/openid-configuration": {200, `{"issuer":"{base}/evil","token_endpoint":"{base}/token"}`, nil}}, "", "urn:ietf:rfc:8935", false},
		"an older name of push": {map[string]answer{inserted: {200, strings.NewReplacer("1_0", "1_0-ID2", "urn:ietf:rfc:8935", "https://schemas.openid.net/secevent/risc/delivery-method/push").Replace(good), nil}}, "", "https://schemas.openid.net/secevent/risc/delivery-method/push", false},
		"none":                  {nil, stream.NoMetadata, "", false},
		"a page":                {map[string]answer{inserted: {200, `<html>`, nil}}, stream.NoMetadata, "", false},
		"down":                  {map[string]answer{inserted: {503, ``, nil}, behind: {200, good, nil}}, stream.Unavailable, "", false},
		"another issuer":        {map[string]answer{inserted: {200, strings.Replace(good, "/realms/r", "", 1), nil}}, stream.OtherIssuer, "", false},
		"poll only":             {map[string]answer{inserted: {200, strings.Replace(good, "8935", "8936", 1), nil}}, stream.NoPush, "", false},
		"keys in clear text":    {map[string]answer{inserted: {200, strings.Replace(good, `"{base}/keys`, `"http://idp.example/keys`, 1), nil}}, stream.NotSecure, "", false},
		"no keys":               {map[string]answer{inserted: {200, strings.Replace(good, "jwks_uri", "jwks", 1), nil}}, stream.NoMetadata, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := play(t, tt.answers)
			s, err := stream.Discover(t.Context(), p.Client(), p.URL+"/realms/r")
			e, _ := errors.AsType[*stream.Error](err)
			if tt.problem != "" && (e == nil || e.Problem != tt.problem) || tt.problem == "" && err != nil {
				t.Fatalf("%v, want %s", err, tt.problem)
			}
			if tt.problem != "" {
				return
			}
			want := signal.Stream{
				Provider: signal.Keycloak, Issuer: p.URL + "/realms/r", KeysURI: p.URL + "/keys", Critical: []string{"user"},
				Subjects: "NONE", Method: tt.method, ConfigurationEndpoint: p.URL + "/ssf/stream",
			}
			if tt.token {
				want.TokenEndpoint, want.Scope = p.URL+"/token", "ssf.read ssf.manage"
			}
			if diff := cmp.Diff(want, s); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if _, err := stream.Discover(t.Context(), new(http.Client), "http://idp.example"); err == nil {
		t.Error("metadata was read in clear text")
	}
}
