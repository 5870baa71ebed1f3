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
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
	"github.com/sessionstamp/sessionstamp/shared/rotation"
)

// userAgent is what Graph sees.
const userAgent = "sessionstamp/aws"

// A Client calls Graph. There is one in an execution environment, since it keeps what
// it signs in with, and its tokens.
type Client struct {
	*msgraph.Client
	expires func(context.Context) (time.Time, error)
	kind    rotation.Kind
}

// New makes the client of one execution environment. It signs in as the app, in the
// configured way, once there is a call. What it signs in with is read again when
// Entra refuses it.
func New(env program.Environment, tenant string, app deployment.App) (*Client, error) {
	a, err := newApp(env.Transport, tenant, app)
	if err != nil {
		return nil, err
	}
	w, err := a.way(env, app)
	if err != nil {
		return nil, err
	}
	client, err := a.client(w.auth)
	if err != nil {
		return nil, err
	}
	return &Client{client, w.expires, w.kind(client.Application(a.clientID), msgraph.Prover{ClientID: a.clientID, NewClient: a.client})}, nil
}

// CredentialExpiry returns when what the app signs in with expires: the zero time
// where nothing is stored, or where nobody has stored that.
func (c *Client) CredentialExpiry(ctx context.Context) (time.Time, error) { return c.expires(ctx) }

// Rotation returns how a rotation replaces what the app signs in with, nil where
// nothing is stored.
func (c *Client) Rotation() rotation.Kind { return c.kind }

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

// A way is how the app signs in, with all that follows from it.
type way struct {
	auth msgraph.Auth
	// expires returns when what is stored ends, as CredentialExpiry does.
	expires func(context.Context) (time.Time, error)
	// kind returns what is stored, as a rotation knows it, nil for nothing.
	kind func(*msgraph.Application, msgraph.Prover) rotation.Kind
}

// way chooses by the mode, which no other place in the functions does.
func (a app) way(env program.Environment, c deployment.App) (way, error) {
	auth := msgraph.Auth{Mode: c.Mode}
	switch c.Mode {
	case directory.AuthWebIdentity:
		auth.WebIdentity = identity.NewSource(sts.NewFromConfig(env.AWS), a.cloud.ExchangeAudience()).Token
		return way{
			auth:    auth,
			expires: func(context.Context) (time.Time, error) { return time.Time{}, nil },
			kind:    func(*msgraph.Application, msgraph.Prover) rotation.Kind { return nil },
		}, nil
	case directory.AuthCertificate:
		certificate := secrets.NewCertificate(env.Secret(c.CredentialSecret))
		auth.Certificates = certificate
		return way{auth, certificate.Expires, func(a *msgraph.Application, p msgraph.Prover) rotation.Kind {
			return rotation.Certificates{Application: a, Prover: p, ParsePFX: secrets.ParsePFX}
		}}, nil
	case directory.AuthClientSecret:
		secret := secrets.NewClientSecret(env.Secret(c.CredentialSecret))
		auth.Secrets = secret
		return way{auth, secret.Expires, func(a *msgraph.Application, p msgraph.Prover) rotation.Kind {
			return rotation.ClientSecrets{Application: a, Prover: p}
		}}, nil
	}
	return way{}, fmt.Errorf("client of Microsoft Graph: %w", c.Mode.Unknown())
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
