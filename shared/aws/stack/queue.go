package stack

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/sessionstamp/sessionstamp/shared/aws/account"
	"github.com/sessionstamp/sessionstamp/shared/aws/queue"
)

// Waiting are the messages of a queue, as SQS counts them: about right, up to a minute old.
type Waiting struct {
	// Visible wait to be received, Hidden are being worked on or will be tried again,
	// Delayed come later.
	Visible, Hidden, Delayed int
}

// Sum is how many there are.
func (w Waiting) Sum() int { return w.Visible + w.Hidden + w.Delayed }

// Queues counts the requests that wait, and those that were given up.
func (s *Stack) Queues(ctx context.Context) (requests, dead Waiting, err error) {
	client := sqs.NewFromConfig(s.account.Config())
	if requests, err = s.count(ctx, client, "NotificationQueue"); err != nil {
		return requests, dead, err
	}
	dead, err = s.count(ctx, client, "DeadLetterQueue")
	return requests, dead, err
}

func (s *Stack) count(ctx context.Context, client *sqs.Client, logical string) (w Waiting, err error) {
	url, err := s.resource(logical)
	if err != nil {
		return w, err
	}
	got, err := client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: &url, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll},
	})
	if _, gone := errors.AsType[*types.QueueDoesNotExist](err); gone {
		return w, fmt.Errorf("%w: %w", ErrNoResource, err)
	}
	if err != nil {
		return w, account.Explain(err)
	}
	number := func(name types.QueueAttributeName) int {
		n, _ := strconv.Atoi(got.Attributes[string(name)]) // absent: none
		return n
	}
	return Waiting{
		number(types.QueueAttributeNameApproximateNumberOfMessages),
		number(types.QueueAttributeNameApproximateNumberOfMessagesNotVisible),
		number(types.QueueAttributeNameApproximateNumberOfMessagesDelayed),
	}, nil
}

// Requests is the queue that the stamper works off.
func (s *Stack) Requests() (*queue.Requests, error) {
	url, err := s.resource("NotificationQueue")
	if err != nil {
		return nil, err
	}
	return queue.NewRequests(sqs.NewFromConfig(s.account.Config()), url), nil
}
