package msgraph

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// stored signs in with what a source keeps, a client secret or a certificate.
type stored struct {
	load loader
	// credential is nil until the source was first asked.
	credential azcore.TokenCredential
	digest     [sha256.Size]byte
	// presented is the cause that a refusal is given, nil for none.
	presented error
}

// A loader asks a source, for a fresh answer if the one before was of no use. Its error
// is of type [*directory.Error].
type loader func(ctx context.Context, fresh bool) (material, error)

// material is what a source has given.
type material struct {
	// digest tells it from another. It may turn up where a struct is printed.
	digest [sha256.Size]byte
	// presented names it without giving it away, nil if nothing does.
	presented error
	// credential makes azidentity's credential of it.
	credential func() (azcore.TokenCredential, error)
}

func newStored(load loader) azcore.TokenCredential { return newTurns(&stored{load: load}) }

// signIn gets a token, if need be with fresh material.
func (s *stored) signIn(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	if s.credential == nil {
		if err := s.first(ctx); err != nil {
			return azcore.AccessToken{}, err
		}
	}
	token, err := s.attempt(ctx, o)
	refusal := refusalOf(err)
	if refusal == nil {
		return token, err
	}
	changed, failed := s.reload(ctx, true)
	switch {
	case failed != nil:
		return azcore.AccessToken{}, because(failed, refusal)
	case changed:
		return s.attempt(ctx, o)
	}
	return token, err
}

// renew implements signer: what is kept is made anew, of what the source has.
func (s *stored) renew() { s.credential, s.digest = nil, [sha256.Size]byte{} }

// first asks for the material for the first time. What the source has kept for itself
// may be out of its time, and replaced by now.
func (s *stored) first(ctx context.Context) error {
	_, err := s.reload(ctx, false)
	if errors.Is(err, directory.ErrCertificateTime) {
		_, err = s.reload(ctx, true)
	}
	return err
}

// attempt gets a token with the material at hand.
func (s *stored) attempt(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	token, err := s.credential.GetToken(ctx, o)
	if refusal := refusalOf(err); refusal != nil && refusal.Err == nil {
		refusal.Err = s.presented
	}
	return token, err
}

// reload asks for the material, and tells whether it is another than before.
func (s *stored) reload(ctx context.Context, fresh bool) (changed bool, err error) {
	got, err := s.load(ctx, fresh)
	if err != nil || got.digest == s.digest {
		return false, err
	}
	credential, err := got.credential()
	if err != nil {
		return false, unsent(opToken, err)
	}
	s.digest, s.presented, s.credential = got.digest, got.presented, tokens{credential}
	return true, nil
}

// unread is the error of a source that gave nothing to sign in with.
func unread(operation, what string, err error) error {
	return &directory.Error{Operation: operation, NotDone: true, Err: fmt.Errorf(
		"the app's %s cannot be read; see that it is stored, and that this program may read it: %w", what, err)}
}

// because adds to a failure to read something fresh why it was needed.
func because(failed error, refusal *directory.Error) error {
	if e, ok := errors.AsType[*directory.Error](failed); ok {
		e.StatusCode, e.Code = refusal.StatusCode, refusal.Code
		e.RequestID, e.RetryAfter = refusal.RequestID, refusal.RetryAfter
	}
	return failed
}
