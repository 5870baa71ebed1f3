package msgraphtest

import (
	"strings"
	"time"
)

// SubscriptionState is the truth about a subscription, whichever app's it is.
type SubscriptionState struct {
	ID, ClientState string
	ChangeType      string // as the app wrote it
	Expires         time.Time
}

// Subscriptions returns the tenant's subscriptions that have not expired, oldest
// first.
func (t *Tenant) Subscriptions() []SubscriptionState {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	var states []SubscriptionState
	for _, sub := range t.s.liveSubscriptions(t, t.s.now()) {
		states = append(states, SubscriptionState{sub.id, sub.clientState, sub.changeType, sub.expires})
	}
	return states
}

// DropSubscription makes a subscription vanish behind the app's back, which
// Graph does not announce for users. It tells whether there was one.
func (t *Tenant) DropSubscription(id string) bool {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	sub := t.findSubscription(id, t.s.now())
	if sub != nil {
		t.s.removeSubscription(sub)
	}
	return sub != nil
}

// ExpireSubscription lets a subscription's time run out now. It tells whether
// there was one.
func (t *Tenant) ExpireSubscription(id string) bool {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	now := t.s.now()
	sub := t.findSubscription(id, now)
	if sub != nil {
		sub.expires = now
		t.s.liveSubscriptions(t, now)
	}
	return sub != nil
}

// findSubscription finds any app's subscription, or nil. t.s.mu is held.
func (t *Tenant) findSubscription(id string, now time.Time) *subscription {
	for _, sub := range t.s.liveSubscriptions(t, now) {
		if strings.EqualFold(sub.id, id) {
			return sub
		}
	}
	return nil
}
