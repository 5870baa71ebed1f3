package stamp

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// Federation tells how a user's domain signs in.
type Federation string

// A user of a federated domain signs in at another identity provider, and may lack the
// stamp. Doubtful is who is not known as federated while the domain may just have
// become so.
const (
	Federated Federation = "federated"
	Managed   Federation = "managed"
	Doubtful  Federation = "doubtful"
)

// FederatedDomains are the federated domains that are served. The zero value has none.
type FederatedDomains struct {
	federated map[string]bool // by name, lower case
	only      []string        // and what is below them; none: all
}

// FederatedAmong returns those of a tenant's domains that are federated and verified.
func FederatedAmong(domains []directory.Domain) FederatedDomains {
	f := FederatedDomains{federated: make(map[string]bool, len(domains))}
	for _, domain := range domains {
		f.federated[strings.ToLower(domain.Name)] = domain.Federated && domain.Verified
	}
	return f
}

// Contain tells whether name is federated and served: listed so, or below the nearest
// listed domain that is. Microsoft does not document whether a subdomain that inherits
// its root's federation is listed, and how; where it is listed, its own entry counts.
func (f FederatedDomains) Contain(name string) bool {
	if !f.serve(name) {
		return false
	}
	for name != "" {
		if federated, listed := f.federated[name]; listed {
			return federated
		}
		_, name, _ = strings.Cut(name, ".")
	}
	return false
}

// Of tells what a user's domain is: federated if it is one of them.
func (f FederatedDomains) Of(u directory.User) Federation {
	if f.Contain(u.Domain()) {
		return Federated
	}
	return Managed
}

// serve tells whether the administrator has left name in.
func (f FederatedDomains) serve(name string) bool {
	return len(f.only) == 0 || slices.ContainsFunc(f.only, func(top string) bool {
		return name == top || strings.HasSuffix(name, "."+top)
	})
}

// DomainLister reads the tenant's domains.
type DomainLister interface {
	Domains(ctx context.Context) ([]directory.Domain, error)
}

// How long the list of domains is believed: it changes a few times a year. In doubt it
// is read again at once, but not more often than each minute.
const (
	domainsAge      = 15 * time.Minute
	domainsDoubtAge = time.Minute
)

// Domains keeps the tenant's federated domains between invocations. It is safe for
// concurrent use.
type Domains struct {
	lister DomainLister

	// turn holds one value while Graph is asked. Others wait no longer than they may.
	turn  chan struct{}
	known FederatedDomains
	read  time.Time // when known was read, zero for never
}

// NewDomains discovers the federated domains from the tenant. If any are named, only these
// and what is below them are served, as far as the tenant has them federated.
func NewDomains(lister DomainLister, only ...string) *Domains {
	d := &Domains{lister: lister, turn: make(chan struct{}, 1)}
	for _, name := range only {
		d.known.only = append(d.known.only, strings.ToLower(name))
	}
	return d
}

var domainName = regexp.MustCompile(`^(?i:[a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+(?i:[a-z][a-z0-9-]*[a-z0-9])$`)

// IsDomainName tells whether name is a fully qualified name of two labels at least.
func IsDomainName(name string) bool { return domainName.MatchString(name) }

// Check fails with [directory.ErrNotFederated] if a named domain can serve nobody.
func (d *Domains) Check(ctx context.Context, now time.Time) error {
	if len(d.known.only) == 0 {
		return nil
	}
	known, err := d.For(ctx, now)
	if err != nil {
		return err
	}
	for _, name := range known.only {
		if !known.Contain(name) {
			return fmt.Errorf("%s: %w", name, directory.ErrNotFederated)
		}
	}
	return nil
}

// For returns the federated domains at now, fresh enough to judge the users.
func (d *Domains) For(ctx context.Context, now time.Time, users ...directory.User) (FederatedDomains, error) {
	select {
	case d.turn <- struct{}{}:
		defer func() { <-d.turn }()
	case <-ctx.Done():
		return FederatedDomains{}, fmt.Errorf("wait for the tenant's domains: %w", ctx.Err())
	}
	if !d.read.IsZero() && now.Sub(d.read) < d.maxAge(users) {
		return d.known, nil
	}
	domains, err := d.lister.Domains(ctx)
	if err != nil {
		return FederatedDomains{}, fmt.Errorf("read the tenant's domains: %w", err)
	}
	d.known.federated = FederatedAmong(domains).federated
	d.read = now
	return d.known, nil
}

// maxAge is short if somebody without a stamp is in a domain that is not known as
// federated: it may have become so since. Users of managed domains have a stamp.
func (d *Domains) maxAge(users []directory.User) time.Duration {
	for _, u := range users {
		doubtful := d.known.serve(u.Domain()) && !d.known.Contain(u.Domain())
		if doubtful && u.SignInSessionsValidFrom.IsZero() && !u.Invited() {
			return domainsDoubtAge
		}
	}
	return domainsAge
}
