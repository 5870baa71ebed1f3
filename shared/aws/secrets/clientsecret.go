package secrets

import (
	"context"
	"encoding/json"
	"errors"
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

func (c *Config) clientSecret(ctx context.Context) (clientSecret, error) {
	v, err := c.read(ctx, stageCurrent)
	if err != nil {
		return clientSecret{}, err
	}
	secret, err := parseCredential(v.text)
	if err != nil {
		return clientSecret{}, c.unusable(stageCurrent, err)
	}
	return secret, nil
}

// What is wrong with a credential. None of these texts holds any of it.
var (
	errNoCredential = errors.New(`it must be JSON of the form {"clientSecret":"…"}, with the value of a client secret of the app registration`)
	errBlanks       = errors.New("its clientSecret holds blanks, line breaks or signs that no client secret has: copy the value again")
	errSecretID     = errors.New("its clientSecret is a GUID, which is the secret ID: store the secret's value, which Entra shows only once")
)

// parseCredential reads {"clientSecret":"…","expires":"…"}. Other members are for
// others.
func parseCredential(text string) (clientSecret, error) {
	var credential struct {
		ClientSecret string    `json:"clientSecret"`
		Expires      time.Time `json:"expires"`
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
	return clientSecret{credential.ClientSecret, credential.Expires}, nil
}
