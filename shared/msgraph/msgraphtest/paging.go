package msgraphtest

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Paging makes lists of users show what Graph's [paging]
// page allows. The zero value fills every page but the last.
//
// [paging]: https://learn.microsoft.com/graph/paging
type Paging struct {
	// EmptyPageChance is how probably a page comes empty, with a nextLink.
	EmptyPageChance float64
}

// Page sizes of GET /users; see https://learn.microsoft.com/graph/api/user-list.
const (
	defaultPageSize = 100
	maxPageSize     = 999
)

// pageToken is what the $skiptoken of a list stands for.
type pageToken struct {
	query  string // of the list it belongs to
	pos    int    // where the page begins
	filler bool   // the page before was an empty one
}

// seal makes an opaque token: clients must not look inside, and what they change
// is noticed. s.mu is held.
func (s *Server) seal(token any) string {
	text := s.newID()
	s.tokens[text] = token
	return text
}

// unseal returns what a text was made of by seal, and false for anything else.
// s.mu is held.
func unseal[T any](s *Server, text string) (T, bool) {
	token, ok := s.tokens[text].(T)
	return token, ok
}

// pageToken reads the $skiptoken of a call, if it has one. s.mu is held.
func (c *call) pageToken() (pageToken, error) {
	text, ok := option(c.query, "$skiptoken")
	if !ok {
		return pageToken{query: c.list()}, nil
	}
	token, ok := unseal[pageToken](c.tenant.s, text)
	if !ok || token.query != c.list() {
		return token, refuse(http.StatusBadRequest, "Directory_ExpiredPageToken",
			"The specified page token value is not valid and can no longer be included in your request.")
	}
	return token, nil
}

// paging reads the options that every list has: how long a page is, and where it begins. s.mu
// is held.
func (c *call) paging() (top int, token pageToken, err error) {
	if top, err = c.top(maxPageSize); err == nil {
		token, err = c.pageToken()
	}
	return top, token, err
}

// list tells lists apart, so that the token of one isn't taken for that of
// another.
func (c *call) list() string {
	query := maps.Clone(c.query)
	delete(query, "$skiptoken")
	return c.tenant.id + strings.Join(c.path, "/") + "?" + query.Encode()
}

// link is the absolute URL of this call with other query options.
func (c *call) link(query url.Values) string {
	segments := make([]string, len(c.path))
	for i, segment := range c.path {
		segments[i] = url.PathEscape(segment)
	}
	var b strings.Builder
	b.WriteString("https://" + c.host + "/v1.0/" + strings.Join(segments, "/"))
	separator := "?"
	for _, name := range slices.Sorted(maps.Keys(query)) {
		value := strings.ReplaceAll(url.QueryEscape(query.Get(name)), "+", "%20")
		b.WriteString(separator + name + "=" + value)
		separator = "&"
	}
	return b.String()
}

// nextLink is the URL of the page that a token stands for. s.mu is held.
func (c *call) nextLink(token pageToken) string {
	query := maps.Clone(c.query)
	if query == nil {
		query = make(url.Values)
	}
	query.Set("$skiptoken", c.tenant.s.seal(token))
	return c.link(query)
}

// context is the @odata.context of an answer.
func (c *call) context(fragment string) string {
	return "https://" + c.host + "/v1.0/$metadata#" + fragment
}

// page is a page of any list, as it goes over the wire.
type page struct {
	Context   string            `json:"@odata.context"`
	NextLink  string            `json:"@odata.nextLink,omitempty"`
	DeltaLink string            `json:"@odata.deltaLink,omitempty"`
	Value     []json.RawMessage `json:"value"`
}

// leavesEmpty tells whether the page at a token comes empty. Two never follow
// each other, so that every list ends. s.mu is held.
func (s *Server) leavesEmpty(token pageToken) bool {
	return !token.filler && s.chance(s.opts.Paging.EmptyPageChance)
}

// chance decides by the server's seed. It draws only where there is something to
// decide, so that an oddity left out doesn't change what the others do. s.mu is
// held.
func (s *Server) chance(p float64) bool { return p > 0 && s.rand.Float64() < p }
