package memory

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/sessionstamp/sessionstamp/shared/notification"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
)

// Requests puts requests into a queue, as JSON like the twin over SQS.
type Requests struct{ Queue *Queue }

// Enqueue stores all requests for delivery at once.
func (r Requests) Enqueue(ctx context.Context, requests []revocation.Request) error {
	delayed := make([]revocation.Delayed, len(requests))
	for i, request := range requests {
		delayed[i].Request = request
	}
	return r.Postpone(ctx, delayed)
}

// Postpone stores all requests, each for delivery after its delay.
func (r Requests) Postpone(ctx context.Context, requests []revocation.Delayed) error {
	for _, d := range requests {
		if d.Delay < 0 || d.Delay > revocation.MaxDelay {
			return fmt.Errorf("delay %s of user %s: SQS takes 0 to %s", d.Delay, d.Request.User, revocation.MaxDelay)
		}
		body, err := json.Marshal(d.Request)
		if err != nil {
			return fmt.Errorf("encode request of user %s: %w", d.Request.User, err)
		}
		if err := r.Queue.Send(ctx, body, d.Delay); err != nil {
			return fmt.Errorf("send request of user %s: %w", d.Request.User, err)
		}
	}
	return nil
}

// Lifecycles puts lifecycle events into a queue of their own, as JSON.
type Lifecycles struct{ Queue *Queue }

// EnqueueLifecycle stores all events for delivery at once.
func (l Lifecycles) EnqueueLifecycle(ctx context.Context, events []notification.Lifecycle) error {
	for _, event := range events {
		body, err := json.Marshal(event)
		if err != nil {
			return fmt.Errorf("encode lifecycle event of subscription %s: %w", event.SubscriptionID, err)
		}
		if err := l.Queue.Send(ctx, body, 0); err != nil {
			return fmt.Errorf("send lifecycle event of subscription %s: %w", event.SubscriptionID, err)
		}
	}
	return nil
}
