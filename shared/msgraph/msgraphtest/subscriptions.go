package msgraphtest

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

// Quotas of the subscription service, from "Supported resources and quotas" in
// https://learn.microsoft.com/graph/change-notifications-overview. The third
// quota there, 50,000 for an app over all tenants, cannot be reached within
// these two by any tenant count worth emulating.
const (
	maxSubscriptionsPerAppAndTenant = 100
	maxSubscriptionsPerTenant       = 1000
)

// subscription is one app's wish to hear of changes to users.
type subscription struct {
	id          string
	tenant      *Tenant
	app         *App
	resource    string // as the app wrote it
	user        string // the watched user's id; "" watches all
	changeType  string // as the app wrote it
	updated     bool   // wants changes of the kind "updated"
	deleted     bool   // wants changes of the kind "deleted"
	clientState string
	url         string
	tls         string
	expires     time.Time

	created    time.Time
	challenged time.Time // when the oldest challenge not yet answered was sent
	ended      bool      // deleted, dropped or expired
}

// subscriptionRoutes are what Graph's [subscription service] can do.
//
// The permission to read what a subscription watches is also the one to manage
// it; only the list, which may be empty, asks for none.
//
// [subscription service]: https://learn.microsoft.com/graph/api/resources/subscription
func subscriptionRoutes() []route {
	read := []string{"User.Read.All"}
	return []route{
		{method: http.MethodPost, pattern: "/subscriptions", permissions: read, service: subscriptionWrites, handle: unlocked((*Server).createSubscription)},
		{method: http.MethodGet, pattern: "/subscriptions", service: subscriptionList, handle: locked((*Server).listSubscriptions)},
		{method: http.MethodGet, pattern: "/subscriptions/{id}", permissions: read, service: subscriptionGet, handle: locked((*Server).getSubscription)},
		{method: http.MethodPatch, pattern: "/subscriptions/{id}", permissions: read, service: subscriptionWrites, handle: unlocked((*Server).updateSubscription)},
		{method: http.MethodDelete, pattern: "/subscriptions/{id}", permissions: read, service: subscriptionWrites, handle: locked((*Server).deleteSubscription)},
	}
}

// unlocked makes a handler of a function that takes s.mu by itself, for it waits,
// and tells a refusal as its error.
func unlocked(carryOut func(s *Server, c *call) (reply, error)) handler {
	return func(s *Server, c *call) reply {
		r, err := carryOut(s, c)
		if err != nil {
			return refusalReply(err)
		}
		return r
	}
}

// createSubscription implements
// https://learn.microsoft.com/graph/api/subscription-post-subscriptions. The
// handshake happens while the caller waits.
func (s *Server) createSubscription(c *call) (reply, error) {
	sub, err := s.parseSubscription(c)
	if err != nil {
		return reply{}, err
	}
	if err := s.admissible(sub); err != nil {
		return reply{}, err
	}
	if err := s.validateEndpoint(c.ctx, sub.url); err != nil {
		return reply{}, err
	}
	return s.admit(c, sub)
}

// admissible tells whether the subscription could be added now, so that nobody
// is asked for a handshake in vain.
func (s *Server) admissible(sub *subscription) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.obstacle(sub)
}

// admit adds the subscription, unless another was added or the quota used up
// during the handshake.
func (s *Server) admit(c *call, sub *subscription) (reply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.obstacle(sub); err != nil {
		return reply{}, err
	}
	sub.id, sub.created = s.newID(), s.now()
	hub := &sub.tenant.hub
	hub.subscriptions = append(hub.subscriptions, sub)
	return reply{status: http.StatusCreated, body: sub.entity(c)}, nil
}

// obstacle is why the subscription cannot be added: a duplicate or a quota.
// s.mu is held.
func (s *Server) obstacle(sub *subscription) error {
	own := 0
	all := s.liveSubscriptions(sub.tenant, s.now())
	for _, other := range all {
		if other.app != sub.app {
			continue
		}
		own++
		if other.sameCombination(sub) {
			return &refusal{http.StatusConflict, "ObjectIdentifierInUse", fmt.Sprintf("Subscription Id %s already exists for the requested combination", other.id)}
		}
	}
	switch {
	case own >= maxSubscriptionsPerAppAndTenant:
		return quotaExceeded("application and tenant", maxSubscriptionsPerAppAndTenant)
	case len(all) >= maxSubscriptionsPerTenant:
		return quotaExceeded("tenant", maxSubscriptionsPerTenant)
	}
	return nil
}

func quotaExceeded(per string, limit int) error {
	message := fmt.Sprintf("The number of subscriptions per %s has reached its limit of %d.", per, limit)
	return &refusal{http.StatusForbidden, "Forbidden", message}
}

