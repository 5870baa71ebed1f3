package msgraphtest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// userQuery is what a list of users is asked for.
type userQuery struct {
	selection
	filter *filter // nil: all
	order  *order  // nil: as they were created
	top    int
	count  bool
	token  pageToken
}

// matches tells whether a user whom the reader sees belongs to the list.
func (q *userQuery) matches(u *user, state lifeState) bool {
	return u.state == state && (q.filter == nil || q.filter.match(u))
}

// userQuery reads the query options of a list of users and refuses what Entra
// can't do.
func (c *call) userQuery() (q *userQuery, err error) {
	q = new(userQuery)
	if err := c.onlyOptions("$select", "$filter", "$top", "$count", "$orderby", "$skiptoken"); err != nil {
		return nil, err
	}
	if err := c.refuseSingleOnly(); err != nil {
		return nil, err
	}
	if q.selection, err = c.selection(); err != nil {
		return nil, err
	}
	if q.top, err = c.top(maxPageSize); err != nil {
		return nil, err
	}
	if q.count, err = c.wantsCount(); err != nil {
		return nil, err
	}
	if q.filter, err = c.filter(); err != nil {
		return nil, err
	}
	if q.order, err = c.order(q.filter != nil); err != nil {
		return nil, err
	}
	q.token, err = c.pageToken()
	return q, err
}

// singleOnly are properties that Graph returns of one user but not in a list;
// the emulator knows nothing else of them.
var singleOnly = []string{"aboutMe", "birthday", "hireDate", "interests", "mailboxSettings", "mySite", "pastProjects",
	"preferredName", "responsibilities", "schools", "skills"}

func (c *call) refuseSingleOnly() error {
	for name := range strings.SplitSeq(c.query.Get("$select"), ",") {
		if name = strings.TrimSpace(name); slices.Contains(singleOnly, name) {
			return refuse(http.StatusNotImplemented, "NotImplemented", "The property '%s' can only be selected of a single user.", name)
		}
	}
	return nil
}

// filter reads $filter, and refuses it where it needs an advanced query or a
// permission that the caller has not.
func (c *call) filter() (*filter, error) {
	text, ok := option(c.query, "$filter")
	if !ok {
		return nil, nil
	}
	f, err := parseFilter(text)
	switch {
	case err != nil:
		return nil, err
	case f.clauses > maxClauses:
		return nil, unsupported("Too many child clauses specified in search filter expression containing 'OR' operators: %d. Max allowed: %d.", f.clauses, maxClauses)
	case f.advanced != "" && !c.advanced():
		return nil, needsAdvanced(f.advanced)
	case !c.hasRole(userReaders...) && f.uses&^basicProperties() != 0:
		return nil, errForbidden()
	}
	return f, nil
}

func basicProperties() propertySet {
	var set propertySet
	for i := range userProperties {
		if userProperties[i].basic {
			set |= userProperties[i].bit()
		}
	}
	return set
}

// order is a $orderby.
type order struct {
	property   *property
	descending bool
}

// order reads $orderby, which Entra supports on two properties, and together
// with $filter only as an advanced query.
func (c *call) order(filtered bool) (*order, error) {
	text, ok := option(c.query, "$orderby")
	if !ok {
		return nil, nil
	}
	name, direction, _ := strings.Cut(strings.TrimSpace(text), " ")
	if propertyNamed(name) == nil {
		return nil, unknownProperty(name, "user")
	}
	if name != "displayName" && name != "userPrincipalName" || !slices.Contains([]string{"", "asc", "desc"}, direction) {
		return nil, unsupported("Sorting not supported for current query.")
	}
	if filtered && !c.advanced() {
		return nil, unsupported("Sorting not supported for current query.")
	}
	return &order{propertyNamed(name), direction == "desc"}, nil
}

// key is what a user is sorted by; no two users share one.
func (o *order) key(u *user) string {
	return strings.ToLower(stringOf(o.property.value(u))) + "\x00" + u.id.String()
}

// compare orders two keys.
func (o *order) compare(a, b string) int {
	if o.descending {
		a, b = b, a
	}
	return strings.Compare(a, b)
}

// listUsers is https://learn.microsoft.com/graph/api/user-list.
func listUsers(s *Server, c *call) (reply, error) {
	q, err := c.userQuery()
	if err != nil {
		return reply{}, err
	}
	return ok(s.userPage(c, q, active, "users"))
}

// countUsers is GET /users/$count, which is an advanced query by itself; see
// https://learn.microsoft.com/graph/aad-advanced-queries.
func countUsers(_ *Server, c *call) (reply, error) {
	if !c.eventual() {
		return reply{}, unsupported("$count is not currently supported.")
	}
	if err := c.onlyOptions("$filter"); err != nil {
		return reply{}, err
	}
	c.query.Set("$count", "true")
	f, err := c.filter()
	if err != nil {
		return reply{}, err
	}
	n := countMatches(c.tenant.reader(c.now), &userQuery{filter: f}, active)
	return reply{
		status: http.StatusOK,
		header: http.Header{"Content-Type": {"text/plain"}},
		body:   []byte(strconv.Itoa(n)),
	}, nil
}

func countMatches(r reader, q *userQuery, state lifeState) int {
	n := 0
	for _, u := range r.dir.users {
		if q.matches(r.see(u), state) {
			n++
		}
	}
	return n
}

// userPage is the page of the users in a state that a query asks for.
func (s *Server) userPage(c *call, q *userQuery, state lifeState, set string) page {
	r := c.tenant.reader(c.now)
	p := page{Context: c.context(q.fragment(set)), Value: []json.RawMessage{}}
	if q.count && q.token.isFirst() {
		n := countMatches(r, q, state)
		p.Count = &n
	}
	if s.leavesEmpty(q.token) {
		p.NextLink = c.nextLink(q.token.afterEmpty())
		return p
	}
	users, next := q.take(r, state)
	for _, u := range users {
		p.Value = append(p.Value, q.userJSON("{", u))
	}
	if next != nil {
		p.NextLink = c.nextLink(*next)
	}
	return p
}

// take returns the users of a page and the token of the page after, nil after
// the last.
func (q *userQuery) take(r reader, state lifeState) ([]*user, *pageToken) {
	if q.order != nil {
		return q.takeSorted(r, state)
	}
	var users []*user
	for i := max(0, q.token.Pos); i < len(r.dir.users); i++ {
		u := r.see(r.dir.users[i])
		if !q.matches(u, state) {
			continue
		}
		if len(users) == q.top {
			return users, &pageToken{Query: q.token.Query, Pos: i}
		}
		users = append(users, u)
	}
	return users, nil
}

func (q *userQuery) takeSorted(r reader, state lifeState) ([]*user, *pageToken) {
	var users []*user
	for _, u := range r.dir.users {
		if u = r.see(u); q.matches(u, state) && (q.token.After == "" || q.order.compare(q.order.key(u), q.token.After) > 0) {
			users = append(users, u)
		}
	}
	slices.SortFunc(users, func(a, b *user) int { return q.order.compare(q.order.key(a), q.order.key(b)) })
	if len(users) <= q.top {
		return users, nil
	}
	users = users[:q.top]
	return users, &pageToken{Query: q.token.Query, After: q.order.key(users[q.top-1])}
}
