// Package webhook is the receiving end of Microsoft Graph's [change notifications
// delivered through webhooks]: the validation handshake, the check of each
// notification's clientState, and the hand-over to a queue before Graph is
// answered.
//
// It decides nothing about users. What it accepts is authentic and about a user
// of the tenant; all else is dropped, counted by [Reason], and answered like the
// rest, since any status outside 2xx makes Graph send the same body again for up
// to four hours. Losing a notification is no disaster: the sweep finds the user.
//
// [change notifications delivered through webhooks]: https://learn.microsoft.com/graph/change-notifications-delivery-webhooks
package webhook

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/notification"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
)

const (
	// DefaultEnqueueTimeout leaves half a second of MaxEnqueueTimeout to the
	// network and to reading the body.
	DefaultEnqueueTimeout = 2500 * time.Millisecond
	// MaxEnqueueTimeout is how long Graph waits at the first try. If more than
	// 10 % of the answers take longer, it delays all notifications.
	//
	// Source: https://learn.microsoft.com/graph/change-notifications-delivery-webhooks
	MaxEnqueueTimeout = 3 * time.Second
)

// Secrets knows the clientState that the subscriptions were made with.
type Secrets interface {
	// ClientStates returns the current secret and, while a rotation is under
	// way, the previous one, else "". It is asked at most once per POST, so it
	// should cache.
	ClientStates(ctx context.Context) (current, previous string, err error)
}

// Queue takes requests to look at users.
type Queue interface {
	// Enqueue returns nil only when all of the requests are durably queued. It
	// returns as soon as ctx ends. It may see the same requests again.
	Enqueue(ctx context.Context, requests []revocation.Request) error
}

// LifecycleQueue takes what Graph has to say about the subscriptions.
type LifecycleQueue interface {
	// EnqueueLifecycle is to events what [Queue].Enqueue is to requests. The
	// events come with the time at which they were received and without their
	// clientState.
	EnqueueLifecycle(ctx context.Context, events []notification.Lifecycle) error
}

// Observer is told of every POST once it has been answered, for metrics.
type Observer interface {
	// ObserveReceipt must not block: Graph's answer may wait for it.
	ObserveReceipt(ctx context.Context, receipt Receipt)
}

// Config is what a Handler is made of.
type Config struct {
	// Tenant is the Entra tenant id, a GUID, whose notifications are accepted.
	Tenant string
	// Secrets, Queue and Lifecycle are required.
	Secrets   Secrets
	Queue     Queue
	Lifecycle LifecycleQueue
	// Log is required; it gets one record per POST.
	Log *slog.Logger
	// Observer may be nil.
	Observer Observer
	// EnqueueTimeout limits the time from the end of the body to the answer:
	// fetching the secrets and both queues together. 0 means
	// DefaultEnqueueTimeout; it must stay below MaxEnqueueTimeout.
	EnqueueTimeout time.Duration
	// Now tells the calendar time; nil means time.Now.
	Now func() time.Time
}

// Handler answers Microsoft Graph. It is safe for concurrent use.
type Handler struct {
	tenant    string
	secrets   Secrets
	queue     Queue
	lifecycle LifecycleQueue
	log       *slog.Logger
	observer  Observer
	timeout   time.Duration
	now       func() time.Time
}

// New returns a Handler, or all the faults of the configuration at once, each by
// the name of its field.
func New(c Config) (*Handler, error) {
	tenant, isGUID := notification.CanonicalGUID(c.Tenant)
	if c.EnqueueTimeout == 0 {
		c.EnqueueTimeout = DefaultEnqueueTimeout
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if err := c.faults(isGUID); err != nil {
		return nil, fmt.Errorf("webhook: %w", err)
	}
	return &Handler{
		tenant:    tenant,
		secrets:   c.Secrets,
		queue:     c.Queue,
		lifecycle: c.Lifecycle,
		log:       c.Log,
		observer:  c.Observer,
		timeout:   c.EnqueueTimeout,
		now:       c.Now,
	}, nil
}

func (c *Config) faults(tenantIsGUID bool) error {
	var faults []error
	check := func(ok bool, fault string) {
		if !ok {
			faults = append(faults, errors.New(fault))
		}
	}
	check(tenantIsGUID, "Tenant is not a GUID")
	check(c.Secrets != nil, "Secrets is missing")
	check(c.Queue != nil, "Queue is missing")
	check(c.Lifecycle != nil, "Lifecycle is missing")
	check(c.Log != nil, "Log is missing")
	check(c.EnqueueTimeout > 0 && c.EnqueueTimeout < MaxEnqueueTimeout,
		fmt.Sprintf("EnqueueTimeout is not between 0 and %s", MaxEnqueueTimeout))
	return errors.Join(faults...)
}
