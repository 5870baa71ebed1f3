package main

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/sessionstamp/sessionstamp/functions/internal/program"
	"github.com/sessionstamp/sessionstamp/shared/aws/httpapi"
	"github.com/sessionstamp/sessionstamp/shared/aws/mototest"
	"github.com/sessionstamp/sessionstamp/shared/aws/secrets"
	"github.com/sessionstamp/sessionstamp/shared/aws/store"
	"github.com/sessionstamp/sessionstamp/shared/config"
	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/state"
)

const (
	tenant = "84bd8158-6d4d-4958-8b9f-9d6445542f95"
	source = "0123456789abcdef0123456789abcdef"
	static = "an invented secret of a hook"
)

// An account is emulated, with all that the function calls.
type account struct {
	t          *testing.T
	config     aws.Config
	table      string
	queue, now string // URLs
}

func newAccount(t *testing.T) *account {
	t.Helper()
	a := &account{t: t, config: mototest.Config(mototest.Shared(t)), table: rand.Text()}
	_, err := dynamodb.NewFromConfig(a.config).CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: &a.table, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, url := range []*string{&a.queue, &a.now} {
		made, err := sqs.NewFromConfig(a.config).CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String(rand.Text())})
		if err != nil {
			t.Fatal(err)
		}
		*url = *made.QueueUrl
	}
	return a
}

// add makes a source as the command does.
func (a *account) add() {
	a.t.Helper()
	text, err := json.Marshal(signal.Credential{Secrets: []string{static}})
	if err != nil {
		a.t.Fatal(err)
	}
	_, err = secretsmanager.NewFromConfig(a.config).CreateSecret(a.t.Context(), &secretsmanager.CreateSecretInput{
		Name: aws.String(secrets.SignalName(a.table, source)), SecretString: aws.String(string(text))})
	if err != nil {
		a.t.Fatal(err)
	}
	registry := store.NewState[signal.Registry](store.New(dynamodb.NewFromConfig(a.config), a.table), store.NameSignals)
	err = state.Update(a.t.Context(), registry, tenant, func(r *signal.Registry) bool {
		r.Sources = map[string]signal.Record{source: {Kind: signal.KindOkta, Domains: []string{"example.com"}}}
		return true
	})
	if err != nil {
		a.t.Fatal(err)
	}
}

// function starts it in a stack that has the name of its table.
func (a *account) function() httpapi.Function {
	a.t.Helper()
	made, err := start(a.t.Context(), program.Environment{
		Lookup: config.Environ([]string{"TENANT_ID=" + tenant, "STACK_NAME=" + a.table, "METRICS_NAMESPACE=n",
			"TABLE_NAME=" + a.table, "SIGNAL_QUEUE_URL=" + a.queue, "URGENT_SIGNAL_QUEUE_URL=" + a.now}),
		AWS: a.config, Out: io.Discard, Log: slog.New(slog.DiscardHandler), Now: time.Now,
	})
	if err != nil {
		a.t.Fatal(err)
	}
	function, ok := made.(httpapi.Function)
	if !ok {
		a.t.Fatalf("start returned a %T", made)
	}
	return function
}

func event(method, body, secret string) events.APIGatewayV2HTTPRequest {
	e := events.APIGatewayV2HTTPRequest{
		RawPath: "/idp/" + source, Body: base64.StdEncoding.EncodeToString([]byte(body)), IsBase64Encoded: true,
		Headers: map[string]string{"authorization": secret, "x-okta-verification-challenge": "c"},
	}
	e.RequestContext.HTTP.Method = method
	return e
}

// A source is made, verified, and reports two users, whose signals lie in their queues.
func TestSignals(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	body := strings.NewReplacer("NOW", time.Now().UTC().Format(time.RFC3339)).Replace(`{"data":{"events":[` +
		`{"uuid":"1","published":"NOW","eventType":"user.account.update_password","outcome":{"result":"SUCCESS"},"actor":{"id":"00u1"},"target":[{"type":"User","id":"00u1"}]},` +
		`{"uuid":"2","published":"NOW","eventType":"user.lifecycle.suspend","outcome":{"result":"SUCCESS"},"target":[{"type":"User","id":"00u2"}]}]}}`)
	if answer, err := a.function()(t.Context(), event("POST", body, static)); err != nil || answer.StatusCode != 404 {
		t.Errorf("before the source is made: %d, %v", answer.StatusCode, err)
	}
	a.add()
	function := a.function()
	for _, tt := range []struct {
		event  events.APIGatewayV2HTTPRequest
		status int
		body   string
	}{
		{event("GET", "", ""), 200, `{"verification":"c"}`},
		{event("POST", body, "another secret of somebody"), 401, `{"description":"refused: bad_secret","err":"authentication_failed"}` + "\n"},
		{event("POST", body, static), 204, ""},
	} {
		answer, err := function(t.Context(), tt.event)
		if err != nil || answer.StatusCode != tt.status || answer.Body != tt.body {
			t.Errorf("answered %d, %q, %v; want %d", answer.StatusCode, answer.Body, err, tt.status)
		}
	}
	for url, want := range map[string]signal.Kind{a.queue: signal.PasswordChanged, a.now: signal.UserDisabled} {
		answer, err := sqs.NewFromConfig(a.config).ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10})
		if err != nil || len(answer.Messages) != 1 {
			t.Fatalf("%d messages, %v", len(answer.Messages), err)
		}
		var m signal.Message
		if err := json.Unmarshal([]byte(*answer.Messages[0].Body), &m); err != nil || m.Tenant != tenant || m.Source != source || m.Signal.Kind != want {
			t.Errorf("a message of another kind or source, %v", err)
		}
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	_, err := start(t.Context(), program.Environment{Lookup: config.Environ(nil)})
	if err == nil || strings.Count(err.Error(), "is missing") != 6 {
		t.Errorf("got %v", err)
	}
}
