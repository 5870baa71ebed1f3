// Command sweeper is the Lambda function that finds the users of whom no
// notification told. It runs on a schedule, and by hand with an order.
package main

import (
	"context"
	"os"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/sessionstamp/sessionstamp/functions/internal/graphclient"
	"github.com/sessionstamp/sessionstamp/functions/internal/program"
	"github.com/sessionstamp/sessionstamp/functions/internal/signin"
	"github.com/sessionstamp/sessionstamp/shared/aws/queue"
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
	c, err := config.ReadWorker(env.Lookup, graphclient.Clouds())
	if err != nil {
		return nil, err
	}
	client, err := graphclient.New(env, c.Tenant, c.App)
	if err != nil {
		return nil, err
	}
	domains, err := c.Domains(client)
	if err != nil {
		return nil, err
	}
	recorder, err := env.Recorder(c.Stack)
	if err != nil {
		return nil, err
	}
	table := store.New(dynamodb.NewFromConfig(env.AWS), c.Table)
	sweeper := sweep.New(sweep.Config{
		Tenant: c.Tenant, Graph: client, Domains: domains, Policy: c.Policy,
		Queue:    queue.NewRequests(sqs.NewFromConfig(env.AWS), c.NotificationQueue),
		Store:    store.NewState[sweep.Checkpoint](table, store.NameSweep),
		Brake:    stamp.NewBrake(store.NewState[stamp.BrakeState](table, store.NameBrake), c.StampsPerDay),
		Observer: recorder, Log: env.Log, Now: env.Now,
	})
	adviser := keeper.Adviser{Tenant: c.Tenant, ClientID: c.ClientID, Portal: client.Portal}
	return &function{sweeper, signin.Reporter{Adviser: adviser, Metrics: recorder, Log: env.Log}}, nil
}
