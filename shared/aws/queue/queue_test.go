package queue_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/sessionstamp/sessionstamp/shared/aws/mototest"
	"github.com/sessionstamp/sessionstamp/shared/aws/queue"
	"github.com/sessionstamp/sessionstamp/shared/notification"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
	"github.com/sessionstamp/sessionstamp/shared/revocation/revocationtest"
	"github.com/sessionstamp/sessionstamp/shared/webhook"
)

var (
	_ revocation.Queue       = (*queue.Requests)(nil)
	_ webhook.Queue          = (*queue.Requests)(nil)
	_ webhook.LifecycleQueue = (*queue.Lifecycles)(nil)
)

func TestRequestsConform(t *testing.T) {
	t.Parallel()
	client := sqs.NewFromConfig(mototest.Config(mototest.Shared(t)))
	revocationtest.TestQueue(t, revocationtest.RealTime, func(t *testing.T, s revocationtest.QueueSettings) revocationtest.Queue {
		dead := newQueue(t, client, nil)
		main := newQueue(t, client, map[string]string{
			string(types.QueueAttributeNameVisibilityTimeout): fmt.Sprintf("%.0f", s.Visibility.Seconds()),
			string(types.QueueAttributeNameRedrivePolicy): fmt.Sprintf(
				`{"deadLetterTargetArn":%q,"maxReceiveCount":%d}`, dead.arn, s.MaxReceives),
		})
		return revocationtest.Queue{
			Sender:  queue.NewRequests(client, main.url),
			Receive: main.receive,
			DeadLetters: func(ctx context.Context) ([][]byte, error) {
				// A message moves when it would be delivered once more.
				if _, err := main.bodies(ctx); err != nil {
					return nil, err
				}
				return dead.bodies(ctx)
			},
		}
	})
}

// realQueue is a queue in moto's SQS.
type realQueue struct {
	client   *sqs.Client
	url, arn string
}

func newQueue(t *testing.T, client *sqs.Client, attributes map[string]string) realQueue {
	t.Helper()
	name := rand.Text()
	made, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
	if err != nil {
		t.Fatalf("create a queue: %v", err)
	}
	return realQueue{
		client: client,
		url:    *made.QueueUrl,
		arn:    fmt.Sprintf("arn:aws:sqs:%s:%s:%s", mototest.Region, mototest.Account, name),
	}
}

// receive waits for messages until there is one.
func (q realQueue) receive(ctx context.Context) ([]revocationtest.Message, error) {
	for {
		answer, err := q.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl: &q.url, MaxNumberOfMessages: 10, WaitTimeSeconds: 1,
		})
		if err != nil {
			return nil, err
		}
		if len(answer.Messages) > 0 {
			return q.messages(answer.Messages), nil
		}
	}
}

func (q realQueue) messages(received []types.Message) []revocationtest.Message {
	list := make([]revocationtest.Message, len(received))
	for i, m := range received {
		list[i] = revocationtest.Message{
			Body: []byte(*m.Body),
			Delete: func(ctx context.Context) error {
				_, err := q.client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &q.url, ReceiptHandle: m.ReceiptHandle})
				return err
			},
		}
	}
	return list
}

// bodies returns what can be received at once.
func (q realQueue) bodies(ctx context.Context) ([][]byte, error) {
	var all [][]byte
	for {
		answer, err := q.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl: &q.url, MaxNumberOfMessages: 10, VisibilityTimeout: 60,
		})
		if err != nil || len(answer.Messages) == 0 {
			return all, err
		}
		for _, m := range answer.Messages {
			all = append(all, []byte(*m.Body))
		}
	}
}

func TestLifecyclesRoundTrip(t *testing.T) {
	t.Parallel()
	client := sqs.NewFromConfig(mototest.Config(mototest.Shared(t)))
	q := newQueue(t, client, nil)
	events := make([]notification.Lifecycle, 23) // three calls
	want := make(map[notification.Lifecycle]bool, len(events))
	for i := range events {
		events[i] = notification.Lifecycle{
			SubscriptionID: revocationtest.NewID(), TenantID: revocationtest.NewID(), Event: notification.ReauthorizationRequired,
			Received: time.Date(2026, 11, 22, 12, 0, i, 5, time.UTC),
		}
		want[events[i]] = true
	}
	if err := queue.NewLifecycles(client, q.url).EnqueueLifecycle(t.Context(), events); err != nil {
		t.Fatalf("EnqueueLifecycle: %v", err)
	}
	bodies, err := q.bodies(t.Context())
	if err != nil || len(bodies) != len(events) {
		t.Fatalf("%d messages arrived, %v, want %d", len(bodies), err, len(events))
	}
	for _, body := range bodies {
		var event notification.Lifecycle
		if err := json.Unmarshal(body, &event); err != nil || !want[event] {
			t.Errorf("%s arrived, %v, which was not sent", body, err)
		}
		delete(want, event)
	}
}

// quick retries without the SDK's long waits.
func quick(config aws.Config) aws.Config {
	config.Retryer = mototest.QuickRetryer
	return config
}
