// Command sweeper is the Lambda function that finds the users of whom no
// notification told. It runs on a schedule, and by hand with an order.
package main

import (
	"context"
	"os"

	"github.com/sessionstamp/sessionstamp/functions/internal/parts"
	"github.com/sessionstamp/sessionstamp/functions/internal/program"
	"github.com/sessionstamp/sessionstamp/shared/aws/store"
	"github.com/sessionstamp/sessionstamp/shared/config"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
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
	sweeper := sweep.New(sweep.Config{
		Tenant: c.Tenant, Graph: p.Graph, Domains: p.Domains, Policy: c.Policy,
		Queue: p.Queue, Brake: p.Brake, Store: store.NewState[sweep.Checkpoint](p.Table, store.NameSweep),
		Observer: p.Reporter.Metrics, Log: env.Log, Now: env.Now,
	})
	return (&function{sweeper.Run, p.Reporter}).serve, nil
}
