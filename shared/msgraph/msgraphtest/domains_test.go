package msgraphtest

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// subdomains adds one of each kind below the federated domain.
func (d *directory) subdomains() {
	d.tenant.AddDomain(Domain{Name: "sub.example.co.jp"})
	d.tenant.AddDomain(Domain{Name: "own.example.co.jp", Promoted: true})
	d.tenant.AddDomain(Domain{Name: "odd.example.co.jp", ListedAs: "Managed"})
	d.tenant.AddDomain(Domain{Name: "hidden.example.co.jp", Unlisted: true})
}

func TestListDomains(t *testing.T) {
	t.Parallel()
	d := newDirectoryTest(t, Options{})
	d.subdomains()
	got := d.want(d.get("/domains?$select=id,authenticationType,isVerified,isRoot,isDefault,isInitial"), http.StatusOK, "")
	shown := func(id, authentication string, verified, root, standard, initial bool) map[string]any {
		return map[string]any{"id": id, "authenticationType": authentication, "isVerified": verified,
			"isRoot": root, "isDefault": standard, "isInitial": initial}
	}
	want := []map[string]any{
		shown("example.co.jp", "Federated", true, true, true, false),
		shown("managed.example", "Managed", true, true, false, false),
		shown("odd.example.co.jp", "Managed", true, false, false, false),
		shown("own.example.co.jp", "Managed", true, true, false, false),
		shown("sub.example.co.jp", "Federated", true, false, false, false),
		shown("t84bd8158.onmicrosoft.com", "Managed", true, true, false, true),
		shown("unproved.example", "Federated", false, true, false, false),
	}
	if diff := cmp.Diff(want, got.value()); diff != "" {
		t.Errorf("domains (-want +got):\n%s", diff)
	}
}

func TestGetDomain(t *testing.T) {
	t.Parallel()
	d := newDirectoryTest(t, Options{})
	got := d.want(d.get("/domains/Example.co.jp"), http.StatusOK, "")
	want := map[string]any{
		"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#domains/$entity",
		"id":             "example.co.jp", "authenticationType": "Federated", "availabilityStatus": nil, "isAdminManaged": true,
		"isDefault": true, "isInitial": false, "isRoot": true, "isVerified": true,
		"passwordNotificationWindowInDays": nil, "passwordValidityPeriodInDays": nil, "state": nil,
		"supportedServices": []any{"Email", "OfficeCommunicationsOnline"},
	}
	if diff := cmp.Diff(want, got.body); diff != "" {
		t.Errorf("domain (-want +got):\n%s", diff)
	}
	d.tenant.SetFederated("Example.co.jp", false)
	if got := d.get("/domains/example.co.jp"); got.body["authenticationType"] != "Managed" {
		t.Errorf("still %v", got.body["authenticationType"])
	}
}

func TestSubdomainsInherit(t *testing.T) {
	t.Parallel()
	d := newDirectoryTest(t, Options{})
	d.subdomains()
	d.tenant.AddDomain(Domain{Name: "lost.example.co.jp", Unverified: true})
	tests := map[string]bool{
		"example.co.jp": true, "sub.example.co.jp": true, "odd.example.co.jp": true, "hidden.example.co.jp": true,
		"deep.sub.example.co.jp": true, "never-added.example.co.jp": true,
		"own.example.co.jp": false, "deep.own.example.co.jp": false, "lost.example.co.jp": false,
		"managed.example": false, "unproved.example": false, "below.unproved.example": false,
		"notexample.co.jp": false, "co.jp": false, "": false,
	}
	for name, want := range tests {
		if got := d.tenant.dir.federated(name); got != want {
			t.Errorf("federated(%q) = %t, want %t", name, got, want)
		}
	}
}

func TestConvertedSubdomainStandsAlone(t *testing.T) {
	t.Parallel()
	d := newDirectoryTest(t, Options{})
	d.subdomains()
	d.tenant.SetFederated("sub.example.co.jp", false)
	if d.tenant.dir.federated("sub.example.co.jp") {
		t.Error("the converted subdomain still inherits")
	}
}

