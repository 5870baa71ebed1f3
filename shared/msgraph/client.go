// Package msgraph is the Microsoft Graph v1.0 client of sessionstamp, and the
// only package that links Microsoft's SDK. It implements
//
//   - [user: get] and [user: revokeSignInSessions], twenty at a time through
//     [JSON batching],
//   - [List domains],
//   - [List users] and [user: delta], a page at a time,
//   - [checkMemberGroups] and [Get group],
//   - [subscriptions]: list, create, update and delete,
//   - the [client credentials flow] by which the app signs in, in every
//     [national cloud]: by a client secret, by a certificate, or by the token of
//     another issuer.
//
// # What the SDK does here, and what it does not
//
// The SDK's request builders make the requests, its models make their bodies, its
// adapter and middleware send them. It reads no answer. The package decides two things
// itself.
//
// It never repeats a request that changes something. A $batch of revocations whose
// answer was lost may have taken effect, and sending it again signs people out a second
// time; only the caller, who keeps a ledger, can decide that. So there is no retry,
// redirect or claims-challenge handler, and no body that net/http could send again. What
// only reads is tried up to five times, as far apart as Graph asks and as long as the
// context lasts. A token that Graph refuses is replaced once, for any request.
//
// It reads every answer itself, in package answer. The SDK's readers panic on an
// empty answer, on a null in a batch part's headers, on an error without a
// message. What comes over the network must not be able to stop the program. The
// SDK's models also take thirty times the memory for what comes in thousands, and
// hold the secret of a subscription. What the SDK does still read are the answers
// with which Entra gives a token, and tells its endpoints: that is azidentity's
// work, and its errors are replaced by our own.
//
// Every error of a call is a [*directory.Error]. It says how certain it is that
// nothing was changed, and never quotes an answer's text or an address, which may
// name users. Only the calls on subscriptions, which are about nobody, hand on
// Graph's text in a field of its own.
//
// [user: get]: https://learn.microsoft.com/graph/api/user-get
// [user: revokeSignInSessions]: https://learn.microsoft.com/graph/api/user-revokesigninsessions
// [JSON batching]: https://learn.microsoft.com/graph/json-batching
// [List domains]: https://learn.microsoft.com/graph/api/domain-list
// [List users]: https://learn.microsoft.com/graph/api/user-list
// [user: delta]: https://learn.microsoft.com/graph/api/user-delta
// [checkMemberGroups]: https://learn.microsoft.com/graph/api/directoryobject-checkmembergroups
// [Get group]: https://learn.microsoft.com/graph/api/group-get
// [subscriptions]: https://learn.microsoft.com/graph/api/resources/subscription
// [client credentials flow]: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
// [national cloud]: https://learn.microsoft.com/graph/deployments
package msgraph

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	abstractions "github.com/microsoft/kiota-abstractions-go"
	azureauth "github.com/microsoft/kiota-authentication-azure-go"
	khttp "github.com/microsoft/kiota-http-go"
	jsonserialization "github.com/microsoft/kiota-serialization-json-go"
	core "github.com/microsoftgraph/msgraph-sdk-go-core"

	"github.com/sessionstamp/sessionstamp/shared/msgraph/answer"
)

// DefaultCallTimeout is how long a call may take, once there is a token for it, where
// [Options.CallTimeout] does not say. Graph answers a $batch of twenty in a few
// seconds at most; a Lambda invocation should not be spent on one that hangs.
const DefaultCallTimeout = 20 * time.Second

// defaultUserAgent is the product that Graph sees where [Options.UserAgent] does
// not say.
const defaultUserAgent = "sessionstamp/dev"

// Options say which Graph a [Client] calls, and as whom.
type Options struct {
	// Cloud is where the tenant lives: see [CloudByName].
	Cloud Cloud
	// Credential obtains the app's access tokens. It is asked for one before each
	// call, under the caller's own deadline, and must come to an end by itself. It
	// caches them, so a process needs only one: see [NewCredential].
	Credential azcore.TokenCredential
	// Transport carries the requests. Nil means a transport of the client's own.
	Transport http.RoundTripper
	// UserAgent is the product and its version: "sessionstamp/1.4.0".
	UserAgent string
	// CallTimeout bounds each request, from when there is a token for it. Zero
	// means [DefaultCallTimeout].
	CallTimeout time.Duration
}

// A Client calls Microsoft Graph. It is safe for concurrent use.
type Client struct {
	cloud      Cloud
	credential azcore.TokenCredential
	// forget has the credential drop a token; nil if it can't.
	forget  func(token string)
	fit     fitGroups
	pages   answer.Pages
	timeout time.Duration
	adapter *core.GraphRequestAdapterBase
}

// NewClient returns a client. It opens no connection and asks for no token.
func NewClient(o Options) (*Client, error) {
	if o.Cloud.GraphHost == "" {
		return nil, errors.New("msgraph: Options.Cloud is missing")
	}
	if o.Credential == nil {
		return nil, errors.New("msgraph: Options.Credential is missing")
	}
	adapter, err := newAdapter(o)
	if err != nil {
		return nil, err
	}
	timeout := o.CallTimeout
	if timeout <= 0 {
		timeout = DefaultCallTimeout
	}
	c := &Client{
		cloud: o.Cloud, credential: tokens{o.Credential}, pages: answer.Pages{Host: o.Cloud.GraphHost},
		timeout: timeout, adapter: adapter,
	}
	if f, ok := o.Credential.(forgetter); ok {
		c.forget = f.Forget
	}
	return c, nil
}

