package msgraphtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// What https://learn.microsoft.com/graph/api/resources/subscription says of the
// properties of a subscription on users.
const (
	maxSubscriptionLife  = 41_760 * time.Minute // "under 29 days"
	minSubscriptionLife  = 45 * time.Minute     // anything shorter is raised to it
	maxClientState       = 128                  // characters
	defaultSubscriberTLS = "v1_2"
)

var subscriberTLS = []string{"v1_0", "v1_1", "v1_2", "v1_3"}

// settableProperties are those an ordinary webhook subscription on users may
// be created with.
var settableProperties = []string{
	"changeType", "clientState", "expirationDateTime", "latestSupportedTlsVersion",
	"notificationUrl", "resource",
}

// unsupportedProperties exist, but belong to Web Push, to notifications with
// resource data, to lifecycle notifications, which are not emulated, or to Graph
// itself.
var unsupportedProperties = []string{
	"applicationId", "creatorId", "encryptionCertificate", "encryptionCertificateId", "id",
	"includeResourceData", "lifecycleNotificationUrl", "notificationContentType", "notificationQueryOptions", "notificationUrlAppId",
	"vapidPublicKey", "webPushEncryptionP256dhPublicKey", "webPushEncryptionSecret",
}

// updatableProperties are those of
// https://learn.microsoft.com/graph/api/subscription-update#request-body.
var updatableProperties = []string{"expirationDateTime", "notificationUrl"}

// refusalReply is the reply that a refusal asks for.
func refusalReply(err error) reply {
	var r *refusal
	if !errors.As(err, &r) {
		return fail(http.StatusInternalServerError, "InternalServerError", err.Error())
	}
	return fail(r.status, r.code, r.message)
}

// invalid refuses a value.
func invalid(format string, args ...any) error {
	return &refusal{http.StatusBadRequest, "InvalidRequest", fmt.Sprintf(format, args...)}
}

// malformed refuses what cannot even be read as a subscription.
func malformed(format string, args ...any) error {
	return &refusal{http.StatusBadRequest, "BadRequest", fmt.Sprintf(format, args...)}
}

// subscriptionRequest is the body of a POST or PATCH.
type subscriptionRequest struct {
	ChangeType                string     `json:"changeType"`
	ClientState               string     `json:"clientState"`
	ExpirationDateTime        *time.Time `json:"expirationDateTime"`
	LatestSupportedTLSVersion string     `json:"latestSupportedTlsVersion"`
	NotificationURL           string     `json:"notificationUrl"`
	Resource                  string     `json:"resource"`
}

// decodeSubscription reads a body that may have the allowed properties only.
func decodeSubscription(body []byte, allowed []string) (*subscriptionRequest, error) {
	var properties map[string]json.RawMessage
	if err := json.Unmarshal(body, &properties); err != nil {
		return nil, malformed("Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.")
	}
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if err := checkProperty(name, properties[name], allowed); err != nil {
			return nil, err
		}
	}
	var request subscriptionRequest
	if err := json.Unmarshal(body, &request); err != nil {
		return nil, malformed("A value of the subscription cannot be converted to its type.")
	}
	return &request, nil
}

func checkProperty(name string, value json.RawMessage, allowed []string) error {
	switch {
	case slices.Contains(allowed, name), strings.HasPrefix(name, "@odata."):
		return nil
	case slices.Contains(settableProperties, name):
		return invalid("The property '%s' of a subscription cannot be changed.", name)
	case !slices.Contains(unsupportedProperties, name):
		return malformed("The property '%s' does not exist on type 'microsoft.graph.subscription'. Make sure to only use property names that are defined by the type.", name)
	case string(value) == "null", name == "includeResourceData" && string(value) == "false":
		return nil
	}
	return invalid("The property '%s' is not supported for this subscription.", name)
}

