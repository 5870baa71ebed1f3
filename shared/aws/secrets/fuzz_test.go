package secrets

import (
	"errors"
	"slices"
	"testing"
)

// FuzzCredential makes sure that what a person has stored gives either a secret that
// can be sent or one of three texts, none of which holds any of it.
func FuzzCredential(f *testing.F) {
	for _, seed := range []string{
		`{"clientSecret":"abc8Q~x"}`, `{"clientSecret":" "}`, `{"clientSecret":"\u0000"}`, `{"clientSecret":1}`,
		`{"clientSecret":"0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"}`, `null`, `[]`, ``, `{`, "\xff",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parseCredential(text)
		secret := got.text
		if err != nil {
			known := slices.Contains([]error{errNoCredential, errBlanks, errSecretID}, err)
			if !known || secret != "" {
				t.Errorf("got %q and the error %q", secret, errors.Unwrap(err))
			}
			return
		}
		if secret == "" || !printable(secret) {
			t.Errorf("got %q as a secret", secret)
		}
	})
}

// FuzzClientState makes sure that a clientState can be sent and compared.
func FuzzClientState(f *testing.F) {
	for _, seed := range []string{"", "a", " a", "a\n", "é", "\x7f"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if err := checkClientState(text); err == nil && (text == "" || len(text) > 128 || !printable(text)) {
			t.Errorf("%q was taken for a clientState", text)
		}
	})
}
