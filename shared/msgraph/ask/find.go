package ask

import (
	"context"
	"fmt"
	"slices"
	"strings"

	abstractions "github.com/microsoft/kiota-abstractions-go"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/answer"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/ask/reply"
)

// userProperties are what is asked of a user.
var userProperties = strings.Join(msgraph.UserProperties(), ",")

// byName finds users by what a person calls them. All of it is in one filter, so that a
// name which is one user's principal name and another's address is told to be both.
// Entra compares without regard to case; the prefix of an address is SMTP: for the primary
// one (https://learn.microsoft.com/graph/api/resources/user, proxyAddresses).
const byName = "userPrincipalName eq '%[1]s' or mail eq '%[1]s' or proxyAddresses/any(p:p eq 'smtp:%[1]s') or proxyAddresses/any(p:p eq 'SMTP:%[1]s')"

// FindUsers finds the users whom a person has named, any number of them, [msgraph.MaxBatch] in one
// $batch: by object id, or by user principal name, mail address or proxy address. It returns
// one Read for each name, in the order of names; the error is of a call as a whole, and
// then nothing is known. A Read's error is [directory.ErrNoName], [directory.ErrNoUser] or
// [directory.ErrSeveralUsers] unless a call failed; none quotes the name. Two names may lead
// to the same user. All errors are *directory.Error.
//
// It needs the permission User.Read.All. See [List users].
//
// [List users]: https://learn.microsoft.com/graph/api/user-list
func (c *Client) FindUsers(ctx context.Context, names []string) ([]directory.Read, error) {
	reads := make([]directory.Read, 0, len(names))
	for some := range slices.Chunk(names, msgraph.MaxBatch) {
		found, err := c.findSome(ctx, some)
		if err != nil {
			return nil, err
		}
		reads = append(reads, found...)
	}
	return reads, nil
}

// findSome finds 1 to [msgraph.MaxBatch] users.
func (c *Client) findSome(ctx context.Context, names []string) ([]directory.Read, error) {
	reads, asked, of := make([]directory.Read, len(names)), []string{}, []int{}
	for i, name := range names {
		if name = strings.TrimSpace(name); isName(name) {
			asked, of = append(asked, name), append(of, i)
		} else {
			reads[i].Err = unsent(opFindUser, directory.ErrNoName)
		}
	}
	parts, err := c.ReadParts(ctx, opFindUser, asked, c.findUser)
	if err != nil {
		return nil, err
	}
	for i, p := range parts {
		reads[of[i]].User, reads[of[i]].Err = c.theUser(ctx, asked[i], p)
	}
	return reads, nil
}

// isName tells whether a text can name a user.
func isName(name string) bool {
	return directory.IsID(strings.ToLower(name)) || strings.Contains(name, "@") && answer.OneLine(name) == name
}

// findUser makes the request for the user of that name.
func (c *Client) findUser(_ context.Context, name string) (*abstractions.RequestInformation, error) {
	if id := strings.ToLower(name); directory.IsID(id) {
		return c.Request(abstractions.GET, "/users/{user}?$select="+userProperties, "user", id), nil
	}
	return c.Request(abstractions.GET, "/users?$filter={filter}&$select="+userProperties,
		"filter", fmt.Sprintf(byName, quoted(name))), nil
}

// theUser is the one user in the answer to findUser.
func (c *Client) theUser(ctx context.Context, name string, p answer.Part) (directory.User, error) {
	if id := strings.ToLower(name); directory.IsID(id) {
		if e := notFound(p.Err); e != nil {
			e.Err = directory.ErrNoUser
		}
		if p.Err != nil {
			return directory.User{}, p.Err
		}
		return answer.User(p.Answer, id)
	}
	users, err := list(ctx, c, p.Answer, p.Err, reply.User)
	if err != nil {
		return directory.User{}, err
	}
	return one(p.Answer, users)
}

// one is the only user there is.
func one(a answer.Answer, users []directory.User) (directory.User, error) {
	switch {
	case len(users) == 0:
		return directory.User{}, a.Distrust(directory.ErrNoUser)
	case slices.ContainsFunc(users, func(u directory.User) bool { return u.ID != users[0].ID }):
		return directory.User{}, a.Distrust(directory.ErrSeveralUsers)
	}
	return users[0], nil
}

// quoted is a text within the quotes of a filter.
func quoted(text string) string { return strings.ReplaceAll(text, "'", "''") }
