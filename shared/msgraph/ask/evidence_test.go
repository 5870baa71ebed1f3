package ask_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/explain"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/ask"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
)

// gather asks for all evidence of the first user, the What-If twice, in a bubble's time.
func gather(t *testing.T, c *ask.Client) explain.Evidence {
	t.Helper()
	ctx, id := t.Context(), userID(0)
	c.Evaluate(ctx, id, ask.WhatIf{Application: clientID, ClientAppType: "mobileAppsAndDesktopClients", TrustType: "AzureAd"})
	return explain.Evidence{
		User: c.ExplainedUser(ctx, id), Devices: c.RegisteredDevices(ctx, id),
		Federation: c.FederationConfiguration(ctx, "example.co.jp"), SecurityDefaults: c.SecurityDefaults(ctx),
		Policies:   c.Evaluate(ctx, id, ask.WhatIf{Application: clientID, ClientAppType: "browser", DevicePlatform: "windows"}),
		PerUserMFA: c.PerUserMFA(ctx, id), RiskState: c.RiskyUser(ctx, id), SignIns: c.SignIns(ctx, id, time.Now().Add(-7*24*time.Hour)),
	}
}

// evidenceRights are all that the evidence needs.
var evidenceRights = []string{"User.Read.All", "Domain-InternalFederation.Read.All", "Policy.Read.All", "AuditLog.Read.All", "IdentityRiskyUser.Read.All"}

// told is the value of a piece of evidence, nil if there is none.
func told[T any](a explain.Answer[T]) any {
	if value, asked := a.Get(); asked {
		return value
	}
	return nil
}

// reasons are why pieces are missing, of those that were asked for.
func reasons(t *testing.T, e explain.Evidence) map[explain.Piece]explain.Reason {
	t.Helper()
	missing := make(map[explain.Piece]explain.Reason)
	for _, b := range explain.NotLookedAt(e) {
		if b.Gap.Reason == explain.Failed && b.Gap.Err == nil {
			t.Errorf("%s has failed for no reason", b.Piece)
		}
		if b.Gap.Reason != explain.Unasked {
			missing[b.Piece] = b.Gap.Reason
		}
	}
	return missing
}

// allPieces are missing for that reason.
func allPieces(why explain.Reason) map[explain.Piece]explain.Reason {
	missing := make(map[explain.Piece]explain.Reason)
	for _, piece := range []explain.Piece{explain.PieceUser, explain.PieceDevices, explain.PieceFederation, explain.PieceSecurityDefaults,
		explain.PiecePolicies, explain.PiecePerUserMFA, explain.PieceRiskState, explain.PieceSignIns} {
		missing[piece] = why
	}
	return missing
}

func TestEvidence(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph := emulate(t, 2, msgraphtest.Options{}, evidenceRights...)
		at := func(ago time.Duration) string { return time.Now().Add(-ago).UTC().Format(time.RFC3339) }
		var signIns []map[string]any
		for i := range 150 {
			signIns = append(signIns, map[string]any{"userId": userID(0), "createdDateTime": at(time.Duration(i) * time.Hour), "appDisplayName": "Outlook",
				"status": map[string]any{"errorCode": 700082, "failureReason": "inactive for 12:00:00"}, "deviceDetail": map[string]any{"deviceId": ""}})
		}
		graph.tenant.SetEvidence(msgraphtest.Evidence{
			Licence: "P2", SecurityDefaults: true, PerUserMFA: map[string]string{userID(0): "enforced"}, Risk: map[string]string{userID(0): "atRisk"},
			Devices: map[string][]map[string]any{userID(0): {
				{"@odata.type": "#microsoft.graph.device", "trustType": "Workplace", "accountEnabled": false, "approximateLastSignInDateTime": nil},
				{"@odata.type": "#microsoft.graph.endpoint", "id": userID(5)},
			}},
			Federation: map[string]map[string]any{"example.co.jp": {"promptLoginBehavior": "disabled", "federatedIdpMfaBehavior": nil}},
			Policies: []map[string]any{{"id": userID(6), "displayName": "Every 4 hours", "state": "enabled", "policyApplies": true,
				"sessionControls": map[string]any{"persistentBrowser": nil, "signInFrequency": map[string]any{"isEnabled": true, "value": 4, "type": "hours", "frequencyInterval": "timeBased"}}}},
			SignIns: append(signIns, map[string]any{"userId": userID(1), "createdDateTime": at(0)}, map[string]any{"userId": userID(0), "createdDateTime": at(8 * 24 * time.Hour)}),
		})
		e := gather(t, graph.client)
		user, _ := e.User.Get()
		if !user.Found || user.AccountEnabled == nil || !*user.AccountEnabled || !user.PasswordKnown || !user.StampKnown || user.Domain() != "example.co.jp" {
			t.Errorf("user %+v", user)
		}
		for name, pair := range map[string][2]any{
			"devices":           {[]explain.Device{{TrustType: "Workplace", Disabled: true}}, told(e.Devices)},
			"federation":        {explain.Federation{PromptLoginBehavior: "disabled"}, told(e.Federation)},
			"security defaults": {true, told(e.SecurityDefaults)},
			"MFA":               {"enforced", told(e.PerUserMFA)},
			"risk":              {"atRisk", told(e.RiskState)},
			"policies": {[]explain.Policy{{ID: userID(6), DisplayName: "Every 4 hours", State: "enabled", Applies: true,
				SignInFrequency: explain.SignInFrequency{Enabled: true, Value: 4, Type: "hours", Interval: "timeBased"}}}, told(e.Policies)},
		} {
			if diff := cmp.Diff(pair[0], pair[1]); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
		events, _ := e.SignIns.Get()
		if len(events) != 150 || events[0].ErrorCode != 700082 || !events[0].Created.After(events[149].Created) {
			t.Errorf("%d sign-ins", len(events))
		}
	})
}

