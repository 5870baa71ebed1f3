package msgraphtest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// The emulator refuses what Graph refuses, and takes what it takes, in this order.
func TestApplications(t *testing.T) { //nolint:funlen // a table
	t.Parallel()
	at := newClock()
	w := newWorld(t, Options{Now: at.now, Apps: Registration{Object: time.Minute}})
	w.app.permissions = []string{"AppRoleAssignment.ReadWrite.All", "Application.ReadWrite.All"}
	var ids struct{ ID, AppID string }
	const app, fic = "/applications(uniqueName='a')", "/applications(uniqueName='a')/federatedIdentityCredentials"
	const good = `{"issuer":"https://i","subject":"s","audiences":["api://AzureADTokenExchange"]}`
	for i, step := range []struct {
		method, path, body string
		upsert             bool
		status             int
		code               string
	}{
		{"PATCH", app, `{"displayName":"A"}`, false, 404, "Request_ResourceNotFound"},
		{"PATCH", app, `{"signInAudience":"AzureADMyOrg"}`, true, 400, "Request_BadRequest"},
		{"PATCH", app, `{"displayName":"A","secret":1}`, true, 400, "Request_BadRequest"},
		{"PATCH", app, `{"displayName":"A"}`, true, 201, ""},
		{"PATCH", app, `{"displayName":"A"}`, true, 204, ""},
		{"GET", app, "", false, 404, "Request_ResourceNotFound"},
		{"PATCH", "/servicePrincipals(appId='{appId}')", `{"displayName":"A"}`, true, 400, "Request_BadRequest"},
		{"wait", "", "", false, 0, ""},
		{"GET", app, "", false, 200, ""},
		{"GET", app + "?$select=secret", "", false, 400, "Request_BadRequest"},
		{"GET", "/applications?$filter=uniqueName%20eq%20'a'", "", false, 200, ""},
		{"GET", "/applications?$filter=appId%20eq%20'{appId}'&$select=id", "", false, 200, ""},
		{"GET", "/applications?$filter=id%20eq%20'{id}'", "", false, 400, "Request_UnsupportedQuery"},
		{"PATCH", "/servicePrincipals(appId='{appId}')", `{"displayName":"A"}`, true, 201, ""},
		{"PATCH", "/servicePrincipals(appId='{appId}')", `{"displayName":"A"}`, true, 204, ""},
		{"GET", "/servicePrincipals(appId='{appId}')", "", false, 404, "Request_ResourceNotFound"},
		{"GET", "/servicePrincipals(appId='" + graphAppID + "')?$select=id,appRoles", "", false, 200, ""},
		{"PATCH", fic + "(name='f')", good, false, 404, "Request_ResourceNotFound"},
		{"PATCH", fic + "(name='f')", `{"issuer":"https://i","subject":"s"}`, true, 400, "InvalidFederatedIdentityCredentialValue"},
		{"PATCH", fic + "(name='f')", `{"issuer":"https://i","subject":"s","audiences":["a","b"]}`, true, 400, "InvalidFederatedIdentityCredentialValue"},
		{"PATCH", fic + "(name='f')", `{"issuer":"http://i","subject":"s","audiences":["a"]}`, true, 400, "InvalidFederatedIdentityCredentialValue"},
		{"PATCH", fic + "(name='f%20g')", good, true, 400, "InvalidFederatedIdentityCredentialValue"},
		{"PATCH", fic + "(name='f')", good, true, 201, ""},
		{"PATCH", fic + "(name='f')", good, true, 204, ""},
		{"PATCH", fic + "(name='g')", good, true, 400, "InvalidFederatedIdentityCredentialValue"},
		{"DELETE", fic + "(name='g')", "", false, 404, "Request_ResourceNotFound"},
		{"DELETE", fic + "(name='f')", "", false, 204, ""},
		{"GET", "/applications/{id}/owners?$select=id", "", false, 200, ""},
		{"DELETE", "/applications/{id}/owners/" + testUser + "/$ref", "", false, 404, "Request_ResourceNotFound"},
		{"PATCH", app, `{"passwordCredentials":[]}`, false, 400, "Request_BadRequest"},
		{"PATCH", app, `{"keyCredentials":[{"type":"AsymmetricX509Cert","usage":"Verify","key":"AAAA"}]}`, false, 400, "Request_BadRequest"},
		{"PATCH", app, `{"keyCredentials":[{"type":"AsymmetricX509Cert","usage":"Sign"}]}`, false, 400, "Request_BadRequest"},
		{"POST", app + "/addPassword", `{"passwordCredential":{"displayName":"p","endDateTime":"2020-01-01T00:00:00Z"}}`, false, 400, "Request_BadRequest"},
		{"POST", app + "/removePassword", `{"keyId":"` + testUser + `"}`, false, 400, "Request_BadRequest"},
		{"POST", "/servicePrincipals(appId='" + graphAppID + "')/appRoleAssignedTo", `{"principalId":"{id}","resourceId":"{id}","appRoleId":"{id}"}`, false, 400, "Request_BadRequest"},
		{"DELETE", "/applications/{id}", "", false, 204, ""},
		{"DELETE", "/applications/{id}", "", false, 404, "Request_ResourceNotFound"},
		{"PATCH", app, `{"displayName":"A"}`, true, 400, "Request_BadRequest"},
		{"DELETE", "/directory/deletedItems/{id}", "", false, 404, "Request_ResourceNotFound"},
		{"wait", "", "", false, 0, ""},
		{"DELETE", "/directory/deletedItems/{id}", "", false, 204, ""},
		{"PATCH", app, `{"displayName":"A"}`, true, 201, ""},
	} {
		if step.method == "wait" {
			at.advance(time.Minute)
			continue
		}
		fill := strings.NewReplacer("{id}", ids.ID, "{appId}", ids.AppID).Replace
		req := w.request(step.method, fill(step.path), fill(step.body))
		if step.upsert {
			req.Header.Set("Prefer", "create-if-missing")
		}
		got := w.send(req)
		if got.StatusCode != step.status || got.code() != step.code {
			t.Errorf("%d: %s %s answered %d %s %s", i, step.method, step.path, got.StatusCode, got.code(), got.body)
		}
		if step.status == 201 && step.path == app {
			json.Unmarshal(got.body, &ids)
		}
	}
}

