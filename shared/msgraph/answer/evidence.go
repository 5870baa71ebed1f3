package answer

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/explain"
)

// decode reads one thing of evidence from JSON.
func decode[W, T any](body []byte, convert func(W) T) (T, error) {
	var w *W // nil for null
	if json.Unmarshal(body, &w) != nil || w == nil {
		return *new(T), ErrShape
	}
	return convert(*w), nil
}

// text is the one property that an answer is asked for.
func text(a Answer, value *string, err error) (string, error) {
	if err != nil || value == nil || OneLine(*value) == "" {
		return "", a.Distrust(ErrShape)
	}
	return OneLine(*value), nil
}

// ExplainedUser reads the user of that object id from the answer to [user: get]. Errors are
// [*directory.Error].
//
// [user: get]: https://learn.microsoft.com/graph/api/user-get
func ExplainedUser(a Answer, id string) (explain.User, error) {
	user, err := User(a, id)
	if err != nil {
		return explain.User{}, err
	}
	var w struct {
		Enabled  *bool     `json:"accountEnabled"`
		Name     string    `json:"displayName"`
		Password shownTime `json:"lastPasswordChangeDateTime"`
	}
	if json.Unmarshal(a.Body, &w) != nil {
		return explain.User{}, a.Distrust(ErrShape)
	}
	return explain.User{
		User: user, DisplayName: OneLine(w.Name), Found: true, AccountEnabled: w.Enabled,
		LastPasswordChange: w.Password.UTC(), PasswordKnown: w.Password.shown,
	}, nil
}

// Enabled reads isEnabled, of the answer to [Get identitySecurityDefaultsEnforcementPolicy].
// Errors are [*directory.Error].
//
// [Get identitySecurityDefaultsEnforcementPolicy]: https://learn.microsoft.com/graph/api/identitysecuritydefaultsenforcementpolicy-get
func Enabled(a Answer) (bool, error) {
	var w struct {
		Enabled *bool `json:"isEnabled"`
	}
	if json.Unmarshal(a.Body, &w) != nil || w.Enabled == nil {
		return false, a.Distrust(ErrShape)
	}
	return *w.Enabled, nil
}

// PerUserMFA reads perUserMfaState, of the answer to [Get authentication requirements].
// Errors are [*directory.Error].
//
// [Get authentication requirements]: https://learn.microsoft.com/graph/api/authentication-get
func PerUserMFA(a Answer) (string, error) {
	var w struct {
		State *string `json:"perUserMfaState"`
	}
	err := json.Unmarshal(a.Body, &w)
	return text(a, w.State, err)
}

// RiskState reads riskState, of the answer to [Get riskyUser]. Errors are
// [*directory.Error].
//
// [Get riskyUser]: https://learn.microsoft.com/graph/api/riskyuser-get
func RiskState(a Answer) (string, error) {
	var w struct {
		State *string `json:"riskState"`
	}
	err := json.Unmarshal(a.Body, &w)
	return text(a, w.State, err)
}

// The following lists read a page and the address of the next. One item that cannot be read
// fails the page: what is left out would be evidence that there is none. Errors are
// [*directory.Error].

// Devices reads [List registeredDevices]. What is no device is left out by Graph's type.
//
// [List registeredDevices]: https://learn.microsoft.com/graph/api/user-list-registereddevices
func (p Pages) Devices(a Answer) (devices []explain.Device, next string, err error) {
	all, next, err := readAll(p, a, func(body []byte) (wireDevice, error) {
		return decode(body, func(w wireDevice) wireDevice { return w })
	})
	for _, w := range all {
		if w.Type == "" || strings.EqualFold(w.Type, "#microsoft.graph.device") {
			devices = append(devices, explain.Device{
				TrustType: OneLine(w.TrustType), Disabled: w.Enabled != nil && !*w.Enabled, LastSignIn: w.LastSignIn.UTC(),
			})
		}
	}
	return devices, next, err
}

