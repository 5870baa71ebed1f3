package queue_test

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/aws/mototest"
	"github.com/sessionstamp/sessionstamp/shared/aws/queue"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/webhook"
)

var (
	_ stamp.Queue   = (*queue.Requests)(nil)
	_ webhook.Queue = (*queue.Requests)(nil)
)

// quick retries without the SDK's long waits.
func quick(config aws.Config) aws.Config {
	config.Retryer = mototest.QuickRetryer
	return config
}

// What is sent arrives, each request once and as it was, over several calls.
func TestRequestsArrive(t *testing.T) {
	t.Parallel()
	client := sqs.NewFromConfig(mototest.Config(mototest.Shared(t)))
	name := rand.Text()
	made, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name})
	if err != nil {
		t.Fatal(err)
	}
	requests := someRequests(23)
	want := make(map[string]stamp.Request)
	for _, r := range requests {
		want[r.User] = r
	}
	if err := queue.NewRequests(client, *made.QueueUrl).Enqueue(t.Context(), requests); err != nil {
		t.Fatal(err)
	}
	got := make(map[string]stamp.Request)
	for len(got) < len(want) {
		answer, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{
			QueueUrl: made.QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 60,
		})
		if err != nil || len(answer.Messages) == 0 {
			t.Fatalf("%d of %d arrived, %v", len(got), len(want), err)
		}
		for _, m := range answer.Messages {
			r, err := stamp.DecodeRequest([]byte(*m.Body))
			if _, twice := got[r.User]; err != nil || twice {
				t.Errorf("%s arrived, twice: %t, %v", *m.Body, twice, err)
			}
			got[r.User] = r
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sent and arrived (-sent +arrived):\n%s", diff)
	}
}

func TestADelayOutOfBoundsStoresNothing(t *testing.T) {
	t.Parallel()
	fake := &fakeSQS{fail: func(int, batchEntry) (string, bool) { return "", false }}
	for _, delay := range []time.Duration{-1, stamp.MaxDelay + 1} {
		delayed := []stamp.Delayed{{Request: someRequests(1)[0]}, {Request: someRequests(1)[0], Delay: delay}}
		if err := queue.NewRequests(fake.client(), "http://sqs.invalid/q").Postpone(t.Context(), delayed); err == nil || len(fake.calls) > 0 {
			t.Errorf("delay %s: %v after %d calls", delay, err, len(fake.calls))
		}
	}
}
