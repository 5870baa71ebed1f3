package e2e

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"strings"

	"github.com/google/uuid"

	"github.com/sessionstamp/sessionstamp/infra/e2e/awstest"
	"github.com/sessionstamp/sessionstamp/shared/aws/mototest"
)

// A cloud is AWS as moto plays it, spoken to as an administrator would, or as whoever has
// the access key.
type cloud struct{ endpoint, key string }

// signing is the service that each protocol is signed for, by which moto knows whom it
// is asked for.
var signing = map[string]string{"AmazonSQS": "sqs", "DynamoDB_20120810": "dynamodb", "secretsmanager": "secretsmanager",
	"Logs_20140328": "logs", "TrentService": "kms"}

// call makes one call of the AWS JSON protocol: target is "AmazonSQS.SendMessage".
func (c cloud) call(ctx context.Context, target string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	service, _, _ := strings.Cut(target, ".")
	text, err := c.send(ctx, signing[service], http.MethodPost, "/", http.Header{
		"X-Amz-Target": {target}, "Content-Type": {"application/x-amz-json-1.0"}}, body)
	if err != nil {
		return fmt.Errorf("%s: %w", target, err)
	}
	if out == nil || len(text) == 0 {
		return nil
	}
	return json.Unmarshal(text, out)
}

// send sends a request to a service and returns the body of its answer.
func (c cloud) send(ctx context.Context, service, method, path string, header http.Header, body []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.endpoint+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header = header
	request.Header.Set("Authorization", fmt.Sprintf(
		"AWS4-HMAC-SHA256 Credential=%s/20260101/%s/%s/aws4_request, SignedHeaders=host, Signature=0",
		cmp.Or(c.key, "AKIAIOSFODNN7EXAMPLE"), mototest.Region, service))
	answer, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode >= http.StatusMultipleChoices {
		err = fmt.Errorf("%s: %s", answer.Status, text)
	}
	return text, err
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

// makeAll makes queues, table and secret in moto by the template's own properties.
func (c cloud) makeAll(ctx context.Context, s *stack) error {
	for _, id := range s.resources("AWS::SQS::Queue") {
		if err := c.makeQueue(ctx, s, id); err != nil {
			return err
		}
	}
	if err := c.makeTable(ctx, s, "Table"); err != nil {
		return err
	}
	return c.makeSecret(ctx, s, "ClientStateSecret")
}

func (c cloud) makeQueue(ctx context.Context, s *stack, id string) error {
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
	err := c.call(ctx, "AmazonSQS.CreateQueue", object{"QueueName": queueName(id), "Attributes": attributes}, &out)
	s.made[id] = out.QueueURL
	return err
}

func (c cloud) makeTable(ctx context.Context, s *stack, id string) error {
	table := s.properties(id)
	return errors.Join(c.call(ctx, "DynamoDB_20120810.CreateTable", object{"TableName": s.ref(id), "BillingMode": table["BillingMode"],
		"AttributeDefinitions": table["AttributeDefinitions"], "KeySchema": table["KeySchema"],
		"DeletionProtectionEnabled": table["DeletionProtectionEnabled"]}, nil),
		c.call(ctx, "DynamoDB_20120810.UpdateContinuousBackups", object{"TableName": s.ref(id),
			"PointInTimeRecoverySpecification": table["PointInTimeRecoverySpecification"]}, nil))
}

func (c cloud) makeSecret(ctx context.Context, s *stack, id string) error {
	var password struct{ RandomPassword string }
	err := c.call(ctx, "secretsmanager.GetRandomPassword", s.properties(id)["GenerateSecretString"], &password)
	if err != nil {
		return err
	}
	s.made[id], err = c.createSecret(ctx, id+"-"+uuid.NewString()[:12], password.RandomPassword) // as CloudFormation names it
	return err
}

// createSecret makes a secret and returns its ARN.
func (c cloud) createSecret(ctx context.Context, name, text string) (string, error) {
	var out struct{ ARN string }
	err := c.call(ctx, "secretsmanager.CreateSecret", map[string]string{"Name": name, "SecretString": text}, &out)
	return out.ARN, err
}

// queueARN is the ARN of the queue with a URL.
func queueARN(queueURL string) string { return awstest.ARN("sqs", path.Base(queueURL)) }
