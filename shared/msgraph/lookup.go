package msgraph

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	abstractions "github.com/microsoft/kiota-abstractions-go"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/answer"
)

// boundsProperties are what tells whom a user may be spoken for by.
const boundsProperties = "id,userPrincipalName,userType,creationType,externalUserState"

// LookUp asks who the users are, 1 to [MaxBatch] questions, in one $batch. It returns one
// Found for each question, in the order of questions; the error is of the call as a whole.
// Errors are *directory.Error, and quote no value.
//
// A user who was created or renamed a moment ago may not be found yet. It needs the
// permission User.Read.All.
func (c *Client) LookUp(ctx context.Context, questions []directory.Question) ([]directory.Found, error) {
	if n := len(questions); n == 0 || n > MaxBatch {
		return nil, unsent(opLookUp, fmt.Errorf("%d questions; a batch takes 1 to %d", n, MaxBatch))
	}
	parts, err := readParts(ctx, c, opLookUp, questions, c.question)
	if err != nil {
		return nil, err
	}
	found := make([]directory.Found, len(questions))
	for i, p := range parts {
		found[i].Users, found[i].Err = c.found(ctx, questions[i], p)
	}
	return found, nil
}

// plainName is a user principal name that can stand in a path: one of the characters that
// Entra lets a name have today
// (https://learn.microsoft.com/entra/identity/hybrid/connect/howto-troubleshoot-upn-changes).
// Others, which older users may have, mean something there: Graph answers 400 to a name
// that begins with a dollar (https://learn.microsoft.com/graph/api/user-get).
var plainName = regexp.MustCompile(`^[A-Za-z0-9'._!#^~-]+@[A-Za-z0-9.-]+$`)

// byKey tells whether the question is answered by one user, or 404, and not by a list.
func byKey(q directory.Question) bool {
	return q.Property == directory.PropertyID || q.Property == directory.PropertyUPN && plainName.MatchString(q.Value)
}

// filters look for a value in a property. All but that for onPremisesSamAccountName are
// answered by default (https://learn.microsoft.com/graph/aad-advanced-queries). The prefix
// of a primary address is SMTP: (https://learn.microsoft.com/graph/api/resources/user).
var filters = map[directory.Property]string{
	directory.PropertyUPN:                "userPrincipalName eq '%[1]s'",
	directory.PropertyProxyAddresses:     "proxyAddresses/any(p:p eq 'smtp:%[1]s') or proxyAddresses/any(p:p eq 'SMTP:%[1]s')",
	directory.PropertyMail:               "mail eq '%[1]s'",
	directory.PropertyImmutableID:        "onPremisesImmutableId eq '%[1]s'",
	directory.PropertySAMAccountName:     "onPremisesSamAccountName eq '%[1]s'",
	directory.PropertySecurityIdentifier: "onPremisesSecurityIdentifier eq '%[1]s'",
}

// question makes the request for one user, or for two at most of those who match: the
// second tells that the name is ambiguous.
func (c *Client) question(_ context.Context, q directory.Question) (*abstractions.RequestInformation, error) {
	if byKey(q) {
		return c.Request(abstractions.GET, "/users/{user}?$select="+boundsProperties, "user", q.Value), nil
	}
	filter, ok := filters[q.Property]
	if !ok {
		return nil, fmt.Errorf("nobody can be looked for by %s", q.Property)
	}
	path := "/users?$filter={filter}&$select=" + boundsProperties + "&$top=2"
	advanced := q.Property == directory.PropertySAMAccountName
	if advanced {
		path += "&$count=true"
	}
	info := c.Request(abstractions.GET, path, "filter", fmt.Sprintf(filter, strings.ReplaceAll(q.Value, "'", "''")))
	if advanced {
		info.Headers.TryAdd("ConsistencyLevel", "eventual")
	}
	return info, nil
}

// found reads whom an answer names. A page may be empty and have another behind it.
func (c *Client) found(ctx context.Context, q directory.Question, p answer.Part) ([]directory.User, error) {
	if byKey(q) {
		return theOne(p)
	}
	n := 0
	return ReadAll(ctx, c, p.Answer, p.Err, func(page answer.Answer) ([]directory.User, string, error) {
		users, next, err := answer.ReadAll(c.pages, page, readUser)
		if n += len(users); n > 1 {
			next = ""
		}
		return users, next, err
	})
}

// theOne reads the answer about one user. None has the key if Graph says 404.
func theOne(p answer.Part) ([]directory.User, error) {
	if e, ok := errors.AsType[*directory.Error](p.Err); ok && e.NotFound() {
		return nil, nil
	}
	if p.Err != nil {
		return nil, p.Err
	}
	user, err := readUser(p.Body)
	if err != nil {
		return nil, p.Distrust(err)
	}
	return []directory.User{user}, nil
}

func readUser(body []byte) (directory.User, error) {
	user, _, err := answer.ReadUser(body)
	return user, err
}
