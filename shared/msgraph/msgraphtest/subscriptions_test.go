package msgraphtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestCreateSubscriptionBody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Delivery{})
		got := b.subscribe(t, map[string]any{"changeType": "updated,deleted"})
		want := fmt.Sprintf(`{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#subscriptions/$entity",`+
			`"id":"%s","resource":"/users","applicationId":"%s","changeType":"updated,deleted",`+
			`"clientState":"s3cr3t-client-state","notificationUrl":"https://hook.example/notify",`+
			`"lifecycleNotificationUrl":null,"expirationDateTime":"2000-01-02T00:00:00Z",`+
			`"creatorId":"%s","latestSupportedTlsVersion":"v1_2"}`, got.ID, b.app.id, b.app.principal)
		if diff := cmp.Diff(want, asJSON(t, got)); diff != "" {
			t.Errorf("the 201 body differs (-want +got):\n%s", diff)
		}
	})
}

// asJSON writes a body without escaping what HTML would need escaped.
func asJSON(t *testing.T, v any) string {
	t.Helper()
	var w strings.Builder
	e := json.NewEncoder(&w)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(w.String())
}

func TestCreateSubscriptionAccepts(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		changes map[string]any
		expires string
	}{
		"users":                {map[string]any{"resource": "users"}, "2000-01-02T00:00:00Z"},
		"Users":                {map[string]any{"resource": "Users"}, "2000-01-02T00:00:00Z"},
		"deleted":              {map[string]any{"changeType": "deleted"}, "2000-01-02T00:00:00Z"},
		"both":                 {map[string]any{"changeType": "deleted, updated"}, "2000-01-02T00:00:00Z"},
		"128 characters":       {map[string]any{"clientState": strings.Repeat("é", 128)}, "2000-01-02T00:00:00Z"},
		"TLS 1.3":              {map[string]any{"latestSupportedTlsVersion": "v1_3"}, "2000-01-02T00:00:00Z"},
		"another port":         {map[string]any{"notificationUrl": "https://hook.example:8443/"}, "2000-01-02T00:00:00Z"},
		"@odata.type":          {map[string]any{"@odata.type": "#microsoft.graph.subscription"}, "2000-01-02T00:00:00Z"},
		"41,760 minutes":       {map[string]any{"expirationDateTime": "2000-01-30T00:00:00Z"}, "2000-01-30T00:00:00Z"},
		"with a fraction":      {map[string]any{"expirationDateTime": "2000-01-29T00:00:00.0000000+09:00"}, "2000-01-28T15:00:00Z"},
		"raised to 45 minutes": {map[string]any{"expirationDateTime": "2000-01-01T00:01:00Z"}, "2000-01-01T00:45:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				if got := newBench(t, Delivery{}).subscribe(t, tt.changes).ExpirationDateTime; got != tt.expires {
					t.Errorf("granted until %s, want %s", got, tt.expires)
				}
			})
		})
	}
}

