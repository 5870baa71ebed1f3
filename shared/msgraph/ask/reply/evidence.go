// Package reply reads single things of what Graph replies to package ask: a user, a device,
// an event. It is apart from it because it links no SDK: see package answer.
//
// Every reader takes the JSON of one thing, which may hold anything. Its error is
// [answer.ErrShape]. Texts are of one line, but for user principal names; what is null is as
// good as absent.
package reply

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/explain"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/answer"
)

// decode reads a W, and makes of it what is told.
func decode[W, T any](body []byte, convert func(W) T) (T, error) {
	var w *W // nil for null
	if json.Unmarshal(body, &w) != nil || w == nil {
		return *new(T), answer.ErrShape
	}
	return convert(*w), nil
}

// ExplainedUser reads a user who is to be explained.
func ExplainedUser(body []byte) (explain.User, error) {
	user, err := User(body)
	if err != nil {
		return explain.User{}, err
	}
	var w struct {
		Enabled  *bool           `json:"accountEnabled"`
		Name     string          `json:"displayName"`
		Password json.RawMessage `json:"lastPasswordChangeDateTime"` // null is not absent
	}
	var changed time.Time
	if json.Unmarshal(body, &w) != nil || w.Password != nil && json.Unmarshal(w.Password, &changed) != nil {
		return explain.User{}, answer.ErrShape
	}
	return explain.User{
		User: user, DisplayName: answer.OneLine(w.Name), Found: true, AccountEnabled: w.Enabled,
		LastPasswordChange: changed.UTC(), PasswordKnown: w.Password != nil,
	}, nil
}

// Enabled reads isEnabled, of the [identitySecurityDefaultsEnforcementPolicy].
//
// [identitySecurityDefaultsEnforcementPolicy]: https://learn.microsoft.com/graph/api/resources/identitysecuritydefaultsenforcementpolicy
func Enabled(body []byte) (bool, error) {
	var w struct {
		Enabled *bool `json:"isEnabled"`
	}
	if json.Unmarshal(body, &w) != nil || w.Enabled == nil {
		return false, answer.ErrShape
	}
	return *w.Enabled, nil
}

// PerUserMFA reads perUserMfaState, of the [authentication requirements].
//
// [authentication requirements]: https://learn.microsoft.com/graph/api/resources/strongauthenticationrequirements
func PerUserMFA(body []byte) (string, error) { return text(body, "perUserMfaState") }

// RiskState reads riskState, of a [riskyUser].
//
// [riskyUser]: https://learn.microsoft.com/graph/api/resources/riskyuser
func RiskState(body []byte) (string, error) { return text(body, "riskState") }

// text is the one property that is asked for.
func text(body []byte, property string) (string, error) {
	var all map[string]any
	err := json.Unmarshal(body, &all)
	value, _ := all[property].(string)
	if value = answer.OneLine(value); err != nil || value == "" {
		return "", answer.ErrShape
	}
	return value, nil
}

// Device reads a [device], nil where Graph's type says that it is something else.
//
// [device]: https://learn.microsoft.com/graph/api/resources/device
func Device(body []byte) (*explain.Device, error) {
	type wire struct {
		Type       string    `json:"@odata.type"`
		TrustType  string    `json:"trustType"`
		Enabled    *bool     `json:"accountEnabled"`
		LastSignIn time.Time `json:"approximateLastSignInDateTime"`
	}
	return decode(body, func(w wire) *explain.Device {
		if w.Type != "" && !strings.EqualFold(w.Type, "#microsoft.graph.device") {
			return nil
		}
		return &explain.Device{
			TrustType: answer.OneLine(w.TrustType), Disabled: w.Enabled != nil && !*w.Enabled, LastSignIn: w.LastSignIn.UTC(),
		}
	})
}

// Federation reads an [internalDomainFederation].
//
// [internalDomainFederation]: https://learn.microsoft.com/graph/api/resources/internaldomainfederation
func Federation(body []byte) (explain.Federation, error) {
	type wire struct {
		Prompt string `json:"promptLoginBehavior"`
		MFA    string `json:"federatedIdpMfaBehavior"`
	}
	return decode(body, func(w wire) explain.Federation {
		return explain.Federation{PromptLoginBehavior: answer.OneLine(w.Prompt), FederatedIDPMFABehavior: answer.OneLine(w.MFA)}
	})
}

