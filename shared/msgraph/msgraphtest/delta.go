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
	// start afresh from (also if 0), 404 syncStateNotFound, or 400. That is, by
	// chance, Request_UnsupportedQuery or a BadRequest with syncStateNotFound in
	// its innerError: both were seen.
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

const errSyncState = "syncStateNotFound"

// deltaToken is what a $skiptoken or $deltatoken of delta stands for. A round shows
// the changes in log[from:to], or, if it is a first one, every user; its pages
// are answered with what is known when they are asked for.
type deltaToken struct {
	tenant   *Tenant
	isLink   bool // between rounds: a deltaLink
	first    bool
	from, to int
	pos      int // in users, or in the log from from on
	sel      selection
	filler   bool // the page before was an empty one
	issued   time.Time
}

// deltaUsers is https://learn.microsoft.com/graph/api/user-delta.
func deltaUsers(s *Server, c *call) (reply, error) {
	r, err := locked(deltaPage)(s, c)
	if err != nil {
		r = refusalReply(err)
	}
	if r.status == http.StatusGone {
		r.setHeader("Location", []string{c.link(url.Values{"$deltatoken": {""}})})
	}
	return r, nil
}

func deltaPage(s *Server, c *call) (reply, error) {
	token, err := c.deltaToken()
	if err != nil {
		return reply{}, err
	}
	r := c.tenant.reader(c.now)
	latest := c.query.Get("$deltatoken") == "latest"
	switch {
	case latest:
		token.isLink, token.to = true, r.changes()
	case token.isLink:
		s.beginRound(&token, r)
	case token.first && token.pos == 0 && !token.filler:
		token.to = r.changes()
	case r.changes() < token.to:
		r.lags = false // a round stays complete though a staler replica answers
	}
	return ok(s.deltaRound(c, r, token, latest))
}

// beginRound turns the token of a deltaLink into that of a round's first page.
func (s *Server) beginRound(token *deltaToken, r reader) {
	token.isLink, token.first = false, false
	token.from, token.to = token.to, max(token.to, r.changes())
	token.pos = token.from
	if s.chance(s.opts.Delta.ReplayChance) {
		token.pos = max(0, token.from-1-s.rand.IntN(20))
	}
}

// deltaRound is one page of a round.
func (s *Server) deltaRound(c *call, r reader, token deltaToken, latest bool) page {
	round := deltaRound{r: r, opts: s.opts.Delta, token: token, tracked: s.opts.Delta.tracked(token.sel)}
	p := page{Context: c.context(token.sel.fragment("users")), Value: []json.RawMessage{}}
	more := !latest
	switch {
	case latest:
	case !token.filler && s.chance(s.opts.Delta.EmptyPageChance):
		round.token.filler = true
	default:
		round.token.filler = false
		p.Value, more = round.page()
		p.Value = s.disturb(p.Value)
	}
	if more {
		p.NextLink = c.link(url.Values{"$skiptoken": {s.sealDelta(c, round.token)}})
		return p
	}
	round.token.isLink, round.token.pos, round.token.first = true, 0, false
	p.DeltaLink = c.link(url.Values{"$deltatoken": {s.sealDelta(c, round.token)}})
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

func (s *Server) sealDelta(c *call, t deltaToken) string {
	t.issued = c.now
	return s.seal(t)
}
