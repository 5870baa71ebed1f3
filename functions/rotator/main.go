// Command rotator is the Lambda function that AWS Secrets Manager calls to replace
// the secrets of its stack: the certificate or client secret that the app signs in
// with, and the clientState of its subscription.
package main

import (
	"context"
	"os"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/sessionstamp/sessionstamp/functions/internal/graphclient"
	"github.com/sessionstamp/sessionstamp/functions/internal/program"
	"github.com/sessionstamp/sessionstamp/shared/aws/secrets"
	"github.com/sessionstamp/sessionstamp/shared/aws/store"
	"github.com/sessionstamp/sessionstamp/shared/deployment"
	"github.com/sessionstamp/sessionstamp/shared/rotation"
)

func main() {
	if program.Start(context.Background(), os.Environ(), os.Stdout, start) != nil {
		os.Exit(1)
	}
}

// build wires the function.
func build(env program.Environment) (*function, error) {
	c, err := deployment.ReadRotator(env.Lookup, graphclient.Clouds())
	if err != nil {
		return nil, err
	}
	kinds, err := kindsOf(env, c)
	if err != nil {
		return nil, err
	}
	recorder, err := env.Recorder(c.Stack)
	if err != nil {
		return nil, err
	}
	manager := secrets.NewVersions(secretsmanager.NewFromConfig(env.AWS))
	f := &function{rotators: make(map[string]rotator), clientState: c.ClientStateSecret, metrics: recorder, log: env.Log}
	for arn, kind := range kinds {
		f.rotators[arn], err = rotation.New(rotation.Config{
			Stack: c.Name, Kind: kind, SecretsManager: manager,
			Settings: rotation.DefaultSettings, Log: env.Log, Now: env.Now,
		})
		if err != nil {
			return nil, err
		}
	}
	return f, nil
}

// kindsOf returns what each secret holds, by ARN.
func kindsOf(env program.Environment, c deployment.Rotator) (map[string]rotation.Kind, error) {
	table := store.New(dynamodb.NewFromConfig(env.AWS), c.Table)
	kinds := map[string]rotation.Kind{c.ClientStateSecret: rotation.ClientStates{Subscriptions: record{table, c.Tenant}}}
	client, err := graphclient.New(env, c.Tenant, c.App)
	if err != nil {
		return nil, err
	}
	if kind := client.Rotation(); kind != nil {
		kinds[c.CredentialSecret] = kind
	}
	return kinds, nil
}

// record is the keeper's, which knows with which clientState Graph notifies.
type record struct {
	table  *store.Table
	tenant string
}

// ClientStateDigest implements [rotation.Subscriptions].
func (r record) ClientStateDigest(ctx context.Context) (string, error) {
	found, err := r.table.Record(ctx, r.tenant)
	return found.ClientState, err
}
