package msgraphtest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// A Registration says how late Entra knows of what is done to app registrations: it tells
// all its replicas [in seconds to minutes]. Zero means at once.
//
// [in seconds to minutes]: https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations
type Registration struct {
	// Object is how long a new application or service principal is not found by the reads
	// and the writes that need it. That it exists is known at once to whoever makes it.
	Object time.Duration
	// Role is how long tokens lack a new role.
	Role time.Duration
	// Issuer is how long an issuer that is new to the tenant is AADSTS700211, and Subject
	// how long any new federated credential is AADSTS700213.
	Issuer, Subject time.Duration
	// Credential is how long a new client secret is AADSTS7000215, and a new certificate
	// AADSTS700027.
	Credential time.Duration
}

// registration is what Graph shows of an app, and who made it decides.
type registration struct {
	objectID, uniqueName, displayName string
	hasPrincipal                      bool
	since, principalSince             time.Time            // when they were made through Graph, or deleted
	roleSince                         map[string]time.Time // when a role was granted through Graph
	passwords                         []password
	keys                              []key
	principalPasswords                []password // the service principal's own
	ofApplication, ofPrincipal        owned
}

// derivedID is a GUID that is always the same for the same texts.
func derivedID(texts ...string) string {
	return uuid.NewSHA1(uuid.NameSpaceOID, []byte(strings.Join(texts, "\n"))).String()
}

// knows tells whether all replicas have heard of what was made at a time.
func (s *Server) knows(since, now time.Time) bool { return !now.Before(since.Add(s.opts.Apps.Object)) }

var (
	appReaders = []string{"Application.Read.All", "Application.ReadWrite.All", "Directory.Read.All"}
	appWriters = []string{"Application.ReadWrite.All"}
)

func appRoutes() []route {
	read := func(pattern string, h handler) route {
		return route{method: "GET", pattern: pattern, permissions: appReaders, handle: locked(h)}
	}
	write := func(method, pattern string, h handler) route {
		return route{method: method, pattern: pattern, permissions: appWriters, write: true, handle: locked(administered(h))}
	}
	return []route{
		read("/applications", listApps),
		read("/applications/{id}", getApp),
		write("PATCH", "/applications/{id}", patchApp),
		write("DELETE", "/applications/{id}", deleteApp),
		read("/directory/deletedItems/application", listDeleted),
		write("DELETE", "/directory/deletedItems/{id}", purgeApp),
		write("POST", "/applications/{id}/addPassword", addPassword),
		write("POST", "/applications/{id}/removePassword", removePassword),
		read("/applications/{id}/federatedIdentityCredentials", listFederated),
		write("PATCH", "/applications/{id}/federatedIdentityCredentials/{fic}", patchFederated),
		write("DELETE", "/applications/{id}/federatedIdentityCredentials/{fic}", deleteFederated),
	}
}

// keyed tells whether a segment of the address names an object: by its id, or by an
// alternate key, appId='…'.
func keyed(segment, id string, alternates ...string) bool {
	name, value, ok := strings.Cut(strings.TrimSuffix(segment, "'"), "='")
	if !ok {
		return id != "" && strings.EqualFold(segment, id)
	}
	for alternate := range slices.Chunk(alternates, 2) {
		if strings.EqualFold(alternate[0], name) {
			return alternate[1] != "" && strings.EqualFold(alternate[1], strings.ReplaceAll(value, "''", "'"))
		}
	}
	return false
}

// named tells whether a segment names the application.
func (a *App) named(segment string) bool {
	return keyed(segment, a.objectID, "appId", a.id, "uniqueName", a.uniqueName)
}

// registered finds the application that the address names. s.mu is held.
func (c *call) registered() (*App, error) {
	for _, a := range c.tenant.apps {
		if a.named(c.path[1]) && c.tenant.s.knows(a.since, c.now) {
			return a, nil
		}
	}
	return nil, errNotFound(c.path[1])
}

// object is the [application]. The certificates themselves are shown only if they are
// selected of a single one.
//
// [application]: https://learn.microsoft.com/graph/api/resources/application
func (a *App) object(withKeys bool) object {
	keys := append([]key{}, a.keys...)
	for i := range keys {
		if !withKeys {
			keys[i].Key = nil
		}
	}
	var uniqueName any
	if a.uniqueName != "" {
		uniqueName = a.uniqueName
	}
	return object{
		"id": a.objectID, "appId": a.id, "uniqueName": uniqueName, "displayName": a.displayName, "signInAudience": "AzureADMyOrg",
		"passwordCredentials": append([]password{}, a.passwords...), "keyCredentials": keys,
	}
}

// getApp is https://learn.microsoft.com/graph/api/application-get.
func getApp(_ *Server, c *call) (reply, error) {
	a, err := c.registered()
	if err == nil {
		err = c.onlyOptions("$select")
	}
	if err != nil {
		return reply{}, err
	}
	shown, err := c.project(a.object(strings.Contains(strings.ToLower(c.query.Get("$select")), "keycredentials")), "application")
	if err != nil {
		return reply{}, err
	}
	shown["@odata.context"] = c.context("applications/$entity")
	return ok(shown)
}

// listApps is https://learn.microsoft.com/graph/api/application-list.
func listApps(s *Server, c *call) (reply, error) {
	if err := c.onlyOptions("$select", "$filter", "$top", "$skiptoken"); err != nil {
		return reply{}, err
	}
	f, err := c.filter("Application", "appId", "uniqueName", "displayName")
	if err != nil {
		return reply{}, err
	}
	var all []object
	for _, a := range c.tenant.apps {
		if !s.knows(a.since, c.now) || !f.matches(map[string][]string{"appid": {a.id}, "uniquename": {a.uniqueName}, "displayname": {a.displayName}}) {
			continue
		}
		shown, err := c.project(a.object(false), "application")
		if err != nil {
			return reply{}, err
		}
		all = append(all, shown)
	}
	return c.pageOf("applications", all)
}

