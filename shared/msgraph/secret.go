package msgraph

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/answer"
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

// NewClientSecretCredential returns a credential that signs the app in with a
// client secret. It asks for the secret when a token is first needed, and keeps
// secret and tokens, so a process should make only one. It opens no connection yet.
//
// If Entra refuses the secret, because it has expired or was replaced, the
// credential asks for a fresh one, once, and tries once more if it is another.
// Whoever waited for a token meanwhile shares the outcome: a burst of calls costs
// one reload. It is safe for concurrent use.
//
// Errors of GetToken are *directory.Error with NotDone set: of the operation "token"
// if Entra gave none, of "clientSecret" if the secret could not be read.
func NewClientSecretCredential(o CredentialOptions, secrets SecretSource) (azcore.TokenCredential, error) {
	switch {
	case o.Cloud.LoginHost == "":
		return nil, errors.New("msgraph: CredentialOptions.Cloud is missing")
	case o.TenantID == "", o.ClientID == "":
		return nil, errors.New("msgraph: CredentialOptions.TenantID or ClientID is missing")
	case secrets == nil:
		return nil, errors.New("msgraph: the source of the client secret is missing")
	}
	return &secretCredential{
		app: o, client: o.clientOptions(), secrets: secrets, turn: make(chan struct{}, 1),
	}, nil
}

// secretCredential signs in with the secret of a source.
type secretCredential struct {
	app     CredentialOptions
	client  azcore.ClientOptions
	secrets SecretSource
	// refusals counts the attempts that ended with a refused secret.
	refusals atomic.Int64
	// turn is held by the one caller who signs in, and guards what follows. It is a
	// channel so that waiting for it ends with the context. Nobody is slowed down:
	// azidentity holds a mutex at the same place.
	turn chan struct{}
	// credential is nil until the secret is first read. Of that, the hash is kept
	// to tell it from another: a hash may turn up where a struct is printed.
	credential azcore.TokenCredential
	hash       [sha256.Size]byte
	// refused is how the last of refusals ended.
	refused directory.Error
}

// GetToken implements azcore.TokenCredential.
func (c *secretCredential) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	before := c.refusals.Load()
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return azcore.AccessToken{}, &directory.Error{Operation: opToken, NotDone: true, Err: ctx.Err()}
	}
	if c.refusals.Load() != before {
		shared := c.refused
		return azcore.AccessToken{}, &shared
	}
	return c.signIn(ctx, o)
}

// signIn gets a token, if need be with a fresh secret.
func (c *secretCredential) signIn(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	if c.credential == nil {
		if _, err := c.load(ctx, false); err != nil {
			return azcore.AccessToken{}, err
		}
	}
	token, err := c.credential.GetToken(ctx, o)
	refusal := refusalOf(err)
	if refusal == nil {
		return token, err
	}
	changed, failed := c.load(ctx, true)
	switch {
	case failed != nil:
		err = because(failed, refusal)
	case changed:
		token, err = c.credential.GetToken(ctx, o)
	}
	// A caller whose own time is over says nothing about the secret.
	if refusal = refusalOf(err); refusal != nil && ctx.Err() == nil {
		c.refused = *refusal
		c.refusals.Add(1)
	}
	return token, err
}

// load reads the secret, and tells whether it is another than before.
func (c *secretCredential) load(ctx context.Context, fresh bool) (changed bool, failed *directory.Error) {
	secret, err := c.secrets.ClientSecret(ctx, fresh)
	if err == nil && secret == "" {
		err = errEmptySecret
	}
	if err != nil {
		return false, &directory.Error{Operation: opClientSecret, NotDone: true, Err: fmt.Errorf(
			"the app's client secret cannot be read; see that it is stored, and that this program may read it: %w", err)}
	}
	hash := sha256.Sum256([]byte(secret))
	if hash == c.hash {
		return false, nil
	}
	credential, err := c.signInWith(secret)
	if err != nil {
		return false, &directory.Error{Operation: opToken, NotDone: true, Err: err}
	}
	c.hash, c.credential = hash, tokens{credential}
	return true, nil
}

// signInWith makes azidentity's credential of a secret.
func (c *secretCredential) signInWith(secret string) (azcore.TokenCredential, error) {
	return azidentity.NewClientSecretCredential(c.app.TenantID, c.app.ClientID, secret, &azidentity.ClientSecretCredentialOptions{
		ClientOptions: c.client,
		// The authority comes from our own table: to have it confirmed is one
		// request more, to a host that is global even for a national cloud.
		DisableInstanceDiscovery: true,
	})
}

// refusalOf returns Entra's refusal of the secret, nil if err is none.
func refusalOf(err error) *directory.Error {
	if e, ok := errors.AsType[*directory.Error](err); ok && answer.CredentialRefused(e) {
		return e
	}
	return nil
}

// because adds to a failure to read a fresh secret why one was needed.
func because(failed, refusal *directory.Error) error {
	failed.StatusCode, failed.Code = refusal.StatusCode, refusal.Code
	failed.RequestID, failed.RetryAfter = refusal.RequestID, refusal.RetryAfter
	return failed
}
