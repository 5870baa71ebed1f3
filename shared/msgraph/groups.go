package msgraph

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	abstractions "github.com/microsoft/kiota-abstractions-go"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/answer"
)

// MemberOf tells in which of some groups users are, directly or through other groups:
// 1 to [MaxBatch] users, in one $batch, and at most [MaxBatch] groups. It returns one
// Membership for each id, in the order of ids; the error is of the call as a whole. The
// answer is never older than the call. Graph says of a group that does not exist, or
// hides its members, that nobody is in it, so such a group is an error for all: see
// [Client.CheckGroups]. Errors are *directory.Error.
//
// It needs the permissions User.Read.All and GroupMember.Read.All.
func (c *Client) MemberOf(ctx context.Context, ids, groups []string) ([]directory.Membership, error) {
	memberships := make([]directory.Membership, len(ids))
	if len(groups) == 0 {
		return memberships, nil
	}
	if err := c.CheckGroups(ctx, groups); err != nil {
		return nil, err
	}
	body, err := json.Marshal(map[string][]string{"groupIds": groups})
	if err != nil {
		return nil, unsent(opMemberGroups, err)
	}
	parts, err := c.readBatch(ctx, opMemberGroups, ids, func(ctx context.Context, id string) (*abstractions.RequestInformation, error) {
		return c.checkMemberGroups(ctx, id, body)
	})
	if err != nil {
		return nil, err
	}
	for i, p := range parts {
		if memberships[i].Err = p.Err; p.Err == nil {
			memberships[i].Groups, memberships[i].Err = answer.MemberGroups(p.Answer)
		}
	}
	return memberships, nil
}

// checkMemberGroups makes the request "POST /users/{id}/checkMemberGroups".
func (c *Client) checkMemberGroups(ctx context.Context, id string, body []byte) (*abstractions.RequestInformation, error) {
	info, err := c.users().ByUserId(id).CheckMemberGroups().ToPostRequestInformation(ctx, nil, nil)
	if err != nil {
		return nil, err
	}
	info.SetStreamContentAndContentType(body, "application/json")
	return info, nil
}

// CheckGroups tells whether the groups, at most [MaxBatch], are fit to exclude users by.
// Each must exist and show its members: of a group whose visibility is HiddenMembership,
// only an app with a right of its own sees any. Its error is the first group's that is not
// fit, and tells what to do. It is a *directory.Error.
//
// It needs the permission GroupMember.Read.All. See [Get group].
//
// [Get group]: https://learn.microsoft.com/graph/api/group-get
func (c *Client) CheckGroups(ctx context.Context, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	parts, err := c.readBatch(ctx, opGetGroup, ids, c.getGroup)
	if err != nil {
		return err
	}
	for i, p := range parts {
		if err := unfit(p, ids[i]); err != nil {
			return err
		}
	}
	return nil
}

// getGroup makes the request "GET /groups/{id}".
func (c *Client) getGroup(_ context.Context, id string) (*abstractions.RequestInformation, error) {
	return c.Request(abstractions.GET, "/groups/{group}?$select=id,visibility", "group", id), nil
}

// unfit is why nobody can be excluded by the group, nil if they can.
func unfit(p answer.Part, id string) error {
	if e, ok := errors.AsType[*directory.Error](p.Err); ok && e.NotFound() {
		e.Err = fmt.Errorf("the group %s does not exist in this tenant; correct its object id in ExcludedGroups, or take it out", id)
	}
	if p.Err != nil {
		return p.Err
	}
	hidden, err := answer.HidesMembers(p.Answer, id)
	if err != nil {
		return err
	}
	if hidden {
		return p.Distrust(fmt.Errorf("the group %s hides its members (HiddenMembership), so nobody in it would be spared; name another group in ExcludedGroups", id))
	}
	return nil
}
