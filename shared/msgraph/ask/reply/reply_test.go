package reply_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/explain"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/answer"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/ask/reply"
)

const (
	principal = "hanako@example.co.jp"
	first     = "0b7e5a0c-6f0e-4a1b-9c55-1d7f7f1f0001"
	second    = "0b7e5a0c-6f0e-4a1b-9c55-1d7f7f1f0002"
)

// whatever forgets the type that a reader returns.
func whatever[T any](read func([]byte) (T, error)) func([]byte) (any, error) {
	return func(body []byte) (any, error) { return read(body) }
}

var readers = map[string]func([]byte) (any, error){
	"user": whatever(reply.User), "explained": whatever(reply.ExplainedUser), "name": whatever(reply.Name),
	"group": whatever(reply.Group), "member": whatever(reply.UserID), "organization": whatever(reply.Organization),
	"enabled": whatever(reply.Enabled), "MFA": whatever(reply.PerUserMFA), "risk": whatever(reply.RiskState),
	"device": whatever(reply.Device), "federation": whatever(reply.Federation), "policy": whatever(reply.Policy), "sign-in": whatever(reply.SignIn),
	"app": whatever(reply.App), "keys": whatever(reply.Keys), "federated": whatever(reply.Federated), "owner": whatever(reply.OwnerID), "principal": whatever(reply.ServicePrincipal),
	"assignment": whatever(reply.AppRoleAssignment), "password": whatever(reply.Password),
}

// What is read is of one line, and what is null is as good as absent.
func TestReply(t *testing.T) {
	t.Parallel()
	created := time.Date(2026, 5, 24, 22, 24, 30, 0, time.UTC)
	user := directory.User{ID: first, UserPrincipalName: principal, UserType: "Member", Created: created, StampKnown: true}
	userJSON := `{"id":"` + strings.ToUpper(first) + `","userPrincipalName":"` + principal + `","userType":"Member","createdDateTime":"2026-05-25T07:24:30+09:00","signInSessionsValidFromDateTime":null`
	for i, tt := range []struct {
		read, body string
		want       any
	}{
		{"user", userJSON + `}`, user},
		{"explained", userJSON + `,"accountEnabled":false,"lastPasswordChangeDateTime":null}`, explain.User{User: user, Found: true, AccountEnabled: new(false), PasswordKnown: true}},
		{"explained", userJSON + `,"accountEnabled":null,"lastPasswordChangeDateTime":"2026-05-24T22:24:30Z"}`, explain.User{User: user, Found: true, LastPasswordChange: created, PasswordKnown: true}},
		{"explained", userJSON + `}`, explain.User{User: user, Found: true}},
		{"enabled", `{"isEnabled":false}`, false},
		{"MFA", `{"perUserMfaState":"enforced"}`, "enforced"},
		{"risk", `{"riskState":"someday\nnew"}`, "someday new"},
		{"device", `{"trustType":"AzureAd","accountEnabled":null}`, &explain.Device{TrustType: "AzureAd"}},
		{"device", `{"@odata.type":"#microsoft.graph.device","trustType":"Workplace","accountEnabled":false,"approximateLastSignInDateTime":"2026-05-25T07:24:30+09:00"}`,
			&explain.Device{TrustType: "Workplace", Disabled: true, LastSignIn: created}},
		{"device", `{"@odata.type":"#microsoft.graph.endpoint","trustType":null}`, (*explain.Device)(nil)},
		{"federation", `{"promptLoginBehavior":"nativeSupport","federatedIdpMfaBehavior":null}`, explain.Federation{PromptLoginBehavior: "nativeSupport"}},
		{"policy", `{"id":"` + first + `","displayName":"a\u001b[2Jb","state":"enabled","policyApplies":true,"grantControls":{"builtInControls":["mfa"]},"sessionControls":{
			"signInFrequency":{"value":null,"type":null,"isEnabled":true,"authenticationType":"primaryAndSecondaryAuthentication","frequencyInterval":"everyTime"},
			"persistentBrowser":{"mode":"never","isEnabled":true},"secureSignInSession":{"isEnabled":true}}}`,
			explain.Policy{ID: first, DisplayName: "a [2Jb", State: "enabled", Applies: true, BuiltInControls: []string{"mfa"}, PersistentBrowser: "never", SecureSignInSession: true,
				SignInFrequency: explain.SignInFrequency{Enabled: true, AuthenticationType: "primaryAndSecondaryAuthentication", Interval: "everyTime"}}},
		{"policy", `{"id":"a name","grantControls":null,"sessionControls":{"signInFrequency":null,"persistentBrowser":{"mode":"always","isEnabled":false}}}`, explain.Policy{}},
		{"sign-in", `{"createdDateTime":"2026-05-24T22:24:30Z","appId":"` + first + `","appDisplayName":"Outlook","clientAppUsed":null,"deviceDetail":{"deviceId":""},
			"status":{"errorCode":70043,"failureReason":"r","additionalDetails":null},"appliedConditionalAccessPolicies":[{"id":"` + second + `","displayName":"p","result":"failure","enforcedSessionControls":["SignInFrequency"]}]}`,
			explain.SignIn{Created: created, AppID: first, AppDisplayName: "Outlook", ErrorCode: 70043, FailureReason: "r",
				AppliedPolicies: []explain.AppliedPolicy{{ID: second, DisplayName: "p", Result: "failure", EnforcedSessionControls: []string{"SignInFrequency"}}}}},
		{"name", `{"id":"` + strings.ToUpper(first) + `","displayName":"a\nb","userPrincipalName":"` + principal + `"}`, directory.Name{ID: first, DisplayName: "a b", UserPrincipalName: principal}},
		{"name", `7`, directory.Name{}},
		{"name", `{"displayName":"nobody"}`, directory.Name{}},
		{"member", `{"@odata.type":"#microsoft.graph.group","id":"` + first + `"}`, ""},
		{"member", `{"@odata.type":"#microsoft.graph.user","id":"` + first + `"}`, first},
		{"group", `{"id":"` + first + `","displayName":"g","visibility":"HiddenMembership"}`, directory.Group{ID: first, DisplayName: "g", HiddenMembers: true}},
		{"group", `{"id":"` + first + `","visibility":null}`, directory.Group{ID: first}},
		{"app", `{"id":"` + first + `","appId":"` + strings.ToUpper(second) + `","uniqueName":null,"displayName":"a\nb","passwordCredentials":[{"keyId":"` + first + `","displayName":null,"startDateTime":"2026-05-24T22:24:30Z","endDateTime":null}],"keyCredentials":[{"keyId":"` + second + `","displayName":"c","key":null}]}`,
			directory.App{ID: first, ClientID: second, DisplayName: "a b", Credentials: []directory.AppCredential{{KeyID: first, Start: created}, {KeyID: second, Name: "c", Certificate: true}}}},
		{"keys", `{"keyCredentials":[{"keyId":"` + strings.ToUpper(first) + `","key":"AA=="}]}`, []reply.Key{{KeyID: first, Key: "AA==", Whole: []byte(`{"keyId":"` + strings.ToUpper(first) + `","key":"AA=="}`)}}},
		{"federated", `{"name":"n","issuer":"i","subject":"s","audiences":["a"],"description":null}`, directory.FederatedCredential{Name: "n", Issuer: "i", Subject: "s", Audience: "a"}},
		{"principal", `{"id":"` + first + `","accountEnabled":false,"appRoles":[{"id":"` + second + `","value":"User.Read.All"},{"id":"x","value":"A"},{"id":"` + second + `","value":null}]}`,
			reply.Principal{ID: first, Roles: map[string]string{"User.Read.All": second}}},
		{"principal", `{"id":"` + first + `","passwordCredentials":[{"keyId":"` + second + `","displayName":null}],"keyCredentials":[]}`, reply.Principal{
			ID: first, Enabled: true, Roles: map[string]string{}, Credentials: []directory.AppCredential{{KeyID: second, OfPrincipal: true}},
		}},
		{"assignment", `{"id":"x-_1","appRoleId":"` + first + `","resourceId":"` + second + `"}`, reply.Assignment{ID: "x-_1", RoleID: first, ResourceID: second}},
		{"organization", `{"id":"` + first + `","displayName":"o"}`, directory.Organization{ID: first, DisplayName: "o"}},
	} {
		got, err := readers[tt.read]([]byte(tt.body))
		if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
			t.Errorf("%d, %s: %v (-want +got):\n%s", i, tt.read, err, diff)
		}
	}
}

