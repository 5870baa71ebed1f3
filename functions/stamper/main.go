// Command stamper is the Lambda function that looks at the users in the notification
// queue and stamps those who need it.
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
)

func main() {
	if program.Start(context.Background(), os.Environ(), os.Stdout, start) != nil {
		os.Exit(1)
	}
}

// build wires the function.
func build(env program.Environment) (*function, error) {
	c, err := config.ReadStamper(env.Lookup, graphclient.Clouds())
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
	failed := &failures{next: recorder}
	table := store.New(dynamodb.NewFromConfig(env.AWS), c.Table)
	stamper, err := stamp.New(stamp.Config{
		Tenant: c.Tenant, Directory: client, Domains: domains, Groups: c.ExcludedGroups, Ledger: table,
		Queue:  queue.NewRequests(sqs.NewFromConfig(env.AWS), c.NotificationQueue),
		Brake:  stamp.NewBrake(store.NewState[stamp.BrakeState](table, store.NameBrake), c.StampsPerDay),
		Policy: c.Policy, DryRun: c.DryRun, Observer: failed, Log: env.Log, Now: env.Now,
	})
	if err != nil {
		return nil, err
	}
	adviser := keeper.Adviser{Tenant: c.Tenant, ClientID: c.ClientID, Portal: client.Portal}
	reporter := signin.Reporter{Adviser: adviser, Metrics: recorder, Log: env.Log}
	return &function{stamper.HandleMessages, failed, reporter, env.Log}, nil
}
