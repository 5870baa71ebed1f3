package answer_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/explain"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/answer"
)

// evidenceReads are all reads of what a person is shown; each tells what it has read as well.
func evidenceReads() map[string]func(answer.Answer) (any, error) {
	one := func(got any, err error) (any, error) { return got, err }
	list := func(got any, _ string, err error) (any, error) { return got, err }
	return map[string]func(answer.Answer) (any, error){
		"user":         func(a answer.Answer) (any, error) { return one(answer.ExplainedUser(a, userID(0))) },
		"any user":     func(a answer.Answer) (any, error) { return one(answer.AnyUser(a)) },
		"enabled":      func(a answer.Answer) (any, error) { return one(answer.Enabled(a)) },
		"MFA":          func(a answer.Answer) (any, error) { return one(answer.PerUserMFA(a)) },
		"risk":         func(a answer.Answer) (any, error) { return one(answer.RiskState(a)) },
		"group":        func(a answer.Answer) (any, error) { return one(answer.Group(a, userID(0))) },
		"organization": func(a answer.Answer) (any, error) { return one(answer.Organization(a)) },
		"devices":      func(a answer.Answer) (any, error) { return list(pages.Devices(a)) },
		"federations":  func(a answer.Answer) (any, error) { return list(pages.Federations(a)) },
		"policies":     func(a answer.Answer) (any, error) { return list(pages.Policies(a)) },
		"sign-ins":     func(a answer.Answer) (any, error) { return list(pages.SignIns(a)) },
		"users":        func(a answer.Answer) (any, error) { return list(pages.FoundUsers(a)) },
		"groups":       func(a answer.Answer) (any, error) { return list(pages.Groups(a)) },
		"members":      func(a answer.Answer) (any, error) { return list(pages.MemberUsers(a)) },
		"names":        func(a answer.Answer) (any, error) { return list(pages.Names(a)) },
	}
}

