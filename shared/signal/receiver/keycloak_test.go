//go:build keycloak

package receiver_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/signal/receiver"
	"github.com/sessionstamp/sessionstamp/shared/signal/signaltest"
	"github.com/sessionstamp/sessionstamp/shared/signal/stream"
)

// live is a world whose handler listens for a real Keycloak. mu guards what the handler and
// the test both use.
type live struct {
	*world
	t       *testing.T
	ctx     context.Context //nolint:containedctx // a test is one call
	realm   *signaltest.KeycloakRealm
	manager stream.Manager
	mu      sync.Mutex
	base    string
	came    []string // what was received, as it came
	waited  int
}

func start(t *testing.T) *live {
	ctx, cancel := context.WithTimeout(t.Context(), 9*time.Minute)
	t.Cleanup(cancel)
	scratch := t.TempDir()
	k, err := signaltest.StartKeycloak(ctx, os.Getenv("KEYCLOAK_HOME"), scratch)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		k.Close()
		if log, err := os.ReadFile(scratch + "/keycloak.log"); t.Failed() && err == nil {
			t.Logf("%s", log)
		}
	})
	l := &live{world: newWorld(t, time.Now), t: t, ctx: ctx, manager: stream.Manager{HTTP: k.Client(), Now: time.Now}}
	l.world.handler = receiver.New(receiver.Config{
		Tenant: tenant, Registry: l.world, Credentials: l.world, Queue: l.world, Observer: l, Now: time.Now,
		Log: slog.New(slog.DiscardHandler), Keys: receiver.HTTPS(k.Client().Transport),
	})
	server := httptest.NewTLSServer(l)
	t.Cleanup(server.Close)
	l.base = server.URL + receiver.Path
	if l.realm, err = k.Realm(ctx, "acme", l.base); err != nil {
		t.Fatal(err)
	}
	l.keyed(signal.Credential{Secrets: []string{secret(ssf, 1)}, ClientID: l.realm.ClientID, ClientSecret: l.realm.ClientSecret})
	found, err := stream.Discover(ctx, k.Client(), l.realm.Issuer)
	if err != nil {
		t.Fatal(err)
	}
	l.t.Logf("discovered %+v", found)
	l.store(found)
	return l
}

func (l *live) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queued = nil
	l.world.handler.ServeHTTP(w, r)
}

// ObserveSignals notes what came. The gate is held.
func (l *live) ObserveSignals(_ context.Context, r receiver.Receipt) {
	said := fmt.Sprint(r.Status)
	for _, m := range l.queued {
		switch {
		case m.Signal != nil:
			said += fmt.Sprint(" ", m.Signal.Kind, " ", m.Signal.Subject.Format, " ", m.Signal.Subject.Value == l.realm.Email || m.Signal.Subject.Value == l.realm.UserID, " ", m.Signal.ByAdmin)
		case m.Heartbeat:
			said += " heartbeat"
		default:
			said += strings.TrimRight(" heard "+m.Status, " ")
		}
	}
	for reason := range r.Dropped {
		said += " " + string(reason)
	}
	if r.Err != nil {
		said += " " + r.Err.Error()
	}
	l.t.Log("came:", said)
	l.came = append(l.came, said)
}

func (l *live) record() signal.Record {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sources[ssf]
}

func (l *live) store(s signal.Stream) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.sources[ssf]
	r.Stream = s
	l.sources[ssf] = r
}

func (l *live) keyed(c signal.Credential) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cached[ssf], l.fresh[ssf] = c, c
}

// keep is a run of the keeper.
func (l *live) keep(want stream.Problem) signal.Stream {
	l.t.Helper()
	kept, err := l.manager.Keep(l.ctx, l.base+ssf, l.record().Stream, l.cached[ssf])
	e, _ := errors.AsType[*stream.Error](err)
	if err == nil && want != "" || err != nil && (e == nil || e.Problem != want) {
		l.t.Errorf("kept with %v, want %q", err, want)
	}
	l.t.Logf("kept: id %s aud %v status %s asked %s: %v", kept.ID, kept.Audiences, kept.Status, kept.Asked.Format("15:04:05"), err)
	l.store(kept)
	return kept
}

// comes waits until something new came that is so.
func (l *live) comes(want string) {
	l.t.Helper()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for began := time.Now(); time.Since(began) < time.Minute; <-tick.C {
		l.mu.Lock()
		for l.waited < len(l.came) {
			l.waited++
			if l.came[l.waited-1] == want {
				l.mu.Unlock()
				l.t.Logf("%s after %s", want, time.Since(began))
				return
			}
		}
		l.mu.Unlock()
	}
	l.t.Errorf("%q never came", want)
}

func (l *live) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Error(err)
	}
}

