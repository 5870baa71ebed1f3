package msgraphtest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// wishFor is the body of a POST /subscriptions on all users.
func wishFor(changeType string, now time.Time) string {
	return string(mustJSON(map[string]any{
		"changeType": changeType, "resource": "/users", "notificationUrl": hookURL,
		"clientState": "s3cr3t-client-state", "expirationDateTime": now.Add(24 * time.Hour),
	}))
}

// TestUserChangesAreNotified goes all the way from Graph's calls to the
// notifications of what they changed.
func TestUserChangesAreNotified(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := &subscriber{}
		w := newWorld(t, Options{Notify: e})
		if r := w.call(http.MethodPost, "/subscriptions", wishFor("updated,deleted", w.now())); r.StatusCode != http.StatusCreated {
			t.Fatalf("POST /subscriptions answered %d %s", r.StatusCode, r.body)
		}
		created := w.tenant.AddUser(NewUser{UPN: "taro@example.co.jp", Notify: true})
		w.call(http.MethodPost, "/users/"+testUser+"/revokeSignInSessions", "")
		synctest.Wait()

		var got []string
		for _, item := range e.items(t) {
			got = append(got, item["changeType"].(string)+" "+strings.TrimPrefix(item["resource"].(string), "Users/"))
		}
		want := []string{"updated " + created, "updated " + testUser}
		slices.Sort(got) // two POSTs at once
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("notified %v, want %v", got, want)
		}
	})
}

func TestSubscribingNeedsReadPermission(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{Notify: &subscriber{}})
		w.app.permissions = []string{"User.ReadWrite.All"}
		r := w.call(http.MethodPost, "/subscriptions", wishFor("updated", w.now()))
		if r.StatusCode != http.StatusForbidden || r.code() != "Authorization_RequestDenied" {
			t.Errorf("with a permission to write only: %d %s, want 403 Authorization_RequestDenied", r.StatusCode, r.body)
		}
	})
}

// TestListingIsThrottled shows the narrowest limit of the subscription service.
func TestListingIsThrottled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		for n := range 26 {
			r := w.call(http.MethodGet, "/subscriptions", "")
			if throttled := r.StatusCode == http.StatusTooManyRequests; throttled != (n == 25) {
				t.Fatalf("list %d answered %d %s", n+1, r.StatusCode, r.body)
			}
		}
		time.Sleep(20 * time.Second)
		if r := w.call(http.MethodGet, "/subscriptions", ""); r.StatusCode != http.StatusOK {
			t.Errorf("after 20 s: %d %s", r.StatusCode, r.body)
		}
	})
}

// TestDeliveryOverSockets is in real time, for what no in-process transport
// shows.
func TestDeliveryOverSockets(t *testing.T) {
	t.Parallel()
	bodies := make(chan string, 1)
	hook := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if token := r.URL.Query().Get("validationToken"); token != "" {
			w.Header().Set("Content-Type", "text/plain")
			io.WriteString(w, token)
			return
		}
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusAccepted)
		bodies <- string(body)
	}))
	t.Cleanup(hook.Close)
	w := newWorld(t, Options{Notify: hook.Client().Transport})
	wish := strings.Replace(wishFor("updated", w.now()), hookURL, hook.URL+"/notify?code=x", 1)
	if r := w.call(http.MethodPost, "/subscriptions", wish); r.StatusCode != http.StatusCreated {
		t.Fatalf("POST /subscriptions answered %d %s", r.StatusCode, r.body)
	}
	w.call(http.MethodPost, "/users/"+testUser+"/revokeSignInSessions", "")
	if got := <-bodies; !strings.Contains(got, `"resource":"Users/`+testUser+`"`) {
		t.Errorf("notified %s", got)
	}
}
