package msgraph

import (
	"context"
	"net/url"

	abstractions "github.com/microsoft/kiota-abstractions-go"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/answer"
)

// MaxPage is how many users a page is asked for, the most there can be.
const MaxPage = 999

// maxPages bounds the pages followed. A tenant has at most 5,000 domains, an app a hundred
// subscriptions in it, and Graph's usual page holds a hundred.
const maxPages = 50

// Follow reads a page by its address, which is called as it is: what is in it is nobody's
// business but Graph's. An address may name users, so no error quotes it. Errors are
// *directory.Error.
func (c *Client) Follow(ctx context.Context, operation, link string) (answer.Answer, error) {
	u, err := url.Parse(link)
	if err != nil || !c.pages.Serves(link) {
		return answer.Answer{}, unsent(operation, answer.ErrAddress)
	}
	info := abstractions.NewRequestInformation()
	info.Method = abstractions.GET
	info.Headers.TryAdd("Accept", "application/json")
	info.SetUri(*u)
	return c.Read(ctx, operation, info, nil)
}

// ReadAll reads a list to its end: the first page is given, or why there is none, and the
// others are followed. What a page holds, and the address of the next, is for page to find
// out. Errors are *directory.Error.
func ReadAll[T any](ctx context.Context, c *Client, got answer.Answer, err error, page func(answer.Answer) ([]T, string, error)) (all []T, _ error) {
	for range maxPages {
		var some []T
		var next string
		if err == nil {
			some, next, err = page(got)
		}
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
		if next == "" {
			return all, nil
		}
		got, err = c.Follow(ctx, got.Operation, next)
	}
	return nil, &directory.Error{Operation: got.Operation, Err: answer.ErrEndless}
}
