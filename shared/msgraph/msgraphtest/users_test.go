package msgraphtest

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestGetUser(t *testing.T) {
	t.Parallel()
	const mine = "id,userPrincipalName,userType,createdDateTime,signInSessionsValidFromDateTime,lastPasswordChangeDateTime"
	tests := []struct {
		name, target, want string
	}{
		{"standard properties", "/users/" + hanako,
			`{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#users/$entity",` +
				`"displayName":"canary-4711 hanako","givenName":null,"id":"` + hanako + `","jobTitle":null,"mail":null,"mobilePhone":null,` +
				`"officeLocation":null,"preferredLanguage":null,"surname":null,"userPrincipalName":"hanako@example.co.jp"}`},
		{"nulls are explicit", "/users/" + hanako + "?$select=" + mine,
			`{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#users(` + mine + `)/$entity","id":"` + hanako + `",` +
				`"userPrincipalName":"hanako@example.co.jp","userType":"Member","createdDateTime":"2026-05-24T22:24:30Z",` +
				`"signInSessionsValidFromDateTime":null,"lastPasswordChangeDateTime":null}`},
		{"by UPN in any case", "/users/Hanako@Example.co.jp?$select=id",
			`{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#users(id)/$entity","id":"` + hanako + `"}`},
		{"selected in another case", "/users/" + hanako + "?$select=ID",
			`{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#users(id)/$entity","id":"` + hanako + `"}`},
		{"selected twice", "/users/" + hanako + "?$select=id, id",
			`{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#users(id)/$entity","id":"` + hanako + `"}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := newDirectoryTest(t, Options{})
			d.tenant.AddUser(NewUser{ID: hanako, UPN: "hanako@example.co.jp"})
			got := d.want(d.get(test.target), http.StatusOK, "")
			if diff := cmp.Diff(test.want, got.raw); diff != "" {
				t.Errorf("body (-want +got):\n%s", diff)
			}
		})
	}
}

// TestAddUser: a user who is put straight into the directory is what the test says.
func TestAddUser(t *testing.T) {
	t.Parallel()
	d := newDirectoryTest(t, Options{})
	d.tenant.AddUser(NewUser{ID: hanako, UPN: "h@example.co.jp", Name: "花子", Guest: true})
	got := d.want(d.get("/users/"+hanako+"?$select=displayName,userType"), http.StatusOK, "")
	if u, _ := d.tenant.User(hanako); u.InScope || !strings.HasSuffix(got.raw, `"displayName":"花子","userType":"Guest"}`) {
		t.Errorf("got %s", got.raw)
	}
}

func TestGetUserRefusals(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, target string
		roles        []string
		status       int
		code         string
		message      string
	}{
		{"unknown id", "/users/" + taro, nil, 404, "Request_ResourceNotFound",
			"Resource '" + taro + "' does not exist or one of its queried reference-property objects are not present."},
		{"unknown UPN", "/users/nobody@example.co.jp", nil, 404, "Request_ResourceNotFound",
			"Resource 'nobody@example.co.jp' does not exist or one of its queried reference-property objects are not present."},
		{"id in braces", "/users/{" + hanako + "}", nil, 404, "Request_ResourceNotFound", ""},
		{"unknown property", "/users/" + hanako + "?$select=refreshTokensValidFromDateTime", nil, 400, "Request_BadRequest",
			"Could not find a property named 'refreshTokensValidFromDateTime' on type 'microsoft.graph.user'."},
		{"option that a single user hasn't", "/users/" + hanako + "?$top=1", nil, 400, "Request_BadRequest", ""},
		{"option twice", "/users/" + hanako + "?$select=id&$select=mail", nil, 400, "BadRequest", ""},
		{"only basic permission", "/users/" + hanako + "?$select=id,signInSessionsValidFromDateTime",
			[]string{"User.ReadBasic.All"}, 403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."},
		{"revoking is not reading", "/users/" + hanako, []string{"User.RevokeSessions.All"}, 403, "Authorization_RequestDenied", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := newDirectoryTest(t, Options{})
			d.federatedUsers(hanako)
			if test.roles != nil {
				d.roles = test.roles
			}
			got := d.want(d.get(test.target), test.status, test.code)
			if test.message != "" && got.message() != test.message {
				t.Errorf("message %q, want %q", got.message(), test.message)
			}
		})
	}
}

func TestRevokeSignInSessions(t *testing.T) {
	t.Parallel()
	d := newDirectoryTest(t, Options{})
	d.federatedUsers(hanako)
	d.at = d.at.Add(90 * time.Second)
	got := d.want(d.do("POST", "/users/"+hanako+"/revokeSignInSessions", ""), http.StatusOK, "")
	const want = `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#Edm.Boolean","value":true}`
	if got.raw != want {
		t.Errorf("body %s, want %s", got.raw, want)
	}
	state, _ := d.tenant.User(hanako)
	wantState := UserState{
		ID: hanako, UPN: hanako + "@example.co.jp", InScope: true,
		Created: at("2026-05-24T22:24:30.5Z"), Stamp: at("2026-05-24T22:26:00Z"),
		Stamped: at("2026-05-24T22:26:00.5Z"), Revocations: []time.Time{at("2026-05-24T22:26:00.5Z")},
	}
	if diff := cmp.Diff(wantState, state); diff != "" {
		t.Errorf("state (-want +got):\n%s", diff)
	}
	shown := d.get("/users/" + hanako + "?$select=signInSessionsValidFromDateTime")
	if shown.body[stampProperty] != "2026-05-24T22:26:00Z" {
		t.Errorf("got %s", shown.raw)
	}
}

func TestRevokeRefusals(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, user string
		roles      []string
		status     int
		code       string
	}{
		{"unknown", jiro, nil, 404, "Request_ResourceNotFound"},
		{"deleted", taro, nil, 404, "Request_ResourceNotFound"},
		{"protected", hanako, nil, 403, "Authorization_RequestDenied"},
		{"may only read", hanako, []string{"User.Read.All"}, 403, "Authorization_RequestDenied"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := newDirectoryTest(t, Options{})
			d.federatedUsers(hanako, taro)
			d.tenant.Protect(hanako)
			d.delete(taro)
			if test.roles != nil {
				d.roles = test.roles
			}
			d.want(d.do("POST", "/users/"+test.user+"/revokeSignInSessions", ""), test.status, test.code)
			for _, u := range d.tenant.Users() {
				if len(u.Revocations) > 0 {
					t.Errorf("user %s was revoked", u.ID)
				}
			}
		})
	}
}

