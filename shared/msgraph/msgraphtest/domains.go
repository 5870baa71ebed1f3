package msgraphtest

import "strings"

// A Domain is a [domain] of a tenant. A subdomain of a domain inherits how its
// users sign in.
//
// [domain]: https://learn.microsoft.com/graph/api/resources/domain
type Domain struct {
	Name string
	// Federated makes users sign in at an outside identity provider; otherwise
	// the domain is managed.
	Federated bool
	// Unverified tells that the tenant has not proved to own the domain. It can
	// have no users and federates nobody.
	Unverified bool
	// Unlisted leaves the domain out of GET /domains, though it can have users:
	// whether Graph lists a subdomain isn't documented.
	Unlisted bool

	initial bool
}

// federated tells whether users of a domain sign in elsewhere. A domain that
// the tenant doesn't list inherits from the nearest one above it that it does.
func (d *tenantDirectory) federated(name string) bool {
	for name != "" {
		switch domain := d.byName[name]; {
		case domain == nil:
		case domain.Unverified:
			return false
		case domain.Federated:
			return true
		}
		_, name, _ = strings.Cut(name, ".")
	}
	return false
}

// verified tells whether the tenant can have users in a domain.
func (d *tenantDirectory) verified(name string) bool {
	domain := d.byName[name]
	return domain != nil && !domain.Unverified
}

func (d *tenantDirectory) addDomain(domain Domain) {
	domain.Name = strings.ToLower(domain.Name)
	if d.byName[domain.Name] != nil {
		panic("msgraphtest: domain " + domain.Name + " exists")
	}
	d.domains = append(d.domains, &domain)
	d.byName[domain.Name] = &domain
}

// SetFederated converts a domain at run time. It panics if the tenant has no such
// domain.
func (t *Tenant) SetFederated(name string, federated bool) {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	domain := t.dir.byName[strings.ToLower(name)]
	if domain == nil {
		panic("msgraphtest: no domain " + name)
	}
	domain.Federated = federated
}

func (d *tenantDirectory) authenticationType(domain *Domain) string {
	if domain.Federated || d.federated(domain.Name) {
		return "Federated"
	}
	return "Managed"
}

var domainReaders = []string{"Domain.Read.All", "Domain.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}

func domainRoutes() []route {
	return []route{{method: "GET", pattern: "/domains", permissions: domainReaders, handle: locked(listDomains)}}
}

// listDomains is https://learn.microsoft.com/graph/api/domain-list.
func listDomains(_ *Server, c *call) (reply, error) {
	if err := c.onlyOptions("$select"); err != nil {
		return reply{}, err
	}
	values := []object{}
	for _, domain := range c.tenant.dir.domains {
		if domain.Unlisted {
			continue
		}
		shown, err := c.project(c.tenant.dir.domainObject(domain), "domain")
		if err != nil {
			return reply{}, err
		}
		values = append(values, shown)
	}
	return ok(object{"@odata.context": c.context("domains"), "value": values})
}

func (d *tenantDirectory) domainObject(domain *Domain) object {
	return object{
		"id":                 domain.Name,
		"authenticationType": d.authenticationType(domain),
		"isInitial":          domain.initial,
		"isVerified":         !domain.Unverified,
	}
}
