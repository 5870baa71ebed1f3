package directory

import "time"

// Subscription is a change notification subscription as Graph's
// [subscription resource] shows it. It has no clientState: Graph never tells it,
// and it is a secret, which travels alone.
//
// [subscription resource]: https://learn.microsoft.com/graph/api/resources/subscription
type Subscription struct {
	// ID is Graph's id of it.
	ID string
	// Resource is what it watches: "users".
	Resource string
	// ChangeType is what it reports, several joined by commas:
	// "updated,deleted".
	ChangeType string
	// NotificationURL is where the changes are delivered.
	NotificationURL string
	// ApplicationID is the app that made it. Graph decides it.
	ApplicationID string
	// LatestTLS is latestSupportedTlsVersion: "v1_2".
	LatestTLS string
	// Expires is expirationDateTime. Of a subscription that Graph returned it is
	// what Graph granted, which may be less than was asked for.
	Expires time.Time
}
