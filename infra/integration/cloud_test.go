package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path"
	"strings"

	"github.com/sessionstamp/sessionstamp/shared/aws/mototest"
)

// A cloud is AWS as moto plays it, spoken to as an administrator would, past all
// records and policies.
type cloud struct{ endpoint string }

// signing is the service that each protocol is signed for, which is how moto knows
// whom it is asked for.
var signing = map[string]string{"AmazonSQS": "sqs", "DynamoDB_20120810": "dynamodb", "secretsmanager": "secretsmanager"}

// call makes one call of the AWS JSON protocol: target is "AmazonSQS.SendMessage".
func (c cloud) call(ctx context.Context, target string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.endpoint, bytes.NewReader(body))
	if err != nil {
		return err
	}
	service, _, _ := strings.Cut(target, ".")
	request.Header.Set("X-Amz-Target", target)
	request.Header.Set("Content-Type", "application/x-amz-json-1.0")
	request.Header.Set("Authorization", fmt.Sprintf(
		"AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260101/%s/%s/aws4_request, SignedHeaders=host, Signature=0",
		mototest.Region, signing[service]))
	answer, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s: %s", target, answer.Status, text)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(text, out)
}

// message is a message as ReceiveMessage returns it.
type message struct {
	MessageID     string            `json:"MessageId"`
	ReceiptHandle string            `json:"ReceiptHandle"`
	Body          string            `json:"Body"`
	MD5OfBody     string            `json:"MD5OfBody"`
	Attributes    map[string]string `json:"Attributes"`
}

// receive waits up to so many seconds, 20 at most, for up to 10 messages.
func (c cloud) receive(ctx context.Context, queueURL string, most, seconds int) ([]message, error) {
	var out struct{ Messages []message }
	err := c.call(ctx, "AmazonSQS.ReceiveMessage", map[string]any{
		"QueueUrl": queueURL, "MaxNumberOfMessages": min(most, 10), "WaitTimeSeconds": seconds,
		"AttributeNames": []string{"All"},
	}, &out)
	return out.Messages, err
}

// send puts a message into a queue.
func (c cloud) send(ctx context.Context, queueURL, body string) error {
	return c.call(ctx, "AmazonSQS.SendMessage", map[string]any{"QueueUrl": queueURL, "MessageBody": body}, nil)
}

// queued counts the messages of a queue: those to be had, those with a worker, and
// those that are delayed.
func (c cloud) queued(ctx context.Context, queueURL string) (visible, taken, delayed string, err error) {
	var out struct{ Attributes map[string]string }
	err = c.call(ctx, "AmazonSQS.GetQueueAttributes", map[string]any{
		"QueueUrl": queueURL, "AttributeNames": []string{"All"}}, &out)
	return out.Attributes["ApproximateNumberOfMessages"], out.Attributes["ApproximateNumberOfMessagesNotVisible"],
		out.Attributes["ApproximateNumberOfMessagesDelayed"], err
}

// item reads an item of the table, nil if there is none.
func (c cloud) item(ctx context.Context, table, pk string) (map[string]any, error) {
	var out struct{ Item map[string]any }
	err := c.call(ctx, "DynamoDB_20120810.GetItem", map[string]any{
		"TableName": table, "ConsistentRead": true, "Key": map[string]any{"pk": map[string]string{"S": pk}}}, &out)
	return out.Item, err
}

// queueARN is the ARN of the queue with a URL.
func queueARN(queueURL string) string {
	return "arn:aws:sqs:" + mototest.Region + ":" + mototest.Account + ":" + path.Base(queueURL)
}
