// Package graphclient makes the client that a function calls Microsoft Graph with.
// It is the one place that chooses how the app signs in to Entra.
package graphclient

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/sessionstamp/sessionstamp/functions/internal/program"
	"github.com/sessionstamp/sessionstamp/shared/aws/identity"
	"github.com/sessionstamp/sessionstamp/shared/aws/secrets"
	"github.com/sessionstamp/sessionstamp/shared/config"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
)

// A Client calls Graph. There is one in an execution environment, since it keeps what
// it signs in with, and its tokens.
type Client struct {
	*msgraph.Client
	// Portal is where the administrators of the tenant's cloud sign in.
	Portal  string
	expires func(context.Context) (time.Time, error)
}

// New makes the client of one execution environment. It signs in as the app, in the
// configured way, once there is a call. What it signs in with is read again when
// Entra refuses it.
func New(env program.Environment, tenant string, app config.App) (*Client, error) {
	client, err := newClient(env, tenant, app)
	if err != nil {
		return nil, fmt.Errorf("client of Microsoft Graph: %w", err)
	}
	return client, nil
}

func newClient(env program.Environment, tenant string, app config.App) (*Client, error) {
	cloud, err := msgraph.CloudByName(app.Cloud)
	if err != nil {
		return nil, err
	}
	auth, expires := signIn(env, cloud, app)
	client, err := msgraph.NewClient(msgraph.Options{
		Cloud: cloud, TenantID: tenant, ClientID: app.ClientID, Auth: auth, Transport: env.Transport,
	})
	if err != nil {
		return nil, err
	}
	return &Client{client, cloud.Portal, expires}, nil
}

// signIn chooses how the app signs in, and who knows when that ends.
func signIn(env program.Environment, cloud msgraph.Cloud, app config.App) (msgraph.Auth, func(context.Context) (time.Time, error)) {
	var auth msgraph.Auth
	switch app.Mode {
	case directory.AuthCertificate:
		certificate := secrets.NewCertificate(env.Secret(app.CredentialSecret))
		auth.Certificate = certificate.Certificate
		return auth, certificate.Expires
	case directory.AuthClientSecret:
		secret := secrets.NewClientSecret(env.Secret(app.CredentialSecret))
		auth.ClientSecret = secret.ClientSecret
		return auth, secret.Expires
	case directory.AuthWebIdentity:
		auth.WebIdentity = identity.NewSource(sts.NewFromConfig(env.AWS), cloud.ExchangeAudience()).Token
	}
	return auth, func(context.Context) (time.Time, error) { return time.Time{}, nil }
}

// CredentialExpiry returns when what the app signs in with expires: the zero time
// where nothing is stored, or where nobody has stored that.
func (c *Client) CredentialExpiry(ctx context.Context) (time.Time, error) { return c.expires(ctx) }

// Clouds are the names of the national clouds there are.
func Clouds() []string {
	var names []string
	for _, cloud := range msgraph.Clouds() {
		names = append(names, cloud.Name)
	}
	return names
}
