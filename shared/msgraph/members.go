package msgraph

import (
	"context"
	"errors"

	abstractions "github.com/microsoft/kiota-abstractions-go"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// transitiveMembers is the address of the first page, for which alone the SDK's
// package of groups is not worth linking.
const transitiveMembers = "{+baseurl}/groups/{group}/transitiveMembers{?%24select,%24top}"

var errGroupID = errors.New("the group's id is not an object id")

// GroupMembers reads a page of the users in a group and in the groups within it:
// the first page if next is empty, else the one that the call before named. It
// returns their object ids and the address of the next page, which is empty after
// the last. A page can be empty though others follow.
//
// It does not have Graph select the users: that would be an [advanced query], which
// an index answers that lags behind. A member whose type Graph does not tell counts
// as a user, because a group is there to spare its members.
//
// Errors are *directory.Error. One member who cannot be read, or has no object id,
// fails the page, unlike a user of [Client.UserPage]: whoever is passed over here
// would be signed out.
//
// It needs the permission GroupMember.Read.All, and Member.Read.Hidden for groups
// with hidden membership. See [List group transitive members].
//
// [advanced query]: https://learn.microsoft.com/graph/aad-advanced-queries
// [List group transitive members]: https://learn.microsoft.com/graph/api/group-list-transitivemembers
func (c *Client) GroupMembers(ctx context.Context, group, next string) (ids []string, nextLink string, err error) {
	info, err := c.listMembers(group, next)
	if err != nil {
		return nil, "", err
	}
	got, err := c.send(ctx, opListMembers, info)
	if err != nil {
		return nil, "", err
	}
	return c.pages.Members(got, next)
}

// listMembers makes the request for a page of members.
func (c *Client) listMembers(group, next string) (*abstractions.RequestInformation, error) {
	if next != "" {
		return c.follow(opListMembers, next)
	}
	if !directory.IsID(group) {
		return nil, &directory.Error{Operation: opListMembers, NotDone: true, Err: errGroupID}
	}
	parameters := c.pathParameters()
	parameters["group"] = group
	info := abstractions.NewRequestInformationWithMethodAndUrlTemplateAndPathParameters(
		abstractions.GET, transitiveMembers, parameters)
	info.Headers.TryAdd("Accept", "application/json")
	info.QueryParametersAny["%24select"] = "id"
	info.QueryParametersAny["%24top"] = MaxPage
	return info, nil
}
