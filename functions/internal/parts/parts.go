// Package parts makes what the stamper, the keeper and the sweeper are put together from.
// It is the one place that chooses how the app signs in to Entra.
package parts

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/sessionstamp/sessionstamp/functions/internal/program"
	"github.com/sessionstamp/sessionstamp/functions/internal/signin"
	"github.com/sessionstamp/sessionstamp/shared/aws/identity"
	"github.com/sessionstamp/sessionstamp/shared/aws/queue"
	"github.com/sessionstamp/sessionstamp/shared/aws/secrets"
	"github.com/sessionstamp/sessionstamp/shared/aws/store"
	"github.com/sessionstamp/sessionstamp/shared/config"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/keeper"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// Parts are those of one execution environment.
type Parts struct {
	// Graph keeps what it signs in with, and its tokens. What it signs in with is read
	// again when Entra refuses it.
	Graph *msgraph.Client
	// Expires returns when what the app signs in with expires, the zero time where nobody
	// has stored that. It is nil where nothing is stored.
	Expires func(context.Context) (time.Time, error)
	Domains *stamp.Domains
	Queue   *queue.Requests
	Table   *store.Table
	Brake   *stamp.Brake
	// Reporter also holds the recorder of the metrics.
	Reporter signin.Reporter
}

// New makes them of what is configured. Nothing is called yet.
func New(env program.Environment, s config.Stack, app config.App, users config.Users) (*Parts, error) {
	recorder, err := env.Recorder(s)
	if err != nil {
		return nil, err
	}
	cloud, err := msgraph.CloudByName(app.Cloud)
	if err != nil {
		return nil, err
	}
	adviser := keeper.Adviser{Tenant: s.Tenant, ClientID: app.ClientID, Portal: cloud.Portal}
	table := store.New(dynamodb.NewFromConfig(env.AWS), users.Table)
	p := &Parts{
		Queue:    queue.NewRequests(sqs.NewFromConfig(env.AWS), users.NotificationQueue),
		Table:    table,
		Brake:    stamp.NewBrake(store.NewState[stamp.BrakeState](table, store.NameBrake), users.StampsPerDay),
		Reporter: signin.Reporter{Adviser: adviser, Metrics: recorder, Log: env.Log},
	}
	p.Graph, err = msgraph.NewClient(msgraph.Options{
		Cloud: cloud, TenantID: s.Tenant, ClientID: app.ClientID, Auth: p.signIn(env, cloud, app),
	})
	if err != nil {
		return nil, fmt.Errorf("client of Microsoft Graph: %w", err)
	}
	p.Domains = stamp.NewDomains(p.Graph, users.FederatedDomains...)
	return p, nil
}

// signIn chooses how the app signs in, and who knows when that ends.
func (p *Parts) signIn(env program.Environment, cloud msgraph.Cloud, app config.App) (auth msgraph.Auth) {
	switch app.Mode {
	case directory.AuthCertificate:
		certificate := secrets.NewCertificate(env.Secret(app.CredentialSecret))
		auth.Certificate, p.Expires = certificate.Certificate, certificate.Expires
	case directory.AuthClientSecret:
		secret := secrets.NewClientSecret(env.Secret(app.CredentialSecret))
		auth.ClientSecret, p.Expires = secret.ClientSecret, secret.Expires
	case directory.AuthWebIdentity:
		auth.WebIdentity = identity.NewSource(sts.NewFromConfig(env.AWS), cloud.ExchangeAudience()).Token
	}
	return auth
}

// Clouds are the names of the national clouds there are.
func Clouds() []string {
	var names []string
	for _, cloud := range msgraph.Clouds() {
		names = append(names, cloud.Name)
	}
	return names
}
