package secrets

import (
	"context"
	"errors"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// ClientSecret is the client secret that the app signs in to Entra with. It is stored
// as {"clientSecret":"…","expires":"…"}, where expires may be missing. It implements
// msgraph.SecretSource.
type ClientSecret struct{ reader reader[clientSecret] }

// clientSecret is what was read.
type clientSecret struct {
	text    directory.Secret
	expires time.Time // zero where it is not known
}

// NewClientSecret makes a ClientSecret. It asks for nothing yet.
func NewClientSecret(c Config) *ClientSecret {
	return &ClientSecret{reader[clientSecret]{Config: c, decode: decodeClientSecret}}
}

// ClientSecret returns the client secret. With fresh it is read again, and not being able
// to is an error.
func (s *ClientSecret) ClientSecret(ctx context.Context, fresh bool) (string, error) {
	secret, err := s.reader.get(ctx, fresh)
	return secret.text.Reveal(), err
}

// Expires returns when the client secret expires, the zero Time where that is not stored
// beside it as RFC 3339 writes it.
func (s *ClientSecret) Expires(ctx context.Context) (time.Time, error) {
	secret, err := s.reader.get(ctx, false)
	return secret.expires, err
}

var errClientSecret = errors.New(`it must be JSON of the form {"clientSecret":"…"}, with the value of a client secret of the app registration`)

// decodeClientSecret reads a SecretString. An expiry that can't be read is none: nobody
// must be kept from signing in by it.
func decodeClientSecret(text string) (clientSecret, error) {
	var stored struct {
		ClientSecret string `json:"clientSecret"`
		Expires      any    `json:"expires"`
	}
	if unmarshal(text, &stored) != nil || stored.ClientSecret == "" {
		return clientSecret{}, errClientSecret
	}
	written, _ := stored.Expires.(string)
	expires, _ := time.Parse(time.RFC3339, written)
	return clientSecret{directory.NewSecret(stored.ClientSecret), expires}, nil
}
