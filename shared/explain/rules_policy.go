package explain

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// A demand is a policy that asks for a sign-in again.
type demand struct {
	name, id  string
	frequency SignInFrequency
	// read tells that the frequency was read; a sign-in tells of the policy alone.
	read  bool
	piece Piece
}

func (d demand) everyTime() bool { return strings.EqualFold(d.frequency.Interval, "everyTime") }

// hours is the interval, 0 where it was not read or makes no sense.
func (d demand) hours() int {
	const most = 10_000 // days; Microsoft allows 365
	f := d.frequency
	switch {
	case f.Value <= 0 || f.Value > most:
	case strings.EqualFold(f.Type, "hours"):
		return f.Value
	case strings.EqualFold(f.Type, "days"):
		return 24 * f.Value
	}
	return 0
}

// interval says how often.
func (d demand) interval() Text {
	h := d.hours()
	switch {
	case d.everyTime():
		return phrases["every time"]
	case h == 0:
		return phrases["interval unread"]
	case h == 1:
		return phrases["every hour"]
	case h%24 == 0 && h > 24:
		return phrases["every days"].fill(params{"n": plain(strconv.Itoa(h / 24))})
	}
	return phrases["every hours"].fill(params{"n": plain(strconv.Itoa(h))})
}

// outlasts tells whether it asks as often as an empty stamp does, or more often.
func (d demand) outlasts() bool {
	return d.everyTime() || d.hours() > 0 && d.hours() <= int(classLifetime.Hours())
}

// sayInterval fills in how often: {interval} for administrators, {each} for users, which in
// Japanese stands before a noun.
func (d demand) sayInterval(p params) {
	code, often := "", d.interval()
	each := Text{often.English, strings.TrimSuffix(often.Japanese, "に") + "の"}
	switch h := d.hours(); {
	case d.everyTime():
		code = "everyTime"
	case h > 0:
		code = "PT" + strconv.Itoa(h) + "H"
	default:
		each = phrases["each unread"]
	}
	p["interval"], p["each"] = param{often, code}, param{Text: each}
}

func (d demand) hit(variant string) hit {
	asks := d.frequency.AuthenticationType
	what := phrases["asks both"]
	if strings.EqualFold(asks, "secondaryAuthentication") {
		what = phrases["asks MFA"]
	}
	p := policyParams(d.name, d.id)
	d.sayInterval(p)
	p["what"] = param{what, asks}
	return hit{confidence: Certain, variant: variant, because: []Piece{d.piece}, params: p, outlasts: d.outlasts()}
}

// policyParams name a policy: {name} as short as possible, {policy} with its id.
func policyParams(name, id string) params {
	short := same(cmp.Or(name, id)).or(phrases["no name"])
	quoted := phrases["policy name"].fill(params{"name": {Text: short}})
	whole := quoted
	if name != "" && id != "" {
		whole = phrases["policy both"].fill(params{"name": {Text: short}, "id": plain(id)})
	}
	return params{"name": {quoted, cmp.Or(name, id)}, "policy": {whole, cmp.Or(id, name)}}
}

// enforced are the policies that apply. Report-only ones are said to apply as well.
func (m *matter) enforced() (enforced []Policy) {
	policies, _ := m.Policies.Get()
	for _, p := range policies {
		if p.Applies && strings.EqualFold(p.State, "enabled") {
			enforced = append(enforced, p)
		}
	}
	return enforced
}

// demands are the policies with a sign-in frequency, each once: what a What-If evaluation
// has read, then what the sign-in log says was applied.
func (m *matter) demands() (demands []demand) {
	known := make(map[string]bool)
	add := func(d demand) {
		if key := cmp.Or(d.id, d.name); !known[key] {
			known[key] = true
			demands = append(demands, d)
		}
	}
	for _, p := range m.enforced() {
		if p.SignInFrequency.Enabled {
			add(demand{p.DisplayName, p.ID, p.SignInFrequency, true, PiecePolicies})
		}
	}
	for _, e := range m.events {
		for _, p := range e.AppliedPolicies {
			if p.inForce() && slices.ContainsFunc(p.EnforcedSessionControls, isFrequency) {
				add(demand{name: p.DisplayName, id: p.ID, piece: PieceSignIns})
			}
		}
	}
	return demands
}

// inForce tells whether the policy was applied, and not for a report only.
func (p AppliedPolicy) inForce() bool {
	return strings.EqualFold(p.Result, "success") || strings.EqualFold(p.Result, "failure")
}

func isFrequency(control string) bool { return strings.EqualFold(control, "SignInFrequency") }

func frequency(m *matter) (hits []hit) {
	for _, d := range m.demands() {
		switch {
		case !d.read:
			hits = append(hits, d.hit("applied"))
		case !d.everyTime():
			hits = append(hits, d.hit(""))
		}
	}
	return hits
}

func everyTime(m *matter) (hits []hit) {
	for _, d := range m.demands() {
		if d.everyTime() {
			hits = append(hits, d.hit(""))
		}
	}
	return hits
}

