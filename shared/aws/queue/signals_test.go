package queue_test

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/aws/mototest"
	"github.com/sessionstamp/sessionstamp/shared/aws/queue"
	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/signal/receiver"
	"github.com/sessionstamp/sessionstamp/shared/stamp/stamptest"
)

var _ receiver.Queue = (*queue.Signals)(nil)

// someMessages are of as many users; every third is urgent. The last says only that its
// source was heard.
func someMessages(n int) []signal.Message {
	list := make([]signal.Message, n)
	for i := range list {
		kind, id := signal.PasswordChanged, stamptest.NewID()
		if i%3 == 0 {
			kind = signal.UserDisabled
		}
		list[i] = signal.Message{Tenant: "t", Source: "s", Received: time.Unix(1, 0).UTC(), Signal: &signal.Signal{
			Source: "s", Kind: kind, Subject: signal.Subject{Format: signal.ObjectID, Value: id}, At: time.Unix(0, 0).UTC(), ID: id,
		}}
	}
	list[n-1].Signal, list[n-1].Heartbeat, list[n-1].Status = nil, true, "paused"
	return list
}

func key(m signal.Message) string {
	if m.Signal == nil {
		return ""
	}
	return m.Signal.ID
}

// What is sent arrives, each message once, as it was and in its queue.
func TestSignalsArrive(t *testing.T) {
	t.Parallel()
	client := sqs.NewFromConfig(mototest.Config(mototest.Shared(t)))
	url, urgent := newQueue(t, client), newQueue(t, client)
	messages := someMessages(47)
	want := map[string]map[string]signal.Message{url: {}, urgent: {}}
	for _, m := range messages {
		if m.Urgent() {
			want[urgent][key(m)] = m
		} else {
			want[url][key(m)] = m
		}
	}
	if err := queue.NewSignals(client, url, urgent).Enqueue(t.Context(), messages); err != nil {
		t.Fatal(err)
	}
	for address, all := range want {
		got := arrived(t, client, address, len(all), func(body []byte) (string, signal.Message, error) {
			var m signal.Message
			err := json.Unmarshal(body, &m)
			return key(m), m, err
		})
		if diff := cmp.Diff(all, got); diff != "" {
			t.Errorf("sent and arrived differ in %d bytes", len(diff)) // it would tell names
		}
	}
}

// One message that is not stored is an error, which does not tell whom it is about.
func TestSignalsThatAreNotStored(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		messages := someMessages(500)           // the most that a POST of any provider holds
		for _, lost := range []int{0, 1, 499} { // urgent, not urgent, heard
			body, _ := json.Marshal(messages[lost])
			failing := &fakeSQS{fail: func(_ int, e batchEntry) (string, bool) {
				if e.MessageBody == string(body) {
					return "InternalError", false
				}
				return "", false
			}}
			err := queue.NewSignals(failing.client(), "http://sqs.invalid/q", "http://sqs.invalid/u").Enqueue(t.Context(), messages)
			if err == nil || len(failing.store) != len(messages)-1 || key(messages[lost]) != "" && strings.Contains(err.Error(), key(messages[lost])) {
				t.Errorf("%d of %d messages are stored, %v", len(failing.store), len(messages), err)
			}
		}
	})
}
