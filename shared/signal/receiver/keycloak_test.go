//go:build keycloak

package receiver_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
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

// A live is a world whose handler listens for a real Keycloak. mu guards what the handler
// and the test both use.
type live struct {
	*world
	t       *testing.T      // of the story that is told
	ctx     context.Context // a test is one call
	realm   *signaltest.KeycloakRealm
	manager stream.Manager
	base    string
	changes int

	mu   sync.Mutex
	late time.Duration // of the answers
	came []string      // what came and was not expected yet
}

func withKeycloak(t *testing.T) *live {
	ctx, cancel := context.WithTimeout(t.Context(), 12*time.Minute)
	t.Cleanup(cancel)
	scratch := t.TempDir()
	k, err := signaltest.StartKeycloak(ctx, os.Getenv("KEYCLOAK_HOME"), scratch) //nolint:forbidigo // the other packages of ./... would know no flag
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
	l.handler = receiver.New(receiver.Config{
		Tenant: tenant, Registry: l.world, Credentials: l.world, Queue: l.world, Observer: l, Now: time.Now,
		Log: slog.New(slog.DiscardHandler), Keys: receiver.HTTPS(k.Client().Transport),
	})
	server := httptest.NewTLSServer(l)
	t.Cleanup(server.Close)
	l.base = server.URL + receiver.Path
	if l.realm, err = k.Realm(ctx, "acme", l.base); err != nil {
		t.Fatal(err)
	}
	l.keyed(1)
	found, err := stream.Discover(ctx, k.Client(), l.realm.Issuer)
	if err != nil || found.Provider != signal.Keycloak || found.Subjects != "NONE" || found.TokenEndpoint != l.realm.TokenURL {
		t.Fatalf("discovered %+v: %v", found, err)
	}
	l.store(found)
	return l
}

// ServeHTTP lets the handler answer.
func (l *live) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queued = nil
	l.handler.ServeHTTP(w, r)
	time.Sleep(l.late) // before it is sent
}

// ObserveSignals notes what came. mu is held.
func (l *live) ObserveSignals(_ context.Context, r receiver.Receipt) {
	said := strconv.Itoa(r.Status)
	for _, m := range l.queued {
		switch s := m.Signal; {
		case s != nil && (s.Subject.Value == l.realm.Email || s.Subject.Value == l.realm.UserID) && s.ByAdmin == (s.Kind == signal.PasswordChanged):
			said += " " + string(s.Kind) + " " + string(s.Subject.Format)
		case s != nil:
			said += " of somebody else, or by somebody else"
		case m.Heartbeat:
			said += " heartbeat"
		default:
			said += strings.TrimRight(" heard "+m.Status, " ")
		}
	}
	for reason := range r.Dropped {
		said += " " + string(reason)
	}
	l.came = append(l.came, said)
}

// comes waits until this came. What else came in between is left to others.
func (l *live) comes(want string) {
	l.t.Helper()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	const patience = 4 * time.Minute // a key is fetched once a minute, and Keycloak repeats after two
	for began := time.Now(); time.Since(began) < patience; <-tick.C {
		if l.take(want) {
			return
		}
	}
	l.t.Errorf("%q never came", want)
}

func (l *live) take(want string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.Index(l.came, want)
	if i >= 0 {
		l.came = slices.Delete(l.came, i, i+1)
	}
	return i >= 0
}

// edit changes the source's record, and returns it.
func (l *live) edit(change func(*signal.Record)) signal.Record {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.sources[ssf]
	change(&r)
	l.sources[ssf] = r
	return r
}

func (l *live) store(s signal.Stream) { l.edit(func(r *signal.Record) { r.Stream = s }) }

func (l *live) stored() signal.Stream { return l.edit(func(*signal.Record) {}).Stream }

// keyed has the source's secrets be these.
func (l *live) keyed(ns ...int) signal.Credential {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := credential(ssf, ns...)
	c.ClientID, c.ClientSecret = l.realm.ClientID, l.realm.ClientSecret
	l.cached[ssf], l.fresh[ssf] = c, c
	return c
}

// keep is a run of the keeper after a time. It tells which stream there is.
func (l *live) keep(after time.Duration, want stream.Problem) (id string) {
	l.t.Helper()
	l.manager.Now = func() time.Time { return time.Now().Add(after) }
	kept, err := l.manager.Keep(l.ctx, l.base+ssf, l.stored(), l.cached[ssf])
	e, _ := errors.AsType[*stream.Error](err)
	if err == nil && want != "" || err != nil && (e == nil || e.Problem != want) || kept.Status != "enabled" {
		l.t.Errorf("%s after %v, want %q", kept.Status, err, want)
	}
	l.store(kept)
	return kept.ID
}

func (l *live) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Error(err)
	}
}

// change changes the user's password.
func (l *live) change() {
	l.t.Helper()
	l.changes++
	l.must(l.realm.ChangePassword(l.ctx, "Pa55word!"+strconv.Itoa(l.changes)))
}

// pause pauses the stream, as somebody else with the client's secret.
func (l *live) pause() {
	l.t.Helper()
	s := l.stored()
	c := clientcredentials.Config{ClientID: l.realm.ClientID, ClientSecret: l.realm.ClientSecret, TokenURL: s.TokenEndpoint, Scopes: strings.Fields(s.Scope)}
	answer, err := c.Client(context.WithValue(l.ctx, oauth2.HTTPClient, l.manager.HTTP)).Post(
		s.StatusEndpoint, "application/json", strings.NewReader(`{"stream_id":"`+s.ID+`","status":"paused","reason":"tea"}`))
	if err != nil {
		l.t.Fatal(err)
	}
	if answer.StatusCode != http.StatusOK {
		l.t.Errorf("paused with %d", answer.StatusCode)
	}
	answer.Body.Close()
}

