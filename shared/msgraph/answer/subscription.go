package answer

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// Subscription reads the subscription that is the whole answer. Errors are
// [*directory.Error].
func Subscription(a Answer) (directory.Subscription, error) {
	s, err := readSubscription(a.Body)
	if err != nil {
		return directory.Subscription{}, a.Distrust(err)
	}
	return s, nil
}

// Subscriptions reads a page of [List subscriptions] and the address of the next,
// which is empty after the last. One that cannot be read fails the page. Errors are
// [*directory.Error].
//
// [List subscriptions]: https://learn.microsoft.com/graph/api/subscription-list
func (p Pages) Subscriptions(a Answer) (page []directory.Subscription, next string, err error) {
	return ReadAll(p, a, readSubscription)
}

// readSubscription reads a [subscription resource] without its clientState, which is
// never held. Without its id nobody could renew it, and without its expiry nobody would
// know when to.
//
// [subscription resource]: https://learn.microsoft.com/graph/api/resources/subscription
func readSubscription(body []byte) (directory.Subscription, error) {
	var w struct {
		ID              string    `json:"id"`
		Resource        string    `json:"resource"`
		ChangeType      string    `json:"changeType"`
		NotificationURL string    `json:"notificationUrl"`
		ApplicationID   string    `json:"applicationId"`
		LatestTLS       string    `json:"latestSupportedTlsVersion"`
		Expires         time.Time `json:"expirationDateTime"`
	}
	err := json.Unmarshal(body, &w)
	s := directory.Subscription(w)
	s.ID, s.ApplicationID, s.Expires = strings.ToLower(w.ID), strings.ToLower(w.ApplicationID), w.Expires.UTC()
	if err != nil || !directory.IsID(s.ID) || s.Expires.IsZero() {
		return directory.Subscription{}, ErrShape
	}
	return s, nil
}
