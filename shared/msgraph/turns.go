package msgraph

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/answer"
)

// turns lets one caller sign in at a time. Those who waited meanwhile share a
// refusal, so that a burst of calls does not sign in, and fail, once for each.
type turns struct {
	signer signer
	// refusals counts the attempts that ended with a refusal.
	refusals atomic.Int64
	// turn is held by the one caller who signs in, and guards what follows and what
	// the signer keeps. It is a channel so that waiting for it ends with the context.
	// Nobody is slowed down: azidentity holds a mutex at the same place.
	turn chan struct{}
	// refused is how the last of refusals ended.
	refused directory.Error
}

// A signer gets a token of Entra's, be it one that it has kept. It is not called by
// two at once.
type signer interface {
	signIn(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error)
}

func newTurns(s signer) *turns { return &turns{signer: s, turn: make(chan struct{}, 1)} }

// GetToken implements azcore.TokenCredential.
func (t *turns) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	before := t.refusals.Load()
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return azcore.AccessToken{}, &directory.Error{Operation: opToken, NotDone: true, Err: ctx.Err()}
	}
	if t.refusals.Load() != before {
		shared := t.refused
		return azcore.AccessToken{}, &shared
	}
	token, err := t.signer.signIn(ctx, o)
	// A caller whose own time is over says nothing about the credential.
	if refusal := refusalOf(err); refusal != nil && ctx.Err() == nil {
		t.refused = *refusal
		t.refusals.Add(1)
	}
	return token, err
}

// refusalOf returns Entra's refusal of what the app signs in with, nil if err is
// none.
func refusalOf(err error) *directory.Error {
	if e, ok := errors.AsType[*directory.Error](err); ok && answer.CredentialRefused(e) {
		return e
	}
	return nil
}
