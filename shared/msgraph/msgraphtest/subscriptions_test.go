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
	for name, changes := range map[string]map[string]any{
		"users":                   {"resource": "users"},
		"Users":                   {"resource": "Users"},
		"one user":                {"resource": "/users/" + benchUser},
		"deleted":                 {"changeType": "deleted"},
		"both":                    {"changeType": "deleted, updated"},
		"128 characters":          {"clientState": strings.Repeat("é", 128)},
		"TLS 1.3":                 {"latestSupportedTlsVersion": "v1_3"},
		"another port":            {"notificationUrl": "https://hook.example:8443/"},
		"@odata.type":             {"@odata.type": "#microsoft.graph.subscription"},
		"Web Push null":           {"vapidPublicKey": json.RawMessage("null")},
		"resource data unwanted":  {"includeResourceData": false},
		"exactly 41,760 minutes":  {"expirationDateTime": "2000-01-30T00:00:00Z"},
		"an expiry with fraction": {"expirationDateTime": "2000-01-30T00:00:00.0000000+09:00"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				newBench(t, Delivery{}).subscribe(t, changes)
			})
		})
	}
}

func TestCreateSubscriptionRefuses(t *testing.T) {
	t.Parallel()
	unsupported := func(name string) string {
		return fmt.Sprintf("The property '%s' is not supported for this subscription.", name)
	}
	for _, tt := range []struct {
		name    string
		changes map[string]any
		code    string
		message string
	}{
		{"created", map[string]any{"changeType": "created"}, "InvalidRequest", "Invalid 'changeType' attribute: 'created'."},
		{"created among others", map[string]any{"changeType": "updated,created"}, "InvalidRequest", "Invalid 'changeType' attribute: 'created'."},
		{"changeType twice", map[string]any{"changeType": "updated,updated"}, "InvalidRequest", "Invalid 'changeType' attribute: 'updated'."},
		{"no changeType", map[string]any{"changeType": nil}, "InvalidRequest", "Invalid 'changeType' attribute: ''."},
		{"groups", map[string]any{"resource": "/groups"}, "InvalidRequest", "Resource '/groups' is not supported for change notifications."},
		{"user by name", map[string]any{"resource": "/users/hanako@example.co.jp"}, "InvalidRequest", "Resource '/users/hanako@example.co.jp' is not supported for change notifications."},
		{"base URL", map[string]any{"resource": "https://graph.microsoft.com/v1.0/users"}, "InvalidRequest", "Resource 'https://graph.microsoft.com/v1.0/users' is not supported for change notifications."},
		{"part of a user", map[string]any{"resource": "/users/" + benchUser + "/messages"}, "InvalidRequest", "Resource '/users/" + benchUser + "/messages' is not supported for change notifications."},
		{"no resource", map[string]any{"resource": nil}, "InvalidRequest", "Resource '' is not supported for change notifications."},
		{"http", map[string]any{"notificationUrl": "http://hook.example/"}, "InvalidRequest", "NotificationUrl scheme='http' is not supported."},
		{"no notificationUrl", map[string]any{"notificationUrl": nil}, "InvalidRequest", "NotificationUrl is required."},
		{"relative notificationUrl", map[string]any{"notificationUrl": "/notify"}, "InvalidRequest", "NotificationUrl is not a valid absolute URL."},
		{"no clientState", map[string]any{"clientState": nil}, "InvalidRequest", "clientState is required."},
		{"empty clientState", map[string]any{"clientState": ""}, "InvalidRequest", "clientState is required."},
		{"long clientState", map[string]any{"clientState": strings.Repeat("x", 129)}, "InvalidRequest", "clientState is longer than 128 characters."},
		{"no expiry", map[string]any{"expirationDateTime": nil}, "InvalidRequest", "expirationDateTime is required."},
		{"past", map[string]any{"expirationDateTime": "1999-12-31T23:59:59Z"}, "InvalidRequest", "Subscription expiration must be in the future."},
		{"too far", map[string]any{"expirationDateTime": "2000-01-30T00:00:01Z"}, "ExtensionError", "Subscription expiration can only be 41760 minutes in the future."},
		{"an expiry that is no time", map[string]any{"expirationDateTime": "tomorrow"}, "BadRequest", "A value of the subscription cannot be converted to its type."},
		{"TLS 1.4", map[string]any{"latestSupportedTlsVersion": "v1_4"}, "InvalidRequest", "Invalid 'latestSupportedTlsVersion' attribute: 'v1_4'."},
		{"Web Push key", map[string]any{"vapidPublicKey": "x"}, "InvalidRequest", unsupported("vapidPublicKey")},
		{"Web Push secret", map[string]any{"webPushEncryptionSecret": "x"}, "InvalidRequest", unsupported("webPushEncryptionSecret")},
		{"resource data", map[string]any{"includeResourceData": true}, "InvalidRequest", unsupported("includeResourceData")},
		{"a given id", map[string]any{"id": benchUser}, "InvalidRequest", unsupported("id")},
		{"unknown property", map[string]any{"notificationURL": hookURL}, "BadRequest", "The property 'notificationURL' does not exist on type 'microsoft.graph.subscription'. Make sure to only use property names that are defined by the type."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, Delivery{})
				r := b.call(b.app, http.MethodPost, "/subscriptions", b.properties(tt.changes))
				wantFailure(t, r, http.StatusBadRequest, tt.code, tt.message)
				if n := len(b.subscriber.shakes); n != 0 {
					t.Errorf("%d handshakes for a subscription that is refused", n)
				}
			})
		})
	}
}

