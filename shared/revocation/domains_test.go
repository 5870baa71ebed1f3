package revocation_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
)

func TestFederatedDomainsContain(t *testing.T) {
	t.Parallel()
	domains := revocation.NewFederatedDomains([]directory.Domain{
		{Name: "federated.example", Federated: true, Verified: true},
		{Name: "managed.federated.example", Verified: true},
		{Name: "back.managed.federated.example", Federated: true, Verified: true},
		{Name: "managed.example", Verified: true},
		{Name: "listed.managed.example", Federated: true, Verified: true},
		{Name: "Capital.Example", Federated: true, Verified: true},
		{Name: "unverified.example", Federated: true},
	})
	tests := []struct {
		name, domain string
		want         bool
	}{
		{"itself", "federated.example", true},
		{"an unlisted subdomain", "eu.federated.example", true},
		{"below an unlisted subdomain", "tokyo.asia.federated.example", true},
		{"a listed subdomain that is managed", "managed.federated.example", false},
		{"below a managed subdomain", "x.managed.federated.example", false},
		{"federated below managed below federated", "back.managed.federated.example", true},
		{"a managed domain", "managed.example", false},
		{"a federated subdomain of a managed domain", "listed.managed.example", true},
		{"a suffix that is no label", "evilfederated.example", false},
		{"a prefix", "federated.example.com", false},
		{"the domain above", "example", false},
		{"listed in capitals", "capital.example", true},
		{"below one listed in capitals", "eu.capital.example", true},
		{"unverified", "unverified.example", false},
		{"below an unverified one", "eu.unverified.example", false},
		{"nothing", "", false},
		{"dots", "..", false},
		{"an empty label below a federated domain", ".federated.example", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := domains.Contain(tt.domain); got != tt.want {
				t.Errorf("Contain(%q) = %t, want %t", tt.domain, got, tt.want)
			}
		})
	}
	if (revocation.FederatedDomains{}).Contain("federated.example") {
		t.Error("the zero value contains a domain")
	}
}

func TestFixedDomains(t *testing.T) {
	t.Parallel()
	cache, err := revocation.FixedDomains("Federated.Example")
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", " ", "com", "@a.example", "*.a.example", "a example.com", ".a.example", "a..example", "-a.example"} {
		if _, err := revocation.FixedDomains("good.example", bad); leaktest.Seen(t, err) == nil {
			t.Errorf("FixedDomains took %q", bad)
		}
	}
	if _, err := revocation.FixedDomains(); leaktest.Seen(t, err) == nil {
		t.Error("FixedDomains took an empty list")
	}
	domains, err := cache.For(t.Context(), time.Now(), []directory.User{{UserPrincipalName: "a@unlisted.example"}})
	if err != nil {
		t.Fatalf("For: %v", err)
	}
	for domain, want := range map[string]bool{"federated.example": true, "eu.federated.example": true, "unlisted.example": false, "": false} {
		if got := domains.Contain(domain); got != want {
			t.Errorf("Contain(%q) = %t, want %t", domain, got, want)
		}
	}
}

// countingLister lists one federated domain, and counts how often it is asked.
type countingLister struct {
	asked int
	names []string
	err   error
	block time.Duration
}

