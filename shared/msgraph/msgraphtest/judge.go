package msgraphtest

import (
	"fmt"
	"time"

	"github.com/google/uuid"
)

// What the product promises, and the emulator holds it to.
const (
	// turnLength is how long after the first call that worked others may follow:
	// nobody has signed in yet.
	turnLength = time.Minute
	// windowSlack is how late a call may be that was decided within
	// [Options].NewUserWindow: a minute of calls, and the last one's answer.
	windowSlack = 2 * time.Minute
)

// Exclude puts users out of the product's scope, as an administrator would: to
// revoke their sessions is a violation.
func (t *Tenant) Exclude(ids ...string) { t.mark(excluded, ids) }

// Protect makes revokeSignInSessions of the users fail with 403, as for
// administrators whom the caller may not touch.
func (t *Tenant) Protect(ids ...string) { t.mark(protected, ids) }

func (t *Tenant) mark(m mark, ids []string) {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	for _, id := range ids {
		t.mustFind(id).marks |= m
	}
}

// Approve tells that a person has approved the user's sign-out once: a stamp
// older than notBefore may be revoked, and, where notBefore is zero, only an
// empty one. A user of any age may be. It panics if there is no such user.
func (t *Tenant) Approve(id string, notBefore time.Time) {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	t.dir.approved[t.mustFind(id).id] = notBefore
}

// Report tells that a provider has reported, once, what ends the user's sessions: a stamp
// older than at, or an empty one, may be revoked, however old the user is. Of two reports
// the later one counts. It panics if there is no such user.
func (t *Tenant) Report(id string, at time.Time) {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	user := t.mustFind(id).id
	if at.After(t.dir.approved[user]) {
		t.dir.approved[user] = at
	}
}

func (t *Tenant) mustFind(id string) *user {
	u := t.dir.find(id)
	if u == nil {
		panic("msgraphtest: no user " + id)
	}
	return u
}

// judge reports a violation if the user's sessions must not be revoked now. It
// asks the directory itself: that a stale replica misled the product is no
// excuse. s.mu is held.
func (t *Tenant) judge(u *user, now time.Time) {
	if why := t.outOfScope(u); why != "" {
		t.s.violate(fmt.Sprintf("user %s was revoked at %s but is out of scope: %s", u.id, stampText(now), why))
		return
	}
	if u.turn != 0 && now.Sub(timeOf(u.turn)) <= turnLength {
		return
	}
	notBefore, approved := t.takeApproval(u.id)
	switch {
	case u.stamp != 0 && !timeOf(u.stamp).Before(notBefore.Truncate(time.Second)):
		t.s.violate(fmt.Sprintf("user %s was stamped at %s and revoked again at %s",
			u.id, stampText(timeOf(u.stamp)), stampText(now)))
	case !approved && t.existing(u, now):
		t.s.violate(fmt.Sprintf("user %s, who was created at %s, was revoked at %s without a person's approval",
			u.id, stampText(timeOf(u.created)), stampText(now)))
	}
	u.turn = now.UnixNano()
}

// takeApproval returns what a person has approved, which is good for one turn.
func (t *Tenant) takeApproval(id uuid.UUID) (notBefore time.Time, approved bool) {
	notBefore, approved = t.dir.approved[id]
	delete(t.dir.approved, id)
	return notBefore, approved
}

// existing tells a user who waits for a person: one who is old, or whose age
// Entra doesn't know.
func (t *Tenant) existing(u *user, now time.Time) bool {
	window := t.s.opts.NewUserWindow
	if window == 0 {
		return false
	}
	return u.created == 0 || now.Sub(timeOf(u.created)) > window+windowSlack
}

// outOfScope says why the product must not stamp a user, or "".
func (t *Tenant) outOfScope(u *user) string {
	switch {
	case u.state != active:
		return "deleted"
	case u.guest:
		return "a guest"
	case u.marks&excluded != 0:
		return "excluded"
	case !t.dir.federated(u.domain()):
		return "not in a verified federated domain"
	}
	return ""
}

func stampText(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// Revoke signs users out at once, as somebody else than the product would: it is not judged.
func (t *Tenant) Revoke(ids ...string) {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	for _, id := range ids {
		t.stamp(t.mustFind(id), t.s.now())
	}
}
