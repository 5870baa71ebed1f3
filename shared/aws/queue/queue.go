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
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/sessionstamp/sessionstamp/shared/aws/internal/pacing"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// What one SendMessageBatch takes
// (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html).
const (
	entriesPerCall = 10
	// bytesPerCall is the limit of China's regions; elsewhere it is four times that.
	// A single longer message is left to SQS to judge.
	bytesPerCall = 256 << 10
)

const (
	// callsAtOnce is as many connections as the SDK's HTTP client keeps open to one
	// host.
	callsAtOnce = 10
	// sendTries is how often messages that SQS failed to store are sent: for some
	// two seconds, so that a webhook can still say so in time.
	sendTries = 6
)

// Requests is the queue of users to look at, as [stamp.Queue] and as the webhook's.
// It is safe for concurrent use.
type Requests struct{ sender }

// NewRequests returns the queue with the URL. Throttled and failed calls are retried
// as the client's configuration says.
func NewRequests(client *sqs.Client, url string) *Requests {
	return &Requests{sender{client: client, url: url}}
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
	messages := make([]message, len(requests))
	for i, d := range requests {
		if d.Delay < 0 || d.Delay > stamp.MaxDelay {
			return fmt.Errorf("delay %s of user %s: SQS takes 0 to %s", d.Delay, d.Request.User, stamp.MaxDelay)
		}
		body, err := json.Marshal(d.Request)
		if err != nil {
			return fmt.Errorf("encode request of user %s: %w", d.Request.User, err)
		}
		messages[i] = message{body: string(body), delay: wholeSeconds(d.Delay)}
	}
	if err := r.send(ctx, messages); err != nil {
		return fmt.Errorf("queue %d requests: %w", len(requests), err)
	}
	return nil
}

func wholeSeconds(d time.Duration) int32 {
	return int32(math.Ceil(d.Seconds())) // at most MaxDelay, 900
}

// message is what SQS is to store, to be delivered after a delay in seconds.
type message struct {
	body  string
	delay int32
}

// sender sends to one queue.
type sender struct {
	client *sqs.Client
	url    string
}

// send returns nil only when all messages are stored.
func (s sender) send(ctx context.Context, messages []message) error {
	batches := split(messages)
	errs := make([]error, len(batches))
	pacing.Each(len(batches), callsAtOnce, func(i int) {
		errs[i] = s.sendBatch(ctx, batches[i])
	})
	return errors.Join(errs...)
}

// split cuts messages into what one call takes.
func split(messages []message) [][]message {
	var batches [][]message
	size := 0
	for i, m := range messages {
		if i == 0 || len(batches[len(batches)-1]) == entriesPerCall || size+len(m.body) > bytesPerCall {
			batches, size = append(batches, nil), 0
		}
		last := len(batches) - 1
		batches[last] = append(batches[last], m)
		size += len(m.body)
	}
	return batches
}

// sendBatch sends one call, and again what SQS failed to store. SQS answers 200 and
// lists those, each with whether it is the sender's fault
// (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_BatchResultErrorEntry.html).
func (s sender) sendBatch(ctx context.Context, batch []message) error {
	for try := range sendTries {
		answer, err := s.client.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{
			QueueUrl: &s.url,
			Entries:  entries(batch),
		})
		if err != nil {
			return err
		}
		if batch, err = failed(batch, answer.Failed); err != nil || len(batch) == 0 {
			return err
		}
		if err := pacing.Backoff(ctx, try); err != nil {
			return err
		}
	}
	return fmt.Errorf("SQS failed to store %d messages in %d tries", len(batch), sendTries)
}

// entries are the messages with their place in the call as their id.
func entries(batch []message) []types.SendMessageBatchRequestEntry {
	list := make([]types.SendMessageBatchRequestEntry, len(batch))
	for i, m := range batch {
		id := strconv.Itoa(i)
		list[i] = types.SendMessageBatchRequestEntry{Id: &id, MessageBody: &m.body, DelaySeconds: m.delay}
	}
	return list
}

// failed returns the messages of the call that are to be sent again, or an error for
// one that SQS will never take.
func failed(batch []message, results []types.BatchResultErrorEntry) ([]message, error) {
	var again []message
	for _, result := range results {
		i, err := strconv.Atoi(value(result.Id))
		switch {
		case err != nil || i < 0 || i >= len(batch):
			return nil, errors.New("SQS answers for a message that it was not sent")
		case result.SenderFault:
			return nil, fmt.Errorf("SQS refuses a message of %d bytes: %s", len(batch[i].body), value(result.Code))
		}
		again = append(again, batch[i])
	}
	return again, nil
}

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
