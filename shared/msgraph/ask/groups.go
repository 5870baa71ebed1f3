package ask

import (
	"context"
	"slices"
	"strings"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/answer"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/ask/reply"
)

// FindGroups returns the groups of that display name, or the one of that object id: at least
// one. Where there are several, a person must choose. The error is [directory.ErrNoGroup]
// where there is none; it never quotes the name. Errors are *directory.Error.
//
// It needs the permission GroupMember.Read.All. See [List groups].
//
// [List groups]: https://learn.microsoft.com/graph/api/group-list
func (c *Client) FindGroups(ctx context.Context, name string) ([]directory.Group, error) {
	name = strings.TrimSpace(name)
	if id := strings.ToLower(name); directory.IsID(id) {
		group, err := c.group(ctx, id)
		if err != nil {
			return nil, err
		}
		return []directory.Group{group}, nil
	}
	first, err := c.get(ctx, opFindGroup, "/groups?$filter={filter}&$select=id,displayName,visibility",
		"filter", "displayName eq '"+quoted(name)+"'")
	groups, err := list(ctx, c, first, err, reply.Group)
	if err == nil && len(groups) == 0 {
		err = first.Distrust(directory.ErrNoGroup)
	}
	return groups, err
}

// group reads the group of that object id.
func (c *Client) group(ctx context.Context, id string) (directory.Group, error) {
	got, err := c.get(ctx, opGetGroup, "/groups/{group}?$select=id,displayName,visibility", "group", id)
	if e := notFound(err); e != nil {
		e.Err = directory.ErrNoGroup
	}
	group, err := single(got, err, reply.Group)
	if err == nil && group.ID != id {
		err = got.Distrust(answer.ErrShape)
	}
	return group, err
}

// TransitiveMembers reads a page of the users in a group and in the groups within it: the
// first one if next is empty, else the one that the page before names. It returns their
// object ids; devices, contacts and groups are left out. Graph may show a user twice. A
// group that hides its members is [directory.ErrHiddenMembers]: Graph would show nobody. Of
// such a group within the group nobody can tell. Errors are *directory.Error.
//
// It needs the permissions GroupMember.Read.All and User.Read.All. There is no cast to users
// in the address: with it Graph answers from an index that lags. See
// [List group transitive members].
//
// [List group transitive members]: https://learn.microsoft.com/graph/api/group-list-transitivemembers
func (c *Client) TransitiveMembers(ctx context.Context, groupID, next string) (ids []string, after string, err error) {
	got, err := c.members(ctx, groupID, next)
	if err != nil {
		return nil, "", err
	}
	ids, after, err = answer.ReadAll(c.pages, got, reply.UserID)
	return slices.DeleteFunc(ids, func(id string) bool { return id == "" }), after, err
}

// members asks for a page of a group's members.
func (c *Client) members(ctx context.Context, groupID, next string) (answer.Answer, error) {
	if next != "" {
		return c.Follow(ctx, opMembers, next)
	}
	group, err := c.group(ctx, groupID)
	if err != nil {
		return answer.Answer{}, err
	}
	if group.HiddenMembers {
		return answer.Answer{}, unsent(opMembers, directory.ErrHiddenMembers)
	}
	return c.get(ctx, opMembers, "/groups/{group}/transitiveMembers?$select=id&$top=999", "group", groupID)
}
