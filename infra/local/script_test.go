package main

import (
	"fmt"
	"strings"
	"time"
)

// scheduleConversion lets the managed domain become federated in half of the worlds. The
// users who were there before are not new, and have stamps.
func (w *world) scheduleConversion() {
	if w.random.IntN(2) == 0 {
		return
	}
	w.converted = w.start.Add(w.upTo(w.plan.play / 3))
	time.AfterFunc(time.Until(w.converted), func() { w.tenant.SetFederated(managedDomain, true) })
}

// script creates, changes and deletes users over the time of the play.
func (w *world) script() {
	var ids []string
	for n := range w.users {
		pause := w.upTo(2 * w.plan.play / time.Duration(w.users))
		if time.Since(w.start)+pause > w.plan.play*9/10 {
			return
		}
		time.Sleep(pause)
		ids = append(ids, w.create(w.drawUser(n)))
		w.disturb(ids)
	}
}

func (w *world) drawUser(n int) newUser {
	u := newUser{name: fmt.Sprintf("user%d", n), domain: federatedDomain, federated: true}
	switch w.random.IntN(12) {
	case 0, 1:
		u.domain = subdomain
	case 2:
		u.domain, u.federated = managedDomain, !w.converted.IsZero() && time.Now().After(w.converted)
	case 3:
		u.guest = true
	case 4:
		u.name = fmt.Sprintf("%s%d", excludedPrefix, n)
	case 5:
		u.grouped = true
	}
	return u
}

func (w *world) create(u newUser) string {
	id, err := w.admin.createUser(w.ctx, u)
	w.must(err)
	w.known.Lock()
	defer w.known.Unlock()
	w.created[id] = u
	if u.grouped {
		w.tenant.AddGroup(excludedGroup, id)
	}
	if u.grouped || u.named() && w.sparing.kind != spareExcluded { // there is no way back
		w.tenant.Exclude(id)
	}
	if w.random.IntN(12) == 0 {
		w.tenant.Protect(id)
		w.protected[id] = true
	}
	return id
}

// named tells whether the name is one that the administrator excludes.
func (u newUser) named() bool { return strings.HasPrefix(u.name, excludedPrefix) }

// disturb changes, deletes or purges a user now and then: one just created, or one from
// long ago.
func (w *world) disturb(ids []string) {
	pick := ids[w.random.IntN(len(ids))]
	state, _ := w.tenant.User(pick)
	if time.Since(state.Created) < 4*time.Minute {
		return // the replica may refuse to change a user whom it does not know
	}
	switch w.random.IntN(5) {
	case 0:
		if !state.Deleted {
			w.touch(pick)
		}
	case 1:
		w.touch(w.old[w.random.IntN(len(w.old))])
	case 2:
		if !state.Deleted && w.random.IntN(3) == 0 {
			w.must(w.admin.deleteUser(w.ctx, pick))
		}
	}
}

// touch makes a change that there was not before: no other raises a notification.
func (w *world) touch(id string) {
	w.changes++
	w.must(w.admin.touchUser(w.ctx, id, fmt.Sprint(w.changes)))
}
