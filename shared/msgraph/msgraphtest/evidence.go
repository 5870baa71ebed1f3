package msgraphtest

import (
	"cmp"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"time"
)

// Evidence is what a tenant answers to those who ask why a user is prompted. Objects are as
// they go over the wire.
type Evidence struct {
	// Licence of the tenant: "P1", which Conditional Access and the sign-in log need, "P2",
	// which Identity Protection needs too, or none.
	Licence string
	// Devices are registeredDevices, PerUserMFA perUserMfaState, Risk riskState, by user.
	Devices          map[string][]map[string]any
	PerUserMFA, Risk map[string]string
	// Federation are the federationConfigurations, by domain.
	Federation map[string]map[string]any
	// Policies is the answer to every What-If evaluation, with PoliciesOf the user, if any.
	Policies   []map[string]any
	PoliciesOf map[string][]map[string]any
	// SecurityDefaults is isEnabled.
	SecurityDefaults bool
	// SignIns are signIn resources; userId and createdDateTime, an RFC 3339 time in UTC,
	// must be there.
	SignIns []map[string]any
}

// SetEvidence replaces the tenant's evidence.
func (t *Tenant) SetEvidence(e Evidence) {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	t.dir.evidence = e
}

func evidenceRoutes() []route {
	policies := []string{"Policy.Read.All"}
	return []route{
		{method: "GET", pattern: "/users/{id}/registeredDevices", permissions: userReaders, handle: locked(listDevices)},
		{method: "GET", pattern: "/users/{id}/authentication/requirements", permissions: policies, handle: locked(getRequirements)},
		{method: "GET", pattern: "/policies/identitySecurityDefaultsEnforcementPolicy", permissions: policies, handle: locked(getSecurityDefaults)},
		{method: "GET", pattern: "/domains/{id}/federationConfiguration", permissions: []string{"Domain-InternalFederation.Read.All"}, handle: locked(listFederation)},
		{method: "POST", pattern: "/identity/conditionalAccess/evaluate", permissions: append([]string{"Policy.Read.ConditionalAccess"}, policies...), service: protection, handle: locked(evaluate)},
		{method: "GET", pattern: "/identityProtection/riskyUsers/{id}", permissions: []string{"IdentityRiskyUser.Read.All"}, service: protection, handle: locked(getRiskyUser)},
		{method: "GET", pattern: "/auditLogs/signIns", permissions: []string{"AuditLog.Read.All"}, service: signInLog, handle: locked(listSignIns)},
	}
}

// licensed refuses a tenant whose licence is less.
func (c *call) licensed(licence, code, message string) error {
	if c.tenant.dir.evidence.Licence < licence {
		return refuse(http.StatusForbidden, code, "%s", message)
	}
	return nil
}

// notLicensed is how Identity Protection and Conditional Access refuse.
const notLicensed = "Your tenant is not licensed for this feature."

// about is the object id of the user whom a path is about.
func (c *call) about() (string, error) {
	if err := c.onlyOptions("$select"); err != nil {
		return "", err
	}
	u := c.tenant.reader(c.now).find(c.path[1])
	if u == nil {
		return "", errNotFound(c.path[1])
	}
	return u.id.String(), nil
}

// collection is a list on one page.
func (c *call) collection(fragment string, values []map[string]any) (reply, error) {
	if values == nil {
		values = []map[string]any{}
	}
	return ok(object{"@odata.context": c.context(fragment), "value": values})
}

// listDevices is https://learn.microsoft.com/graph/api/user-list-registereddevices.
func listDevices(_ *Server, c *call) (reply, error) {
	id, err := c.about()
	if err != nil {
		return reply{}, err
	}
	return c.collection("directoryObjects", c.tenant.dir.evidence.Devices[id])
}

// getRequirements is https://learn.microsoft.com/graph/api/authentication-get.
func getRequirements(_ *Server, c *call) (reply, error) {
	id, err := c.about()
	if err != nil {
		return reply{}, err
	}
	return ok(object{"perUserMfaState": cmp.Or(c.tenant.dir.evidence.PerUserMFA[id], "disabled")})
}

// getSecurityDefaults is
// https://learn.microsoft.com/graph/api/identitysecuritydefaultsenforcementpolicy-get.
func getSecurityDefaults(_ *Server, c *call) (reply, error) {
	if err := c.onlyOptions("$select"); err != nil {
		return reply{}, err
	}
	return ok(object{"id": "00000000-0000-0000-0000-000000000005", "isEnabled": c.tenant.dir.evidence.SecurityDefaults})
}

