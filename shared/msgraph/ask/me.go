package ask

import (
	"context"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/answer"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/ask/reply"
)

// Me returns the person who is signed in. Errors are *directory.Error: there is nobody where
// an app has signed in.
//
// It needs the delegated permission User.Read or User.Read.All. See [user: get].
//
// [user: get]: https://learn.microsoft.com/graph/api/user-get
func (c *Client) Me(ctx context.Context) (directory.User, error) {
	got, err := c.get(ctx, opMe, "/me?$select=id,userPrincipalName")
	return single(got, err, reply.User)
}

// Organization returns the tenant that is signed in to. Errors are *directory.Error.
//
// It needs the delegated permission User.Read, or for an app User.Read.All. See [List
// organization].
//
// [List organization]: https://learn.microsoft.com/graph/api/organization-list
func (c *Client) Organization(ctx context.Context) (directory.Organization, error) {
	got, err := c.get(ctx, opOrganization, "/organization?$select=id,displayName")
	all, err := list(ctx, c, got, err, reply.Organization)
	if err == nil && len(all) != 1 {
		err = got.Distrust(answer.ErrShape)
	}
	if err != nil {
		return directory.Organization{}, err
	}
	return all[0], nil
}