func TestDeletedUsers(t *testing.T) {
	t.Parallel()
	d := newDirectoryTest(t, Options{})
	d.federatedUsers(hanako, taro)
	d.want(d.do("DELETE", "/users/"+hanako, ""), http.StatusNoContent, "")
	d.want(d.get("/users/"+hanako), 404, "Request_ResourceNotFound")
	d.want(d.do("DELETE", "/users/"+hanako, ""), 404, "Request_ResourceNotFound")
	d.want(d.do("PATCH", "/users/"+hanako, `{"city":"Kyoto"}`), 404, "Request_ResourceNotFound")
	if got := d.get("/users?$select=id").ids(); !slices.Equal(got, []string{taro}) {
		t.Errorf("left are %v", got)
	}
}

// The ways in which official clients write a call.
func TestSpellings(t *testing.T) {
	t.Parallel()
	for _, path := range []string{
		"/users('" + testUser + "')/revokeSignInSessions",
		"/users/" + testUser + "/microsoft.graph.revokeSignInSessions",
		"/Users/" + testUser + "/revokesigninsessions",
	} {
		w := newWorld(t, Options{})
		w.want(w.call("POST", path, ""), 200, "")
		if u, _ := w.tenant.User(testUser); len(u.Revocations) != 1 {
			t.Errorf("%s did nothing", path)
		}
	}
	w := newWorld(t, Options{})
	for _, path := range []string{"/users/delta()", "/users/microsoft.graph.delta()", "/Users?$select=ID,usertype"} {
		w.want(w.call("GET", path, ""), 200, "")
	}
}
