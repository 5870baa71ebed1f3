package ask

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	abstractions "github.com/microsoft/kiota-abstractions-go"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/ask/reply"
)

// The permissions that the calls on apps need: ReadApps is enough to look. A person who changes
// something must also be Application Administrator or more, and at least Privileged Role
// Administrator to grant and withdraw permissions of Graph. See [Grant an appRoleAssignment].
//
// [Grant an appRoleAssignment]: https://learn.microsoft.com/graph/api/serviceprincipal-post-approleassignedto
const (
	ReadApps    = "Application.Read.All"
	ManageApps  = "Application.ReadWrite.All"
	ManageRoles = "AppRoleAssignment.ReadWrite.All"
)

// graphAppID is Graph's own client id in every tenant of every cloud.
const graphAppID = "00000003-0000-0000-c000-000000000000"

// App returns the app of that unique name, with all that it has. The error is
// [directory.ErrNoApp] where there is none. Errors are *directory.Error. See [Get application].
//
// [Get application]: https://learn.microsoft.com/graph/api/application-get
func (c *Client) App(ctx context.Context, uniqueName string) (directory.App, error) {
	return c.wholeApp(ctx, "/applications(uniqueName='{name}')", quoted(uniqueName))
}

// AppByClientID returns the app of that client id, with all that it has. The error is
// [directory.ErrNoApp] where there is none. Errors are *directory.Error.
func (c *Client) AppByClientID(ctx context.Context, clientID string) (directory.App, error) {
	return c.wholeApp(ctx, "/applications(appId='{name}')", quoted(clientID))
}

func (c *Client) wholeApp(ctx context.Context, path, name string) (directory.App, error) {
	app, err := c.application(ctx, path, "name", name)
	if err != nil {
		return app, err
	}
	principal, err := c.principal(ctx, app.ClientID)
	if gone(err) != nil {
		return app, err
	}
	return c.complete(ctx, app, principal)
}

// application reads an application without what is not in it.
func (c *Client) application(ctx context.Context, path string, pairs ...string) (directory.App, error) {
	got, err := c.get(ctx, opGetApp, path+"?$select=id,appId,uniqueName,displayName,passwordCredentials,keyCredentials", pairs...)
	if e := notFound(err); e != nil {
		e.Err = directory.ErrNoApp
	}
	return single(got, err, reply.App)
}

// complete reads what an application does not have in it. Without a service principal it has
// no roles.
func (c *Client) complete(ctx context.Context, app directory.App, principal reply.Principal) (_ directory.App, err error) {
	app.PrincipalID, app.Enabled = principal.ID, principal.Enabled
	app.Credentials = slices.Concat(app.Credentials, principal.Credentials)
	app.Federated, err = c.federated(ctx, app.ID)
	if err == nil {
		app.Owners, err = c.owners(ctx, app)
	}
	if err == nil && principal.ID != "" {
		app.Roles, err = c.roles(ctx, principal.ID)
	}
	return app, err
}

func (c *Client) principal(ctx context.Context, clientID string) (reply.Principal, error) {
	got, err := c.get(ctx, opGetPrincipal, "/servicePrincipals(appId='{app}')?$select=id,accountEnabled,appRoles,passwordCredentials,keyCredentials", "app", quoted(clientID))
	return single(got, err, reply.ServicePrincipal)
}

func (c *Client) federated(ctx context.Context, id string) ([]directory.FederatedCredential, error) {
	got, err := c.get(ctx, opListFederated, "/applications/{app}/federatedIdentityCredentials", "app", id)
	return list(ctx, c, got, err, reply.Federated)
}

func (c *Client) assignments(ctx context.Context, principalID string) ([]reply.Assignment, error) {
	got, err := c.get(ctx, opAssignments, "/servicePrincipals/{principal}/appRoleAssignments", "principal", principalID)
	return list(ctx, c, got, err, reply.AppRoleAssignment)
}

// roles are the application permissions of Graph that a service principal has, sorted.
func (c *Client) roles(ctx context.Context, principalID string) ([]string, error) {
	given, err := c.assignments(ctx, principalID)
	if err != nil || len(given) == 0 {
		return nil, err
	}
	graph, err := c.principal(ctx, graphAppID)
	if err != nil {
		return nil, err
	}
	names := make(map[string]string, len(graph.Roles))
	for name, id := range graph.Roles {
		names[id] = name
	}
	var roles []string
	for _, a := range given {
		if a.ResourceID != graph.ID {
			continue
		}
		if name := names[a.RoleID]; name != "" {
			roles = append(roles, name)
		} else {
			roles = append(roles, a.RoleID)
		}
	}
	slices.Sort(roles)
	return roles, nil
}

