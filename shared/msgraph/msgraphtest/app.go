package msgraphtest

import (
	"crypto/sha1" //nolint:gosec // x5t is defined so: RFC 7515, 4.1.7
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"slices"
	"strings"
	"time"
)

// AppOptions describe an app registration and its service principal in one
// tenant. A multi-tenant app is added to each of its tenants with the same ID.
type AppOptions struct {
	// ID is the client id; made up where empty.
	ID string
	// DisplayName is shown by access tokens.
	DisplayName string
	// Permissions are the application permissions granted with admin consent.
	Permissions []string
	// Secrets, Certificates (DER) and Federated are its credentials.
	Secrets      []Secret
	Certificates [][]byte
	Federated    []FederatedCredential
}

// A Secret is a client secret. The zero times are now and two years later.
type Secret struct {
	Text       string
	Start, End time.Time
}

// A FederatedCredential trusts tokens of an outside issuer, as Graph's
// [federatedIdentityCredential].
//
// [federatedIdentityCredential]: https://learn.microsoft.com/graph/api/resources/federatedidentitycredential
type FederatedCredential struct {
	Name, Issuer, Subject string
	// Audience is api://AzureADTokenExchange where empty.
	Audience string
}

// exchangeAudience is the one audience that federated credentials have.
const exchangeAudience = "api://AzureADTokenExchange"

// An App is an app registration in one tenant.
type App struct {
	s         *Server
	tenant    *Tenant
	id        string // client id
	principal string // object id of the service principal, creatorId of its subscriptions
	name      string

	// Server.mu guards the following.
	permissions      []string // sorted; replaced, never changed
	secrets          []Secret
	certificates     []*x509.Certificate
	federated        []FederatedCredential
	unconsented      bool // an administrator withdrew the consent
	disabled         bool // its service principal is
	withoutPrincipal bool
}

// tenantApps are the apps of a tenant in the order of their registration.
type tenantApps struct{ list []*App }

// find returns the app with a client id, nil if there is none.
func (a *tenantApps) find(id string) *App {
	i := slices.IndexFunc(a.list, func(app *App) bool { return strings.EqualFold(app.id, id) })
	if i < 0 {
		return nil
	}
	return a.list[i]
}

// AddApp registers an app in the tenant, with admin consent to its permissions.
// A certificate that can't be parsed is a mistake in the test: AddApp panics.
func (t *Tenant) AddApp(o AppOptions) *App {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	a := &App{
		s: t.s, tenant: t,
		id: t.s.idOr(o.ID), principal: t.s.newID(), name: o.DisplayName,
		permissions: sorted(o.Permissions),
	}
	for _, secret := range o.Secrets {
		a.addSecret(secret)
	}
	for _, der := range o.Certificates {
		a.addCertificate(der)
	}
	for _, f := range o.Federated {
		a.addFederated(f)
	}
	t.apps.list = append(t.apps.list, a)
	return a
}

// idOr returns id in lower case or makes one up. s.mu is held.
func (s *Server) idOr(id string) string {
	if id == "" {
		return s.newID()
	}
	return strings.ToLower(id)
}

func sorted(permissions []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(permissions)))
}

// ID returns the client id.
func (a *App) ID() string { return a.id }

// Grant consents to more application permissions, and gives a consent back that
// was withdrawn. As in Entra, tokens that were issued before go without them.
func (a *App) Grant(permissions ...string) {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	a.permissions, a.unconsented = sorted(slices.Concat(a.permissions, permissions)), false
}

// WithdrawConsent takes the administrator's consent away as a whole: the token
// endpoint still issues tokens, and Graph answers 401
// Authorization_IdentityNotFound to all of them until [App.Grant].
func (a *App) WithdrawConsent() {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	a.unconsented = true
}

// Revoke withdraws application permissions. As in Entra, tokens that were issued
// before keep them until they expire.
func (a *App) Revoke(permissions ...string) {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	a.permissions = slices.DeleteFunc(slices.Clone(a.permissions), func(p string) bool {
		return slices.Contains(permissions, p)
	})
}

// Disable disables the service principal, as the portal would: no more tokens are
// issued.
func (a *App) Disable() {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	a.disabled = true
}

// RemoveServicePrincipal deletes the service principal and leaves the registration: no
// more tokens are issued.
func (a *App) RemoveServicePrincipal() {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	a.withoutPrincipal = true
}

// AddSecret adds a client secret.
func (a *App) AddSecret(text string) {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	a.addSecret(Secret{Text: text})
}

// RemoveSecret forgets every client secret with the text, as the portal would.
func (a *App) RemoveSecret(text string) {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	a.secrets = slices.DeleteFunc(a.secrets, func(s Secret) bool { return s.Text == text })
}

// AddCertificate adds a certificate (DER). One that can't be parsed is a mistake
// in the test: AddCertificate panics.
func (a *App) AddCertificate(der []byte) {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	a.addCertificate(der)
}

// RemoveCertificates forgets all certificates, as the portal would.
func (a *App) RemoveCertificates() {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	a.certificates = nil
}

// AddFederated adds a federated credential.
func (a *App) AddFederated(f FederatedCredential) {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	a.addFederated(f)
}

func (a *App) addSecret(given Secret) {
	if given.Start.IsZero() {
		given.Start = a.s.now()
	}
	if given.End.IsZero() {
		given.End = given.Start.AddDate(2, 0, 0)
	}
	a.secrets = append(a.secrets, given)
}

func (a *App) addCertificate(der []byte) {
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		panic("msgraphtest: certificate of app " + a.id + ": " + err.Error())
	}
	a.certificates = append(a.certificates, cert)
}

func (a *App) addFederated(given FederatedCredential) {
	if given.Audience == "" {
		given.Audience = exchangeAudience
	}
	a.federated = append(a.federated, given)
}

// thumbprints returns the values that the headers x5t and x5t#S256 of a token
// signed with the certificate have.
func thumbprints(c *x509.Certificate) (sha1Print, sha256Print string) {
	old, current := sha1.Sum(c.Raw), sha256.Sum256(c.Raw) //nolint:gosec // see the import
	return base64.RawURLEncoding.EncodeToString(old[:]), base64.RawURLEncoding.EncodeToString(current[:])
}
