package msgraphtest

import (
	"fmt"
	"time"
)

// Exclude puts users out of the product's scope, as an administrator would: to
// revoke their sessions is a violation.
func (t *Tenant) Exclude(ids ...string) { t.mark(excluded, ids) }

// AllowRevoke permits one revocation of each user whatever the invariants say.
func (t *Tenant) AllowRevoke(ids ...string) { t.mark(allowed, ids) }

// Protect makes revokeSignInSessions of the users fail with 403, as for
// administrators whom the caller may not touch.
func (t *Tenant) Protect(ids ...string) { t.mark(protected, ids) }

func (t *Tenant) mark(m mark, ids []string) {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	for _, id := range ids {
		u := t.dir.find(id)
		if u == nil {
			panic("msgraphtest: no user " + id)
		}
		u.marks |= m
	}
}

// checkRevocation reports a violation if the user's sessions must not be
// revoked. It asks the directory itself: that a stale replica misled the product
// is no excuse.
func (t *Tenant) checkRevocation(u *user, now time.Time) {
	if u.marks&allowed != 0 {
		u.marks &^= allowed
		return
	}
	if why := t.outOfScope(u); why != "" {
		t.s.violate(fmt.Sprintf("user %s was revoked at %s but is out of scope: %s", u.id, stampText(now), why))
		return
	}
	if u.stamp != 0 {
		t.s.violate(fmt.Sprintf("user %s was stamped at %s and revoked again at %s",
			u.id, stampText(timeOf(u.stamp)), stampText(now)))
	}
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