// set sets an attribute of the client that is the receiver.
func (l *live) set(attribute, value string) {
	l.t.Helper()
	var clients []map[string]any
	l.must(l.realm.Manage(l.ctx, http.MethodGet, "/clients?clientId="+l.realm.ClientID, nil, &clients))
	clients[0]["attributes"].(map[string]any)[attribute] = value
	l.must(l.realm.Manage(l.ctx, http.MethodPut, "/clients/"+clients[0]["id"].(string), clients[0], nil))
}

// removeFactor has an administrator remove a user's one-time passwords.
func (l *live) removeFactor() {
	l.t.Helper()
	l.must(l.realm.Manage(l.ctx, http.MethodPost, "/users", map[string]any{"username": "otp", "email": "otp@example.com", "enabled": true, "credentials": []map[string]any{{
		"type": "otp", "secretData": `{"value":"c2VjcmV0c2VjcmV0c2Vj"}`, "credentialData": `{"subType":"totp","period":30,"digits":6,"algorithm":"HmacSHA1"}`}}}, nil))
	var users, factors []struct{ ID string }
	l.must(l.realm.Manage(l.ctx, http.MethodGet, "/users?username=otp&exact=true", nil, &users))
	l.must(l.realm.Manage(l.ctx, http.MethodGet, "/users/"+users[0].ID+"/credentials", nil, &factors))
	l.must(l.realm.Manage(l.ctx, http.MethodDelete, "/users/"+users[0].ID+"/credentials/"+factors[0].ID, nil, nil))
}

// newKey has an administrator add a key, with which Keycloak signs from now on.
func (l *live) newKey() {
	l.t.Helper()
	l.must(l.realm.Manage(l.ctx, http.MethodPost, "/components", map[string]any{"name": "new", "providerId": "rsa-generated",
		"providerType": "org.keycloak.keys.KeyProvider", "config": map[string]any{"priority": []string{"200"}}}, nil))
}

// Our keeper and our receiver live with Keycloak itself. KEYCLOAK_HOME is an unpacked
// distribution, as signaltest's test says. It takes four minutes.
func TestKeycloak(t *testing.T) {
	l := withKeycloak(t)
	const changed = "202 password_changed email"
	for _, story := range []struct {
		name string
		tell func()
	}{
		{"made, then verified", func() { l.keep(0, ""); l.keep(0, ""); l.comes("202 heartbeat"); l.change(); l.comes(changed) }},
		{"verified too soon", func() { l.keep(time.Hour, stream.Unavailable) }},
		{"another secret", func() { l.keyed(2, 1); l.keep(0, ""); l.keyed(2); l.change(); l.comes(changed) }},
		{"sessions ended, and nobody asked", func() {
			l.manager.SessionsRevoked = true
			l.keep(0, "")
			l.must(l.realm.SignOut(l.ctx))
			l.comes("202 heard log_out")
		}},
		{"sessions ended, and somebody asked", func() {
			l.edit(func(r *signal.Record) { r.SessionsRevoked = true })
			l.must(l.realm.SignOut(l.ctx))
			l.comes("202 sessions_revoked email")
		}},
		{"a second factor", func() { l.removeFactor(); l.comes("202 heard other_credential") }},
		{"another key", func() { l.newKey(); l.change(); l.comes(changed) }},
		{"paused", func() {
			l.pause()
			l.change()
			l.keep(0, "")
			l.comes("202 heard paused")
			l.comes("202 heard enabled")
			l.comes(changed)
		}},
		{"forgotten here", func() {
			s := l.stored()
			id := s.ID
			s.ID, s.Given, s.Audiences = "", "", nil
			l.store(s)
			if got := l.keep(0, ""); got != id {
				l.t.Errorf("stream %s instead of %s", got, id)
			}
		}},
		{"deleted there", func() {
			id := l.stored().ID
			l.must(l.manager.Remove(l.ctx, l.stored(), l.keyed(2)))
			if got := l.keep(0, ""); got == id {
				l.t.Error("no other stream was made")
			}
			l.change()
			l.comes(changed)
		}},
		{"late, then early enough", func() {
			l.delay(1500 * time.Millisecond)
			l.keep(time.Hour, stream.NotDelivered)
			l.comes("202 heartbeat") // which Keycloak has not waited for
			l.set("ssf.pushEndpointSocketTimeoutMillis", "5000")
			time.Sleep(time.Minute) // between two verifications
			l.keep(2*time.Hour, "")
			l.comes("202 heartbeat")
			l.delay(0)
		}},
		{"by the id", func() { l.set("ssf.userSubjectFormat", "iss_sub"); l.change(); l.comes("202 password_changed opaque") }},
		{"removed", func() {
			for range 2 {
				l.must(l.manager.Remove(l.ctx, l.stored(), l.keyed(2)))
			}
		}},
	} {
		t.Run(story.name, func(t *testing.T) { l.t = t; story.tell() })
	}
	if l.came = slices.DeleteFunc(l.came, func(said string) bool { return said[:3] != "400" }); len(l.came) > 0 {
		t.Errorf("refused: %v", l.came)
	}
}

func (l *live) delay(late time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.late = late
}