// Policy reads a [conditionalAccessPolicy] with the result of an evaluation.
//
// [conditionalAccessPolicy]: https://learn.microsoft.com/graph/api/resources/conditionalaccesspolicy
func Policy(body []byte) (explain.Policy, error) { return decode(body, wirePolicy.policy) }

// wirePolicy is a policy, as far as it is used.
type wirePolicy struct {
	ID          string `json:"id"`
	DisplayName string `json:"displayName"`
	State       string `json:"state"`
	Applies     bool   `json:"policyApplies"`
	Grant       struct {
		BuiltIn []string `json:"builtInControls"`
	} `json:"grantControls"`
	Session struct {
		Frequency struct {
			Enabled            bool   `json:"isEnabled"`
			Value              int    `json:"value"`
			Type               string `json:"type"`
			AuthenticationType string `json:"authenticationType"`
			Interval           string `json:"frequencyInterval"`
		} `json:"signInFrequency"`
		Browser struct {
			Enabled bool   `json:"isEnabled"`
			Mode    string `json:"mode"`
		} `json:"persistentBrowser"`
		Secure struct {
			Enabled bool `json:"isEnabled"`
		} `json:"secureSignInSession"`
	} `json:"sessionControls"`
}

func (w wirePolicy) policy() explain.Policy {
	f := w.Session.Frequency
	policy := explain.Policy{
		ID: answer.Plain(w.ID), DisplayName: answer.OneLine(w.DisplayName), State: answer.OneLine(w.State), Applies: w.Applies,
		BuiltInControls: lines(w.Grant.BuiltIn),
		SignInFrequency: explain.SignInFrequency{
			Enabled: f.Enabled, Value: f.Value, Type: answer.OneLine(f.Type),
			AuthenticationType: answer.OneLine(f.AuthenticationType), Interval: answer.OneLine(f.Interval),
		},
		SecureSignInSession: w.Session.Secure.Enabled,
	}
	if w.Session.Browser.Enabled {
		policy.PersistentBrowser = answer.OneLine(w.Session.Browser.Mode)
	}
	return policy
}

// SignIn reads a [signIn]. One without its time is an error: it could stand anywhere.
//
// [signIn]: https://learn.microsoft.com/graph/api/resources/signin
func SignIn(body []byte) (explain.SignIn, error) {
	signIn, err := decode(body, wireSignIn.signIn)
	if signIn.Created.IsZero() {
		err = answer.ErrShape
	}
	return signIn, err
}

// wireSignIn is a signIn, as far as it is used.
type wireSignIn struct {
	Created        time.Time `json:"createdDateTime"`
	AppID          string    `json:"appId"`
	AppDisplayName string    `json:"appDisplayName"`
	ClientAppUsed  string    `json:"clientAppUsed"`
	UserAgent      string    `json:"userAgent"`
	Device         struct {
		ID string `json:"deviceId"`
	} `json:"deviceDetail"`
	Status struct {
		Code    int    `json:"errorCode"`
		Reason  string `json:"failureReason"`
		Details string `json:"additionalDetails"`
	} `json:"status"`
	Policies []struct {
		ID          string   `json:"id"`
		DisplayName string   `json:"displayName"`
		Result      string   `json:"result"`
		Session     []string `json:"enforcedSessionControls"`
	} `json:"appliedConditionalAccessPolicies"`
}

func (w wireSignIn) signIn() explain.SignIn {
	signIn := explain.SignIn{
		Created: w.Created.UTC(), AppID: answer.Plain(w.AppID), AppDisplayName: answer.OneLine(w.AppDisplayName),
		ClientAppUsed: answer.OneLine(w.ClientAppUsed), UserAgent: answer.OneLine(w.UserAgent), DeviceID: answer.Plain(w.Device.ID),
		ErrorCode: w.Status.Code, FailureReason: answer.OneLine(w.Status.Reason), AdditionalDetails: answer.OneLine(w.Status.Details),
	}
	for _, p := range w.Policies {
		signIn.AppliedPolicies = append(signIn.AppliedPolicies, explain.AppliedPolicy{
			ID: answer.Plain(p.ID), DisplayName: answer.OneLine(p.DisplayName), Result: answer.OneLine(p.Result), EnforcedSessionControls: lines(p.Session),
		})
	}
	return signIn
}

// lines are texts of one line each.
func lines(texts []string) []string {
	for i := range texts {
		texts[i] = answer.OneLine(texts[i])
	}
	return texts
}