// listFederation is
// https://learn.microsoft.com/graph/api/domain-list-federationconfiguration.
func listFederation(_ *Server, c *call) (reply, error) {
	if err := c.onlyOptions(); err != nil {
		return reply{}, err
	}
	one := c.tenant.dir.evidence.Federation[c.path[1]]
	if one == nil {
		return reply{}, errNotFound(c.path[1])
	}
	return c.collection("domains('"+c.path[1]+"')/federationConfiguration", []map[string]any{one})
}

// evaluate is https://learn.microsoft.com/graph/api/conditionalaccessroot-evaluate.
func evaluate(_ *Server, c *call) (reply, error) {
	var body struct {
		Identity struct {
			Type   string `json:"@odata.type"`
			UserID string `json:"userId"`
		} `json:"signInIdentity"`
		Context struct {
			Type         string   `json:"@odata.type"`
			Applications []string `json:"includeApplications"`
		} `json:"signInContext"`
		Conditions map[string]any `json:"signInConditions"`
	}
	if err := c.licensed("P1", "AccessDenied", notLicensed); err != nil {
		return reply{}, err
	}
	err := json.Unmarshal(c.body, &body)
	_, isID := parseID(body.Identity.UserID)
	if err != nil || body.Identity.Type != "#microsoft.graph.userSignIn" || !isID || body.Conditions == nil ||
		body.Context.Type != "#microsoft.graph.applicationContext" || len(body.Context.Applications) == 0 {
		return reply{}, refuse(http.StatusBadRequest, "BadRequest", "The request body of evaluate is not valid.")
	}
	e := c.tenant.dir.evidence
	return c.collection("Collection(microsoft.graph.whatIfAnalysisResult)", slices.Concat(e.Policies, e.PoliciesOf[body.Identity.UserID]))
}

// getRiskyUser is https://learn.microsoft.com/graph/api/riskyuser-get.
func getRiskyUser(_ *Server, c *call) (reply, error) {
	if err := c.licensed("P2", "Forbidden", notLicensed); err != nil {
		return reply{}, err
	}
	state := c.tenant.dir.evidence.Risk[c.path[2]]
	if state == "" {
		return reply{}, errNotFound(c.path[2])
	}
	return ok(object{"id": c.path[2], "riskState": state})
}

// signInFilter is the one filter of sign-ins that is emulated.
var signInFilter = regexp.MustCompile(`^userId eq '([0-9a-f-]{36})' and createdDateTime ge (\S+)$`)

// listSignIns is https://learn.microsoft.com/graph/api/signin-list: the newest first.
func listSignIns(_ *Server, c *call) (reply, error) {
	if err := c.onlyOptions("$filter", "$top", "$skiptoken"); err != nil {
		return reply{}, err
	}
	if err := c.licensed("P1", "Authentication_RequestFromNonPremiumTenantOrB2CTenant", "Neither tenant is B2C or tenant doesn't have premium license"); err != nil {
		return reply{}, err
	}
	top, token, err := c.paging()
	if err != nil {
		return reply{}, err
	}
	m := signInFilter.FindStringSubmatch(c.query.Get("$filter"))
	if m == nil {
		return reply{}, badRequest("Invalid filter clause.")
	}
	since, err := time.Parse(time.RFC3339, m[2])
	if err != nil {
		return reply{}, badRequest("Invalid filter clause.")
	}
	events := c.tenant.dir.evidence.signIns(m[1], since)
	events = events[min(max(0, token.pos), len(events)):]
	p := page{Context: c.context("auditLogs/signIns"), Value: []json.RawMessage{}}
	if len(events) > top {
		events, p.NextLink = events[:top], c.nextLink(pageToken{query: token.query, pos: max(0, token.pos) + top})
	}
	for _, event := range events {
		text, err := json.Marshal(event)
		if err != nil {
			return reply{}, err
		}
		p.Value = append(p.Value, text)
	}
	return ok(p)
}

// signIns are those of a user since then, newest first.
func (e *Evidence) signIns(user string, since time.Time) []map[string]any {
	at := func(event map[string]any) time.Time {
		text, _ := event["createdDateTime"].(string)
		t, _ := time.Parse(time.RFC3339, text) // the zero time is before all
		return t
	}
	events := slices.DeleteFunc(slices.Clone(e.SignIns), func(event map[string]any) bool {
		return event["userId"] != user || at(event).Before(since)
	})
	slices.SortStableFunc(events, func(a, b map[string]any) int { return at(b).Compare(at(a)) })
	return events
}
