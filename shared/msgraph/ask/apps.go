package ask

import (
	"context"
	"errors"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// The permissions that the calls on apps need of the person who signs in, who must be a
// Privileged Role Administrator or a Global Administrator to grant permissions of Graph.
// See [Grant an appRoleAssignment].
//
// [Grant an appRoleAssignment]: https://learn.microsoft.com/graph/api/serviceprincipal-post-approleassignedto
const (
	ManageApps  = "Application.ReadWrite.All"
	ManageRoles = "AppRoleAssignment.ReadWrite.All"
)

// App returns the app of that unique name, with all that it has. The error is
// [directory.ErrNoApp] where there is none. Errors are *directory.Error.
func (c *Client) App(ctx context.Context, uniqueName string) (directory.App, error) {
	return directory.App{}, errors.ErrUnsupported
}

// AppByClientID returns the app of that client id, with all that it has. The error is
// [directory.ErrNoApp] where there is none. Errors are *directory.Error.
func (c *Client) AppByClientID(ctx context.Context, clientID string) (directory.App, error) {
	return directory.App{}, errors.ErrUnsupported
}

// EnsureApp makes the app of that UniqueName and DisplayName, and its service principal, or
// finds what is there of them. It returns the app with all that it has. Nothing else of app is
// looked at. Errors are *directory.Error: unless NotDone is set, the app may have been made;
// to call again makes no second one.
func (c *Client) EnsureApp(ctx context.Context, app directory.App) (directory.App, error) {
	return directory.App{}, errors.ErrUnsupported
}

// Grant gives the app an application permission of Graph: "User.Read.All". One that it has is
// no error. Of app, PrincipalID is needed.
func (c *Client) Grant(ctx context.Context, app directory.App, role string) error {
	return errors.ErrUnsupported
}

// Withdraw takes an application permission from the app. One that it has not is no error. Of
// app, PrincipalID is needed.
func (c *Client) Withdraw(ctx context.Context, app directory.App, role string) error {
	return errors.ErrUnsupported
}

// Trust makes the app have that federated credential, or changes the one of that name. Of app,
// ID is needed.
func (c *Client) Trust(ctx context.Context, app directory.App, f directory.FederatedCredential) error {
	return errors.ErrUnsupported
}

// Distrust deletes the federated credential of that name. One that is not there is no error.
// Of app, ID is needed.
func (c *Client) Distrust(ctx context.Context, app directory.App, name string) error {
	return errors.ErrUnsupported
}

// AddPassword makes a client secret. It is told this once. Of app, ID is needed. If the error
// has not NotDone set, there may be one that nobody knows: remove the credential of that name.
func (c *Client) AddPassword(ctx context.Context, app directory.App, name string, end time.Time) (keyID string, secret directory.Secret, err error) {
	return "", directory.Secret{}, errors.ErrUnsupported
}

// RemovePassword deletes a client secret. One that is not there is no error. Of app, ID is needed.
func (c *Client) RemovePassword(ctx context.Context, app directory.App, keyID string) error {
	return errors.ErrUnsupported
}

// AddCertificate adds a certificate, in DER. One that is there is no error. Of app, ID is needed.
func (c *Client) AddCertificate(ctx context.Context, app directory.App, name string, der []byte) error {
	return errors.ErrUnsupported
}

// RemoveCertificate deletes a certificate. One that is not there is no error. Of app, ID is needed.
func (c *Client) RemoveCertificate(ctx context.Context, app directory.App, keyID string) error {
	return errors.ErrUnsupported
}

// DeleteApp deletes the app with its service principal for good, so that its unique name is
// free. One that is not there is no error. Of app, ID is needed.
func (c *Client) DeleteApp(ctx context.Context, app directory.App) error {
	return errors.ErrUnsupported
}
