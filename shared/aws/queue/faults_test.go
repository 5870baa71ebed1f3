package queue_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/sessionstamp/sessionstamp/shared/aws/mototest"
	"github.com/sessionstamp/sessionstamp/shared/aws/queue"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/stamp/stamptest"
)

// batchEntry is an entry of SendMessageBatch, and batchResult one of its answer.
type batchEntry struct {
	ID           string `json:"Id"`
	MessageBody  string
	DelaySeconds int
}

type batchResult struct {
	ID          string `json:"Id"`
	MessageID   string `json:"MessageId,omitempty"`
	Code        string `json:",omitempty"`
	SenderFault bool   `json:",omitempty"`
}

// silence is a code for an entry that is not stored and not told of.
const silence = "silence"

// fakeSQS stores what it does not fail to, and counts calls.
type fakeSQS struct {
	// fail says, for the call of that number from 1 and an entry, with what code
	// SQS fails to store it, "" for not at all.
	fail  func(call int, e batchEntry) (code string, senderFault bool)
	mu    sync.Mutex
	calls []int // the number of entries in each
	store []string
	delay []int // of what is stored
}

func (f *fakeSQS) client() *sqs.Client {
	config := quick(mototest.Config("http://sqs.invalid"))
	config.HTTPClient = mototest.Intercept(f.answer)
	return sqs.NewFromConfig(config, func(o *sqs.Options) { o.DisableMessageChecksumValidation = true })
}

func (f *fakeSQS) answer(operation string, r *http.Request, _ mototest.Send) (*http.Response, error) {
	var request struct{ Entries []batchEntry }
	if err := mototest.Body(r, &request); err != nil || operation != "SendMessageBatch" {
		return nil, fmt.Errorf("%s: %w", operation, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, len(request.Entries))
	var result struct{ Successful, Failed []batchResult }
	for _, e := range request.Entries {
		if code, fault := f.fail(len(f.calls), e); code == silence {
			continue
		} else if code != "" {
			result.Failed = append(result.Failed, batchResult{ID: e.ID, Code: code, SenderFault: fault})
			continue
		}
		f.store, f.delay = append(f.store, e.MessageBody), append(f.delay, e.DelaySeconds)
		result.Successful = append(result.Successful, batchResult{ID: e.ID, MessageID: "m"})
	}
	return mototest.Answer(r, http.StatusOK, result)
}

func someRequests(n int) []stamp.Request {
	list := make([]stamp.Request, n)
	for i := range list {
		list[i] = stamp.Request{
			Tenant: stamptest.NewID(), User: stamptest.NewID(), Source: stamp.SourceSweep, Seen: time.Unix(0, 0).UTC(),
		}
	}
	return list
}

func TestWhatSQSFailedToStoreIsSentAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		failing := &fakeSQS{fail: func(call int, e batchEntry) (string, bool) {
			if call <= 2 && e.ID >= "5" {
				return "InternalError", false
			}
			return "", false
		}}
		requests := someRequests(8)
		if err := queue.NewRequests(failing.client(), "http://sqs.invalid/q").Enqueue(t.Context(), requests); err != nil {
			t.Fatalf("Enqueue: %v", err)
		}
		if want := []int{8, 3, 3}; !slices.Equal(failing.calls, want) {
			t.Errorf("the calls had %v entries, want %v: only what failed goes again", failing.calls, want)
		}
		for _, r := range requests {
			if !slices.ContainsFunc(failing.store, func(body string) bool { return strings.Contains(body, r.User) }) {
				t.Errorf("the request of user %s is lost", r.User)
			}
		}
		if len(failing.store) != len(requests) {
			t.Errorf("%d messages are stored, want %d", len(failing.store), len(requests))
		}
	})
}

func TestWhatIsNotStoredIsAnError(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		code  string
		fault bool
		calls int
	}{
		{"SQS keeps failing", "InternalError", false, 3},
		{"SQS says nothing of it", silence, false, 3},
		{"SQS will never take it", "InvalidMessageContents", true, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				requests := someRequests(3)
				failing := &fakeSQS{fail: func(_ int, e batchEntry) (string, bool) {
					if strings.Contains(e.MessageBody, requests[1].User) {
						return tt.code, tt.fault
					}
					return "", false
				}}
				err := queue.NewRequests(failing.client(), "http://sqs.invalid/q").Enqueue(t.Context(), requests)
				if err == nil {
					t.Error("Enqueue succeeded with a message that is not stored")
				}
				if got := len(failing.calls); got != tt.calls {
					t.Errorf("%d calls, want %d", got, tt.calls)
				}
			})
		})
	}
}

func TestThrottledCallsAreTriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake := &fakeSQS{fail: func(int, batchEntry) (string, bool) { return "", false }}
		attempts := 0
		config := quick(mototest.Config("http://sqs.invalid"))
		config.HTTPClient = mototest.Intercept(func(operation string, r *http.Request, send mototest.Send) (*http.Response, error) {
			if attempts++; attempts < 3 {
				return mototest.Refuse(r, http.StatusBadRequest, "RequestThrottled")
			}
			return fake.answer(operation, r, send)
		})
		client := sqs.NewFromConfig(config, func(o *sqs.Options) { o.DisableMessageChecksumValidation = true })
		if err := queue.NewRequests(client, "http://sqs.invalid/q").Enqueue(t.Context(), someRequests(4)); err != nil {
			t.Fatalf("Enqueue: %v", err)
		}
		if attempts != 3 || len(fake.store) != 4 {
			t.Errorf("%d attempts stored %d messages, want 3 and 4", attempts, len(fake.store))
		}
	})
}

func TestDelaysAreRoundedUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake := &fakeSQS{fail: func(int, batchEntry) (string, bool) { return "", false }}
		delays := []time.Duration{0, 1, time.Second, time.Second + 1, 1900 * time.Millisecond, stamp.MaxDelay - 1, stamp.MaxDelay}
		var delayed []stamp.Delayed
		for i, r := range someRequests(len(delays)) {
			delayed = append(delayed, stamp.Delayed{Request: r, Delay: delays[i]})
		}
		if err := queue.NewRequests(fake.client(), "http://sqs.invalid/q").Postpone(t.Context(), delayed); err != nil {
			t.Fatalf("Postpone: %v", err)
		}
		if want := []int{0, 1, 1, 2, 2, 900, 900}; !slices.Equal(fake.delay, want) {
			t.Errorf("SQS was told to wait %v seconds, want %v", fake.delay, want)
		}
	})
}
