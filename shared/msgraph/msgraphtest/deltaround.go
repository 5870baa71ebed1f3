package msgraphtest

import (
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

// deltaToken reads the token of a call, or makes that of a first round.
func (c *call) deltaToken(o Delta) (deltaToken, error) {
	for _, name := range []string{"$skiptoken", "$deltatoken"} {
		if text, given := option(c.query, name); given && text != "" && text != "latest" {
			return c.readDeltaToken(o, name, text)
		}
	}
	return c.firstDeltaToken()
}

func (c *call) readDeltaToken(o Delta, name, text string) (deltaToken, error) {
	var t deltaToken
	if err := c.onlyOptions(name); err != nil {
		return t, err
	}
	if !unseal(text, &t) || t.Tenant != c.tenant.id || t.Link != (name == "$deltatoken") {
		return t, refuse(http.StatusBadRequest, "BadRequest", "Badly formed token.")
	}
	life := o.TokenLife
	if life == 0 {
		life = deltaTokenLife
	}
	if c.now.Sub(time.Unix(0, t.Issued)) > life {
		return t, o.expired()
	}
	return t, nil
}

// expired is how a token that is too old is refused.
func (o Delta) expired() error {
	if o.ExpireStatus == 0 || o.ExpireStatus == http.StatusGone {
		return refuse(http.StatusGone, errResync, "Resync required. The delta token is no longer valid.")
	}
	if o.ExpireStatus == http.StatusBadRequest {
		return unsupported("DeltaLink older than 30 days is not supported.")
	}
	return refuse(o.ExpireStatus, "syncStateNotFound", "The sync state generation is not found. The delta token has expired.")
}

// firstDeltaToken reads the options of a first request.
func (c *call) firstDeltaToken() (deltaToken, error) {
	t := deltaToken{Tenant: c.tenant.id, First: true}
	if err := c.onlyOptions("$select", "$deltatoken"); err != nil {
		return t, err
	}
	sel, err := c.selection()
	if err != nil {
		return t, err
	}
	if sel.explicit {
		for _, p := range sel.properties {
			t.Select = append(t.Select, p.index)
		}
	}
	return t, nil
}

// deltaRound makes the pages of a round.
type deltaRound struct {
	r     reader
	opts  Delta
	token deltaToken
	sel   selection

	tracked propertySet // whose change makes a user appear
}

// page returns the items at the round's token, moves the token on, and tells
// whether more follow.
func (d *deltaRound) page() (items []json.RawMessage, more bool) {
	size := d.opts.PageSize
	if size == 0 {
		size = deltaPageSize
	}
	end, next := d.token.To, d.changedUser
	if d.token.First {
		end, next = len(d.r.dir.users), d.anyUser
	}
	items = []json.RawMessage{}
	seen := d.shownBefore()
	for ; d.token.Pos < end; d.token.Pos++ {
		u := next(d.token.Pos)
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
	if d.token.First {
		return seen
	}
	for i := max(d.token.From, d.token.Pos-repeatsRemember); i < d.token.Pos; i++ {
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
	for _, p := range d.sel.properties {
		if p.name == "id" || p.name == stampProperty && d.opts.OmitStamp || u.ever&p.bit() == 0 {
			continue
		}
		shown.properties = append(shown.properties, p)
	}
	return shown.userJSON("{", u)
}
