package msgraph

import (
	"context"
	"errors"
	"time"
	"unicode/utf8"

	abstractions "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/subscriptions"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/answer"
)

// maxSubscriptionPages bounds the pages followed. An app has at most a hundred
// subscriptions in a tenant.
const maxSubscriptionPages = 20

// MaxClientState is how many characters a clientState may have at most.
const MaxClientState = 128

// What makes a call on a subscription end before it is sent. None tells the value.
var (
	errClientState    = errors.New("a clientState has 1 to 128 characters that are not blank")
	errExpiry         = errors.New("the subscription's expiry is missing")
	errSubscriptionID = errors.New("the subscription's id is not a GUID")
)

// Subscriptions returns the app's subscriptions in the tenant, whatever they
// watch. Errors are *directory.Error. See [List subscriptions].
//
// Graph allows this call seldom: 25 times in 20 seconds.
//
// [List subscriptions]: https://learn.microsoft.com/graph/api/subscription-list
func (c *Client) Subscriptions(ctx context.Context) ([]directory.Subscription, error) {
	info, err := c.subscriptions().ToGetRequestInformation(ctx, nil)
	if err != nil {
		return nil, unsent(opListSubscriptions, err)
	}
	return readAll(ctx, c, opListSubscriptions, info, maxSubscriptionPages, c.pages.Subscriptions)
}

// CreateSubscription creates the subscription and returns it as Graph granted it.
// What Graph decides is not asked for: ID and ApplicationID. While the call is
// open, Graph calls the URL and expects an answer to its [handshake].
//
// Errors are *directory.Error: unless NotDone is set, the subscription may exist.
// Where Graph says what is wrong with the URL, or which quota is used up, Message
// has it. The clientState appears in no error.
//
// It needs the permission to read what is watched: for users, User.Read.All. See
// [Create subscription].
//
// [handshake]: https://learn.microsoft.com/graph/change-notifications-delivery-webhooks
// [Create subscription]: https://learn.microsoft.com/graph/api/subscription-post-subscriptions
func (c *Client) CreateSubscription(ctx context.Context, s directory.Subscription, clientState string) (directory.Subscription, error) {
	if err := checkNew(s, clientState); err != nil {
		return directory.Subscription{}, unsent(opCreateSubscription, err)
	}
	info, err := c.subscriptions().ToPostRequestInformation(ctx, newSubscription(s, clientState), nil)
	got, err := c.sendMade(ctx, opCreateSubscription, info, err)
	if err != nil {
		return directory.Subscription{}, redact(err, clientState)
	}
	return answer.Subscription(got)
}

// RenewSubscription makes the subscription expire at another time, and authorizes it
// anew. It returns the subscription as Graph granted it.
// A 404 is final: the subscription is gone, and only a new one helps. Errors are
// *directory.Error: unless NotDone is set, the subscription may have been renewed.
// See [Update subscription].
//
// [Update subscription]: https://learn.microsoft.com/graph/api/subscription-update
func (c *Client) RenewSubscription(ctx context.Context, id string, expires time.Time) (directory.Subscription, error) {
	if err := checkRenewal(id, expires); err != nil {
		return directory.Subscription{}, unsent(opRenewSubscription, err)
	}
	body := models.NewSubscription()
	body.SetExpirationDateTime(new(expires.UTC()))
	info, err := c.subscription(id).ToPatchRequestInformation(ctx, body, nil)
	got, err := c.sendMade(ctx, opRenewSubscription, info, err)
	if err != nil {
		return directory.Subscription{}, err
	}
	return answer.RenewedSubscription(got, id)
}

// DeleteSubscription deletes the subscription. One that is gone already is a 404.
// Errors are *directory.Error: unless NotDone is set, it may have been deleted. See
// [Delete subscription].
//
// [Delete subscription]: https://learn.microsoft.com/graph/api/subscription-delete
func (c *Client) DeleteSubscription(ctx context.Context, id string) error {
	if !directory.IsID(id) {
		return unsent(opDeleteSubscription, errSubscriptionID)
	}
	info, err := c.subscription(id).ToDeleteRequestInformation(ctx, nil)
	_, err = c.sendMade(ctx, opDeleteSubscription, info, err)
	return err
}

// subscriptions starts a request about all subscriptions.
func (c *Client) subscriptions() *subscriptions.SubscriptionsRequestBuilder {
	return subscriptions.NewSubscriptionsRequestBuilderInternal(c.pathParameters(), c.adapter)
}

// subscription starts a request about one subscription.
func (c *Client) subscription(id string) *subscriptions.SubscriptionItemRequestBuilder {
	return c.subscriptions().BySubscriptionId(id)
}

// sendMade sends a request, unless err says that it could not be made.
func (c *Client) sendMade(ctx context.Context, operation string, info *abstractions.RequestInformation, err error) (answer.Answer, error) {
	if err != nil {
		return answer.Answer{}, unsent(operation, err)
	}
	return c.send(ctx, operation, info)
}

// checkNew refuses what must not become a subscription: without a clientState
// nobody can tell Graph's notifications from a stranger's.
func checkNew(s directory.Subscription, clientState string) error {
	switch n := utf8.RuneCountInString(clientState); {
	case n > MaxClientState, answer.OneLine(clientState) == "":
		return errClientState
	case s.Expires.IsZero():
		return errExpiry
	}
	return nil
}

// checkRenewal refuses what must not become part of a path, and a renewal to no
// time at all.
func checkRenewal(id string, expires time.Time) error {
	switch {
	case !directory.IsID(id):
		return errSubscriptionID
	case expires.IsZero():
		return errExpiry
	}
	return nil
}

// newSubscription is the body that asks for a subscription. What is empty is not
// sent, because Graph refuses properties that do not go with others.
func newSubscription(s directory.Subscription, clientState string) *models.Subscription {
	body := models.NewSubscription()
	body.SetResource(&s.Resource)
	body.SetChangeType(&s.ChangeType)
	body.SetNotificationUrl(&s.NotificationURL)
	if s.LatestTLS != "" {
		body.SetLatestSupportedTlsVersion(&s.LatestTLS)
	}
	body.SetExpirationDateTime(new(s.Expires.UTC()))
	body.SetClientState(&clientState)
	return body
}

// redact takes the clientState out of Graph's text, should Graph repeat it there.
func redact(err error, clientState string) error {
	if e, ok := errors.AsType[*directory.Error](err); ok {
		e.Message = answer.Redact(e.Message, clientState)
	}
	return err
}
