package msgraph

import (
	"context"
	"encoding/json"
	"slices"

	abstractions "github.com/microsoft/kiota-abstractions-go"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/answer"
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
		body, err := json.Marshal(map[string][]string{"ids": some, "types": {"user"}})
		got, err := c.read(ctx, opNames, c.post("/directoryObjects/getByIds", body), err)
		found, err := readAll(ctx, c, got, err, c.pages.Names)
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

// post makes a POST request that changes nothing.
func (c *Client) post(path string, body []byte) *abstractions.RequestInformation {
	info := abstractions.NewRequestInformationWithMethodAndUrlTemplateAndPathParameters(abstractions.POST, "{+baseurl}"+path, c.pathParameters())
	info.Headers.TryAdd("Accept", "application/json")
	info.SetStreamContentAndContentType(body, "application/json")
	return info
}

// Me returns the person who is signed in. Errors are *directory.Error: there is nobody where
// an app has signed in.
//
// It needs the delegated permission User.Read or User.Read.All. See [user: get].
//
// [user: get]: https://learn.microsoft.com/graph/api/user-get
func (c *Client) Me(ctx context.Context) (directory.User, error) {
	got, err := c.read(ctx, opMe, c.get("/me?$select=id,userPrincipalName"), nil)
	if err != nil {
		return directory.User{}, err
	}
	return answer.AnyUser(got)
}

// Organization returns the tenant that is signed in to. Errors are *directory.Error.
//
// It needs the permission User.Read.All. See [List organization].
//
// [List organization]: https://learn.microsoft.com/graph/api/organization-list
func (c *Client) Organization(ctx context.Context) (directory.Organization, error) {
	got, err := c.read(ctx, opOrganization, c.get("/organization?$select=id,displayName"), nil)
	if err != nil {
		return directory.Organization{}, err
	}
	return answer.Organization(got)
}
