package msgraphtest

import "strings"

// object is a resource of which a tenant has so few that it need not be small.
type object map[string]any

// project is the object with the properties that $select names, or with all.
func (c *call) project(o object, resource string) (object, error) {
	text, given := option(c.query, "$select")
	if !given || text == "" {
		return o, nil
	}
	shown := make(object)
	for name := range strings.SplitSeq(text, ",") {
		name = strings.TrimSpace(name)
		value, ok := o[name]
		if !ok {
			return nil, unknownProperty(name, resource)
		}
		shown[name] = value
	}
	return shown, nil
}

// organizationReaders are the permissions for the organization. The basic
// properties, verifiedDomains among them, come with User.Read.All.
var organizationReaders = []string{"User.Read.All", "User.ReadWrite.All", "Organization.Read.All", "Organization.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}

func organizationRoutes() []route {
	return []route{
		{method: "GET", pattern: "/organization", permissions: organizationReaders, handle: locked(listOrganization)},
		{method: "GET", pattern: "/organization/{id}", permissions: organizationReaders, handle: locked(getOrganization)},
	}
}

// listOrganization is https://learn.microsoft.com/graph/api/organization-list.
func listOrganization(_ *Server, c *call) (reply, error) {
	shown, err := c.organization()
	if err != nil {
		return reply{}, err
	}
	return ok(object{"@odata.context": c.context("organization"), "value": []object{shown}})
}

// getOrganization is https://learn.microsoft.com/graph/api/organization-get.
func getOrganization(_ *Server, c *call) (reply, error) {
	if !strings.EqualFold(c.path[1], c.tenant.id) {
		return reply{}, errNotFound(c.path[1])
	}
	shown, err := c.organization()
	if err != nil {
		return reply{}, err
	}
	shown["@odata.context"] = c.context("organization/$entity")
	return ok(shown)
}

func (c *call) organization() (object, error) {
	if err := c.onlyOptions("$select"); err != nil {
		return nil, err
	}
	dir := &c.tenant.dir
	return c.project(object{
		"id":                    c.tenant.id,
		"displayName":           dir.name,
		"tenantType":            "AAD",
		"countryLetterCode":     nil,
		"onPremisesSyncEnabled": nil,
		"verifiedDomains":       dir.verifiedDomains(),
	}, "organization")
}

// verifiedDomains is a list of
// https://learn.microsoft.com/graph/api/resources/verifieddomain.
func (d *tenantDirectory) verifiedDomains() []object {
	domains := []object{}
	for _, domain := range d.listed() {
		if domain.Unverified {
			continue
		}
		domains = append(domains, object{
			"name":         domain.Name,
			"type":         d.authenticationType(domain),
			"capabilities": "Email, OfficeCommunicationsOnline",
			"isDefault":    d.isDefault(domain),
			"isInitial":    domain.initial,
		})
	}
	return domains
}
