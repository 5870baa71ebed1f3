package msgraph_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

func TestDomains(t *testing.T) {
	t.Parallel()
	pages := map[string]string{
		"": `{"@odata.nextLink":"https://graph.microsoft.com/v1.0/domains?$skiptoken=two",
			"value":[{"id":"Example.co.jp","authenticationType":"Federated","isVerified":true}]}`,
		"two":   `{"@odata.nextLink":"https://graph.microsoft.com/v1.0/domains?$skiptoken=three","value":[]}`,
		"three": `{"value":[{"id":"a.example","authenticationType":"federated"},{"id":"b.example","authenticationType":"Managed","isVerified":true},{"id":"c.example"}]}`,
	}
	graph := &fake{answer: func(req *http.Request) (*http.Response, error) {
		return response(http.StatusOK, pages[req.URL.Query().Get("$skiptoken")]), nil
	}}
	got, err := clientOf(t, graph).Domains(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []directory.Domain{
		{Name: "example.co.jp", Federated: true, Verified: true},
		{Name: "a.example", Federated: true},
		{Name: "b.example", Verified: true},
		{Name: "c.example"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("domains (-want +got):\n%s", diff)
	}
	if got, want := graph.seen[0].URL.String(), "https://graph.microsoft.com/v1.0/domains"; got != want {
		t.Errorf("sent to %s, want %s", got, want)
	}
	if n := graph.requests(); n != 3 {
		t.Errorf("%d requests, want 3", n)
	}
}

func TestDomainsDistrustsPages(t *testing.T) {
	t.Parallel()
	next := func(link string) string { return `{"@odata.nextLink":"` + link + `","value":[]}` }
	tests := []struct {
		name, body string
		requests   int
	}{
		{"other host", next("https://graph.microsoft.com.example/v1.0/domains"), 1},
		{"other cloud", next("https://graph.microsoft.us/v1.0/domains"), 1},
		{"other port", next("https://graph.microsoft.com:444/v1.0/domains"), 1},
		{"no TLS", next("http://graph.microsoft.com/v1.0/domains"), 1},
		{"login in the address", next("https://me@graph.microsoft.com/v1.0/domains"), 1},
		{"relative", next("/v1.0/domains"), 1},
		{"not an address", next("https://%zz"), 1},
		{"endless", next("https://graph.microsoft.com/v1.0/domains"), 50},
		{"no list", `{}`, 1},
		{"null list", `{"value":null}`, 1},
		{"list of null", `{"value":[null]}`, 1},
		{"list of text", `{"value":["` + principal + `"]}`, 1},
		{"no name", `{"value":[{"isVerified":true}]}`, 1},
		{"text for a truth", `{"value":[{"id":"a.example","isVerified":"` + principal + `"}]}`, 1},
		{"nothing", ``, 1},
		{"null", `null`, 1},
		{"not JSON", `<html>`, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			graph := answers(http.StatusOK, tt.body)
			got, err := clientOf(t, graph).Domains(t.Context())
			if e := graphError(t, err); e.Operation != "listDomains" || got != nil {
				t.Errorf("domains %v, error %+v", got, e)
			}
			if n := graph.requests(); n != tt.requests {
				t.Errorf("%d requests, want %d", n, tt.requests)
			}
		})
	}
}

func TestDomainsForbidden(t *testing.T) {
	t.Parallel()
	_, err := clientOf(t, answers(http.StatusForbidden, file(t, "error-403.json"))).Domains(t.Context())
	e := graphError(t, err)
	if !e.Forbidden() || !e.NotDone || e.Code != "Authorization_RequestDenied" {
		t.Errorf("error %+v", e)
	}
}

// Whatever Graph answers, nothing panics.
func FuzzDomains(f *testing.F) {
	f.Add(200, `{"value":[{"id":"a.example","authenticationType":"Federated","isVerified":true}]}`)
	f.Add(200, `{"value":[{"id":"a.example","supportedServices":[null,1],"state":{"status":[]}}]}`)
	f.Add(403, file(f, "error-403.json"))
	f.Fuzz(func(t *testing.T, status int, body string) {
		got, err := clientOf(t, answers(status, body)).Domains(t.Context())
		if err != nil {
			graphErrorType(t, err)
		}
		for _, d := range got {
			if d.Name == "" || d.Name != strings.ToLower(d.Name) {
				t.Errorf("domain %q", d.Name)
			}
		}
	})
}
