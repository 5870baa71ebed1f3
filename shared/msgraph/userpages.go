package msgraph

import (
	"context"

	"github.com/microsoftgraph/msgraph-sdk-go/users"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/answer"
)

// latestDelta is the address of the first request of delta, with the token that the
// SDK's own template does not know.
const latestDelta = "{+baseurl}/users/delta(){?%24deltatoken,%24select}"

// LatestDelta returns the address at which a round of delta begins that reports
// what changes from now on. Errors are *directory.Error.
//
// It needs the permission User.Read.All. See [user: delta].
//
// [user: delta]: https://learn.microsoft.com/graph/api/user-delta
func (c *Client) LatestDelta(ctx context.Context) (deltaLink string, err error) {
	info, err := c.users().Delta().ToGetRequestInformation(ctx, &users.DeltaRequestBuilderGetRequestConfiguration{
		QueryParameters: &users.DeltaRequestBuilderGetQueryParameters{Select: UserProperties()},
	})
	if err == nil {
		info.UrlTemplate = latestDelta
		info.QueryParametersAny["%24deltatoken"] = "latest"
	}
	got, err := c.Read(ctx, opDelta, info, err)
	if err != nil {
		return "", err
	}
	return c.pages.LatestDelta(got)
}

// DeltaPage reads a page of a round of delta: link is where the round begins, or
// the page before's Next. Either Next or Delta of the page is set.
//
// Errors are *directory.Error. A user who cannot be read, or has no object id, is left out
// and counted as Unreadable: see [answer.Pages.Users].
//
// It needs the permission User.Read.All. See [user: delta].
//
// [user: delta]: https://learn.microsoft.com/graph/api/user-delta
func (c *Client) DeltaPage(ctx context.Context, link string) (directory.UserPage, error) {
	got, err := c.Follow(ctx, opDelta, link)
	if err != nil {
		return directory.UserPage{}, err
	}
	return c.pages.Delta(got)
}

// UserPage reads a page of all users of the tenant: the first one if next is empty,
// else the one that the page before names as its Next.
//
// Errors are *directory.Error. A user who cannot be read, or has no object id, is left out
// and counted, as with [Client.DeltaPage].
//
// It needs the permission User.Read.All. See [List users].
//
// [List users]: https://learn.microsoft.com/graph/api/user-list
func (c *Client) UserPage(ctx context.Context, next string) (directory.UserPage, error) {
	got, err := c.listUsers(ctx, next)
	if err != nil {
		return directory.UserPage{}, err
	}
	return c.pages.Users(got)
}

// listUsers asks for a page of all users.
func (c *Client) listUsers(ctx context.Context, next string) (answer.Answer, error) {
	if next != "" {
		return c.Follow(ctx, opListUsers, next)
	}
	info, err := c.users().ToGetRequestInformation(ctx, &users.UsersRequestBuilderGetRequestConfiguration{
		QueryParameters: &users.UsersRequestBuilderGetQueryParameters{
			Select: UserProperties(), Top: new(int32(MaxPage)),
		},
	})
	return c.Read(ctx, opListUsers, info, err)
}
