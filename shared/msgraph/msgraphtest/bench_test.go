package msgraphtest

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// BenchmarkNew shows that a test may have as many servers as it likes.
func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		New(Options{}).Close()
	}
}

// BenchmarkCall is one call in process from end to end.
func BenchmarkCall(b *testing.B) {
	s := New(Options{Limits: limited(func(l *Limits) { l.ResourceUnits.Per, l.AppRequests.Per = 1, 1 })})
	defer s.Close()
	tenant := s.AddTenant(TenantOptions{Domains: []Domain{{Name: "example.co.jp", Federated: true}}})
	app := tenant.AddApp(AppOptions{Permissions: []string{"User.Read.All"}})
	id := tenant.AddUser(NewUser{UPN: "hanako@example.co.jp"})
	s.mu.Lock()
	token, err := s.issue(app, "https://graph.microsoft.com", time.Now())
	s.mu.Unlock()
	if err != nil {
		b.Fatal(err)
	}
	req := &http.Request{Method: "GET", Header: http.Header{"Authorization": {"Bearer " + token}},
		URL: &url.URL{Scheme: "https", Host: "graph.microsoft.com", Path: "/v1.0/users/" + strings.ToLower(id)}}
	for b.Loop() {
		resp, err := s.RoundTrip(req)
		if err != nil || resp.StatusCode != http.StatusOK {
			b.Fatal(resp, err)
		}
	}
}
