package msgraphtest

import (
	"time"
)

// When Graph challenges a subscription, from the illustration in
// https://learn.microsoft.com/graph/change-notifications-lifecycle-events. How
// long it waits for an answer is not documented; we let it wait until the
// challenge would be repeated.
const (
	challengeSpan     = time.Hour        // before the subscription expires
	challengeInterval = 15 * time.Minute // within that span
	challengeGrace    = challengeInterval
)

// ChallengeSubscriptions sends the lifecycle notification
// reauthorizationRequired, the only one that users have, for every subscription
// of the tenant that has a lifecycleNotificationUrl. Until it is answered by a
// reauthorization or a renewal, delivery pauses after
// [Delivery.ChallengeGrace].
func (t *Tenant) ChallengeSubscriptions() {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	now := t.s.now()
	for _, sub := range t.s.liveSubscriptions(t, now) {
		t.s.challenge(sub, now)
	}
}

// challenge demands that the app reauthorize the subscription. s.mu is held.
func (s *Server) challenge(sub *subscription, now time.Time) {
	if sub.lifecycleURL == "" || s.hub.closed {
		return
	}
	if sub.challenged.IsZero() {
		sub.challenged = now
	}
	p := &parcel{tenant: sub.tenant, url: sub.lifecycleURL}
	if s.opts.Delivery.LifecycleObserved {
		p.lifecycle = mustJSON(observedChallenge(sub))
	} else {
		p.lifecycle = mustJSON(documentedChallenge(sub))
	}
	s.enqueue(s.endpoint(sub.lifecycleURL), p, s.latency())
}

// scheduleChallenge lets the next challenge come by itself, if it is to. s.mu is
// held.
func (s *Server) scheduleChallenge(sub *subscription) {
	s.hub.stop(&sub.challenges)
	left := sub.expires.Sub(s.now())
	if !s.opts.Delivery.Challenge || sub.ended || left <= challengeInterval {
		return
	}
	// The next of the last four quarters of an hour to begin.
	next := min(challengeSpan, (left - 1).Truncate(challengeInterval))
	s.setAlarm(&sub.challenges, s.hub.clock()+left-next, func() {
		s.challenge(sub, s.now())
		s.scheduleChallenge(sub)
	})
}

// paused tells whether a challenge has been ignored for too long. s.mu is held.
func (s *Server) paused(sub *subscription, now time.Time) bool {
	grace := s.opts.Delivery.ChallengeGrace
	if grace <= 0 {
		grace = challengeGrace
	}
	return !sub.challenged.IsZero() && now.Sub(sub.challenged) >= grace
}

// resume answers the challenge. What a pause held back is delivered, unless it
// is too old. s.mu is held.
func (s *Server) resume(sub *subscription, now time.Time) {
	held, counts := sub.held, &sub.tenant.hub.counts
	sub.challenged, sub.held = time.Time{}, nil
	counts.Held -= len(held)
	for _, n := range held {
		if now.Sub(n.time) > retriedFor {
			counts.Dropped++
			continue
		}
		s.dispatchNotification(n)
	}
}

// lifecycleCollection is the body of a POST to a lifecycle notification URL.
type lifecycleCollection[Item any] struct {
	Value            []Item   `json:"value"`
	ValidationTokens []string `json:"validationTokens,omitempty"`
}

// documentedItem is a lifecycle notification as
// https://learn.microsoft.com/graph/change-notifications-lifecycle-events shows
// it.
type documentedItem struct {
	Subscription string  `json:"subscriptionId"`
	Expiration   string  `json:"subscriptionExpirationDateTime"`
	Tenant       string  `json:"tenantId"`
	ClientState  *string `json:"clientState"`
	Event        string  `json:"lifecycleEvent"`
}

// observedItem is one as seen in 2023 in
// https://github.com/microsoftgraph/microsoft-graph-docs-contrib/issues/84.
type observedItem struct {
	Subscription     string  `json:"subscriptionId"`
	Expiration       string  `json:"subscriptionExpirationDateTime"`
	Organization     string  `json:"organizationId"`
	ClientState      *string `json:"clientState"`
	Event            string  `json:"lifecycleEvent"`
	Resource         string  `json:"resource"`
	Sequence         *int64  `json:"sequence"`
	ResourceData     *string `json:"resourceData"`
	EncryptedContent *string `json:"encryptedContent"`
}

const reauthorizationRequired = "reauthorizationRequired"

func documentedChallenge(sub *subscription) lifecycleCollection[documentedItem] {
	return lifecycleCollection[documentedItem]{Value: []documentedItem{{
		Subscription: sub.id,
		Expiration:   sub.expires.UTC().Format(lifecycleTime),
		Tenant:       sub.tenant.id,
		ClientState:  orNull(sub.clientState),
		Event:        reauthorizationRequired,
	}}}
}

// observedChallenge carries a validation token that proves nothing: users have
// none that could be verified.
func observedChallenge(sub *subscription) lifecycleCollection[observedItem] {
	return lifecycleCollection[observedItem]{
		Value: []observedItem{{
			Subscription: sub.id,
			Expiration:   sub.expires.UTC().Format(offsetTime),
			Organization: sub.tenant.id,
			ClientState:  orNull(sub.clientState),
			Event:        reauthorizationRequired,
		}},
		ValidationTokens: []string{"eyJ0eXAiOiJKV1QifQ.e30.c2ln"},
	}
}
