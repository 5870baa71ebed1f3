package ask

import (
	"context"
	"slices"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/answer"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/ask/reply"
)

// MaxNames is how many names one call of [getByIds] is asked for, the most there can be.
//
// [getByIds]: https://learn.microsoft.com/graph/api/directoryobject-getbyids
const MaxNames = 1000

// Names returns the names of users, any number of them, by object id, for the screen of the
// person who asked. Users whom Graph does not know, or cannot be read, are left out. Errors
// are *directory.Error.
//
// It needs the permission Directory.Read.All, the least that is documented. See [getByIds].
//
// [getByIds]: https://learn.microsoft.com/graph/api/directoryobject-getbyids
func (c *Client) Names(ctx context.Context, ids []string) (map[string]directory.Name, error) {
	names := make(map[string]directory.Name, len(ids))
	for some := range slices.Chunk(ids, MaxNames) {
		got, err := c.post(ctx, opNames, "/directoryObjects/getByIds", map[string][]string{"ids": some, "types": {"user"}})
		found, err := list(ctx, c, got, err, reply.Name)
		if err != nil {
			return nil, err
		}
		for _, name := range found {
			names[name.ID] = name
		}
	}
	delete(names, "") // what could not be read
	return names, nil
}

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
