package msgraphtest

import (
	"bytes"
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

// RemoveMembers takes members out of a group.
func (t *Tenant) RemoveMembers(id string, members ...string) {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	g := t.dir.groups[mustParse(id)]
	if g == nil {
		panic("msgraphtest: no group " + id)
	}
	for _, member := range members {
		m := mustParse(member)
		g.members = slices.DeleteFunc(g.members, func(id uuid.UUID) bool { return id == m })
	}
}

var (
	groupReaders  = []string{"Group.Read.All", "Group.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
	memberReaders = append([]string{"GroupMember.Read.All", "GroupMember.ReadWrite.All"}, groupReaders...)
)

func groupRoutes() []route {
	const members = "/groups/{id}/transitiveMembers"
	routes := []route{
		{method: "GET", pattern: "/groups/{id}", permissions: memberReaders, handle: locked(getGroup)},
		{method: "GET", pattern: members, permissions: memberReaders, handle: locked(listMembers)},
	}
	for _, cast := range userCasts {
		routes = append(routes, route{method: "GET", pattern: members + "/" + cast, permissions: memberReaders, handle: locked(listMembers)})
	}
	return routes
}

func (c *call) group() (*group, error) {
	if id, ok := parseID(c.path[1]); ok {
		if g := c.tenant.dir.groups[id]; g != nil {
			return g, nil
		}
	}
	return nil, errNotFound(c.path[1])
}

// getGroup is https://learn.microsoft.com/graph/api/group-get.
func getGroup(_ *Server, c *call) (reply, error) {
	if err := c.onlyOptions("$select"); err != nil {
		return reply{}, err
	}
	g, err := c.group()
	if err != nil {
		return reply{}, err
	}
	shown, err := c.project(g.object(), "group")
	if err != nil {
		return reply{}, err
	}
	shown["@odata.context"] = c.context("groups/$entity")
	return ok(shown)
}

func (g *group) object() object {
	return object{
		"id":              g.id.String(),
		"displayName":     g.name,
		"description":     nil,
		"groupTypes":      []string{},
		"mailEnabled":     false,
		"mailNickname":    strings.ReplaceAll(g.name, " ", ""),
		"securityEnabled": true,
	}
}

// listMembers is https://learn.microsoft.com/graph/api/group-list-transitivemembers.
// A cast to users makes it an advanced query.
func listMembers(s *Server, c *call) (reply, error) {
	if err := c.onlyOptions("$select", "$top", "$count", "$skiptoken"); err != nil {
		return reply{}, err
	}
	onlyUsers := len(c.path) == 4
	if onlyUsers && !c.advanced() {
		return reply{}, needsAdvanced("cast")
	}
	g, err := c.group()
	if err != nil {
		return reply{}, err
	}
	q, err := c.memberQuery(onlyUsers)
	if err != nil {
		return reply{}, err
	}
	return ok(s.memberPage(c, q, g))
}

// memberQuery is what a list of members is asked for.
type memberQuery struct {
	selection
	onlyUsers bool
	top       int
	count     bool
	token     pageToken
}

func (c *call) memberQuery(onlyUsers bool) (q *memberQuery, err error) {
	q = &memberQuery{onlyUsers: onlyUsers}
	if q.selection, err = c.memberSelection(); err != nil {
		return nil, err
	}
	if q.top, err = c.top(maxPageSize); err != nil {
		return nil, err
	}
	if q.count, err = c.wantsCount(); err != nil {
		return nil, err
	}
	q.token, err = c.pageToken()
	return q, err
}

// memberSelection is the selection of members. What the caller may not read of
// users is null, without an error; see
// https://learn.microsoft.com/graph/permissions-overview#limited-information-returned-for-inaccessible-member-objects.
func (c *call) memberSelection() (selection, error) {
	readable := *c
	readable.roles = userReaders
	sel, err := readable.selection()
	switch {
	case c.hasRole(userReaders...):
	case c.hasRole(basicReaders...):
		sel.hidden = allProperties &^ basicProperties()
	default:
		sel.hidden = allProperties &^ propertyNamed("id").bit()
	}
	return sel, err
}

// memberPage is the page of the group's transitive members that a query asks
// for, in the order of their ids.
func (s *Server) memberPage(c *call, q *memberQuery, g *group) page {
	r := c.tenant.reader(c.now)
	ids := r.transitiveMembers(g, q.onlyUsers)
	p := page{Context: c.context("directoryObjects"), Value: []json.RawMessage{}}
	if q.count && q.token.isFirst() {
		n := len(ids)
		p.Count = &n
	}
	if s.leavesEmpty(q.token) {
		p.NextLink = c.nextLink(q.token.afterEmpty())
		return p
	}
	ids = slices.DeleteFunc(ids, func(id uuid.UUID) bool { return id.String() <= q.token.After })
	if len(ids) > q.top {
		ids = ids[:q.top]
		p.NextLink = c.nextLink(pageToken{Query: q.token.Query, After: ids[q.top-1].String()})
	}
	for _, id := range ids {
		p.Value = append(p.Value, member(r, q.selection, id))
	}
	return p
}

// transitiveMembers are the ids of all below a group that the reader knows. The
// group itself is among them only if it is below itself, and then Graph leaves
// it out.
func (r reader) transitiveMembers(g *group, onlyUsers bool) []uuid.UUID {
	var members []uuid.UUID
	met := map[uuid.UUID]bool{g.id: true}
	for queue := []*group{g}; len(queue) > 0; queue = queue[1:] {
		for _, id := range queue[0].members {
			if met[id] {
				continue
			}
			met[id] = true
			inner := r.dir.groups[id]
			if inner != nil {
				queue = append(queue, inner)
			}
			if inner != nil && !onlyUsers || r.knows(id) {
				members = append(members, id)
			}
		}
	}
	slices.SortFunc(members, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
	return members
}

// knows tells whether the reader knows a user who isn't deleted.
func (r reader) knows(id uuid.UUID) bool {
	u := r.dir.byID[id]
	return u != nil && r.see(u).state == active
}

// member is an item of a list of members.
func member(r reader, sel selection, id uuid.UUID) json.RawMessage {
	if r.dir.groups[id] != nil {
		return json.RawMessage(`{"@odata.type":"#microsoft.graph.group","id":"` + id.String() + `"}`)
	}
	return sel.userJSON(`{"@odata.type":"#microsoft.graph.user"`, r.see(r.dir.byID[id]))
}
