package msgraphtest

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// An Office is a directory role that a person holds, as far as it matters for apps. See the
// [built-in roles].
//
// [built-in roles]: https://learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference
type Office int

// The offices. Only the first grants application permissions of Graph.
const (
	GlobalAdministrator Office = iota
	ApplicationAdministrator
	NoOffice
)

// SetOffice gives a user an office instead of GlobalAdministrator, which everybody holds who
// signs in.
func (t *Tenant) SetOffice(id string, o Office) {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	t.offices[mustParse(id).String()] = o
}

// administered refuses a person who holds no office.
func administered(h handler) handler {
	return func(s *Server, c *call) (reply, error) {
		if c.tenant.offices[c.person] == NoOffice {
			return reply{}, errForbidden()
		}
		return h(s, c)
	}
}

// appRoles are application permissions of Graph with their ids, those that matter here. See
// https://learn.microsoft.com/graph/permissions-reference.
var appRoles = map[string]string{
	"Application.ReadWrite.All": "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9",
	"AuditLog.Read.All":         "b0afded3-3588-46d8-8b3d-9842eff778da",
	"Directory.Read.All":        "7ab1d382-f21e-4acd-a863-ba3e13f7da61",
	"Domain.Read.All":           "dbb9058a-0e50-45d7-ae91-66909b5d4664",
	"GroupMember.Read.All":      "98830695-27a2-44f7-8c18-0c3ebc9698f6",
	"User.Read.All":             "df021288-bdef-4463-88db-98f22de89214",
	"User.RevokeSessions.All":   "77f3a031-c388-4f99-b373-dc68676a979e",
}

// roleID is the id of a permission; one that is not among those above is made up.
func roleID(name string) string {
	if id := appRoles[name]; id != "" {
		return id
	}
	return derivedID("appRole", name)
}

// roleWriters is needed beside one of appReaders.
var roleWriters = []string{"AppRoleAssignment.ReadWrite.All"}

func principalRoutes() []route {
	const one = "/servicePrincipals/{id}"
	return []route{
		{method: "GET", pattern: one, permissions: appReaders, handle: locked(getPrincipal)},
		{method: "PATCH", pattern: one, permissions: appWriters, write: true, handle: locked(administered(patchPrincipal))},
		{method: "GET", pattern: one + "/appRoleAssignments", permissions: appReaders, handle: locked(listAssignments)},
		{method: "GET", pattern: one + "/appRoleAssignedTo", permissions: appReaders, handle: locked(listAssignedTo)},
		{method: "POST", pattern: one + "/appRoleAssignedTo", permissions: roleWriters, write: true, handle: locked(assign)},
		{method: "DELETE", pattern: one + "/appRoleAssignedTo/{assignment}", permissions: roleWriters, write: true, handle: locked(unassign)},
	}
}

// granted are the permissions that a token has now, sorted. s.mu is held.
func (a *App) granted(now time.Time) []string {
	return slices.DeleteFunc(slices.Clone(a.permissions), func(name string) bool {
		return now.Before(a.roleSince[name].Add(a.s.opts.Apps.Role))
	})
}

// graphPrincipal is the object id of Graph's own service principal in the tenant.
func (t *Tenant) graphPrincipal() string { return derivedID(t.id, graphAppID) }

// isGraph tells whether the address names Graph's own service principal.
func (c *call) isGraph() bool {
	return keyed(c.path[1], c.tenant.graphPrincipal(), "appId", graphAppID)
}

// servicePrincipal finds the app's that the address names. s.mu is held.
func (c *call) servicePrincipal() (*App, error) {
	for _, a := range c.tenant.apps {
		if a.hasPrincipal && keyed(c.path[1], a.principal, "appId", a.id) && c.tenant.s.knows(a.principalSince, c.now) {
			return a, nil
		}
	}
	return nil, errNotFound(c.path[1])
}

// principalObject is the [servicePrincipal].
//
// [servicePrincipal]: https://learn.microsoft.com/graph/api/resources/serviceprincipal
func (a *App) principalObject() object {
	return object{
		"id": a.principal, "appId": a.id, "displayName": a.displayName, "accountEnabled": !a.disabled, "appRoles": []object{},
		"passwordCredentials": append([]password{}, a.principalPasswords...), "keyCredentials": []key{},
	}
}

func (t *Tenant) graphObject() object {
	roles := []object{}
	for _, name := range slices.Sorted(maps.Keys(appRoles)) {
		roles = append(roles, object{"id": appRoles[name], "value": name, "displayName": name, "isEnabled": true, "allowedMemberTypes": []string{"Application"}})
	}
	return object{
		"id": t.graphPrincipal(), "appId": graphAppID, "displayName": "Microsoft Graph", "accountEnabled": true, "appRoles": roles,
		"passwordCredentials": []password{}, "keyCredentials": []key{},
	}
}

// getPrincipal is https://learn.microsoft.com/graph/api/serviceprincipal-get.
func getPrincipal(_ *Server, c *call) (reply, error) {
	if err := c.onlyOptions("$select"); err != nil {
		return reply{}, err
	}
	whole := c.tenant.graphObject()
	if !c.isGraph() {
		a, err := c.servicePrincipal()
		if err != nil {
			return reply{}, err
		}
		whole = a.principalObject()
	}
	shown, err := c.project(whole, "servicePrincipal")
	if err != nil {
		return reply{}, err
	}
	shown["@odata.context"] = c.context("servicePrincipals/$entity")
	return ok(shown)
}

