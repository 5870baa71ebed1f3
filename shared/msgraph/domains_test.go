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

// Package answer tells what is wrong with a single page.
func TestDomainsEnd(t *testing.T) {
	t.Parallel()
	graph := answers(http.StatusOK, `{"@odata.nextLink":"https://graph.microsoft.com/v1.0/domains","value":[]}`)
	got, err := clientOf(t, graph).Domains(t.Context())
	if e := graphError(t, err); e.Operation != "listDomains" || got != nil || graph.requests() != 51 {
		t.Errorf("domains %v, error %+v after %d requests", got, e, graph.requests())
	}
}
