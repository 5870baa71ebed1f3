package secrets

import (
	"context"
	"errors"

	"github.com/sessionstamp/sessionstamp/shared/webhook"
)

// ClientState is the secret from which each tenant's clientState is derived. It
// implements the Secrets of packages webhook and keeper.
type ClientState struct{ reader reader[string] }

// NewClientState makes the ClientState of a tenant. It asks for nothing yet.
func NewClientState(c Config, tenant string) *ClientState {
	return &ClientState{reader[string]{Config: c, decode: func(root string) (string, error) {
		return deriveClientState(root, tenant)
	}}}
}

// ClientState returns the one clientState that a notification may carry. That of the
// secret before is not accepted any more: whoever replaces a secret may have reason to.
// Until the keeper has replaced the subscription too, its notifications are dropped, and
// the sweep that it then asks for finds the users. With fresh the secret is read again,
// and not being able to is an error.
func (s *ClientState) ClientState(ctx context.Context, fresh bool) (string, error) {
	return s.reader.get(ctx, fresh)
}

// minRoot is how many bytes keep a secret from being guessed.
const minRoot = 16

var errGuessable = errors.New("it has fewer than 16 characters, which can be guessed: store a random text of 32 or more")

func deriveClientState(root, tenant string) (string, error) {
	if len(root) < minRoot {
		return "", errGuessable
	}
	return webhook.ClientState(root, tenant), nil
}