// patchPrincipal is https://learn.microsoft.com/graph/api/serviceprincipal-update and
// https://learn.microsoft.com/graph/api/serviceprincipal-upsert.
func patchPrincipal(s *Server, c *call) (reply, error) {
	var body struct {
		DisplayName    string
		AccountEnabled *bool
	}
	if err := c.read(&body, "servicePrincipal", "displayName", "accountEnabled"); err != nil {
		return reply{}, err
	}
	a, err := c.servicePrincipal()
	clientID, byApp := strings.CutPrefix(strings.TrimSuffix(c.path[1], "'"), "appId='")
	if app := c.tenant.app(clientID); err != nil && byApp && c.upserts() {
		switch {
		case app == nil || !s.knows(app.since, c.now):
			return reply{}, badRequest("The appId '%s' of the service principal does not reference a valid application object.", clientID)
		case !app.hasPrincipal:
			app.hasPrincipal, app.principal, app.principalSince, app.ofPrincipal = true, s.newID(), c.now, c.madeBy()
			return reply{status: http.StatusCreated, body: app.principalObject()}, nil
		}
		a, err = app, nil
	}
	if err == nil && body.AccountEnabled != nil {
		a.disabled = !*body.AccountEnabled
	}
	if err != nil {
		return reply{}, err
	}
	return noContent()
}

// assignment is the [appRoleAssignment] of a permission of Graph.
//
// [appRoleAssignment]: https://learn.microsoft.com/graph/api/resources/approleassignment
func (a *App) assignment(permission string) object {
	return object{
		"id": derivedID(a.principal, permission), "appRoleId": roleID(permission), "principalId": a.principal, "principalType": "ServicePrincipal",
		"principalDisplayName": a.displayName, "resourceId": a.tenant.graphPrincipal(), "resourceDisplayName": "Microsoft Graph",
	}
}

// listAssignments is https://learn.microsoft.com/graph/api/serviceprincipal-list-approleassignments.
func listAssignments(_ *Server, c *call) (reply, error) {
	a, err := c.servicePrincipal()
	if err == nil {
		err = c.onlyOptions("$top", "$skiptoken")
	}
	if err != nil {
		return reply{}, err
	}
	return c.pageOf("appRoleAssignments", a.assignments())
}

func (a *App) assignments() (all []object) {
	for _, permission := range a.permissions {
		all = append(all, a.assignment(permission))
	}
	return all
}

// listAssignedTo is https://learn.microsoft.com/graph/api/serviceprincipal-list-approleassignedto,
// of Graph alone: no other has roles here.
func listAssignedTo(_ *Server, c *call) (reply, error) {
	if err := c.onlyOptions("$top", "$skiptoken"); err != nil {
		return reply{}, err
	}
	var all []object
	if !c.isGraph() {
		if _, err := c.servicePrincipal(); err != nil {
			return reply{}, err
		}
		return c.pageOf("appRoleAssignments", all)
	}
	for _, a := range c.tenant.apps {
		if a.hasPrincipal {
			all = append(all, a.assignments()...)
		}
	}
	return c.pageOf("appRoleAssignments", all)
}

// mayAssign refuses whom Graph does not let grant its permissions: an app without a second
// permission, and a person who is not at least a Privileged Role Administrator.
func (c *call) mayAssign() error {
	if !c.hasRole(appReaders...) || c.tenant.offices[c.person] != GlobalAdministrator {
		return errForbidden()
	}
	if !c.isGraph() {
		return errNotFound(c.path[1])
	}
	return nil
}

// assign is https://learn.microsoft.com/graph/api/serviceprincipal-post-approleassignedto.
func assign(_ *Server, c *call) (reply, error) {
	var body struct{ PrincipalID, ResourceID, AppRoleID string }
	err := c.mayAssign()
	if err == nil {
		err = c.read(&body, "appRoleAssignment", "principalId", "resourceId", "appRoleId")
	}
	if err != nil {
		return reply{}, err
	}
	permission := ""
	for name, id := range appRoles {
		if strings.EqualFold(id, body.AppRoleID) {
			permission = name
		}
	}
	if permission == "" || !strings.EqualFold(body.ResourceID, c.tenant.graphPrincipal()) {
		return reply{}, badRequest("Not a valid reference update.")
	}
	c.path = []string{"servicePrincipals", body.PrincipalID}
	a, err := c.servicePrincipal()
	if err != nil {
		return reply{}, err
	}
	if slices.Contains(a.permissions, permission) {
		return reply{}, badRequest("Permission being assigned already exists on the object")
	}
	if a.roleSince == nil {
		a.roleSince = make(map[string]time.Time)
	}
	a.permissions = slices.Sorted(slices.Values(append(slices.Clone(a.permissions), permission)))
	a.roleSince[permission] = c.now
	return reply{status: http.StatusCreated, body: a.assignment(permission)}, nil
}

// unassign is https://learn.microsoft.com/graph/api/serviceprincipal-delete-approleassignedto.
func unassign(_ *Server, c *call) (reply, error) {
	if err := c.mayAssign(); err != nil {
		return reply{}, err
	}
	for _, a := range c.tenant.apps {
		for i, permission := range a.permissions {
			if a.hasPrincipal && derivedID(a.principal, permission) == c.path[3] {
				a.permissions = slices.Delete(slices.Clone(a.permissions), i, i+1)
				return noContent()
			}
		}
	}
	return reply{}, errNotFound(c.path[3])
}
