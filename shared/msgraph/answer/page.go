package answer

import (
	"encoding/json"
	"net/url"
	"path"
	"strings"
)

// Version is the folder of the Graph whose answers are read.
const Version = "/v1.0/"

// Pages reads pages of one cloud's Graph.
type Pages struct {
	// Host is the host of that Graph: "graph.microsoft.com".
	Host string
}

// Serves tells whether an address is one of that Graph's, in the version we speak.
// Another host would be sent the request, if not the token.
func (p Pages) Serves(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Scheme == "https" && u.User == nil &&
		strings.EqualFold(u.Host, p.Host) &&
		strings.HasPrefix(u.Path, Version) && strings.HasPrefix(path.Clean(u.Path), Version)
}

// collection is a page of any resource. See [paging] and [delta query].
//
// [paging]: https://learn.microsoft.com/graph/paging
// [delta query]: https://learn.microsoft.com/graph/delta-query-overview
type collection struct {
	Value []json.RawMessage `json:"value"`
	Next  string            `json:"@odata.nextLink"`
	Delta string            `json:"@odata.deltaLink"`
}

// collection reads a page. One without its list is not an empty page.
func (p Pages) collection(body []byte) (collection, error) {
	var page collection
	switch {
	case json.Unmarshal(body, &page) != nil, page.Value == nil:
		return collection{}, ErrShape
	case page.Next != "" && !p.Serves(page.Next), page.Delta != "" && !p.Serves(page.Delta):
		return collection{}, ErrAddress
	}
	return page, nil
}

// ReadAll reads a page of which every item must be readable by read, and the address of the
// next. Errors are [*directory.Error].
func ReadAll[T any](p Pages, a Answer, read func([]byte) (T, error)) (all []T, next string, err error) {
	page, err := p.collection(a.Body)
	if err != nil {
		return nil, "", a.Distrust(err)
	}
	for _, raw := range page.Value {
		one, err := read(raw)
		if err != nil {
			return nil, "", a.Distrust(err)
		}
		all = append(all, one)
	}
	return all, page.Next, nil
}
