// Command receiver is the Lambda function that identity providers report to, by way of
// an API Gateway HTTP API.
package main

import (
	"context"
	"net/http"
	"os"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/sessionstamp/sessionstamp/functions/internal/program"
	"github.com/sessionstamp/sessionstamp/shared/aws/httpapi"
	"github.com/sessionstamp/sessionstamp/shared/aws/queue"
	"github.com/sessionstamp/sessionstamp/shared/aws/secrets"
	"github.com/sessionstamp/sessionstamp/shared/aws/store"
	"github.com/sessionstamp/sessionstamp/shared/config"
	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/signal/receiver"
)

func main() {
	if program.Start(context.Background(), os.Environ(), os.Stdout, start) != nil {
		os.Exit(1)
	}
}

// start wires the function.
func start(_ context.Context, env program.Environment) (any, error) {
	c, err := config.ReadReceiver(env.Lookup)
	if err != nil {
		return nil, err
	}
	recorder, err := env.Recorder(c.Stack)
	if err != nil {
		return nil, err
	}
	table := store.New(dynamodb.NewFromConfig(env.AWS), c.Table)
	return httpapi.Serve(receiver.New(receiver.Config{
		Tenant:      c.Tenant,
		Registry:    store.NewState[signal.Registry](table, store.NameSignals),
		Credentials: secrets.NewSignals(env.Secret(""), c.Name),
		Keys:        receiver.HTTPS(http.DefaultTransport),
		Queue:       queue.NewSignals(sqs.NewFromConfig(env.AWS), c.SignalQueue, c.UrgentSignalQueue),
		Log:         env.Log,
		Observer:    recorder,
		Now:         env.Now,
	})), nil
}
