package msgraphtest

import (
	"fmt"
	"net/http"
	"slices"
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
			`{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#users/$entity","businessPhones":[],` +
				`"displayName":"Hanako","givenName":null,"id":"` + hanako + `","jobTitle":null,"mail":null,"mobilePhone":null,` +
				`"officeLocation":null,"preferredLanguage":null,"surname":null,"userPrincipalName":"hanako@example.co.jp"}`},
		{"nulls are explicit", "/users/" + hanako + "?$select=" + mine,
			`{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#users(` + mine + `)/$entity","id":"` + hanako + `",` +
				`"userPrincipalName":"hanako@example.co.jp","userType":"Member","createdDateTime":"2026-05-24T22:24:30Z",` +
				`"signInSessionsValidFromDateTime":null,"lastPasswordChangeDateTime":null}`},
		{"by UPN in any case", "/users/Hanako@Example.co.jp?$select=id",
			`{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#users(id)/$entity","id":"` + hanako + `"}`},
		{"selected twice", "/users/" + hanako + "?$select=id, id",
			`{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#users(id)/$entity","id":"` + hanako + `"}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := newDirectoryTest(t, Options{})
			d.tenant.AddUser(NewUser{ID: hanako, UPN: "hanako@example.co.jp", DisplayName: "Hanako"})
			got := d.want(d.get(test.target), http.StatusOK, "")
			if diff := cmp.Diff(test.want, got.raw); diff != "" {
				t.Errorf("body (-want +got):\n%s", diff)
			}
		})
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
		{"property in another case", "/users/" + hanako + "?$select=userprincipalname", nil, 400, "Request_BadRequest", ""},
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

func TestBasicPermissionReadsBasicProperties(t *testing.T) {
	t.Parallel()
	d := newDirectoryTest(t, Options{})
	d.federatedUsers(hanako)
	d.roles = []string{"User.ReadBasic.All"}
	got := d.want(d.get("/users/"+hanako), http.StatusOK, "")
	if _, ok := got.body["jobTitle"]; ok || got.body["id"] != hanako {
		t.Errorf("got %s", got.raw)
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
			d.tenant.DeleteUser(taro)
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

func TestFormerPermissionsRevoke(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		role   string
		former bool
		status int
		code   string
	}{
		{"User.RevokeSessions.All", false, 200, ""},
		{"User.RevokeSessions.All", true, 200, ""},
		{"User.ReadWrite.All", false, 403, "Authorization_RequestDenied"},
		{"User.ReadWrite.All", true, 200, ""},
		{"Directory.ReadWrite.All", false, 403, "Authorization_RequestDenied"},
		{"Directory.ReadWrite.All", true, 200, ""},
		{"User.Read.All", true, 403, "Authorization_RequestDenied"},
	} {
		t.Run(fmt.Sprintf("%s, former %v", test.role, test.former), func(t *testing.T) {
			t.Parallel()
			d := newDirectoryTest(t, Options{FormerPermissions: test.former})
			d.federatedUsers(hanako)
			d.roles = []string{test.role}
			d.want(d.do("POST", "/users/"+hanako+"/revokeSignInSessions", ""), test.status, test.code)
		})
	}
}

func TestDeletedUsers(t *testing.T) {
	t.Parallel()
	d := newDirectoryTest(t, Options{})
	d.federatedUsers(hanako, taro)
	bin := "/directory/deletedItems/"
	d.want(d.do("DELETE", "/users/"+hanako, ""), http.StatusNoContent, "")
	d.want(d.get("/users/"+hanako), 404, "Request_ResourceNotFound")
	d.want(d.do("DELETE", "/users/"+hanako, ""), 404, "Request_ResourceNotFound")
	d.want(d.do("PATCH", "/users/"+hanako, `{"city":"Kyoto"}`), 404, "Request_ResourceNotFound")
	for _, cast := range []string{"microsoft.graph.user", "graph.user"} {
		got := d.want(d.get(bin+cast+"?$select=id,userPrincipalName,deletedDateTime"), http.StatusOK, "")
		if !slices.Equal(got.ids(), []string{hanako}) || got.value()[0]["deletedDateTime"] != "2026-05-24T22:24:30Z" {
			t.Errorf("bin holds %s", got.raw)
		}
	}
	got := d.want(d.get(bin+hanako), http.StatusOK, "")
	if got.body["userPrincipalName"] != "0b7e5a0c6f0e4a1b9c551d7f7f1f0a01"+hanako+"@example.co.jp" {
		t.Errorf("the name isn't free: %s", got.raw)
	}
	d.want(d.do("POST", bin+hanako+"/restore", ""), http.StatusOK, "")
	d.want(d.get("/users/"+hanako+"@example.co.jp"), http.StatusOK, "")
	d.want(d.get(bin+hanako), 404, "Request_ResourceNotFound")
	d.want(d.do("DELETE", bin+hanako, ""), 404, "Request_ResourceNotFound")
	d.tenant.DeleteUser(hanako)
	d.want(d.do("DELETE", bin+hanako, ""), http.StatusNoContent, "")
	d.want(d.do("POST", bin+hanako+"/restore", ""), 404, "Request_ResourceNotFound")
	if got := d.get("/users?$select=id").ids(); !slices.Equal(got, []string{taro}) {
		t.Errorf("left are %v", got)
	}
}

func TestDeletedUsersRefusals(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, method, target string
		roles                []string
		status               int
		code                 string
	}{
		{"unknown user", "GET", "/directory/deletedItems/" + jiro, nil, 404, "Request_ResourceNotFound"},
		{"not deleted", "GET", "/directory/deletedItems/" + taro, nil, 404, "Request_ResourceNotFound"},
		{"by UPN", "GET", "/directory/deletedItems/" + hanako + "@example.co.jp", nil, 404, "Request_ResourceNotFound"},
		{"unknown property", "GET", "/directory/deletedItems/" + hanako + "?$select=nothing", nil, 400, "Request_BadRequest"},
		{"option of a list", "GET", "/directory/deletedItems/" + hanako + "?$top=1", nil, 400, "Request_BadRequest"},
		{"unknown property in the list", "GET", "/directory/deletedItems/graph.user?$select=nothing", nil, 400, "Request_BadRequest"},
		{"may only read", "POST", "/directory/deletedItems/" + hanako + "/restore", []string{"User.Read.All"}, 403, "Authorization_RequestDenied"},
		{"may only read, not purge", "DELETE", "/directory/deletedItems/" + hanako, []string{"User.Read.All"}, 403, "Authorization_RequestDenied"},
		{"may only revoke", "GET", "/directory/deletedItems/" + hanako, []string{"User.RevokeSessions.All"}, 403, "Authorization_RequestDenied"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := newDirectoryTest(t, Options{})
			d.federatedUsers(hanako, taro)
			d.tenant.DeleteUser(hanako)
			if test.roles != nil {
				d.roles = test.roles
			}
			d.want(d.do(test.method, test.target, ""), test.status, test.code)
		})
	}
}

func TestRestoreNeedsTheNameFree(t *testing.T) {
	t.Parallel()
	d := newDirectoryTest(t, Options{})
	d.tenant.AddUser(NewUser{ID: hanako, UPN: "hanako@example.co.jp"})
	d.tenant.DeleteUser(hanako)
	d.tenant.AddUser(NewUser{ID: taro, UPN: "Hanako@example.co.jp"})
	d.want(d.do("POST", "/directory/deletedItems/"+hanako+"/restore", ""), 400, "Request_BadRequest")
}
