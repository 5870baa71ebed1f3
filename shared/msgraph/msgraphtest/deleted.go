package msgraphtest

import (
	"encoding/json"
	"strings"
	"time"
)

// deletedItemRoutes are those of
// https://learn.microsoft.com/graph/api/resources/directory for users. Entra
// empties the bin after 30 days; the emulator keeps it.
func deletedItemRoutes() []route {
	const items = "/directory/deletedItems"
	routes := []route{
		{method: "GET", pattern: items + "/{id}", permissions: userReaders, handle: locked(getDeleted)},
		{method: "POST", pattern: items + "/{id}/restore", permissions: userDeleters, write: true, handle: locked(restoreUser)},
		{method: "DELETE", pattern: items + "/{id}", permissions: userDeleters, write: true, handle: locked(purgeUser)},
	}
	for _, cast := range userCasts {
		routes = append(routes, route{method: "GET", pattern: items + "/" + cast, permissions: userReaders, handle: locked(listDeleted)})
	}
	return routes
}

// userCasts are the segments that cast directory objects to users. Microsoft's
// SDKs send the shorter one.
var userCasts = []string{"microsoft.graph.user", "graph.user"}

// deleteUser is https://learn.microsoft.com/graph/api/user-delete: the user
// rests in the bin.
func deleteUser(_ *Server, c *call) (reply, error) {
	u, err := c.target()
	if err != nil {
		return reply{}, err
	}
	c.tenant.softDelete(u, c.now)
	return noContent()
}

// DeleteUser deletes a user as DELETE /users/{id} does. It panics where there is
// no such user.
func (t *Tenant) DeleteUser(id string) {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	u := t.dir.find(id)
	if u == nil || u.state != active {
		panic("msgraphtest: no user " + id)
	}
	t.softDelete(u, t.s.now())
}

// softDelete raises `updated`: `deleted` is for permanent deletion only.
func (t *Tenant) softDelete(u *user, now time.Time) {
	before := *u
	u.state, u.deleted = softDeleted, now.Truncate(time.Second).UnixNano()
	delete(t.dir.byUPN, strings.ToLower(u.upn))
	t.record(before, u, allProperties, now)
	t.s.changed(t, u.id.String(), "updated", 1)
}

// deleted finds the user in the bin that a call is about.
func (c *call) deleted() (*user, error) {
	if id, ok := parseID(c.path[2]); ok {
		if u := c.tenant.dir.byID[id]; u != nil && u.state == softDeleted {
			return u, nil
		}
	}
	return nil, errNotFound(c.path[2])
}

// getDeleted is https://learn.microsoft.com/graph/api/directory-deleteditems-get.
func getDeleted(_ *Server, c *call) (reply, error) {
	if err := c.onlyOptions("$select"); err != nil {
		return reply{}, err
	}
	sel, err := c.selection()
	if err != nil {
		return reply{}, err
	}
	u, err := c.deleted()
	if err != nil {
		return reply{}, err
	}
	prefix := `{"@odata.context":"` + c.context("directoryObjects/$entity") + `","@odata.type":"#microsoft.graph.user"`
	return ok(json.RawMessage(sel.userJSON(prefix, u)))
}

// listDeleted is
// https://learn.microsoft.com/graph/api/directory-deleteditems-list.
func listDeleted(s *Server, c *call) (reply, error) {
	q, err := c.userQuery()
	if err != nil {
		return reply{}, err
	}
	return ok(s.userPage(c, q, softDeleted, "users"))
}

// restoreUser is
// https://learn.microsoft.com/graph/api/directory-deleteditems-restore.
func restoreUser(_ *Server, c *call) (reply, error) {
	u, err := c.deleted()
	if err != nil {
		return reply{}, err
	}
	if err := c.tenant.checkUPN(u); err != nil {
		return reply{}, err
	}
	before := *u
	u.state, u.deleted = active, 0
	c.tenant.dir.byUPN[strings.ToLower(u.upn)] = u
	c.tenant.record(before, u, allProperties, c.now)
	c.tenant.s.changed(c.tenant, u.id.String(), "updated", 1)
	prefix := `{"@odata.context":"` + c.context("directoryObjects/$entity") + `","@odata.type":"#microsoft.graph.user"`
	return ok(json.RawMessage(standardSelection(false).userJSON(prefix, u)))
}

// purgeUser is https://learn.microsoft.com/graph/api/directory-deleteditems-delete.
func purgeUser(_ *Server, c *call) (reply, error) {
	u, err := c.deleted()
	if err != nil {
		return reply{}, err
	}
	before := *u
	u.state = purged
	c.tenant.record(before, u, allProperties, c.now)
	c.tenant.s.changed(c.tenant, u.id.String(), "deleted", 1)
	return noContent()
}
