package stream

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/sessionstamp/sessionstamp/shared/signal"
)

// The names of pushing by RFC 8935. The older one is from the framework's drafts.
const (
	push      = "urn:ietf:rfc:8935"
	draftPush = "https://schemas.openid.net/secevent/risc/delivery-method/push"
)

// scopes are what a stream is managed with. Keycloak wants both:
// https://openid.github.io/sharedsignals/openid-caep-interoperability-profile-1_0.html
const scopes = "ssf.read ssf.manage"

const wellKnown = "/.well-known/ssf-configuration"

// Discover reads a transmitter's metadata (section 7.2). issuer is its https address, just
// as the metadata writes it. TokenEndpoint and Scope are filled where the issuer says how
// it gives tokens (RFC 8414, OpenID Connect Discovery). The error is of type [*Error].
//
// Where Subjects is "NONE", the transmitter reports on nobody until its administrator says
// on whom: tell that to people.
func Discover(ctx context.Context, client *http.Client, issuer string) (signal.Stream, error) {
	const doing = "read the transmitter's metadata"
	if !secure(issuer) {
		return signal.Stream{}, &Error{Problem: NotSecure, Doing: doing}
	}
	a := newAPI(client)
	var m metadata
	err := a.read(ctx, doing, addresses(issuer, wellKnown), &m)
	if err != nil {
		return signal.Stream{}, err
	}
	if problem := m.check(issuer); problem != "" {
		return signal.Stream{}, &Error{Problem: problem, Doing: doing}
	}
	s := signal.Stream{
		Provider: providerOf(issuer), Issuer: m.Issuer, KeysURI: m.KeysURI, Critical: m.Critical, Subjects: m.Subjects,
		Method: push, ConfigurationEndpoint: m.Configuration, StatusEndpoint: m.Status, VerificationEndpoint: m.Verification,
	}
	if !m.pushes(push) {
		s.Method = draftPush
	}
	s.TokenEndpoint = a.tokenEndpoint(ctx, issuer)
	if s.TokenEndpoint != "" {
		s.Scope = scopes
	}
	return s, nil
}

// check says what is wrong with the metadata, "" for nothing.
func (m metadata) check(issuer string) Problem {
	switch {
	case m.Issuer == "" || m.KeysURI == "":
		return NoMetadata
	case m.Issuer != issuer:
		return OtherIssuer
	case !m.pushes(push) && !m.pushes(draftPush):
		return NoPush
	case !secure(m.KeysURI): // no other address is called without being looked at
		return NotSecure
	}
	return ""
}

// pushes tells whether the transmitter can push under that name. It need not say.
func (m metadata) pushes(method string) bool {
	return len(m.Methods) == 0 || slices.Contains(m.Methods, method)
}

// addresses are where an issuer may have a well-known document: between host and path, as
// the specification says; or behind the path, where Keycloak has it below a relative path
// (https://www.keycloak.org/nightly/securing-apps/ssf-support). authentik's issuer is the
// document itself.
func addresses(issuer, document string) []string {
	u, err := url.Parse(issuer)
	if err != nil {
		return nil
	}
	path := strings.TrimSuffix(u.EscapedPath(), "/")
	origin := "https://" + u.Host
	found := []string{origin + document + path, origin + path + document}
	if strings.HasPrefix(path, document) {
		found = append([]string{issuer}, found...)
	}
	return slices.Compact(found)
}

// read takes the first document there is. Its error is of the first that may be there, or
// NoMetadata.
func (a *api) read(ctx context.Context, doing string, addresses []string, into any) error {
	for _, address := range addresses {
		err := a.do(ctx, request{doing: doing, method: http.MethodGet, address: address, into: into})
		if e, failed := errors.AsType[*Error](err); !failed || e.Passing() {
			return err
		}
	}
	return &Error{Problem: NoMetadata, Doing: doing}
}

// tokenEndpoint is where the issuer gives tokens, "" where it does not say.
func (a *api) tokenEndpoint(ctx context.Context, issuer string) string {
	var m struct {
		Issuer   string `json:"issuer"`
		Endpoint string `json:"token_endpoint"`
	}
	err := a.read(ctx, "read the issuer's metadata", addresses(issuer, "/.well-known/openid-configuration"), &m)
	if err != nil || m.Issuer != issuer || !secure(m.Endpoint) {
		return ""
	}
	return m.Endpoint
}

// providerOf recognises a provider by its address. A person may know better.
func providerOf(issuer string) signal.Provider {
	switch at := host(issuer); {
	case signal.IsOkta(issuer):
		return signal.OktaSSF
	case strings.HasSuffix(at, ".identitynow.com"):
		return signal.SailPoint
	case strings.HasSuffix(at, ".identity.oraclecloud.com"):
		return signal.OCI
	case strings.Contains(issuer, wellKnown):
		return signal.Authentik
	case strings.Contains(issuer, "/realms/"):
		return signal.Keycloak
	}
	return signal.OtherSSF
}