func TestCreateSubscriptionRefusesWhatIsNoJSON(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", "{", "[]", `"x"`} {
		b := newBench(t, Delivery{})
		r := b.call(b.app, http.MethodPost, "/subscriptions", body)
		wantFailure(t, r, http.StatusBadRequest, "BadRequest",
			"Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.")
	}
}

func TestGrantedExpiry(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, asked, granted string
		delivery             Delivery
	}{
		{"as asked", "2000-01-02T03:04:05Z", "2000-01-02T03:04:05Z", Delivery{}},
		{"raised to 45 minutes", "2000-01-01T00:01:00Z", "2000-01-01T00:45:00Z", Delivery{}},
		{"shortened to 41,760", "2000-03-01T00:00:00Z", "2000-01-30T00:00:00Z", Delivery{ShortenExpiry: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, tt.delivery)
				got := b.subscribe(t, map[string]any{"expirationDateTime": tt.asked})
				if got.ExpirationDateTime != tt.granted {
					t.Errorf("granted until %s, want %s", got.ExpirationDateTime, tt.granted)
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
		{"one user", map[string]any{"resource": "/users/" + benchUser}, http.StatusCreated},
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

func TestQuotaPerAppAndTenant(t *testing.T) {
	t.Parallel()
	b := newBench(t, Delivery{})
	for i := range maxSubscriptionsPerAppAndTenant {
		b.subscribe(t, userWatch(i))
	}
	r := b.call(b.app, http.MethodPost, "/subscriptions", b.properties(nil))
	wantFailure(t, r, http.StatusForbidden, "Forbidden",
		"The number of subscriptions per application and tenant has reached its limit of 100.")
}

func TestQuotaPerTenant(t *testing.T) {
	t.Parallel()
	b := newBench(t, Delivery{})
	for i := range maxSubscriptionsPerTenant {
		if i%maxSubscriptionsPerAppAndTenant == 0 {
			b.app = b.tenant.AddApp(AppOptions{})
		}
		b.subscribe(t, userWatch(i))
	}
	r := b.call(b.tenant.AddApp(AppOptions{}), http.MethodPost, "/subscriptions", b.properties(nil))
	wantFailure(t, r, http.StatusForbidden, "Forbidden",
		"The number of subscriptions per tenant has reached its limit of 1000.")
}

// userWatch watches the nth user.
func userWatch(n int) map[string]any {
	return map[string]any{"resource": fmt.Sprintf("/users/00000000-0000-4000-8000-%012d", n)}
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
	empty := b.call(stranger, http.MethodGet, "/subscriptions", nil).body
	if want := `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#subscriptions","value":[]}`; asJSON(t, empty) != want {
		t.Errorf("another app lists %s, want %s", asJSON(t, empty), want)
	}
}

func TestSubscriptionsKnowNoQueryOptions(t *testing.T) {
	t.Parallel()
	b := newBench(t, Delivery{})
	sub := b.subscribe(t, nil)
	for _, path := range []string{"/subscriptions?$top=1", "/subscriptions?$filter=x", "/subscriptions/" + sub.ID + "?$select=id"} {
		if r := b.call(b.app, http.MethodGet, path, nil); r.status != http.StatusBadRequest {
			t.Errorf("GET %s answered %d, want 400", path, r.status)
		}
	}
}

func TestGetSubscription(t *testing.T) {
	t.Parallel()
	b := newBench(t, Delivery{})
	sub := b.subscribe(t, nil)
	r := b.call(b.app, http.MethodGet, "/subscriptions/"+strings.ToUpper(sub.ID), nil)
	sub.ClientState = nil
	if diff := cmp.Diff(any(sub), r.body); diff != "" {
		t.Errorf("GET differs from the created one (-want +got):\n%s", diff)
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
					b.call(app, http.MethodGet, path, nil),
					b.call(app, http.MethodPatch, path, renewal),
					b.call(app, http.MethodDelete, path, nil),
				} {
					wantFailure(t, r, http.StatusNotFound, "ResourceNotFound", "The object was not found.")
				}
			})
		})
	}
}

func TestSubscriptionAnswersNoContent(t *testing.T) {
	t.Parallel()
	b := newBench(t, Delivery{})
	path := "/subscriptions/" + b.subscribe(t, nil).ID
	wantStatus(t, b.call(b.app, http.MethodDelete, path, nil), http.StatusNoContent)
	if got := b.tenant.Subscriptions(); len(got) != 0 {
		t.Errorf("after the DELETE there is %+v", got)
	}
}

