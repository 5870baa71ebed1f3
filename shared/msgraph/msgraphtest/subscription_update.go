package msgraphtest

import (
	"cmp"
	"time"
)

// subscriptionChange is what a PATCH asks for.
type subscriptionChange struct {
	url     string    // "" leaves it
	expires time.Time // zero leaves it
}

// updateSubscription implements
// https://learn.microsoft.com/graph/api/subscription-update. A new expiry also
// reauthorizes.
func (s *Server) updateSubscription(c *call) (reply, error) {
	change, err := s.parseChange(c)
	if err != nil {
		return reply{}, err
	}
	urls, err := s.urlsToValidate(c, change)
	if err != nil {
		return reply{}, err
	}
	if err := s.validateEndpoints(c.ctx, urls...); err != nil {
		return reply{}, err
	}
	return s.applyChange(c, change)
}

func (s *Server) parseChange(c *call) (change subscriptionChange, err error) {
	request, err := decodeSubscription(c.body, updatableProperties)
	if err != nil {
		return change, err
	}
	if request.NotificationURL == "" && request.ExpirationDateTime == nil {
		return change, invalid("At least one of expirationDateTime and notificationUrl is required.")
	}
	if change.url = request.NotificationURL; change.url != "" {
		if err := checkURL("NotificationUrl", change.url); err != nil {
			return change, err
		}
	}
	if request.ExpirationDateTime != nil {
		change.expires, err = s.parseExpiry(request, c.now)
	}
	return change, err
}

// urlsToValidate are the URLs that must pass the handshake before the change:
// a new one, and with [Delivery.ValidateRenewals] those of a renewal.
func (s *Server) urlsToValidate(c *call, change subscriptionChange) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sub, err := s.ownSubscription(c, c.now)
	if err != nil || change.expires.IsZero() || !s.opts.Delivery.ValidateRenewals {
		return []string{change.url}, err
	}
	return []string{cmp.Or(change.url, sub.url), sub.lifecycleURL}, nil
}

// applyChange changes the subscription, unless it ended during the handshake.
func (s *Server) applyChange(c *call, change subscriptionChange) (reply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	sub, err := s.ownSubscription(c, now)
	if err != nil {
		return reply{}, err
	}
	if change.url != "" {
		sub.url = change.url
	}
	if !change.expires.IsZero() {
		sub.expires = change.expires
		s.scheduleChallenge(sub)
		s.resume(sub, now)
	}
	return ok(sub.entity(c))
}
