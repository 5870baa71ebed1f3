package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/e2e/lambdatest"
	"github.com/sessionstamp/sessionstamp/shared/aws/mototest"
)

// A poller is an [event source mapping]: it gathers messages into batches, invokes the
// function, deletes what was handled, and leaves to the queue what failed. It acts with
// the rights of the function's role. A message that failed comes back at once, as if its
// visibility timeout had passed.
//
// [event source mapping]: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
type poller struct {
	queue, dead string // URLs
	batch       int
	window      time.Duration
	recursive   bool // the template allows chains
	program     *lambdatest.Program
	hops        *hops
	as          cloud // moto by way of the function's recorder
	admin       cloud
}

// newPoller is an event source of a function.
func (w *world) newPoller(mapping string) *poller {
	source, id, queue := w.stack.properties(mapping), w.stack.named(mapping, "FunctionName"), w.stack.named(mapping, "EventSourceArn")
	window, _ := source["MaximumBatchingWindowInSeconds"].(int)
	dead, f := pointed(w.stack.resource(queue)["Properties"].(object)["RedrivePolicy"].(object)["deadLetterTargetArn"]), w.functions[id]
	return &poller{queue: w.stack.ref(queue), dead: w.stack.ref(dead), batch: source["BatchSize"].(int),
		window: seconds(window), hops: &w.hops,
		recursive: w.stack.properties(id)["RecursiveLoop"] == "Allow",
		program:   f.program, as: cloud{f.recorder.server.URL, w.key(strings.TrimSuffix(id, "Function") + "Role")}, admin: w.cloud}
}

// named is the logical id that a property of a resource points to.
func (s *stack) named(id, property string) string {
	return pointed(s.resource(id)["Properties"].(object)[property])
}

// pointed is the logical id in a Ref or GetAtt.
func pointed(v any) string {
	id, _, _ := strings.Cut(v.(call).argument.(string), ".")
	return id
}

// maxHops is after how many invocations of one chain Lambda stops it
// (https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html).
const maxHops = 16

// stopped tells whether Lambda stops a chain instead of invoking the function for its
// hop-th message.
func (p *poller) stopped(hop int) bool { return !p.recursive && hop > maxHops }

// TestChainsAreStopped plays the 17th hop.
func TestChainsAreStopped(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		hop             int
		recursive, want bool
	}{{16, false, false}, {17, false, true}, {17, true, false}} {
		if got := (&poller{recursive: test.recursive}).stopped(test.hop); got != test.want {
			t.Errorf("hop %d, allowed %t: stopped %t", test.hop, test.recursive, got)
		}
	}
}

// run polls until the context ends.
func (p *poller) run(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := p.once(ctx); err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

// once gathers one batch, which may be empty, and has it handled.
func (p *poller) once(ctx context.Context) error {
	batch, hop, err := p.gather(ctx)
	if err != nil || len(batch) == 0 {
		return err
	}
	event, err := p.event(batch)
	if err != nil {
		return err
	}
	answer, err := p.program.InvokeHop(ctx, event, hop)
	failed := make(map[string]bool)
	if err == nil {
		failed, err = failures(answer, batch)
	}
	for _, m := range batch {
		if err == nil && !failed[m.MessageID] {
			if err := p.as.call(ctx, "AmazonSQS.DeleteMessage", object{"QueueUrl": p.queue, "ReceiptHandle": m.ReceiptHandle}, nil); err != nil {
				return err
			}
			continue
		}
		back := p.admin.call(context.WithoutCancel(ctx), "AmazonSQS.ChangeMessageVisibility",
			object{"QueueUrl": p.queue, "ReceiptHandle": m.ReceiptHandle, "VisibilityTimeout": 0}, nil)
		if back != nil {
			return back
		}
	}
	return nil
}

// gather receives until the batch is full or its window is over. Chains that are too long
// become dead letters. It returns the longest that is left.
func (p *poller) gather(ctx context.Context) (batch []message, hop int, err error) {
	ends := time.Now().Add(p.window)
	for len(batch) < p.batch && (len(batch) == 0 || time.Now().Before(ends)) {
		more, err := p.as.receive(ctx, p.queue, p.batch-len(batch))
		if err != nil || len(more) == 0 {
			return batch, hop, err
		}
		for _, m := range more {
			next := p.hops.of(m.Body) + 1
			if p.stopped(next) {
				if err := p.bury(ctx, m); err != nil {
					return nil, 0, err
				}
				continue
			}
			batch, hop = append(batch, m), max(hop, next)
		}
	}
	return batch, hop, nil
}

// bury makes a dead letter of a message.
func (p *poller) bury(ctx context.Context, m message) error {
	if err := p.admin.call(ctx, "AmazonSQS.SendMessage", object{"QueueUrl": p.dead, "MessageBody": m.Body}, nil); err != nil {
		return err
	}
	return p.admin.call(ctx, "AmazonSQS.DeleteMessage", object{"QueueUrl": p.queue, "ReceiptHandle": m.ReceiptHandle}, nil)
}

// event is a batch as the function gets it
// (https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html#example-standard-queue-message-event).
func (p *poller) event(batch []message) ([]byte, error) {
	var records []any
	for _, m := range batch {
		records = append(records, object{
			"messageId": m.MessageID, "receiptHandle": m.ReceiptHandle, "body": m.Body, "attributes": m.Attributes, "messageAttributes": object{},
			"eventSource": "aws:sqs", "eventSourceARN": queueARN(p.queue), "awsRegion": mototest.Region,
		})
	}
	return json.Marshal(object{"Records": records})
}

// failures reads which messages of the batch failed. An answer that cannot be read, or
// that names a message which is not of the batch, fails the whole batch, as in Lambda.
func failures(answer []byte, batch []message) (map[string]bool, error) {
	var a struct {
		BatchItemFailures []struct {
			ItemIdentifier string `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
	}
	decoder := json.NewDecoder(bytes.NewReader(answer))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&a); err != nil {
		return nil, fmt.Errorf("read the answer %s: %w", answer, err)
	}
	known, failed := make(map[string]bool), make(map[string]bool)
	for _, m := range batch {
		known[m.MessageID] = true
	}
	for _, item := range a.BatchItemFailures {
		if !known[item.ItemIdentifier] {
			return nil, fmt.Errorf("the answer %s names a message that was not in the batch", answer)
		}
		failed[item.ItemIdentifier] = true
	}
	return failed, nil
}
