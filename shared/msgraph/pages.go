package msgraph

import (
	"context"
	"net/url"

	abstractions "github.com/microsoft/kiota-abstractions-go"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/answer"
)

// MaxPage is how many users or members a page is asked for, the most there can be.
const MaxPage = 999

// follow makes the request for a page by its address, which is called as it is:
// what is in it is nobody's business but Graph's. An address may name users, so no
// error quotes it.
func (c *Client) follow(operation, link string) (*abstractions.RequestInformation, error) {
	u, err := url.Parse(link)
	if err != nil || !c.pages.Serves(link) {
		return nil, unsent(operation, answer.ErrAddress)
	}
	info := abstractions.NewRequestInformation()
	info.Method = abstractions.GET
	info.Headers.TryAdd("Accept", "application/json")
	info.SetUri(*u)
	return info, nil
}

// readAll reads a list, page by page, to its end. What one page holds, and the address of
// the next, is for page to find out.
func readAll[T any](ctx context.Context, c *Client, operation string, info *abstractions.RequestInformation, pages int, page func(answer.Answer) ([]T, string, error)) (all []T, err error) {
	for range pages {
		got, err := c.read(ctx, operation, info)
		if err != nil {
			return nil, err
		}
		some, next, err := page(got)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
		if next == "" {
			return all, nil
		}
		if info, err = c.follow(operation, next); err != nil {
			return nil, err
		}
	}
	return nil, &directory.Error{Operation: operation, Err: answer.ErrEndless}
}
