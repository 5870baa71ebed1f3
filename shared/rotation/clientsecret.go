package rotation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/notification"
)

// ClientSecret is the client secret that the app signs in with, as a secret holds
// it: {"clientSecret":"…","keyId":"…","expires":"…"}. Made by hand it has only the
// first member.
type ClientSecret struct {
	// Text is the client secret.
	Text directory.Secret
	// KeyID is the id of the password at the application, "" where it is not known.
	KeyID string
	// Expires is its endDateTime, zero where it is not known or can't be read.
	Expires time.Time
	// BadExpires tells that something stands there that can't be read.
	BadExpires bool
}

// clientSecretJSON is a ClientSecret as it is stored, and shown to nobody.
type clientSecretJSON struct {
	ClientSecret string `json:"clientSecret"`
	KeyID        string `json:"keyId,omitempty"`
	Expires      expiry `json:"expires,omitzero"`
}

// What is wrong with a client secret. No text quotes what it is about.
var (
	errClientSecret = errors.New(`it must be JSON of the form {"clientSecret":"…"}, with the value of a client secret of the app registration`)
	errBlanks       = errors.New("its clientSecret holds blanks, line breaks or signs that no client secret has: copy the value again")
	errSecretID     = errors.New("its clientSecret is a GUID, which is the secret ID: store the secret's value, which Entra shows only once")
)

// errEncode is a value that JSON can't hold, such as a time after the year 9999.
var errEncode = errors.New("the value can't be written as JSON")

// DecodeClientSecret reads a SecretString. Members that it does not know are for
// others.
func DecodeClientSecret(value directory.Secret) (ClientSecret, error) {
	var stored clientSecretJSON
	if json.Unmarshal([]byte(value.Reveal()), &stored) != nil || stored.ClientSecret == "" {
		return ClientSecret{}, errClientSecret
	}
	if err := checkText(stored.ClientSecret); err != nil {
		return ClientSecret{}, err
	}
	return ClientSecret{
		Text: directory.NewSecret(stored.ClientSecret), KeyID: stored.KeyID,
		Expires: stored.Expires.Time, BadExpires: stored.Expires.bad,
	}, nil
}

// checkText finds what people store in place of a client secret.
func checkText(text string) error {
	invisible := func(r rune) bool { return r <= ' ' || r > '~' }
	if strings.ContainsFunc(text, invisible) {
		return errBlanks
	}
	if _, isGUID := notification.CanonicalGUID(text); isGUID {
		return errSecretID
	}
	return nil
}

// Encode writes the SecretString.
func (c ClientSecret) Encode() (directory.Secret, error) {
	text, err := json.Marshal(clientSecretJSON{c.Text.Reveal(), c.KeyID, expiry{Time: c.Expires.UTC()}}) //nolint:gosec // this is what a secret is for
	if err != nil {
		return directory.Secret{}, errEncode
	}
	return directory.NewSecret(string(text)), nil
}

// mayBe tells whether a password may be this client secret. Where its id is not known,
// the beginning of its text must do; where that isn't either, it may be any.
func (c ClientSecret) mayBe(p listed) bool {
	if c.KeyID != "" {
		return strings.EqualFold(c.KeyID, p.keyID)
	}
	return strings.HasPrefix(c.Text.Reveal(), p.hint)
}

// ClientSecretProver proves a client secret.
type ClientSecretProver interface {
	// ProveClientSecret signs the app in with the client secret, for a token of its
	// own that comes from no cache, and makes one harmless call with it. It makes
	// one attempt. Its error is of type [*directory.Error], whose Operation is
	// "token" where the sign-in failed.
	ProveClientSecret(ctx context.Context, secret directory.Secret) error
}

// ClientSecrets is a secret that holds a [ClientSecret].
type ClientSecrets struct {
	Application PasswordApplication
	Prover      ClientSecretProver
}

var errNoApplication = errors.New("application and prover must be given")

func (k ClientSecrets) name() string { return "client-secret" }

func (k ClientSecrets) validate() error {
	if k.Application == nil || k.Prover == nil {
		return errNoApplication
	}
	return nil
}

// create adds a password. Any of ours that no version holds and that was not made for
// this rotation is removed first: its text was lost.
func (k ClientSecrets) create(ctx context.Context, r *run) (directory.Secret, error) {
	stock, err := takeStock(ctx, r, k)
	if err != nil {
		return directory.Secret{}, err
	}
	if err := removeUnused(ctx, r, k, stock); err != nil {
		return directory.Secret{}, err
	}
	added, err := k.Application.AddPassword(ctx, r.displayName(), r.now().Add(r.Settings.Life))
	if err != nil {
		return directory.Secret{}, graphFault("addPassword", err)
	}
	if added.Text.Reveal() == "" || added.KeyID == "" || added.End.IsZero() {
		return directory.Secret{}, graphFault("addPassword", errNoText)
	}
	r.report.added = added.KeyID
	return ClientSecret{Text: added.Text, KeyID: added.KeyID, Expires: added.End}.Encode()
}

var (
	errNoText  = errors.New("the answer lacks the password's text, key id or end")
	errNotOurs = errors.New("it was not made by a rotation")
	errAged    = errors.New("more than half of its life is over")
	errRemoved = errors.New("its credential is gone from the application")
)

func (k ClientSecrets) check(r *run, v Version) error {
	pending, err := DecodeClientSecret(v.Value)
	switch {
	case err != nil:
		return err
	case pending.KeyID == "" || pending.Expires.IsZero():
		return errNotOurs
	case slices.ContainsFunc(r.report.removed, func(id string) bool { return strings.EqualFold(id, pending.KeyID) }):
		return errRemoved
	case aged(r, pending.Expires):
		return errAged
	}
	return nil
}

// aged tells whether a credential is too near its end to begin with.
func aged(r *run, end time.Time) bool { return end.Before(r.now().Add(r.Settings.Life / 2)) }

// set has nothing to do: addPassword has made the secret known already.
func (k ClientSecrets) set(context.Context, *run, Version) error { return nil }

func (k ClientSecrets) test(ctx context.Context, r *run, v Version) error {
	pending, err := DecodeClientSecret(v.Value)
	if err != nil {
		return credentialFault(err)
	}
	err = r.prove(ctx, func(ctx context.Context) error {
		return k.Prover.ProveClientSecret(ctx, pending.Text)
	})
	if err == nil || !credentialUnknown(err) {
		return err
	}
	// It will never be accepted if somebody has removed it.
	registration, listErr := k.Application.Registration(ctx)
	if listErr != nil || slices.ContainsFunc(k.list(registration), pending.mayBe) {
		return err
	}
	return fmt.Errorf("%w: %w", errRemoved, err)
}

func (k ClientSecrets) ready(context.Context, *run) error { return nil }

func (k ClientSecrets) clean(ctx context.Context, r *run, v Version) error {
	return clean(ctx, r, k, v)
}

func (k ClientSecrets) decode(v Version) (ClientSecret, error) { return DecodeClientSecret(v.Value) }

func (k ClientSecrets) registration(ctx context.Context) (directory.Registration, error) {
	return k.Application.Registration(ctx)
}

func (k ClientSecrets) list(registration directory.Registration) []listed {
	return passwords(registration)
}

func (k ClientSecrets) remove(ctx context.Context, _ *run, _ stock[ClientSecret], keyID string) (string, error) {
	return "removePassword", k.Application.RemovePassword(ctx, keyID)
}
