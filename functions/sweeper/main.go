// Command sweeper is the Lambda function that finds the users of whom no
// notification told. It runs on a schedule, and by hand with an order.
package main

import (
	"context"
	"os"
	"time"
	_ "time/tzdata" // the hours of the backfill have a time zone, Lambda has none

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/sessionstamp/sessionstamp/functions/internal/graphclient"
	"github.com/sessionstamp/sessionstamp/functions/internal/program"
	"github.com/sessionstamp/sessionstamp/functions/internal/signin"
	"github.com/sessionstamp/sessionstamp/shared/aws/queue"
	"github.com/sessionstamp/sessionstamp/shared/aws/store"
	"github.com/sessionstamp/sessionstamp/shared/deployment"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

func main() {
	if program.Start(context.Background(), os.Environ(), os.Stdout, start) != nil {
		os.Exit(1)
	}
}

// build wires the function.
func build(env program.Environment) (*function, error) {
	c, err := deployment.ReadSweeper(env.Lookup, graphclient.Clouds())
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
	reporter, err := signin.New(env, c.Tenant, c.App, recorder)
	if err != nil {
		return nil, err
	}
	table := store.New(dynamodb.NewFromConfig(env.AWS), c.Table)
	sweeper, err := sweep.New(sweep.Config{
		Tenant: c.Tenant, Graph: client, Domains: domains, Groups: c.Groups(client), Store: table, Held: table, Backfill: table,
		Queue: queue.NewRequests(sqs.NewFromConfig(env.AWS), c.NotificationQueue),
		Subscribed: func(ctx context.Context) (time.Time, error) {
			r, err := table.Record(ctx, c.Tenant)
			return r.Began, err
		},
		Policy: c.Policy, Settings: c.Settings(), DryRun: c.DryRun, Observer: recorder, Log: env.Log, Now: env.Now,
	})
	return &function{sweeper: sweeper, reporter: reporter}, err
}
