// Package msgraph is the Microsoft Graph v1.0 client of sessionstamp, and with
// package ask the only one that imports Microsoft's SDK. It implements
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
// What only a person asks for, and how a person signs in, is in package ask.
//
// # What the SDK does here, and what it does not
//
// The SDK's request builders make the requests, and its models make their bodies. The
// package sends them itself, over net/http: once, and what changes something never
// again. A $batch of revocations whose answer was lost may have taken effect, and sending
// it again signs people out a second time; only the caller, who keeps a ledger, can decide
// that. What only reads is tried up to four times, as far apart as Graph asks and as long
// as the context lasts. A token that Graph refuses is replaced once, for any request.
//
// It reads every answer itself, in package answer. The SDK's readers panic on an
// empty answer, on a null in a batch part's headers, on an error without a
// message. What comes over the network must not be able to stop the program. The
// SDK's models also take thirty times the memory for what comes in thousands, and
// hold the secret of a subscription. What azidentity does still read are the answers
// with which Entra gives a token, and tells its endpoints; its errors are replaced by
// our own.
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
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"time"

	"github.com/google/uuid"
	abstractions "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoft/kiota-abstractions-go/authentication"
	khttp "github.com/microsoft/kiota-http-go"
	jsonserialization "github.com/microsoft/kiota-serialization-json-go"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/answer"
)

// callTimeout is how long a call may take, once there is a token for it, where
// [Options.CallTimeout] does not say. Graph answers a $batch of twenty in a few
// seconds at most; a Lambda invocation should not be spent on one that hangs.
const callTimeout = 20 * time.Second

// userAgent is the product that Graph and Entra see.
const userAgent = "sessionstamp"

// invalidToken is the code by which Graph refuses a token that was revoked, or whose key
// it does not know.
const invalidToken = "InvalidAuthenticationToken"

// Options say which Graph a [Client] calls, and as whom.
type Options struct {
	// Cloud is where the tenant lives: see [CloudByName].
	Cloud Cloud
	// TenantID and ClientID are the directory (tenant) id and the application
	// (client) id of the app registration. A [Method] may do without.
	TenantID, ClientID string
	// Auth is how the app signs in.
	Auth Auth
	// Transport carries the requests. Nil means a transport of the client's own.
	Transport http.RoundTripper
	// CallTimeout bounds each request, from when there is a token for it. Zero
	// means 20 seconds.
	CallTimeout time.Duration
}

// A Client calls Microsoft Graph. It signs the app in when a token is first needed, and
// keeps what it was given, so a process should make only one. It is safe for concurrent
// use.
type Client struct {
	credential *credential
	transport  http.RoundTripper
	adapter    *khttp.NetHttpRequestAdapter
	root       string
	pages      answer.Pages
	timeout    time.Duration
	clock      clock
}

// NewClient returns a client. It opens no connection and asks for no token.
func NewClient(o Options) (*Client, error) {
	o.Transport = limited{orDefault(o.Transport)}
	credential, err := newCredential(o)
	if err != nil {
		return nil, err
	}
	// The adapter makes requests and sends none. It is given the JSON factories; the
	// SDK's root package registers them in global maps that are read without a lock.
	adapter, err := khttp.NewNetHttpRequestAdapterWithParseNodeFactoryAndSerializationWriterFactoryAndHttpClient(
		new(authentication.AnonymousAuthenticationProvider),
		jsonserialization.NewJsonParseNodeFactory(),
		jsonserialization.NewJsonSerializationWriterFactory(),
		new(http.Client))
	if err != nil {
		return nil, err
	}
	root := "https://" + o.Cloud.GraphHost + strings.TrimSuffix(answer.Version, "/")
	adapter.SetBaseUrl(root)
	return &Client{
		credential: credential, transport: o.Transport, adapter: adapter,
		root: root, pages: answer.Pages{Host: o.Cloud.GraphHost},
		timeout: cmp.Or(o.CallTimeout, callTimeout),
	}, nil
}

// Now is what time it is at Graph, by which it judges and writes stamps; the zero Time
// before it has answered. It is never ahead of Graph, and never goes back.
func (c *Client) Now() time.Time { return c.clock.now() }

