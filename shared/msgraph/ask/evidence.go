package ask

import (
	"context"
	"errors"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/explain"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/answer"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/ask/reply"
)

// explained are the properties that are asked of a user who is to be explained.
var explained = "accountEnabled,displayName,lastPasswordChangeDateTime," + userProperties

// found makes a piece of evidence of what a call ended in.
func found[T any](value T, err error) explain.Answer[T] {
	if err != nil {
		return explain.NotAsked[T](gapOf(err))
	}
	return explain.Asked(value)
}

// gapOf says why a call found nothing.
func gapOf(err error) explain.Gap {
	e, _ := errors.AsType[*directory.Error](err)
	switch {
	case errors.Is(err, directory.ErrNoLicence):
		return explain.Gap{Reason: explain.NoLicence}
	case e != nil && e.Forbidden():
		return explain.Gap{Reason: explain.NoPermission}
	}
	return explain.Gap{Reason: explain.Failed, Err: e}
}

// ExplainedUser reads what is asked of a user who is to be explained. A user whom Graph does
// not know is not Found; whether among the deleted ones is not asked.
//
// It needs the permission User.Read.All. See [user: get].
//
// [user: get]: https://learn.microsoft.com/graph/api/user-get
func (c *Client) ExplainedUser(ctx context.Context, id string) explain.Answer[explain.User] {
	got, err := c.get(ctx, opGetUser, "/users/{user}?$select="+explained, "user", id)
	if notFound(err) != nil {
		return explain.Asked(explain.User{})
	}
	user, err := single(got, err, reply.ExplainedUser)
	if err == nil && user.ID != id {
		err = got.Distrust(answer.ErrOtherUser)
	}
	return found(user, err)
}

// RegisteredDevices reads the devices of the user.
//
// It needs the permission User.Read.All. See [List registeredDevices].
//
// [List registeredDevices]: https://learn.microsoft.com/graph/api/user-list-registereddevices
func (c *Client) RegisteredDevices(ctx context.Context, userID string) explain.Answer[[]explain.Device] {
	first, err := c.get(ctx, opDevices, "/users/{user}/registeredDevices?$select=id,trustType,accountEnabled,approximateLastSignInDateTime", "user", userID)
	all, err := list(ctx, c, first, err, reply.Device)
	var devices []explain.Device
	for _, device := range all {
		if device != nil {
			devices = append(devices, *device)
		}
	}
	return found(devices, err)
}

// FederationConfiguration reads how a domain is federated. A managed domain has none, which
// Graph answers with 404, and then the answer is empty.
//
// It needs the permission Domain-InternalFederation.Read.All. See [List
// federationConfigurations].
//
// [List federationConfigurations]: https://learn.microsoft.com/graph/api/domain-list-federationconfiguration
func (c *Client) FederationConfiguration(ctx context.Context, domain string) explain.Answer[explain.Federation] {
	first, err := c.get(ctx, opFederation, "/domains/{domain}/federationConfiguration", "domain", domain)
	if notFound(err) != nil {
		return explain.Asked(explain.Federation{})
	}
	all, err := list(ctx, c, first, err, reply.Federation)
	return found(append(all, explain.Federation{})[0], err)
}

// SecurityDefaults reads whether security defaults are on.
//
// It needs the permission Policy.Read.All. See [Get identitySecurityDefaultsEnforcementPolicy].
//
// [Get identitySecurityDefaultsEnforcementPolicy]: https://learn.microsoft.com/graph/api/identitysecuritydefaultsenforcementpolicy-get
func (c *Client) SecurityDefaults(ctx context.Context) explain.Answer[bool] {
	got, err := c.get(ctx, opSecurityDefaults, "/policies/identitySecurityDefaultsEnforcementPolicy")
	return found(single(got, err, reply.Enabled))
}