// EnsureApp makes the app of that UniqueName and DisplayName with its service principal, or
// finds what is there of them, and returns it with all that it has. Nothing else of app is
// looked at, and nothing of what is there is changed. A name that a deleted app still has is
// [directory.ErrDeletedApp]. Errors are *directory.Error: unless NotDone is set, the app may
// have been made; to call again makes no second one. See [Upsert application] and [Upsert
// servicePrincipal].
//
// [Upsert application]: https://learn.microsoft.com/graph/api/application-upsert
// [Upsert servicePrincipal]: https://learn.microsoft.com/graph/api/serviceprincipal-upsert
func (c *Client) EnsureApp(ctx context.Context, app directory.App) (directory.App, error) {
	made, err := settled(ctx, func() (directory.App, error) { return c.ensureApplication(ctx, app) })
	if err != nil {
		return made, err
	}
	principal, err := settled(ctx, func() (reply.Principal, error) { return c.ensurePrincipal(ctx, made) })
	if err != nil {
		return made, err
	}
	return settled(ctx, func() (directory.App, error) { return c.complete(ctx, made, principal) })
}

// ensureApplication looks before it writes, since a write would change what a person has named.
func (c *Client) ensureApplication(ctx context.Context, app directory.App) (directory.App, error) {
	const path = "/applications(uniqueName='{name}')"
	name := quoted(app.UniqueName)
	found, err := c.application(ctx, path, "name", name)
	if !errors.Is(err, directory.ErrNoApp) {
		return found, err
	}
	body := map[string]string{"displayName": app.DisplayName, "signInAudience": "AzureADMyOrg"}
	got, err := c.write(ctx, opUpsertApp, abstractions.PATCH, body, path, "name", name)
	if e, ok := errors.AsType[*directory.Error](err); ok && strings.Contains(e.Message, "uniqueName already exists") {
		e.Err = directory.ErrDeletedApp
	}
	if err == nil && got.Status == http.StatusNoContent { // somebody made it first
		return c.application(ctx, path, "name", name)
	}
	return single(got, err, reply.App)
}

func (c *Client) ensurePrincipal(ctx context.Context, app directory.App) (reply.Principal, error) {
	found, err := c.principal(ctx, app.ClientID)
	if notFound(err) == nil {
		return found, err
	}
	got, err := c.write(ctx, opUpsertPrincipal, abstractions.PATCH, map[string]string{"displayName": app.DisplayName},
		"/servicePrincipals(appId='{app}')", "app", app.ClientID)
	if err == nil && got.Status == http.StatusNoContent {
		return c.principal(ctx, app.ClientID)
	}
	return single(got, err, reply.ServicePrincipal)
}

// Grant gives the app an application permission of Graph, "User.Read.All", with admin consent.
// One that it has is no error; one that there is not is [directory.ErrNoRole]. Of app,
// PrincipalID is needed. Tokens may lack it for some minutes. Errors are *directory.Error. See
// [Grant an appRoleAssignment].
//
// [Grant an appRoleAssignment]: https://learn.microsoft.com/graph/api/serviceprincipal-post-approleassignedto
func (c *Client) Grant(ctx context.Context, app directory.App, role string) error {
	wanted, err := c.role(ctx, opGrant, role)
	if err != nil {
		return err
	}
	return settle(ctx, func() error {
		_, err := c.write(ctx, opGrant, abstractions.POST,
			map[string]string{"principalId": app.PrincipalID, "resourceId": wanted.ResourceID, "appRoleId": wanted.RoleID},
			"/servicePrincipals/{graph}/appRoleAssignedTo", "graph", wanted.ResourceID)
		e, ok := errors.AsType[*directory.Error](err)
		if !ok || e.StatusCode != http.StatusBadRequest && !e.Conflict() {
			return err
		}
		// That it has the role already is told in words alone.
		if had, failed := c.assigned(ctx, app, wanted); failed != nil || had == "" {
			return err
		}
		return nil
	})
}

