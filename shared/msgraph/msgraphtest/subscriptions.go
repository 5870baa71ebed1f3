package msgraphtest

import (
	"net/http"
	"slices"
	"time"
)

// subscription is one app's wish to hear of changes to users.
type subscription struct {
	id          string
	tenant      *Tenant
	app         *App
	resource    string // as the app wrote it
	changeType  string // as the app wrote it
	updated     bool   // wants changes of the kind "updated"
	deleted     bool   // wants changes of the kind "deleted"
	clientState string
	url         string
	tls         string
	expires     time.Time
	ended       bool // deleted, dropped or expired
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
		{method: http.MethodPost, pattern: "/subscriptions", permissions: read, service: subscriptionWrites, handle: (*Server).createSubscription},
		{method: http.MethodGet, pattern: "/subscriptions", service: subscriptionList, handle: locked((*Server).listSubscriptions)},
		{method: http.MethodPatch, pattern: "/subscriptions/{id}", permissions: read, service: subscriptionWrites, handle: locked((*Server).updateSubscription)},
		{method: http.MethodDelete, pattern: "/subscriptions/{id}", permissions: read, service: subscriptionWrites, handle: locked((*Server).deleteSubscription)},
	}
}

// createSubscription implements
// https://learn.microsoft.com/graph/api/subscription-post-subscriptions. The
// handshake happens while the caller waits, without s.mu.
func (s *Server) createSubscription(c *call) (reply, error) {
	sub, err := parseSubscription(c)
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

// admit adds the subscription, unless the same was added during the handshake.
func (s *Server) admit(c *call, sub *subscription) (reply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.obstacle(sub); err != nil {
		return reply{}, err
	}
	sub.id = s.newID()
	hub := &sub.tenant.hub
	hub.subscriptions = append(hub.subscriptions, sub)
	return reply{status: http.StatusCreated, body: sub.entity(c)}, nil
}

// obstacle is why the subscription cannot be added: the app has one of the same
// changeType and resource, however they are written. So it has three at most, and
// Graph's quota of 100 need not be emulated. s.mu is held.
func (s *Server) obstacle(sub *subscription) error {
	for _, other := range s.liveSubscriptions(sub.tenant, s.now()) {
		if other.app == sub.app && other.updated == sub.updated && other.deleted == sub.deleted {
			return refuse(http.StatusConflict, "ObjectIdentifierInUse", "Subscription Id %s already exists for the requested combination", other.id)
		}
	}
	return nil
}

// listSubscriptions implements
// https://learn.microsoft.com/graph/api/subscription-list: an app sees its own,
// without clientState. s.mu is held.
func (s *Server) listSubscriptions(c *call) (reply, error) {
	if err := c.onlyOptions(); err != nil {
		return reply{}, err
	}
	entities := []*subscriptionEntity{}
	for _, sub := range s.liveSubscriptions(c.tenant, c.now) {
		if sub.app == c.app {
			entity := sub.entity(c)
			entity.Context, entity.ClientState = "", nil
			entities = append(entities, entity)
		}
	}
	return ok(subscriptionCollection{Context: c.context("subscriptions"), Value: entities})
}

// updateSubscription implements
// https://learn.microsoft.com/graph/api/subscription-update. A new notificationUrl,
// which Graph also takes, is not emulated. s.mu is held.
func (s *Server) updateSubscription(c *call) (reply, error) {
	request, err := decodeSubscription(c.body, "expirationDateTime")
	if err != nil {
		return reply{}, err
	}
	expires, err := request.expiry(c.now)
	if err != nil {
		return reply{}, err
	}
	sub, err := s.ownSubscription(c)
	if err != nil {
		return reply{}, err
	}
	sub.expires = expires
	return ok(sub.entity(c))
}

// deleteSubscription implements
// https://learn.microsoft.com/graph/api/subscription-delete. What is already on
// its way to the subscriber still arrives. s.mu is held.
func (s *Server) deleteSubscription(c *call) (reply, error) {
	sub, err := s.ownSubscription(c)
	if err != nil {
		return reply{}, err
	}
	s.removeSubscription(sub)
	return noContent()
}

// ownSubscription finds the caller's subscription that the path names; the
// subscriptions of others do not exist for it, nor do expired ones. s.mu is
// held.
func (s *Server) ownSubscription(c *call) (*subscription, error) {
	if sub := c.tenant.findSubscription(c.path[1], c.now); sub != nil && sub.app == c.app {
		return sub, nil
	}
	return nil, refuse(http.StatusNotFound, "ResourceNotFound", "The object was not found.")
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
