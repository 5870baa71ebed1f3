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
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

const (
	// DefaultEnqueueTimeout leaves half a second of MaxEnqueueTimeout to the network
	// and to reading the body.
	DefaultEnqueueTimeout = 2500 * time.Millisecond
	// MaxEnqueueTimeout is how long Graph waits at the first try. If more than 10 % of
	// the answers take longer, it delays all notifications
	// (https://learn.microsoft.com/graph/change-notifications-delivery-webhooks).
	MaxEnqueueTimeout = 3 * time.Second
	// RefreshPause is how long the handler waits, after it has read the secret anew for
	// an unknown clientState, before it does so again.
	RefreshPause = time.Minute
)

// Secrets knows the clientStates that the tenant's subscription may carry.
type Secrets interface {
	// ClientStates returns the accepted clientStates, see [ClientState]. It caches,
	// unless fresh is set: then it reads the secret again.
	ClientStates(ctx context.Context, fresh bool) ([]string, error)
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

// Config is what a Handler is made of.
type Config struct {
	// Tenant is the Entra tenant id whose notifications are accepted, a lower-case GUID.
	Tenant string
	// Secrets and Queue are required.
	Secrets Secrets
	Queue   Queue
	// Log is required; it gets one record per POST.
	Log *slog.Logger
	// Observer may be nil.
	Observer Observer
	// EnqueueTimeout limits the time from the end of the body to the answer: reading
	// the secret and queueing together. 0 means DefaultEnqueueTimeout; it must stay
	// below MaxEnqueueTimeout.
	EnqueueTimeout time.Duration
	// Now tells the calendar time; nil means time.Now.
	Now func() time.Time
}

// Handler answers Microsoft Graph. It is safe for concurrent use.
type Handler struct {
	config config

	mu        sync.Mutex
	refreshed time.Time // when the secret was last read anew
}

type config Config

// New returns a Handler, or all the faults of the configuration at once, each by the
// name of its field.
func New(c Config) (*Handler, error) {
	if c.EnqueueTimeout == 0 {
		c.EnqueueTimeout = DefaultEnqueueTimeout
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if err := c.faults(); err != nil {
		return nil, fmt.Errorf("webhook: %w", err)
	}
	return &Handler{config: config(c)}, nil
}

func (c *Config) faults() error {
	var faults []error
	check := func(ok bool, fault string) {
		if !ok {
			faults = append(faults, errors.New(fault))
		}
	}
	check(directory.IsID(c.Tenant), "Tenant is not a lower-case GUID")
	check(c.Secrets != nil, "Secrets is missing")
	check(c.Queue != nil, "Queue is missing")
	check(c.Log != nil, "Log is missing")
	check(c.EnqueueTimeout > 0 && c.EnqueueTimeout < MaxEnqueueTimeout,
		fmt.Sprintf("EnqueueTimeout is not between 0 and %s", MaxEnqueueTimeout))
	return errors.Join(faults...)
}

// ClientState derives the clientState of a tenant's subscription from the stack's
// secret, so that no two tenants share one. It has 43 characters; Graph admits 128
// (https://learn.microsoft.com/graph/api/resources/subscription#properties).
func ClientState(secret, tenant string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(tenant))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
