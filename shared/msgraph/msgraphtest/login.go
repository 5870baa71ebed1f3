package msgraphtest

import (
	"encoding/base64"
	"math/big"
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
	case "GET discovery/v2.0/keys":
		return s.keySet
	case "POST oauth2/v2.0/token":
		return s.receiveGrant(c)
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
	type instance struct {
		PreferredNetwork string   `json:"preferred_network"`
		PreferredCache   string   `json:"preferred_cache"`
		Aliases          []string `json:"aliases"`
	}
	var known []instance
	for _, cl := range clouds() {
		known = append(known, instance{cl.logins[0], cl.logins[0], cl.logins})
	}
	tenant, _, _ := strings.Cut(strings.TrimPrefix(asked.Path, "/"), "/")
	return reply{status: http.StatusOK, body: map[string]any{
		"tenant_discovery_endpoint": "https://" + asked.Host + "/" + tenant + "/v2.0/.well-known/openid-configuration",
		"api-version":               "1.1",
		"metadata":                  known,
	}}, nil
}

// openIDConfiguration is the discovery document of a tenant.
func (s *Server) openIDConfiguration(c *call) (reply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, refusal := s.tenantNamed(c.path[0])
	if refusal != nil {
		return refusal.reply(), nil
	}
	base := "https://" + c.host + "/" + t.id
	return reply{status: http.StatusOK, body: map[string]any{
		"issuer":                 base + "/v2.0",
		"authorization_endpoint": base + "/oauth2/v2.0/authorize",
		"token_endpoint":         base + "/oauth2/v2.0/token",
		"jwks_uri":               base + "/discovery/v2.0/keys",
		"token_endpoint_auth_methods_supported": []string{
			"client_secret_post", "private_key_jwt", "client_secret_basic"},
		"response_types_supported":              []string{"code", "id_token", "code id_token", "id_token token"},
		"subject_types_supported":               []string{"pairwise"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
	}}, nil
}

// tenantNamed finds the tenant that a path names by id or by verified domain.
// s.mu is held.
func (s *Server) tenantNamed(name string) (*Tenant, *aadsts) {
	name = strings.ToLower(name)
	if name == "common" || name == "organizations" || name == "consumers" {
		return nil, refuseToken(noTenantInformation, "No tenant-identifying information found in either the request or implied by any provided credentials.")
	}
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

// keySet publishes the key that access tokens are signed with.
func (s *Server) keySet(*call) (reply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := signingKey().PublicKey
	encode := base64.RawURLEncoding.EncodeToString
	return reply{status: http.StatusOK, body: map[string]any{"keys": []map[string]string{{
		"kty": "RSA", "alg": "RS256", "use": "sig", "kid": s.keyID,
		"n": encode(key.N.Bytes()), "e": encode(big.NewInt(int64(key.E)).Bytes()),
	}}}}, nil
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
	if len(scopes) > 1 {
		return "", refuseToken(invalidScope, "The provided value for the input parameter 'scope' is not valid. The scope '%s' is not valid.", scope)
	}
	audience, ok := strings.CutSuffix(scope, "/.default")
	if !ok {
		return "", refuseToken(scopeNotDefault, "The provided value for scope %s is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).", scope)
	}
	graph, isAddress := strings.CutPrefix(strings.TrimSuffix(audience, "/"), "https://")
	if audience != graphAppID && (!isAddress || !slices.Contains(graphsOf(login), graph)) {
		return "", refuseToken(resourceNotFound, "The resource principal named %s was not found in the tenant named %s.", audience, tenant)
	}
	return audience, nil
}
