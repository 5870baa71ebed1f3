package msgraph

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/answer"
)

// signInTimeout bounds one attempt to sign in: the source of what the app signs in
// with, and Entra, each asked twice at most. They answer in a second or two.
const signInTimeout = DefaultCallTimeout

// turns lets one caller sign in at a time. Those who waited meanwhile share how that
// failed, so that a burst of calls does not sign in, and fail, once for each: where
// nothing answers they would wait for signInTimeout, one after the other.
type turns struct {
	signer signer
	// forgotten is the token that Graph has refused last, nil for none.
	forgotten atomic.Pointer[string]
	// failures counts the attempts that failed.
	failures atomic.Int64
	// turn is held by the one caller who signs in, and guards what follows and what
	// the signer keeps. It is a channel so that waiting for it ends with the context.
	// Nobody is slowed down: azidentity holds a mutex at the same place.
	turn chan struct{}
	// failure is how the last of failures ended.
	failure directory.Error
}

// A signer gets a token of Entra's, be it one that it has kept. It is not called by
// two at once. Its errors are of type [*directory.Error].
type signer interface {
	signIn(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error)
	// renew drops all tokens that were kept, and what keeps them.
	renew()
}

func newTurns(s signer) *turns { return &turns{signer: s, turn: make(chan struct{}, 1)} }

// GetToken implements azcore.TokenCredential.
func (t *turns) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	before := t.failures.Load()
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return azcore.AccessToken{}, unsent(opToken, ctx.Err())
	}
	if t.failures.Load() != before {
		shared := t.failure
		return azcore.AccessToken{}, &shared
	}
	limited, cancel := context.WithTimeout(ctx, signInTimeout)
	defer cancel()
	token, err := t.signIn(limited, o)
	// A caller whose own time is over says nothing about what others would meet.
	if failure, ok := errors.AsType[*directory.Error](err); ok && !over(ctx) {
		t.failure = *failure
		t.failures.Add(1)
	}
	return token, err
}

// Forget has the next caller sign in anew if the token is still the one that is kept.
func (t *turns) Forget(token string) { t.forgotten.Store(&token) }

// signIn gets a token other than the one to forget.
func (t *turns) signIn(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	token, err := t.signer.signIn(ctx, o)
	if forgotten := t.forgotten.Load(); err != nil || forgotten == nil || token.Token != *forgotten {
		return token, err
	}
	t.signer.renew() // azidentity has no way to drop a token
	return t.signer.signIn(ctx, o)
}

// over tells whether the time of ctx has ended. A dialer, which minds the deadline by
// itself, can give up a moment before ctx says so.
func over(ctx context.Context) bool {
	end, ok := ctx.Deadline()
	return ctx.Err() != nil || ok && !time.Now().Before(end)
}

// refusalOf returns Entra's refusal of what the app signs in with, nil if err is
// none.
func refusalOf(err error) *directory.Error {
	if e, ok := errors.AsType[*directory.Error](err); ok && answer.CredentialRefused(e) {
		return e
	}
	return nil
}
