package msgraphtest

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// group is a [group] of users and groups. Members that no longer exist are
// passed over.
//
// [group]: https://learn.microsoft.com/graph/api/resources/group
type group struct {
	id      uuid.UUID
	name    string
	members []uuid.UUID
	hidden  bool // visibility is HiddenMembership
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

// HideMembers gives a group the visibility HiddenMembership. It panics if there
// is no such group.
func (t *Tenant) HideMembers(id string) {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	t.groupNamed(id).hidden = true
}

// RemoveMembers takes members out of a group. It panics if there is no such
// group.
func (t *Tenant) RemoveMembers(id string, members ...string) {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	g := t.groupNamed(id)
	for _, member := range members {
		m := mustParse(member)
		g.members = slices.DeleteFunc(g.members, func(id uuid.UUID) bool { return id == m })
	}
}

// RemoveGroup deletes a group.
func (t *Tenant) RemoveGroup(id string) {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	delete(t.dir.groups, t.groupNamed(id).id)
}

func (t *Tenant) groupNamed(id string) *group {
	g := t.dir.groups[mustParse(id)]
	if g == nil {
		panic("msgraphtest: no group " + id)
	}
	return g
}

// memberReaders are the permissions for groups and their members, without which
// hiddenReader is of no use.
var memberReaders = []string{"GroupMember.Read.All", "GroupMember.ReadWrite.All", "Group.Read.All",
	"Group.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}

const hiddenReader = "Member.Read.Hidden"

// checkUnits is what checkMemberGroups costs. Microsoft's table lists neither it
// nor a write for it; its relatives there cost as much.
const checkUnits = 4

func groupRoutes() []route {
	return []route{
		{method: "GET", pattern: "/groups/{id}", permissions: memberReaders, handle: locked(getGroup)},
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
	shown := object{
		"id":              g.id.String(),
		"displayName":     g.name,
		"description":     nil,
		"groupTypes":      []string{},
		"mailEnabled":     false,
		"mailNickname":    strings.ReplaceAll(g.name, " ", ""),
		"securityEnabled": true,
		"visibility":      nil,
	}
	if g.hidden {
		shown["visibility"] = "HiddenMembership"
	}
	return shown
}

// maxGroups is how many groups one call may ask about.
const maxGroups = 20

// checkMemberGroups is
// https://learn.microsoft.com/graph/api/directoryobject-checkmembergroups. A
// group that does not exist, or hides its members from the caller, is left out
// without an error.
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
	seesHidden := c.hasRole(hiddenReader)
	for _, id := range groups {
		if c.tenant.dir.hasMember(id, u.id, seesHidden) {
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
func (d *tenantDirectory) hasMember(group, user uuid.UUID, seesHidden bool) bool {
	met := map[uuid.UUID]bool{group: true}
	for queue := []uuid.UUID{group}; len(queue) > 0; queue = queue[1:] {
		g := d.groups[queue[0]]
		if g == nil || g.hidden && !seesHidden {
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
