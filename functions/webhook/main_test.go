package main

import (
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/sessionstamp/sessionstamp/functions/internal/program"
	"github.com/sessionstamp/sessionstamp/shared/aws/httpapi"
	"github.com/sessionstamp/sessionstamp/shared/config"
)

func environment(variables ...string) program.Environment {
	return program.Environment{
		Lookup: config.Environ(variables), AWS: aws.Config{Region: "eu-central-1"},
		Out: io.Discard, Log: slog.New(slog.DiscardHandler), Now: time.Now,
	}
}

// The handshake is answered without a call of AWS.
func TestHandshake(t *testing.T) {
	t.Parallel()
	function, err := start(t.Context(), environment(
		"TENANT_ID=84bd8158-6d4d-4958-8b9f-9d6445542f95", "STACK_NAME=s", "METRICS_NAMESPACE=n",
		"NOTIFICATION_QUEUE_URL=https://sqs.invalid/q",
		"CLIENT_STATE_SECRET_ARN=arn:aws:secretsmanager:eu-central-1:123456789012:secret:state-AbCdEf"))
	if err != nil {
		t.Fatal(err)
	}
	event := events.APIGatewayV2HTTPRequest{RawPath: "/graph", RawQueryString: "validationToken=x+y%26"}
	event.RequestContext.HTTP.Method = "POST"
	serve, ok := function.(httpapi.Function)
	if !ok {
		t.Fatalf("start returned a %T", function)
	}
	answer, err := serve(t.Context(), event)
	if err != nil || answer.StatusCode != 200 || answer.Body != "x y&" {
		t.Errorf("answered %d %q, %v", answer.StatusCode, answer.Body, err)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	_, err := start(t.Context(), environment())
	if err == nil || strings.Count(err.Error(), "is missing") != 5 {
		t.Errorf("got %v", err)
	}
}
