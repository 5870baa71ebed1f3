// Command resolver is the Lambda function that finds out whom the identity providers'
// signals mean, and puts those users into the notification queue.
package main

import (
	"context"
	"os"

	"github.com/sessionstamp/sessionstamp/functions/internal/parts"
	"github.com/sessionstamp/sessionstamp/functions/internal/program"
	"github.com/sessionstamp/sessionstamp/shared/aws/store"
	"github.com/sessionstamp/sessionstamp/shared/config"
	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/signal/resolver"
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
	f.Handle = resolver.New(resolver.Config{
		Tenant: c.Tenant, Directory: p.Graph, Domains: p.Domains, Policy: c.Policy,
		Store: store.NewState[signal.Registry](p.Table, store.NameSignals),
		Queue: p.Queue, Observer: f, Log: env.Log, Now: env.Now,
	}).HandleMessages
	return f.Serve, nil
}
