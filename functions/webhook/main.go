// Command webhook is the Lambda function that Microsoft Graph delivers
// notifications to, by way of an API Gateway HTTP API.
package main

import (
	"context"
	"os"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/sessionstamp/sessionstamp/functions/internal/program"
	"github.com/sessionstamp/sessionstamp/shared/aws/httpapi"
	"github.com/sessionstamp/sessionstamp/shared/aws/queue"
	"github.com/sessionstamp/sessionstamp/shared/aws/secrets"
	"github.com/sessionstamp/sessionstamp/shared/config"
	"github.com/sessionstamp/sessionstamp/shared/webhook"
)

func main() {
	if program.Start(context.Background(), os.Environ(), os.Stdout, start) != nil {
		os.Exit(1)
	}
}

// start wires the function.
func start(_ context.Context, env program.Environment) (any, error) {
	c, err := config.ReadWebhook(env.Lookup)
	if err != nil {
		return nil, err
	}
	recorder, err := env.Recorder(c.Stack)
	if err != nil {
		return nil, err
	}
	return httpapi.Serve(webhook.New(webhook.Config{
		Tenant:   c.Tenant,
		Secrets:  secrets.NewClientState(env.Secret(c.ClientStateSecret), c.Tenant),
		Queue:    queue.NewRequests(sqs.NewFromConfig(env.AWS), c.NotificationQueue),
		Log:      env.Log,
		Observer: recorder,
		Now:      env.Now,
	})), nil
}
