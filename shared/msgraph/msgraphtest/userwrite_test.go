package msgraphtest

import (
	"encoding/json"
	"maps"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// newcomer is a good body of POST /users, changed by pairs of name and value; a
// nil value takes the property away.
func newcomer(pairs ...any) string {
	body := map[string]any{
		"accountEnabled": true, "displayName": "Hanako", "mailNickname": "hanako",
		"userPrincipalName": "hanako@managed.example", "passwordProfile": map[string]any{"password": "xWwvJ]6NMw+bWH-d"},
	}
	for i := 0; i < len(pairs); i += 2 {
		body[pairs[i].(string)] = pairs[i+1]
	}
	maps.DeleteFunc(body, func(_ string, value any) bool { return value == nil })
	data, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	return string(data)
}

func TestCreateUserStamp(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body string
		stamp      any
	}{
		{"managed", newcomer(), "2026-05-24T22:24:30Z"},
		{"federated", newcomer("userPrincipalName", "hanako@example.co.jp", "onPremisesImmutableId", "h1"), nil},
		{"federated without a password", newcomer("userPrincipalName", "hanako@example.co.jp", "passwordProfile", nil, "onPremisesImmutableId", "h1"), nil},
		{"subdomain of a federated domain", newcomer("userPrincipalName", "hanako@sub.example.co.jp", "onPremisesImmutableId", "h1"), nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := newDirectoryTest(t, Options{})
			created := d.want(d.do("POST", "/users", test.body), http.StatusCreated, "")
			id, _ := created.body["id"].(string)
			if got := created.header.Get("Location"); got != "https://graph.microsoft.com/v1.0/users/"+id {
				t.Errorf("Location %s", got)
			}
			got := d.want(d.get("/users/"+id+"?$select=createdDateTime,userType,signInSessionsValidFromDateTime"), http.StatusOK, "")
			delete(got.body, "@odata.context")
			want := map[string]any{"createdDateTime": "2026-05-24T22:24:30Z", "userType": "Member", stampProperty: test.stamp}
			if diff := cmp.Diff(want, got.body); diff != "" {
				t.Errorf("user (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCreateUserRefusals(t *testing.T) {
	t.Parallel()
	const domain = "The domain portion of the userPrincipalName property is invalid. You must use one of the verified domain names in your organization."
	tests := []struct {
		name, body, code, message string
	}{
		{"no JSON", `{"accountEnabled"`, "BadRequest", ""},
		{"null", `null`, "BadRequest", ""},
		{"no accountEnabled", newcomer("accountEnabled", nil), "Request_BadRequest", "A value is required for property 'accountEnabled' of resource 'User'."},
		{"no displayName", newcomer("displayName", nil), "Request_BadRequest", "A value is required for property 'displayName' of resource 'User'."},
		{"no mailNickname", newcomer("mailNickname", nil), "Request_BadRequest", "A value is required for property 'mailNickname' of resource 'User'."},
		{"no userPrincipalName", newcomer("userPrincipalName", nil), "Request_BadRequest", "A value is required for property 'userPrincipalName' of resource 'User'."},
		{"no passwordProfile", newcomer("passwordProfile", nil), "Request_BadRequest", "A value is required for property 'passwordProfile' of resource 'User'."},
		{"an immutable id doesn't help in a managed domain", newcomer("passwordProfile", nil, "onPremisesImmutableId", "h1"), "Request_BadRequest", ""},
		{"a password doesn't help in a federated domain", newcomer("userPrincipalName", "h@example.co.jp"), "Request_BadRequest",
			"A value is required for property 'onPremisesImmutableId' of resource 'User'."},
		{"unknown domain", newcomer("userPrincipalName", "h@elsewhere.example"), "Request_BadRequest", domain},
		{"unverified domain", newcomer("userPrincipalName", "h@unproved.example"), "Request_BadRequest", domain},
		{"unknown subdomain", newcomer("userPrincipalName", "h@none.example.co.jp", "onPremisesImmutableId", "h1"), "Request_BadRequest", domain},
		{"no domain", newcomer("userPrincipalName", "hanako"), "Request_BadRequest", ""},
		{"UPN taken", newcomer("userPrincipalName", "TARO@managed.example"), "Request_BadRequest", "Another object with the same value for property userPrincipalName already exists."},
		{"unknown property", newcomer("shoeSize", 24), "Request_BadRequest", ""},
		{"read-only stamp", newcomer(stampProperty, "2026-05-24T22:24:30Z"), "Request_BadRequest", "Property 'signInSessionsValidFromDateTime' is read-only and cannot be set."},
		{"read-only id", newcomer("id", jiro), "Request_BadRequest", ""},
		{"wrong type", newcomer("accountEnabled", "true"), "Request_BadRequest", "Invalid value specified for property 'accountEnabled' of resource 'User'."},
		{"unknown userType", newcomer("userType", "Robot"), "Request_BadRequest", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := newDirectoryTest(t, Options{})
			d.tenant.AddUser(NewUser{ID: taro, UPN: "taro@managed.example"})
			got := d.want(d.do("POST", "/users", test.body), http.StatusBadRequest, test.code)
			if test.message != "" && got.message() != test.message {
				t.Errorf("message %q, want %q", got.message(), test.message)
			}
			if n := len(d.tenant.Users()); n != 1 {
				t.Errorf("there are %d users, want 1", n)
			}
		})
	}
}

func TestUpdateUser(t *testing.T) {
	t.Parallel()
	d := newDirectoryTest(t, Options{})
	d.tenant.AddUser(NewUser{ID: hanako, UPN: "hanako@managed.example"})
	body := `{"@odata.type":"#microsoft.graph.user","userPrincipalName":"Hanako@example.co.jp","userType":"Guest",` +
		`"city":"Kyoto","accountEnabled":false,"passwordProfile":{"password":"x"}}`
	d.want(d.do("PATCH", "/users/"+hanako, body), http.StatusNoContent, "")
	d.want(d.get("/users/hanako@managed.example"), 404, "Request_ResourceNotFound")
	got := d.want(d.get("/users/hanako@example.co.jp?$select=id,userPrincipalName,userType,city,accountEnabled,lastPasswordChangeDateTime"), 200, "")
	delete(got.body, "@odata.context")
	want := map[string]any{
		"id": hanako, "userPrincipalName": "Hanako@example.co.jp", "userType": "Guest",
		"city": "Kyoto", "accountEnabled": false, "lastPasswordChangeDateTime": "2026-05-24T22:24:30Z",
	}
	if diff := cmp.Diff(want, got.body); diff != "" {
		t.Errorf("user (-want +got):\n%s", diff)
	}
	d.want(d.do("PATCH", "/users/"+hanako, `{"city":null}`), http.StatusNoContent, "")
	if got := d.get("/users/" + hanako + "?$select=city"); got.body["city"] != nil {
		t.Errorf("city is still %v", got.body["city"])
	}
}

func TestUpdateUserRefusals(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, target, body string
		roles              []string
		status             int
		code               string
	}{
		{"unknown user", "/users/" + jiro, `{"city":"Kyoto"}`, nil, 404, "Request_ResourceNotFound"},
		{"read-only stamp", "/users/" + hanako, `{"city":"Kyoto","signInSessionsValidFromDateTime":"2026-05-24T22:24:30Z"}`, nil, 400, "Request_BadRequest"},
		{"read-only creationType", "/users/" + hanako, `{"creationType":"Invitation"}`, nil, 400, "Request_BadRequest"},
		{"required property set to null", "/users/" + hanako, `{"displayName":null}`, nil, 400, "Request_BadRequest"},
		{"unverified domain", "/users/" + hanako, `{"userPrincipalName":"hanako@unproved.example"}`, nil, 400, "Request_BadRequest"},
		{"UPN taken", "/users/" + hanako, `{"userPrincipalName":"` + taro + `@example.co.jp"}`, nil, 400, "Request_BadRequest"},
		{"no body", "/users/" + hanako, "", nil, 400, "BadRequest"},
		{"may only revoke", "/users/" + hanako, `{"city":"Kyoto"}`, []string{"User.RevokeSessions.All"}, 403, "Authorization_RequestDenied"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := newDirectoryTest(t, Options{})
			d.federatedUsers(hanako, taro)
			if test.roles != nil {
				d.roles = test.roles
			}
			d.want(d.do("PATCH", test.target, test.body), test.status, test.code)
			d.roles = []string{"User.Read.All"}
			if got := d.get("/users/" + hanako + "?$select=city"); got.body["city"] != nil {
				t.Errorf("refused but took effect: %s", got.raw)
			}
		})
	}
}
