package msgraphtest

import (
	"encoding/base64"
	"encoding/json"
	"hash/crc32"
	"hash/fnv"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Paging makes lists of users show what Graph's [paging]
// page allows. The zero value fills every page but the last.
//
// [paging]: https://learn.microsoft.com/graph/paging
type Paging struct {
	// EmptyPageChance is how probably a page comes empty, with a nextLink.
	EmptyPageChance float64
	// TokenLife is how long a nextLink can be used; 0 means for ever. Graph
	// documents none.
	TokenLife time.Duration
}

// Page sizes of GET /users; see https://learn.microsoft.com/graph/api/user-list.
const (
	defaultPageSize = 100
	maxPageSize     = 999
)

// pageToken is what the $skiptoken of a list holds.
type pageToken struct {
	Query  uint32 `json:"q"`           // of the list it belongs to
	Pos    int    `json:"p,omitempty"` // where the page begins
	Filler bool   `json:"f,omitempty"` // the page before was an empty one
	Issued int64  `json:"i"`           // Unix nanoseconds
}

// seal makes an opaque token: clients must not look inside, and what they change
// is noticed.
func seal(token any) string {
	data, err := json.Marshal(token)
	if err != nil {
		panic(err) // tokens are plain structs
	}
	sum := crc32.ChecksumIEEE(data)
	data = append(data, byte(sum>>24), byte(sum>>16), byte(sum>>8), byte(sum))
	return base64.RawURLEncoding.EncodeToString(data)
}

// unseal reads what seal made, and reports false for anything else.
func unseal(text string, token any) bool {
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(data) < 4 {
		return false
	}
	n := len(data) - 4
	sum := crc32.ChecksumIEEE(data[:n])
	if [4]byte(data[n:]) != [4]byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)} {
		return false
	}
	return json.Unmarshal(data[:n], token) == nil
}

// pageToken reads the $skiptoken of a call, if it has one. s.mu is held.
func (c *call) pageToken() (pageToken, error) {
	text, ok := option(c.query, "$skiptoken")
	if !ok {
		return pageToken{Query: c.queryHash(), Issued: c.now.UnixNano()}, nil
	}
	var token pageToken
	if !unseal(text, &token) || token.Query != c.queryHash() {
		return token, refuse(http.StatusBadRequest, "Directory_ExpiredPageToken",
			"The specified page token value is not valid and can no longer be included in your request.")
	}
	if life := c.tenant.s.opts.Paging.TokenLife; life > 0 && c.now.Sub(time.Unix(0, token.Issued)) > life {
		return token, refuse(http.StatusBadRequest, "Directory_ExpiredPageToken",
			"The specified page token value has expired and can no longer be included in your request.")
	}
	return token, nil
}

// queryHash tells lists apart, so that the token of one isn't taken for that of
// another.
func (c *call) queryHash() uint32 {
	query := maps.Clone(c.query)
	delete(query, "$skiptoken")
	hash := fnv.New32a()
	hash.Write([]byte(c.tenant.id + strings.Join(c.path, "/") + "?" + query.Encode()))
	return hash.Sum32()
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
	token.Issued = c.now.UnixNano()
	query.Set("$skiptoken", seal(token))
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
	return !token.Filler && s.chance(s.opts.Paging.EmptyPageChance)
}

// afterEmpty is the token of the page that follows an empty one at p.
func (p pageToken) afterEmpty() pageToken {
	p.Filler = true
	return p
}

// chance decides by the server's seed. It draws only where there is something to
// decide, so that an oddity left out doesn't change what the others do. s.mu is
// held.
func (s *Server) chance(p float64) bool { return p > 0 && s.rand.Float64() < p }
