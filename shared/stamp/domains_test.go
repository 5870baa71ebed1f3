package stamp_test

import (
	"errors"
	"testing"
	"time"

	"context"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// Unknown subdomains have the list read again, at most once a minute; a failure is told.
func TestDomains(t *testing.T) {
	t.Parallel()
	asked := 0
	var fails error
	d := stamp.NewDomains(lister(func() ([]directory.Domain, error) {
		asked++
		return []directory.Domain{
			{Name: "A.example", Federated: true, Verified: true},
			{Name: "m.a.example", Verified: true},
			{Name: "u.example", Federated: true},
		}, fails
	}))
	for i, look := range []struct {
		after  time.Duration
		domain string
		asked  int
		want   bool
		fails  bool
	}{
		{0, "a.example", 1, true, false},
		{14 * time.Minute, "eu.a.example", 1, true, false},
		{15 * time.Minute, "a.example", 2, true, false},
		{16 * time.Minute, "m.a.example", 3, false, false},
		{16*time.Minute + 59*time.Second, "u.example", 3, false, false},
		{17 * time.Minute, "evila.example", 4, false, false},
		{40 * time.Minute, "a.example", 5, false, true},
	} {
		if fails = nil; look.fails {
			fails = errPlain
		}
		got, err := federated(t, d, noon.Add(look.after), look.domain)
		if got != look.want || (err != nil) != look.fails || asked != look.asked {
			t.Errorf("look %d: %t, %v, asked %d times; want %+v", i, got, err, asked, look)
		}
	}
}

func federated(t *testing.T, d *stamp.Domains, now time.Time, domain string) (bool, error) {
	known, err := d.For(t.Context(), now, directory.User{UserPrincipalName: "x@" + domain})
	return known.Contain(domain), err
}

type lister func() ([]directory.Domain, error)

func (l lister) Domains(context.Context) ([]directory.Domain, error) { return l() }

func TestDomainNames(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", " ", "com", "@a.example", "*.a.example", "a example.com", ".a.example", "a..example", "-a.example"} {
		if stamp.IsDomainName(bad) {
			t.Errorf("%q is a domain name", bad)
		}
	}
}

// Who is named is served as far as the tenant has the domain federated, and nobody else.
func TestNamedDomains(t *testing.T) {
	t.Parallel()
	tenant := lister(func() ([]directory.Domain, error) {
		return []directory.Domain{
			{Name: "federated.example", Federated: true, Verified: true},
			{Name: "other.example", Federated: true, Verified: true},
			{Name: "managed.example", Verified: true},
		}, nil
	})
	d := stamp.NewDomains(tenant, "Federated.Example", "managed.example")
	for domain, want := range map[string]bool{
		"federated.example": true, "eu.federated.example": true,
		"other.example": false, "managed.example": false, "a.managed.example": false, "xfederated.example": false,
	} {
		if got, err := federated(t, d, noon, domain); got != want || err != nil {
			t.Errorf("%s is federated: %t, %v, want %t", domain, got, err, want)
		}
	}
	for name, faulty := range map[string]bool{
		"federated.example": false, "eu.federated.example": false,
		"managed.example": true, "federatde.example": true,
	} {
		err := stamp.NewDomains(tenant, "other.example", name).Check(t.Context(), noon)
		if errors.Is(err, directory.ErrNotFederated) != faulty || (err != nil) != faulty {
			t.Errorf("%s is refused: %v, want %t", name, err, faulty)
		}
	}
	if err := stamp.NewDomains(tenant).Check(t.Context(), noon); err != nil {
		t.Errorf("no list is refused: %v", err)
	}
}
