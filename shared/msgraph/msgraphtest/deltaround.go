package msgraphtest

import (
	"cmp"
	"encoding/json"
	"net/http"
	"time"
)

// Limits of https://learn.microsoft.com/graph/api/user-delta and of its
// overview.
const (
	deltaTokenLife  = 7 * 24 * time.Hour
	deltaPageSize   = 100
	repeatsRemember = 10_000 // changes in which a round remembers whom it has shown
)

// deltaToken reads the token of a call, or makes that of a first round. s.mu is held.
func (c *call) deltaToken() (deltaToken, error) {
	for _, name := range []string{"$skiptoken", "$deltatoken"} {
		if text, given := option(c.query, name); given && text != "" && text != "latest" {
			return c.readDeltaToken(name, text)
		}
	}
	return c.firstDeltaToken()
}

func (c *call) readDeltaToken(name, text string) (deltaToken, error) {
	if err := c.onlyOptions(name); err != nil {
		return deltaToken{}, err
	}
	t, known := unseal[deltaToken](c.tenant.s, text)
	if !known || t.tenant != c.tenant || t.isLink != (name == "$deltatoken") {
		return t, refuse(http.StatusBadRequest, "BadRequest", "Badly formed token.")
	}
	if c.now.Sub(t.issued) > cmp.Or(c.tenant.s.opts.Delta.TokenLife, deltaTokenLife) {
		return t, c.tenant.s.expired()
	}
	return t, nil
}

// expired is how a token that is too old is refused. s.mu is held.
func (s *Server) expired() error {
	switch status := s.opts.Delta.ExpireStatus; {
	case status == 0, status == http.StatusGone:
		return refuse(http.StatusGone, errResync, "Resync required. The delta token is no longer valid.")
	case status == http.StatusBadRequest && s.chance(0.5):
		return &refusal{status, failure{"BadRequest", "The delta token is not valid.", errSyncState}}
	case status == http.StatusBadRequest:
		return unsupported("DeltaLink older than 30 days is not supported.")
	default:
		return refuse(status, errSyncState, "The sync state generation is not found. The delta token has expired.")
	}
}

// firstDeltaToken reads the options of a first request.
func (c *call) firstDeltaToken() (deltaToken, error) {
	if err := c.onlyOptions("$select", "$deltatoken"); err != nil {
		return deltaToken{}, err
	}
	sel, err := c.selection()
	return deltaToken{tenant: c.tenant, first: true, sel: sel}, err
}

// deltaRound makes the pages of a round.
type deltaRound struct {
	r     reader
	opts  Delta
	token deltaToken

	tracked propertySet // whose change makes a user appear
}

// page returns the items at the round's token, moves the token on, and tells
// whether more follow.
func (d *deltaRound) page() (items []json.RawMessage, more bool) {
	size := cmp.Or(d.opts.PageSize, deltaPageSize)
	end, next := d.token.to, d.changedUser
	if d.token.first {
		end, next = len(d.r.dir.users), d.anyUser
	}
	items = []json.RawMessage{}
	seen := d.shownBefore()
	for ; d.token.pos < end; d.token.pos++ {
		u := next(d.token.pos)
		if u == nil || seen[u.pos] {
			continue
		}
		if len(items) == size {
			return items, true
		}
		seen[u.pos] = true
		items = append(items, d.item(u))
	}
	return items, false
}

// shownBefore are the users that the round's last pages have shown. Users may
// appear again, but a page shouldn't cost as much as all those before it.
func (d *deltaRound) shownBefore() map[uint32]bool {
	seen := make(map[uint32]bool)
	if d.token.first {
		return seen
	}
	for i := max(d.token.from, d.token.pos-repeatsRemember); i < d.token.pos; i++ {
		if u := d.changedUser(i); u != nil {
			seen[u.pos] = true
		}
	}
	return seen
}

// anyUser is the user at a position if the reader has heard of that user.
func (d *deltaRound) anyUser(pos int) *user {
	u := d.r.see(d.r.dir.users[pos])
	if u.state == absent {
		return nil
	}
	return u
}

// changedUser is the user whom an entry of the log makes appear.
func (d *deltaRound) changedUser(pos int) *user {
	entry := d.r.dir.log[pos]
	u := d.r.see(d.r.dir.users[entry.user])
	if u.state == absent || entry.properties&d.tracked == 0 {
		return nil
	}
	return u
}

// tracked are the properties whose change makes a user appear: those selected,
// and always creation, deletion and restoration.
func (o Delta) tracked(sel selection) propertySet {
	set := allProperties
	if sel.explicit {
		set = 1 << unnumbered
		for _, p := range sel.properties {
			set |= p.bit()
		}
	}
	if o.IgnoreStamp {
		set &^= propertyNamed(stampProperty).bit()
	}
	return set
}

// item is a user as delta shows one: a property that never had a value is left
// out, and a deleted user is @removed.
func (d *deltaRound) item(u *user) json.RawMessage {
	if u.state == softDeleted {
		return json.RawMessage(`{"id":"` + u.id.String() + `","@removed":{"reason":"changed"}}`)
	}
	shown := selection{properties: []*property{propertyNamed("id")}}
	for _, p := range d.token.sel.properties {
		if p.name == "id" || p.name == stampProperty && d.opts.OmitStamp || u.ever&p.bit() == 0 {
			continue
		}
		shown.properties = append(shown.properties, p)
	}
	return shown.userJSON("{", u)
}
