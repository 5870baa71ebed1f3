package secrets

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/rotation"
)

// ClientSecret is the client secret that the app signs in to Entra with, as
// [rotation.ClientSecret] stores it. It implements msgraph.SecretSource.
type ClientSecret struct{ cache *cache[rotation.ClientSecret] }

// NewClientSecret makes a ClientSecret. It asks for nothing yet.
func NewClientSecret(c Config) *ClientSecret {
	return &ClientSecret{newCache(&c, c.clientSecret)}
}

// ClientSecret returns the client secret. With fresh it is read again, and not
// being able to is an error: the caller knows that the old one is of no use.
func (s *ClientSecret) ClientSecret(ctx context.Context, fresh bool) (string, error) {
	secret, err := s.cache.get(ctx, fresh)
	return secret.Text.Reveal(), err
}

// Expires returns when the client secret expires, the zero Time where that is not
// stored beside it.
func (s *ClientSecret) Expires(ctx context.Context) (time.Time, error) {
	secret, err := s.cache.get(ctx, false)
	return secret.Expires, err
}

// errExpires is what is wrong with an expiry. It does not quote it.
var errExpires = errors.New("its expires is no time as RFC 3339 writes it: nothing tells when the client secret expires")

func (c *Config) clientSecret(ctx context.Context) (rotation.ClientSecret, error) {
	v, err := c.read(ctx, stageCurrent)
	if err != nil {
		return rotation.ClientSecret{}, err
	}
	secret, err := rotation.DecodeClientSecret(directory.NewSecret(v.text))
	if err != nil {
		return rotation.ClientSecret{}, c.unusable(stageCurrent, err)
	}
	if secret.BadExpires {
		c.Log.LogAttrs(ctx, slog.LevelWarn, "the client secret's expiry is not known",
			slog.String(logError, c.unusable(stageCurrent, errExpires).Error()))
	}
	return secret, nil
}