// pageOf answers a page of a list of which there is little. s.mu is held.
func (c *call) pageOf(fragment string, all []object) (reply, error) {
	top, token, err := c.paging()
	if err != nil {
		return reply{}, err
	}
	from := min(token.pos, len(all))
	to := min(from+top, len(all))
	if c.tenant.s.leavesEmpty(token) {
		to = from
	}
	answer := object{"@odata.context": c.context(fragment), "value": append([]object{}, all[from:to]...)}
	if to < len(all) {
		answer["@odata.nextLink"] = c.nextLink(pageToken{query: token.query, pos: to, filler: to == from})
	}
	return ok(answer)
}

// read reads a body of which only those properties are known.
func (c *call) read(into any, resource string, properties ...string) error {
	var given map[string]json.RawMessage
	if json.Unmarshal(c.body, &given) != nil || len(given) == 0 {
		return badRequest("Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.")
	}
	for name := range given {
		if !slices.Contains(properties, name) {
			return unknownProperty(name, resource)
		}
	}
	if json.Unmarshal(c.body, into) != nil {
		return badRequest("A value of a property of type 'microsoft.graph.%s' is invalid.", resource)
	}
	return nil
}

// upserts tells whether a PATCH makes what is not there.
func (c *call) upserts() bool { return c.header.Get("Prefer") == "create-if-missing" }

// appBody is what may be written of an application. That passwords cannot be is documented.
type appBody struct {
	DisplayName    *string
	SignInAudience string
	KeyCredentials *[]key
}

// patchApp is https://learn.microsoft.com/graph/api/application-update and
// https://learn.microsoft.com/graph/api/application-upsert.
func patchApp(_ *Server, c *call) (reply, error) {
	var body appBody
	if err := c.read(&body, "application", "displayName", "signInAudience", "keyCredentials"); err != nil {
		return reply{}, err
	}
	i := slices.IndexFunc(c.tenant.apps, func(a *App) bool { return a.named(c.path[1]) })
	uniqueName, unique := strings.CutPrefix(c.path[1], "uniqueName='")
	if i < 0 && unique && c.upserts() {
		return c.createApp(strings.TrimSuffix(uniqueName, "'"), body)
	}
	a, err := c.registered()
	if unique && c.upserts() {
		a, err = c.tenant.apps[i], nil // where it is made, it is known
	}
	if err == nil && body.KeyCredentials != nil {
		err = a.replaceKeys(*body.KeyCredentials, c.now)
	}
	if err != nil {
		return reply{}, err
	}
	if body.DisplayName != nil {
		a.displayName = *body.DisplayName
	}
	return noContent()
}

// createApp makes an application without a service principal. One that is deleted and can be
// restored keeps its unique name.
func (c *call) createApp(uniqueName string, body appBody) (reply, error) {
	switch {
	case body.DisplayName == nil || *body.DisplayName == "":
		return reply{}, badRequest("A value is required for property 'displayName' of resource 'Application'.")
	case slices.ContainsFunc(c.tenant.deleted, func(a *App) bool { return strings.EqualFold(a.uniqueName, uniqueName) }):
		return reply{}, badRequest("Another object with the same value for property uniqueName already exists.")
	}
	s := c.tenant.s
	a := &App{s: s, tenant: c.tenant, id: s.newID(), registration: registration{
		objectID: s.newID(), uniqueName: uniqueName, displayName: *body.DisplayName, since: c.now, ofApplication: c.madeBy(),
	}}
	if body.KeyCredentials != nil {
		if err := a.replaceKeys(*body.KeyCredentials, c.now); err != nil {
			return reply{}, err
		}
	}
	c.tenant.apps = append(c.tenant.apps, a)
	shown := a.object(false)
	shown["@odata.context"] = c.context("applications/$entity")
	return reply{status: http.StatusCreated, body: shown}, nil
}

// deleteApp is https://learn.microsoft.com/graph/api/application-delete: it can be restored
// for 30 days.
func deleteApp(_ *Server, c *call) (reply, error) {
	a, err := c.registered()
	if err != nil {
		return reply{}, err
	}
	c.tenant.apps = slices.DeleteFunc(slices.Clone(c.tenant.apps), func(other *App) bool { return other == a })
	a.since = c.now
	c.tenant.deleted = append(c.tenant.deleted, a)
	return noContent()
}

// listDeleted is https://learn.microsoft.com/graph/api/directory-deleteditems-list.
func listDeleted(s *Server, c *call) (reply, error) {
	if err := c.onlyOptions("$select", "$top", "$skiptoken"); err != nil {
		return reply{}, err
	}
	var all []object
	for _, a := range c.tenant.deleted {
		shown, err := c.project(a.object(false), "application")
		if err != nil {
			return reply{}, err
		}
		if s.knows(a.since, c.now) {
			all = append(all, shown)
		}
	}
	return c.pageOf("directory/deletedItems/microsoft.graph.application", all)
}

// purgeApp is https://learn.microsoft.com/graph/api/directory-deleteditems-delete.
func purgeApp(s *Server, c *call) (reply, error) {
	before := len(c.tenant.deleted)
	c.tenant.deleted = slices.DeleteFunc(c.tenant.deleted, func(a *App) bool {
		return strings.EqualFold(a.objectID, c.path[2]) && s.knows(a.since, c.now)
	})
	if len(c.tenant.deleted) == before {
		return reply{}, errNotFound(c.path[2])
	}
	return noContent()
}
