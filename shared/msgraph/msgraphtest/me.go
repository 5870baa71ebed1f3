package msgraphtest

import "net/http"

func meRoutes() []route {
	return []route{
		{method: "GET", pattern: "/me", permissions: append([]string{"User.Read"}, userReaders...), handle: locked(getMe)},
		{method: "GET", pattern: "/organization", permissions: append([]string{"Organization.Read.All", "User.Read"}, userReaders...), handle: locked(getOrganization)},
	}
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
