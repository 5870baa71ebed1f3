// Package webhook is the receiving end of Microsoft Graph's [change notifications
// delivered through webhooks]: the validation handshake, the check of each
// notification's clientState, and the hand-over to a queue before Graph is answered.
//
// It decides nothing about users. It queues what is authentic and about a user of the
// tenant. It drops everything else, counts it by [Reason], and answers 202 all the same:
// any status outside 2xx makes Graph send the same body again for up to four hours.
// Losing a notification is no disaster, because the sweep finds the user.
//
// [change notifications delivered through webhooks]: https://learn.microsoft.com/graph/change-notifications-delivery-webhooks
package webhook

import (
	"context"
	"log/slog"
	"time"

	"golang.org/x/time/rate"

	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

const (
	// Timeout limits the time from the end of the body to the answer: reading the secret
	// and queueing together. Graph waits 3 s at the first try, and if more than 10 % of
	// the answers take longer, it delays all notifications
	// (https://learn.microsoft.com/graph/change-notifications-delivery-webhooks). Half a
	// second is left to the network and to reading the body.
	Timeout = 2500 * time.Millisecond
	// RefreshPause is how long the handler waits, after it has read the secret anew for
	// an unknown clientState, before it does so again.
	RefreshPause = time.Minute
)

// Secrets knows the clientState that the tenant's subscription carries.
type Secrets interface {
	// ClientState returns it as [ClientState] derives it. It caches, unless fresh is set:
	// then it reads the secret again.
	ClientState(ctx context.Context, fresh bool) (string, error)
}

// Queue takes requests to look at users.
type Queue interface {
	// Enqueue returns nil only when all of the requests are durably queued. It returns
	// as soon as ctx ends. It may see the same requests again.
	Enqueue(ctx context.Context, requests []stamp.Request) error
}

// Observer is told of every POST once it has been answered, for metrics.
type Observer interface {
	// ObserveReceipt must not block: Graph's answer may wait for it.
	ObserveReceipt(ctx context.Context, receipt Receipt)
}

// Config is what a Handler is made of. All of it is required.
type Config struct {
	// Tenant is the Entra tenant id whose notifications are accepted, a lower-case GUID.
	Tenant  string
	Secrets Secrets
	Queue   Queue
	// Log gets one record per POST.
	Log      *slog.Logger
	Observer Observer
	// Now tells the calendar time.
	Now func() time.Time
}

// Handler answers Microsoft Graph. It is safe for concurrent use.
type Handler struct {
	config  Config
	refresh *rate.Limiter // of reading the secret anew
}

// New returns a Handler.
func New(c Config) *Handler {
	return &Handler{config: c, refresh: rate.NewLimiter(rate.Every(RefreshPause), 1)}
}