// sameCombination compares what Graph calls the combination: changeType and
// resource, however they are written.
func (sub *subscription) sameCombination(other *subscription) bool {
	return sub.user == other.user && sub.updated == other.updated && sub.deleted == other.deleted
}

// listSubscriptions implements
// https://learn.microsoft.com/graph/api/subscription-list: an app sees its own,
// the newest after a while. s.mu is held.
func (s *Server) listSubscriptions(c *call) (reply, error) {
	if err := c.onlyOptions(); err != nil {
		return reply{}, err
	}
	entities := []*subscriptionEntity{}
	for _, sub := range s.liveSubscriptions(c.tenant, c.now) {
		if sub.app == c.app && c.now.Sub(sub.created) >= s.opts.ListLag {
			entity := sub.entity(c)
			entity.Context, entity.ClientState = "", nil
			entities = append(entities, entity)
		}
	}
	return ok(subscriptionCollection{Context: c.context("subscriptions"), Value: entities})
}

// getSubscription implements
// https://learn.microsoft.com/graph/api/subscription-get. Whether clientState
// is hidden here as it is in the list is not documented; nobody should rely on
// seeing it. s.mu is held.
func (s *Server) getSubscription(c *call) (reply, error) {
	if err := c.onlyOptions(); err != nil {
		return reply{}, err
	}
	sub, err := s.ownSubscription(c, c.now)
	if err != nil {
		return reply{}, err
	}
	entity := sub.entity(c)
	entity.ClientState = nil
	return ok(entity)
}

// deleteSubscription implements
// https://learn.microsoft.com/graph/api/subscription-delete. What is already on
// its way to the subscriber still arrives. s.mu is held.
func (s *Server) deleteSubscription(c *call) (reply, error) {
	sub, err := s.ownSubscription(c, c.now)
	if err != nil {
		return reply{}, err
	}
	s.removeSubscription(sub)
	return reply{status: http.StatusNoContent}, nil
}

// ownSubscription finds the caller's subscription that the path names; the
// subscriptions of others do not exist for it, nor do expired ones. s.mu is
// held.
func (s *Server) ownSubscription(c *call, now time.Time) (*subscription, error) {
	if sub := c.tenant.findSubscription(c.path[1], now); sub != nil && sub.app == c.app {
		return sub, nil
	}
	return nil, &refusal{http.StatusNotFound, "ResourceNotFound", "The object was not found."}
}

// liveSubscriptions forgets the tenant's expired subscriptions and returns the
// others, oldest first. s.mu is held.
func (s *Server) liveSubscriptions(t *Tenant, now time.Time) []*subscription {
	t.hub.subscriptions = slices.DeleteFunc(t.hub.subscriptions, func(sub *subscription) bool {
		sub.ended = !now.Before(sub.expires)
		return sub.ended
	})
	return t.hub.subscriptions
}

// removeSubscription ends a subscription that has not expired. s.mu is held.
func (s *Server) removeSubscription(sub *subscription) {
	hub := &sub.tenant.hub
	hub.subscriptions = slices.DeleteFunc(hub.subscriptions, func(other *subscription) bool { return other == sub })
	sub.ended = true
}

// subscriptionEntity is a subscription as Graph shows it:
// https://learn.microsoft.com/graph/api/resources/subscription#properties.
type subscriptionEntity struct {
	Context                   string  `json:"@odata.context,omitempty"`
	ID                        string  `json:"id"`
	Resource                  string  `json:"resource"`
	ApplicationID             string  `json:"applicationId"`
	ChangeType                string  `json:"changeType"`
	ClientState               *string `json:"clientState"`
	NotificationURL           string  `json:"notificationUrl"`
	LifecycleNotificationURL  *string `json:"lifecycleNotificationUrl"`
	ExpirationDateTime        string  `json:"expirationDateTime"`
	CreatorID                 string  `json:"creatorId"`
	LatestSupportedTLSVersion string  `json:"latestSupportedTlsVersion"`
}

type subscriptionCollection struct {
	Context string                `json:"@odata.context"`
	Value   []*subscriptionEntity `json:"value"`
}

func (sub *subscription) entity(c *call) *subscriptionEntity {
	return &subscriptionEntity{
		Context:                   c.context("subscriptions/$entity"),
		ID:                        sub.id,
		Resource:                  sub.resource,
		ApplicationID:             sub.app.id,
		ChangeType:                sub.changeType,
		ClientState:               orNull(sub.clientState),
		NotificationURL:           sub.url,
		ExpirationDateTime:        sub.expires.UTC().Format(graphTime),
		CreatorID:                 sub.app.principal,
		LatestSupportedTLSVersion: sub.tls,
	}
}

// orNull is what JSON shows as null when it is empty.
func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
