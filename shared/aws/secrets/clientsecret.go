package secrets

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/sessionstamp/sessionstamp/shared/notification"
)

// ClientSecret is the client secret that the app signs in to Entra with. It
// implements msgraph.SecretSource.
type ClientSecret struct{ cache *cache[string] }

// NewClientSecret makes a ClientSecret. It asks for nothing yet.
func NewClientSecret(c Config) *ClientSecret {
	return &ClientSecret{newCache(&c, c.clientSecret)}
}

// ClientSecret returns the client secret. With fresh it is read again, and not
// being able to is an error: the caller knows that the old one is of no use.
func (s *ClientSecret) ClientSecret(ctx context.Context, fresh bool) (string, error) {
	return s.cache.get(ctx, fresh)
}

func (c *Config) clientSecret(ctx context.Context) (string, error) {
	v, err := c.read(ctx, stageCurrent)
	if err != nil {
		return "", err
	}
	secret, err := parseCredential(v.text)
	if err != nil {
		return "", c.unusable(stageCurrent, err)
	}
	return secret, nil
}

// What is wrong with a credential. None of these texts holds any of it.
var (
	errNoCredential = errors.New(`it must be JSON of the form {"clientSecret":"…"}, with the value of a client secret of the app registration`)
	errBlanks       = errors.New("its clientSecret holds blanks, line breaks or signs that no client secret has: copy the value again")
	errSecretID     = errors.New("its clientSecret is a GUID, which is the secret ID: store the secret's value, which Entra shows only once")
)

// parseCredential reads {"clientSecret":"…"}. Other members are for others.
func parseCredential(text string) (string, error) {
	var credential struct {
		ClientSecret string `json:"clientSecret"`
	}
	if json.Unmarshal([]byte(text), &credential) != nil || credential.ClientSecret == "" {
		return "", errNoCredential
	}
	if !printable(credential.ClientSecret) {
		return "", errBlanks
	}
	if _, isGUID := notification.CanonicalGUID(credential.ClientSecret); isGUID {
		return "", errSecretID
	}
	return credential.ClientSecret, nil
}
