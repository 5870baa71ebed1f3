package msgraphtest

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// AppOptions describe an app registration and its service principal in one
// tenant. A multi-tenant app is added to each of its tenants with the same ID.
type AppOptions struct {
	// ID is the client id; made up where empty.
	ID string
	// UniqueName is the application's; empty for none, as of one that a person has made.
	UniqueName string
	// Permissions are the application permissions granted with admin consent.
	Permissions []string
	// Secrets are its credentials, to which [App.AddFederated] adds.
	Secrets []Secret
	// Delegated are the permissions that an administrator has consented to for all
	// persons. An app that has any is a public client, whose redirect is http://localhost.
	Delegated []string
}

// A Secret is a client secret.
type Secret struct{ Text string }

// A FederatedCredential trusts tokens of an outside issuer, as Graph's
// [federatedIdentityCredential].
//
// [federatedIdentityCredential]: https://learn.microsoft.com/graph/api/resources/federatedidentitycredential
type FederatedCredential struct {
	Name, Issuer, Subject string
	// Audience is api://AzureADTokenExchange where empty.
	Audience string

	id    string
	since time.Time // when it was written through Graph
}

// exchangeAudience is the one audience that federated credentials have.
const exchangeAudience = "api://AzureADTokenExchange"

// An App is an app registration in one tenant.
type App struct {
	s         *Server
	tenant    *Tenant
	id        string // client id
	principal string // object id of the service principal, creatorId of its subscriptions

	secrets   []Secret
	delegated []string

	// Server.mu guards the following.
	permissions []string // sorted
	federated   []FederatedCredential
	disabled    bool // its service principal is

	registration
}

// app returns the tenant's app with a client id, nil if there is none.
func (t *Tenant) app(id string) *App {
	i := slices.IndexFunc(t.apps, func(app *App) bool { return strings.EqualFold(app.id, id) })
	if i < 0 {
		return nil
	}
	return t.apps[i]
}

// AddApp registers an app in the tenant, with admin consent to its permissions.
func (t *Tenant) AddApp(o AppOptions) *App {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	a := &App{
		s: t.s, tenant: t,
		id: t.s.idOr(o.ID), principal: t.s.newID(),
		permissions: slices.Sorted(slices.Values(o.Permissions)), secrets: o.Secrets, delegated: o.Delegated,
	}
	a.registration = registration{objectID: derivedID(a.principal, "application"), uniqueName: o.UniqueName, displayName: "App " + a.id, hasPrincipal: true}
	t.apps = append(t.apps, a)
	return a
}

// idOr returns id in lower case or makes one up. s.mu is held.
func (s *Server) idOr(id string) string {
	if id == "" {
		return s.newID()
	}
	return strings.ToLower(id)
}

// ID returns the client id.
func (a *App) ID() string { return a.id }

// Disable disables the service principal, as the portal would: no more tokens are
// issued.
func (a *App) Disable() {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	a.disabled = true
}

// SetPermissions grants the app these permissions and no others, and returns those that it
// had.
func (a *App) SetPermissions(permissions ...string) (before []string) {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	before, a.permissions = a.permissions, slices.Sorted(slices.Values(permissions))
	return before
}

// SetFederated lets the app have these federated credentials and no others, and returns
// those that it had.
func (a *App) SetFederated(all ...FederatedCredential) (before []FederatedCredential) {
	a.s.mu.Lock()
	before, a.federated = a.federated, nil
	a.s.mu.Unlock()
	for _, f := range all {
		a.AddFederated(f)
	}
	return before
}

// AddFederated adds a federated credential.
func (a *App) AddFederated(f FederatedCredential) {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	f.Audience, f.id = cmp.Or(f.Audience, exchangeAudience), derivedID(a.principal, f.Name)
	a.federated = append(a.federated, f)
}
