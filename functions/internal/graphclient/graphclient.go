// Package graphclient makes the client that a function calls Microsoft Graph with.
package graphclient

import (
	"fmt"

	"github.com/sessionstamp/sessionstamp/functions/internal/program"
	"github.com/sessionstamp/sessionstamp/shared/aws/secrets"
	"github.com/sessionstamp/sessionstamp/shared/deployment"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
)

// userAgent is what Graph sees.
const userAgent = "sessionstamp/aws"

// New makes the client of one execution environment. It signs in as the app,
// with the client secret that is in Secrets Manager, once there is a call.
func New(env program.Environment, tenant string, app deployment.App) (*msgraph.Client, error) {
	cloud, err := msgraph.CloudByName(app.Cloud)
	if err != nil {
		return nil, fmt.Errorf("client of Microsoft Graph: %w", err)
	}
	credential, err := msgraph.NewClientSecretCredential(msgraph.CredentialOptions{
		Cloud:     cloud,
		TenantID:  tenant,
		ClientID:  app.ClientID,
		Transport: env.Transport,
	}, secrets.NewClientSecret(env.Secret(app.CredentialSecret)))
	if err != nil {
		return nil, fmt.Errorf("client of Microsoft Graph: %w", err)
	}
	return msgraph.NewClient(msgraph.Options{
		Cloud:      cloud,
		Credential: credential,
		Transport:  env.Transport,
		UserAgent:  userAgent,
	})
}

// Clouds are the names of the national clouds there are.
func Clouds() []string {
	var names []string
	for _, cloud := range msgraph.Clouds() {
		names = append(names, cloud.Name)
	}
	return names
}