func TestCreateSubscriptionRefuses(t *testing.T) {
	t.Parallel()
	const noJSON = "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format."
	type changes map[string]any
	for name, tt := range map[string]struct {
		body    any // changes, or the whole
		code    string
		message string
	}{
		"created":                  {changes{"changeType": "created"}, "InvalidRequest", "Invalid 'changeType' attribute: 'created'."},
		"created among others":     {changes{"changeType": "updated,created"}, "InvalidRequest", "Invalid 'changeType' attribute: 'created'."},
		"changeType twice":         {changes{"changeType": "updated,updated"}, "InvalidRequest", "Invalid 'changeType' attribute: 'updated'."},
		"no changeType":            {changes{"changeType": nil}, "InvalidRequest", "Invalid 'changeType' attribute: ''."},
		"groups":                   {changes{"resource": "/groups"}, "InvalidRequest", "Resource '/groups' is not supported for change notifications."},
		"base URL":                 {changes{"resource": "https://graph.microsoft.com/v1.0/users"}, "InvalidRequest", "Resource 'https://graph.microsoft.com/v1.0/users' is not supported for change notifications."},
		"no resource":              {changes{"resource": nil}, "InvalidRequest", "Resource '' is not supported for change notifications."},
		"http":                     {changes{"notificationUrl": "http://hook.example/"}, "InvalidRequest", "NotificationUrl scheme='http' is not supported."},
		"no notificationUrl":       {changes{"notificationUrl": nil}, "InvalidRequest", "NotificationUrl is not a valid absolute URL."},
		"relative notificationUrl": {changes{"notificationUrl": "/notify"}, "InvalidRequest", "NotificationUrl is not a valid absolute URL."},
		"no clientState":           {changes{"clientState": nil}, "InvalidRequest", "clientState is required."},
		"long clientState":         {changes{"clientState": strings.Repeat("x", 129)}, "InvalidRequest", "clientState is longer than 128 characters."},
		"no expiry":                {changes{"expirationDateTime": nil}, "InvalidRequest", "expirationDateTime is required."},
		"past":                     {changes{"expirationDateTime": "1999-12-31T23:59:59Z"}, "InvalidRequest", "Subscription expiration must be in the future."},
		"too far":                  {changes{"expirationDateTime": "2000-01-30T00:00:01Z"}, "ExtensionError", "Subscription expiration can only be 41760 minutes in the future."},
		"an expiry that is none":   {changes{"expirationDateTime": "tomorrow"}, "BadRequest", "A value of the subscription cannot be converted to its type."},
		"TLS 1.4":                  {changes{"latestSupportedTlsVersion": "v1_4"}, "InvalidRequest", "Invalid 'latestSupportedTlsVersion' attribute: 'v1_4'."},
		"Web Push key":             {changes{"vapidPublicKey": "x"}, "InvalidRequest", "The property 'vapidPublicKey' is not supported for this subscription."},
		"a given id":               {changes{"id": benchUser}, "InvalidRequest", "The property 'id' is not supported for this subscription."},
		"half of an object":        {"{", "BadRequest", noJSON},
		"an array":                 {"[]", "BadRequest", noJSON},
		"nothing":                  {"", "BadRequest", noJSON},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, Delivery{})
				if c, ok := tt.body.(changes); ok {
					tt.body = b.properties(c)
				}
				r := b.call(b.app, http.MethodPost, "/subscriptions", tt.body)
				wantFailure(t, r, http.StatusBadRequest, tt.code, tt.message)
				if n := len(b.subscriber.shakes); n != 0 {
					t.Errorf("%d handshakes for a subscription that is refused", n)
				}
			})
		})
	}
}

func TestDuplicateSubscription(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		changes map[string]any
		status  int
	}{
		{"the same", nil, http.StatusConflict},
		{"written otherwise", map[string]any{"resource": "Users", "changeType": "DELETED,updated"}, http.StatusConflict},
		{"another URL and secret", map[string]any{"notificationUrl": hookURL + "2", "clientState": "x"}, http.StatusConflict},
		{"another changeType", map[string]any{"changeType": "updated"}, http.StatusCreated},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, Delivery{})
			both := map[string]any{"changeType": "updated,deleted"}
			first := b.subscribe(t, both)
			for name, value := range tt.changes {
				both[name] = value
			}
			r := b.call(b.app, http.MethodPost, "/subscriptions", b.properties(both))
			if tt.status == http.StatusCreated {
				wantStatus(t, r, tt.status)
				return
			}
			wantFailure(t, r, tt.status, "ObjectIdentifierInUse", "Subscription Id "+first.ID+" already exists for the requested combination")
		})
	}
}

func TestAnotherAppMayWatchTheSame(t *testing.T) {
	t.Parallel()
	b := newBench(t, Delivery{})
	b.subscribe(t, nil)
	b.app = b.tenant.AddApp(AppOptions{})
	b.subscribe(t, nil)
}

