package secrets

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

// MaxClientState is the longest clientState that Graph documents for a
// subscription, in characters
// (https://learn.microsoft.com/graph/api/resources/subscription).
const MaxClientState = 128

// ClientState is the clientState as those know it who receive notifications: both
// versions that Graph may send. It implements webhook.Secrets.
type ClientState struct{ cache *cache[clientStates] }

type clientStates struct{ current, previous version }

// NewClientState makes a ClientState. It asks for nothing yet.
func NewClientState(c Config) *ClientState {
	return &ClientState{newCache(&c, c.clientStates)}
}

// ClientStates returns the current secret, and the previous one, or "" if there is
// none.
func (s *ClientState) ClientStates(ctx context.Context) (current, previous string, err error) {
	states, err := s.cache.get(ctx, false)
	return states.current.text, states.previous.text, err
}

// clientStates reads the current version first. If the secret is rotated in
// between, the new version is unknown for a while, which nobody uses yet. The
// other order would lose the version that subscriptions carry.
func (c *Config) clientStates(ctx context.Context) (clientStates, error) {
	current, err := c.clientState(ctx, stageCurrent)
	if err != nil {
		return clientStates{}, err
	}
	previous, err := c.clientState(ctx, stagePrevious)
	if _, none := errors.AsType[*types.ResourceNotFoundException](err); none {
		return clientStates{current: current}, nil
	}
	if err != nil {
		return clientStates{}, err
	}
	return clientStates{current, previous}, nil
}

func (c *Config) clientState(ctx context.Context, stage string) (version, error) {
	v, err := c.read(ctx, stage)
	if err != nil {
		return version{}, err
	}
	if err := checkClientState(v.text); err != nil {
		return version{}, c.unusable(stage, err)
	}
	return v, nil
}

// errClientState says what a clientState looks like.
var errClientState = errors.New("it must be a text of 1 to 128 letters, digits and signs, without blanks")

func checkClientState(text string) error {
	if text == "" || len(text) > MaxClientState || !printable(text) {
		return errClientState
	}
	return nil
}

// printable tells whether a text has only characters of ASCII that can be seen.
func printable(text string) bool {
	for i := range len(text) {
		if text[i] <= ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

// SettleTime is how old a version must be for subscriptions to be made with it:
// twice as old as a webhook lets its own become before it reads again. A webhook
// that can't read again may take longer; what it then drops, the sweep finds.
const SettleTime = 10 * time.Minute

// SettledClientState is the clientState as the keeper must see it. A version is
// current only when every webhook knows it. It implements subscription.Secrets.
type SettledClientState struct{ config Config }

// NewSettledClientState makes a SettledClientState. It reads the secret each time
// anew, so c.Settings means nothing to it.
func NewSettledClientState(c Config) *SettledClientState { return &SettledClientState{c} }

// ClientStates returns the secret that subscriptions are to be made with, and the
// other one that the webhook accepts, or "" if there is none. For a SettleTime
// after a rotation the first is the previous version. A secret that was never
// rotated has only the one.
//
// A version's age counts from its creation. So it is to become current when it is
// made, as with PutSecretValue and UpdateSecret.
func (s *SettledClientState) ClientStates(ctx context.Context) (current, previous string, err error) {
	states, err := s.config.clientStates(ctx)
	if err != nil {
		return "", "", err
	}
	current, previous = states.current.text, states.previous.text
	young := s.config.Now().Sub(states.current.created) < SettleTime
	if young && previous != "" {
		return previous, current, nil
	}
	return current, previous, nil
}
