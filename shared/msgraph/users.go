package msgraph

import (
	"context"

	abstractions "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoftgraph/msgraph-sdk-go/users"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/answer"
)

// stamp is the property that says from when on a user's sessions are valid.
const stamp = "signInSessionsValidFromDateTime"

// userProperties are what is asked of a user. The stamp and the password's date
// are shown only to those who ask.
var userProperties = []string{
	"id",
	"userPrincipalName",
	"userType",
	"creationType",
	"externalUserState",
	"createdDateTime",
	stamp,
	"lastPasswordChangeDateTime",
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
		reads[i] = readUser(p, ids[i])
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
	return c.user(id).ToGetRequestInformation(ctx, &users.UserItemRequestBuilderGetRequestConfiguration{
		QueryParameters: &users.UserItemRequestBuilderGetQueryParameters{Select: userProperties},
	})
}

// revokeSignInSessions makes the request "POST /users/{id}/revokeSignInSessions".
// It takes no body, but a part of a $batch that posts has one in Microsoft's own
// sample, empty and with its type.
func (c *Client) revokeSignInSessions(ctx context.Context, id string) (*abstractions.RequestInformation, error) {
	info, err := c.user(id).RevokeSignInSessions().ToPostRequestInformation(ctx, nil)
	if err != nil {
		return nil, err
	}
	info.SetStreamContentAndContentType([]byte("{}"), "application/json")
	return info, nil
}

// user starts a request about one user. Builders are not shared: they keep the
// parameters of the path in a map that sending a request writes to.
func (c *Client) user(id string) *users.UserItemRequestBuilder {
	return users.NewUsersRequestBuilderInternal(c.pathParameters(), c.adapter).ByUserId(id)
}

// pathParameters are what every request builder starts from.
func (c *Client) pathParameters() map[string]string {
	return map[string]string{"baseurl": c.cloud.baseURL()}
}

// readUser reads the user of that id from the part that answers for it.
func readUser(p answer.Part, id string) directory.Read {
	if p.Err != nil {
		return directory.Read{Err: p.Err}
	}
	user, err := answer.User(p.Answer, id)
	return directory.Read{User: user, Err: err}
}
