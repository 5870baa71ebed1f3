package main

import (
	"context"
	"strings"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/demo"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
)

// The ways to sign in.
const (
	byBrowser     = "browser"
	byDevice      = "device"
	byAzureCLI    = "az"
	byEnvironment = "env"
)

var signIns = []string{byBrowser, byDevice, byAzureCLI, byEnvironment}

// The variables by which azidentity lets a program sign in.
const (
	tenantVariable = "AZURE_TENANT_ID"
	clientVariable = "AZURE_CLIENT_ID"
	secretVariable = "AZURE_CLIENT_SECRET" //nolint:gosec // a name, and no secret
)

// graph is what the verbs ask of Microsoft Graph.
type graph interface {
	Domains(ctx context.Context) ([]directory.Domain, error)
	UserPage(ctx context.Context, next string) (directory.UserPage, error)
	ReadUsers(ctx context.Context, ids []string) ([]directory.Read, error)
}

// A tenant is one to which somebody has signed in.
type tenant struct {
	graph
	// id is the tenant's, a lower-case GUID.
	id string
	// as says who signed in, and how.
	as string
}

// signIn opens the tenant. A token is asked for with the first call.
func (c *call) signIn() (tenant, error) {
	options, as, err := c.credential()
	if err != nil {
		return tenant{}, err
	}
	if options.Cloud, err = msgraph.CloudByName(c.cloud); err != nil {
		return tenant{}, err
	}
	client, err := msgraph.NewClient(options)
	if err != nil {
		return tenant{}, err
	}
	return tenant{graph: client, id: options.TenantID, as: as}, nil
}

// credential returns what signs in.
func (c *call) credential() (o msgraph.Options, as string, err error) {
	if c.demo {
		o := msgraph.Options{TenantID: demo.TenantID, ClientID: demo.ClientID, Transport: c.emulated().Transport()}
		o.Auth.ClientSecret = always(demo.Secret)
		return o, c.say("signed_in.demo"), nil
	}
	if c.signInBy != byEnvironment {
		return o, "", misuse("use.sign_in", c.signInBy)
	}
	o.TenantID, o.ClientID = strings.ToLower(c.Env(tenantVariable)), strings.ToLower(c.Env(clientVariable))
	secret := c.Env(secretVariable)
	var unset []string
	for _, name := range []string{tenantVariable, clientVariable, secretVariable} {
		if c.Env(name) == "" {
			unset = append(unset, name)
		}
	}
	switch {
	case len(unset) > 0:
		return o, "", misuse("use.environment", strings.Join(unset, ", "))
	case !directory.IsID(o.TenantID):
		return o, "", misuse("use.no_guid", tenantVariable)
	case !directory.IsID(o.ClientID):
		return o, "", misuse("use.no_guid", clientVariable)
	}
	o.Transport, o.Auth.ClientSecret = c.Transport, always(secret)
	return o, c.say("signed_in.env", o.ClientID), nil
}

func always(secret string) func(context.Context, bool) (string, error) {
	return func(context.Context, bool) (string, error) { return secret, nil }
}
