package msgraphtest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// Delta makes /users/delta show the oddities that the [delta query overview]
// documents. The zero value shows none but those that are always there.
//
// [delta query overview]: https://learn.microsoft.com/graph/delta-query-overview
type Delta struct {
	// TokenLife is how long a deltaLink or nextLink can be used; 0 means 7
	// days.
	TokenLife time.Duration
	// ExpireStatus is how an expired token is refused: 410 with a Location to
	// start afresh from (also if 0), 404 syncStateNotFound, or 400
	// Request_UnsupportedQuery.
	ExpireStatus int
	// PageSize is the most users on a page; 0 means 100. Graph documents none.
	PageSize int
	// ReplayChance is how probably a round from a deltaLink begins with changes
	// that an earlier round has shown.
	ReplayChance float64
	// RepeatChance is how probably a user appears twice on a page.
	RepeatChance float64
	// EmptyPageChance is how probably a page comes empty, with a nextLink.
	EmptyPageChance float64
	// Shuffle puts the users of a page in any order.
	Shuffle bool
	// OmitStamp never returns signInSessionsValidFromDateTime.
	OmitStamp bool
	// IgnoreStamp doesn't track signInSessionsValidFromDateTime: its change
	// alone doesn't make a user appear.
	IgnoreStamp bool
}

// change is an entry of the change log that delta reads. It is small: there may
// be millions.
type change struct {
	user       uint32      // position in tenantDirectory.users
	properties propertySet // that were changed
}

// errResync is the code of an answer 410. No page of the directory names it;
// other workloads of Graph use this one.
const errResync = "resyncRequired"

// deltaToken is what a $skiptoken or $deltatoken of delta holds. A round shows
// the changes in log[From:To], or, if it is a first one, every user; its pages
// are answered with what is known when they are asked for.
type deltaToken struct {
	Tenant string  `json:"t"`
	Link   bool    `json:"l,omitempty"` // between rounds: a deltaLink
	First  bool    `json:"f,omitempty"`
	From   int     `json:"a,omitempty"`
	To     int     `json:"b,omitempty"`
	Pos    int     `json:"p,omitempty"` // in users, or in the log from From on
	Select []uint8 `json:"s,omitempty"` // indices of properties, nil without $select
	Filler bool    `json:"e,omitempty"` // the page before was an empty one
	Issued int64   `json:"n"`           // Unix nanoseconds
}

// deltaUsers is https://learn.microsoft.com/graph/api/user-delta.
func deltaUsers(s *Server, c *call) reply {
	r := locked(deltaPage)(s, c)
	if r.status == http.StatusGone {
		r.header = http.Header{"Location": {c.link(url.Values{"$deltatoken": {""}})}}
	}
	return r
}

func deltaPage(s *Server, c *call) (reply, error) {
	token, err := c.deltaToken(s.opts.Delta)
	if err != nil {
		return reply{}, err
	}
	r := c.tenant.reader(c.now)
	latest := c.query.Get("$deltatoken") == "latest"
	switch {
	case latest:
		token.Link, token.To = true, r.changes()
	case token.Link:
		s.beginRound(&token, r)
	case token.First && token.Pos == 0 && !token.Filler:
		token.To = r.changes()
	case r.changes() < token.To:
		r.lags = false // a round stays complete though a staler replica answers
	}
	return ok(s.deltaRound(c, r, token, latest))
}

// beginRound turns the token of a deltaLink into that of a round's first page.
func (s *Server) beginRound(token *deltaToken, r reader) {
	token.Link, token.First = false, false
	token.From, token.To = token.To, max(token.To, r.changes())
	token.Pos = token.From
	if s.chance(s.opts.Delta.ReplayChance) {
		token.Pos = max(0, token.From-1-s.rand.IntN(20))
	}
}

// deltaRound is one page of a round.
func (s *Server) deltaRound(c *call, r reader, token deltaToken, latest bool) page {
	sel := token.selection()
	round := deltaRound{r: r, opts: s.opts.Delta, token: token, sel: sel, tracked: s.opts.Delta.tracked(sel)}
	p := page{Context: c.context(round.sel.fragment("users")), Value: []json.RawMessage{}}
	more := !latest
	switch {
	case latest:
	case !token.Filler && s.chance(s.opts.Delta.EmptyPageChance):
		round.token.Filler = true
	default:
		round.token.Filler = false
		p.Value, more = round.page()
		p.Value = s.disturb(p.Value)
	}
	if more {
		p.NextLink = c.link(url.Values{"$skiptoken": {round.token.seal(c)}})
		return p
	}
	round.token.Link, round.token.Pos, round.token.First = true, 0, false
	p.DeltaLink = c.link(url.Values{"$deltatoken": {round.token.seal(c)}})
	return p
}

// disturb repeats and shuffles the items of a page, as Delta says.
func (s *Server) disturb(items []json.RawMessage) []json.RawMessage {
	for _, item := range slices.Clone(items) {
		if s.chance(s.opts.Delta.RepeatChance) {
			items = append(items, item)
		}
	}
	if s.opts.Delta.Shuffle {
		s.rand.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
	}
	return items
}

func (t deltaToken) seal(c *call) string {
	t.Issued = c.now.UnixNano()
	return seal(t)
}

// selection is what the round's first request selected.
func (t deltaToken) selection() selection {
	if t.Select == nil {
		return standardSelection()
	}
	sel := selection{explicit: true}
	for _, i := range t.Select {
		sel.properties = append(sel.properties, &userProperties[i])
	}
	return sel
}