// PerUserMFA reads the user's perUserMfaState.
//
// It needs the permission Policy.Read.All. See [Get authentication requirements].
//
// [Get authentication requirements]: https://learn.microsoft.com/graph/api/authentication-get
func (c *Client) PerUserMFA(ctx context.Context, userID string) explain.Answer[string] {
	got, err := c.get(ctx, opRequirements, "/users/{user}/authentication/requirements", "user", userID)
	return found(single(got, err, reply.PerUserMFA))
}

// RiskyUser reads the user's riskState, "none" for a user who is not listed.
//
// It needs the permission IdentityRiskyUser.Read.All, and the licence P2. See [Get riskyUser].
//
// [Get riskyUser]: https://learn.microsoft.com/graph/api/riskyuser-get
func (c *Client) RiskyUser(ctx context.Context, userID string) explain.Answer[string] {
	got, err := c.get(ctx, opRiskyUser, "/identityProtection/riskyUsers/{user}", "user", userID)
	if notFound(err) != nil {
		return explain.Asked("none")
	}
	return found(single(got, err, reply.RiskState))
}

// SignIns reads the user's interactive sign-ins since then, newest first. More than 5,000 are
// not read: choose a shorter time.
//
// It needs the permission AuditLog.Read.All, and with it Policy.Read.ConditionalAccess or
// Policy.Read.All for the policies that were applied, and the licence P1. Older pages of
// Microsoft's ask for Directory.Read.All too, and say that without it a tenant that has the
// licence is refused as if it had none. See [List signIns].
//
// [List signIns]: https://learn.microsoft.com/graph/api/signin-list
func (c *Client) SignIns(ctx context.Context, userID string, since time.Time) explain.Answer[[]explain.SignIn] {
	// An event with its policies may have 20 KiB: a thousand would be too long an answer.
	first, err := c.get(ctx, opSignIns, "/auditLogs/signIns?$filter={filter}&$top=100",
		"filter", "userId eq '"+quoted(userID)+"' and createdDateTime ge "+since.UTC().Format(time.RFC3339))
	return found(list(ctx, c, first, err, reply.SignIn))
}

// WhatIf is a sign-in that is imagined. What is empty is not evaluated, and policies that
// depend on it are not said to apply.
type WhatIf struct {
	// Application is the client id of the app that is signed in to.
	Application string
	// ClientAppType is "browser" or "mobileAppsAndDesktopClients".
	ClientAppType string
	// DevicePlatform is "windows", "iOS", …
	DevicePlatform string
	// TrustType is that of the device: see [explain.Device].
	TrustType string
}

// Evaluate returns the policies of Conditional Access that would apply to the sign-in of the
// user, those in report-only mode included. A tenant has one such call a second, over all
// apps.
//
// It needs the permission Policy.Read.ConditionalAccess, and the licence P1. See [evaluate].
//
// [evaluate]: https://learn.microsoft.com/graph/api/conditionalaccessroot-evaluate
func (c *Client) Evaluate(ctx context.Context, userID string, w WhatIf) explain.Answer[[]explain.Policy] {
	first, err := c.post(ctx, opEvaluate, "/identity/conditionalAccess/evaluate", w.request(userID))
	return found(list(ctx, c, first, err, reply.Policy))
}

// request is the body of evaluate.
func (w WhatIf) request(userID string) any {
	conditions := make(map[string]any)
	for name, value := range map[string]string{"clientAppType": w.ClientAppType, "devicePlatform": w.DevicePlatform} {
		if value != "" {
			conditions[name] = value
		}
	}
	if w.TrustType != "" {
		conditions["deviceInfo"] = map[string]string{"trustType": w.TrustType}
	}
	return map[string]any{
		"signInIdentity":      map[string]string{"@odata.type": "#microsoft.graph.userSignIn", "userId": userID},
		"signInContext":       map[string]any{"@odata.type": "#microsoft.graph.applicationContext", "includeApplications": []string{w.Application}},
		"signInConditions":    conditions,
		"appliedPoliciesOnly": true,
	}
}
