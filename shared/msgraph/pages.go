package msgraph

import (
	"encoding/json"
	"net/url"
	"path"
	"strings"

	abstractions "github.com/microsoft/kiota-abstractions-go"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// MaxPage is how many users or members a page is asked for, the most there can be.
const MaxPage = 999

// collection is a page of any resource. See [paging] and [delta query].
//
// [paging]: https://learn.microsoft.com/graph/paging
// [delta query]: https://learn.microsoft.com/graph/delta-query-overview
type collection[T any] struct {
	Value []T    `json:"value"`
	Next  string `json:"@odata.nextLink"`
	Delta string `json:"@odata.deltaLink"`
}

// readCollection reads a page, which was found at the address asked. A page without
// its list is not an empty page, and one that follows itself has no end.
func readCollection[T any](c *Client, got answer, asked string) (collection[T], error) {
	var page collection[T]
	switch {
	case json.Unmarshal(got.body, &page) != nil, page.Value == nil:
		return collection[T]{}, errShape
	case page.Next != "" && !c.serves(page.Next), page.Delta != "" && !c.serves(page.Delta):
		return collection[T]{}, errNextLink
	case page.Next != "" && page.Next == asked:
		return collection[T]{}, errEndless
	}
	return page, nil
}

// follow makes the request for a page by its address, which is called as it is:
// what is in it is nobody's business but Graph's. An address may name users, so no
// error quotes it.
func (c *Client) follow(operation, link string) (*abstractions.RequestInformation, error) {
	u, err := url.Parse(link)
	if err != nil || !c.serves(link) {
		return nil, &directory.Error{Operation: operation, NotDone: true, Err: errNextLink}
	}
	info := abstractions.NewRequestInformation()
	info.Method = abstractions.GET
	info.Headers.TryAdd("Accept", "application/json")
	info.SetUri(*u)
	return info, nil
}

// serves tells whether an address is one of our Graph's, in the version we speak.
// Another host would be sent the request, if not the token.
func (c *Client) serves(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Scheme == "https" && u.User == nil &&
		strings.EqualFold(u.Host, c.cloud.GraphHost) &&
		strings.HasPrefix(u.Path, version) && strings.HasPrefix(path.Clean(u.Path), version)
}
