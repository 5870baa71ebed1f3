package msgraphtest

import (
	"slices"
	"strings"
)

// owned is what an application and a service principal each have of their own.
type owned struct{ owners []string }

// madeBy is what somebody owns who has just made it. [Whoever registers an app] owns it, and
// so does who adds a service principal, [unless as] an Application Administrator.
//
// [Whoever registers an app]: https://learn.microsoft.com/entra/fundamentals/users-default-permissions#object-ownership
// [unless as]: https://learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference#application-administrator
func (c *call) madeBy() owned {
	if c.person == "" || c.tenant.offices[c.person] == ApplicationAdministrator {
		return owned{}
	}
	return owned{[]string{c.person}}
}

// AddOwner makes somebody own the application, and its service principal, as the portal would.
func (a *App) AddOwner(id string) {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	for _, o := range []*owned{&a.ofApplication, &a.ofPrincipal} {
		o.owners = append(o.owners, mustParse(id).String())
	}
}

func ownerRoutes() (all []route) {
	of := map[string]func(*call) (*owned, error){
		"/applications/{id}/owners": func(c *call) (*owned, error) {
			a, err := c.registered()
			if err != nil {
				return nil, err
			}
			return &a.ofApplication, nil
		},
		"/servicePrincipals/{id}/owners": func(c *call) (*owned, error) {
			a, err := c.servicePrincipal()
			if err != nil {
				return nil, err
			}
			return &a.ofPrincipal, nil
		},
	}
	for path, find := range of {
		all = append(all,
			route{method: "GET", pattern: path, permissions: appReaders, handle: locked(listOwners(find))},
			route{method: "DELETE", pattern: path + "/{owner}/$ref", permissions: appWriters, write: true, handle: locked(administered(deleteOwner(find)))})
	}
	return all
}

// listOwners is https://learn.microsoft.com/graph/api/application-list-owners and
// https://learn.microsoft.com/graph/api/serviceprincipal-list-owners.
func listOwners(find func(*call) (*owned, error)) handler {
	return func(_ *Server, c *call) (reply, error) {
		o, err := find(c)
		if err == nil {
			err = c.onlyOptions("$select", "$top", "$skiptoken")
		}
		if err != nil {
			return reply{}, err
		}
		var all []object
		for _, id := range o.owners {
			shown, err := c.project(object{"id": id, "displayName": nil}, "directoryObject")
			if err != nil {
				return reply{}, err
			}
			shown["@odata.type"] = "#microsoft.graph.user"
			all = append(all, shown)
		}
		return c.pageOf("directoryObjects", all)
	}
}

// deleteOwner is https://learn.microsoft.com/graph/api/application-delete-owners and
// https://learn.microsoft.com/graph/api/serviceprincipal-delete-owners. The last one may go.
func deleteOwner(find func(*call) (*owned, error)) handler {
	return func(_ *Server, c *call) (reply, error) {
		o, err := find(c)
		if err != nil {
			return reply{}, err
		}
		i := slices.IndexFunc(o.owners, func(id string) bool { return strings.EqualFold(id, c.path[3]) })
		if i < 0 {
			return reply{}, errNotFound(c.path[3])
		}
		o.owners = slices.Delete(slices.Clone(o.owners), i, i+1)
		return noContent()
	}
}