func TestUpdateSubscription(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Delivery{})
		sub := b.subscribe(t, nil)
		r := b.call(b.app, http.MethodPatch, "/subscriptions/"+sub.ID,
			map[string]any{"expirationDateTime": "2000-01-20T00:00:00Z", "notificationUrl": "https://new.example/?a=b"})
		wantStatus(t, r, http.StatusOK)
		sub.ExpirationDateTime, sub.NotificationURL = "2000-01-20T00:00:00Z", "https://new.example/?a=b"
		if diff := cmp.Diff(sub, r.body); diff != "" {
			t.Errorf("PATCH answered otherwise (-want +got):\n%s", diff)
		}
		if got := b.subscriber.shakes[1].URL.String(); !strings.HasPrefix(got, "https://new.example/?a=b&validationToken=") {
			t.Errorf("the new URL was validated by %s", got)
		}
	})
}

func TestUpdateSubscriptionRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, body    string
		code, message string
	}{
		{"nothing", `{}`, "InvalidRequest", "At least one of expirationDateTime and notificationUrl is required."},
		{"null", `{"expirationDateTime":null}`, "InvalidRequest", "At least one of expirationDateTime and notificationUrl is required."},
		{"clientState", `{"clientState":"x"}`, "InvalidRequest", "The property 'clientState' of a subscription cannot be changed."},
		{"changeType", `{"changeType":"deleted"}`, "InvalidRequest", "The property 'changeType' of a subscription cannot be changed."},
		{"http", `{"notificationUrl":"http://x/"}`, "InvalidRequest", "NotificationUrl scheme='http' is not supported."},
		{"past", `{"expirationDateTime":"1999-01-01T00:00:00Z"}`, "InvalidRequest", "Subscription expiration must be in the future."},
		{"too far", `{"expirationDateTime":"2000-02-01T00:00:00Z"}`, "ExtensionError", "Subscription expiration can only be 41760 minutes in the future."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, Delivery{})
				path := "/subscriptions/" + b.subscribe(t, nil).ID
				wantFailure(t, b.call(b.app, http.MethodPatch, path, tt.body), http.StatusBadRequest, tt.code, tt.message)
			})
		})
	}
}

func TestRenewalValidatesOnlyIfTold(t *testing.T) {
	t.Parallel()
	for told, want := range map[bool]int{false: 1, true: 2} {
		b := newBench(t, Delivery{ValidateRenewals: told})
		path := "/subscriptions/" + b.subscribe(t, nil).ID
		r := b.call(b.app, http.MethodPatch, path, map[string]any{"expirationDateTime": b.now().Add(time.Hour)})
		wantStatus(t, r, http.StatusOK)
		if got := len(b.subscriber.shakes); got != want {
			t.Errorf("ValidateRenewals %v: %d handshakes, want %d", told, got, want)
		}
	}
}

// TestUpdateOfWhatEndsMeanwhile lets a subscription vanish during the handshake
// with its new URL.
func TestUpdateOfWhatEndsMeanwhile(t *testing.T) {
	t.Parallel()
	b := newBench(t, Delivery{})
	sub := b.subscribe(t, nil)
	b.subscriber.shake = func(_ *http.Request, token string) handshakeAnswer {
		b.tenant.DropSubscription(sub.ID)
		return handshakeAnswer{http.StatusOK, "text/plain", token, 0}
	}
	r := b.call(b.app, http.MethodPatch, "/subscriptions/"+sub.ID, map[string]any{"notificationUrl": hookURL + "2"})
	wantFailure(t, r, http.StatusNotFound, "ResourceNotFound", "The object was not found.")
}

func TestUpdateFailsWithItsHandshake(t *testing.T) {
	t.Parallel()
	b := newBench(t, Delivery{})
	sub := b.subscribe(t, nil)
	b.subscriber.shake = func(*http.Request, string) handshakeAnswer { return handshakeAnswer{status: http.StatusUnauthorized} }
	r := b.call(b.app, http.MethodPatch, "/subscriptions/"+sub.ID, map[string]any{"notificationUrl": hookURL + "2"})
	wantFailure(t, r, http.StatusBadRequest, "ValidationError", "Subscription validation request failed. "+
		"HTTP status code is 'Unauthorized'. Notification endpoint must respond with 200 OK to validation request.")
	if got := b.tenant.Subscriptions()[0].NotificationURL; got != hookURL {
		t.Errorf("the URL is now %s", got)
	}
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
		for _, sub := range b.tenant.Subscriptions() {
			life := sub.Expires.Sub(b.now())
			if !strings.HasPrefix(strings.ToLower(sub.NotificationURL), "https://") || life > maxSubscriptionLife || life < minSubscriptionLife-time.Minute {
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
			ID: sub.ID, App: b.app.ID(), Resource: "/users", ChangeType: "updated",
			ClientState: "s3cr3t-client-state", NotificationURL: hookURL,
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
		"GET /subscriptions/{id}":    "subscriptions/get User.Read.All",
		"PATCH /subscriptions/{id}":  "subscriptions User.Read.All",
		"DELETE /subscriptions/{id}": "subscriptions User.Read.All",
	}
	if diff := cmp.Diff(want, services); diff != "" {
		t.Errorf("the routes differ (-want +got):\n%s", diff)
	}
}
