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
	// ID is the client id, ObjectID the application's object id, and
	// ServicePrincipalID that of its service principal; made up where empty.
	ID, ObjectID, ServicePrincipalID string
	// DisplayName is shown by GET /applications.
	DisplayName string
	// Permissions are the application permissions granted with admin consent.
	Permissions []string
	// Secrets, Certificates (DER) and Federated are its credentials.
	Secrets      []Secret
	Certificates [][]byte
	Federated    []FederatedCredential
	// NotOwner tells that the service principal doesn't own the application,
	// so that Application.ReadWrite.OwnedBy is of no use.
	NotOwner bool
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
	objectID  string
	principal string // object id of the service principal, creatorId of its subscriptions
	name      string
	owner     bool // the service principal owns the application

	// Server.mu guards the following.
	permissions      []string // sorted; replaced, never changed
	secrets          []*secret
	certificates     []*certificate
	federated        []*federated
	disabled         bool // its service principal is
	withoutPrincipal bool
}

// secret is a client secret as the token endpoint knows it.
type secret struct {
	Secret
	keyID, name string
	known       time.Time // when the token endpoint hears of it
}

// certificate is a key credential.
type certificate struct {
	*x509.Certificate
	keyID, name string
	known       time.Time
}

// federated is a federated credential as the token endpoint knows it.
type federated struct {
	FederatedCredential
	id, description string
	known           time.Time
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
// The token endpoint knows its credentials at once. A certificate that can't be
// parsed is a mistake in the test: AddApp panics.
func (t *Tenant) AddApp(o AppOptions) *App {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	a := &App{
		s: t.s, tenant: t,
		id: t.s.idOr(o.ID), objectID: t.s.idOr(o.ObjectID), principal: t.s.idOr(o.ServicePrincipalID),
		name: o.DisplayName, owner: !o.NotOwner,
		permissions: sorted(o.Permissions),
	}
	for _, secret := range o.Secrets {
		a.addSecret(secret, "", time.Time{})
	}
	for _, der := range o.Certificates {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			panic("msgraphtest: certificate of app " + a.id + ": " + err.Error())
		}
		a.addCertificate(cert, "", time.Time{})
	}
	for _, f := range o.Federated {
		a.addFederated(f, "", time.Time{})
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

// ObjectID returns the application's object id, which /applications goes by.
func (a *App) ObjectID() string { return a.objectID }

// Grant consents to more application permissions. As in Entra, tokens that were
// issued before go without them.
func (a *App) Grant(permissions ...string) {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	a.permissions = sorted(slices.Concat(a.permissions, permissions))
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

// AddSecret adds a client secret that the token endpoint knows at once, and
// returns its key id.
func (a *App) AddSecret(text string) (keyID string) {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	return a.addSecret(Secret{Text: text}, "", time.Time{}).keyID
}

// RemoveSecret forgets every client secret with the text, as the portal would.
func (a *App) RemoveSecret(text string) {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	a.secrets = slices.DeleteFunc(a.secrets, func(s *secret) bool { return s.Text == text })
}

// AddCertificate adds a certificate (DER) that the token endpoint knows at once, and
// returns its key id. One that can't be parsed is a mistake in the test:
// AddCertificate panics.
func (a *App) AddCertificate(der []byte) (keyID string) {
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		panic("msgraphtest: certificate of app " + a.id + ": " + err.Error())
	}
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	return a.addCertificate(cert, "", time.Time{}).keyID
}

// Certificates are the app's certificates (DER) in the order in which they were added.
func (a *App) Certificates() [][]byte {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	var all [][]byte
	for _, c := range a.certificates {
		all = append(all, c.Raw)
	}
	return all
}

// RemoveCertificates forgets all certificates, as the portal would.
func (a *App) RemoveCertificates() {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	a.certificates = nil
}

// AddFederated adds a federated credential, of which the token endpoint hears after
// [Options].CredentialLag.
func (a *App) AddFederated(f FederatedCredential) {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	a.addFederated(f, "", a.s.now().Add(a.s.opts.CredentialLag))
}

// secretLife is how long a secret is good for if nobody says otherwise: two
// years.
func secretLife(start time.Time) time.Time { return start.AddDate(2, 0, 0) }

func (a *App) addSecret(given Secret, name string, known time.Time) *secret {
	if given.Start.IsZero() {
		given.Start = a.s.now()
	}
	if given.End.IsZero() {
		given.End = secretLife(given.Start)
	}
	added := &secret{Secret: given, keyID: a.s.newID(), name: name, known: known}
	a.secrets = append(a.secrets, added)
	return added
}

func (a *App) addCertificate(cert *x509.Certificate, name string, known time.Time) *certificate {
	added := &certificate{Certificate: cert, keyID: a.s.newID(), name: name, known: known}
	a.certificates = append(a.certificates, added)
	return added
}

func (a *App) addFederated(given FederatedCredential, description string, known time.Time) *federated {
	if given.Audience == "" {
		given.Audience = exchangeAudience
	}
	added := &federated{FederatedCredential: given, id: a.s.newID(), description: description, known: known}
	a.federated = append(a.federated, added)
	return added
}

// valid tells whether the secret can be used at a time.
func (s *secret) valid(now time.Time) bool { return !now.Before(s.Start) && now.Before(s.End) }

// valid tells whether the certificate can be used at a time.
func (c *certificate) valid(now time.Time) bool {
	return !now.Before(c.NotBefore) && !now.After(c.NotAfter)
}

// thumbprints returns the values that the headers x5t and x5t#S256 of a token
// signed with the certificate have.
func (c *certificate) thumbprints() (sha1Print, sha256Print string) {
	old, current := sha1.Sum(c.Raw), sha256.Sum256(c.Raw) //nolint:gosec // see the import
	return base64.RawURLEncoding.EncodeToString(old[:]), base64.RawURLEncoding.EncodeToString(current[:])
}
