package msgraphtest

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
)

// A Tenant is one Microsoft Entra directory. Make one with [Server.AddTenant].
type Tenant struct {
	s    *Server
	id   string
	dir  tenantDirectory
	hub  tenantHub
	apps []*App // in the order of their registration

	// Server.mu guards the following.
	deleted []*App               // that can be restored
	issuers map[string]time.Time // since when federated credentials name them
	offices map[string]Office    // by object id of a user
}

// TenantOptions describe a tenant as it begins.
type TenantOptions struct {
	// ID is the tenant id, a GUID; made up where empty.
	ID string
	// Domains are the tenant's domains besides its initial one, which is made
	// up, managed and ends in onmicrosoft.com. The first verified one is the
	// default domain.
	Domains []Domain
}

// tenantDirectory is what a tenant knows. Server.mu guards it.
type tenantDirectory struct {
	domains []*Domain          // the initial one first
	byName  map[string]*Domain // by lower case name

	// users is in the order of creation and never shrinks, so that a position
	// in it is a page token that stays true while users come and go.
	users []*user
	byID  map[uuid.UUID]*user
	byUPN map[string]*user // users not deleted, by lower case name

	log     []change // every change of a user, for delta
	history history  // what a lagging replica still shows
	groups  map[uuid.UUID]*group

	approved map[uuid.UUID]time.Time // sign-outs that a person approved, by user

	addresses map[uuid.UUID][]string // proxyAddresses, by user
	evidence  Evidence
}

// AddTenant adds a tenant. It panics where the id is no GUID or is taken: that
// is a mistake in the test.
func (s *Server) AddTenant(o TenantOptions) *Tenant {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o.ID == "" {
		o.ID = s.newID()
	}
	id := mustParse(o.ID).String()
	if s.tenants[id] != nil {
		panic("msgraphtest: tenant " + id + " exists")
	}
	t := &Tenant{s: s, id: id, dir: newDirectory(), issuers: make(map[string]time.Time), offices: make(map[string]Office)}
	t.dir.addDomain(Domain{Name: "t" + id[:8] + ".onmicrosoft.com", initial: true})
	for _, d := range o.Domains {
		t.dir.addDomain(d)
	}
	s.tenants[id] = t
	return t
}

func newDirectory() tenantDirectory {
	return tenantDirectory{
		byName: make(map[string]*Domain),
		byID:   make(map[uuid.UUID]*user),
		byUPN:  make(map[string]*user),
		groups: make(map[uuid.UUID]*group),

		approved:  make(map[uuid.UUID]time.Time),
		addresses: make(map[uuid.UUID][]string),
	}
}

// ID returns the tenant id.
func (t *Tenant) ID() string { return t.id }

// find returns the user, deleted or not, whose object id or userPrincipalName
// is key, and nil if there is none. A deleted user has no userPrincipalName.
func (d *tenantDirectory) find(key string) *user {
	if id, ok := parseID(key); ok {
		return d.byID[id]
	}
	return d.byUPN[strings.ToLower(key)]
}

// parseID reads a GUID in the one notation Graph has: 36 characters. uuid.Parse
// alone would also take braces and URNs.
func parseID(s string) (uuid.UUID, bool) {
	if len(s) != 36 {
		return uuid.UUID{}, false
	}
	id, err := uuid.Parse(s)
	return id, err == nil
}

func mustParse(s string) uuid.UUID {
	id, ok := parseID(s)
	if !ok {
		panic(fmt.Sprintf("msgraphtest: %q is no GUID", s))
	}
	return id
}
