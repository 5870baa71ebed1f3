package e2e

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

// A cloud is AWS as moto plays it, spoken to as an administrator would.
type cloud struct{ endpoint string }

// signing is the service that each protocol is signed for, by which moto knows whom it
// is asked for.
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
	if err != nil || answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s: %s (%w)", target, answer.Status, text, err)
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
	Attributes    map[string]string `json:"Attributes"`
}

// receive waits a second for up to 10 messages.
func (c cloud) receive(ctx context.Context, queueURL string, most int) ([]message, error) {
	var out struct{ Messages []message }
	err := c.call(ctx, "AmazonSQS.ReceiveMessage", map[string]any{
		"QueueUrl": queueURL, "MaxNumberOfMessages": min(most, 10), "WaitTimeSeconds": 1, "AttributeNames": []string{"All"}}, &out)
	return out.Messages, err
}

// queued counts the messages of a queue, those that are taken or delayed included.
func (c cloud) queued(ctx context.Context, queueURL string) (sum int, err error) {
	var out struct{ Attributes map[string]string }
	err = c.call(ctx, "AmazonSQS.GetQueueAttributes", map[string]any{"QueueUrl": queueURL, "AttributeNames": []string{"All"}}, &out)
	for _, kind := range []string{"", "NotVisible", "Delayed"} {
		n := 0
		_, _ = fmt.Sscan(out.Attributes["ApproximateNumberOfMessages"+kind], &n)
		sum += n
	}
	return sum, err
}

// makeQueues, table and secrets are made in moto by the template's own properties.
func (c cloud) makeAll(ctx context.Context, s *stack) error {
	for _, id := range s.resources("AWS::SQS::Queue") {
		attributes := make(map[string]string)
		for name, v := range s.properties(id) {
			text, err := json.Marshal(v)
			if err != nil {
				return err
			}
			attributes[name] = string(text)
		}
		var out struct {
			QueueURL string `json:"QueueUrl"`
		}
		if err := c.call(ctx, "AmazonSQS.CreateQueue", object{"QueueName": stackName + "-" + id, "Attributes": attributes}, &out); err != nil {
			return err
		}
		s.made[id] = out.QueueURL
	}
	table := s.properties("Table")
	err := c.call(ctx, "DynamoDB_20120810.CreateTable", object{"TableName": s.ref("Table"), "BillingMode": table["BillingMode"],
		"AttributeDefinitions": table["AttributeDefinitions"], "KeySchema": table["KeySchema"]}, nil)
	if err != nil {
		return err
	}
	var password struct{ RandomPassword string }
	if err := c.call(ctx, "secretsmanager.GetRandomPassword", s.properties("ClientStateSecret")["GenerateSecretString"], &password); err != nil {
		return err
	}
	s.made["ClientStateSecret"], err = c.createSecret(ctx, stackName+"-client-state", password.RandomPassword)
	return err
}

// createSecret makes a secret and returns its ARN.
func (c cloud) createSecret(ctx context.Context, name, text string) (string, error) {
	var out struct{ ARN string }
	err := c.call(ctx, "secretsmanager.CreateSecret", map[string]string{"Name": name, "SecretString": text}, &out)
	return out.ARN, err
}

// queueARN is the ARN of the queue with a URL.
func queueARN(queueURL string) string { return arn("sqs", path.Base(queueURL)) }
