// Command keeper is the Lambda function that keeps the subscription to Microsoft
// Graph's notifications: on a schedule, and when its stack is created, updated and
// deleted.
package main

import (
	"context"
	"os"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/sessionstamp/sessionstamp/functions/internal/graphclient"
	"github.com/sessionstamp/sessionstamp/functions/internal/program"
	"github.com/sessionstamp/sessionstamp/shared/aws/secrets"
	"github.com/sessionstamp/sessionstamp/shared/aws/store"
	"github.com/sessionstamp/sessionstamp/shared/config"
	"github.com/sessionstamp/sessionstamp/shared/keeper"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

func main() {
	if program.Start(context.Background(), os.Environ(), os.Stdout, start) != nil {
		os.Exit(1)
	}
}

// build wires the function.
func build(env program.Environment) (*function, error) {
	c, err := config.ReadKeeper(env.Lookup, graphclient.Clouds())
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
	table := store.New(dynamodb.NewFromConfig(env.AWS), c.Table)
	k, err := keeper.New(keeper.Config{
		Tenant: c.Tenant, ClientID: c.ClientID, Portal: client.Portal, NotificationURL: c.NotificationURL, Graph: client,
		Secrets:  secrets.NewClientState(env.Secret(c.ClientStateSecret), c.Tenant),
		Store:    store.NewState[keeper.Record](table, store.NameKeeper),
		Sweeps:   sweep.Asker{Store: store.NewState[sweep.Checkpoint](table, store.NameSweep)},
		Check:    func(ctx context.Context) error { return client.CheckGroups(ctx, c.ExcludedGroups) },
		Observer: recorder, Log: env.Log, Now: env.Now,
	})
	if err != nil {
		return nil, err
	}
	brake := stamp.NewBrake(store.NewState[stamp.BrakeState](table, store.NameBrake), c.StampsPerDay)
	return &function{keeper: k, tenant: c.Tenant, brake: brake, credential: client, stored: c.Mode.Stored(), metrics: recorder, log: env.Log}, nil
}
