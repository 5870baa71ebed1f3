package msgraphtest

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"

	"github.com/google/uuid"
)

// group is a [group] of users and groups. Members that no longer exist are
// passed over.
//
// [group]: https://learn.microsoft.com/graph/api/resources/group
type group struct {
	id      uuid.UUID
	name    string
	hidden  bool
	members []uuid.UUID
}

// AddGroup adds a group, or members to a group there is. Groups may hold each
// other, even in circles. It panics where an id is no GUID.
func (t *Tenant) AddGroup(id string, members ...string) {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	key := mustParse(id)
	g := t.dir.groups[key]
	if g == nil {
		g = &group{id: key, name: "Group " + id[:8]}
		t.dir.groups[key] = g
	}
	for _, member := range members {
		if m := mustParse(member); !slices.Contains(g.members, m) {
			g.members = append(g.members, m)
		}
	}
}

// SetGroup names a group there is, and hides its members or shows them.
func (t *Tenant) SetGroup(id, name string, hidden bool) {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	g := t.dir.groups[mustParse(id)]
	g.name, g.hidden = name, hidden
}

// memberReaders are the permissions for groups and their members.
var memberReaders = []string{"GroupMember.Read.All", "GroupMember.ReadWrite.All", "Group.Read.All",
	"Group.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}

// checkUnits is what checkMemberGroups costs. Microsoft's table lists neither it
// nor a write for it; its relatives there cost as much.
const checkUnits = 4

func groupRoutes() []route {
	return []route{
		{method: "GET", pattern: "/groups", permissions: memberReaders, handle: locked(listGroups)},
		{method: "GET", pattern: "/groups/{id}", permissions: memberReaders, handle: locked(getGroup)},
		{method: "GET", pattern: "/groups/{id}/transitiveMembers", permissions: memberReaders, handle: locked(listMembers)},
		{method: "POST", pattern: "/users/{id}/checkMemberGroups", permissions: memberReaders, units: checkUnits, handle: locked(checkMemberGroups)},
	}
}

// getGroup is https://learn.microsoft.com/graph/api/group-get.
func getGroup(_ *Server, c *call) (reply, error) {
	if err := c.onlyOptions("$select"); err != nil {
		return reply{}, err
	}
	id, _ := parseID(c.path[1])
	g := c.tenant.dir.groups[id]
	if g == nil {
		return reply{}, errNotFound(c.path[1])
	}
	shown, err := c.project(g.object(), "group")
	if err != nil {
		return reply{}, err
	}
	shown["@odata.context"] = c.context("groups/$entity")
	return ok(shown)
}

func (g *group) object() object {
	visibility := any(nil)
	if g.hidden {
		visibility = "HiddenMembership"
	}
	return object{
		"id":              g.id.String(),
		"displayName":     g.name,
		"securityEnabled": true,
		"visibility":      visibility,
	}
}

// listGroups is https://learn.microsoft.com/graph/api/group-list, on one page.
func listGroups(_ *Server, c *call) (reply, error) {
	if err := c.onlyOptions("$select", "$filter"); err != nil {
		return reply{}, err
	}
	f, err := c.filter("Group", "displayName")
	if err != nil {
		return reply{}, err
	}
	values := []object{}
	for _, id := range slices.SortedFunc(maps.Keys(c.tenant.dir.groups), func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) }) {
		g := c.tenant.dir.groups[id]
		if !f.matches(map[string][]string{"displayname": {g.name}}) {
			continue
		}
		shown, err := c.project(g.object(), "group")
		if err != nil {
			return reply{}, err
		}
		values = append(values, shown)
	}
	return ok(object{"@odata.context": c.context("groups"), "value": values})
}

