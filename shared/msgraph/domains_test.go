package msgraph_test

import (
	"net/http"
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

// Package answer has more of these.
func TestDomainsDistrustsPages(t *testing.T) {
	t.Parallel()
	next := func(link string) string { return `{"@odata.nextLink":"` + link + `","value":[]}` }
	tests := []struct {
		name, body string
		requests   int
	}{
		{"other host", next("https://graph.microsoft.com.example/v1.0/domains"), 1},
		{"endless", next("https://graph.microsoft.com/v1.0/domains"), 51},
		{"no list", `{}`, 1},
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