// Nothing is taken for what Graph did not say.
func TestDistrust(t *testing.T) {
	t.Parallel()
	id := `{"id":"` + first + `",`
	for i, body := range []string{
		``, `null`, `[]`, `7`, id, `{"id":7,"trustType":7,"promptLoginBehavior":7,"state":7,"createdDateTime":7}`,
		`{"isEnabled":"true","perUserMfaState":7,"riskState":null,"trustType":{},"promptLoginBehavior":[],"state":{},"createdDateTime":null}`,
		`{"isEnabled":null,"perUserMfaState":"","riskState":" ","trustType":false,"promptLoginBehavior":1,"displayName":2,"id":"` + principal + `"}`,
		id + `"@removed":{},"userType":7,"visibility":7,"accountEnabled":7,"createdDateTime":0,"promptLoginBehavior":7,"displayName":7}`,
	} {
		for name, read := range readers {
			got, err := read([]byte(body))
			if name != "name" && !errors.Is(err, answer.ErrShape) {
				t.Errorf("%d, %s: %v, %v", i, name, got, err)
			}
		}
	}
	for name, body := range map[string]string{
		"user": id + `"@removed":{}}`, "explained": id + `"lastPasswordChangeDateTime":"today"}`, "member": id + `"displayName":"of no type"}`, "sign-in": `{}`,
	} {
		if got, err := readers[name]([]byte(body)); !errors.Is(err, answer.ErrShape) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// FuzzReply reads anything as anything: it is of one line, or refused by a fixed text.
func FuzzReply(f *testing.F) {
	f.Add(`{"id":"` + first + `","sessionControls":{"signInFrequency":null},"createdDateTime":"2026-05-24T22:24:30Z"}`)
	f.Add(`{"id":"` + first + `","perUserMfaState":"enforced","riskState":"none","isEnabled":true,"lastPasswordChangeDateTime":null}`)
	f.Add(`{"id":"` + first + `","appId":"` + first + `","keyCredentials":[{"keyId":"` + first + `"}],"keyId":"` + first + `","secretText":"s","name":"n","appRoleId":"` + first + `","resourceId":"` + first + `"}`)
	f.Fuzz(func(t *testing.T, body string) {
		for name, read := range readers {
			got, err := read([]byte(body))
			if err != nil && !errors.Is(err, answer.ErrShape) {
				t.Errorf("%s: %v", name, err)
			}
			if name != "user" && name != "explained" && strings.ContainsAny(fmt.Sprint(got), "\n\x1b") {
				t.Errorf("%s: %q is of several lines", name, got)
			}
		}
	})
}
