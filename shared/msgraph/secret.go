package msgraph

import (
	"context"
	"crypto/sha256"
	"errors"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// A SecretSource knows the app's client secret.
type SecretSource interface {
	// ClientSecret returns the client secret. If fresh is set, Entra has refused
	// the one before, and no copy kept by the source will do. Errors must not hold
	// the secret.
	ClientSecret(ctx context.Context, fresh bool) (string, error)
}

// FixedSecret returns a source of a secret that never changes.
func FixedSecret(secret string) SecretSource {
	return fixedSecret(func() string { return secret })
}

// fixedSecret is a func because a func, unlike a string, prints as an address.
type fixedSecret func() string

// ClientSecret implements [SecretSource].
func (f fixedSecret) ClientSecret(context.Context, bool) (string, error) { return f(), nil }

// errEmptySecret is a source without an error and without a secret.
var errEmptySecret = errors.New("it is empty; store the value of a client secret of the app registration, not its id")

// secretLoader loads the client secret. Of that, nothing is kept but a hash, and
// what azidentity keeps.
func secretLoader(app entra, secrets SecretSource) loader {
	return func(ctx context.Context, fresh bool) (material, error) {
		secret, err := secrets.ClientSecret(ctx, fresh)
		if err == nil && secret == "" {
			err = errEmptySecret
		}
		if err != nil {
			return material{}, unread(opClientSecret, "client secret", err)
		}
		return material{
			digest:     sha256.Sum256([]byte(secret)),
			credential: func() (azcore.TokenCredential, error) { return app.withSecret(secret) },
		}, nil
	}
}

// withSecret makes azidentity's credential of a secret.
func (e entra) withSecret(secret string) (azcore.TokenCredential, error) {
	return azidentity.NewClientSecretCredential(e.TenantID, e.ClientID, secret, &azidentity.ClientSecretCredentialOptions{
		ClientOptions: e.client,
		// The authority comes from our own table: to have it confirmed is one
		// request more, to a host that is global even for a national cloud.
		DisableInstanceDiscovery: true,
	})
}
