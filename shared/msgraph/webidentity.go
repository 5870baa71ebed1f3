package msgraph

import (
	"context"
	"errors"
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
// So one that is not found is tried again: after replicationPause, which doubles up
// to replicationPauseMax, replicationAttempts times in all. exchangeTime is what is
// left for the attempt itself.
const (
	replicationPause    = 2 * time.Second
	replicationPauseMax = 15 * time.Second
	replicationAttempts = 8
	exchangeTime        = 2 * time.Second
)

// errNoWebIdentity is a source without an error and without a token.
var errNoWebIdentity = errors.New("the source of web identity tokens gave none")

// federated exchanges tokens of another issuer for tokens of Entra's.
type federated struct {
	credential azcore.TokenCredential
	// known tells that Entra has accepted a token, and so has heard of the federated
	// credential.
	known bool
}

func newFederated(app entra, source WebIdentitySource) (azcore.TokenCredential, error) {
	credential, err := azidentity.NewClientAssertionCredential(app.TenantID, app.ClientID, assertion(source), &azidentity.ClientAssertionCredentialOptions{
		ClientOptions:            app.client,
		DisableInstanceDiscovery: true, // as in withSecret
	})
	if err != nil {
		return nil, err
	}
	return newTurns(&federated{credential: tokens{credential}}), nil
}

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

// signIn gets a token, and has patience with a federated credential that is new.
func (f *federated) signIn(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	pause := replicationPause
	for attempt := 1; ; attempt++ {
		token, err := f.exchange(ctx, o)
		refusal := refusalOf(err)
		if refusal == nil {
			f.known = f.known || err == nil
			return token, err
		}
		patient := !f.known && attempt < replicationAttempts && answer.FederationRefused(refusal)
		if !patient || !wait(ctx, pause) {
			return token, err
		}
		pause = min(2*pause, replicationPauseMax)
	}
}

// exchange makes one attempt.
func (f *federated) exchange(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	var presented *directory.PresentedToken
	token, err := f.credential.GetToken(context.WithValue(ctx, presentedKey{}, &presented), o)
	if e, ok := errors.AsType[*directory.Error](err); ok && e.Operation == opToken && e.StatusCode != 0 && e.Err == nil && presented != nil {
		e.Err = presented
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