// parseSubscription makes a subscription of the body of a POST, or refuses it.
func (s *Server) parseSubscription(c *call) (*subscription, error) {
	request, err := decodeSubscription(c.body, settableProperties)
	if err != nil {
		return nil, err
	}
	sub := &subscription{
		tenant: c.tenant, app: c.app,
		resource: request.Resource, changeType: request.ChangeType, clientState: request.ClientState,
		url: request.NotificationURL,
	}
	for _, step := range []func(*subscription, *subscriptionRequest) error{
		parseChangeType, parseResource, parseURL, parseClientState, parseTLS,
	} {
		if err := step(sub, request); err != nil {
			return nil, err
		}
	}
	sub.expires, err = s.parseExpiry(request, c.now)
	return sub, err
}

// parseChangeType knows the two kinds of change that users have: created is
// told as updated.
func parseChangeType(sub *subscription, r *subscriptionRequest) error {
	for kind := range strings.SplitSeq(r.ChangeType, ",") {
		var wanted *bool
		switch strings.ToLower(strings.TrimSpace(kind)) {
		case "updated":
			wanted = &sub.updated
		case "deleted":
			wanted = &sub.deleted
		}
		if wanted == nil || *wanted {
			return invalid("Invalid 'changeType' attribute: '%s'.", kind)
		}
		*wanted = true
	}
	return nil
}

// parseResource knows the users, "/users", and one user, "/users/{id}".
func parseResource(sub *subscription, r *subscriptionRequest) error {
	collection, id, single := strings.Cut(strings.TrimPrefix(r.Resource, "/"), "/")
	if _, ok := parseID(id); !strings.EqualFold(collection, "users") || single && !ok {
		return invalid("Resource '%s' is not supported for change notifications.", r.Resource)
	}
	sub.user = strings.ToLower(id)
	return nil
}

func parseURL(_ *subscription, r *subscriptionRequest) error { return checkURL(r.NotificationURL) }

func checkURL(raw string) error {
	u, err := url.Parse(raw)
	switch {
	case raw == "":
		return invalid("NotificationUrl is required.")
	case err != nil, u.Scheme == "", u.Host == "", u.Fragment != "":
		return invalid("NotificationUrl is not a valid absolute URL.")
	case u.Scheme != "https":
		return invalid("NotificationUrl scheme='%s' is not supported.", u.Scheme)
	}
	return nil
}

// parseClientState takes the stricter of two pages each time: the webhooks page
// requires one, which the subscription page has as optional; the subscription page
// limits it to 128 characters, the changeNotification page to 255.
func parseClientState(_ *subscription, r *subscriptionRequest) error {
	if r.ClientState == "" {
		return invalid("clientState is required.")
	}
	if utf8.RuneCountInString(r.ClientState) > maxClientState {
		return invalid("clientState is longer than %d characters.", maxClientState)
	}
	return nil
}

func parseTLS(sub *subscription, r *subscriptionRequest) error {
	sub.tls = r.LatestSupportedTLSVersion
	if sub.tls == "" {
		sub.tls = defaultSubscriberTLS
	}
	if !slices.Contains(subscriberTLS, sub.tls) {
		return invalid("Invalid 'latestSupportedTlsVersion' attribute: '%s'.", sub.tls)
	}
	return nil
}

// parseExpiry is when the subscription expires; Graph may grant another moment
// than the one asked for.
func (s *Server) parseExpiry(r *subscriptionRequest, now time.Time) (time.Time, error) {
	if r.ExpirationDateTime == nil {
		return time.Time{}, invalid("expirationDateTime is required.")
	}
	life := r.ExpirationDateTime.Sub(now)
	switch {
	case life <= 0:
		return time.Time{}, invalid("Subscription expiration must be in the future.")
	case life < minSubscriptionLife:
		life = minSubscriptionLife
	case life > maxSubscriptionLife && s.delivery().ShortenExpiry:
		life = maxSubscriptionLife
	case life > maxSubscriptionLife:
		message := fmt.Sprintf("Subscription expiration can only be %d minutes in the future.", maxSubscriptionLife/time.Minute)
		return time.Time{}, &refusal{http.StatusBadRequest, "ExtensionError", message}
	}
	return now.Add(life), nil
}
