package msgraphtest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// The application permissions that let a caller see or change [applications].
// With OwnedBy it is only those that its service principal owns.
//
// [applications]: https://learn.microsoft.com/graph/api/resources/application
const (
	applicationsRead  = "Application.Read.All"
	applicationsWrite = "Application.ReadWrite.All"
	applicationsOwned = "Application.ReadWrite.OwnedBy"
)

// coreRoutes are the calls about applications, by object id and by client id.
func coreRoutes() []route {
	read := []string{applicationsRead, applicationsWrite, applicationsOwned}
	write := []string{applicationsWrite, applicationsOwned}
	routes := []route{{method: "GET", pattern: "/applications", permissions: read, handle: locked(listApplications)}}
	for _, key := range []string{"/applications/{id}", "/applications(appId='{id}')"} {
		routes = append(routes,
			route{method: "GET", pattern: key, permissions: read, handle: locked(getApplication)},
			route{method: "POST", pattern: key + "/addPassword", permissions: write, write: true, handle: locked(addPassword)},
			route{method: "POST", pattern: key + "/removePassword", permissions: write, write: true, handle: locked(removePassword)},
			route{method: "POST", pattern: key + "/addKey", write: true, handle: locked(addKey)},
			route{method: "POST", pattern: key + "/removeKey", write: true, handle: locked(removeKey)},
			route{method: "GET", pattern: key + "/federatedIdentityCredentials", permissions: read, handle: locked(listFederated)},
			route{method: "POST", pattern: key + "/federatedIdentityCredentials", permissions: write, write: true, handle: locked(createFederated)},
			route{method: "GET", pattern: key + "/federatedIdentityCredentials/{credential}", permissions: read, handle: locked(getFederated)},
			route{method: "DELETE", pattern: key + "/federatedIdentityCredentials/{credential}", permissions: write, write: true, handle: locked(deleteFederated)},
		)
	}
	return routes
}

// applicationJSON is an application on the wire.
type applicationJSON struct {
	Context             string           `json:"@odata.context,omitempty"`
	ID                  string           `json:"id"`
	AppID               string           `json:"appId"`
	DisplayName         string           `json:"displayName"`
	KeyCredentials      []credentialJSON `json:"keyCredentials"`
	PasswordCredentials []credentialJSON `json:"passwordCredentials"`
}

// credentialJSON is a passwordCredential or a keyCredential on the wire.
type credentialJSON struct {
	Context             string    `json:"@odata.context,omitempty"`
	KeyID               string    `json:"keyId"`
	DisplayName         *string   `json:"displayName"`
	Start               time.Time `json:"startDateTime"`
	End                 time.Time `json:"endDateTime"`
	CustomKeyIdentifier *string   `json:"customKeyIdentifier"`
	Hint                string    `json:"hint,omitempty"`
	SecretText          *string   `json:"secretText,omitempty"`
	Type                string    `json:"type,omitempty"`
	Usage               string    `json:"usage,omitempty"`
	Key                 []byte    `json:"key,omitempty"`
}

func (a *App) wire() applicationJSON {
	j := applicationJSON{
		ID: a.objectID, AppID: a.id, DisplayName: a.name,
		KeyCredentials: []credentialJSON{}, PasswordCredentials: []credentialJSON{},
	}
	for _, s := range a.secrets {
		j.PasswordCredentials = append(j.PasswordCredentials, s.wire())
	}
	for _, c := range a.certificates {
		j.KeyCredentials = append(j.KeyCredentials, c.wire())
	}
	return j
}

// wire leaves the text out: it is shown once, in the answer to addPassword.
func (s *secret) wire() credentialJSON {
	return credentialJSON{
		KeyID: s.keyID, DisplayName: orNull(s.name), Start: s.Start.UTC(), End: s.End.UTC(),
		Hint: s.Text[:min(3, len(s.Text))],
	}
}

func (c *certificate) wire() credentialJSON {
	print1, _ := c.thumbprints()
	return credentialJSON{
		KeyID: c.keyID, DisplayName: orNull(c.name), Start: c.NotBefore.UTC(), End: c.NotAfter.UTC(),
		CustomKeyIdentifier: &print1, Type: "AsymmetricX509Cert", Usage: "Verify",
	}
}

// mayTouch tells whether the caller's permissions reach the app: all of them
// where it has one of those given, else only the app itself if it owns itself.
func (c *call) mayTouch(a *App, all ...string) bool {
	if slices.ContainsFunc(all, func(p string) bool { return slices.Contains(c.roles, p) }) {
		return true
	}
	return a == c.app && a.owner
}

// addressed finds the application that the path names by object id or, in
// parentheses, by client id.
func (c *call) addressed() (*App, error) {
	id, byClient := strings.CutPrefix(c.path[0], "applications(appId='")
	if byClient {
		id = strings.TrimSuffix(id, "')")
	} else {
		id = c.path[1]
	}
	for _, a := range c.tenant.apps.list {
		if strings.EqualFold(id, a.objectID) && !byClient || strings.EqualFold(id, a.id) && byClient {
			return a, nil
		}
	}
	return nil, errNotFound(id)
}

// readable is the application addressed, if the caller may see it.
func (c *call) readable() (*App, error) { return c.reach(applicationsRead, applicationsWrite) }

