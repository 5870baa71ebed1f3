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
type collection[T any] struct {
	Value []item[T] `json:"value"`
	Next  string    `json:"@odata.nextLink"`
	Delta string    `json:"@odata.deltaLink"`
}

// item is one of a page, each read for itself.
type item[T any] struct {
	value T
	// readable is not set where value is not what Graph documents.
	readable bool
}

// UnmarshalJSON implements json.Unmarshaler. It starts afresh: were the page to have
// two lists, package json would read the second over the first.
func (i *item[T]) UnmarshalJSON(b []byte) error {
	*i = item[T]{}
	i.readable = json.Unmarshal(b, &i.value) == nil
	return nil
}

// readCollection reads a page, which was found at the address asked. A page without
// its list is not an empty page, and one that follows itself has no end.
func readCollection[T any](p Pages, body []byte, asked string) (collection[T], error) {
	var page collection[T]
	switch {
	case json.Unmarshal(body, &page) != nil, page.Value == nil:
		return collection[T]{}, ErrShape
	case page.Next != "" && !p.Serves(page.Next), page.Delta != "" && !p.Serves(page.Delta):
		return collection[T]{}, ErrAddress
	case page.Next != "" && page.Next == asked:
		return collection[T]{}, ErrEndless
	}
	return page, nil
}

// each reads a page of which every item must be readable.
func each[T, R any](list collection[T], read func(T) (R, error)) ([]R, error) {
	var all []R
	for i := range list.Value {
		if !list.Value[i].readable {
			return nil, ErrShape
		}
		one, err := read(list.Value[i].value)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}