// status sets the stream's status, as somebody else with the client's secret.
func (l *live) status(status string) {
	l.t.Helper()
	s := l.record().Stream
	c := clientcredentials.Config{ClientID: l.realm.ClientID, ClientSecret: l.realm.ClientSecret, TokenURL: s.TokenEndpoint, Scopes: strings.Fields(s.Scope)}
	answer, err := c.Client(context.WithValue(l.ctx, oauth2.HTTPClient, l.manager.HTTP)).Post(s.StatusEndpoint, "application/json",
		strings.NewReader(fmt.Sprintf(`{"stream_id":%q,"status":%q,"reason":"tea"}`, s.ID, status)))
	if err != nil {
		l.t.Fatal(err)
	}
	answer.Body.Close()
	l.t.Log("status", status, answer.StatusCode)
}

func (l *live) set(attribute, value string) {
	l.t.Helper()
	var clients []map[string]any
	l.must(l.realm.Manage(l.ctx, "GET", "/clients?clientId="+l.realm.ClientID, nil, &clients))
	clients[0]["attributes"].(map[string]any)[attribute] = value
	l.must(l.realm.Manage(l.ctx, "PUT", "/clients/"+clients[0]["id"].(string), clients[0], nil))
}

func TestKeycloak(t *testing.T) {
	l := start(t)
	n := 0
	change := func() { n++; l.must(l.realm.ChangePassword(l.ctx, fmt.Sprint("Pa55word!", n))) }
	const changed = "202 password_changed email true true"

	l.keep("")
	l.keep("")
	l.comes("202 heartbeat")
	change()
	l.comes(changed)

	l.t.Log("--- a second verification within the minute")
	s := l.record().Stream
	s.Asked = time.Time{}
	l.store(s)
	l.keep("")

	l.t.Log("--- the secret rotates")
	c := l.cached[ssf]
	c.Secrets = []string{secret(ssf, 2), secret(ssf, 1)}
	l.keyed(c)
	l.keep("")
	c.Secrets = c.Secrets[:1]
	l.keyed(c)
	change()
	l.comes(changed)

	l.t.Log("--- sessions")
	l.manager.SessionsRevoked = true
	l.keep("")
	l.must(l.realm.SignOut(l.ctx))
	l.comes("202 heard log_out")

	l.t.Log("--- keys rotate")
	l.must(l.realm.Manage(l.ctx, "POST", "/components", map[string]any{"name": "new", "providerId": "rsa-generated", "providerType": "org.keycloak.keys.KeyProvider",
		"config": map[string]any{"priority": []string{"200"}, "enabled": []string{"true"}, "active": []string{"true"}}}, nil))
	change()
	l.comes(changed)

	l.t.Log("--- otp")
	l.must(l.realm.Manage(l.ctx, "POST", "/users", map[string]any{"username": "otp", "email": "otp@example.com", "enabled": true,
		"credentials": []map[string]any{{"type": "otp", "userLabel": "x", "secretData": `{"value":"c2VjcmV0c2VjcmV0c2Vj"}`, "credentialData": `{"subType":"totp","period":30,"digits":6,"algorithm":"HmacSHA1"}`}}}, nil))
	var users, credentials []struct{ ID, Type string }
	l.must(l.realm.Manage(l.ctx, "GET", "/users?username=otp&exact=true", nil, &users))
	l.must(l.realm.Manage(l.ctx, "GET", "/users/"+users[0].ID+"/credentials", nil, &credentials))
	l.t.Log(credentials)
	if len(credentials) > 0 {
		l.must(l.realm.Manage(l.ctx, "DELETE", "/users/"+users[0].ID+"/credentials/"+credentials[0].ID, nil, nil))
	}
	l.comes("202 heard other_credential")

	l.t.Log("--- paused")
	l.status("paused")
	change()
	if l.keep("").Status != "enabled" {
		l.t.Error("not resumed")
	}
	l.comes("202 heard paused")
	l.comes("202 heard enabled")
	l.comes(changed)

	l.t.Log("--- forgotten")
	s = l.record().Stream
	id := s.ID
	s.ID, s.Given, s.Audiences = "", "", nil
	l.store(s)
	if l.keep("").ID != id {
		l.t.Error("not adopted")
	}

	l.t.Log("--- deleted there")
	l.must(l.manager.Remove(l.ctx, l.record().Stream, c))
	if l.keep("").ID == id {
		l.t.Error("not made anew")
	}
	change()
	l.comes(changed)

	l.t.Log("--- undelivered verification")
	l.mu.Lock()
	l.down["queue"] = true
	l.mu.Unlock()
	l.keep("")
	l.mu.Lock()
	l.down["queue"] = false
	l.mu.Unlock()

	l.t.Log("--- iss_sub")
	l.set("ssf.userSubjectFormat", "iss_sub")
	change()
	l.comes("202 password_changed opaque true true")

	l.t.Log("--- disabled and deleted")
	l.must(l.realm.Manage(l.ctx, "PUT", "/users/"+l.realm.UserID, map[string]any{"enabled": false}, nil))
	l.must(l.realm.Manage(l.ctx, "DELETE", "/users/"+l.realm.UserID, nil, nil))
	time.Sleep(25 * time.Second)

	l.must(l.manager.Remove(l.ctx, l.record().Stream, c))
	l.must(l.manager.Remove(l.ctx, l.record().Stream, c))
}
