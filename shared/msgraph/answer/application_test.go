package answer_test

import (
	"crypto/sha1" //nolint:gosec // Entra names certificates by it
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/answer"
)

const (
	objectID = "0f7c1b9e-7f0a-4c62-9d1e-2b1f54f2a7aa"
	keyID    = "f0b0b335-1d71-4883-8f98-567911bfdca6"
	// secretText is that of the password in these tests.
	secretText = "a8Q~c4nary"
)

// application is the application as Graph answers, with these credentials.
func application(passwords, keys string) string {
	return `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#applications(id,passwordCredentials,keyCredentials)/$entity",` +
		`"id":"` + strings.ToUpper(objectID) + `","passwordCredentials":[` + passwords + `],"keyCredentials":[` + keys + `]}`
}

func passwordJSON() string {
	return `{"customKeyIdentifier":null,"displayName":"sessionstamp/x","endDateTime":"2027-05-21T09:00:00.5+09:00","hint":"a8Q",` +
		`"keyId":"` + keyID + `","secretText":null,"startDateTime":"2026-05-21T00:00:00Z"}`
}

func keyJSON(kind, identifier, key string) string {
	return `{"customKeyIdentifier":` + identifier + `,"displayName":null,"endDateTime":"2027-05-21T00:00:00Z","key":` + key + `,` +
		`"keyId":"` + strings.ToUpper(keyID) + `","startDateTime":"2026-05-21T00:00:00Z","type":"` + kind + `","usage":"Verify"}`
}

func TestRegistration(t *testing.T) {
	t.Parallel()
	end := time.Date(2027, 5, 21, 0, 0, 0, 0, time.UTC)
	body := application(passwordJSON(), keyJSON("AsymmetricX509Cert", "null", `"AQI="`)+","+keyJSON("Symmetric", "null", "null"))
	got, err := answer.Registration(said(http.StatusOK, body))
	digest := sha1.Sum([]byte{1, 2}) //nolint:gosec // as above
	want := directory.Registration{
		ObjectID:  objectID,
		Passwords: []directory.Password{{KeyID: keyID, DisplayName: "sessionstamp/x", Hint: "a8Q", End: end.Add(500 * time.Millisecond)}},
		Keys:      []directory.Key{{KeyID: keyID, Thumbprint: hex.EncodeToString(digest[:]), End: end}},
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b directory.Secret) bool { return a.Reveal() == b.Reveal() })); err != nil || diff != "" {
		t.Errorf("%v, registration (-want +got):\n%s", err, diff)
	}
}

// The thumbprint is known from the key, or from any form that was seen of a
// customKeyIdentifier; another text is none.
func TestThumbprint(t *testing.T) {
	t.Parallel()
	raw := sha1.Sum([]byte("certificate")) //nolint:gosec // as above
	digits := hex.EncodeToString(raw[:])
	for name, tt := range map[string]struct{ identifier, key, want string }{
		"of the key":        {`"nonsense"`, `"` + base64.StdEncoding.EncodeToString([]byte("certificate")) + `"`, digits},
		"digits":            {`"` + strings.ToUpper(digits) + `"`, "null", digits},
		"digits in base64":  {`"` + base64.StdEncoding.EncodeToString([]byte(strings.ToUpper(digits))) + `"`, "null", digits},
		"bytes in base64":   {`"` + base64.StdEncoding.EncodeToString(raw[:]) + `"`, `""`, digits},
		"bytes, for URLs":   {`"` + base64.RawURLEncoding.EncodeToString(raw[:]) + `"`, "null", digits},
		"another text":      {`"` + base64.StdEncoding.EncodeToString([]byte("made by hand")) + `"`, "null", ""},
		"not even base64":   {`"made by hand"`, "null", ""},
		"nothing":           {"null", "null", ""},
		"digits, one short": {`"` + digits[1:] + `"`, "null", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := answer.Registration(said(http.StatusOK, application("", keyJSON("AsymmetricX509Cert", tt.identifier, tt.key))))
			if err != nil || len(got.Keys) != 1 || got.Keys[0].Thumbprint != tt.want {
				t.Errorf("%v, keys %+v, want %q", err, got.Keys, tt.want)
			}
		})
	}
}

