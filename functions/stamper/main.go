// Command stamper is the Lambda function that looks at the users in the notification
// queue and stamps those who need it.
package main

import (
	"context"
	"os"

	"github.com/sessionstamp/sessionstamp/functions/internal/parts"
	"github.com/sessionstamp/sessionstamp/functions/internal/program"
	"github.com/sessionstamp/sessionstamp/shared/config"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

func main() {
	if program.Start(context.Background(), os.Environ(), os.Stdout, start) != nil {
		os.Exit(1)
	}
}

// start wires the function.
func start(_ context.Context, env program.Environment) (any, error) {
	c, err := config.ReadWorker(env.Lookup, parts.Clouds())
	if err != nil {
		return nil, err
	}
	p, err := parts.New(env, c.Stack, c.App, c.Users)
	if err != nil {
		return nil, err
	}
	f := new(function)
	f.Reporter = p.Reporter
	stamper := stamp.New(stamp.Config{
		Tenant: c.Tenant, Directory: p.Graph, Domains: p.Domains, Groups: c.ExcludedGroups,
		Ledger: p.Table, Queue: p.Queue, Brake: p.Brake,
		Policy: c.Policy, DryRun: c.DryRun, Observer: f, Log: env.Log, Now: env.Now,
	})
	f.Handle = stamper.HandleMessages
	return f.Serve, nil
}
