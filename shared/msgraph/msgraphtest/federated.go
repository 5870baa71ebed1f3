package msgraphtest

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// The limits of a [federatedIdentityCredential].
//
// [federatedIdentityCredential]: https://learn.microsoft.com/graph/api/resources/federatedidentitycredential
const (
	maxFederated      = 20  // of one application
	maxFederatedName  = 120 // characters
	maxFederatedClaim = 600 // characters of issuer, subject or audience
)

// urlFriendly is what the name of a federated credential is made of.
var urlFriendly = regexp.MustCompile(`^[A-Za-z0-9._~-]+$`)

// federatedJSON is a federated credential on the wire.
type federatedJSON struct {
	Context     string   `json:"@odata.context,omitempty"`
	ID          string   `json:"id,omitempty"`
	Name        string   `json:"name"`
	Issuer      string   `json:"issuer"`
	Subject     string   `json:"subject"`
	Description *string  `json:"description"`
	Audiences   []string `json:"audiences"`
}

func (f *federated) wire() federatedJSON {
	return federatedJSON{ID: f.id, Name: f.Name, Issuer: f.Issuer, Subject: f.Subject,
		Description: orNull(f.description), Audiences: []string{f.Audience}}
}

func listFederated(_ *Server, c *call) (reply, error) {
	a, err := c.readable()
	if err != nil {
		return reply{}, err
	}
	all := []federatedJSON{}
	for _, f := range a.federated {
		all = append(all, f.wire())
	}
	return reply{status: http.StatusOK, body: map[string]any{
		"@odata.context": c.context("applications('" + a.objectID + "')/federatedIdentityCredentials"), "value": all}}, nil
}

func getFederated(_ *Server, c *call) (reply, error) {
	a, err := c.readable()
	if err != nil {
		return reply{}, err
	}
	i, err := a.federatedAt(c.path[len(c.path)-1])
	if err != nil {
		return reply{}, err
	}
	return reply{status: http.StatusOK, body: a.federated[i].wire()}, nil
}

func deleteFederated(_ *Server, c *call) (reply, error) {
	a, err := c.writable()
	if err != nil {
		return reply{}, err
	}
	i, err := a.federatedAt(c.path[len(c.path)-1])
	if err != nil {
		return reply{}, err
	}
	a.federated = slices.Delete(a.federated, i, i+1)
	return reply{status: http.StatusNoContent}, nil
}

// federatedAt finds a federated credential by id or name.
func (a *App) federatedAt(key string) (int, error) {
	i := slices.IndexFunc(a.federated, func(f *federated) bool { return strings.EqualFold(f.id, key) || f.Name == key })
	if i < 0 {
		return i, errNotFound(key)
	}
	return i, nil
}

func createFederated(s *Server, c *call) (reply, error) {
	var body federatedJSON
	a, err := c.writable()
	if err == nil {
		err = c.decode(&body)
	}
	if err == nil {
		err = body.check()
	}
	if err == nil {
		err = a.checkRoom(&body)
	}
	if err != nil {
		return reply{}, err
	}
	given := FederatedCredential{body.Name, body.Issuer, body.Subject, body.Audiences[0]}
	description := ""
	if body.Description != nil {
		description = *body.Description
	}
	added := a.addFederated(given, description, c.now.Add(s.opts.CredentialLag)).wire()
	added.Context = c.context("applications('" + a.objectID + "')/federatedIdentityCredentials/$entity")
	return reply{status: http.StatusCreated, body: added}, nil
}

// check goes over the properties by themselves.
func (j *federatedJSON) check() error {
	if !urlFriendly.MatchString(j.Name) || len(j.Name) > maxFederatedName {
		return badRequest("Invalid value specified for property 'name' of resource 'FederatedIdentityCredential'.")
	}
	if len(j.Audiences) != 1 {
		return badRequest("A federated identity credential has exactly one audience.")
	}
	for _, claim := range []string{j.Issuer, j.Subject, j.Audiences[0]} {
		if claim == "" || len(claim) > maxFederatedClaim {
			return badRequest("Issuer, subject and audience of a federated identity credential have 1 to %d characters.", maxFederatedClaim)
		}
	}
	return nil
}

// checkRoom tells whether the application can have one more: names, and issuer
// with subject, are unique.
func (a *App) checkRoom(j *federatedJSON) error {
	if len(a.federated) >= maxFederated {
		return badRequest("An application has at most %d federated identity credentials.", maxFederated)
	}
	for _, f := range a.federated {
		if f.Name == j.Name || f.Issuer == j.Issuer && f.Subject == j.Subject {
			return refuse(http.StatusConflict, "Request_MultipleObjectsWithSameKeyValue",
				"FederatedIdentityCredential with the same name, or with the same issuer and subject, already exists.")
		}
	}
	return nil
}
