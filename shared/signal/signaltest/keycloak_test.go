//go:build keycloak

package signaltest_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/signal/signaltest"
)

// What Keycloak does is what the stand-in does with its profile: the same statuses to the
// same calls, and SETs of the same shape. KEYCLOAK_HOME is an unpacked distribution:
//
//	mvn dependency:copy -Dartifact=org.keycloak:keycloak-quarkus-dist:26.7.3:zip -DoutputDirectory=.
//	KEYCLOAK_HOME=$PWD/keycloak-26.7.3 go test -tags keycloak ./shared/signal/signaltest
func TestProfileIsAsKeycloak(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	scratch := t.TempDir()
	k, err := signaltest.StartKeycloak(ctx, os.Getenv("KEYCLOAK_HOME"), scratch) //nolint:forbidigo // the other packages of ./... would know no flag
	if err != nil {
		log, _ := os.ReadFile(scratch + "/keycloak.log")
		t.Fatalf("%v\n%s", err, log)
	}
	defer k.Close()
	s := newSink(t)
	realm, err := k.Realm(ctx, "acme", s.server.URL+"/")
	if err != nil {
		t.Fatal(err)
	}
	theirs := &scenario{t: t, ctx: ctx, client: k.Client(), issuer: realm.Issuer, tokenURL: realm.TokenURL, id: realm.ClientID, secret: realm.ClientSecret, sink: s}
	theirs.play(func() {
		if err := realm.ChangePassword(ctx, "Pa55word!"); err != nil {
			t.Error(err)
		}
	})

	s = newSink(t)
	tr := signaltest.New(signaltest.Options{Issuer: "https://idp.example.com/realms/acme", Profile: signaltest.Keycloak, MinVerification: time.Minute, Push: s.server.Client().Transport})
	go tr.Run(ctx)
	ours := &scenario{t: t, ctx: ctx, client: tr.Client(), issuer: tr.Issuer(), tokenURL: tr.TokenURL(), id: signaltest.ClientID, secret: signaltest.ClientSecret, sink: s}
	ours.play(func() {
		tr.Emit(signaltest.PasswordChanged(signaltest.Email(realm.Email), time.Now()))
	})
	if diff := cmp.Diff(theirs.statuses, ours.statuses); diff != "" {
		t.Errorf("the statuses differ (-Keycloak +ours):\n%s", diff)
	}
	if diff := cmp.Diff(theirs.shapes, ours.shapes); diff != "" {
		t.Errorf("the SETs differ (-Keycloak +ours):\n%s", diff)
	}
}

// sink takes what is pushed.
type sink struct {
	server *httptest.Server
	tokens chan string
}

func newSink(t *testing.T) *sink {
	s := &sink{tokens: make(chan string, 100)}
	s.server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Header.Get("Authorization") != "Bearer push" {
			t.Errorf("pushed with %v: %v", r.Header, err)
		}
		s.tokens <- string(body)
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(s.server.Close)
	return s
}

// A scenario is the same for both.
type scenario struct {
	t                            *testing.T
	ctx                          context.Context // a scenario is one call
	client                       *http.Client
	issuer, tokenURL, id, secret string
	sink                         *sink
	token                        string
	statuses                     []int
	shapes                       map[string]any // header and claims by event type and status
}

