package msgraph

import (
	"cmp"
	"context"
	"errors"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// CredentialOptions say where the app signs in, and as which app.
type CredentialOptions struct {
	// Cloud is where the tenant lives: see [CloudByName].
	Cloud Cloud
	// TenantID and ClientID are the directory (tenant) id and the application
	// (client) id of the app registration.
	TenantID, ClientID string
	// Transport carries the requests. Nil means a transport of the credential's
	// own.
	Transport http.RoundTripper
}

// clientOptions are what the ways to sign in have in common. Nothing is repeated
// here either: the retries of azcore would wait for as long as Entra asks, inside
// an invocation that is paid for, while the queue waits for nothing.
func (o CredentialOptions) clientOptions() azcore.ClientOptions {
	return azcore.ClientOptions{
		Cloud:     cloud.Configuration{ActiveDirectoryAuthorityHost: o.Cloud.authority()},
		Transport: tokenTransport{limited{orDefault(o.Transport)}},
		Retry:     policy.RetryOptions{MaxRetries: -1},
		Telemetry: policy.TelemetryOptions{ApplicationID: "sessionstamp"},
	}
}

// tokens is a credential whose errors are *directory.Error.
type tokens struct{ credential azcore.TokenCredential }

// GetToken implements azcore.TokenCredential.
func (t tokens) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	var cause error
	token, err := t.credential.GetToken(context.WithValue(ctx, causeKey{}, &cause), o)
	if err == nil {
		return token, nil
	}
	return azcore.AccessToken{}, tokenError(err, cmp.Or(cause, ctx.Err(), errNoToken))
}

// token gets a token for a call.
func (c *Client) token(ctx context.Context) (string, error) {
	token, err := c.credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{c.cloud.Scope()}})
	return token.Token, err
}

// A forgetter is a credential that keeps tokens and can drop one before its time.
type forgetter interface{ Forget(token string) }

// refused tells whether Graph has refused the token itself, so that another may help.
// After any 401 the token is dropped: one that was given before an administrator has
// consented would stay refused for as long as it lives.
func (c *Client) refused(token string, err error) bool {
	e, ok := errors.AsType[*directory.Error](err)
	if !ok || e.StatusCode != http.StatusUnauthorized || c.forget == nil {
		return false
	}
	c.forget(token)
	return e.Code == invalidToken
}

// tokenKey is the context's key of a call's token.
type tokenKey struct{}

// carried is the SDK's credential. It has the token that the call was given.
type carried struct{}

// GetToken implements azcore.TokenCredential.
func (carried) GetToken(ctx context.Context, _ policy.TokenRequestOptions) (azcore.AccessToken, error) {
	if token, ok := ctx.Value(tokenKey{}).(string); ok {
		return azcore.AccessToken{Token: token}, nil
	}
	return azcore.AccessToken{}, unsent(opToken, errNoToken)
}

// causeKey is the context's key of the place where tokenTransport leaves an error.
type causeKey struct{}

// tokenTransport sends the requests for a token, and keeps aside why one failed.
// The credential turns its errors into texts, and as some of those quote the
// token endpoint's answer, none of them can be passed on.
type tokenTransport struct{ next http.RoundTripper }

// Do implements policy.Transporter.
func (t tokenTransport) Do(req *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(req)
	leaveCause(req.Context(), err)
	return resp, err
}

// leaveCause keeps err aside for the caller of GetToken.
func leaveCause(ctx context.Context, err error) {
	if place, ok := ctx.Value(causeKey{}).(*error); ok {
		*place = err
	}
}

// errNoToken stands for a text of the credential's that is not passed on.
var errNoToken = errors.New("the credential gave no token")

// tokenError is a token that could not be had; the call it was for did not begin.
func tokenError(err, cause error) *directory.Error {
	for _, e := range []error{err, cause} {
		if known, ok := errors.AsType[*directory.Error](e); ok {
			return known
		}
	}
	failed, ok := errors.AsType[*azidentity.AuthenticationFailedError](err)
	if !ok || failed.RawResponse == nil {
		return &directory.Error{Operation: opToken, NotDone: true, Err: cause}
	}
	if failed.RawResponse.Body == nil {
		failed.RawResponse.Body = http.NoBody
	}
	// Of a body that breaks off, what came is read.
	got, _ := readAnswer(opToken, failed.RawResponse)
	return got.TokenRefusal()
}
