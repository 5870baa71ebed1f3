package msgraphtest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// A filter finds whom it names, and is refused as Graph refuses it.
func TestFilterUsers(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		filter string
		want   []string // nil: refused
		code   string
	}{
		"name":               {"userPrincipalName eq 'HANAKO@example.co.jp'", []string{hanako}, ""},
		"several":            {"mail eq 'm@x.example' or userPrincipalName eq 'hanako@example.co.jp'", []string{hanako, taro}, ""},
		"list":               {"proxyAddresses/any(p:p eq 'smtp:o''or or''a@x.example')", []string{taro}, ""},
		"immutable id":       {"onPremisesImmutableId eq 'aB+/=='", []string{taro}, ""},
		"SID":                {"onPremisesSecurityIdentifier eq 'S-1-5-21-1'", []string{taro}, ""},
		"nobody":             {"mail eq ''", []string{}, ""},
		"open text":          {"mail eq 'o'or'", nil, "Request_BadRequest"},
		"another variable":   {"proxyAddresses/any(p:q eq 'x')", nil, "Request_BadRequest"},
		"another operator":   {"mail ne 'x'", nil, "Request_BadRequest"},
		"unindexed property": {"city eq 'x'", nil, "Request_UnsupportedQuery"},
		"advanced property":  {"onPremisesSamAccountName eq 'taro'", nil, "Request_UnsupportedQuery"},
		"list without any":   {"proxyAddresses eq 'x'", nil, "Request_UnsupportedQuery"},
		"too many":           {"mail eq 'x'" + strings.Repeat(" or mail eq 'x'", 15), nil, "Request_UnsupportedQuery"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDirectoryTest(t, Options{})
			d.tenant.AddUser(NewUser{ID: hanako, UPN: "hanako@example.co.jp"})
			d.tenant.AddUser(NewUser{ID: taro, UPN: "taro@example.co.jp"})
			d.tenant.SetMail(taro, "m@x.example", "SMTP:m@x.example", "smtp:o'or or'a@x.example")
			d.tenant.SetOnPremises(taro, OnPremises{ImmutableID: "aB+/==", SAMAccountName: "taro", SecurityIdentifier: "S-1-5-21-1"})
			status := http.StatusOK
			if tt.want == nil {
				status = http.StatusBadRequest
			}
			got := d.want(d.get("/users?$select=id&$filter="+url.QueryEscape(tt.filter)), status, tt.code)
			if tt.want != nil && !slices.Equal(got.ids(), tt.want) {
				t.Errorf("%v, want %v", got.ids(), tt.want)
			}
		})
	}
}

// An advanced query has both of its parameters.
func TestAdvancedFilter(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		level, count, code string
	}{
		"both":     {"Eventual", "&$count=true", ""},
		"level":    {"eventual", "", "Request_UnsupportedQuery"},
		"count":    {"", "&$count=true", "Request_BadRequest"},
		"no count": {"eventual", "&$count=false", "Request_UnsupportedQuery"},
		"nonsense": {"eventual", "&$count=1", "Request_BadRequest"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, Options{})
			w.tenant.SetOnPremises(testUser, OnPremises{SAMAccountName: "hanako"})
			req := w.request("GET", "/users?$select=id&$top=2&$filter="+url.QueryEscape("onPremisesSamAccountName eq 'HANAKO'")+tt.count, "")
			req.Header.Set("ConsistencyLevel", tt.level)
			status := http.StatusOK
			if tt.code != "" {
				status = http.StatusBadRequest
			}
			got := w.send(req)
			w.want(got, status, tt.code)
			if strings.Contains(string(got.body), testUser) != (tt.code == "") {
				t.Errorf("answered %s", got.body)
			}
		})
	}
}