func TestDuplicateDuringHandshake(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Delivery{})
		b.subscriber.shake = func(_ *http.Request, token string) handshakeAnswer {
			return handshakeAnswer{http.StatusOK, "text/plain", token, time.Second}
		}
		replies := make(chan reply, 2)
		for range 2 {
			go func() { replies <- b.call(b.app, http.MethodPost, "/subscriptions", b.properties(nil)) }()
		}
		got := []int{(<-replies).status, (<-replies).status}
		slices.Sort(got)
		if want := []int{http.StatusCreated, http.StatusConflict}; !slices.Equal(got, want) {
			t.Errorf("two creations at once answered %v, want %v", got, want)
		}
	})
}

func TestListSubscriptions(t *testing.T) {
	t.Parallel()
	b := newBench(t, Delivery{})
	first := b.subscribe(t, nil)
	second := b.subscribe(t, map[string]any{"changeType": "deleted"})
	stranger := b.tenant.AddApp(AppOptions{})

	list := b.call(b.app, http.MethodGet, "/subscriptions", nil).body.(subscriptionCollection)
	if len(list.Value) != 2 || list.Value[0].ID != first.ID || list.Value[1].ID != second.ID {
		t.Fatalf("listed %s, want the two in order", asJSON(t, list))
	}
	if list.Value[0].ClientState != nil {
		t.Errorf("clientState is %q, want null", *list.Value[0].ClientState)
	}
	if r := b.call(b.app, http.MethodGet, "/subscriptions?$top=1", nil); r.status != http.StatusBadRequest {
		t.Errorf("with a query option: %d, want 400", r.status)
	}
	empty := b.call(stranger, http.MethodGet, "/subscriptions", nil).body
	if want := `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#subscriptions","value":[]}`; asJSON(t, empty) != want {
		t.Errorf("another app lists %s, want %s", asJSON(t, empty), want)
	}
}

// TestMissingSubscription has the ways in which a subscription is not there,
// and each call's answer to it.
func TestMissingSubscription(t *testing.T) {
	t.Parallel()
	gone := map[string]func(b *bench, id string) *App{
		"never was":  func(b *bench, id string) *App { b.tenant.DropSubscription(id); return b.app },
		"expired":    func(b *bench, _ string) *App { time.Sleep(24 * time.Hour); return b.app },
		"expired it": func(b *bench, id string) *App { b.tenant.ExpireSubscription(id); return b.app },
		"another's":  func(b *bench, _ string) *App { return b.tenant.AddApp(AppOptions{}) },
		"deleted": func(b *bench, id string) *App {
			b.call(b.app, http.MethodDelete, "/subscriptions/"+id, nil)
			return b.app
		},
	}
	for name, vanish := range gone {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, Delivery{})
				path := "/subscriptions/" + b.subscribe(t, nil).ID
				app := vanish(b, strings.TrimPrefix(path, "/subscriptions/"))
				renewal := map[string]any{"expirationDateTime": b.now().Add(time.Hour)}
				for _, r := range []reply{
					b.call(app, http.MethodPatch, path, renewal),
					b.call(app, http.MethodDelete, path, nil),
				} {
					wantFailure(t, r, http.StatusNotFound, "ResourceNotFound", "The object was not found.")
				}
			})
		})
	}
}

