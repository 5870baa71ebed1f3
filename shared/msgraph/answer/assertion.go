package answer

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// maxClaim is how long a claim that a federated credential goes by may be, in
// characters (https://learn.microsoft.com/graph/api/resources/federatedidentitycredential).
const maxClaim = 600

// PresentedToken reads issuer, subject and audience of a [JSON Web Token], to tell
// an administrator what to enter in Entra. Nothing is verified, and nothing else of
// the token is kept. A claim that is not there, or is suspicious, is "".
//
// [JSON Web Token]: https://www.rfc-editor.org/rfc/rfc7519
func PresentedToken(token string) *directory.PresentedToken {
	_, rest, _ := strings.Cut(token, ".")
	encoded, _, _ := strings.Cut(rest, ".")
	var claims struct {
		Issuer   any `json:"iss"`
		Subject  any `json:"sub"`
		Audience any `json:"aud"`
	}
	text, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil || json.Unmarshal(text, &claims) != nil {
		return new(directory.PresentedToken)
	}
	// An audience may stand alone or in a list; Entra takes a token with one.
	if list, ok := claims.Audience.([]any); ok && len(list) == 1 {
		claims.Audience = list[0]
	}
	return &directory.PresentedToken{
		Issuer: claim(claims.Issuer), Subject: claim(claims.Subject), Audience: claim(claims.Audience),
	}
}

// claim is a text that can stand in one line of a log.
func claim(value any) string {
	text, _ := value.(string)
	if len(text) > maxClaim || OneLine(text) != text {
		return ""
	}
	return text
}