// The members of a group and of those within it come once, page by page.
func TestTransitiveMembers(t *testing.T) {
	t.Parallel()
	d := nested(t, Options{})
	var pages [][]string
	for target := "/groups/" + outer + "/transitiveMembers?$select=id&$top=2"; target != ""; {
		got := d.want(d.get(target), http.StatusOK, "")
		pages, target = append(pages, got.ids()), got.link("nextLink")
	}
	if all := slices.Concat(pages...); len(pages) != 2 || !slices.Equal(all, []string{hanako, inner, taro, jiro}) {
		t.Errorf("pages %v", pages)
	}
	d.want(d.get("/groups/"+testTenant+"/transitiveMembers?$select=id"), http.StatusNotFound, "Request_ResourceNotFound")
	d.tenant.SetGroup(outer, "外部", true)
	d.want(d.get("/groups/"+outer+"/transitiveMembers?$select=id"), http.StatusForbidden, "Authorization_RequestDenied")
	if got := d.want(d.get("/groups?$filter=displayName eq '外部'"), http.StatusOK, ""); !slices.Equal(got.ids(), []string{outer}) || got.value()[0]["visibility"] != "HiddenMembership" {
		t.Errorf("groups %v", got.value())
	}
	d.want(d.get("/groups?$filter=mail eq 'x'"), http.StatusBadRequest, "Request_UnsupportedQuery")
}

// What the emulator asks of the calls for evidence.
func TestEvidenceRefusals(t *testing.T) {
	t.Parallel()
	const since = "/auditLogs/signIns?$filter=userId eq '" + hanako + "' and createdDateTime ge 2026-05-20T00:00:00Z"
	tests := map[string]struct {
		method, target, body, licence string
		roles                         []string
		status                        int
		code                          string
	}{
		"sign-ins":             {"GET", since, "", "P1", []string{"AuditLog.Read.All"}, 200, ""},
		"sign-ins of everyone": {"GET", "/auditLogs/signIns", "", "P1", []string{"AuditLog.Read.All"}, 400, "Request_BadRequest"},
		"no licence":           {"GET", since, "", "", []string{"AuditLog.Read.All"}, 403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant"},
		"no right":             {"GET", since, "", "P1", []string{"User.Read.All"}, 403, "Authorization_RequestDenied"},
		"risk needs P2":        {"GET", "/identityProtection/riskyUsers/" + hanako, "", "P1", []string{"IdentityRiskyUser.Read.All"}, 403, "Forbidden"},
		"empty evaluation":     {"POST", "/identity/conditionalAccess/evaluate", `{}`, "P1", []string{"Policy.Read.ConditionalAccess"}, 400, "BadRequest"},
		"no such user":         {"GET", "/users/" + testTenant + "/registeredDevices", "", "", []string{"User.Read.All"}, 404, "Request_ResourceNotFound"},
		"no such domain":       {"GET", "/domains/x.example/federationConfiguration", "", "", []string{"Domain-InternalFederation.Read.All"}, 404, "Request_ResourceNotFound"},
		"no ids":               {"POST", "/directoryObjects/getByIds", `{"ids":[],"types":["user"]}`, "", []string{"Directory.Read.All"}, 400, "Request_BadRequest"},
		"names need a lot":     {"POST", "/directoryObjects/getByIds", `{"ids":["` + hanako + `"],"types":["user"]}`, "", []string{"User.Read.All"}, 403, "Authorization_RequestDenied"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDirectoryTest(t, Options{})
			d.federatedUsers(hanako)
			d.tenant.SetEvidence(Evidence{Licence: tt.licence})
			d.roles = tt.roles
			d.want(d.do(tt.method, tt.target, tt.body), tt.status, tt.code)
		})
	}
}

// Conditional Access has one request a second, and says nothing of when to come back.
func TestProtectionIsThrottled(t *testing.T) {
	t.Parallel()
	d := newDirectoryTest(t, Options{})
	d.roles = []string{"IdentityRiskyUser.Read.All"}
	d.tenant.SetEvidence(Evidence{Licence: "P2", Risk: map[string]string{hanako: "atRisk"}})
	d.want(d.get("/identityProtection/riskyUsers/"+hanako), http.StatusOK, "")
	got := d.want(d.get("/identityProtection/riskyUsers/"+hanako), http.StatusTooManyRequests, "TooManyRequests")
	if got.header.Get("Retry-After") != "" {
		t.Errorf("Retry-After %q", got.header.Get("Retry-After"))
	}
}
