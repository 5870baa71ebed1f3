package msgraphtest

import (
	"encoding/json"
	"slices"
)

// userQuery is what a list of users is asked for.
type userQuery struct {
	selection
	top    int
	token  pageToken
	filter filter
}

// userQuery reads the query options of a list of users. $orderby, which the product
// doesn't use, is not emulated; of $filter see filter.go. $count is only what makes a query
// an advanced one: the number is not told.
func (c *call) userQuery() (q *userQuery, err error) {
	q = new(userQuery)
	if err := c.onlyOptions("$select", "$top", "$skiptoken", "$filter", "$count"); err != nil {
		return nil, err
	}
	if q.selection, err = c.selection(); err != nil {
		return nil, err
	}
	if q.top, err = c.top(maxPageSize); err != nil {
		return nil, err
	}
	properties := userFilters
	if advanced, err := c.advanced(); err != nil {
		return nil, err
	} else if advanced {
		properties = slices.Concat(userFilters, advancedFilters)
	}
	if q.filter, err = c.filter("User", properties...); err != nil {
		return nil, err
	}
	q.token, err = c.pageToken()
	return q, err
}

// listUsers is https://learn.microsoft.com/graph/api/user-list.
func listUsers(s *Server, c *call) (reply, error) {
	q, err := c.userQuery()
	if err != nil {
		return reply{}, err
	}
	p := page{Context: c.context(q.fragment("users")), Value: []json.RawMessage{}}
	if s.leavesEmpty(q.token) {
		q.token.filler = true
		p.NextLink = c.nextLink(q.token)
		return ok(p)
	}
	users, next := q.take(c.tenant.reader(c.now))
	for _, u := range users {
		p.Value = append(p.Value, q.userJSON("{", u))
	}
	if next != nil {
		p.NextLink = c.nextLink(*next)
	}
	return ok(p)
}

// take returns the users of a page and the token of the page after, nil after
// the last.
func (q *userQuery) take(r reader) ([]*user, *pageToken) {
	var users []*user
	for i := max(0, q.token.pos); i < len(r.dir.users); i++ {
		u := r.see(r.dir.users[i])
		if u.state != active || q.filter != nil && !q.filter.matches(r.dir.filterValues(u)) {
			continue
		}
		if len(users) == q.top {
			return users, &pageToken{query: q.token.query, pos: i}
		}
		users = append(users, u)
	}
	return users, nil
}
