// Package queue puts requests into an SQS queue, as JSON.
//
// A request may arrive twice: when an answer of SQS is lost, the SDK makes the call
// again. Package stamp bears that.
package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/sessionstamp/sessionstamp/shared/aws/internal/pacing"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

const (
	// entriesPerCall is what one SendMessageBatch takes
	// (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html).
	// So many requests stay far below its limit of bytes.
	entriesPerCall = 10
	// sendTries is how often messages that SQS failed to store are sent.
	sendTries = 3
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
		body, err := json.Marshal(d.Request)
		if err != nil {
			return fmt.Errorf("encode request of user %s: %w", d.Request.User, err)
		}
		entries[i] = types.SendMessageBatchRequestEntry{
			Id:           aws.String(strconv.Itoa(i)),
			MessageBody:  aws.String(string(body)),
			DelaySeconds: int32(math.Ceil(d.Delay.Seconds())),
		}
	}
	batches := slices.Collect(slices.Chunk(entries, entriesPerCall))
	errs := make([]error, len(batches))
	pacing.Each(len(batches), func(i int) { errs[i] = r.send(ctx, batches[i]) })
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("queue %d requests: %w", len(requests), err)
	}
	return nil
}

// send makes one call, and again for what SQS does not say it has stored: SQS answers 200
// also where it failed, and tells of each message whether that is the sender's fault
// (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_BatchResultErrorEntry.html).
// It returns nil only when all entries are stored.
func (r *Requests) send(ctx context.Context, entries []types.SendMessageBatchRequestEntry) error {
	for range sendTries {
		answer, err := r.client.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &r.url, Entries: entries})
		if err != nil {
			return err
		}
		for _, f := range answer.Failed {
			if f.SenderFault {
				return fmt.Errorf("SQS refuses a message: %s", aws.ToString(f.Code))
			}
		}
		stored := make(map[string]bool, len(answer.Successful))
		for _, s := range answer.Successful {
			stored[aws.ToString(s.Id)] = true
		}
		entries = slices.DeleteFunc(entries, func(e types.SendMessageBatchRequestEntry) bool { return stored[*e.Id] })
		if len(entries) == 0 {
			return nil
		}
	}
	return fmt.Errorf("SQS failed to store %d messages in %d tries", len(entries), sendTries)
}
