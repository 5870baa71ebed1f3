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
	got := d.want(d.get("/domains?$select=id,authenticationType,isVerified,isDefault,isInitial"), http.StatusOK, "")
	shown := func(id, authentication string, verified, standard, initial bool) map[string]any {
		return map[string]any{"id": id, "authenticationType": authentication, "isVerified": verified,
			"isDefault": standard, "isInitial": initial}
	}
	want := []map[string]any{
		shown("example.co.jp", "Federated", true, true, false),
		shown("managed.example", "Managed", true, false, false),
		shown("odd.example.co.jp", "Managed", true, false, false),
		shown("own.example.co.jp", "Managed", true, false, false),
		shown("sub.example.co.jp", "Federated", true, false, false),
		shown("t84bd8158.onmicrosoft.com", "Managed", true, false, true),
		shown("unproved.example", "Federated", false, false, false),
	}
	if diff := cmp.Diff(want, got.value()); diff != "" {
		t.Errorf("domains (-want +got):\n%s", diff)
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
		{"unknown property in a list", "/domains?$select=nothing", nil, 400, "Request_BadRequest"},
		{"filter", "/domains?$filter=isVerified eq true", nil, 400, "Request_BadRequest"},
		{"may only read users", "/domains", []string{"User.Read.All"}, 403, "Authorization_RequestDenied"},
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

func TestInitialDomain(t *testing.T) {
	t.Parallel()
	d := newDirectoryTest(t, Options{})
	d.tenant = d.AddTenant(TenantOptions{ID: hanako})
	got := d.want(d.get("/domains?$select=id,isDefault,isInitial"), http.StatusOK, "")
	want := []map[string]any{{"id": d.tenant.InitialDomain(), "isDefault": true, "isInitial": true}}
	if diff := cmp.Diff(want, got.value()); diff != "" {
		t.Errorf("domains (-want +got):\n%s", diff)
	}
}