// newAdapter builds the SDK's adapter. It hands over the JSON factories instead
// of registering them as the SDK's root package does, in global maps that are
// read without a lock.
func newAdapter(o Options) (*core.GraphRequestAdapterBase, error) {
	auth, err := newAuthentication(o)
	if err != nil {
		return nil, err
	}
	adapter, err := core.NewGraphRequestAdapterBaseWithParseNodeFactoryAndSerializationWriterFactoryAndHttpClient(
		auth, core.GraphClientOptions{},
		jsonserialization.NewJsonParseNodeFactory(),
		jsonserialization.NewJsonSerializationWriterFactory(),
		newHTTPClient(o))
	if err != nil {
		return nil, err
	}
	adapter.SetBaseUrl(o.Cloud.baseURL())
	return adapter, nil
}

// newAuthentication puts the app's token on requests to the cloud's Graph, and
// to no other host. Continuous access evaluation stays off: its tokens live up
// to a day, and until such a token ends Graph refuses an app that has just been
// granted the permission it lacked.
func newAuthentication(o Options) (*azureauth.AzureIdentityAuthenticationProvider, error) {
	return azureauth.NewAzureIdentityAuthenticationProviderWithScopesAndValidHostsAndObservabilityOptionsAndIsCaeEnabled(
		carried{}, []string{o.Cloud.Scope()}, []string{o.Cloud.GraphHost},
		azureauth.ObservabilityOptions{}, false)
}

// newHTTPClient lists the middleware by name and in order. The SDK's default
// list has a retry, a redirect and a compression handler, and a random order.
func newHTTPClient(o Options) *http.Client {
	userAgent := o.UserAgent
	if userAgent == "" {
		userAgent = defaultUserAgent
	}
	product, version, _ := strings.Cut(userAgent, "/")
	transport := khttp.NewCustomTransportWithParentTransport(
		wire{orDefault(o.Transport)},
		core.NewGraphTelemetryHandler(&core.GraphClientOptions{}), // a fresh client-request-id
		khttp.NewParametersNameDecodingHandler(),                  // %24select to $select
		khttp.NewUserAgentHandlerWithOptions(&khttp.UserAgentHandlerOptions{
			Enabled: true, ProductName: product, ProductVersion: version,
		}),
	)
	return &http.Client{Transport: transport}
}

// send sends one request and returns an answer of success. Any other outcome is a
// *directory.Error.
func (c *Client) send(ctx context.Context, operation string, info *abstractions.RequestInformation) (answer.Answer, error) {
	got, _, err := c.sendAs(ctx, operation, info)
	return got, err
}

// sendAs sends a request as send does, and tells the token that it was sent with. Only
// where Graph has refused the token, and so has not looked at the request, is it sent a
// second time, with a fresh one.
//
// The token comes first, and takes none of the request's time: it can take a minute
// until Entra knows a new app's credential.
func (c *Client) sendAs(ctx context.Context, operation string, info *abstractions.RequestInformation) (got answer.Answer, token string, err error) {
	for range 2 {
		token, err = c.token(ctx)
		if err != nil {
			return answer.Answer{}, "", err
		}
		got, err = c.sendOnce(context.WithValue(ctx, tokenKey{}, token), operation, info)
		if !c.refused(token, err) {
			break
		}
	}
	return got, token, err
}

// sendOnce sends a request with the token that ctx carries, exactly once.
func (c *Client) sendOnce(ctx context.Context, operation string, info *abstractions.RequestInformation) (answer.Answer, error) {
	// The SDK adds a deadline where there is none, and never releases it.
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	info.Headers.Remove("Authorization") // of an attempt before, which the SDK keeps
	var got answer.Answer
	var unread error
	info.AddRequestOptions(responseHandler(func(resp *http.Response) {
		got, unread = readAnswer(operation, resp)
	}))
	switch err := c.adapter.SendNoContent(ctx, info, nil); {
	case err != nil:
		return answer.Answer{}, sendError(operation, err)
	case !got.OK():
		return answer.Answer{}, refusal(got)
	case unread != nil:
		return answer.Answer{}, got.Distrust(unread)
	}
	return got, nil
}

// responseHandler is the SDK's option by which a caller reads the answer in the
// SDK's stead.
func responseHandler(read func(*http.Response)) []abstractions.RequestOption {
	option := abstractions.NewRequestHandlerOption()
	option.SetResponseHandler(func(response any, _ abstractions.ErrorMappings) (any, error) {
		if resp, ok := response.(*http.Response); ok {
			read(resp)
		}
		return nil, nil
	})
	return []abstractions.RequestOption{option}
}

// readAnswer reads a response to its end and closes it. Where that fails, the
// status and the headers are still told.
func readAnswer(operation string, resp *http.Response) (answer.Answer, error) {
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if _, huge := errors.AsType[*http.MaxBytesError](err); huge {
		err = errHuge
	}
	return answer.Answer{Operation: operation, Status: resp.StatusCode, Header: resp.Header, Body: body}, err
}