// wireDevice is a [device], as far as it is used.
//
// [device]: https://learn.microsoft.com/graph/api/resources/device
type wireDevice struct {
	Type       string    `json:"@odata.type"`
	TrustType  string    `json:"trustType"`
	Enabled    *bool     `json:"accountEnabled"`
	LastSignIn time.Time `json:"approximateLastSignInDateTime"`
}

// Federations reads [List federationConfigurations].
//
// [List federationConfigurations]: https://learn.microsoft.com/graph/api/domain-list-federationconfiguration
func (p Pages) Federations(a Answer) ([]explain.Federation, string, error) {
	type wire struct {
		Prompt string `json:"promptLoginBehavior"`
		MFA    string `json:"federatedIdpMfaBehavior"`
	}
	return readAll(p, a, func(body []byte) (explain.Federation, error) {
		return decode(body, func(w wire) explain.Federation {
			return explain.Federation{PromptLoginBehavior: OneLine(w.Prompt), FederatedIDPMFABehavior: OneLine(w.MFA)}
		})
	})
}

// Policies reads the answer to [evaluate].
//
// [evaluate]: https://learn.microsoft.com/graph/api/conditionalaccessroot-evaluate
func (p Pages) Policies(a Answer) ([]explain.Policy, string, error) {
	return readAll(p, a, func(body []byte) (explain.Policy, error) { return decode(body, wirePolicy.policy) })
}

// wirePolicy is a [conditionalAccessPolicy] with the result of an evaluation.
//
// [conditionalAccessPolicy]: https://learn.microsoft.com/graph/api/resources/conditionalaccesspolicy
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
		ID: plain(w.ID), DisplayName: OneLine(w.DisplayName), State: OneLine(w.State), Applies: w.Applies,
		BuiltInControls: lines(w.Grant.BuiltIn),
		SignInFrequency: explain.SignInFrequency{
			Enabled: f.Enabled, Value: f.Value, Type: OneLine(f.Type),
			AuthenticationType: OneLine(f.AuthenticationType), Interval: OneLine(f.Interval),
		},
		SecureSignInSession: w.Session.Secure.Enabled,
	}
	if w.Session.Browser.Enabled {
		policy.PersistentBrowser = OneLine(w.Session.Browser.Mode)
	}
	return policy
}

// SignIns reads [List signIns].
//
// [List signIns]: https://learn.microsoft.com/graph/api/signin-list
func (p Pages) SignIns(a Answer) ([]explain.SignIn, string, error) {
	return readAll(p, a, func(body []byte) (explain.SignIn, error) {
		signIn, err := decode(body, wireSignIn.signIn)
		if signIn.Created.IsZero() {
			err = ErrShape // it could stand anywhere
		}
		return signIn, err
	})
}

// wireSignIn is a [signIn], as far as it is used.
//
// [signIn]: https://learn.microsoft.com/graph/api/resources/signin
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
		Created: w.Created.UTC(), AppID: plain(w.AppID), AppDisplayName: OneLine(w.AppDisplayName),
		ClientAppUsed: OneLine(w.ClientAppUsed), UserAgent: OneLine(w.UserAgent), DeviceID: plain(w.Device.ID),
		ErrorCode: w.Status.Code, FailureReason: OneLine(w.Status.Reason), AdditionalDetails: OneLine(w.Status.Details),
	}
	for _, p := range w.Policies {
		signIn.AppliedPolicies = append(signIn.AppliedPolicies, explain.AppliedPolicy{
			ID: plain(p.ID), DisplayName: OneLine(p.DisplayName), Result: OneLine(p.Result), EnforcedSessionControls: lines(p.Session),
		})
	}
	return signIn
}

// lines are texts of one line each.
func lines(texts []string) []string {
	for i := range texts {
		texts[i] = OneLine(texts[i])
	}
	return texts
}
