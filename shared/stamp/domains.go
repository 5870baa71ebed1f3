package stamp

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
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

// FederatedDomains tells of the domains, by name in lower case, whether they are
// federated. The zero value knows of none.
type FederatedDomains map[string]bool

func newFederatedDomains(domains []directory.Domain) FederatedDomains {
	f := make(FederatedDomains, len(domains))
	for _, d := range domains {
		f[strings.ToLower(d.Name)] = d.Federated && d.Verified
	}
	return f
}

// Contain tells whether name is federated: listed so, or below the nearest listed domain
// that is. Microsoft does not document whether a subdomain that inherits its root's
// federation is listed, and how; where it is listed, its own entry counts.
func (f FederatedDomains) Contain(name string) bool {
	for name != "" {
		if federated, listed := f[name]; listed {
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

// How long the list of domains is believed: it changes a few times a year. In doubt it
// is read again at once, but not more often than each minute.
const (
	domainsAge      = 15 * time.Minute
	domainsDoubtAge = time.Minute
)

// Domains keeps the tenant's federated domains between invocations. It is safe for
// concurrent use.
type Domains struct {
	lister DomainLister // nil: the list is fixed

	mu    sync.Mutex // held while Graph is asked
	known FederatedDomains
	read  time.Time // when known was read, zero for never
}

// NewDomains discovers the federated domains from the tenant.
func NewDomains(lister DomainLister) *Domains { return &Domains{lister: lister} }

// domainName is a fully qualified name of two labels at least.
var domainName = regexp.MustCompile(`^(?i:[a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+(?i:[a-z][a-z0-9-]*[a-z0-9])$`)

// FixedDomains serves the configured names and all that is below them. It never asks the
// tenant, so a name has to leave the list when its domain stops being federated. Names
// that could match nobody, or everybody, are refused.
func FixedDomains(names ...string) (*Domains, error) {
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
	d := NewDomains(nil)
	d.known = newFederatedDomains(domains)
	return d, nil
}

// For returns the federated domains at now, fresh enough to judge the users.
func (d *Domains) For(ctx context.Context, now time.Time, users ...directory.User) (FederatedDomains, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.lister == nil || now.Sub(d.read) < d.maxAge(users) {
		return d.known, nil
	}
	domains, err := d.lister.Domains(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the tenant's domains: %w", err)
	}
	d.known, d.read = newFederatedDomains(domains), now
	return d.known, nil
}

// Federation tells whether the user is in a federated domain.
func (d *Domains) Federation(ctx context.Context, now time.Time, u directory.User) (bool, error) {
	known, err := d.For(ctx, now, u)
	return known.Contain(u.Domain()), err
}

// maxAge is short if somebody without a stamp is in a domain that is not known as
// federated: it may have become so since. Users of managed domains have a stamp.
func (d *Domains) maxAge(users []directory.User) time.Duration {
	for _, u := range users {
		if u.SignInSessionsValidFrom.IsZero() && !invited(u) && !d.known.Contain(u.Domain()) {
			return domainsDoubtAge
		}
	}
	return domainsAge
}
