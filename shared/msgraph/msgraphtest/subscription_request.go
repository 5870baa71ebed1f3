package msgraphtest

import (
	"cmp"
	"encoding/json"
	"errors"
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
// be created with. Others belong to Web Push, to notifications with resource data,
// to lifecycle notifications, which are not emulated, or to Graph itself.
var settableProperties = []string{
	"changeType", "clientState", "expirationDateTime", "latestSupportedTlsVersion",
	"notificationUrl", "resource",
}

// refusalReply is the reply that a refusal asks for.
func refusalReply(err error) reply {
	var r *refusal
	if !errors.As(err, &r) {
		return fail(http.StatusInternalServerError, "InternalServerError", err.Error())
	}
	return reply{status: r.status, body: &r.failure}
}

// invalid refuses a value.
func invalid(format string, args ...any) error {
	return refuse(http.StatusBadRequest, "InvalidRequest", format, args...)
}

// malformed refuses what cannot even be read as a subscription.
func malformed(text string) error { return refuse(http.StatusBadRequest, "BadRequest", "%s", text) }

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
func decodeSubscription(body []byte, allowed ...string) (*subscriptionRequest, error) {
	var properties map[string]json.RawMessage
	if err := json.Unmarshal(body, &properties); err != nil {
		return nil, malformed("Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.")
	}
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if !slices.Contains(allowed, name) && !strings.HasPrefix(name, "@odata.") {
			return nil, invalid("The property '%s' is not supported for this subscription.", name)
		}
	}
	var request subscriptionRequest
	if err := json.Unmarshal(body, &request); err != nil {
		return nil, malformed("A value of the subscription cannot be converted to its type.")
	}
	return &request, nil
}

// parseSubscription makes a subscription of the body of a POST, or refuses it.
func parseSubscription(c *call) (*subscription, error) {
	request, err := decodeSubscription(c.body, settableProperties...)
	if err != nil {
		return nil, err
	}
	sub := &subscription{
		tenant: c.tenant, app: c.app,
		resource: request.Resource, changeType: request.ChangeType, clientState: request.ClientState,
		url: request.NotificationURL, tls: cmp.Or(request.LatestSupportedTLSVersion, defaultSubscriberTLS),
	}
	for _, check := range []func(*subscription) error{parseChangeType, checkResource, checkURL, checkClientState, checkTLS} {
		if err := check(sub); err != nil {
			return nil, err
		}
	}
	sub.expires, err = request.expiry(c.now)
	return sub, err
}

// parseChangeType knows the two kinds of change that users have: created is
// told as updated.
func parseChangeType(sub *subscription) error {
	for kind := range strings.SplitSeq(sub.changeType, ",") {
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

// checkResource knows the users, "/users". Graph also has one user, "/users/{id}".
func checkResource(sub *subscription) error {
	if !strings.EqualFold(strings.TrimPrefix(sub.resource, "/"), "users") {
		return invalid("Resource '%s' is not supported for change notifications.", sub.resource)
	}
	return nil
}

func checkURL(sub *subscription) error {
	u, err := url.Parse(sub.url)
	switch {
	case err != nil, u.Scheme == "", u.Host == "", u.Fragment != "":
		return invalid("NotificationUrl is not a valid absolute URL.")
	case u.Scheme != "https":
		return invalid("NotificationUrl scheme='%s' is not supported.", u.Scheme)
	}
	return nil
}

// checkClientState takes the stricter of two pages each time: the webhooks page
// requires one, which the subscription page has as optional; the subscription page
// limits it to 128 characters, the changeNotification page to 255.
func checkClientState(sub *subscription) error {
	if sub.clientState == "" {
		return invalid("clientState is required.")
	}
	if utf8.RuneCountInString(sub.clientState) > maxClientState {
		return invalid("clientState is longer than %d characters.", maxClientState)
	}
	return nil
}

func checkTLS(sub *subscription) error {
	if !slices.Contains(subscriberTLS, sub.tls) {
		return invalid("Invalid 'latestSupportedTlsVersion' attribute: '%s'.", sub.tls)
	}
	return nil
}

// expiry is when the subscription expires; Graph may grant another moment than the
// one asked for.
func (r *subscriptionRequest) expiry(now time.Time) (time.Time, error) {
	if r.ExpirationDateTime == nil {
		return time.Time{}, invalid("expirationDateTime is required.")
	}
	life := r.ExpirationDateTime.Sub(now)
	switch {
	case life <= 0:
		return time.Time{}, invalid("Subscription expiration must be in the future.")
	case life > maxSubscriptionLife:
		return time.Time{}, refuse(http.StatusBadRequest, "ExtensionError",
			"Subscription expiration can only be %d minutes in the future.", maxSubscriptionLife/time.Minute)
	}
	return now.Add(max(life, minSubscriptionLife)), nil
}
