package msgraphtest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// maxFederated is how many federated credentials an app may have, and the others how many
// characters a name and any other of its texts may have.
const (
	maxFederated     = 20
	maxFederatedName = 120
	maxFederatedText = 600
)

func (f FederatedCredential) object() object {
	return object{"id": f.id, "name": f.Name, "issuer": f.Issuer, "subject": f.Subject, "description": nil, "audiences": []string{f.Audience}}
}

// listFederated is https://learn.microsoft.com/graph/api/application-list-federatedidentitycredentials.
func listFederated(_ *Server, c *call) (reply, error) {
	a, err := c.registered()
	if err == nil {
		err = c.onlyOptions("$top", "$skiptoken")
	}
	if err != nil {
		return reply{}, err
	}
	var all []object
	for _, f := range a.federated {
		all = append(all, f.object())
	}
	return c.pageOf("applications('"+a.objectID+"')/federatedIdentityCredentials", all)
}

// federated is the position of the federated credential that the address names.
func (c *call) federated(a *App) int {
	return slices.IndexFunc(a.federated, func(f FederatedCredential) bool { return keyed(c.path[3], f.id, "name", f.Name) })
}

// patchFederated is https://learn.microsoft.com/graph/api/federatedidentitycredential-update
// and https://learn.microsoft.com/graph/api/federatedidentitycredential-upsert.
func patchFederated(s *Server, c *call) (reply, error) {
	var body struct {
		Issuer, Subject string
		Audiences       []string
	}
	a, err := c.registered()
	if err == nil {
		err = c.read(&body, "federatedIdentityCredential", "issuer", "subject", "audiences", "description")
	}
	if err != nil {
		return reply{}, err
	}
	at := c.federated(a)
	name, isName := strings.CutPrefix(strings.TrimSuffix(c.path[3], "'"), "name='")
	f := FederatedCredential{Name: name, id: s.newID()}
	switch {
	case at >= 0:
		f = a.federated[at]
	case !isName || !c.upserts():
		return reply{}, errNotFound(c.path[3])
	case len(a.federated) >= maxFederated:
		return reply{}, refuse(http.StatusForbidden, "Directory_QuotaExceeded", "The number of FederatedIdentityCredentials on the application exceeds the limit of %d.", maxFederated)
	}
	if f.write(body.Issuer, body.Subject, body.Audiences); !f.valid(len(body.Audiences)) {
		return reply{}, invalidFederated("One or more values of the FederatedIdentityCredential are missing or invalid.")
	}
	if slices.ContainsFunc(a.federated, func(other FederatedCredential) bool {
		return other.id != f.id && other.Issuer == f.Issuer && other.Subject == f.Subject
	}) {
		return reply{}, invalidFederated("The combination of issuer and subject must be unique for the application.")
	}
	return a.trust(f, at, c)
}

// invalidFederated is https://github.com/Azure/azure-workload-identity/issues/434.
func invalidFederated(message string) error {
	return refuse(http.StatusBadRequest, "InvalidFederatedIdentityCredentialValue", "%s", message)
}

// write changes what is given.
func (f *FederatedCredential) write(issuer, subject string, audiences []string) {
	if issuer != "" {
		f.Issuer = issuer
	}
	if subject != "" {
		f.Subject = subject
	}
	if len(audiences) > 0 {
		f.Audience = audiences[0]
	}
}

// valid follows https://learn.microsoft.com/graph/api/resources/federatedidentitycredential.
func (f *FederatedCredential) valid(audiences int) bool {
	for _, text := range []string{f.Issuer, f.Subject, f.Audience} {
		if text == "" || len(text) > maxFederatedText {
			return false
		}
	}
	issuer, err := url.Parse(f.Issuer)
	return err == nil && issuer.Scheme == "https" && issuer.Host != "" && audiences <= 1 &&
		len(f.Name) <= maxFederatedName && url.PathEscape(f.Name) == f.Name
}

// trust keeps a federated credential, at the position of the one that it changes.
func (a *App) trust(f FederatedCredential, at int, c *call) (reply, error) {
	f.since = c.now
	if _, known := a.tenant.issuers[f.Issuer]; !known {
		a.tenant.issuers[f.Issuer] = c.now
	}
	if at >= 0 {
		a.federated[at] = f
		return noContent()
	}
	a.federated = append(a.federated, f)
	shown := f.object()
	shown["@odata.context"] = c.context("applications('" + a.objectID + "')/federatedIdentityCredentials/$entity")
	return reply{status: http.StatusCreated, body: shown}, nil
}

// deleteFederated is https://learn.microsoft.com/graph/api/federatedidentitycredential-delete.
func deleteFederated(_ *Server, c *call) (reply, error) {
	a, err := c.registered()
	if err != nil {
		return reply{}, err
	}
	at := c.federated(a)
	if at < 0 {
		return reply{}, errNotFound(c.path[3])
	}
	a.federated = slices.Delete(slices.Clone(a.federated), at, at+1)
	return noContent()
}
