package answer

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// wireSubscription is a [subscription resource] without its clientState, which is
// never held.
//
// [subscription resource]: https://learn.microsoft.com/graph/api/resources/subscription
type wireSubscription struct {
	ID              string    `json:"id"`
	Resource        string    `json:"resource"`
	ChangeType      string    `json:"changeType"`
	NotificationURL string    `json:"notificationUrl"`
	ApplicationID   string    `json:"applicationId"`
	LatestTLS       string    `json:"latestSupportedTlsVersion"`
	Expires         time.Time `json:"expirationDateTime"`
}

// Subscription reads the subscription that is the whole answer. Errors are
// [*directory.Error].
func Subscription(a Answer) (directory.Subscription, error) {
	var w wireSubscription
	if json.Unmarshal(a.Body, &w) != nil {
		return directory.Subscription{}, a.Distrust(ErrShape)
	}
	s, err := w.subscription()
	if err != nil {
		return directory.Subscription{}, a.Distrust(err)
	}
	return s, nil
}

// RenewedSubscription reads the subscription of that id, which is the whole answer.
// Errors are [*directory.Error].
func RenewedSubscription(a Answer, id string) (directory.Subscription, error) {
	s, err := Subscription(a)
	if err == nil && s.ID != id {
		return directory.Subscription{}, a.Distrust(ErrOtherSubscription)
	}
	return s, err
}

// Subscriptions reads a page of [List subscriptions] and the address of the next,
// which is empty after the last. One that cannot be read fails the page. Errors are
// [*directory.Error].
//
// [List subscriptions]: https://learn.microsoft.com/graph/api/subscription-list
func (p Pages) Subscriptions(a Answer) (page []directory.Subscription, next string, err error) {
	list, err := readCollection[wireSubscription](p, a.Body, "")
	if err != nil {
		return nil, "", a.Distrust(err)
	}
	page, err = each(list, wireSubscription.subscription)
	if err != nil {
		return nil, "", a.Distrust(err)
	}
	return page, list.Next, nil
}

// subscription is what was read, or ErrShape: without its id nobody could renew a
// subscription, and without its expiry nobody would know when to.
func (w wireSubscription) subscription() (directory.Subscription, error) {
	s := directory.Subscription(w)
	s.ID, s.ApplicationID, s.Expires = strings.ToLower(w.ID), strings.ToLower(w.ApplicationID), w.Expires.UTC()
	if !directory.IsID(s.ID) || s.Expires.IsZero() {
		return directory.Subscription{}, ErrShape
	}
	return s, nil
}
