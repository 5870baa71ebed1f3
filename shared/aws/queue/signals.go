package queue

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/sessionstamp/sessionstamp/shared/signal"
)

// Signals are the two queues of what providers report, as the receiver's. It is safe for
// concurrent use.
type Signals struct {
	client      *sqs.Client
	url, urgent string
}

// NewSignals returns the queues with the URLs: that of urgent messages, so that they never
// wait behind the others, and that of all others. Calls are retried as with [NewRequests].
func NewSignals(client *sqs.Client, url, urgent string) *Signals {
	return &Signals{client: client, url: url, urgent: urgent}
}

// Enqueue stores all messages for delivery at once, urgent ones first. After an error some
// may have been stored. Its error holds nothing of a message.
func (s *Signals) Enqueue(ctx context.Context, messages []signal.Message) error {
	var urgent, others []types.SendMessageBatchRequestEntry
	for i := range messages {
		e, err := entry(i, messages[i], 0)
		switch {
		case err != nil:
			return fmt.Errorf("encode a message: %w", err)
		case messages[i].Urgent():
			urgent = append(urgent, e)
		default:
			others = append(others, e)
		}
	}
	err := errors.Join(store(ctx, s.client, s.urgent, urgent), store(ctx, s.client, s.url, others))
	if err != nil {
		return fmt.Errorf("queue %d messages: %w", len(messages), err)
	}
	return nil
}