// Who may not, is refused before anything is looked at.
func TestApplicationPermissions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	body := `{"displayName":"A"}`
	for _, r := range slices.Concat(appRoutes(), principalRoutes(), ownerRoutes()) {
		sent := body
		if r.method == "GET" || r.method == "DELETE" {
			sent = ""
		}
		w.want(w.call(r.method, r.pattern, sent), 403, "Authorization_RequestDenied")
	}
	w.app.permissions = []string{"AppRoleAssignment.ReadWrite.All"} // which needs a second one
	w.want(w.call("POST", "/servicePrincipals(appId='"+graphAppID+"')/appRoleAssignedTo", body), 403, "Authorization_RequestDenied")
}

// Assignments come in pages, whoever's they are.
func TestAssignedToPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Paging: Paging{EmptyPageChance: 1}})
	w.app.permissions = []string{"Application.Read.All"}
	for range 120 {
		w.tenant.AddApp(AppOptions{Permissions: []string{"User.Read.All"}})
	}
	total, path := 0, "/servicePrincipals(appId='"+graphAppID+"')/appRoleAssignedTo"
	for pages := 0; path != "" && pages < 9; pages++ {
		var page struct {
			Next  string `json:"@odata.nextLink"`
			Value []struct{ ID, PrincipalID, ResourceID, AppRoleID string }
		}
		got := w.call("GET", path, "")
		if err := json.Unmarshal(got.body, &page); err != nil || got.StatusCode != 200 {
			t.Fatalf("%d %s", got.StatusCode, got.body)
		}
		total += len(page.Value)
		path = strings.TrimPrefix(page.Next, "https://graph.microsoft.com/v1.0")
	}
	if total != 121 || path != "" {
		t.Errorf("%d assignments, then %q", total, path)
	}
}

// Entra hears late of what Graph has taken: of an issuer new to the tenant, of a subject, of a
// role.
func TestLateTrust(t *testing.T) {
	t.Parallel()
	const provider = "https://0123.tokens.sts.global.api.aws"
	at := newClock()
	w := newWorld(t, Options{Now: at.now, Apps: Registration{Issuer: 10 * time.Minute, Subject: time.Minute, Role: 20 * time.Minute}})
	keys := rsaKeys()
	w.AddProvider(provider, publish(provider, keys[0]))
	w.app.permissions = []string{"AppRoleAssignment.ReadWrite.All", "Application.ReadWrite.All"}
	trust := func(name, subject string) {
		req := w.request("PATCH", "/applications(appId='"+testApp+"')/federatedIdentityCredentials(name='"+name+"')",
			fmt.Sprintf(`{"issuer":%q,"subject":%q,"audiences":[%q]}`, provider, subject, exchangeAudience))
		req.Header.Set("Prefer", "create-if-missing")
		w.want(w.send(req), 201, "")
	}
	exchange := func(subject string) response {
		a := assertion{method: jwt.SigningMethodRS256, key: keys[0], header: map[string]any{"kid": "k1"},
			claims: jwt.MapClaims{"iss": provider, "sub": subject, "aud": exchangeAudience, "exp": at.at.Add(5 * time.Minute).Unix()}}
		return w.postForm(tokenURL, secretForm(assertionForm(a.sign(t))...))
	}
	trust("one", "one")
	w.want(exchange("one"), 401, "700211")
	at.advance(10 * time.Minute)
	w.want(exchange("one"), 200, "")
	w.want(exchange("nobody"), 401, "700213")
	trust("two", "two")
	w.want(exchange("two"), 401, "700213")
	at.advance(time.Minute)
	w.want(exchange("two"), 200, "")

	grant := fmt.Sprintf(`{"principalId":%q,"resourceId":%q,"appRoleId":%q}`, w.app.principal, w.tenant.graphPrincipal(), appRoles["User.Read.All"])
	path := "/servicePrincipals/" + w.tenant.graphPrincipal() + "/appRoleAssignedTo"
	w.want(w.call("POST", path, grant), 201, "")
	w.want(w.call("POST", path, grant), 400, "Request_BadRequest")
	w.want(w.call("GET", "/users/"+testUser, ""), 403, "Authorization_RequestDenied")
	at.advance(20 * time.Minute)
	w.want(w.call("GET", "/users/"+testUser, ""), 200, "")
}
