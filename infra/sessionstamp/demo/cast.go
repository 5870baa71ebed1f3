package demo

import (
	"slices"
	"strings"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
)

// Those of whom the help tells: without a stamp; without one, and under a policy as well;
// and with nothing wrong.
const (
	unstamped = "taro.yamada@" + company
	twice     = "hanako.sato@" + company
	healthy   = "misaki.kimura@" + company
)

// evidenceRights are what explains a user, besides users and domains.
var evidenceRights = []string{
	"Domain-InternalFederation.Read.All", "Policy.Read.All", "Policy.Read.ConditionalAccess",
	"AuditLog.Read.All", "IdentityRiskyUser.Read.All",
}

// cast gives the names that the help uses to users who are so. They change names with
// them, so that nothing else in the tenant depends on it.
func (t *Tenant) cast(staff []msgraphtest.NewUser) {
	for _, role := range []struct {
		upn, name string
		stamped   bool
	}{{unstamped, "山田 太郎", false}, {twice, "佐藤 花子", false}, {healthy, "木村 美咲", true}} {
		i := slices.IndexFunc(staff, func(u msgraphtest.NewUser) bool {
			age := t.now.Sub(u.Created)
			return strings.HasSuffix(u.UPN, "@"+company) && (u.Stamp != nil) == role.stamped &&
				age > 14*day && age < lately && u.UPN != unstamped && u.UPN != twice
		})
		if i < 0 {
			continue
		}
		login := strings.TrimSuffix(role.upn, company)
		if j := slices.IndexFunc(staff, func(u msgraphtest.NewUser) bool { return strings.HasPrefix(u.UPN, login) }); j >= 0 {
			old, _, _ := strings.Cut(staff[i].UPN, "@")
			_, domain, _ := strings.Cut(staff[j].UPN, "@")
			staff[j].UPN, staff[j].Name = old+"@"+domain, staff[i].Name
		}
		staff[i].UPN, staff[i].Name = role.upn, role.name
	}
}

// evidence is what the tenant answers to those who ask why.
func (t *Tenant) evidence(ids map[string]string) msgraphtest.Evidence {
	federation := map[string]any{"promptLoginBehavior": "nativeSupport", "federatedIdpMfaBehavior": "acceptIfMfaDoneByFederatedIdp"}
	e := msgraphtest.Evidence{
		Licence:    "P2",
		Federation: map[string]map[string]any{company: federation, branch: federation},
		Devices:    make(map[string][]map[string]any),
		Policies:   []map[string]any{policy("c0c0c0c0-0000-4000-8000-000000000001", "全ユーザーに MFA を要求", nil)},
		PoliciesOf: map[string][]map[string]any{ids[twice]: {
			policy("c0c0c0c0-0000-4000-8000-000000000002", "営業部 8 時間", map[string]any{
				"isEnabled": true, "value": 8, "type": "hours", "frequencyInterval": "timeBased", "authenticationType": "primaryAndSecondaryAuthentication",
			}),
		}},
	}
	for upn, pause := range map[string]time.Duration{unstamped: 12 * time.Hour, twice: 8 * time.Hour, healthy: 3 * day} {
		e.Devices[ids[upn]] = []map[string]any{{
			"@odata.type": "#microsoft.graph.device", "trustType": "AzureAd", "accountEnabled": true,
			"approximateLastSignInDateTime": t.now.Add(-day).UTC().Format(time.RFC3339),
		}}
		for ago := time.Hour; ago < 7*day; ago += pause {
			e.SignIns = append(e.SignIns, t.signIn(ids[upn], ago))
		}
	}
	return e
}

func policy(id, name string, frequency map[string]any) map[string]any {
	return map[string]any{
		"id": id, "displayName": name, "state": "enabled", "policyApplies": true,
		"grantControls":   map[string]any{"builtInControls": []string{"mfa"}},
		"sessionControls": map[string]any{"signInFrequency": frequency},
	}
}

// signIn is one to Outlook that went well, so long ago.
func (t *Tenant) signIn(user string, ago time.Duration) map[string]any {
	return map[string]any{
		"userId": user, "createdDateTime": t.now.Add(-ago).UTC().Format(time.RFC3339),
		"appId": "d3590ed6-52b3-4102-aeff-aad2292ab01c", "appDisplayName": "Microsoft Office",
		"clientAppUsed": "Mobile Apps and Desktop clients", "status": map[string]any{"errorCode": 0},
		"deviceDetail": map[string]any{"deviceId": "c0c0c0c0-0000-4000-8000-00000000000d"},
	}
}
