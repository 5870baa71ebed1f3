package answer_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/answer"
)

// jwtOf is a token with these claims.
func jwtOf(claims string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"RS256","kid":"k"}`)) + "." + encode([]byte(claims)) + ".c2lnbmF0dXJl"
}

func TestPresentedToken(t *testing.T) {
	t.Parallel()
	const issuer, role, audience = "https://3f0c.tokens.sts.global.api.aws", "arn:aws:iam::123456789012:role/revoker", "api://AzureADTokenExchange"
	all := &directory.PresentedToken{Issuer: issuer, Subject: role, Audience: audience}
	base := `"iss":"` + issuer + `","sub":"` + role + `","aud":`
	for name, tt := range map[string]struct {
		token string
		want  *directory.PresentedToken
	}{
		"as AWS makes it":    {jwtOf(`{` + base + `"` + audience + `","https://sts.amazonaws.com/":{"aws_account":"123456789012"}}`), all},
		"audience in a list": {jwtOf(`{` + base + `["` + audience + `"]}`), all},
		"two audiences":      {jwtOf(`{` + base + `["a","b"]}`), &directory.PresentedToken{Issuer: issuer, Subject: role, Audience: "a b"}},
		"another type":       {jwtOf(`{"iss":7,"sub":{},"aud":[7]}`), new(directory.PresentedToken)},
		"a line break":       {jwtOf(`{"iss":"a\nb","sub":"a","aud":"` + strings.Repeat("x", 601) + `"}`), &directory.PresentedToken{Subject: "a"}},
		"no JSON":            {jwtOf(`x`), new(directory.PresentedToken)},
		"no token":           {"secret", new(directory.PresentedToken)},
		"nothing":            {"", new(directory.PresentedToken)},
	} {
		if diff := cmp.Diff(tt.want, answer.PresentedToken(tt.token)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// Whatever a token holds, what is told of it fits in one line, and is no other part
// of it.
func FuzzPresentedToken(f *testing.F) {
	f.Add(jwtOf(`{"iss":"https://a","sub":"arn:aws:iam::1:role/x","aud":["b"]}`))
	f.Add(jwtOf(`{"iss":"\u202e","sub":"\u0000"}`))
	f.Add("a.b.c")
	f.Add("..")
	f.Add(jwtOf(`{"iss":"` + strings.Repeat("0", 200) + `"}`)) // as what prints a private key prints
	f.Fuzz(func(t *testing.T, token string) {
		p := answer.PresentedToken(token)
		for _, claim := range []string{p.Issuer, p.Subject, p.Audience} {
			if len(claim) > 600 || strings.ContainsFunc(claim, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("claim %q", claim)
			}
		}
		if strings.Contains(p.Error(), "\n") {
			t.Errorf("error %q", p)
		}
	})
}