// What is read is of one line, and what is null is as good as absent.
func TestEvidence(t *testing.T) {
	t.Parallel()
	created := time.Date(2026, 5, 24, 22, 24, 30, 0, time.UTC)
	for name, tt := range map[string]struct {
		read, body string
		want       any
	}{
		"user": {"user", userJSON(userID(0), `"accountEnabled":false,"lastPasswordChangeDateTime":null,"signInSessionsValidFromDateTime":null,`), explain.User{
			User:  directory.User{ID: userID(0), UserPrincipalName: principal, UserType: "Member", Created: created, StampKnown: true},
			Found: true, AccountEnabled: new(false), PasswordKnown: true}},
		"enabled": {"enabled", `{"isEnabled":false}`, false},
		"MFA":     {"MFA", `{"perUserMfaState":"enforced"}`, "enforced"},
		"risk":    {"risk", `{"riskState":"someday\nnew"}`, "someday new"},
		"devices": {"devices", pageOf("", `{"trustType":"AzureAd","accountEnabled":null}`, `{"@odata.type":"#microsoft.graph.endpoint","trustType":null}`,
			`{"trustType":"Workplace","accountEnabled":false,"approximateLastSignInDateTime":"2026-05-25T07:24:30+09:00"}`),
			[]explain.Device{{TrustType: "AzureAd"}, {TrustType: "Workplace", Disabled: true, LastSignIn: created}}},
		"federations": {"federations", pageOf("", `{"promptLoginBehavior":"nativeSupport","federatedIdpMfaBehavior":null}`), []explain.Federation{{PromptLoginBehavior: "nativeSupport"}}},
		"policies": {"policies", pageOf("", `{"id":"`+userID(1)+`","displayName":"a\u001b[2Jb","state":"enabled","policyApplies":true,"grantControls":{"builtInControls":["mfa"]},"sessionControls":{
			"signInFrequency":{"value":null,"type":null,"isEnabled":true,"authenticationType":"primaryAndSecondaryAuthentication","frequencyInterval":"everyTime"},
			"persistentBrowser":{"mode":"never","isEnabled":true},"secureSignInSession":{"isEnabled":true}}}`,
			`{"id":"a name","grantControls":null,"sessionControls":{"signInFrequency":null,"persistentBrowser":{"mode":"always","isEnabled":false}}}`),
			[]explain.Policy{{ID: userID(1), DisplayName: "a [2Jb", State: "enabled", Applies: true, BuiltInControls: []string{"mfa"}, PersistentBrowser: "never", SecureSignInSession: true,
				SignInFrequency: explain.SignInFrequency{Enabled: true, AuthenticationType: "primaryAndSecondaryAuthentication", Interval: "everyTime"}}, {}}},
		"sign-ins": {"sign-ins", pageOf("", `{"createdDateTime":"2026-05-24T22:24:30Z","appId":"`+userID(1)+`","appDisplayName":"Outlook","clientAppUsed":null,"deviceDetail":{"deviceId":""},
			"status":{"errorCode":70043,"failureReason":"r","additionalDetails":null},"appliedConditionalAccessPolicies":[{"id":"`+userID(2)+`","displayName":"p","result":"failure","enforcedSessionControls":["SignInFrequency"]}]}`),
			[]explain.SignIn{{Created: created, AppID: userID(1), AppDisplayName: "Outlook", ErrorCode: 70043, FailureReason: "r",
				AppliedPolicies: []explain.AppliedPolicy{{ID: userID(2), DisplayName: "p", Result: "failure", EnforcedSessionControls: []string{"SignInFrequency"}}}}}},
		"names": {"names", pageOf("", `{"id":"`+strings.ToUpper(userID(1))+`","displayName":"a\nb","userPrincipalName":"`+principal+`"}`, `7`, `{"displayName":"nobody"}`),
			[]directory.Name{{ID: userID(1), DisplayName: "a b", UserPrincipalName: principal}, {}, {}}},
		"members": {"members", pageOf("", `{"@odata.type":"#microsoft.graph.group","id":"`+userID(1)+`"}`, `{"@odata.type":"#microsoft.graph.user","id":"`+userID(2)+`"}`), []string{userID(2)}},
		"groups": {"groups", pageOf("", `{"id":"`+userID(1)+`","displayName":"g","visibility":"HiddenMembership"}`, `{"id":"`+userID(2)+`","visibility":null}`),
			[]directory.Group{{ID: userID(1), DisplayName: "g", HiddenMembers: true}, {ID: userID(2)}}},
		"organization": {"organization", `{"value":[{"id":"` + userID(1) + `","displayName":"o"}]}`, directory.Organization{ID: userID(1), DisplayName: "o"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := evidenceReads()[tt.read](said(http.StatusOK, tt.body))
			if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

// Nothing is taken for what Graph did not say: one item that cannot be read fails all, but
// for names.
func TestEvidenceIsDistrusted(t *testing.T) {
	t.Parallel()
	bodies := []string{
		``, `null`, `[]`, `{}`, `7`, `{"value":null}`, `{"value":7}`, `{"value":[null]}`, `{"value":[7]}`, `{"value":[{"id":7,"promptLoginBehavior":7,"trustType":7,"createdDateTime":7}]}`,
		`{"isEnabled":"true","perUserMfaState":7,"riskState":null}`, `{"perUserMfaState":"","riskState":" "}`, `{"value":[],"@odata.nextLink":"https://evil.example/v1.0/"}`,
		`{"id":"` + userID(1) + `"`, pageOf("", `{"id":"`+userID(1)+`","userType":7,"visibility":7,"accountEnabled":7,"createdDateTime":0,"promptLoginBehavior":7,"state":7}`), pageOf(thenDelta, `{"id":"`+principal+`","createdDateTime":null,"trustType":{}}`, `[]`),
	}
	for name, read := range evidenceReads() {
		for _, body := range bodies {
			got, err := read(said(http.StatusOK, body))
			if err == nil && name == "names" && strings.HasPrefix(body, `{"`) {
				continue
			}
			if e := discreet(t, err); e.Err == nil {
				t.Errorf("%s of %s: %v, %v", name, body, got, err)
			}
		}
	}
}

// FuzzEvidence reads anything as anything: an answer or a discreet error.
func FuzzEvidence(f *testing.F) {
	f.Add(`{"value":[{"id":"` + userID(0) + `","sessionControls":{"signInFrequency":null},"createdDateTime":"2026-05-24T22:24:30Z"}]}`)
	f.Add(`{"id":"` + userID(0) + `","perUserMfaState":"enforced","riskState":"none","isEnabled":true}`)
	f.Fuzz(func(t *testing.T, body string) {
		for name, read := range evidenceReads() {
			got, err := read(said(http.StatusOK, body))
			if err != nil {
				discreet(t, err)
			} else if name != "user" && name != "any user" && name != "users" && strings.ContainsAny(fmt.Sprint(got), "\n\x1b") {
				t.Errorf("%s: %q is of several lines", name, got)
			}
		}
	})
}

// A tenant without a licence is told from an app without a right.
func TestNoLicence(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]bool{
		`{"error":{"code":"Authentication_RequestFromNonPremiumTenantOrB2CTenant","message":"Neither tenant is B2C or tenant doesn't have premium license"}}`: true,
		`{"error":{"code":"Forbidden","message":"Your tenant is not licensed for this feature."}}`:                                                            true,
		`{"error":{"code":"Authorization_RequestDenied","message":"Insufficient privileges to complete the operation."}}`:                                     false,
		`<html>premium license</html>`: false,
	} {
		if got := errors.Is(said(http.StatusForbidden, body).Refusal(), directory.ErrNoLicence); got != want {
			t.Errorf("%s: no licence %t", body, got)
		}
		if e := said(http.StatusBadRequest, body).Refusal(); e.Err != nil {
			t.Errorf("%s: %v", body, e)
		}
	}
}