func (l *countingLister) Domains(ctx context.Context) ([]directory.Domain, error) {
	l.asked++
	select {
	case <-time.After(l.block):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	var list []directory.Domain
	for _, name := range l.names {
		list = append(list, directory.Domain{Name: name, Federated: true, Verified: true})
	}
	return list, l.err
}

var domainSettings = revocation.DomainSettings{Refresh: 15 * time.Minute, RefreshDoubtful: time.Minute, Stale: time.Hour}

func TestDomainCacheRefresh(t *testing.T) {
	t.Parallel()
	errDown := errors.New("down")
	type look struct {
		after  time.Duration // since the first look
		domain string        // of the user who is judged
		err    error         // what listing comes to
		asked  int           // how often it was asked by then
		want   bool          // whether the domain is federated
		fails  bool
	}
	tests := []struct {
		name  string
		looks []look
	}{
		{"a list is read once", []look{
			{0, "a.example", nil, 1, true, false},
			{14 * time.Minute, "a.example", nil, 1, true, false},
		}},
		{"an old list is read again", []look{
			{0, "a.example", nil, 1, true, false},
			{15 * time.Minute, "a.example", nil, 2, true, false},
			{29 * time.Minute, "a.example", nil, 2, true, false},
		}},
		{"an unlisted domain makes it old sooner", []look{
			{0, "unlisted.example", nil, 1, false, false},
			{59 * time.Second, "unlisted.example", nil, 1, false, false},
			{time.Minute, "unlisted.example", nil, 2, false, false},
		}},
		{"a subdomain counts as listed", []look{
			{0, "eu.a.example", nil, 1, true, false},
			{2 * time.Minute, "eu.a.example", nil, 1, true, false},
		}},
		{"an old list serves while Graph fails", []look{
			{0, "a.example", nil, 1, true, false},
			{20 * time.Minute, "a.example", errDown, 2, true, false},
			{59 * time.Minute, "a.example", errDown, 3, true, false},
		}},
		{"but not for ever", []look{
			{0, "a.example", nil, 1, true, false},
			{time.Hour, "a.example", errDown, 2, false, true},
			{time.Hour + time.Second, "a.example", nil, 3, true, false},
		}},
		{"no list at all is an error", []look{
			{0, "a.example", errDown, 1, false, true},
			{0, "a.example", nil, 2, true, false},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			start := time.Date(2026, time.November, 3, 9, 0, 0, 0, time.UTC)
			lister := &countingLister{names: []string{"a.example"}}
			cache := revocation.NewDomainCache(lister, domainSettings)
			for i, l := range tt.looks {
				lister.err = l.err
				users := []directory.User{{UserPrincipalName: "x@a.example"}, {UserPrincipalName: "x@" + l.domain}}
				domains, err := cache.For(t.Context(), start.Add(l.after), users)
				if l.fails != (leaktest.Seen(t, err) != nil) || l.fails && !errors.Is(err, l.err) {
					t.Fatalf("look %d: error %v, want one: %t", i, err, l.fails)
				}
				if got := domains.Contain(l.domain); got != l.want {
					t.Errorf("look %d: Contain(%q) = %t, want %t", i, l.domain, got, l.want)
				}
				if lister.asked != l.asked {
					t.Errorf("look %d: the tenant was asked %d times, want %d", i, lister.asked, l.asked)
				}
			}
		})
	}
}

// A user with a stamp in a domain that is not federated is no reason for doubt:
// such users are the rule in a managed domain.
func TestDomainCacheTrustsManagedDomains(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, time.November, 3, 9, 0, 0, 0, time.UTC)
	lister := &countingLister{names: []string{"a.example"}}
	cache := revocation.NewDomainCache(lister, domainSettings)
	for _, after := range []time.Duration{0, 2 * time.Minute} {
		users := []directory.User{{UserPrincipalName: "x@managed.example", SignInSessionsValidFrom: start}}
		if _, err := cache.For(t.Context(), start.Add(after), users); err != nil {
			t.Fatal(err)
		}
	}
	if lister.asked != 1 {
		t.Errorf("the tenant was asked %d times, want once", lister.asked)
	}
}

// One caller asks Graph; those who come meanwhile wait for its answer, but no
// longer than their own context.
func TestDomainCacheWaitingCallers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		lister := &countingLister{names: []string{"a.example"}, block: 10 * time.Second}
		cache := revocation.NewDomainCache(lister, domainSettings)
		start := time.Now()
		ask := func(ctx context.Context, result chan<- string) {
			domains, err := cache.For(ctx, start, []directory.User{{UserPrincipalName: "x@a.example"}})
			line := "known"
			switch {
			case errors.Is(leaktest.Seen(t, err), context.DeadlineExceeded):
				line = "gave up"
			case err != nil || !domains.Contain("a.example"):
				line = "wrong"
			}
			result <- line + " after " + time.Since(start).String()
		}
		first, patient, hasty := make(chan string), make(chan string), make(chan string)
		go ask(t.Context(), first)
		synctest.Wait()
		go ask(t.Context(), patient)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		go ask(ctx, hasty)

		got := strings.Join([]string{<-hasty, <-first, <-patient}, "; ")
		if want := "gave up after 1s; known after 10s; known after 10s"; got != want {
			t.Errorf("callers %s; want %s", got, want)
		}
		if lister.asked != 1 {
			t.Errorf("the tenant was asked %d times, want once", lister.asked)
		}
	})
}
