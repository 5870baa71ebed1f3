// Package notification reads what Microsoft Graph posts to a subscription's
// notificationUrl and lifecycleNotificationUrl: the [change notification
// collection] with [change notifications] for users and [lifecycle
// notifications] in it.
//
// Nothing in a notification is to be believed before its clientState has been
// compared with the subscription's: the package reads, it does not judge. It
// accepts the shapes that Microsoft documents as well as those that were seen on
// the wire; where they differ, the field says so.
//
// [change notification collection]: https://learn.microsoft.com/graph/api/resources/changenotificationcollection
// [change notifications]: https://learn.microsoft.com/graph/api/resources/changenotification
// [lifecycle notifications]: https://learn.microsoft.com/graph/change-notifications-lifecycle-events
package notification

import (
	"fmt"
	"time"
)

// ChangeType tells what happened to the resource, in lower case. For users Graph
// knows only [Updated] and [Deleted].
//
// Source: https://learn.microsoft.com/graph/api/resources/subscription
type ChangeType string

const (
	// Updated is sent when a user is created, changed or soft-deleted; nothing
	// tells the three apart.
	Updated ChangeType = "updated"
	// Deleted is sent when a user is deleted for good.
	Deleted ChangeType = "deleted"
)

// A Change is a notification that something about a user changed. It does not
// say what, and one change raises several of them, in any order.
//
// Source: https://learn.microsoft.com/graph/api/resources/changenotification
type Change struct {
	// SubscriptionID is a lower-case GUID, or empty where Graph left it out.
	SubscriptionID string
	// ClientState is the only proof that the notification is Graph's; at most
	// [MaxClientState] characters, or empty where it was left out.
	ClientState ClientState
	// ChangeType is never empty, but may be a word that this package does not know.
	ChangeType ChangeType
	// Resource is what changed, as Graph spelled it: "Users/{id}", "users/{id}"
	// or empty. At most [MaxResource] bytes. It may hold a name, so it must not
	// be logged.
	Resource string
	// TenantID is a lower-case GUID: tenantId, or organizationId where Graph
	// sends that instead.
	TenantID string
	// UserID is a lower-case GUID: resourceData.id, or else the id in Resource.
	// It is empty if, and only if, Resource is something other than a user.
	UserID string
	// EventTime is when the change happened, in UTC: the zero Time where Graph
	// did not say or it could not be read.
	EventTime time.Time
	// Sequence is resourceData.sequenceNumber, which exceeds 2^53 and comes as a
	// number or as a string: 0 where it is absent or unreadable.
	Sequence uint64
	// Expires is when the subscription ends, in UTC; zero like EventTime.
	Expires time.Time
}

// Event tells what a lifecycle notification is about.
//
// Source: https://learn.microsoft.com/graph/change-notifications-lifecycle-events
type Event string

const (
	// ReauthorizationRequired asks for the subscription to be renewed or
	// reauthorized. It is the only event that Graph sends for users.
	ReauthorizationRequired Event = "reauthorizationRequired"
	// SubscriptionRemoved tells that the subscription is gone. Not for users.
	SubscriptionRemoved Event = "subscriptionRemoved"
	// Missed tells that notifications were not delivered. Not for users.
	Missed Event = "missed"
)

// Known tells whether the event is one that Microsoft documents.
func (e Event) Known() bool {
	return e == ReauthorizationRequired || e == SubscriptionRemoved || e == Missed
}

// A Lifecycle is a notification about a subscription itself. Its JSON is what
// waits in the queue of sessionstamp's keeper, not what Graph sends: there the
// clientState, which has done its work by then, is left out.
//
// Source: https://learn.microsoft.com/graph/change-notifications-lifecycle-events
type Lifecycle struct {
	// SubscriptionID is a lower-case GUID.
	SubscriptionID string `json:"subscription"`
	// ClientState is as in [Change].
	ClientState ClientState `json:"-"`
	// TenantID is as in [Change].
	TenantID string `json:"tenant"`
	// Event is never empty, but may be one that is not [Event.Known].
	Event Event `json:"event"`
	// Expires is when the subscription ends, in UTC: the zero Time where Graph
	// did not say or it could not be read.
	Expires time.Time `json:"expires,omitzero"`
	// Received is when the webhook took it in, in UTC: the zero Time where nobody
	// has said. [Decode] never sets it, whatever the sender wrote.
	Received time.Time `json:"received,omitzero"`
}

// A Collection is one POST of Graph: whatever of it could be read, and why the
// rest could not. It may belong to several subscriptions and even tenants. The
// order within each slice is that of the body, which means nothing.
type Collection struct {
	Changes    []Change
	Lifecycles []Lifecycle
	Bad        []ItemError
}

// Len returns the number of elements that the POST held, good and bad.
func (c *Collection) Len() int { return len(c.Changes) + len(c.Lifecycles) + len(c.Bad) }

// An ItemError tells why one element of a collection could not be read. It holds
// nothing of what the sender wrote, so that it can be logged.
type ItemError struct {
	// Index is the element's place in the body, from 0.
	Index int
	// Field is the JSON name of the field at fault; empty if it is the whole element.
	Field string
	// Problem is the reason in a few words: "not a GUID".
	Problem string
}

// Error returns index, field and problem.
func (e ItemError) Error() string {
	if e.Field == "" {
		return fmt.Sprintf("item %d: %s", e.Index, e.Problem)
	}
	return fmt.Sprintf("item %d: %s: %s", e.Index, e.Field, e.Problem)
}