// listMembers is https://learn.microsoft.com/graph/api/group-list-transitivemembers. Hidden
// members need a permission that is not emulated. Only $select=id is: of other properties it
// depends on the type whether there are any.
func listMembers(s *Server, c *call) (reply, error) {
	if err := c.onlyOptions("$select", "$top", "$skiptoken"); err != nil {
		return reply{}, err
	}
	top, token, err := c.paging()
	if err != nil {
		return reply{}, err
	}
	id, _ := parseID(c.path[1])
	switch g := c.tenant.dir.groups[id]; {
	case g == nil:
		return reply{}, errNotFound(c.path[1])
	case g.hidden:
		return reply{}, errForbidden()
	case c.query.Get("$select") != "id":
		return reply{}, unsupported("The emulator selects nothing but id of members.")
	}
	members := c.tenant.dir.below(id)
	p := page{Context: c.context("directoryObjects(id)"), Value: []json.RawMessage{}}
	for at := max(0, token.pos); at < len(members); at++ {
		if len(p.Value) == top || s.leavesEmpty(token) && len(p.Value) == 0 {
			p.NextLink = c.nextLink(pageToken{query: token.query, pos: at, filler: len(p.Value) == 0})
			break
		}
		p.Value = append(p.Value, members[at])
	}
	return ok(p)
}

// below are the members of a group and of those within it, groups included, each once.
func (d *tenantDirectory) below(group uuid.UUID) (members []json.RawMessage) {
	met := map[uuid.UUID]bool{group: true}
	for queue := []uuid.UUID{group}; len(queue) > 0; queue = queue[1:] {
		g := d.groups[queue[0]]
		if g == nil {
			continue
		}
		for _, id := range g.members {
			if met[id] {
				continue
			}
			met[id] = true
			queue = append(queue, id)
			switch u := d.byID[id]; {
			case d.groups[id] != nil:
				members = append(members, json.RawMessage(`{"@odata.type":"#microsoft.graph.group","id":"`+id.String()+`"}`))
			case u != nil && u.state == active:
				members = append(members, json.RawMessage(`{"@odata.type":"#microsoft.graph.user","id":"`+id.String()+`"}`))
			}
		}
	}
	return members
}

// maxGroups is how many groups one call may ask about.
const maxGroups = 20

// checkMemberGroups is
// https://learn.microsoft.com/graph/api/directoryobject-checkmembergroups. A
// group that does not exist is left out without an error, as is one that hides its
// members.
func checkMemberGroups(_ *Server, c *call) (reply, error) {
	groups, err := c.askedGroups()
	if err != nil {
		return reply{}, err
	}
	u := c.tenant.reader(c.now).find(c.path[1])
	if u == nil {
		return reply{}, errNotFound(c.path[1])
	}
	member := []string{}
	for _, id := range groups {
		if g := c.tenant.dir.groups[id]; g != nil && !g.hidden && c.tenant.dir.hasMember(id, u.id) {
			member = append(member, id.String())
		}
	}
	return ok(object{"@odata.context": c.context("Collection(Edm.String)"), "value": member})
}

func (c *call) askedGroups() ([]uuid.UUID, error) {
	var body struct{ GroupIDs []string }
	if err := json.Unmarshal(c.body, &body); err != nil {
		return nil, badRequest("Unable to read JSON request payload.")
	}
	if len(body.GroupIDs) == 0 || len(body.GroupIDs) > maxGroups {
		return nil, badRequest("The number of groupIds must be between 1 and %d.", maxGroups)
	}
	var ids []uuid.UUID
	for _, text := range body.GroupIDs {
		id, ok := parseID(text)
		if !ok {
			return nil, badRequest("Invalid object identifier '%s'.", text)
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// hasMember tells whether a user is in a group or in one below it.
func (d *tenantDirectory) hasMember(group, user uuid.UUID) bool {
	met := map[uuid.UUID]bool{group: true}
	for queue := []uuid.UUID{group}; len(queue) > 0; queue = queue[1:] {
		g := d.groups[queue[0]]
		if g == nil {
			continue
		}
		for _, id := range g.members {
			if id == user {
				return true
			}
			if !met[id] {
				met[id] = true
				queue = append(queue, id)
			}
		}
	}
	return false
}