// writable is the application addressed, if the caller may change it.
func (c *call) writable() (*App, error) { return c.reach(applicationsWrite) }

func (c *call) reach(all ...string) (*App, error) {
	a, err := c.addressed()
	if err != nil {
		return nil, err
	}
	if !c.mayTouch(a, all...) {
		return nil, denied()
	}
	return a, nil
}

func denied() error {
	return refuse(http.StatusForbidden, "Authorization_RequestDenied",
		"Insufficient privileges to complete the operation.")
}

// decode reads the body of a call.
func (c *call) decode(into any) error {
	if err := json.Unmarshal(c.body, into); err != nil {
		return badRequest("Unable to read JSON request payload.")
	}
	return nil
}

// listApplications follows https://learn.microsoft.com/graph/api/application-list
// with the one filter sessionstamp needs.
func listApplications(_ *Server, c *call) (reply, error) {
	wanted, err := appIDFilter(c.query.Get("$filter"))
	if err != nil {
		return reply{}, err
	}
	found := []applicationJSON{}
	for _, a := range c.tenant.apps.list {
		if (wanted == "" || strings.EqualFold(a.id, wanted)) && c.mayTouch(a, applicationsRead, applicationsWrite) {
			found = append(found, a.wire())
		}
	}
	return reply{status: http.StatusOK, body: map[string]any{
		"@odata.context": c.context("applications"), "value": found}}, nil
}

// appIDFilter reads appId eq '…'.
func appIDFilter(filter string) (appID string, err error) {
	if filter == "" {
		return "", nil
	}
	rest, ok := strings.CutPrefix(filter, "appId eq '")
	appID, closed := strings.CutSuffix(rest, "'")
	if !ok || !closed || strings.Contains(appID, "'") {
		return "", unsupported("Unsupported or invalid query filter clause specified for property 'appId' of resource 'Application'.")
	}
	return appID, nil
}

// getApplication follows https://learn.microsoft.com/graph/api/application-get. The
// keys themselves are shown to those who select keyCredentials
// (https://learn.microsoft.com/graph/api/resources/keycredential). What else is
// selected makes no difference here.
func getApplication(_ *Server, c *call) (reply, error) {
	a, err := c.readable()
	if err != nil {
		return reply{}, err
	}
	body := a.wire()
	body.Context = c.context("applications/$entity")
	if text, ok := option(c.query, "$select"); ok && slices.Contains(strings.Split(text, ","), "keyCredentials") {
		for i, cert := range a.certificates {
			body.KeyCredentials[i].Key = cert.Raw
		}
	}
	return reply{status: http.StatusOK, body: body}, nil
}

// addPassword follows https://learn.microsoft.com/graph/api/application-addpassword.
func addPassword(s *Server, c *call) (reply, error) {
	a, err := c.writable()
	if err != nil {
		return reply{}, err
	}
	asked, err := c.askedPassword()
	if err != nil {
		return reply{}, err
	}
	given := Secret{Text: s.secretText(), Start: asked.StartDateTime, End: asked.EndDateTime}
	added := a.addSecret(given, asked.DisplayName, c.now.Add(s.opts.CredentialLag))
	answer := added.wire()
	answer.Context, answer.SecretText = c.context("microsoft.graph.passwordCredential"), &added.Text
	return reply{status: http.StatusOK, body: answer}, nil
}

// askedPassword is what a caller may say of the secret it is given.
type askedPassword struct {
	DisplayName                string
	StartDateTime, EndDateTime time.Time
}

func (c *call) askedPassword() (askedPassword, error) {
	var body struct{ PasswordCredential askedPassword }
	if err := c.decode(&body); err != nil {
		return askedPassword{}, err
	}
	asked := body.PasswordCredential
	if asked.StartDateTime.IsZero() {
		asked.StartDateTime = c.now
	}
	if asked.EndDateTime.IsZero() {
		asked.EndDateTime = secretLife(asked.StartDateTime)
	}
	if !asked.EndDateTime.After(asked.StartDateTime) || !asked.EndDateTime.After(c.now) {
		return askedPassword{}, badRequest("The credential's end date must be after its start date and in the future.")
	}
	return asked, nil
}

// secretText makes up a secret as long as Entra's. s.mu is held.
func (s *Server) secretText() string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~"
	text := make([]byte, 40)
	for i := range text {
		text[i] = alphabet[s.rand.IntN(len(alphabet))]
	}
	copy(text[3:], "8Q~") // which is what scanners know them by
	return string(text)
}

// removePassword follows https://learn.microsoft.com/graph/api/application-removepassword.
func removePassword(_ *Server, c *call) (reply, error) {
	var body struct{ KeyID string }
	a, err := c.writable()
	if err == nil {
		err = c.decode(&body)
	}
	if err != nil {
		return reply{}, err
	}
	i := slices.IndexFunc(a.secrets, func(s *secret) bool { return strings.EqualFold(s.keyID, body.KeyID) })
	if i < 0 {
		return reply{}, badRequest("No password credential found with keyId '%s'.", body.KeyID)
	}
	a.secrets = slices.Delete(a.secrets, i, i+1)
	return reply{status: http.StatusNoContent}, nil
}
