// Command revoker is the Lambda function that looks at the users in the
// notification queue and revokes the sessions of those who need it.
package main

import (
	"context"
	"os"
	_ "time/tzdata" // the hours of the backfill have a time zone, Lambda has none

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/sessionstamp/sessionstamp/functions/internal/graphclient"
	"github.com/sessionstamp/sessionstamp/functions/internal/program"
	"github.com/sessionstamp/sessionstamp/functions/internal/signin"
	"github.com/sessionstamp/sessionstamp/shared/aws/queue"
	"github.com/sessionstamp/sessionstamp/shared/aws/store"
	"github.com/sessionstamp/sessionstamp/shared/deployment"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
)

func main() {
	if program.Start(context.Background(), os.Environ(), os.Stdout, start) != nil {
		os.Exit(1)
	}
}

// build wires the function.
func build(env program.Environment) (*function, error) {
	c, err := deployment.ReadRevoker(env.Lookup, graphclient.Clouds())
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
	failed := &failures{next: recorder}
	table := store.New(dynamodb.NewFromConfig(env.AWS), c.Table)
	revoker, err := revocation.New(revocation.Config{
		Tenant: c.Tenant, Directory: client, Domains: domains, Groups: c.Groups(client), Ledger: table, Backfill: table,
		Queue: queue.NewRequests(sqs.NewFromConfig(env.AWS), c.NotificationQueue), Quota: store.NewQuota(table, revocation.DefaultPace),
		Policy: c.Policy, Settings: c.Settings(), DryRun: c.DryRun, Observer: failed, Log: env.Log, Now: env.Now,
	})
	if err != nil {
		return nil, err
	}
	return &function{
		handle: revoker.HandleMessages, failures: failed, reporter: reporter,
		flush: recorder.Flush, log: env.Log,
	}, nil
}
