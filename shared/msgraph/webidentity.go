package msgraph

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/answer"
)

// A WebIdentitySource returns a new token of the issuer that a federated credential
// of the app trusts, addressed to [Cloud.ExchangeAudience]. It must be safe for
// concurrent use, and its errors must not hold a token. If an error has a method
// ErrorCode() string, as those of AWS's SDK have, the code is told.
type WebIdentitySource func(ctx context.Context) (string, error)

// Entra takes minutes to tell all its replicas of a new federated credential
// (https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations).
// So one that is not found is tried again, for replicationPatience in all, at distances
// that double from replicationPause up to replicationPauseMax. One that was not found in
// that time is wrong rather than new, and its refusal is believed at once for
// replicationRest: else each call that is made meanwhile, and each batch of a queue,
// would wait, and be paid for. exchangeTime is what is left for the attempt itself.
const (
	replicationPause    = 2 * time.Second
	replicationPauseMax = 15 * time.Second
	replicationPatience = 75 * time.Second
	replicationRest     = 10 * time.Minute
	exchangeTime        = 2 * time.Second
)

// errNoWebIdentity is a source without an error and without a token.
var errNoWebIdentity = errors.New("the source of web identity tokens gave none")

// federated waits for Entra to hear of a federated credential that is new. Whoever
// wants a token waits for as long as its own context allows. Nobody has the turn to
// sign in meanwhile, so that no other caller waits for one who waits.
type federated struct {
	turns *turns
	// mu guards what follows. No call is made under it.
	mu sync.Mutex
	// known tells that Entra has accepted a token, and so has heard of the federated
	// credential.
	known bool
	// patientUntil is when what Entra does not know is wrong rather than new.
	patientUntil time.Time
}

func newFederated(app entra, source WebIdentitySource) (azcore.TokenCredential, error) {
	e := &exchange{app: app, source: source}
	return &federated{turns: newTurns(e)}, e.make()
}

// Forget drops a token that Graph has refused.
func (f *federated) Forget(token string) { f.turns.Forget(token) }

// presentedKey is the context's key of the place where assertion leaves the claims.
type presentedKey struct{}

// assertion is what azidentity calls for a token. It leaves aside why there is none,
// as tokenTransport does, and what the token says of itself.
func assertion(source WebIdentitySource) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		token, err := source(ctx)
		if err == nil && token == "" {
			err = errNoWebIdentity
		}
		if err != nil {
			leaveCause(ctx, unavailable(err))
			return "", errNoToken
		}
		if place, ok := ctx.Value(presentedKey{}).(**directory.PresentedToken); ok {
			*place = answer.PresentedToken(token)
		}
		return token, nil
	}
}

// unavailable is the error of a source that gave no token.
func unavailable(err error) *directory.Error {
	e := &directory.Error{Operation: opWebIdentity, NotDone: true, Err: err}
	if coded, ok := errors.AsType[interface {
		error
		ErrorCode() string
	}](err); ok {
		e.Code = coded.ErrorCode()
	}
	return e
}

// GetToken implements azcore.TokenCredential.
func (f *federated) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	for pause := replicationPause; ; pause = min(2*pause, replicationPauseMax) {
		token, err := f.turns.GetToken(ctx, o)
		if !f.patient(err, pause) || !wait(ctx, pause) {
			return token, err
		}
	}
}

// patient tells whether an attempt that ended with err is worth another after a pause.
func (f *federated) patient(err error, pause time.Duration) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.known = f.known || err == nil
	refusal := refusalOf(err)
	if f.known || refusal == nil || !answer.FederationRefused(refusal) {
		return false
	}
	now := time.Now()
	if now.Sub(f.patientUntil) > replicationRest {
		f.patientUntil = now.Add(replicationPatience)
	}
	return !now.Add(pause).After(f.patientUntil)
}

// exchange exchanges tokens of another issuer for tokens of Entra's.
type exchange struct {
	app        entra
	source     WebIdentitySource
	credential azcore.TokenCredential
}

// make makes azidentity's credential, which has no token yet.
func (e *exchange) make() error {
	credential, err := azidentity.NewClientAssertionCredential(e.app.TenantID, e.app.ClientID, assertion(e.source), &azidentity.ClientAssertionCredentialOptions{
		ClientOptions:            e.app.client,
		DisableInstanceDiscovery: true, // as in withSecret
	})
	if err == nil {
		e.credential = tokens{credential}
	}
	return err
}

// renew implements signer. What could be made once can be made again.
func (e *exchange) renew() { _ = e.make() }

// signIn implements signer.
func (e *exchange) signIn(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	var presented *directory.PresentedToken
	token, err := e.credential.GetToken(context.WithValue(ctx, presentedKey{}, &presented), o)
	if refused, ok := errors.AsType[*directory.Error](err); ok && refused.Operation == opToken && refused.StatusCode != 0 && refused.Err == nil && presented != nil {
		refused.Err = presented
	}
	return token, err
}

// wait tells whether there is time to wait for so long and make another attempt,
// after it has waited.
func wait(ctx context.Context, pause time.Duration) bool {
	if end, ok := ctx.Deadline(); ok && time.Until(end) < pause+exchangeTime {
		return false
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
