// Package ask asks Microsoft Graph what only a program that a person runs wants to know:
// users and groups by name, names, and the evidence of package explain. It has the ways by
// which such a person signs in. The functions do not link it.
//
// It makes its requests by package msgraph, which sends them: all that is read is tried
// again as there, and errors are the same.
package ask

import (
	"context"
	"encoding/json"
	"errors"

	abstractions "github.com/microsoft/kiota-abstractions-go"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/answer"
)

// A Client calls Microsoft Graph for a person. It does all that a client of package msgraph
// does. It is safe for concurrent use.
type Client struct {
	*msgraph.Client

	pages answer.Pages
}

// New returns a client. It opens no connection and asks for no token.
func New(o msgraph.Options) (*Client, error) {
	if m := o.Auth.Method; m.Patience > 0 && len(m.Permissions) == 0 {
		return nil, errors.New("ask: there is no permission to ask a person for")
	}
	client, err := msgraph.NewClient(o)
	if err != nil {
		return nil, err
	}
	return &Client{client, answer.Pages{Host: o.Cloud.GraphHost}}, nil
}

// get asks for a path: see [msgraph.Client.Request].
func (c *Client) get(ctx context.Context, operation, path string, pairs ...string) (answer.Answer, error) {
	return c.Read(ctx, operation, c.Request(abstractions.GET, path, pairs...), nil)
}

// post asks for what only a POST tells, which changes nothing.
func (c *Client) post(ctx context.Context, operation, path string, body any) (answer.Answer, error) {
	content, err := json.Marshal(body)
	info := c.Request(abstractions.POST, path)
	info.SetStreamContentAndContentType(content, "application/json")
	return c.Read(ctx, operation, info, err)
}

// single reads the one thing that is in an answer.
func single[T any](got answer.Answer, err error, read func([]byte) (T, error)) (T, error) {
	if err != nil {
		return *new(T), err
	}
	value, err := read(got.Body)
	if err != nil {
		return *new(T), got.Distrust(err)
	}
	return value, nil
}

// list reads a list to its end. One item that cannot be read fails it: what is left out
// would be taken for what is not there.
func list[T any](ctx context.Context, c *Client, got answer.Answer, err error, read func([]byte) (T, error)) ([]T, error) {
	return msgraph.ReadAll(ctx, c.Client, got, err, func(page answer.Answer) ([]T, string, error) {
		return answer.ReadAll(c.pages, page, read)
	})
}

// unsent is the error of a call that ended before it was sent.
func unsent(operation string, err error) *directory.Error {
	return &directory.Error{Operation: operation, NotDone: true, Err: err}
}

// notFound returns the error of a call where Graph does not know what it was asked for, else
// nil.
func notFound(err error) *directory.Error {
	if e, ok := errors.AsType[*directory.Error](err); ok && e.NotFound() {
		return e
	}
	return nil
}
