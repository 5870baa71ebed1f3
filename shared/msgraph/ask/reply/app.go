package reply

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/answer"
)

// credential is what a passwordCredential and a keyCredential have in common. Both are null
// where they were made without.
type credential struct {
	KeyID string    `json:"keyId"`
	Name  string    `json:"displayName"`
	Start time.Time `json:"startDateTime"`
	End   time.Time `json:"endDateTime"`
}

// App reads an [application]: what is in it, and nothing of its service principal.
//
// [application]: https://learn.microsoft.com/graph/api/resources/application
func App(body []byte) (directory.App, error) {
	o, err := readObject(body)
	var w struct {
		ClientID   string       `json:"appId"`
		UniqueName string       `json:"uniqueName"`
		Passwords  []credential `json:"passwordCredentials"`
		Keys       []credential `json:"keyCredentials"`
	}
	clientID := ""
	if err == nil && json.Unmarshal(body, &w) == nil {
		clientID = strings.ToLower(w.ClientID)
	}
	if !directory.IsID(clientID) {
		return directory.App{}, answer.ErrShape
	}
	app := directory.App{ID: o.ID, ClientID: clientID, UniqueName: answer.OneLine(w.UniqueName), DisplayName: answer.OneLine(o.DisplayName)}
	app.Credentials = append(credentials(w.Passwords, false), credentials(w.Keys, true)...)
	return app, nil
}

func credentials(all []credential, certificate bool) (found []directory.AppCredential) {
	for _, w := range all {
		found = append(found, directory.AppCredential{
			KeyID: strings.ToLower(answer.Plain(w.KeyID)), Name: answer.OneLine(w.Name), Certificate: certificate, Start: w.Start.UTC(), End: w.End.UTC(),
		})
	}
	return found
}

// Key is a certificate of an application, as it is sent back where another is added.
type Key struct {
	// KeyID is a lower-case GUID; Key is the certificate in base64, "" if it was not asked for.
	KeyID, Key string
	// Whole is all that Graph has told.
	Whole json.RawMessage
}

// Keys reads the keyCredentials of an [application].
//
// [application]: https://learn.microsoft.com/graph/api/resources/application
func Keys(body []byte) ([]Key, error) {
	var w struct {
		Keys []json.RawMessage `json:"keyCredentials"`
	}
	if json.Unmarshal(body, &w) != nil || w.Keys == nil {
		return nil, answer.ErrShape
	}
	keys := make([]Key, len(w.Keys))
	for i, whole := range w.Keys {
		var one struct{ KeyID, Key string }
		if json.Unmarshal(whole, &one) != nil || !directory.IsID(strings.ToLower(one.KeyID)) {
			return nil, answer.ErrShape
		}
		keys[i] = Key{strings.ToLower(one.KeyID), answer.OneLine(one.Key), whole}
	}
	return keys, nil
}

// Federated reads a [federatedIdentityCredential], which has one audience.
//
// [federatedIdentityCredential]: https://learn.microsoft.com/graph/api/resources/federatedidentitycredential
func Federated(body []byte) (directory.FederatedCredential, error) {
	type wire struct {
		Name      string   `json:"name"`
		Issuer    string   `json:"issuer"`
		Subject   string   `json:"subject"`
		Audiences []string `json:"audiences"`
	}
	f, err := decode(body, func(w wire) directory.FederatedCredential {
		return directory.FederatedCredential{
			Name: answer.OneLine(w.Name), Issuer: answer.OneLine(w.Issuer), Subject: answer.OneLine(w.Subject),
			Audience: answer.OneLine(strings.Join(w.Audiences, " ")),
		}
	})
	if f.Name == "" {
		err = answer.ErrShape
	}
	return f, err
}

// Principal is a service principal.
type Principal struct {
	// ID is its object id.
	ID string
	// Enabled is accountEnabled.
	Enabled bool
	// Roles are the ids of the application permissions that it has to grant, by their names.
	Roles map[string]string
	// Credentials are its own.
	Credentials []directory.AppCredential
}

// ServicePrincipal reads a [servicePrincipal].
//
// [servicePrincipal]: https://learn.microsoft.com/graph/api/resources/serviceprincipal
func ServicePrincipal(body []byte) (Principal, error) {
	o, err := readObject(body)
	var w struct {
		Enabled *bool `json:"accountEnabled"`
		Roles   []struct {
			ID    string `json:"id"`
			Value string `json:"value"`
		} `json:"appRoles"`
		Passwords []credential `json:"passwordCredentials"`
		Keys      []credential `json:"keyCredentials"`
	}
	if err != nil || json.Unmarshal(body, &w) != nil {
		return Principal{}, answer.ErrShape
	}
	p := Principal{ID: o.ID, Enabled: w.Enabled == nil || *w.Enabled, Roles: make(map[string]string)}
	for _, role := range w.Roles {
		if name, id := answer.Plain(role.Value), strings.ToLower(role.ID); name != "" && directory.IsID(id) {
			p.Roles[name] = id
		}
	}
	p.Credentials = append(credentials(w.Passwords, false), credentials(w.Keys, true)...)
	for i := range p.Credentials {
		p.Credentials[i].OfPrincipal = true
	}
	return p, nil
}

// OwnerID reads the lower-case object id of an owner, of whatever type.
func OwnerID(body []byte) (string, error) {
	o, err := readObject(body)
	return o.ID, err
}

// Assignment is the grant of a role to a service principal.
type Assignment struct {
	// ID is no GUID; RoleID is that of the role, and ResourceID that of the service principal
	// that has the role to grant.
	ID, RoleID, ResourceID string
}

// AppRoleAssignment reads an [appRoleAssignment].
//
// [appRoleAssignment]: https://learn.microsoft.com/graph/api/resources/approleassignment
func AppRoleAssignment(body []byte) (Assignment, error) {
	type wire struct {
		ID         string `json:"id"`
		RoleID     string `json:"appRoleId"`
		ResourceID string `json:"resourceId"`
	}
	a, err := decode(body, func(w wire) Assignment {
		return Assignment{answer.Plain(w.ID), strings.ToLower(w.RoleID), strings.ToLower(w.ResourceID)}
	})
	if a.ID == "" || !directory.IsID(a.RoleID) || !directory.IsID(a.ResourceID) {
		return Assignment{}, answer.ErrShape
	}
	return a, err
}

// NewPassword is a client secret that was just made.
type NewPassword struct {
	KeyID  string
	Secret directory.Secret
}

// Password reads the answer to [addPassword].
//
// [addPassword]: https://learn.microsoft.com/graph/api/application-addpassword
func Password(body []byte) (NewPassword, error) {
	var w struct {
		KeyID  string `json:"keyId"`
		Secret string `json:"secretText"`
	}
	err := json.Unmarshal(body, &w)
	if w.KeyID = strings.ToLower(w.KeyID); err != nil || !directory.IsID(w.KeyID) || w.Secret == "" {
		return NewPassword{}, answer.ErrShape
	}
	return NewPassword{w.KeyID, directory.NewSecret(w.Secret)}, nil
}