func TestUpdateSubscription(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Delivery{})
		sub := b.subscribe(t, nil)
		r := b.call(b.app, http.MethodPatch, "/subscriptions/"+sub.ID, map[string]any{"expirationDateTime": "2000-01-20T00:00:00Z"})
		wantStatus(t, r, http.StatusOK)
		sub.ExpirationDateTime = "2000-01-20T00:00:00Z"
		if diff := cmp.Diff(sub, r.body); diff != "" {
			t.Errorf("PATCH answered otherwise (-want +got):\n%s", diff)
		}
		if len(b.subscriber.shakes) != 1 {
			t.Error("the renewal was validated")
		}
		for body, message := range map[string]string{
			`{}`:                          "expirationDateTime is required.",
			`{"expirationDateTime":null}`: "expirationDateTime is required.",
			`{"clientState":"x"}`:         "The property 'clientState' is not supported for this subscription.",
			`{"expirationDateTime":"1999-01-01T00:00:00Z"}`: "Subscription expiration must be in the future.",
		} {
			wantFailure(t, b.call(b.app, http.MethodPatch, "/subscriptions/"+sub.ID, body), http.StatusBadRequest, "InvalidRequest", message)
		}
		wantStatus(t, b.call(b.app, http.MethodDelete, "/subscriptions/"+sub.ID, nil), http.StatusNoContent)
		if got := b.tenant.Subscriptions(); len(got) != 0 {
			t.Errorf("after the DELETE there is %+v", got)
		}
	})
}

// FuzzCreateSubscription shows that whatever is accepted keeps to the limits.
func FuzzCreateSubscription(f *testing.F) {
	for _, resource := range []string{"/users", "users/" + benchUser, "//users", ""} {
		for _, changeType := range []string{"updated", "deleted,updated", "created", ","} {
			f.Add(resource, changeType, hookURL, "secret", 24*60)
		}
	}
	f.Fuzz(func(t *testing.T, resource, changeType, url, clientState string, minutes int) {
		b := newBench(t, Delivery{})
		expires := b.now().Add(time.Duration(minutes%1_000_000) * time.Minute)
		r := b.call(b.app, http.MethodPost, "/subscriptions", b.properties(map[string]any{
			"resource": resource, "changeType": changeType, "notificationUrl": url,
			"clientState": clientState, "expirationDateTime": expires.UTC(),
		}))
		for _, sub := range b.tenant.hub.subscriptions {
			life := sub.expires.Sub(b.now())
			if !strings.HasPrefix(strings.ToLower(sub.url), "https://") || life > maxSubscriptionLife || life < minSubscriptionLife-time.Minute {
				t.Errorf("accepted %+v", sub)
			}
		}
		if r.status != http.StatusCreated && r.status != http.StatusBadRequest {
			t.Errorf("answered %d %+v", r.status, r.body)
		}
	})
}

func TestSubscriptionState(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Delivery{})
		sub := b.subscribe(t, nil)
		want := []SubscriptionState{{
			ID: sub.ID, ChangeType: "updated", ClientState: "s3cr3t-client-state",
			Expires: time.Date(2000, 1, 2, 0, 0, 0, 0, time.UTC),
		}}
		if diff := cmp.Diff(want, b.tenant.Subscriptions()); diff != "" {
			t.Errorf("the state differs (-want +got):\n%s", diff)
		}
		time.Sleep(24 * time.Hour)
		if got := b.tenant.Subscriptions(); len(got) != 0 {
			t.Errorf("expired, but there is %+v", got)
		}
		if b.tenant.DropSubscription(sub.ID) || b.tenant.ExpireSubscription(sub.ID) {
			t.Error("an expired subscription was found to drop or expire")
		}
	})
}

// TestSubscriptionRoutes pins what the dispatcher enforces for the handlers.
func TestSubscriptionRoutes(t *testing.T) {
	t.Parallel()
	services := make(map[string]string)
	for _, r := range subscriptionRoutes() {
		services[r.method+" "+r.pattern] = string(r.service) + " " + strings.Join(r.permissions, ",")
	}
	want := map[string]string{
		"POST /subscriptions":        "subscriptions User.Read.All",
		"GET /subscriptions":         "subscriptions/list ",
		"PATCH /subscriptions/{id}":  "subscriptions User.Read.All",
		"DELETE /subscriptions/{id}": "subscriptions User.Read.All",
	}
	if diff := cmp.Diff(want, services); diff != "" {
		t.Errorf("the routes differ (-want +got):\n%s", diff)
	}
}
