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
	url, err := s.urlToValidate(c, change)
	if err == nil && url != "" {
		err = s.validateEndpoint(c.ctx, url)
	}
	if err != nil {
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
		if err := checkURL(change.url); err != nil {
			return change, err
		}
	}
	if request.ExpirationDateTime != nil {
		change.expires, err = s.parseExpiry(request, c.now)
	}
	return change, err
}

// urlToValidate is the URL that must pass the handshake before the change: a new
// one, and with [Delivery.ValidateRenewals] that of a renewal.
func (s *Server) urlToValidate(c *call, change subscriptionChange) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sub, err := s.ownSubscription(c, c.now)
	if err != nil || change.expires.IsZero() || !s.opts.Delivery.ValidateRenewals {
		return change.url, err
	}
	return cmp.Or(change.url, sub.url), nil
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
		sub.expires, sub.challenged = change.expires, time.Time{}
	}
	return ok(sub.entity(c))
}
