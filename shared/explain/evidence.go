package explain

import (
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// Evidence is all that is known of one user, in Graph's words. Whoever fills it in leaves
// a piece as it is, or says why it could not be asked for: see [NotAsked]. Values that
// Graph adds one day are kept as they come, and match no rule.
type Evidence struct {
	// Now is the moment of the question.
	Now time.Time
	// User is the [user].
	//
	// [user]: https://learn.microsoft.com/graph/api/resources/user
	User Answer[User]
	// Domain is the [domain] that the user signs in with: the nearest one listed at or
	// above what follows the @.
	//
	// [domain]: https://learn.microsoft.com/graph/api/resources/domain
	Domain Answer[directory.Domain]
	// Ledger is what sessionstamp itself knows of the user.
	Ledger Answer[Ledger]
	// Devices are the user's registeredDevices.
	Devices Answer[[]Device]
	// Federation is the domain's federationConfiguration. A managed domain has none.
	Federation Answer[Federation]
	// Policies are the Conditional Access policies that would apply to the user, of all
	// What-If evaluations made.
	Policies Answer[[]Policy]
	// SecurityDefaults is isEnabled of identitySecurityDefaultsEnforcementPolicy.
	SecurityDefaults Answer[bool]
	// PerUserMFA is perUserMfaState: "disabled", "enabled" or "enforced".
	PerUserMFA Answer[string]
	// SignIns are the interactive sign-ins of the last days, in any order.
	SignIns Answer[[]SignIn]
	// RiskState is riskState of the riskyUser, "none" for a user who is not listed.
	RiskState Answer[string]
}

// User is what Graph tells of the user.
type User struct {
	directory.User
	// DisplayName is for the screen of the person who asked; no rule looks at it.
	DisplayName string
	// Found is false where Graph knows no such user.
	Found bool
	// AccountEnabled is nil where Graph does not tell.
	AccountEnabled *bool
	// LastPasswordChange is lastPasswordChangeDateTime, zero where it is null. It says
	// nothing unless PasswordKnown is set: Graph leaves out what it does not know.
	LastPasswordChange time.Time
	PasswordKnown      bool
}

// Ledger is what sessionstamp knows of the user.
type Ledger struct {
	// Entry is the ledger's, the zero Entry where there is none.
	Entry stamp.Entry
	// Reason is what [stamp.Decide] would say of the user now, without a person's word;
	// empty: not decided.
	Reason stamp.Reason
}

// Device is a registered device, as Graph's [device] resource shows it.
//
// [device]: https://learn.microsoft.com/graph/api/resources/device
type Device struct {
	// TrustType is "Workplace" (registered), "AzureAd" (joined) or "ServerAd" (hybrid).
	TrustType string
	// Disabled tells that accountEnabled is false.
	Disabled bool
	// LastSignIn is approximateLastSignInDateTime, zero where there is none.
	LastSignIn time.Time
}

// Federation is an [internalDomainFederation].
//
// [internalDomainFederation]: https://learn.microsoft.com/graph/api/resources/internaldomainfederation
type Federation struct {
	// PromptLoginBehavior is "translateToFreshPasswordAuthentication", "nativeSupport",
	// "disabled", or empty where it is not set.
	PromptLoginBehavior string
	// FederatedIDPMFABehavior is "acceptIfMfaDoneByFederatedIdp",
	// "enforceMfaByFederatedIdp", "rejectMfaByFederatedIdp" or empty.
	FederatedIDPMFABehavior string
}

// Policy is a [conditionalAccessPolicy] with what a What-If evaluation said of it.
//
// [conditionalAccessPolicy]: https://learn.microsoft.com/graph/api/resources/conditionalaccesspolicy
type Policy struct {
	ID, DisplayName string
	// State is "enabled", "disabled" or "enabledForReportingButNotEnforced".
	State string
	// Applies is policyApplies, which is true for report-only policies as well.
	Applies bool
	// BuiltInControls are those of grantControls: "mfa", "block", …
	BuiltInControls []string
	// The [session controls]; the zero value of each is off.
	//
	// [session controls]: https://learn.microsoft.com/graph/api/resources/conditionalaccesssessioncontrols
	SignInFrequency SignInFrequency
	// PersistentBrowser is the mode of persistentBrowser where it is enabled: "always" or
	// "never".
	PersistentBrowser string
	// SecureSignInSession tells whether token protection is on.
	SecureSignInSession bool
}

// SignInFrequency is a [signInFrequencySessionControl].
//
// [signInFrequencySessionControl]: https://learn.microsoft.com/graph/api/resources/signinfrequencysessioncontrol
type SignInFrequency struct {
	Enabled bool
	// Value counts Type, "hours" or "days".
	Value int
	Type  string
	// AuthenticationType is "primaryAndSecondaryAuthentication" or
	// "secondaryAuthentication".
	AuthenticationType string
	// Interval is frequencyInterval: "timeBased", "everyTime", or empty in old policies,
	// which are timeBased.
	Interval string
}

// SignIn is one event of the sign-in log, as Graph's [signIn] resource shows it.
//
// [signIn]: https://learn.microsoft.com/graph/api/resources/signin
type SignIn struct {
	Created           time.Time
	AppID             string
	AppDisplayName    string
	ClientAppUsed     string
	UserAgent         string
	DeviceID          string // of deviceDetail; empty for a device unknown to Entra
	ErrorCode         int    // of status; 0: it succeeded
	FailureReason     string // of status
	AdditionalDetails string // of status
	AppliedPolicies   []AppliedPolicy
}

// AppliedPolicy is an [appliedConditionalAccessPolicy].
//
// [appliedConditionalAccessPolicy]: https://learn.microsoft.com/graph/api/resources/appliedconditionalaccesspolicy
type AppliedPolicy struct {
	ID, DisplayName string
	// Result is "success", "failure", "notApplied", "reportOnlySuccess", …
	Result string
	// EnforcedSessionControls are names such as "SignInFrequency".
	EnforcedSessionControls []string
}
