package answer

import (
	"strings"

	"github.com/golang-jwt/jwt/v5"

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
	claims := make(jwt.MapClaims)
	_, _, _ = jwt.NewParser().ParseUnverified(token, claims) // then there are none
	issuer, _ := claims.GetIssuer()
	subject, _ := claims.GetSubject()
	audience, _ := claims.GetAudience()
	return &directory.PresentedToken{
		Issuer: claim(issuer), Subject: claim(subject), Audience: claim(strings.Join(audience, " ")),
	}
}

// claim is a text that can stand in one line of a log.
func claim(text string) string {
	if len(text) > maxClaim || OneLine(text) != text {
		return ""
	}
	return text
}