func (s *scenario) play(changePassword func()) {
	s.t.Helper()
	issuer, err := url.Parse(s.issuer)
	if err != nil {
		s.t.Fatal(err)
	}
	issuer.Path = "/.well-known/ssf-configuration" + issuer.Path
	meta := s.call("GET", issuer.String(), nil)
	s.authorize()
	at := func(name string) string { return meta[name].(string) }
	stream := map[string]any{"events_requested": []string{signaltest.TypeCredentialChange}, "delivery": map[string]string{
		"method": "urn:ietf:rfc:8935", "endpoint_url": s.sink.server.URL + "/idp/1", "authorization_header": "Bearer push"}}
	made := s.call("POST", at("configuration_endpoint"), stream)
	s.call("POST", at("configuration_endpoint"), stream)
	id := made["stream_id"].(string)
	query := "?stream_id=" + id
	s.call("GET", at("configuration_endpoint")+query, nil)
	s.call("GET", at("configuration_endpoint")+"?stream_id=other", nil)
	s.call("PATCH", at("configuration_endpoint"), map[string]any{"stream_id": id, "description": "d"})
	s.call("POST", at("verification_endpoint"), map[string]any{"stream_id": id, "state": "abc"})
	s.call("POST", at("verification_endpoint"), map[string]any{"stream_id": id, "state": "abc"})
	s.call("POST", at("status_endpoint"), map[string]any{"stream_id": id, "status": "paused", "reason": "tea"})
	s.call("POST", at("status_endpoint"), map[string]any{"stream_id": id, "status": "enabled"})
	changePassword()
	s.collect("verification", "stream-updated paused", "stream-updated enabled", "credential-change")
	s.call("GET", at("status_endpoint")+query, nil)
	s.call("DELETE", at("configuration_endpoint")+query, nil)
	s.call("GET", at("configuration_endpoint")+query, nil)
}

func (s *scenario) authorize() {
	s.t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {"ssf.read ssf.manage"}}
	r, err := http.NewRequestWithContext(s.ctx, http.MethodPost, s.tokenURL, strings.NewReader(form.Encode()))
	if err != nil {
		s.t.Fatal(err)
	}
	r.SetBasicAuth(url.QueryEscape(s.id), url.QueryEscape(s.secret))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	s.token = s.do(r)["access_token"].(string)
}

func (s *scenario) call(method, where string, body any) map[string]any {
	s.t.Helper()
	text := ""
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			s.t.Fatal(err)
		}
		text = string(b)
	}
	r, err := http.NewRequestWithContext(s.ctx, method, where, strings.NewReader(text))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.token)
	if text != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return s.do(r)
}

func (s *scenario) do(r *http.Request) map[string]any {
	s.t.Helper()
	got, err := s.client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer got.Body.Close()
	s.statuses = append(s.statuses, got.StatusCode)
	var said map[string]any
	if err := json.NewDecoder(got.Body).Decode(&said); err != nil && got.StatusCode < 204 {
		s.t.Fatalf("%s %s: %d %v", r.Method, r.URL, got.StatusCode, err)
	}
	return said
}

// collect waits for SETs with such events, in any order.
func (s *scenario) collect(want ...string) {
	s.t.Helper()
	s.shapes = make(map[string]any)
	for len(s.shapes) < len(want) {
		select {
		case <-s.ctx.Done():
			s.t.Fatalf("waited for %q and got %v", want, s.shapes)
		case token := <-s.sink.tokens:
			parts := strings.Split(token, ".")
			claims := decode(s.t, parts[1])
			s.shapes[kind(claims)] = []any{shape(decode(s.t, parts[0])), shape(claims)}
		}
	}
}

// kind is the last part of the event's type and, of a status, which one.
func kind(claims map[string]any) string {
	for name, event := range claims["events"].(map[string]any) {
		name = name[strings.LastIndex(name, "/")+1:]
		if status, ok := event.(map[string]any)["status"].(map[string]any); ok {
			name += " " + status["status"].(string)
		}
		return name
	}
	return ""
}

func decode(t *testing.T, part string) (v map[string]any) {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(part)
	if err == nil {
		err = json.Unmarshal(text, &v)
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// shape has the members of a value, and kinds instead of their values.
func shape(v any) any {
	switch v := v.(type) {
	case map[string]any:
		all := make(map[string]any)
		for name, member := range v {
			all[name] = shape(member)
		}
		return all
	case string:
		return "text"
	case float64:
		return "number"
	}
	return v
}
