package msgraph

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/answer"
)

const (
	// signInTimeout bounds one attempt to sign in: the source of what the app signs in
	// with, and Entra, each asked twice at most. They answer in a second or two.
	signInTimeout = callTimeout
	// Entra takes minutes to tell all its replicas of a new federated credential
	// (https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations).
	// So a new client tries again for replicationPatience where a token is refused: the
	// first of them is made at the deployment, which fails without a token.
	replicationPatience = 75 * time.Second
	replicationPause    = 10 * time.Second
)

// errNoToken stands for a text of azidentity's that is not passed on, because some quote
// the answer of the token endpoint.
var errNoToken = errors.New("the credential gave no token")

// credential signs the app in. azidentity keeps tokens until shortly before they expire.
type credential struct {
	Options

	// forgotten is the token that Graph has refused last, nil for none.
	forgotten atomic.Pointer[string]
	// turn is held by the one caller who signs in, and guards what follows. It is a
	// channel so that waiting for it ends with the context.
	turn chan struct{}
	born time.Time
	load loader
	// signer is azidentity's credential, nil until the source was first asked.
	signer azcore.TokenCredential
	// presented tells what Entra was given, without giving it away; nil if nothing does.
	presented error
	// cause is why the last request for a token had no answer, or was not made.
	cause error
	// said is the last refusal of Entra's. The Microsoft Authentication Library reads some
	// to their end, and leaves nothing.
	said answer.Answer
}

func newCredential(o Options) (*credential, error) {
	c := &credential{Options: o, turn: make(chan struct{}, 1), born: time.Now()}
	if c.load = c.loader(); c.load == nil {
		return nil, errors.New("msgraph: Options.Auth names no way to sign in")
	}
	return c, nil
}

// token returns an access token. Errors are *directory.Error with NotDone set, of the
// operation [directory.Token], or of the source that gave nothing to sign in with.
func (c *credential) token(ctx context.Context) (string, error) {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return "", unsent(directory.Token, ctx.Err())
	}
	for {
		token, err := c.signIn(ctx)
		_, federated := errors.AsType[*directory.PresentedToken](err)
		if !federated || time.Since(c.born) > replicationPatience || !waitInTime(ctx, replicationPause) {
			return token, err
		}
	}
}

// forget has the next caller sign in anew if the token is still the one that is kept.
func (c *credential) forget(token string) { c.forgotten.Store(&token) }

// signIn gets a token. Where what was kept is of no use, it asks the source once for what
// is fresh; if there is none, the error is the refusal, and why there is none its cause.
func (c *credential) signIn(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(c.Auth.Method.Patience, signInTimeout))
	defer cancel()
	token, err := c.attempt(ctx, false)
	if c.Auth.Method.Patience > 0 && err != nil {
		return "", err // nobody is asked twice
	}
	forgotten := c.forgotten.Load()
	if !refused(err) && !errors.Is(err, directory.ErrCertificateTime) && (forgotten == nil || token != *forgotten) {
		return token, err
	}
	token, failed := c.attempt(ctx, true)
	refusal, ok := errors.AsType[*directory.Error](err)
	if e, unread := errors.AsType[*directory.Error](failed); ok && unread && e.OfCredential() {
		refusal.Err = failed
		return "", refusal
	}
	return token, failed
}

// SignIn asks for a token once, without the patience that a call has. Errors are
// *directory.Error.
func (c *Client) SignIn(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, signInTimeout)
	defer cancel()
	_, err := c.credential.attempt(ctx, false)
	return err
}

// refused tells whether Entra may have refused what the app signs in with: the status
// does not always go with the number of the error.
func refused(err error) bool {
	e, ok := errors.AsType[*directory.Error](err)
	return ok && e.Operation == directory.Token && (e.StatusCode == http.StatusBadRequest || e.StatusCode == http.StatusUnauthorized)
}

// attempt gets a token, be it one that azidentity has kept. With fresh, nothing is kept.
func (c *credential) attempt(ctx context.Context, fresh bool) (string, error) {
	if fresh || c.signer == nil {
		signer, err := c.load(ctx, fresh)
		if known, ok := errors.AsType[*directory.Error](err); ok {
			return "", known
		}
		if err != nil {
			return "", unsent(directory.Token, err)
		}
		c.signer = signer
	}
	c.cause, c.said = nil, answer.Answer{}
	got, err := c.signer.GetToken(ctx, policy.TokenRequestOptions{Scopes: c.scopes()})
	if err != nil {
		return "", c.failure(ctx, err)
	}
	return got.Token, nil
}

// failure is a token that could not be had; the call it was for did not begin. The cause
// of a refusal by Entra is what was presented, if that can be told.
func (c *credential) failure(ctx context.Context, err error) *directory.Error {
	if known, ok := errors.AsType[*directory.Error](c.cause); ok {
		return known
	}
	failed, ok := errors.AsType[*azidentity.AuthenticationFailedError](err)
	if !ok || failed.RawResponse == nil || c.said.Status == 0 {
		silent := unsent(directory.Token, c.silence(ctx))
		silent.Code = answer.EntraCode(err.Error())
		return silent
	}
	refusal := c.said.TokenRefusal()
	if refused(refusal) {
		refusal.Err = c.presented
	}
	return refusal
}

// silence is why nobody has refused and there is no token all the same.
func (c *credential) silence(ctx context.Context) error {
	unexplained := cmp.Or(c.Auth.Method.Silence, errNoToken)
	if c.Auth.Method.Patience > 0 && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return unexplained
	}
	return cmp.Or(c.cause, ctx.Err(), unexplained)
}

// scopes are what a token is asked for.
func (c *credential) scopes() []string {
	scopes := slices.Clone(c.Auth.Method.Permissions)
	if len(scopes) == 0 {
		scopes = []string{".default"} // all that was granted
	}
	for i, permission := range scopes {
		scopes[i] = "https://" + c.Cloud.GraphHost + "/" + permission
	}
	return scopes
}

// clientOptions are what the ways to sign in have in common. Nothing is repeated
// here either: the retries of azcore would wait for as long as Entra asks, inside
// an invocation that is paid for, while the queue waits for nothing.
func (c *credential) clientOptions() azcore.ClientOptions {
	return azcore.ClientOptions{
		Cloud:     cloud.Configuration{ActiveDirectoryAuthorityHost: "https://" + c.Cloud.LoginHost + "/"},
		Transport: c,
		Retry:     policy.RetryOptions{MaxRetries: -1},
		Telemetry: policy.TelemetryOptions{ApplicationID: userAgent},
	}
}

// Do implements policy.Transporter: it sends a request for a token, and keeps aside why
// there was no answer, or which refusal there was.
func (c *credential) Do(req *http.Request) (*http.Response, error) {
	resp, err := c.Transport.RoundTrip(req)
	if c.cause = err; err != nil || resp.StatusCode < http.StatusBadRequest {
		return resp, err
	}
	// Of a body that breaks off, what came is read.
	c.said, _ = readAnswer(directory.Token, resp)
	resp.Body = io.NopCloser(bytes.NewReader(c.said.Body))
	return resp, nil
}
