package msgraph

import (
	"context"

	abstractions "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoftgraph/msgraph-sdk-go/users"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/answer"
)

// UserProperties are what is asked of a user. The last is the stamp, which is shown only
// to those who ask. Delta takes note of them when a round of it begins, and then reports a
// user when one of them changes.
func UserProperties() []string {
	return []string{
		"id",
		"userPrincipalName",
		"userType",
		"creationType",
		"externalUserState",
		"createdDateTime",
		"signInSessionsValidFromDateTime",
	}
}

// ReadUsers reads the users of the given object ids, 1 to [MaxBatch] of them, in
// one $batch. It returns one Read for each id, in the order of ids; the error is
// of the call as a whole. Errors are *directory.Error.
//
// It needs the permission User.Read.All.
func (c *Client) ReadUsers(ctx context.Context, ids []string) ([]directory.Read, error) {
	parts, err := c.readBatch(ctx, opGetUser, ids, c.getUser)
	if err != nil {
		return nil, err
	}
	reads := make([]directory.Read, len(ids))
	for i, p := range parts {
		if reads[i].Err = p.Err; p.Err == nil {
			reads[i].User, reads[i].Err = answer.User(p.Answer, ids[i])
		}
	}
	return reads, nil
}

// RevokeSignInSessions signs out the users of the given object ids, 1 to
// [MaxBatch] of them, in one $batch, and thereby sets their stamp to now. It
// returns one error for each id, in the order of ids, nil where Graph answered
// success; the second error is of the call as a whole. Errors are
// *directory.Error: unless NotDone is set, the user may have been signed out.
//
// It needs the permission User.RevokeSessions.All.
func (c *Client) RevokeSignInSessions(ctx context.Context, ids []string) ([]error, error) {
	parts, err := c.batch(ctx, opRevoke, ids, c.revokeSignInSessions)
	if err != nil {
		return nil, err
	}
	errs := make([]error, len(ids))
	for i, p := range parts {
		errs[i] = p.Err
	}
	return errs, nil
}

// getUser makes the request "GET /users/{id}?$select=…".
func (c *Client) getUser(ctx context.Context, id string) (*abstractions.RequestInformation, error) {
	return c.users().ByUserId(id).ToGetRequestInformation(ctx, &users.UserItemRequestBuilderGetRequestConfiguration{
		QueryParameters: &users.UserItemRequestBuilderGetQueryParameters{Select: UserProperties()},
	})
}

// revokeSignInSessions makes the request "POST /users/{id}/revokeSignInSessions".
// It takes no body, but a part of a $batch that posts has one in Microsoft's own
// sample, empty and with its type.
func (c *Client) revokeSignInSessions(ctx context.Context, id string) (*abstractions.RequestInformation, error) {
	info, err := c.users().ByUserId(id).RevokeSignInSessions().ToPostRequestInformation(ctx, nil)
	if err != nil {
		return nil, err
	}
	info.SetStreamContentAndContentType([]byte("{}"), "application/json")
	return info, nil
}

// users starts a request about users. Builders are not shared: they keep the
// parameters of the path in a map that sending a request writes to.
func (c *Client) users() *users.UsersRequestBuilder {
	return users.NewUsersRequestBuilderInternal(c.pathParameters(), c.adapter)
}

// pathParameters are what every request builder starts from.
func (c *Client) pathParameters() map[string]string {
	return map[string]string{"baseurl": c.root}
}
