package msgraphtest

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"
)

// Application permissions, any of which suffices; from Graph's [permissions
// reference].
//
// [permissions reference]: https://learn.microsoft.com/graph/permissions-reference
var (
	userReaders  = []string{"User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
	userWriters  = []string{"User.ReadWrite.All", "Directory.ReadWrite.All"}
	userDeleters = append([]string{"User.DeleteRestore.All"}, userWriters...)
	userRevokers = []string{"User.RevokeSessions.All"}
)

func userRoutes() []route {
	return []route{
		{method: "GET", pattern: "/users", permissions: userReaders, units: 2, handle: locked(listUsers)},
		{method: "GET", pattern: "/users/delta", permissions: userReaders, handle: deltaUsers},
		{method: "GET", pattern: "/users/{id}", permissions: userReaders, handle: locked(getUser)},
		{method: "POST", pattern: "/users", permissions: userWriters, write: true, handle: locked(createUser)},
		{method: "PATCH", pattern: "/users/{id}", permissions: userWriters, write: true, handle: locked(updateUser)},
		{method: "DELETE", pattern: "/users/{id}", permissions: userDeleters, write: true, handle: locked(deleteUser)},
		{method: "POST", pattern: "/users/{id}/revokeSignInSessions", permissions: userRevokers, write: true, sized: true, handle: locked(revokeSignInSessions)},
	}
}

// locked makes a handler of a function that needs s.mu.
func locked(carryOut handler) handler {
	return func(s *Server, c *call) (reply, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		return carryOut(s, c)
	}
}

// hasRole tells whether the caller has one of the application permissions.
func (c *call) hasRole(permissions ...string) bool {
	return slices.ContainsFunc(permissions, func(p string) bool { return slices.Contains(c.roles, p) })
}

func ok(body any) (reply, error) { return reply{status: http.StatusOK, body: body}, nil }

func noContent() (reply, error) { return reply{status: http.StatusNoContent}, nil }

// errNotFound is Graph's answer about an object that it doesn't have.
func errNotFound(id string) error {
	return refuse(http.StatusNotFound, "Request_ResourceNotFound",
		"Resource '%s' does not exist or one of its queried reference-property objects are not present.", id)
}

// getUser is https://learn.microsoft.com/graph/api/user-get.
func getUser(_ *Server, c *call) (reply, error) {
	if err := c.onlyOptions("$select"); err != nil {
		return reply{}, err
	}
	sel, err := c.selection()
	if err != nil {
		return reply{}, err
	}
	u := c.tenant.reader(c.now).find(c.path[1])
	if u == nil {
		return reply{}, errNotFound(c.path[1])
	}
	return ok(c.entity(sel, u))
}

// entity is a user on its own, as the body of an answer.
func (c *call) entity(sel selection, u *user) json.RawMessage {
	return sel.userJSON(`{"@odata.context":"`+c.context(sel.fragment("users")+"/$entity")+`"`, u)
}

// target is the user that a writing call is about.
func (c *call) target() (*user, error) {
	key := c.path[1]
	u := c.tenant.dir.find(key)
	if u == nil || u.state != active {
		return nil, errNotFound(key)
	}
	if c.tenant.s.opts.Replica.Writes && c.tenant.reader(c.now).find(key) == nil {
		return nil, errNotFound(key)
	}
	return u, nil
}

// revokeSignInSessions is
// https://learn.microsoft.com/graph/api/user-revokesigninsessions. It answers
// true whatever happens, which is why only the status tells anything.
func revokeSignInSessions(_ *Server, c *call) (reply, error) {
	u, err := c.target()
	if err != nil {
		return reply{}, err
	}
	if u.marks&protected != 0 {
		return reply{}, errForbidden()
	}
	c.tenant.judge(u, c.now)
	if !u.guest { // a guest's sessions belong to the home tenant
		c.tenant.stamp(u, c.now)
	}
	return ok(map[string]any{"@odata.context": c.context("Edm.Boolean"), "value": true})
}

// stamp sets signInSessionsValidFromDateTime to now, in whole seconds.
func (t *Tenant) stamp(u *user, now time.Time) {
	before := *u
	u.stamp = now.Truncate(time.Second).UnixNano()
	u.revocations = append(u.revocations, now.UnixNano())
	t.record(before, u, propertyNamed(stampProperty).bit(), now)
	t.s.changed(t, u.id.String(), 1)
}