// What could not be asked for says why. What Graph does not have is an answer.
func TestEvidenceIsMissing(t *testing.T) {
	for name, tt := range map[string]struct {
		users  int
		rights []string
		status int
		want   map[explain.Piece]explain.Reason
	}{
		"no licence": {1, evidenceRights, 0, map[explain.Piece]explain.Reason{
			explain.PiecePolicies: explain.NoLicence, explain.PieceRiskState: explain.NoLicence, explain.PieceSignIns: explain.NoLicence}},
		"no right": {1, nil, 0, allPieces(explain.NoPermission)},
		"no user": {0, evidenceRights, 0, map[explain.Piece]explain.Reason{
			explain.PieceDevices: explain.Failed, explain.PiecePerUserMFA: explain.Failed,
			explain.PiecePolicies: explain.NoLicence, explain.PieceRiskState: explain.NoLicence, explain.PieceSignIns: explain.NoLicence}},
		"unwell": {1, evidenceRights, http.StatusBadGateway, allPieces(explain.Failed)},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				graph := emulate(t, tt.users, msgraphtest.Options{}, tt.rights...)
				if tt.status != 0 {
					graph.server.Inject(msgraphtest.Fault{Match: func(r msgraphtest.Request) bool { return !r.Token }, Status: tt.status})
				}
				e := gather(t, graph.client)
				if diff := cmp.Diff(tt.want, reasons(t, e)); diff != "" {
					t.Errorf("reasons (-want +got):\n%s", diff)
				}
				if user, asked := e.User.Get(); asked && user.Found != (tt.users > 0) {
					t.Errorf("user %+v", user)
				}
			})
		})
	}
}

// What package explain says to grant for a piece is enough to read it.
func TestEvidenceRights(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph := emulate(t, 1, msgraphtest.Options{}, "Any.Other")
		graph.tenant.SetEvidence(msgraphtest.Evidence{Licence: "P2"})
		told := 0
		for i, b := range explain.NotLookedAt(gather(t, graph.client)) {
			if b.Gap.Reason != explain.NoPermission {
				continue
			}
			told++
			if why, missing := reasons(t, gather(t, graph.app(t, userID(0xff00+i), b.Grant)))[b.Piece]; missing {
				t.Errorf("%s with %q: %s", b.Piece, b.Grant, why)
			}
		}
		if told != len(allPieces(explain.NoPermission)) {
			t.Errorf("%d rights are told", told)
		}
	})
}

// A user who is not at risk is not listed.
func TestNoRisk(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph := emulate(t, 1, msgraphtest.Options{}, evidenceRights...)
		graph.tenant.SetEvidence(msgraphtest.Evidence{Licence: "P2"})
		if got, asked := graph.client.RiskyUser(t.Context(), userID(0)).Get(); !asked || got != "none" {
			t.Errorf("risk %q, %t", got, asked)
		}
	})
}
