package msgraphtest

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestListDomains(t *testing.T) {
	t.Parallel()
	d := newDirectoryTest(t, Options{})
	got := d.want(d.get("/domains?$select=id,authenticationType,isVerified,isInitial"), http.StatusOK, "")
	shown := func(id, authentication string, verified, initial bool) map[string]any {
		return map[string]any{"id": id, "authenticationType": authentication, "isVerified": verified, "isInitial": initial}
	}
	want := []map[string]any{
		shown("t84bd8158.onmicrosoft.com", "Managed", true, true),
		shown("example.co.jp", "Federated", true, false),
		shown("managed.example", "Managed", true, false),
		shown("sub.example.co.jp", "Federated", true, false),
		shown("unproved.example", "Federated", false, false),
	}
	if diff := cmp.Diff(want, got.value()); diff != "" {
		t.Errorf("domains (-want +got):\n%s", diff)
	}
}

func TestSubdomainsInherit(t *testing.T) {
	t.Parallel()
	d := newDirectoryTest(t, Options{})
	tests := map[string]bool{
		"example.co.jp": true, "sub.example.co.jp": true, "hidden.example.co.jp": true,
		"deep.sub.example.co.jp": true, "never-added.example.co.jp": true,
		"managed.example": false, "unproved.example": false, "below.unproved.example": false,
		"notexample.co.jp": false, "co.jp": false, "": false,
	}
	for name, want := range tests {
		if got := d.tenant.dir.federated(name); got != want {
			t.Errorf("federated(%q) = %t, want %t", name, got, want)
		}
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
			if test.roles != nil {
				d.roles = test.roles
			}
			d.want(d.get(test.target), test.status, test.code)
		})
	}
}
