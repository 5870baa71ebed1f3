package identity_test

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/sessionstamp/sessionstamp/internal/goldentest"
	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/aws/identity"
	"github.com/sessionstamp/sessionstamp/shared/aws/ststest"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
	"github.com/sessionstamp/sessionstamp/shared/subscription"
)

const (
	tenantID = "84bd8158-6d4d-4958-8b9f-9d6445542f95"
	clientID = "5c1a2b7e-11f2-4a38-8c0b-6b1a94ec2f02"
)

// The token is exchanged at an Entra that looks the issuer's keys up, and refused
// there if it is for another audience.
func TestEntraTakesTheToken(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(map[string]any)
		status int
		code   string
	}{
		"as it is":         {nil, 200, ""},
		"another audience": {func(c map[string]any) { c["aud"] = "sts.amazonaws.com" }, 401, "AADSTS700212"},
		"another role":     {func(c map[string]any) { c["sub"] = role + "2" }, 401, "AADSTS700213"},
		"expired":          {func(c map[string]any) { c["exp"] = 1 }, 401, "AADSTS700024"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			account := ststest.New(ststest.Options{Issuer: issuer, Subject: role})
			account.Change(tt.change)
			entra := msgraphtest.New(msgraphtest.Options{})
			t.Cleanup(entra.Close)
			entra.AddProvider(issuer, account)
			entra.AddTenant(msgraphtest.TenantOptions{ID: tenantID}).AddApp(msgraphtest.AppOptions{
				ID: clientID, Federated: []msgraphtest.FederatedCredential{{Name: "aws", Issuer: issuer, Subject: role}}})
			token, err := source(account).Token(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			status, body := exchanged(t, entra, token)
			if status != tt.status || !strings.Contains(body, tt.code) {
				t.Errorf("status %d, %s", status, body)
			}
		})
	}
}

// exchanged asks Entra for a token in exchange for another
// (https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow).
func exchanged(t *testing.T, entra http.RoundTripper, token string) (status int, body string) {
	t.Helper()
	form := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {clientID}, "scope": {"https://graph.microsoft.com/.default"},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {token},
	}
	req, err := http.NewRequestWithContext(t.Context(), "POST",
		"https://login.microsoftonline.com/"+tenantID+"/oauth2/v2.0/token", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := entra.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// TestAdvice shows what an administrator reads when AWS gives no token.
func TestAdvice(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		code, message string
		cause         subscription.Cause
	}{
		"switched-off": {identity.CodeDisabled, "Outbound web identity federation is not enabled for this account.", subscription.CauseFederationOff},
		"not-allowed": {identity.CodeDenied, "User: arn:aws:sts::123456789012:assumed-role/sessionstamp-revoker/revoker is not authorized to perform: " +
			"sts:GetWebIdentityToken on resource: * because no identity-based policy allows the sts:GetWebIdentityToken action", subscription.CauseWebIdentity},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := ststest.New(ststest.Options{Issuer: issuer, Subject: role})
			server.Refuse(http.StatusForbidden, tt.code, tt.message)
			_, err := source(server).Token(t.Context())
			// So package msgraph hands it on.
			err = &directory.Error{Operation: directory.WebIdentityToken, Code: tt.code, NotDone: true, Err: err}
			a, ok := errors.AsType[*subscription.Advice](leaktest.Seen(t, subscription.Adviser{Tenant: tenantID, ClientID: clientID}.Explain(err)))
			if !ok || a.Cause != tt.cause {
				t.Fatalf("%v is explained as %+v", err, a)
			}
			goldentest.Compare(t, "testdata/"+name+".golden", a.Problem+"\n"+a.Step+"\n["+leaktest.Seen(t, err).Error()+"]\n")
		})
	}
}