// Send sends one request, unless err says that it could not be made: once, or a second time
// where Graph has refused the token. It returns an answer of success; errors are
// *directory.Error: unless NotDone is set, it may have taken effect. It is exported for the
// packages below this one.
func (c *Client) Send(ctx context.Context, operation string, info *abstractions.RequestInformation, err error) (answer.Answer, error) {
	if err != nil {
		return answer.Answer{}, unsent(operation, err)
	}
	got, _, err := c.sendAs(ctx, operation, info)
	return got, err
}

// sendAs sends a request, and tells the token that it was sent with. Only where Graph has
// refused the token, and so has not looked at the request, is it sent a second time, with
// a fresh one.
//
// The token comes first, and takes none of the request's time: it can take a minute
// until Entra knows a new app's credential.
func (c *Client) sendAs(ctx context.Context, operation string, info *abstractions.RequestInformation) (got answer.Answer, token string, err error) {
	for range 2 {
		token, err = c.credential.token(ctx)
		if err != nil {
			return answer.Answer{}, "", err
		}
		got, err = c.sendOnce(ctx, operation, token, info)
		if !c.refused(token, err) {
			break
		}
	}
	return got, token, err
}

// refused tells whether Graph has refused the token itself, so that another may help.
// After any 401 the token is dropped: one that was given before an administrator has
// consented would stay refused for as long as it lives.
func (c *Client) refused(token string, err error) bool {
	e, ok := errors.AsType[*directory.Error](err)
	if !ok || e.StatusCode != http.StatusUnauthorized {
		return false
	}
	c.credential.forget(token)
	return e.Code == invalidToken
}

// sendOnce sends a request exactly once.
func (c *Client) sendOnce(ctx context.Context, operation, token string, info *abstractions.RequestInformation) (answer.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	var conn connection
	req, err := c.request(httptrace.WithClientTrace(ctx, conn.trace()), info)
	if err = cmp.Or(ctx.Err(), err); err != nil {
		return answer.Answer{}, unsent(operation, err)
	}
	id := uuid.NewString()
	req.Header.Set(answer.ClientRequestID, id)
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		return answer.Answer{}, &directory.Error{Operation: operation, ClientRequestID: id, NotDone: conn.missing(), Err: err}
	}
	if resp.Header.Get("request-id") != "" { // it is Graph's, and no proxy's
		c.clock.set(resp.Header.Get("Date"))
	}
	// What we called the request is more certain than what the answer repeats.
	resp.Header.Set(answer.ClientRequestID, id)
	got, err := readAnswer(operation, resp)
	switch {
	case !got.OK():
		return answer.Answer{}, refusal(got)
	case err != nil:
		return answer.Answer{}, got.Distrust(err)
	}
	return got, nil
}

// Request makes the SDK's request of a path, in which each {name} stands for the value that
// follows the name in pairs; the value is escaped. It is for calls for which the SDK's
// packages are not worth linking.
func (c *Client) Request(method abstractions.HttpMethod, path string, pairs ...string) *abstractions.RequestInformation {
	parameters := c.pathParameters()
	for i := 0; i < len(pairs); i += 2 {
		parameters[pairs[i]] = pairs[i+1] //nolint:gosec // they come in pairs
	}
	info := abstractions.NewRequestInformationWithMethodAndUrlTemplateAndPathParameters(method, "{+baseurl}"+path, parameters)
	info.Headers.TryAdd("Accept", "application/json")
	return info
}

// request makes net/http's request of the SDK's. Its body gets no GetBody, so net/http
// cannot send it a second time on another connection. It has a Content-Length, for which
// Graph answers 411.
func (c *Client) request(ctx context.Context, info *abstractions.RequestInformation) (*http.Request, error) {
	native, err := c.adapter.ConvertToNativeRequest(ctx, info)
	if err != nil {
		return nil, err
	}
	req, ok := native.(*http.Request)
	if !ok {
		return nil, errors.ErrUnsupported
	}
	req.ContentLength = int64(len(info.Content))
	req.URL.RawQuery = plainDollar(req.URL.RawQuery)
	req.Header.Set("User-Agent", userAgent)
	return req, nil
}

// plainDollar undoes the SDK's escape of the dollar in the names of parameters.
func plainDollar(address string) string { return strings.ReplaceAll(address, "%24", "$") }

// readAnswer reads a response to its end and closes it. Where that fails, the
// status and the headers are still told.
func readAnswer(operation string, resp *http.Response) (answer.Answer, error) {
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return answer.Answer{Operation: operation, Status: resp.StatusCode, Header: resp.Header, Body: body}, err
}
