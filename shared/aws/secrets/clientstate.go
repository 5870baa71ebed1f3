package secrets

import (
	"context"
	"errors"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/sessionstamp/sessionstamp/shared/webhook"
)

// ClientState is the secret from which each tenant's clientState is derived. It
// implements the Secrets of packages webhook and keeper.
type ClientState struct {
	cache  *cache[[]string]
	tenant string
}

// NewClientState makes the ClientState of a tenant. It asks for nothing yet.
func NewClientState(c Config, tenant string) *ClientState {
	return &ClientState{newCache(&c, c.rootSecrets), tenant}
}

// ClientStates returns the clientStates that a notification may carry. The first one is
// for new subscriptions. The second one, if there is any, is of the secret before: it
// stands in the subscription until the keeper has replaced it. With fresh the secret is
// read again, and not being able to is an error.
func (s *ClientState) ClientStates(ctx context.Context, fresh bool) ([]string, error) {
	roots, err := s.cache.get(ctx, fresh)
	if err != nil {
		return nil, err
	}
	states := make([]string, len(roots))
	for i, root := range roots {
		states[i] = webhook.ClientState(root, s.tenant)
	}
	return states, nil
}

// rootSecrets reads the current version first. If the secret changes in between, the
// new version is unknown for a while, which nobody uses yet.
func (c *Config) rootSecrets(ctx context.Context) ([]string, error) {
	current, err := c.rootSecret(ctx, stageCurrent)
	if err != nil {
		return nil, err
	}
	previous, err := c.rootSecret(ctx, stagePrevious)
	if _, none := errors.AsType[*types.ResourceNotFoundException](err); none || errors.Is(err, errGuessable) {
		return []string{current}, nil
	}
	if err != nil {
		return nil, err
	}
	return []string{current, previous}, nil
}

// minRoot is how many characters keep a secret from being guessed.
const minRoot = 16

var errGuessable = errors.New("it has fewer than 16 characters, which can be guessed: store a random text of 32 or more")

func (c *Config) rootSecret(ctx context.Context, stage string) (string, error) {
	text, err := c.read(ctx, stage)
	if err == nil && utf8.RuneCountInString(text) < minRoot {
		err = c.unusable(stage, errGuessable)
	}
	return text, err
}
