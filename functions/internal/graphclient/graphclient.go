// Package graphclient makes the client that a function calls Microsoft Graph with.
// It is the one place that chooses how the app signs in to Entra.
package graphclient

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/sessionstamp/sessionstamp/functions/internal/program"
	"github.com/sessionstamp/sessionstamp/shared/aws/identity"
	"github.com/sessionstamp/sessionstamp/shared/aws/secrets"
	"github.com/sessionstamp/sessionstamp/shared/deployment"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
)

// userAgent is what Graph sees.
const userAgent = "sessionstamp/aws"

// A Client calls Graph. There is one in an execution environment, since it keeps what
// it signs in with, and its tokens.
type Client struct {
	*msgraph.Client
	expires func(context.Context) (time.Time, error)
}

// New makes the client of one execution environment. It signs in as the app, in the
// configured way, once there is a call. What it signs in with is read again when
// Entra refuses it.
func New(env program.Environment, tenant string, app deployment.App) (*Client, error) {
	a, err := newApp(env.Transport, tenant, app)
	if err != nil {
		return nil, err
	}
	auth, expires := a.auth(env, app)
	client, err := a.client(auth)
	if err != nil {
		return nil, err
	}
	return &Client{client, expires}, nil
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

// app is the app registration, and the way there.
type app struct {
	cloud            msgraph.Cloud
	tenant, clientID string
	transport        http.RoundTripper
}

func newApp(transport http.RoundTripper, tenant string, c deployment.App) (app, error) {
	cloud, err := msgraph.CloudByName(c.Cloud)
	if err != nil {
		return app{}, fmt.Errorf("client of Microsoft Graph: %w", err)
	}
	return app{cloud, tenant, c.ClientID, transport}, nil
}

// auth is how the app signs in, and how it is known when that ends. A mode that is
// unknown here is msgraph's to refuse.
func (a app) auth(env program.Environment, c deployment.App) (msgraph.Auth, func(context.Context) (time.Time, error)) {
	auth := msgraph.Auth{Mode: msgraph.AuthMode(c.Mode)}
	switch auth.Mode {
	case msgraph.AuthCertificate:
		certificate := secrets.NewCertificate(env.Secret(c.CredentialSecret))
		auth.Certificates = certificate
		return auth, certificate.Expires
	case msgraph.AuthClientSecret:
		secret := secrets.NewClientSecret(env.Secret(c.CredentialSecret))
		auth.Secrets = secret
		return auth, secret.Expires
	case msgraph.AuthWebIdentity:
		auth.WebIdentity = identity.NewSource(sts.NewFromConfig(env.AWS), a.cloud.ExchangeAudience()).Token
	}
	return auth, func(context.Context) (time.Time, error) { return time.Time{}, nil }
}

// client makes a client that signs in so.
func (a app) client(auth msgraph.Auth) (*msgraph.Client, error) {
	credential, err := msgraph.NewCredential(msgraph.CredentialOptions{
		Cloud: a.cloud, TenantID: a.tenant, ClientID: a.clientID, Transport: a.transport,
	}, auth)
	if err != nil {
		return nil, fmt.Errorf("client of Microsoft Graph: %w", err)
	}
	return msgraph.NewClient(msgraph.Options{
		Cloud: a.cloud, Credential: credential, Transport: a.transport, UserAgent: userAgent,
	})
}
