package signal

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// maxSET is the length of the longest token that is read. They have about 1,500 bytes;
// and a token must be taken apart before it is known who has signed it.
const maxSET = 1 << 16

// Provider is who transmits, as far as it differs from the specification.
type Provider string

// The providers. The others send what the specification says, as documented.
const (
	OktaSSF   Provider = "okta"
	Authentik Provider = "authentik"
	Keycloak  Provider = "keycloak"
	OCI       Provider = "oci"
	SailPoint Provider = "sailpoint"
	OtherSSF  Provider = "other"
)

// An ssf is the source for a transmitter that pushes security event tokens by [RFC 8935].
// Success is answered by 202, a [Refusal] by 400 and its Code.
//
// A token holds one event, has an issuer and an audience, no sub and no exp, and is signed
// by RS256 or ES256 ([SSF, section 4.1], [RFC 8417]). A token can be sent again by whoever
// has seen it: that is harmless, since the time of its event stays the same.
//
// [RFC 8935]: https://www.rfc-editor.org/rfc/rfc8935
// [RFC 8417]: https://www.rfc-editor.org/rfc/rfc8417
// [SSF, section 4.1]: https://openid.net/specs/openid-sharedsignals-framework-1_0-final.html
type ssf struct {
	source  string
	record  Record
	keys    *Keys
	secrets static
	// state is what verification events are asked for with.
	state string
}

func newSSF(id string, r Record, c Credential, keys *Keys) (*ssf, error) {
	secrets, err := newStatic(c.Secrets)
	switch {
	case err != nil:
		return nil, err
	case r.Stream.Issuer == "" || len(r.Stream.Audiences) == 0 || slices.Contains(r.Stream.Audiences, ""):
		return nil, errors.New("a stream needs an issuer and an audience")
	case r.SessionsRevoked && (r.Stream.Provider == OktaSSF || IsOkta(r.Stream.Issuer)):
		// user.session.end is what it maps to session-revoked:
		// https://developer.okta.com/docs/reference/ssf-transmitter-sets
		return nil, errors.New("at Okta session-revoked is a log-out: it can't be let through")
	}
	return &ssf{source: id, record: r, keys: keys, secrets: secrets, state: c.State()}, nil
}

// IsOkta recognises Okta by its issuer, where somebody took it for another.
func IsOkta(issuer string) bool {
	u, err := url.Parse(issuer)
	return err == nil && slices.ContainsFunc([]string{".okta.com", ".oktapreview.com", ".okta-emea.com", ".okta-gov.com", ".okta.mil"},
		func(suffix string) bool { return strings.HasSuffix(strings.ToLower(u.Hostname()), suffix) })
}

// algorithms are all that is accepted. Each fits one type of key only, so that no public
// key can be taken for a shared secret.
var algorithms = map[string]jwt.SigningMethod{
	"RS256": jwt.SigningMethodRS256,
	"ES256": jwt.SigningMethodES256,
}

// Authenticate checks the secret, then the token: header, signature, claims.
func (s *ssf) Authenticate(ctx context.Context, r Request) error {
	if !s.secrets.match(r.Header) {
		return refuse(BadSecret)
	}
	t, err := takeApart(r.Body)
	if err != nil {
		return err
	}
	if err := s.checkHeader(t.header); err != nil {
		return err
	}
	algorithm := t.header.text("alg")
	key, err := s.keys.find(ctx, algorithm, t.header.text("kid"), r.Received)
	if err != nil {
		return err
	}
	if algorithms[algorithm].Verify(t.signed, t.signature, key) != nil {
		return refuse(BadSignature)
	}
	claims, ok := parse(t.payload)
	if !ok {
		return refuse(Malformed)
	}
	return s.checkClaims(claims)
}

// checkHeader checks a header in which "crit" names what must be understood (RFC 7515,
// 4.1.11): we understand no extension.
func (s *ssf) checkHeader(header object) error {
	switch strings.TrimPrefix(strings.ToLower(header.text("typ")), "application/") {
	case "secevent+jwt":
	case "jwt", "":
		// Its code leaves the type to the library, which writes "JWT":
		// https://github.com/goauthentik/authentik/blob/main/authentik/enterprise/providers/ssf/models.py
		if s.record.Stream.Provider != Authentik {
			return refuse(BadType)
		}
	default:
		return refuse(BadType)
	}
	switch {
	case header.has("crit"):
		return refuse(BadCritical)
	case algorithms[header.text("alg")] == nil:
		return refuse(BadAlgorithm)
	case header.text("kid") == "":
		return refuse(UnknownKey)
	}
	return nil
}

// checkClaims tells a security event token for us from any other token of the issuer:
// those that sign users in have a sub and an exp.
func (s *ssf) checkClaims(claims object) error {
	switch {
	case claims.has("sub") || claims.has("exp"):
		return refuse(BadType)
	case claims.text("iss") != s.record.Stream.Issuer:
		return refuse(BadIssuer)
	case !slices.ContainsFunc(s.record.Stream.Audiences, func(ours string) bool {
		return claims.text("aud") == ours || slices.Contains(claims.list("aud"), any(ours))
	}):
		return refuse(BadAudience)
	case claims.text("jti") == "" || claims.seconds("iat").IsZero():
		return refuse(Malformed)
	}
	return nil
}

// A token is a compact JWS (RFC 7515) in its parts.
type token struct {
	header    object
	payload   []byte
	signature []byte
	// signed is what the signature is of: header and payload as they were sent.
	signed string
}

func takeApart(body []byte) (token, error) {
	if len(body) > maxSET {
		return token{}, refuse(TooLarge)
	}
	raw := string(bytes.TrimSpace(body))
	parts := strings.Split(raw, ".")
	var decoded [3][]byte // header, payload, signature
	if len(parts) != len(decoded) {
		return token{}, refuse(Malformed)
	}
	for i := range parts {
		var err error
		if decoded[i], err = base64.RawURLEncoding.DecodeString(parts[i]); err != nil {
			return token{}, refuse(Malformed)
		}
	}
	header, ok := parse(decoded[0])
	if !ok {
		return token{}, refuse(Malformed)
	}
	return token{header, decoded[1], decoded[2], parts[0] + "." + parts[1]}, nil
}
