package msgraph

import (
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
		return nil, &directory.Error{Operation: operation, NotDone: true, Err: answer.ErrAddress}
	}
	info := abstractions.NewRequestInformation()
	info.Method = abstractions.GET
	info.Headers.TryAdd("Accept", "application/json")
	info.SetUri(*u)
	return info, nil
}
