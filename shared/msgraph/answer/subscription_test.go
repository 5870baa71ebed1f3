package answer_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/answer"
)

const (
	// subscriptionID is the id of the subscription in these tests.
	subscriptionID = "5f0e1c8e-3a1d-4a63-8a5b-6e6f1d2c9a01"
	grantedExpiry  = "2026-12-23T22:00:00.5Z"
)

// subscriptionJSON is the subscription as Graph answers, with that id and expiry.
func subscriptionJSON(id, expires string) string {
	return `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#subscriptions/$entity","id":"` + id + `",` +
		`"resource":"users","applicationId":"24D3B144-21AE-4080-943F-7067B395B913","changeType":"updated",` +
		`"clientState":"` + clientState + `","notificationUrl":"https://hook.example.com/notifications?a=b&c=d",` +
		`"lifecycleNotificationUrl":"https://hook.example.com/lifecycle","expirationDateTime":"` + expires + `",` +
		`"creatorId":"8ee44408-0679-472c-bc2a-692812af3437","latestSupportedTlsVersion":"v1_2","notificationContentType":null}`
}

// granted is what subscriptionJSON shows.
func granted() directory.Subscription {
	return directory.Subscription{
		ID:              subscriptionID,
		Resource:        "users",
		ChangeType:      "updated",
		NotificationURL: "https://hook.example.com/notifications?a=b&c=d",
		ApplicationID:   "24d3b144-21ae-4080-943f-7067b395b913",
		LatestTLS:       "v1_2",
		Expires:         time.Date(2026, 12, 23, 22, 0, 0, 5e8, time.UTC),
	}
}

func TestSubscriptions(t *testing.T) {
	t.Parallel()
	one := subscriptionJSON(strings.ToUpper(subscriptionID), grantedExpiry)
	got, err := answer.Subscription(said(http.StatusCreated, one))
	if diff := cmp.Diff(granted(), got); err != nil || diff != "" {
		t.Errorf("%v, subscription (-want +got):\n%s", err, diff)
	}
	list, next, err := pages.Subscriptions(said(http.StatusOK, pageOf("", one, one)))
	if diff := cmp.Diff([]directory.Subscription{granted(), granted()}, list); err != nil || next != "" || diff != "" {
		t.Errorf("%v, subscriptions (-want +got):\n%s", err, diff)
	}
}

// An answer of success that cannot be relied on: the call may have taken effect.
func TestSubscriptionsAreDistrusted(t *testing.T) {
	t.Parallel()
	bodies := map[string]string{
		"nothing":          ``,
		"null":             `null`,
		"list":             `[]`,
		"HTML":             `<html>` + clientState,
		"empty":            `{}`,
		"no id":            subscriptionJSON("", grantedExpiry),
		"path as id":       subscriptionJSON("../users", grantedExpiry),
		"secret as id":     subscriptionJSON(clientState, grantedExpiry),
		"no expiry":        `{"id":"` + subscriptionID + `"}`,
		"null expiry":      `{"id":"` + subscriptionID + `","expirationDateTime":null}`,
		"secret as expiry": subscriptionJSON(subscriptionID, clientState),
		"number as type":   `{"id":"` + subscriptionID + `","changeType":7,"expirationDateTime":"` + grantedExpiry + `"}`,
	}
	for name, body := range bodies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := answer.Subscription(said(http.StatusCreated, body))
			if e := discreet(t, err); e.NotDone || e.StatusCode != http.StatusCreated || got != (directory.Subscription{}) {
				t.Errorf("subscription %+v, error %+v", got, e)
			}
			if body == "" {
				body = `null`
			}
			list, _, err := pages.Subscriptions(said(http.StatusOK, pageOf("", subscriptionJSON(subscriptionID, grantedExpiry), body)))
			if discreet(t, err); list != nil {
				t.Errorf("list %+v", list)
			}
		})
	}
}

// Whatever stands for a subscription, it has an id and an expiry, and its secret is
// not told.
func FuzzSubscription(f *testing.F) {
	f.Add(subscriptionJSON(subscriptionID, grantedExpiry))
	f.Add(subscriptionJSON(strings.ToUpper(subscriptionID), "2026-12-23T22:00:00+09:00"))
	f.Add(`{"id":"` + subscriptionID + `","expirationDateTime":{}}`)
	f.Add(`null`)
	f.Fuzz(func(t *testing.T, body string) {
		s, err := answer.Subscription(said(http.StatusOK, body))
		if err == nil {
			checkSubscription(t, s)
			return
		}
		if discreet(t, err); s != (directory.Subscription{}) {
			t.Errorf("an error came with %+v", s)
		}
	})
}

func checkSubscription(t *testing.T, s directory.Subscription) {
	t.Helper()
	if !directory.IsID(s.ID) || s.Expires.IsZero() || s.Expires.Location() != time.UTC {
		t.Errorf("subscription %+v", s)
	}
}
