package answer

import (
	"crypto/sha1" //nolint:gosec // Entra names certificates by it
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// wireRegistration is an [application resource], as far as it is used.
//
// [application resource]: https://learn.microsoft.com/graph/api/resources/application
type wireRegistration struct {
	ID        string           `json:"id"`
	Passwords []wireCredential `json:"passwordCredentials"`
	Keys      []wireCredential `json:"keyCredentials"`
}

// wireCredential is a [passwordCredential] or a [keyCredential].
//
// [passwordCredential]: https://learn.microsoft.com/graph/api/resources/passwordcredential
// [keyCredential]: https://learn.microsoft.com/graph/api/resources/keycredential
type wireCredential struct {
	KeyID       string    `json:"keyId"`
	DisplayName string    `json:"displayName"`
	End         time.Time `json:"endDateTime"`
	Hint        string    `json:"hint"`
	SecretText  string    `json:"secretText"`
	Type        string    `json:"type"`
	// Key is shown for a single application with $select, and CustomKeyIdentifier
	// defaults to the thumbprint of its certificate.
	Key                 []byte `json:"key"`
	CustomKeyIdentifier string `json:"customKeyIdentifier"`
}

// asymmetricCertificate is the type of a key that is a certificate.
const asymmetricCertificate = "AsymmetricX509Cert"

// Registration reads the credentials of the application that is the whole answer.
// One that cannot be read fails it: whoever compares a secret with what Graph lists
// must not take one that is there for one that is gone. Errors are
// [*directory.Error].
func Registration(a Answer) (directory.Registration, error) {
	var w wireRegistration
	if json.Unmarshal(a.Body, &w) != nil || w.Passwords == nil || w.Keys == nil {
		return directory.Registration{}, a.Distrust(ErrShape)
	}
	r := directory.Registration{ObjectID: strings.ToLower(w.ID)}
	sound := directory.IsID(r.ObjectID)
	for _, c := range w.Passwords {
		c.SecretText = ""
		password, ok := c.password()
		sound = sound && ok
		r.Passwords = append(r.Passwords, password)
	}
	for _, c := range w.Keys {
		if c.Type != asymmetricCertificate {
			continue
		}
		key, ok := c.key()
		sound = sound && ok
		r.Keys = append(r.Keys, key)
	}
	if !sound {
		return directory.Registration{}, a.Distrust(ErrShape)
	}
	return r, nil
}

// NewPassword reads the password that is the whole answer, with its text. Without
// the one or the other it is of no use, but it exists. Errors are
// [*directory.Error].
func NewPassword(a Answer) (directory.Password, error) {
	var w wireCredential
	if json.Unmarshal(a.Body, &w) != nil || w.SecretText == "" {
		return directory.Password{}, a.Distrust(ErrShape)
	}
	password, ok := w.password()
	if !ok {
		return directory.Password{}, a.Distrust(ErrShape)
	}
	return password, nil
}

func (w wireCredential) password() (p directory.Password, ok bool) {
	p = directory.Password{
		KeyID: strings.ToLower(w.KeyID), DisplayName: OneLine(w.DisplayName), Hint: w.Hint,
		End: w.End.UTC(), Text: directory.NewSecret(w.SecretText),
	}
	return p, directory.IsID(p.KeyID)
}

func (w wireCredential) key() (k directory.Key, ok bool) {
	k = directory.Key{
		KeyID: strings.ToLower(w.KeyID), DisplayName: OneLine(w.DisplayName),
		Thumbprint: w.thumbprint(), End: w.End.UTC(),
	}
	return k, directory.IsID(k.KeyID)
}

// thumbprint is that of the key, or else the customKeyIdentifier if it is one.
func (w wireCredential) thumbprint() string {
	if len(w.Key) > 0 {
		digest := sha1.Sum(w.Key) //nolint:gosec // see the import
		return hex.EncodeToString(digest[:])
	}
	return thumbprintOf(w.CustomKeyIdentifier)
}

// thumbprintOf reads a thumbprint as it was seen in a customKeyIdentifier, which is
// declared as binary and said to have 40 characters: in hexadecimal digits, the
// same in base64, or its bytes in base64. It returns "" if it is none of them.
func thumbprintOf(identifier string) string {
	if isHexThumbprint(identifier) {
		return strings.ToLower(identifier)
	}
	identifier = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(identifier, "="))
	decoded, err := base64.RawStdEncoding.DecodeString(identifier)
	switch {
	case err != nil:
		return ""
	case len(decoded) == sha1.Size:
		return hex.EncodeToString(decoded)
	case isHexThumbprint(string(decoded)):
		return strings.ToLower(string(decoded))
	}
	return ""
}

func isHexThumbprint(s string) bool {
	_, err := hex.DecodeString(s)
	return err == nil && len(s) == 2*sha1.Size
}