// Withdraw takes an application permission of Graph from the app. One that it has not is no
// error. Of app, PrincipalID is needed. Errors are *directory.Error. See [Delete
// appRoleAssignedTo].
//
// [Delete appRoleAssignedTo]: https://learn.microsoft.com/graph/api/serviceprincipal-delete-approleassignedto
func (c *Client) Withdraw(ctx context.Context, app directory.App, role string) error {
	wanted, err := c.role(ctx, opWithdraw, role)
	if err != nil {
		return err
	}
	id, err := c.assigned(ctx, app, wanted)
	if err != nil || id == "" {
		return gone(err)
	}
	return c.remove(ctx, opWithdraw, "/servicePrincipals/{graph}/appRoleAssignedTo/{id}", "graph", wanted.ResourceID, "id", id)
}

// role finds the role of Graph in the tenant, without the ID of an assignment.
func (c *Client) role(ctx context.Context, operation, name string) (reply.Assignment, error) {
	graph, err := c.principal(ctx, graphAppID)
	if err == nil && graph.Roles[name] == "" {
		err = unsent(operation, directory.ErrNoRole)
	}
	return reply.Assignment{RoleID: graph.Roles[name], ResourceID: graph.ID}, err
}

// assigned returns the id of the assignment of a role to the app, "" if there is none.
func (c *Client) assigned(ctx context.Context, app directory.App, wanted reply.Assignment) (string, error) {
	given, err := c.assignments(ctx, app.PrincipalID)
	for _, a := range given {
		if a.RoleID == wanted.RoleID && a.ResourceID == wanted.ResourceID {
			return a.ID, nil
		}
	}
	return "", err
}

// Trust makes the app have a federated credential, or changes the one of that name. One that
// is the same is no error; [directory.ErrMaxFederated] and [directory.ErrTrusted] are. Of app,
// ID is needed. Entra may take some minutes to know it, longer if the issuer is new to the
// tenant. Errors are *directory.Error. See [Upsert federatedIdentityCredential].
//
// [Upsert federatedIdentityCredential]: https://learn.microsoft.com/graph/api/federatedidentitycredential-upsert
func (c *Client) Trust(ctx context.Context, app directory.App, f directory.FederatedCredential) error {
	return settle(ctx, func() error {
		held, err := c.federated(ctx, app.ID)
		if err != nil || slices.Contains(held, f) {
			return err
		}
		if err := room(held, f); err != nil {
			return unsent(opTrust, err)
		}
		body := map[string]any{"issuer": f.Issuer, "subject": f.Subject, "audiences": []string{f.Audience}}
		_, err = c.write(ctx, opTrust, abstractions.PATCH, body, "/applications/{app}/federatedIdentityCredentials(name='{name}')",
			"app", app.ID, "name", quoted(f.Name))
		return err
	})
}

// room tells why a federated credential cannot stand beside those that an app has.
func room(held []directory.FederatedCredential, f directory.FederatedCredential) error {
	others := slices.DeleteFunc(slices.Clone(held), func(h directory.FederatedCredential) bool { return h.Name == f.Name })
	switch {
	case slices.ContainsFunc(others, func(h directory.FederatedCredential) bool { return h.Issuer == f.Issuer && h.Subject == f.Subject }):
		return directory.ErrTrusted
	case len(others) >= directory.MaxFederated:
		return directory.ErrMaxFederated
	}
	return nil
}

// Distrust deletes the federated credential of that name. One that is not there is no error.
// Of app, ID is needed. Errors are *directory.Error. See [Delete federatedIdentityCredential].
//
// [Delete federatedIdentityCredential]: https://learn.microsoft.com/graph/api/federatedidentitycredential-delete
func (c *Client) Distrust(ctx context.Context, app directory.App, name string) error {
	return c.remove(ctx, opDistrust, "/applications/{app}/federatedIdentityCredentials(name='{name}')", "app", app.ID, "name", quoted(name))
}

// DeleteApp deletes the app and its service principal for good, so that its unique name is
// free. One that was deleted before is purged. One that is not there is no error, but takes two
// minutes to be sure of. Of app, ID is needed. Errors are *directory.Error. See [Permanently
// delete item].
//
// [Permanently delete item]: https://learn.microsoft.com/graph/api/directory-deleteditems-delete
func (c *Client) DeleteApp(ctx context.Context, app directory.App) error {
	if err := c.remove(ctx, opDeleteApp, "/applications/{app}", "app", app.ID); err != nil {
		return err
	}
	// It may be a while until all replicas have it among the deleted ones.
	return gone(settle(ctx, func() error {
		_, err := c.write(ctx, opPurgeApp, abstractions.DELETE, nil, "/directory/deletedItems/{app}", "app", app.ID)
		return err
	}))
}
