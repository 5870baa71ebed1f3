package msgraphtest

import (
	"encoding/json"
	"net/http"
)

// objectReaders are the permissions for objects of any type.
var objectReaders = []string{"Directory.Read.All"}

// maxByIDs is how many objects one call may ask for.
const maxByIDs = 1000

func nameRoutes() []route {
	return []route{
		{method: "POST", pattern: "/directoryObjects/getByIds", permissions: objectReaders, handle: locked(getByIDs)},
		{method: "GET", pattern: "/me", permissions: append([]string{"User.Read"}, userReaders...), handle: locked(getMe)},
		{method: "GET", pattern: "/organization", permissions: append([]string{"Organization.Read.All", "User.Read"}, userReaders...), handle: locked(getOrganization)},
	}
}

// getByIDs is https://learn.microsoft.com/graph/api/directoryobject-getbyids, of users. Those
// that do not exist are left out.
func getByIDs(_ *Server, c *call) (reply, error) {
	var body struct{ IDs, Types []string }
	if err := json.Unmarshal(c.body, &body); err != nil {
		return reply{}, badRequest("Unable to read JSON request payload.")
	}
	if len(body.IDs) == 0 || len(body.IDs) > maxByIDs || len(body.Types) != 1 || body.Types[0] != "user" {
		return reply{}, badRequest("Invalid number of ids or types: ids must be between 1 and %d.", maxByIDs)
	}
	r, sel, values := c.tenant.reader(c.now), standardSelection(), []json.RawMessage{}
	for _, text := range body.IDs {
		id, valid := parseID(text)
		if !valid {
			return reply{}, badRequest("Invalid object identifier '%s'.", text)
		}
		if u := r.find(id.String()); u != nil {
			values = append(values, sel.userJSON(`{"@odata.type":"#microsoft.graph.user"`, u))
		}
	}
	return ok(object{"@odata.context": c.context("directoryObjects"), "value": values})
}

// getMe is https://learn.microsoft.com/graph/api/user-get of the person who is signed in.
func getMe(_ *Server, c *call) (reply, error) {
	if c.person == "" {
		return reply{}, refuse(http.StatusBadRequest, "BadRequest", "/me request is only valid with delegated authentication flow.")
	}
	c.path = []string{"users", c.person}
	return getUser(nil, c)
}

// getOrganization is https://learn.microsoft.com/graph/api/organization-list.
func getOrganization(_ *Server, c *call) (reply, error) {
	if err := c.onlyOptions("$select"); err != nil {
		return reply{}, err
	}
	shown, err := c.project(object{"id": c.tenant.id, "displayName": "Tenant " + c.tenant.id[:8]}, "organization")
	if err != nil {
		return reply{}, err
	}
	return ok(object{"@odata.context": c.context("organization"), "value": []object{shown}})
}
