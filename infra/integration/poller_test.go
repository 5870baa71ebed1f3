package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/integration/lambdatest"
	"github.com/sessionstamp/sessionstamp/infra/integration/templatetest"
	"github.com/sessionstamp/sessionstamp/shared/aws/mototest"
)

// A poller is an [event source mapping]: it gathers messages into batches, invokes the
// function, deletes what was handled, and leaves to the queue what failed. It acts
// with the rights of the function's role.
//
// A message that failed comes back at once, as if its visibility timeout, of twelve
// minutes and more, had passed.
//
// [event source mapping]: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
type poller struct {
	source  templatetest.EventSource
	queue   string // its URL
	program *lambdatest.Program
	as      cloud // moto by way of the function's recorder
	admin   cloud
}

// run polls until the context ends.
func (p *poller) run(ctx context.Context) error {
	for ctx.Err() == nil {
		if _, err := p.once(ctx); err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

// once gathers one batch, which may be empty, and has it handled. It returns how many
// messages it had.
func (p *poller) once(ctx context.Context) (int, error) {
	batch, err := p.gather(ctx)
	if err != nil || len(batch) == 0 {
		return 0, err
	}
	event, err := p.event(batch)
	if err != nil {
		return 0, err
	}
	answer, err := p.program.Invoke(ctx, event)
	failed := make(map[string]bool)
	if err == nil {
		failed, err = failures(answer, batch)
	}
	for _, m := range batch {
		if err != nil || failed[m.MessageID] {
			err := p.admin.call(context.WithoutCancel(ctx), "AmazonSQS.ChangeMessageVisibility", map[string]any{
				"QueueUrl": p.queue, "ReceiptHandle": m.ReceiptHandle, "VisibilityTimeout": 0}, nil)
			if err != nil {
				return 0, err
			}
			continue
		}
		if err := p.as.call(ctx, "AmazonSQS.DeleteMessage", map[string]any{"QueueUrl": p.queue, "ReceiptHandle": m.ReceiptHandle}, nil); err != nil {
			return 0, err
		}
	}
	return len(batch), nil
}

// gather receives until the batch is full or its window is over.
func (p *poller) gather(ctx context.Context) ([]message, error) {
	batch, err := p.as.receive(ctx, p.queue, p.source.BatchSize, 1)
	if err != nil || len(batch) == 0 {
		return nil, err
	}
	ends := time.Now().Add(p.source.Window)
	for len(batch) < p.source.BatchSize && time.Now().Before(ends) {
		more, err := p.as.receive(ctx, p.queue, p.source.BatchSize-len(batch), 1)
		if err != nil {
			return nil, err
		}
		batch = append(batch, more...)
	}
	return batch, nil
}

// record is one message as the function gets it
// (https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html#example-standard-queue-message-event).
type queueRecord struct {
	MessageID         string            `json:"messageId"`
	ReceiptHandle     string            `json:"receiptHandle"`
	Body              string            `json:"body"`
	Attributes        map[string]string `json:"attributes"`
	MessageAttributes map[string]any    `json:"messageAttributes"`
	MD5OfBody         string            `json:"md5OfBody"`
	EventSource       string            `json:"eventSource"`
	EventSourceARN    string            `json:"eventSourceARN"`
	Region            string            `json:"awsRegion"`
}

func (p *poller) event(batch []message) ([]byte, error) {
	var event struct {
		Records []queueRecord `json:"Records"`
	}
	for _, m := range batch {
		event.Records = append(event.Records, queueRecord{
			MessageID: m.MessageID, ReceiptHandle: m.ReceiptHandle, Body: m.Body, MD5OfBody: m.MD5OfBody,
			Attributes: m.Attributes, MessageAttributes: map[string]any{},
			EventSource: "aws:sqs", EventSourceARN: p.source.Queue, Region: mototest.Region,
		})
	}
	return json.Marshal(event)
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
	known := make(map[string]bool)
	for _, m := range batch {
		known[m.MessageID] = true
	}
	failed := make(map[string]bool)
	for _, item := range a.BatchItemFailures {
		if !known[item.ItemIdentifier] {
			return nil, fmt.Errorf("the answer %s names a message that was not in the batch", answer)
		}
		failed[item.ItemIdentifier] = true
	}
	return failed, nil
}

// bodyHolds tells whether any message of a list holds a text.
func bodyHolds(messages []message, text string) bool {
	for _, m := range messages {
		if strings.Contains(m.Body, text) {
			return true
		}
	}
	return false
}
