package msgraphtest

import (
	"bytes"
	"crypto/x509"
	"slices"
	"strings"
	"time"
)

// validity is what a client secret and a certificate have in common.
type validity struct {
	KeyID string    `json:"keyId"`
	Name  string    `json:"displayName"`
	Start time.Time `json:"startDateTime"`
	End   time.Time `json:"endDateTime"`

	since time.Time // when it was added
}

// known tells whether all replicas of Entra have heard of it.
func (v validity) known(s *Server, now time.Time) bool {
	return !now.Before(v.since.Add(s.opts.Apps.Credential))
}

// password is a [passwordCredential].
//
// [passwordCredential]: https://learn.microsoft.com/graph/api/resources/passwordcredential
type password struct {
	validity

	text string
}

// key is a [keyCredential]: a certificate.
//
// [keyCredential]: https://learn.microsoft.com/graph/api/resources/keycredential
type key struct {
	validity

	Type        string `json:"type"`
	Usage       string `json:"usage"`
	Key         []byte `json:"key"`
	certificate *x509.Certificate
}

// replaceKeys replaces the whole collection. Of a key that stays, keyId is enough, and the
// certificate does not change.
func (a *App) replaceKeys(wanted []key, now time.Time) error {
	for i := range wanted {
		w := &wanted[i]
		had := slices.IndexFunc(a.keys, func(k key) bool { return w.KeyID != "" && strings.EqualFold(k.KeyID, w.KeyID) })
		if had >= 0 {
			if w.Key != nil && !bytes.Equal(w.Key, a.keys[had].Key) {
				return badRequest("Update to existing credential with KeyId '%s' is not allowed.", w.KeyID)
			}
			*w = a.keys[had]
			continue
		}
		certificate, err := x509.ParseCertificate(w.Key)
		switch {
		case w.Type != "AsymmetricX509Cert" || w.Usage != "Verify":
			return badRequest("The value for the property \"usage\" in one of your credentials is invalid. Acceptable values are Sign, Verify.")
		case err != nil:
			return badRequest("Key credential is not a valid certificate.")
		case !now.Before(certificate.NotAfter):
			return badRequest("Key credential end date is invalid.")
		}
		if w.KeyID == "" {
			w.KeyID = a.s.newID()
		}
		w.certificate, w.Start, w.End, w.since = certificate, certificate.NotBefore.UTC(), certificate.NotAfter.UTC(), now
	}
	a.keys = wanted
	return nil
}

// addPassword is https://learn.microsoft.com/graph/api/application-addpassword.
func addPassword(s *Server, c *call) (reply, error) {
	var body struct {
		PasswordCredential struct {
			DisplayName string
			EndDateTime time.Time
		}
	}
	a, err := c.registered()
	if err == nil {
		err = c.read(&body, "passwordCredential", "passwordCredential")
	}
	if err != nil {
		return reply{}, err
	}
	end := body.PasswordCredential.EndDateTime.UTC()
	if end.IsZero() {
		end = c.now.AddDate(2, 0, 0).UTC()
	}
	if !c.now.Before(end) {
		return reply{}, badRequest("The credential end date is invalid.")
	}
	p := password{validity{s.newID(), body.PasswordCredential.DisplayName, c.now.UTC(), end, c.now}, "s8Q~" + s.newID()}
	a.passwords = append(a.passwords, p)
	return ok(object{
		"@odata.context": c.context("microsoft.graph.passwordCredential"), "keyId": p.KeyID, "displayName": p.Name,
		"startDateTime": p.Start, "endDateTime": p.End, "hint": p.text[:3], "secretText": p.text,
	})
}

// removePassword is https://learn.microsoft.com/graph/api/application-removepassword.
func removePassword(_ *Server, c *call) (reply, error) {
	var body struct{ KeyID string }
	a, err := c.registered()
	if err == nil {
		err = c.read(&body, "application", "keyId")
	}
	if err != nil {
		return reply{}, err
	}
	before := len(a.passwords)
	a.passwords = slices.DeleteFunc(slices.Clone(a.passwords), func(p password) bool { return strings.EqualFold(p.KeyID, body.KeyID) })
	if len(a.passwords) == before {
		return reply{}, badRequest("No password credential found with keyId '%s'.", body.KeyID)
	}
	return noContent()
}

// AddPrincipalSecret stores a client secret in the service principal: it signs the app in, and
// the portal does not show it. See [servicePrincipal: addPassword].
//
// [servicePrincipal: addPassword]: https://learn.microsoft.com/graph/api/serviceprincipal-addpassword
func (a *App) AddPrincipalSecret(name, text string, end time.Time) {
	now := a.s.now()
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	a.principalPasswords = append(a.principalPasswords, password{validity{a.s.newID(), name, now.UTC(), end.UTC(), now}, text})
}
