package msgraphtest

import "time"

// A Replica answers reads of users from what the directory knew some time ago,
// as Entra's [eventual consistency] allows: a user just created is not found, a
// fresh stamp is still null.
//
// [eventual consistency]: https://devblogs.microsoft.com/identity/designing-for-eventual-consistency-for-microsoft-entra
type Replica struct {
	// Lag is how far the replica is behind; 0 is no replica.
	Lag time.Duration
	// Share of the reads is answered by the replica; 0 means all of them.
	Share float64
	// Writes makes a call that changes a user ask the replica whether the user
	// exists: it answers 404 for a user newer than the lag.
	Writes bool
}

// history keeps the users as they were before changes that are younger than the
// replica's lag.
type history struct {
	past   map[*user][]version // oldest first
	recent []moment            // of all users, oldest first
}

type version struct {
	user  user
	until time.Time
}

type moment struct {
	user  *user
	until time.Time
	log   int // length of tenantDirectory.log before the change
}

// keep remembers a user as before a change. A user whom a test adds as created
// longer ago than the lag is no news to the replica.
func (h *history) keep(before user, u *user, log int, now time.Time, lag time.Duration) {
	if lag <= 0 || before.state == absent && u.created <= now.Add(-lag).UnixNano() {
		return
	}
	h.forget(now.Add(-lag))
	if h.past == nil {
		h.past = make(map[*user][]version)
	}
	h.past[u] = append(h.past[u], version{before, now})
	h.recent = append(h.recent, moment{u, now, log})
}

// forget drops the versions that ended at or before a time.
func (h *history) forget(limit time.Time) {
	n := 0
	for ; n < len(h.recent) && !h.recent[n].until.After(limit); n++ {
		u := h.recent[n].user
		if h.past[u] = h.past[u][1:]; len(h.past[u]) == 0 {
			delete(h.past, u)
		}
	}
	clear(h.recent[:n])
	h.recent = h.recent[n:]
}

// reader is the directory as the server that answers one read knows it.
type reader struct {
	dir  *tenantDirectory
	lags bool
	asOf time.Time
}

// reader chooses who answers a read. s.mu is held.
func (t *Tenant) reader(now time.Time) reader {
	r := t.s.opts.Replica
	lags := r.Lag > 0 && (r.Share == 0 || t.s.rand.Float64() < r.Share)
	return reader{&t.dir, lags, now.Add(-r.Lag)}
}

// see returns the user as the reader knows it.
func (r reader) see(u *user) *user {
	if !r.lags {
		return u
	}
	versions := r.dir.history.past[u]
	for i := range versions {
		if versions[i].until.After(r.asOf) {
			return &versions[i].user
		}
	}
	return u
}

// changes is how much of the change log the reader knows.
func (r reader) changes() int {
	if r.lags {
		for _, m := range r.dir.history.recent {
			if m.until.After(r.asOf) {
				return m.log
			}
		}
	}
	return len(r.dir.log)
}

// find returns the user whose object id or UPN is key, or nil if the reader
// knows none or a deleted one.
func (r reader) find(key string) *user {
	u := r.dir.find(key)
	if u == nil || r.see(u).state != active {
		return nil
	}
	return r.see(u)
}
