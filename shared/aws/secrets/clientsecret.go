package secrets

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// ClientSecret is the client secret that the app signs in to Entra with. It is stored
// as {"clientSecret":"…","expires":"…"}, where expires may be missing.
type ClientSecret struct{ reader reader[ClientSecretValue] }

// ClientSecretValue is what [ClientSecret] reads.
type ClientSecretValue struct {
	Text    directory.Secret
	Expires time.Time // zero where it is not known
}

// NewClientSecret makes a ClientSecret. It asks for nothing yet.
func NewClientSecret(c Config) *ClientSecret {
	return &ClientSecret{reader[ClientSecretValue]{Config: c, decode: ParseClientSecret}}
}

// ClientSecret returns the client secret. With fresh it is read again, and not being able
// to is an error.
func (s *ClientSecret) ClientSecret(ctx context.Context, fresh bool) (string, error) {
	secret, err := s.reader.get(ctx, fresh)
	return secret.Text.Reveal(), err
}

// Expires returns when the client secret expires, the zero Time where that is not stored
// beside it as RFC 3339 writes it.
func (s *ClientSecret) Expires(ctx context.Context) (time.Time, error) {
	secret, err := s.reader.get(ctx, false)
	return secret.Expires, err
}

// What is wrong with a client secret. No text quotes what it is about.
var (
	errClientSecret = errors.New(`it must be JSON of the form {"clientSecret":"…"}, with the value of a client secret of the app registration`)
	errBlanks       = errors.New("its clientSecret holds blanks, line breaks or signs that no client secret has: copy the value again")
	errQuotes       = errors.New("its clientSecret stands in quotation marks of its own: store the value without them")
	errSecretID     = errors.New("its clientSecret is a GUID, which is the secret ID: store the secret's value, which Entra shows only once")
)

// ParseClientSecret reads the text of a secret that is a [ClientSecret]. An expiry that can't
// be read is none: nobody must be kept from signing in by it. Its errors do not quote the text.
func ParseClientSecret(text string) (ClientSecretValue, error) {
	var stored struct {
		ClientSecret string `json:"clientSecret"`
		Expires      any    `json:"expires"`
	}
	if unmarshal(text, &stored) != nil || stored.ClientSecret == "" {
		return ClientSecretValue{}, errClientSecret
	}
	if err := checkText(stored.ClientSecret); err != nil {
		return ClientSecretValue{}, err
	}
	written, _ := stored.Expires.(string)
	expires, _ := time.Parse(time.RFC3339, written)
	return ClientSecretValue{directory.NewSecret(stored.ClientSecret), expires}, nil
}

// checkText finds what people store in place of a client secret.
func checkText(text string) error {
	unusual := func(r rune) bool { return r <= ' ' || r > '~' }
	switch {
	case strings.Trim(text, `"'`) != text:
		return errQuotes
	case strings.ContainsFunc(text, unusual):
		return errBlanks
	case directory.IsID(strings.ToLower(text)):
		return errSecretID
	}
	return nil
}
