package msgraph

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	abstractions "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoft/kiota-abstractions-go/serialization"
	jsonserialization "github.com/microsoft/kiota-serialization-json-go"
	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/users"

	"github.com/sessionstamp/sessionstamp/shared/directory"
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
	parts, err := c.batch(ctx, opGetUser, ids, c.getUser)
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
		errs[i] = p.err
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
func readUser(p part, id string) directory.Read {
	if p.err != nil {
		return directory.Read{Err: p.err}
	}
	user, err := parseUser(p.body)
	if err == nil && user.ID != id {
		err = errOtherUser
	}
	if err != nil {
		return directory.Read{Err: answerError(opGetUser, p.answer, err)}
	}
	return directory.Read{User: user}
}

// parseUser reads a [user resource].
//
// [user resource]: https://learn.microsoft.com/graph/api/resources/user
func parseUser(body []byte) (directory.User, error) {
	user, err := parse[models.Userable](body, models.CreateUserFromDiscriminatorValue)
	if err != nil {
		return directory.User{}, err
	}
	// The model does not tell a property that is null from one that is missing.
	var properties map[string]json.RawMessage
	if json.Unmarshal(body, &properties) != nil {
		return directory.User{}, errShape
	}
	_, stampKnown := properties[stamp]
	return directory.User{
		ID:                      strings.ToLower(value(user.GetId())),
		UserPrincipalName:       value(user.GetUserPrincipalName()),
		UserType:                value(user.GetUserType()),
		CreationType:            value(user.GetCreationType()),
		ExternalUserState:       value(user.GetExternalUserState()),
		Created:                 utc(user.GetCreatedDateTime()),
		SignInSessionsValidFrom: utc(user.GetSignInSessionsValidFromDateTime()),
		StampKnown:              stampKnown,
		LastPasswordChange:      utc(user.GetLastPasswordChangeDateTime()),
	}, nil
}

// parse reads a model of the SDK from JSON. Its only error is errShape.
func parse[T any](body []byte, model serialization.ParsableFactory) (T, error) {
	var none T
	node, err := jsonserialization.NewJsonParseNode(body)
	if err != nil {
		return none, errShape
	}
	parsed, err := node.GetObjectValue(model)
	if err != nil {
		return none, errShape
	}
	if result, ok := parsed.(T); ok {
		return result, nil
	}
	return none, errShape
}

// value is what p points at, or the zero value.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// utc is what p points at in UTC, or the zero Time.
func utc(p *time.Time) time.Time { return value(p).UTC() }
