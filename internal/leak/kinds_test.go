package leak_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/sessionstamp/sessionstamp/internal/leak"
	"github.com/sessionstamp/sessionstamp/shared/aws/ststest"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
)

// ask sends a request to an emulator and returns the answer.
func ask(t *testing.T, emulator http.RoundTripper, method, target, authorization, kind, body string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", authorization)
	r.Header.Set("Content-Type", kind)
	answer, err := emulator.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode/100 != 2 {
		t.Fatalf("%s %s: status %d, %v", method, target, answer.StatusCode, err)
	}
	return string(text)
}

// member is the text of a field of a JSON object.
func member(t *testing.T, object, name string) string {
	t.Helper()
	var fields map[string]any
	if err := json.Unmarshal([]byte(object), &fields); err != nil {
		t.Fatal(err)
	}
	text, _ := fields[name].(string)
	return text
}

const form, object = "application/x-www-form-urlencoded", "application/json"

// signature is that of a call of STS.
const signature = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20261101/eu-central-1/sts/aws4_request, SignedHeaders=host, Signature=0a1b"

// issued are secrets and names as the emulators make them, which most tests use. What
// single tests make, they hold against [leaktest.Known].
func issued(t *testing.T) map[string]string {
	t.Helper()
	const graph = "https://graph.microsoft.com/v1.0"
	server := msgraphtest.New(msgraphtest.Options{})
	tenant := server.AddTenant(msgraphtest.TenantOptions{})
	app := tenant.AddApp(msgraphtest.AppOptions{
		Permissions: []string{"Application.ReadWrite.OwnedBy", "User.Read.All"}, Secrets: []msgraphtest.Secret{{Text: "first"}}})
	user := tenant.AddUser(msgraphtest.NewUser{UPN: "hanako@contoso.com"})
	token := member(t, ask(t, server, http.MethodPost, "https://login.microsoftonline.com/"+tenant.ID()+"/oauth2/v2.0/token", "", form,
		url.Values{"grant_type": {"client_credentials"}, "client_id": {app.ID()}, "client_secret": {"first"}, "scope": {"https://graph.microsoft.com/.default"}}.Encode()), "access_token")
	password := ask(t, server, http.MethodPost, graph+"/applications(appId='"+app.ID()+"')/addPassword", "Bearer "+token, object, `{"passwordCredential":{"displayName":"x"}}`)
	read := ask(t, server, http.MethodGet, graph+"/users/"+user+"?$select=displayName,userPrincipalName", "Bearer "+token, object, "")
	sts := ststest.New(ststest.Options{Issuer: "https://x.tokens.sts.global.api.aws", Subject: "arn:aws:iam::123456789012:role/x"})
	identity := ask(t, sts, http.MethodPost, "https://sts.eu-central-1.amazonaws.com/", signature, form,
		"Action=GetWebIdentityToken&Audience.member.1=api%3A%2F%2FAzureADTokenExchange&DurationSeconds=300&SigningAlgorithm=RS256")
	found := regexp.MustCompile(`<WebIdentityToken>(.*)</WebIdentityToken>`).FindStringSubmatch(identity)
	if found == nil {
		t.Fatal("STS gives no token")
	}
	return map[string]string{
		"client secret": member(t, password, "secretText"), "access token": token, "web identity token": found[1],
		"userPrincipalName": member(t, read, "userPrincipalName"), "displayName": member(t, read, "displayName"),
	}
}

// Whatever the emulators make up would be found, even the half of it.
func TestIssued(t *testing.T) {
	t.Parallel()
	kinds := map[string]string{
		"client secret": "a client secret", "access token": "a token or an assertion", "web identity token": "a token or an assertion",
		"userPrincipalName": "a user principal name", "displayName": "a canary",
	}
	for name, secret := range issued(t) {
		for _, text := range []string{secret, secret[:max(len(secret)/2, min(len(secret), 18))]} {
			if found, _ := leak.Find([]byte(`{"msg":"it is ` + text + `."}`)); found.Kind != kinds[name] || text == "" {
				t.Errorf("%s %q: found %+v, want %s", name, text, found, kinds[name])
			}
		}
	}
}