// stampAndPolicy is for a user whom the stamp cures by half: administrators who are not
// told so take the stamp for useless.
func stampAndPolicy(m *matter) []hit {
	demands := m.demands()
	if !m.has("X10", "X10b") || m.excluded() || len(demands) == 0 {
		return nil
	}
	d := slices.MinFunc(demands, func(a, b demand) int { return a.rank() - b.rank() })
	variant := ""
	if d.outlasts() {
		variant = "short"
	}
	h := d.hit(variant)
	h.because = append(h.because, PieceUser, PieceDomain)
	return []hit{h}
}

// rank is lower for a policy that asks more often, and highest where nobody has read it.
func (d demand) rank() int {
	const unread = 1 << 30
	if d.everyTime() {
		return 0
	}
	return cmp.Or(d.hours(), unread)
}

func neverPersistent(m *matter) []hit {
	return m.each(func(p Policy) bool { return strings.EqualFold(p.PersistentBrowser, "never") }, Certain)
}

// each is a hit for every enforced policy that is so, each once.
func (m *matter) each(is func(Policy) bool, c Confidence) (hits []hit) {
	known := make(map[string]bool)
	for _, p := range m.enforced() {
		if key := cmp.Or(p.ID, p.DisplayName); is(p) && !known[key] {
			known[key] = true
			hits = append(hits, hit{
				confidence: c, because: []Piece{PiecePolicies}, params: policyParams(p.DisplayName, p.ID),
			})
		}
	}
	return hits
}

// tokenProtection needs a registered device and an app that supports it.
// https://learn.microsoft.com/entra/identity/conditional-access/concept-token-protection
func tokenProtection(m *matter) []hit {
	devices, asked := m.Devices.Get()
	unbound := m.matching(func(e event) bool { return e.DeviceID == "" })
	var because []Piece
	switch {
	case asked && len(m.usable(devices)) == 0:
		because = []Piece{PieceDevices}
	case len(unbound) > 0:
		because = []Piece{PieceSignIns}
	default:
		return nil
	}
	hits := m.each(func(p Policy) bool { return p.SecureSignInSession }, Medium)
	for i := range hits {
		hits[i].because = append(hits[i].because, because...)
	}
	return hits
}

// frequencyUnread is for codes of a policy that is not among those read.
func frequencyUnread(m *matter) []hit {
	events := m.failures(classPolicy)
	if len(events) == 0 || m.has("X20", "X21") {
		return nil
	}
	variant := ""
	if _, asked := m.Policies.Get(); asked {
		variant = "asked"
	}
	h := seen(High, variant, events)[0]
	var d demand
	for _, e := range slices.Backward(events) { // the latest counts
		if allowed, told := e.allowed(); told {
			d.frequency = SignInFrequency{Value: int(allowed.Hours()), Type: "hours"}
		}
	}
	d.sayInterval(h.params)
	h.outlasts = d.outlasts()
	return []hit{h}
}

func mfaExpired(m *matter) []hit { return seen(High, "", m.failures(classMFAExpired)) }

func securityDefaults(m *matter) []hit {
	if on, _ := m.SecurityDefaults.Get(); !on {
		return nil
	}
	return one(Info, PieceSecurityDefaults)
}

// wantsPerUser tells whether the legacy per-user MFA is on.
func (m *matter) wantsPerUser() bool {
	state, _ := m.PerUserMFA.Get()
	return strings.EqualFold(state, "enabled") || strings.EqualFold(state, "enforced")
}

// perUserMFA looks for two systems that ask.
func perUserMFA(m *matter) []hit {
	state, _ := m.PerUserMFA.Get()
	applied := m.matching(func(e event) bool { return slices.ContainsFunc(e.AppliedPolicies, AppliedPolicy.inForce) })
	h := hit{confidence: High, params: params{"state": {phrases["MFA "+strings.ToLower(state)].or(same(state)), state}}}
	switch {
	case !m.wantsPerUser():
		return nil
	case len(m.enforced()) > 0:
		h.because = []Piece{PiecePerUserMFA, PiecePolicies}
	case len(applied) > 0:
		h.because = []Piece{PieceSignIns, PiecePerUserMFA}
	default:
		return nil
	}
	return []hit{h}
}

// mfaTwice: https://learn.microsoft.com/graph/api/resources/internaldomainfederation
func mfaTwice(m *matter) []hit {
	f, _ := m.Federation.Get()
	wanted := m.mfaWanted()
	if !strings.EqualFold(f.FederatedIDPMFABehavior, "rejectMfaByFederatedIdp") || len(wanted) == 0 {
		return nil
	}
	return one(High, append(wanted, PieceFederation)...)
}

// mfaWanted returns what shows that MFA is asked for, nothing where nothing does.
func (m *matter) mfaWanted() []Piece {
	demanded := slices.ContainsFunc(m.enforced(), func(p Policy) bool {
		return slices.ContainsFunc(p.BuiltInControls, func(c string) bool { return strings.EqualFold(c, "mfa") })
	})
	on, _ := m.SecurityDefaults.Get()
	switch {
	case demanded:
		return []Piece{PiecePolicies}
	case m.wantsPerUser():
		return []Piece{PiecePerUserMFA}
	case on:
		return []Piece{PieceSecurityDefaults}
	}
	if len(m.failures(classMFA, classMFAExpired)) > 0 {
		return []Piece{PieceSignIns}
	}
	return nil
}
