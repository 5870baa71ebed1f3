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

// newQueue makes a queue and returns its URL.
func newQueue(t *testing.T, client *sqs.Client) string {
	t.Helper()
	name := rand.Text()
	made, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name})
	if err != nil {
		t.Fatal(err)
	}
	return *made.QueueUrl
}

// arrived returns what n messages hold, each by its key. None may come twice.
func arrived[T any](t *testing.T, client *sqs.Client, url string, n int, decode func(body []byte) (string, T, error)) map[string]T {
	t.Helper()
	got := make(map[string]T)
	for len(got) < n {
		answer, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{
			QueueUrl: &url, MaxNumberOfMessages: 10, VisibilityTimeout: 60,
		})
		if err != nil || len(answer.Messages) == 0 {
			t.Fatalf("%d of %d arrived, %v", len(got), n, err)
		}
		for _, m := range answer.Messages {
			key, value, err := decode([]byte(*m.Body))
			if _, twice := got[key]; err != nil || twice {
				t.Errorf("a message arrived, twice: %t, %v", twice, err)
			}
			got[key] = value
		}
	}
	return got
}

// What is sent arrives, each request once and as it was, over several calls.
func TestRequestsArrive(t *testing.T) {
	t.Parallel()
	client := sqs.NewFromConfig(mototest.Config(mototest.Shared(t)))
	url, requests := newQueue(t, client), someRequests(23)
	want := make(map[string]stamp.Request)
	for _, r := range requests {
		want[r.User] = r
	}
	if err := queue.NewRequests(client, url).Enqueue(t.Context(), requests); err != nil {
		t.Fatal(err)
	}
	got := arrived(t, client, url, len(want), func(body []byte) (string, stamp.Request, error) {
		r, err := stamp.DecodeRequest(body)
		return r.User, r, err
	})
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