func TestDomainRefusals(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, target string
		roles        []string
		status       int
		code         string
	}{
		{"unknown", "/domains/nothing.example", nil, 404, "Request_ResourceNotFound"},
		{"unlisted", "/domains/hidden.example.co.jp", nil, 404, "Request_ResourceNotFound"},
		{"unknown property", "/domains/example.co.jp?$select=nothing", nil, 400, "Request_BadRequest"},
		{"unknown property in a list", "/domains?$select=nothing", nil, 400, "Request_BadRequest"},
		{"filter", "/domains?$filter=isVerified eq true", nil, 400, "Request_BadRequest"},
		{"option of a list", "/domains/example.co.jp?$top=1", nil, 400, "Request_BadRequest"},
		{"may only read users", "/domains", []string{"User.Read.All"}, 403, "Authorization_RequestDenied"},
		{"federation of an unknown domain", "/domains/nothing.example/federationConfiguration", nil, 404, "Request_ResourceNotFound"},
		{"federation with the domains' permission", "/domains/example.co.jp/federationConfiguration",
			[]string{"Domain.Read.All"}, 403, "Authorization_RequestDenied"},
		{"unknown federation", "/domains/example.co.jp/federationConfiguration/" + hanako, nil, 404, "Request_ResourceNotFound"},
		{"federation below an unknown domain", "/domains/nothing.example/federationConfiguration/" + hanako, nil, 404, "Request_ResourceNotFound"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := newDirectoryTest(t, Options{})
			d.subdomains()
			if test.roles != nil {
				d.roles = test.roles
			}
			d.want(d.get(test.target), test.status, test.code)
		})
	}
}

func TestFederationConfiguration(t *testing.T) {
	t.Parallel()
	d := newDirectoryTest(t, Options{})
	list := d.want(d.get("/domains/example.co.jp/federationConfiguration"), http.StatusOK, "")
	if len(list.value()) != 1 {
		t.Fatalf("got %s", list.raw)
	}
	d.roles = []string{"Domain.Read.All"} // suffices for one
	one := d.want(d.get("/domains/example.co.jp/federationConfiguration/"+list.ids()[0]), http.StatusOK, "")
	delete(one.body, "@odata.context")
	if diff := cmp.Diff(list.value()[0], one.body); diff != "" {
		t.Errorf("list and single object differ (-list +single):\n%s", diff)
	}
	d.roles = []string{"Domain-InternalFederation.Read.All"}
	if got := d.want(d.get("/domains/managed.example/federationConfiguration"), http.StatusOK, ""); len(got.value()) != 0 {
		t.Errorf("a managed domain is configured: %s", got.raw)
	}
}

func TestOrganization(t *testing.T) {
	t.Parallel()
	d := newDirectoryTest(t, Options{})
	d.subdomains()
	d.roles = []string{"User.Read.All"}
	got := d.want(d.get("/organization?$select=id,verifiedDomains"), http.StatusOK, "")
	verified := func(name, kind string, standard, initial bool) any {
		return map[string]any{"name": name, "type": kind, "isDefault": standard, "isInitial": initial,
			"capabilities": "Email, OfficeCommunicationsOnline"}
	}
	want := []map[string]any{{"id": testTenant, "verifiedDomains": []any{
		verified("example.co.jp", "Federated", true, false),
		verified("managed.example", "Managed", false, false),
		verified("odd.example.co.jp", "Managed", false, false),
		verified("own.example.co.jp", "Managed", false, false),
		verified("sub.example.co.jp", "Federated", false, false),
		verified("t84bd8158.onmicrosoft.com", "Managed", false, true),
	}}}
	if diff := cmp.Diff(want, got.value()); diff != "" {
		t.Errorf("organization (-want +got):\n%s", diff)
	}
	if one := d.want(d.get("/organization/"+testTenant), http.StatusOK, ""); one.body["displayName"] != "Contoso" {
		t.Errorf("got %s", one.raw)
	}
	d.want(d.get("/organization/"+hanako), 404, "Request_ResourceNotFound")
	d.want(d.get("/organization?$select=nothing"), 400, "Request_BadRequest")
	d.want(d.get("/organization?$top=1"), 400, "Request_BadRequest")
	d.roles = []string{"User.ReadBasic.All"}
	d.want(d.get("/organization"), 403, "Authorization_RequestDenied")
}

func TestInitialDomain(t *testing.T) {
	t.Parallel()
	d := newDirectoryTest(t, Options{})
	d.tenant = d.AddTenant(TenantOptions{ID: hanako, Name: "Fabrikam"})
	got := d.want(d.get("/domains?$select=id,isDefault,isInitial"), http.StatusOK, "")
	want := []map[string]any{{"id": d.tenant.InitialDomain(), "isDefault": true, "isInitial": true}}
	if diff := cmp.Diff(want, got.value()); diff != "" {
		t.Errorf("domains (-want +got):\n%s", diff)
	}
}
