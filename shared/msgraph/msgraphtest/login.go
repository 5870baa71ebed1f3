package msgraphtest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// receiveLogin finds out what a login host is asked for. See
// https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc.
func (s *Server) receiveLogin(c *call, u *url.URL) stage {
	c.record.Token = true
	if err := c.locate(u.EscapedPath(), u.RawQuery); err != nil {
		return always(reply{status: http.StatusBadRequest})
	}
	tenant, rest := c.path[0], strings.Join(c.path[1:], "/")
	c.record.Tenant = tenant
	switch c.method + " " + rest {
	case "GET discovery/instance":
		return s.discoverInstance
	case "GET v2.0/.well-known/openid-configuration":
		return s.openIDConfiguration
	case "POST oauth2/v2.0/token":
		return s.receiveGrant(c)
	case "GET oauth2/v2.0/authorize":
		return s.authorize
	case "POST oauth2/v2.0/devicecode":
		return s.giveDeviceCode
	default:
		return always(reply{status: http.StatusNotFound})
	}
}

// discoverInstance tells a client which hosts belong together.
func (s *Server) discoverInstance(c *call) (reply, error) {
	asked, err := url.Parse(c.query.Get("authorization_endpoint"))
	if err != nil || !isLogin(asked.Hostname()) {
		return refuseToken(unknownInstance, "Unknown or invalid instance.").reply(), nil
	}
	var known []map[string]any
	for _, cl := range clouds() {
		known = append(known, map[string]any{"preferred_network": cl.logins[0], "preferred_cache": cl.logins[0], "aliases": cl.logins})
	}
	tenant, _, _ := strings.Cut(strings.TrimPrefix(asked.Path, "/"), "/")
	return reply{status: http.StatusOK, body: map[string]any{
		"tenant_discovery_endpoint": "https://" + asked.Host + "/" + tenant + "/v2.0/.well-known/openid-configuration",
		"api-version":               "1.1",
		"metadata":                  known,
	}}, nil
}

// openIDConfiguration is what clients read of the discovery document of a tenant.
func (s *Server) openIDConfiguration(c *call) (reply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	issuer := "{tenantid}"
	base := "https://" + c.host + "/" + organizations
	if c.path[0] != organizations {
		t, refusal := s.tenantNamed(c.path[0])
		if refusal != nil {
			return refusal.reply(), nil
		}
		issuer, base = t.id, "https://"+c.host+"/"+t.id
	}
	return reply{status: http.StatusOK, body: map[string]any{
		"issuer":                 "https://" + c.host + "/" + issuer + "/v2.0",
		"authorization_endpoint": base + "/oauth2/v2.0/authorize",
		"token_endpoint":         base + "/oauth2/v2.0/token",
	}}, nil
}

// tenantNamed finds the tenant that a path names by id or by verified domain.
// s.mu is held.
func (s *Server) tenantNamed(name string) (*Tenant, *aadsts) {
	name = strings.ToLower(name)
	if t := s.tenants[name]; t != nil {
		return t, nil
	}
	for _, t := range s.tenants {
		if d := t.dir.byName[name]; d != nil && !d.Unverified {
			return t, nil
		}
	}
	if _, isID := parseID(name); !isID && !strings.Contains(name, ".") {
		return nil, refuseToken(malformedTenant, "Specified tenant identifier '%s' is neither a valid DNS name, nor a valid external domain.", name)
	}
	return nil, refuseToken(tenantNotFound, "Tenant '%s' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.", name)
}

// audienceOfScope returns the audience of the token that a scope asks for. The
// resource is Graph in a cloud of the login host, by its address, which azure-cli
// ends with a slash, or by its client id.
//
// Entra lets the scopes of OpenID Connect stand beside it and ignores them: the
// Microsoft Authentication Library for Go sends them always.
func audienceOfScope(scope, login, tenant string) (audience string, refusal *aadsts) {
	scopes := slices.DeleteFunc(strings.Fields(scope), func(s string) bool {
		return s == "openid" || s == "offline_access" || s == "profile"
	})
	scope = strings.Join(scopes, " ")
	audience, ok := strings.CutSuffix(scope, "/.default")
	if !ok || len(scopes) > 1 {
		return "", refuseToken(scopeNotDefault, "The provided value for scope %s is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).", scope)
	}
	graph, isAddress := strings.CutPrefix(strings.TrimSuffix(audience, "/"), "https://")
	if audience != graphAppID && (!isAddress || !slices.Contains(graphsOf(login), graph)) {
		return "", refuseToken(resourceNotFound, "The resource principal named %s was not found in the tenant named %s.", audience, tenant)
	}
	return audience, nil
}
