// Command keeper is the Lambda function that keeps the subscription to Microsoft
// Graph's notifications: on a schedule, on lifecycle notifications, and when its
// stack is created, updated and deleted.
package main

import (
	"context"
	"os"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/sessionstamp/sessionstamp/functions/internal/graphclient"
	"github.com/sessionstamp/sessionstamp/functions/internal/program"
	"github.com/sessionstamp/sessionstamp/shared/aws/secrets"
	"github.com/sessionstamp/sessionstamp/shared/aws/store"
	"github.com/sessionstamp/sessionstamp/shared/deployment"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
	"github.com/sessionstamp/sessionstamp/shared/subscription"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

func main() {
	if program.Start(context.Background(), os.Environ(), os.Stdout, start) != nil {
		os.Exit(1)
	}
}

// build wires the function.
func build(env program.Environment) (*function, error) {
	c, err := deployment.ReadKeeper(env.Lookup, graphclient.Clouds())
	if err != nil {
		return nil, err
	}
	client, err := graphclient.New(env, c.Tenant, c.App)
	if err != nil {
		return nil, err
	}
	recorder, err := env.Recorder(c.Stack)
	if err != nil {
		return nil, err
	}
	cloud, err := msgraph.CloudByName(c.Cloud)
	if err != nil {
		return nil, err
	}
	table := store.New(dynamodb.NewFromConfig(env.AWS), c.Table)
	keeper, err := subscription.New(subscription.Config{
		Tenant:          c.Tenant,
		NotificationURL: c.NotificationURL, LifecycleURL: c.NotificationURL,
		Graph: client, Store: table, Sweeps: sweep.Asker{Store: table},
		Secrets:  secrets.NewSettledClientState(env.Secret(c.ClientStateSecret)),
		Settings: subscription.DefaultSettings, ClientID: c.ClientID, Portal: cloud.Portal, DryRun: c.DryRun,
		Observer: recorder, Log: env.Log, Now: env.Now,
	})
	if err != nil {
		return nil, err
	}
	return &function{
		keeper: keeper, credential: client, stored: c.Mode.Stored(), metrics: recorder, log: env.Log,
	}, nil
}
