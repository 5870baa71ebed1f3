package keeper

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// TestCauses shows by which cause every kind of error is explained.
func TestCauses(t *testing.T) {
	t.Parallel()
	e := func(operation string, status int, code, message string) error {
		return fmt.Errorf("wrapped: %w", &directory.Error{Operation: operation, StatusCode: status, Code: code, Message: message})
	}
	token := func(code string) error { return e(directory.Token, 400, code, "") }
	const create, getGroup = "createSubscription", "getGroup"
	for _, test := range []struct {
		err  error
		want Cause
	}{
		{e(create, 403, "ExtensionError", "Operation: Create; Exception: [Status Code: Forbidden; Reason: Forbidden]"), CauseNoConsent},
		{e(create, 401, "Authorization_IdentityNotFound", ""), CauseNoConsent},
		{token("AADSTS65001"), CauseNoConsent},
		{e(create, 403, "", "The limit of 100 subscriptions is reached."), CauseNoConsent},
		{e(create, 400, "ValidationError", ""), CauseNotificationURL},
		{e(create, 400, "InvalidRequest", "Subscription validation request timed out."), CauseNotificationURL},
		{e(create, 400, "InvalidRequest", "NotificationUrl is not valid."), CauseRefused},
		{e(getGroup, 404, "Request_ResourceNotFound", ""), CauseGroups},
		{e(getGroup, 200, "", ""), CauseGroups},
		{e(getGroup, 403, "", ""), CauseNoConsent},
		{e(getGroup, 503, "", ""), CauseUnwell},
		{token("AADSTS7000215"), CauseSecretWrong},
		{token("AADSTS7000222"), CauseSecretWrong},
		{token("AADSTS700027"), CauseCertificateWrong},
		{&directory.Error{Operation: directory.Token, Code: "AADSTS700027", Err: new(directory.PresentedToken)}, CauseFederationKey},
		{&directory.Error{Operation: directory.Certificate, Err: directory.ErrCertificateTime}, CauseCertificateTime},
		{e(directory.ClientSecret, 0, "", ""), CauseCredentialUnread},
		{e(directory.Certificate, 0, "", ""), CauseCredentialUnread},
		{token("AADSTS700016"), CauseAppUnknown},
		{token("AADSTS90002"), CauseAppUnknown},
		{token("AADSTS7000112"), CauseAppDisabled},
		{token("AADSTS7000229"), CauseAppUnknown},
		{token("AADSTS700213"), CauseFederation},
		{token("AADSTS501661"), CauseFederationKey},
		{e(directory.WebIdentityToken, 0, "AccessDenied", ""), CauseWebIdentity},
		{token("AADSTS700024"), CauseSignIn},
		{token("AADSTS53003"), CauseSignIn},
		{e(create, 401, "InvalidAuthenticationToken", ""), CauseSignIn},
		{e(directory.Token, 429, "AADSTS90055", ""), CauseThrottled},
		{e(directory.Token, 503, "AADSTS90033", ""), CauseUnwell},
		{e(directory.Token, 0, "", ""), CauseUnreachable},
		{e(create, 429, "TooManyRequests", ""), CauseThrottled},
		{e(create, 0, "", ""), CauseUnreachable},
		{e(create, 200, "", ""), CauseUnwell},
		{e(create, 409, "ObjectIdentifierInUse", ""), CauseBusy},
		{fmt.Errorf("wrapped: %w", &fault{CauseStore, errors.New("throttled")}), CauseStore},
		{fmt.Errorf("x.example: %w", directory.ErrNotFederated), CauseDomains},
		{&directory.Error{Operation: getGroup, NotDone: true}, CauseInternal},
		{errBusy, CauseBusy},
		{errors.Join(errBusy, e(create, 503, "", "")), CauseUnwell},
		{errors.New("what"), CauseInternal},
	} {
		if got := causeOf(test.err); got != test.want || advice[got] == "" {
			t.Errorf("%v: cause %q, want %q", test.err, got, test.want)
		}
	}
}

// TestAdvice has two whole sentences for every cause, no placeholder left in them, and
// room in an answer to CloudFormation for the details.
func TestAdvice(t *testing.T) {
	t.Parallel()
	for cause := range advice {
		text := Adviser{Tenant: "T", NotificationURL: "U"}.fill(advice[cause], "M")
		if !strings.HasSuffix(text, ".") || !strings.Contains(text, ". ") || strings.ContainsAny(text, "{}") || len(text) > 800 {
			t.Errorf("%s: %q", cause, text)
		}
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	a := Adviser{Tenant: "T", ClientID: "C"}
	if err := a.Explain(nil); err != nil {
		t.Errorf("of nil: %v", err)
	}
	refused := a.Explain(&directory.Error{Operation: "createSubscription", StatusCode: 400, Message: "Not\nso " + strings.Repeat("x", 500) + "."})
	if text := refused.Error(); !strings.Contains(text, `: Not so x`) || strings.Contains(text, "\n") || len(text) > 800 {
		t.Errorf("text of Graph's: %s", text)
	}
	federation := a.Explain(&directory.Error{
		Operation: directory.Token, StatusCode: 400, Code: "AADSTS700213",
		Err: &directory.PresentedToken{Issuer: "https://i", Subject: "arn:s", Audience: "api://a"},
	})
	for _, want := range []string{"the app registration C", `issuer "https://i"`, `subject "arn:s"`, `audience "api://a"`, "[token: status 400 AADSTS700213"} {
		if !strings.Contains(federation.Error(), want) {
			t.Errorf("%q is missing in %v", want, federation)
		}
	}
}
