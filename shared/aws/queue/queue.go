// Package queue puts requests and signals into SQS queues, as JSON.
//
// One may arrive twice: when an answer of SQS is lost, the SDK makes the call again.
// Package stamp bears that.
package queue

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// Requests is the queue of users to look at, as [stamp.Queue] and as the webhook's.
// It is safe for concurrent use.
type Requests struct {
	client *sqs.Client
	url    string
}

// NewRequests returns the queue with the URL. Throttled and failed calls are retried
// as the client's configuration says.
func NewRequests(client *sqs.Client, url string) *Requests {
	return &Requests{client: client, url: url}
}

// Enqueue stores all requests for delivery at once. After an error some may have been
// stored.
func (r *Requests) Enqueue(ctx context.Context, requests []stamp.Request) error {
	delayed := make([]stamp.Delayed, len(requests))
	for i, request := range requests {
		delayed[i].Request = request
	}
	return r.Postpone(ctx, delayed)
}

// Postpone implements [stamp.Queue]. SQS counts delays in seconds; they are
// rounded up. After an error some requests may have been stored, but none where a
// delay is out of bounds.
func (r *Requests) Postpone(ctx context.Context, requests []stamp.Delayed) error {
	entries := make([]types.SendMessageBatchRequestEntry, len(requests))
	for i, d := range requests {
		if d.Delay < 0 || d.Delay > stamp.MaxDelay {
			return fmt.Errorf("delay %s of user %s: SQS takes 0 to %s", d.Delay, d.Request.User, stamp.MaxDelay)
		}
		var err error
		if entries[i], err = entry(i, d.Request, d.Delay); err != nil {
			return fmt.Errorf("encode request of user %s: %w", d.Request.User, err)
		}
	}
	if err := store(ctx, r.client, r.url, entries); err != nil {
		return fmt.Errorf("queue %d requests: %w", len(requests), err)
	}
	return nil
}
