package directory

import (
	"errors"
	"time"
)

// App is an app registration together with its service principal in the same tenant: Graph's
// [application] and [servicePrincipal].
//
// [application]: https://learn.microsoft.com/graph/api/resources/application
// [servicePrincipal]: https://learn.microsoft.com/graph/api/resources/serviceprincipal
type App struct {
	// ID is the object id of the application, ClientID its appId, and PrincipalID the object
	// id of the service principal: lower-case GUIDs. PrincipalID is empty where there is no
	// service principal.
	ID, ClientID, PrincipalID string
	// UniqueName is the name by which the application is found and made, empty for one that
	// was made without. It never changes.
	UniqueName string
	// DisplayName is what a person sees in the portal, of one line.
	DisplayName string
	// Enabled is accountEnabled of the service principal: a disabled one gets no token.
	Enabled bool
	// Roles are the application permissions of Graph that it was granted, sorted:
	// "User.Read.All". Permissions of other resources are left out. One that Graph does not
	// list is told by its id.
	Roles []string
	// Federated are its federated credentials.
	Federated []FederatedCredential
	// Credentials are its client secrets and its certificates, and those of its service
	// principal.
	Credentials []AppCredential
	// Owners are the object ids of those who own the application or the service principal, each
	// once, sorted. Whoever owns one may add a credential to it.
	Owners []string
}

// FederatedCredential trusts the tokens of another issuer, as Graph's
// [federatedIdentityCredential].
//
// [federatedIdentityCredential]: https://learn.microsoft.com/graph/api/resources/federatedidentitycredential
type FederatedCredential struct {
	// Name is unique in the app, and never changes. It has 120 characters at most.
	Name string
	// Issuer, Subject and Audience are those of the token, case included. The pair of issuer
	// and subject is unique in the app.
	Issuer, Subject, Audience string
}

// MaxFederated is how many federated credentials an app has at most.
const MaxFederated = 20

// AppCredential is a client secret or a certificate of an app, without what is secret in it:
// Graph's [passwordCredential] or [keyCredential].
//
// [passwordCredential]: https://learn.microsoft.com/graph/api/resources/passwordcredential
// [keyCredential]: https://learn.microsoft.com/graph/api/resources/keycredential
type AppCredential struct {
	// KeyID is a lower-case GUID.
	KeyID string
	// Name is what a person sees in the portal, of one line. It may be empty.
	Name string
	// Certificate tells a certificate from a client secret.
	Certificate bool
	// OfPrincipal tells that the service principal has it, and not the application: the portal
	// does not show it, and it signs in as the app all the same.
	OfPrincipal bool
	// Start and End are from when until when it is good.
	Start, End time.Time
}

// What is wrong with an app: the causes of an [Error].
var (
	ErrNoApp        = errors.New("the tenant has no such app registration")
	ErrDeletedApp   = errors.New("a deleted app registration still has this unique name; delete it permanently in the portal, under Deleted applications")
	ErrNoRole       = errors.New("no such application permission of Microsoft Graph in this cloud")
	ErrMaxFederated = errors.New("the app has 20 federated credentials already, the most there can be; delete one that nobody uses")
	ErrTrusted      = errors.New("another federated credential of the app has this issuer and subject; delete it, or use its name")
)
