package memory

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// Requests puts requests into a queue, as JSON like the twin over SQS.
type Requests struct{ Queue *Queue }

// Enqueue stores all requests for delivery at once.
func (r Requests) Enqueue(ctx context.Context, requests []stamp.Request) error {
	delayed := make([]stamp.Delayed, len(requests))
	for i, request := range requests {
		delayed[i].Request = request
	}
	return r.Postpone(ctx, delayed)
}

// Postpone stores all requests, each for delivery after its delay.
func (r Requests) Postpone(ctx context.Context, requests []stamp.Delayed) error {
	for _, d := range requests {
		if d.Delay < 0 || d.Delay > stamp.MaxDelay {
			return fmt.Errorf("delay %s of user %s: SQS takes 0 to %s", d.Delay, d.Request.User, stamp.MaxDelay)
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
