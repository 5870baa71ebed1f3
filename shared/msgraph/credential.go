package msgraph

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"time"

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

// NewClientSecretCredential returns a credential that signs the app in with a
// client secret. It caches its tokens, so a process should make only one. It
// opens no connection yet.
func NewClientSecretCredential(o CredentialOptions, secret string) (azcore.TokenCredential, error) {
	switch {
	case o.Cloud.LoginHost == "":
		return nil, errors.New("msgraph: CredentialOptions.Cloud is missing")
	case o.TenantID == "", o.ClientID == "":
		return nil, errors.New("msgraph: CredentialOptions.TenantID or ClientID is missing")
	case secret == "":
		return nil, errors.New("msgraph: the client secret is empty")
	}
	return azidentity.NewClientSecretCredential(o.TenantID, o.ClientID, secret, &azidentity.ClientSecretCredentialOptions{
		ClientOptions: o.clientOptions(),
		// The authority comes from our own table: to have it confirmed is one
		// request more, to a host that is global even for a national cloud.
		DisableInstanceDiscovery: true,
	})
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

// causeKey is the context's key of the place where tokenTransport leaves an error.
type causeKey struct{}

// tokenTransport sends the requests for a token, and keeps aside why one failed.
// The credential turns its errors into texts, and as some of those quote the
// token endpoint's answer, none of them can be passed on.
type tokenTransport struct{ next http.RoundTripper }

// Do implements policy.Transporter.
func (t tokenTransport) Do(req *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(req)
	if place, ok := req.Context().Value(causeKey{}).(*error); ok {
		*place = err
	}
	return resp, err
}

// errNoToken stands for a text of the credential's that is not passed on.
var errNoToken = errors.New("the credential gave no token")

// tokenError is a token that could not be had; the call it was for did not begin.
func tokenError(err, cause error) *directory.Error {
	e := &directory.Error{Operation: opToken, NotDone: true, Err: cause}
	failed, ok := errors.AsType[*azidentity.AuthenticationFailedError](err)
	if !ok || failed.RawResponse == nil {
		return e
	}
	e.Err = nil
	e.StatusCode = failed.RawResponse.StatusCode
	e.RetryAfter = retryAfter(failed.RawResponse.Header, time.Now())
	if failed.RawResponse.Body != nil {
		body, _ := io.ReadAll(failed.RawResponse.Body)
		e.Code, e.RequestID = parseTokenError(body)
	}
	return e
}

// aadsts is how Entra numbers its errors.
var aadsts = regexp.MustCompile(`\bAADSTS[0-9]{1,10}\b`)

// parseTokenError reads the token endpoint's [error response]: the number of the
// error, or its OAuth name if it has none, and the id by which Entra logged it.
//
// [error response]: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow#error-response
func parseTokenError(body []byte) (code, correlationID string) {
	var fields struct {
		Error         string `json:"error"`
		Description   string `json:"error_description"`
		CorrelationID string `json:"correlation_id"`
	}
	_ = json.Unmarshal(body, &fields)
	code = aadsts.FindString(fields.Description)
	if code == "" {
		code = plain(fields.Error)
	}
	return code, plain(fields.CorrelationID)
}
