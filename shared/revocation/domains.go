package revocation

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// FederatedDomains tells which domain names are federated. The zero value knows
// of none.
type FederatedDomains struct {
	federated map[string]bool // by name, lower case
}

// NewFederatedDomains takes the domains as the tenant lists them.
func NewFederatedDomains(domains []directory.Domain) FederatedDomains {
	f := FederatedDomains{federated: make(map[string]bool, len(domains))}
	for _, d := range domains {
		f.federated[strings.ToLower(d.Name)] = d.Federated && d.Verified
	}
	return f
}

// Contain tells whether name is federated: listed so, or below the nearest
// listed domain that is. Microsoft does not document whether a subdomain that
// inherits its root's federation is listed, and how; where it is listed, its own
// entry counts.
func (f FederatedDomains) Contain(name string) bool {
	for name != "" {
		if federated, listed := f.federated[name]; listed {
			return federated
		}
		_, name, _ = strings.Cut(name, ".")
	}
	return false
}

// DomainLister reads the tenant's domains.
type DomainLister interface {
	Domains(ctx context.Context) ([]directory.Domain, error)
}

// DomainCache keeps the tenant's federated domains between invocations. It is
// safe for concurrent use.
type DomainCache struct {
	lister   DomainLister
	settings DomainSettings
	fixed    bool

	// held is a mutex whose waiters give up with their context: it is held while
	// Graph is asked.
	held    chan struct{}
	domains FederatedDomains
	read    time.Time // when domains were read, zero for never
}

// DomainSettings say how long a list of domains is believed.
type DomainSettings struct {
	// Refresh is the age at which the list is read again.
	Refresh time.Duration
	// RefreshDoubtful is that age when a user without a stamp is in a domain that
	// the list does not call federated: it may have become so since. Users of
	// managed domains have a stamp.
	RefreshDoubtful time.Duration
	// Stale is the age up to which an old list serves while Graph fails. A
	// domain that stopped being federated must not be treated as if it were for
	// longer than this.
	Stale time.Duration
}

// DefaultDomainSettings suit domains that change a few times a year.
var DefaultDomainSettings = DomainSettings{Refresh: 15 * time.Minute, RefreshDoubtful: time.Minute, Stale: time.Hour}

// Validate reports every fault.
func (s DomainSettings) Validate() error {
	if s.RefreshDoubtful <= 0 || s.Refresh < s.RefreshDoubtful || s.Stale < s.Refresh {
		return fmt.Errorf("domains are read again after %s, in doubt after %s, and believed for %s: all must be positive, doubt the shortest and belief the longest",
			s.Refresh, s.RefreshDoubtful, s.Stale)
	}
	return nil
}

// NewDomainCache discovers the federated domains from the tenant.
func NewDomainCache(lister DomainLister, settings DomainSettings) *DomainCache {
	return &DomainCache{lister: lister, settings: settings, held: make(chan struct{}, 1)}
}

// Validate reports every fault of the settings.
func (c *DomainCache) Validate() error {
	if c == nil || c.fixed {
		return nil
	}
	return c.settings.Validate()
}

// FixedDomains serves the configured names and all that is below them. It never
// asks the tenant, so a name has to leave the list when its domain stops being
// federated. Names that could match nobody, or everybody, are refused.
func FixedDomains(names ...string) (*DomainCache, error) {
	domains := make([]directory.Domain, 0, len(names))
	var faults []error
	for _, name := range names {
		if !domainName.MatchString(name) {
			faults = append(faults, fmt.Errorf("domain %q: want a name such as contoso.com, without @ and *", name))
		}
		domains = append(domains, directory.Domain{Name: name, Federated: true, Verified: true})
	}
	if len(names) == 0 {
		faults = append(faults, errors.New("the list of domains is empty"))
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return &DomainCache{fixed: true, domains: NewFederatedDomains(domains), held: make(chan struct{}, 1)}, nil
}

// domainName is a fully qualified name of two labels at least.
var domainName = regexp.MustCompile(`^(?i:[a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+(?i:[a-z][a-z0-9-]*[a-z0-9])$`)

// For returns the federated domains at now, fresh enough to judge the given
// users.
func (c *DomainCache) For(ctx context.Context, now time.Time, users []directory.User) (FederatedDomains, error) {
	select {
	case c.held <- struct{}{}:
		defer func() { <-c.held }()
	case <-ctx.Done():
		return FederatedDomains{}, ctx.Err()
	}
	if c.fixed || now.Sub(c.read) < c.maxAge(users) {
		return c.domains, nil
	}
	domains, err := c.lister.Domains(ctx)
	if err == nil {
		c.domains, c.read = NewFederatedDomains(domains), now
		return c.domains, nil
	}
	if now.Sub(c.read) < c.settings.Stale {
		return c.domains, nil
	}
	return FederatedDomains{}, fmt.Errorf("read the tenant's domains: %w", err)
}

func (c *DomainCache) maxAge(users []directory.User) time.Duration {
	for _, u := range users {
		if u.SignInSessionsValidFrom.IsZero() && !c.domains.Contain(u.Domain()) {
			return c.settings.RefreshDoubtful
		}
	}
	return c.settings.Refresh
}
