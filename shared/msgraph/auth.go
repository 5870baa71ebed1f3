package msgraph

import (
	"context"
	"crypto"
	"crypto/sha1" //nolint:gosec // Entra's portal names certificates by it
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/answer"
)

// Auth is how the app signs in: by the one source that is set. A source must be safe
// for concurrent use, and its errors must not hold what it keeps.
//
// If fresh is set, what the source gave before was of no use: Entra or Graph has refused
// it, or it is out of its time. Then no copy kept by the source will do.
type Auth struct {
	// WebIdentity returns a new token of the issuer that a federated credential of the
	// app trusts, addressed to [Cloud.ExchangeAudience]. If its error has a method
	// ErrorCode() string, as those of AWS's SDK have, the code is told.
	WebIdentity func(ctx context.Context) (string, error)
	// Certificate returns the app's certificate, followed by those that issued it if
	// there are any, and its private key.
	Certificate func(ctx context.Context, fresh bool) ([]*x509.Certificate, crypto.Signer, error)
	// ClientSecret returns the app's client secret.
	ClientSecret func(ctx context.Context, fresh bool) (string, error)
	// Method is any other way, if its Credential is set.
	Method Method
}

// A Method is a way to sign in that the program brings along: see package ask.
type Method struct {
	// Credential makes a credential, which has no token yet and sends its requests by o. It
	// is called when a token is first needed, and again after a token was refused. An error
	// that is a *directory.Error is passed on as it is, any other with its text.
	Credential func(tenantID, clientID string, o azcore.ClientOptions) (azcore.TokenCredential, error)
	// Permissions are what a token is asked for, "User.Read.All"; none: all that was granted.
	Permissions []string
	// Patience is how long a person may take to sign in, who is then not asked twice. Zero:
	// no person is asked.
	Patience time.Duration
	// Silence says why there is no token where Entra gave no reason: the text of the
	// credential's own error is not passed on. Nil means a sentence for all.
	Silence error
}

// A loader asks for what the app signs in with, and makes azidentity's credential of it,
// which has no token yet.
type loader func(ctx context.Context, fresh bool) (azcore.TokenCredential, error)

// loader returns the one that asks the source there is, nil without one.
func (c *credential) loader() loader {
	switch {
	case c.Auth.WebIdentity != nil:
		return c.byWebIdentity
	case c.Auth.Certificate != nil:
		return c.byCertificate
	case c.Auth.ClientSecret != nil:
		return c.byClientSecret
	case c.Auth.Method.Credential != nil:
		return c.byMethod
	}
	return nil
}

func (c *credential) byClientSecret(ctx context.Context, fresh bool) (azcore.TokenCredential, error) {
	secret, err := c.Auth.ClientSecret(ctx, fresh)
	if err != nil {
		return nil, unread(directory.ClientSecret, "client secret", err)
	}
	return azidentity.NewClientSecretCredential(c.TenantID, c.ClientID, secret, &azidentity.ClientSecretCredentialOptions{
		ClientOptions: c.clientOptions(),
		// The authority comes from our own table: to have it confirmed is one
		// request more, to a host that is global even for a national cloud.
		DisableInstanceDiscovery: true,
	})
}

// byCertificate hands on no certificate of an issuer: Entra knows the app's itself, and
// azidentity would take the last that belongs to the key. It refuses what is out of its
// time, because Entra does so in words that could mean something else.
func (c *credential) byCertificate(ctx context.Context, fresh bool) (azcore.TokenCredential, error) {
	chain, key, err := c.Auth.Certificate(ctx, fresh)
	if err != nil {
		return nil, unread(directory.Certificate, "certificate", err)
	}
	leaf := chain[0]
	if now := time.Now(); now.Before(leaf.NotBefore) || now.After(leaf.NotAfter) {
		return nil, unsent(directory.Certificate, fmt.Errorf("nobody can sign in with what is stored: %w: it is good from %s to %s",
			directory.ErrCertificateTime, leaf.NotBefore.UTC().Format(time.RFC3339), leaf.NotAfter.UTC().Format(time.RFC3339)))
	}
	c.presented = &directory.PresentedCertificate{
		Thumbprint: fmt.Sprintf("%X", sha1.Sum(leaf.Raw)), //nolint:gosec // see the import
		Expires:    leaf.NotAfter,
	}
	return azidentity.NewClientCertificateCredential(c.TenantID, c.ClientID, chain[:1], key, &azidentity.ClientCertificateCredentialOptions{
		ClientOptions:            c.clientOptions(),
		DisableInstanceDiscovery: true, // as in byClientSecret
	})
}

func (c *credential) byWebIdentity(context.Context, bool) (azcore.TokenCredential, error) {
	return azidentity.NewClientAssertionCredential(c.TenantID, c.ClientID, c.assertion, &azidentity.ClientAssertionCredentialOptions{
		ClientOptions:            c.clientOptions(),
		DisableInstanceDiscovery: true, // as in byClientSecret
	})
}

// assertion is what azidentity calls for a token of the other issuer. It leaves aside why
// there is none, as Do does, and what the token says of itself.
func (c *credential) assertion(ctx context.Context) (string, error) {
	token, err := c.Auth.WebIdentity(ctx)
	if err != nil {
		failed := unsent(directory.WebIdentityToken, err)
		if coded, ok := errors.AsType[interface {
			error
			ErrorCode() string
		}](err); ok {
			failed.Code = coded.ErrorCode()
		}
		c.cause = failed
		return "", errNoToken
	}
	c.presented = answer.PresentedToken(token)
	return token, nil
}

func (c *credential) byMethod(context.Context, bool) (azcore.TokenCredential, error) {
	return c.Auth.Method.Credential(c.TenantID, c.ClientID, c.clientOptions())
}

// unread is the error of a source that gave nothing to sign in with.
func unread(operation, what string, err error) error {
	return unsent(operation, fmt.Errorf("the app's %s cannot be read; see that it is stored, and that this program may read it: %w", what, err))
}
