package msgraph

import (
	"context"
	"errors"
	"time"

	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/subscriptions"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/answer"
)

// Subscriptions returns the app's subscriptions in the tenant, whatever they
// watch. Errors are *directory.Error. See [List subscriptions].
//
// Graph allows this call seldom: 25 times in 20 seconds.
//
// [List subscriptions]: https://learn.microsoft.com/graph/api/subscription-list
func (c *Client) Subscriptions(ctx context.Context) ([]directory.Subscription, error) {
	info, err := c.subscriptions().ToGetRequestInformation(ctx, nil)
	first, err := c.Read(ctx, opListSubscriptions, info, err)
	return ReadAll(ctx, c, first, err, c.pages.Subscriptions)
}

// CreateSubscription creates the subscription and returns it as Graph granted it.
// What Graph decides is not asked for: ID and ApplicationID. While the call is
// open, Graph calls the URL and expects an answer to its [handshake].
//
// Errors are *directory.Error: unless NotDone is set, the subscription may exist.
// Where Graph says what is wrong with the URL, or which quota is used up, Message
// has it. The clientState, which must not be blank, appears in no error.
//
// It needs the permission to read what is watched: for users, User.Read.All. See
// [Create subscription].
//
// [handshake]: https://learn.microsoft.com/graph/change-notifications-delivery-webhooks
// [Create subscription]: https://learn.microsoft.com/graph/api/subscription-post-subscriptions
func (c *Client) CreateSubscription(ctx context.Context, s directory.Subscription, clientState string) (directory.Subscription, error) {
	info, err := c.subscriptions().ToPostRequestInformation(ctx, newSubscription(s, clientState), nil)
	got, err := c.Send(ctx, opCreateSubscription, info, err)
	if e, ok := errors.AsType[*directory.Error](err); ok {
		e.Message = answer.Redact(e.Message, clientState)
		return directory.Subscription{}, e
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
	body := models.NewSubscription()
	body.SetExpirationDateTime(new(expires.UTC()))
	info, err := c.subscription(id).ToPatchRequestInformation(ctx, body, nil)
	got, err := c.Send(ctx, opRenewSubscription, info, err)
	if err != nil {
		return directory.Subscription{}, err
	}
	return answer.Subscription(got)
}

// DeleteSubscription deletes the subscription. One that is gone already is a 404.
// Errors are *directory.Error: unless NotDone is set, it may have been deleted. See
// [Delete subscription].
//
// [Delete subscription]: https://learn.microsoft.com/graph/api/subscription-delete
func (c *Client) DeleteSubscription(ctx context.Context, id string) error {
	info, err := c.subscription(id).ToDeleteRequestInformation(ctx, nil)
	_, err = c.Send(ctx, opDeleteSubscription, info, err)
	return err
}

// subscriptions starts a request about all subscriptions.
func (c *Client) subscriptions() *subscriptions.SubscriptionsRequestBuilder {
	return subscriptions.NewSubscriptionsRequestBuilderInternal(c.pathParameters(), c.adapter)
}

// subscription starts a request about one subscription. Its id is escaped in the path.
func (c *Client) subscription(id string) *subscriptions.SubscriptionItemRequestBuilder {
	return c.subscriptions().BySubscriptionId(id)
}

// newSubscription is the body that asks for a subscription.
func newSubscription(s directory.Subscription, clientState string) *models.Subscription {
	body := models.NewSubscription()
	body.SetResource(&s.Resource)
	body.SetChangeType(&s.ChangeType)
	body.SetNotificationUrl(&s.NotificationURL)
	body.SetLatestSupportedTlsVersion(&s.LatestTLS)
	body.SetExpirationDateTime(new(s.Expires.UTC()))
	body.SetClientState(&clientState)
	return body
}
