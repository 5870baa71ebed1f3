package msgraph

import (
	"context"
	"strings"
	"time"

	abstractions "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoftgraph/msgraph-sdk-go/users"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// listedProperties are what is asked of each user of a page. Delta takes note of
// them when a round of it begins, and then reports a user when one of them changes.
var listedProperties = []string{
	"id",
	"userPrincipalName",
	"userType",
	"creationType",
	"externalUserState",
	"createdDateTime",
	stamp,
}

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
	info, err := users.NewUsersRequestBuilderInternal(c.pathParameters(), c.adapter).Delta().
		ToGetRequestInformation(ctx, &users.DeltaRequestBuilderGetRequestConfiguration{
			QueryParameters: &users.DeltaRequestBuilderGetQueryParameters{Select: listedProperties},
		})
	if err != nil {
		return "", &directory.Error{Operation: opDelta, NotDone: true, Err: err}
	}
	info.UrlTemplate = latestDelta
	info.QueryParametersAny["%24deltatoken"] = "latest"
	got, page, err := c.userPage(ctx, opDelta, "", info)
	if err != nil {
		return "", err
	}
	// An address with users before it would pass them over.
	if page.Delta == "" || len(page.Users)+len(page.Removed) > 0 {
		return "", answerError(opDelta, got, errShape)
	}
	return page.Delta, nil
}

// DeltaPage reads a page of a round of delta: link is where the round begins, or
// the page before's Next. Either Next or Delta of the page is set.
//
// Errors are *directory.Error. If Expired, a round must begin anew. One user who
// cannot be read, or has no object id, fails the page: whoever goes on to the next
// would never hear of that user again.
//
// It needs the permission User.Read.All. See [user: delta].
//
// [user: delta]: https://learn.microsoft.com/graph/api/user-delta
func (c *Client) DeltaPage(ctx context.Context, link string) (directory.UserPage, error) {
	info, err := c.follow(opDelta, link)
	if err != nil {
		return directory.UserPage{}, err
	}
	got, page, err := c.userPage(ctx, opDelta, link, info)
	if err != nil {
		return directory.UserPage{}, err
	}
	// With neither, the round would have no end; with both, which counts?
	if (page.Next == "") == (page.Delta == "") {
		return directory.UserPage{}, answerError(opDelta, got, errShape)
	}
	return page, nil
}

// UserPage reads a page of all users of the tenant: the first one if next is empty,
// else the one that the page before names as its Next.
//
// Errors are *directory.Error. If Expired, the list must begin anew. One user who
// cannot be read, or has no object id, fails the page, as with [Client.DeltaPage].
//
// It needs the permission User.Read.All. See [List users].
//
// [List users]: https://learn.microsoft.com/graph/api/user-list
func (c *Client) UserPage(ctx context.Context, next string) (directory.UserPage, error) {
	info, err := c.listUsers(ctx, next)
	if err != nil {
		return directory.UserPage{}, err
	}
	_, page, err := c.userPage(ctx, opListUsers, next, info)
	page.Delta = "" // a list has none
	return page, err
}

// listUsers makes the request for a page of all users.
func (c *Client) listUsers(ctx context.Context, next string) (*abstractions.RequestInformation, error) {
	if next != "" {
		return c.follow(opListUsers, next)
	}
	info, err := users.NewUsersRequestBuilderInternal(c.pathParameters(), c.adapter).
		ToGetRequestInformation(ctx, &users.UsersRequestBuilderGetRequestConfiguration{
			QueryParameters: &users.UsersRequestBuilderGetQueryParameters{
				Select: listedProperties, Top: new(int32(MaxPage)),
			},
		})
	if err != nil {
		return nil, &directory.Error{Operation: opListUsers, NotDone: true, Err: err}
	}
	return info, nil
}

// userPage sends a request for a page of users, which is at the address asked, and
// reads it.
func (c *Client) userPage(ctx context.Context, operation, asked string, info *abstractions.RequestInformation) (answer, directory.UserPage, error) {
	got, err := c.send(ctx, operation, info)
	if err != nil {
		return answer{}, directory.UserPage{}, err
	}
	page, err := c.readUserPage(got, asked)
	if err != nil {
		return answer{}, directory.UserPage{}, answerError(operation, got, err)
	}
	return got, page, nil
}

// readUserPage reads a page of [user resources], without the SDK's models: they
// allocate 19 kB for each user, this 0.6 kB, and a page has a
// thousand.
//
// [user resources]: https://learn.microsoft.com/graph/api/resources/user
func (c *Client) readUserPage(got answer, asked string) (directory.UserPage, error) {
	list, err := readCollection[listedUser](c, got, asked)
	if err != nil {
		return directory.UserPage{}, err
	}
	page := directory.UserPage{
		Users: make([]directory.User, 0, len(list.Value)),
		Next:  list.Next, Delta: list.Delta,
	}
	for i := range list.Value {
		user := list.Value[i].user()
		switch {
		case !directory.IsID(user.ID):
			return directory.UserPage{}, errShape
		case list.Value[i].Removed != nil:
			page.Removed = append(page.Removed, user.ID)
		default:
			page.Users = append(page.Users, user)
		}
	}
	return page, nil
}

// listedUser is a user of a page.
type listedUser struct {
	ID                string    `json:"id"`
	UserPrincipalName string    `json:"userPrincipalName"`
	UserType          string    `json:"userType"`
	CreationType      string    `json:"creationType"`
	ExternalUserState string    `json:"externalUserState"`
	Created           time.Time `json:"createdDateTime"`
	Stamp             shownTime `json:"signInSessionsValidFromDateTime"`
	Removed           *struct{} `json:"@removed"`
}

// user is what was read.
func (u *listedUser) user() directory.User {
	return directory.User{
		ID:                      strings.ToLower(u.ID),
		UserPrincipalName:       u.UserPrincipalName,
		UserType:                u.UserType,
		CreationType:            u.CreationType,
		ExternalUserState:       u.ExternalUserState,
		Created:                 u.Created.UTC(),
		SignInSessionsValidFrom: u.Stamp.UTC(),
		StampKnown:              u.Stamp.shown,
	}
}

// shownTime is a time that tells null from missing.
type shownTime struct {
	time.Time

	shown bool
}

// UnmarshalJSON implements json.Unmarshaler. It is called only where there is the
// property, null included.
func (t *shownTime) UnmarshalJSON(b []byte) error {
	t.shown = true
	return t.Time.UnmarshalJSON(b)
}
