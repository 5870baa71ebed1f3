package msgraphtest

import (
	"strings"
	"time"
)

// SubscriptionState is the truth about a subscription, whichever app's it is.
type SubscriptionState struct {
	ID, App         string // App is the client id
	Resource        string // as the app wrote it
	ChangeType      string // as the app wrote it
	ClientState     string
	NotificationURL string
	Expires         time.Time
	Paused          bool // a challenge was not answered in time
}

// Subscriptions returns the tenant's subscriptions that have not expired, oldest
// first.
func (t *Tenant) Subscriptions() []SubscriptionState {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	now := t.s.now()
	var states []SubscriptionState
	for _, sub := range t.s.liveSubscriptions(t, now) {
		states = append(states, SubscriptionState{
			ID: sub.id, App: sub.app.id, Resource: sub.resource, ChangeType: sub.changeType,
			ClientState: sub.clientState, NotificationURL: sub.url,
			Expires: sub.expires, Paused: t.s.paused(sub, now),
		})
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

// challengeGrace is how long Graph waits for the answer to a challenge. It is
// not documented; the page's illustration repeats a challenge that often.
const challengeGrace = 15 * time.Minute

// ChallengeSubscriptions demands that the app reauthorize every subscription of
// the tenant. As they have no lifecycle URL, the app is not told. If it doesn't
// renew in time, [delivery pauses], and what changes meanwhile is lost.
//
// [delivery pauses]: https://learn.microsoft.com/graph/change-notifications-lifecycle-events
func (t *Tenant) ChallengeSubscriptions() {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	now := t.s.now()
	for _, sub := range t.s.liveSubscriptions(t, now) {
		if sub.challenged.IsZero() {
			sub.challenged = now
		}
	}
}

// paused tells whether a challenge has been ignored for too long. s.mu is held.
func (s *Server) paused(sub *subscription, now time.Time) bool {
	grace := s.opts.Delivery.ChallengeGrace
	if grace <= 0 {
		grace = challengeGrace
	}
	return !sub.challenged.IsZero() && now.Sub(sub.challenged) >= grace
}
