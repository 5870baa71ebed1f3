package secrets

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/notification"
)

// ClientSecret is the client secret that the app signs in to Entra with. It
// implements msgraph.SecretSource.
type ClientSecret struct{ cache *cache[clientSecret] }

// clientSecret is what is stored: {"clientSecret":"…","expires":"…"}. A rotation
// writes when it expires; made by hand, it need not say so.
type clientSecret struct {
	text    string
	expires time.Time
}

// NewClientSecret makes a ClientSecret. It asks for nothing yet.
func NewClientSecret(c Config) *ClientSecret {
	return &ClientSecret{newCache(&c, c.clientSecret)}
}

// ClientSecret returns the client secret. With fresh it is read again, and not
// being able to is an error: the caller knows that the old one is of no use.
func (s *ClientSecret) ClientSecret(ctx context.Context, fresh bool) (string, error) {
	secret, err := s.cache.get(ctx, fresh)
	return secret.text, err
}

// Expires returns when the client secret expires, the zero Time where that is not
// stored beside it.
func (s *ClientSecret) Expires(ctx context.Context) (time.Time, error) {
	secret, err := s.cache.get(ctx, false)
	return secret.expires, err
}

// errExpires is what is wrong with an expiry. It does not quote it.
var errExpires = errors.New("its expires is no time as RFC 3339 writes it: nothing tells when the client secret expires")

func (c *Config) clientSecret(ctx context.Context) (clientSecret, error) {
	v, err := c.read(ctx, stageCurrent)
	if err != nil {
		return clientSecret{}, err
	}
	secret, err := parseCredential(v.text)
	if err != nil {
		return clientSecret{}, c.unusable(stageCurrent, err)
	}
	if secret.expires, err = parseExpires(v.text); err != nil {
		c.Log.LogAttrs(ctx, slog.LevelWarn, "the client secret's expiry is not known",
			slog.String(logError, c.unusable(stageCurrent, err).Error()))
	}
	return secret, nil
}

// What is wrong with a credential. None of these texts holds any of it.
var (
	errNoCredential = errors.New(`it must be JSON of the form {"clientSecret":"…"}, with the value of a client secret of the app registration`)
	errBlanks       = errors.New("its clientSecret holds blanks, line breaks or signs that no client secret has: copy the value again")
	errSecretID     = errors.New("its clientSecret is a GUID, which is the secret ID: store the secret's value, which Entra shows only once")
)

// parseExpires reads {"expires":"…"}, apart from the client secret, which does without
// it. It returns the zero Time where there is none.
func parseExpires(text string) (time.Time, error) {
	var stored struct {
		Expires time.Time `json:"expires"`
	}
	if json.Unmarshal([]byte(text), &stored) != nil {
		return time.Time{}, errExpires
	}
	return stored.Expires, nil
}

// parseCredential reads {"clientSecret":"…"}. Other members are for others.
func parseCredential(text string) (clientSecret, error) {
	var credential struct {
		ClientSecret string `json:"clientSecret"`
	}
	if json.Unmarshal([]byte(text), &credential) != nil || credential.ClientSecret == "" {
		return clientSecret{}, errNoCredential
	}
	if !printable(credential.ClientSecret) {
		return clientSecret{}, errBlanks
	}
	if _, isGUID := notification.CanonicalGUID(credential.ClientSecret); isGUID {
		return clientSecret{}, errSecretID
	}
	return clientSecret{text: credential.ClientSecret}, nil
}
