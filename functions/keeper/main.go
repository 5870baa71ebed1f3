// Command keeper is the Lambda function that keeps the subscription to Microsoft
// Graph's notifications: on a schedule, and when its stack is created, updated and
// deleted.
package main

import (
	"context"
	"net/http"
	"os"

	"github.com/sessionstamp/sessionstamp/functions/internal/parts"
	"github.com/sessionstamp/sessionstamp/functions/internal/program"
	"github.com/sessionstamp/sessionstamp/shared/aws/secrets"
	"github.com/sessionstamp/sessionstamp/shared/aws/store"
	"github.com/sessionstamp/sessionstamp/shared/config"
	"github.com/sessionstamp/sessionstamp/shared/keeper"
	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

func main() {
	if program.Start(context.Background(), os.Environ(), os.Stdout, start) != nil {
		os.Exit(1)
	}
}

// build wires the function.
func build(env program.Environment) (*function, error) {
	c, err := config.ReadKeeper(env.Lookup, parts.Clouds())
	if err != nil {
		return nil, err
	}
	p, err := parts.New(env, c.Stack, c.App, c.Users)
	if err != nil {
		return nil, err
	}
	k := keeper.New(keeper.Config{
		Tenant: c.Tenant, ClientID: c.ClientID, Portal: p.Reporter.Adviser.Portal,
		NotificationURL: c.NotificationURL, Graph: p.Graph,
		Secrets: secrets.NewClientState(env.Secret(c.ClientStateSecret), c.Tenant),
		Store:   store.NewState[keeper.Record](p.Table, store.NameKeeper),
		Sweeps:  sweep.Asker{Store: store.NewState[sweep.Checkpoint](p.Table, store.NameSweep)},
		Check: func(ctx context.Context) error {
			if err := p.Graph.CheckGroups(ctx, c.ExcludedGroups); err != nil {
				return err
			}
			return p.Domains.Check(ctx, env.Now())
		},
		Observer: p.Reporter.Metrics, Log: env.Log, Now: env.Now,
	})
	return &function{
		keeper: k, tenant: c.Tenant, brake: p.Brake.State, expires: p.Expires, metrics: p.Reporter.Metrics, log: env.Log,
		signals: &signals{
			tenant: c.Tenant, url: c.SignalURL, registry: store.NewState[signal.Registry](p.Table, store.NameSignals),
			credentials: secrets.NewSignals(env.Secret(""), c.Name), client: new(http.Client),
			attend: p.Reporter.Metrics.Attend, log: env.Log, now: env.Now,
		},
	}, nil
}