// What is not a whole list must not be taken for one: a credential that is missing
// in it would be taken for gone.
func TestRegistrationInAnotherForm(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"nothing":               ``,
		"null":                  `null`,
		"no lists":              `{"id":"` + objectID + `"}`,
		"no keys":               `{"id":"` + objectID + `","passwordCredentials":[]}`,
		"no id":                 `{"passwordCredentials":[],"keyCredentials":[]}`,
		"password without id":   application(`{"displayName":"a"}`, ""),
		"password that is none": application(`null`, ""),
		"key without id":        application("", `{"type":"AsymmetricX509Cert"}`),
		"key that is no base64": application("", keyJSON("AsymmetricX509Cert", "null", `"*"`)),
		"end that is none":      application(strings.Replace(passwordJSON(), "2027", "soon", 1), ""),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := answer.Registration(said(http.StatusOK, body))
			if e := discreet(t, err); e.NotDone || got.ObjectID != "" || got.Passwords != nil || got.Keys != nil {
				t.Errorf("registration %+v, error %+v", got, e)
			}
		})
	}
}

func TestNewPassword(t *testing.T) {
	t.Parallel()
	body := strings.Replace(passwordJSON(), `"secretText":null`, `"secretText":"`+secretText+`"`, 1)
	got, err := answer.NewPassword(said(http.StatusOK, body))
	if err != nil || got.KeyID != keyID || got.Text.Reveal() != secretText || strings.Contains(fmt.Sprintf("%+v", got), secretText) {
		t.Errorf("%v, password %+v", err, got)
	}
	for name, body := range map[string]string{
		"no text": passwordJSON(), "no id": `{"secretText":"` + secretText + `"}`, "cut": body[:len(body)-1], "nothing": "",
	} {
		got, err := answer.NewPassword(said(http.StatusOK, body))
		if e := discreet(t, err); e.NotDone || got.Text.Reveal() != "" || got.KeyID != "" {
			t.Errorf("%s: password %+v, error %+v", name, got, e)
		}
	}
}

// Whatever stands for an application, each of its credentials can be removed by its
// id, and no text comes from where none is shown.
func FuzzRegistration(f *testing.F) {
	f.Add(application(passwordJSON(), keyJSON("AsymmetricX509Cert", "null", `"AQI="`)))
	f.Add(application(`{"keyId":"`+keyID+`","secretText":"`+secretText+`"}`, ""))
	f.Add(application("", keyJSON("AsymmetricX509Cert", `"MHg="`, "null")))
	f.Add(`null`)
	f.Fuzz(func(t *testing.T, body string) {
		r, err := answer.Registration(said(http.StatusOK, body))
		if err != nil {
			discreet(t, err)
			return
		}
		if !directory.IsID(r.ObjectID) {
			t.Errorf("object id %q", r.ObjectID)
		}
		for _, p := range r.Passwords {
			if !directory.IsID(p.KeyID) || p.Text.Reveal() != "" {
				t.Errorf("password %+v", p)
			}
		}
		for _, k := range r.Keys {
			if _, err := hex.DecodeString(k.Thumbprint); !directory.IsID(k.KeyID) || err != nil || len(k.Thumbprint) != 0 && len(k.Thumbprint) != 40 {
				t.Errorf("key %+v", k)
			}
		}
	})
}

// A new password has its id and its text, or is an error that tells neither.
func FuzzNewPassword(f *testing.F) {
	f.Add(`{"keyId":"` + keyID + `","secretText":"` + secretText + `"}`)
	f.Add(passwordJSON())
	f.Add(`{"secretText":7}`)
	f.Fuzz(func(t *testing.T, body string) {
		p, err := answer.NewPassword(said(http.StatusOK, body))
		if err != nil {
			discreet(t, err)
			return
		}
		if !directory.IsID(p.KeyID) || p.Text.Reveal() == "" {
			t.Errorf("password %+v", p)
		}
	})
}
