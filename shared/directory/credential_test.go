package directory_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// However a secret is printed, nobody reads it.
func TestSecretIsNotPrinted(t *testing.T) {
	t.Parallel()
	const canary = "c4nary"
	secret := directory.NewSecret(canary)
	outer := struct {
		Inner []directory.Secret
		By    map[directory.Secret]*directory.Secret
	}{[]directory.Secret{secret}, map[directory.Secret]*directory.Secret{secret: &secret}}
	var told strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%T"} {
		fmt.Fprintf(&told, verb+verb, secret, outer)
	}
	text, err := json.Marshal(outer)
	if err != nil {
		t.Fatal(err)
	}
	told.Write(text)
	slog.New(slog.NewJSONHandler(&told, nil)).Info("a", "secret", secret, "outer", outer)
	slog.New(slog.NewTextHandler(&told, nil)).Info("a", "secret", secret, "outer", outer)
	fmt.Fprint(&told, errors.Join(fmt.Errorf("%v", secret), fmt.Errorf("%x", outer)))
	if strings.Contains(told.String(), canary) || strings.Contains(told.String(), fmt.Sprintf("%x", canary)) || !strings.Contains(told.String(), "[redacted]") {
		t.Errorf("told: %s", told.String())
	}
	if secret.Reveal() != canary || directory.NewSecret("") != (directory.Secret{}) || (directory.Secret{}).Reveal() != "" {
		t.Error("the secret is not what was hidden")
	}
}

// Errors of what the app signs in with do not say that somebody did not answer, and
// what was presented stands at their end.
func TestCredentialErrors(t *testing.T) {
	t.Parallel()
	presented := &directory.PresentedToken{Issuer: "https://a", Subject: "arn:aws:iam::1:role/b", Audience: "api://c"}
	certificate := &directory.PresentedCertificate{Thumbprint: "0A1B", Expires: time.Date(2027, 5, 21, 3, 0, 0, 0, time.UTC)}
	for want, e := range map[string]*directory.Error{
		"certificate: denied":                      {Operation: directory.Certificate, Err: errors.New("denied")},
		"clientSecret: denied":                     {Operation: directory.ClientSecret, Err: errors.New("denied")},
		"getWebIdentityToken AccessDenied: denied": {Operation: directory.WebIdentityToken, Code: "AccessDenied", Err: errors.New("denied")},
		"token: no answer: denied":                 {Operation: "token", Err: errors.New("denied")},
		`token: status 401 AADSTS700213: the token presented has the issuer "https://a", the subject "arn:aws:iam::1:role/b" and the audience "api://c"`: {
			Operation: "token", StatusCode: 401, Code: "AADSTS700213", Err: presented},
		"token: status 401 AADSTS700027: the certificate presented has the thumbprint 0A1B and is good until 2027-05-21": {
			Operation: "token", StatusCode: 401, Code: "AADSTS700027", Err: certificate},
	} {
		if got := e.Error(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}
