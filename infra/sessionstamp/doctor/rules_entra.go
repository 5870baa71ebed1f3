package doctor

import (
	"slices"
	"strings"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/setup"
	"github.com/sessionstamp/sessionstamp/shared/directory"
)

const otherTenantRule = "tenant_mismatch"

var entraRules = []rule{
	{otherTenantRule, Wrong, Entra, tenantMismatch},
	{"app_missing", Wrong, Entra, appIs(AppMissing)},
	{"app_deleted", Wrong, Entra, appIs(AppDeleted)},
	{"principal_missing", Wrong, Entra, eachApp(func(_ matter, a held) []hit { return when(a.PrincipalID == "", a.params()) })},
	{"app_disabled", Wrong, Entra, eachApp(func(_ matter, a held) []hit { return when(a.PrincipalID != "" && !a.Enabled, a.params()) })},
	{"permission_missing", Wrong, Entra, eachApp(permissionMissing)},
	{"reader_can_revoke", Wrong, Entra, eachApp(readerCanRevoke)},
	{"issuer_changed", Wrong, Entra, issuerChanged},
	{"trust_missing", Wrong, Entra, flawed(flawMissing)},
	{"trust_wrong_issuer", Wrong, Entra, flawed(flawIssuer)},
	{"trust_wrong_subject", Wrong, Entra, flawed(flawSubject)},
	{"trust_wrong_audience", Wrong, Entra, flawed(flawAudience)},
	{"credential_none", Wrong, Entra, eachApp(credentialNone)},
	{"credential_expired", Wrong, Entra, eachApp(credentialExpired)},
	{"principal_credential", Wrong, Entra, eachApp(principalCredential)},
	{"no_federated_domain", Wrong, Entra, noFederatedDomain},
	{"named_domain_unknown", Wrong, Entra, namedDomain(func(known, _ bool) bool { return !known })},
	{"named_domain_managed", Wrong, Entra, namedDomain(func(known, federated bool) bool { return known && !federated })},
	{"group_hidden", Wrong, Entra, excluded(func(e Excluded) []string { return e.Hidden })},
	{"new_users_lack_stamp", Wrong, Entra, newUsersLackStamp},
	{"permission_beyond", Warning, Entra, eachApp(permissionBeyond)},
	{"trust_stranger", Warning, Entra, flawed(flawStranger)},
	{"app_owned", Warning, Entra, eachApp(appOwned)},
	{"credential_ends", Warning, Entra, eachApp(credentialEnds)},
	{"credential_orphaned", Warning, Entra, eachApp(credentialOrphaned)},
	{"credential_needless", Warning, Entra, eachApp(credentialNeedless)},
	{"excluded_user_unknown", Warning, Entra, excluded(func(e Excluded) []string { return e.Users })},
	{"excluded_group_unknown", Wrong, Entra, excluded(func(e Excluded) []string { return e.Groups })},
	{"excluded_group_empty", Warning, Entra, excluded(func(e Excluded) []string { return e.Empty })},
	{"not_needed", Note, Entra, notNeeded},
}

func tenantMismatch(m matter) []hit {
	tenant, _ := m.SignedIn.Get()
	d, _ := m.deployed()
	return when(m.otherTenant(), params{"signedIn": plain(tenant), "tenant": plain(d.Tenant)})
}

// held is an app that the stack uses, and what for.
type held struct {
	App
	clientID string
	name     language.Text
	// unique is the name that setup would have given it.
	unique string
	// stamps is of the app that may revoke sessions.
	stamps bool
	// functions sign in as it.
	functions []string
}

// made tells whether setup has made the app, for this very stack. No other is given rights,
// whatever the stack's parameters name; and of an app that a person has made nobody knows
// what else it is for.
func (a held) made() bool { return a.unique != "" && a.UniqueName == a.unique }

func (a held) params() params { return params{"app": a.name, "client": plain(a.clientID)} }

// held are the apps of which is known what became of them.
func (m matter) held() (apps []held) {
	d, deployed := m.deployed()
	if !deployed {
		return nil
	}
	reader := held{
		clientID: d.Reader, unique: d.Apps["reader"], name: language.Text{En: "reader app", Ja: "読み取り用アプリ"}, functions: []string{"keeper", "sweeper"},
	}
	if m.listens() {
		reader.functions = append(reader.functions, resolver)
	}
	if d.Stamper == "" {
		reader.name, reader.stamps = language.Text{En: "app", Ja: "アプリ"}, true
		reader.functions = append(reader.functions, "stamper")
	}
	if a, asked := m.Reader.Get(); asked {
		reader.App = a
		apps = append(apps, reader)
	}
	if a, asked := m.Stamper.Get(); asked && d.Stamper != "" {
		apps = append(apps, held{a, d.Stamper, language.Text{En: "stamper app", Ja: "スタンプ用アプリ"}, d.Apps["stamper"], true, []string{"stamper"}})
	}
	return apps
}

func appIs(state AppState) func(matter) []hit {
	return func(m matter) (hits []hit) {
		for _, a := range m.held() {
			if a.State == state {
				hits = append(hits, hit{params: a.params()})
			}
		}
		return hits
	}
}

// eachApp tries every app that is there.
func eachApp(try func(matter, held) []hit) func(matter) []hit {
	return func(m matter) (hits []hit) {
		for _, a := range m.held() {
			if a.State == AppFound {
				hits = append(hits, try(m, a)...)
			}
		}
		return hits
	}
}

// revoke is what only the stamper may do.
const revoke = "User.RevokeSessions.All"

// needs are the permissions of an app.
func (m matter) needs(a held) []string {
	d, _ := m.deployed()
	return setup.Rights(len(d.Groups) > 0, a.stamps)
}

// permissionMissing looks no further where there is no service principal to have any.
func permissionMissing(m matter, a held) (hits []hit) {
	for _, role := range m.needs(a) {
		if a.PrincipalID != "" && !slices.Contains(a.Roles, role) {
			hits = append(hits, m.hit(a, Grant, role, "role"))
		}
	}
	return hits
}

func readerCanRevoke(m matter, a held) []hit {
	if a.stamps || !slices.Contains(a.Roles, revoke) {
		return nil
	}
	return []hit{m.hit(a, Withdraw, revoke, "role")}
}

func permissionBeyond(m matter, a held) (hits []hit) {
	for _, role := range a.Roles {
		if role != revoke && !slices.Contains(m.needs(a), role) {
			hits = append(hits, m.hit(a, Withdraw, role, "role"))
		}
	}
	return hits
}

// hit is mended by one action on the app, if setup has made it. Its value is a parameter of
// that name, too. Nothing is taken away that another stack may need.
func (m matter) hit(a held, do Action, value, name string) hit {
	p := a.params()
	p[name] = plain(value)
	if !a.made() || do != Grant && !m.alone(a) {
		return hit{params: p}
	}
	return hit{p, []Remedy{{Do: do, App: a.App.App, Value: value}}}
}

// alone tells whether surely no other stack signs in as the app.
func (m matter) alone(a held) bool {
	_, asked := m.Stacks.Get()
	shared := slices.ContainsFunc(m.others(), func(d Deployment) bool { return a.clientID == d.Reader || a.clientID == d.Stamper })
	elsewhere := func(f flaw) bool { return f.kind == flawStranger && ofStack(f.have) }
	return asked && !shared && !slices.ContainsFunc(m.flaws(a), elsewhere)
}

// soon is how long before its end a credential needs a person.
const soon = 30 * 24 * time.Hour

// current is the credential that the functions sign in with, as far as can be known: of
// those of the stored kind the one that is good for longest.
func (m matter) current(a held) (c directory.AppCredential, found bool) {
	d, _ := m.deployed()
	for _, one := range a.Credentials {
		kind := d.Mode.Stored() && !one.OfPrincipal && one.Certificate == (d.Mode == directory.AuthCertificate)
		if kind && (d.Credential == "" || one.Name == d.Credential) && (!found || one.End.After(c.End)) {
			c, found = one, true
		}
	}
	return c, found
}

func credentialNone(m matter, a held) []hit {
	d, _ := m.deployed()
	_, found := m.current(a)
	return when(d.Mode.Stored() && !found, a.params())
}

func credentialExpired(m matter, a held) []hit {
	c, found := m.current(a)
	return when(found && !c.End.After(m.Now), m.ending(a, c))
}

func credentialEnds(m matter, a held) []hit {
	c, found := m.current(a)
	return when(found && c.End.After(m.Now) && c.End.Before(m.Now.Add(soon)), m.ending(a, c))
}

func (m matter) ending(a held, c directory.AppCredential) params {
	p := a.params()
	p["end"] = m.at(c.End)
	return p
}

// ours tells whether sessionstamp has made a credential: it names them so.
func ours(c directory.AppCredential) bool {
	return !c.OfPrincipal && strings.HasPrefix(c.Name, "sessionstamp")
}

// credentialOrphaned finds those of ours with which certainly nobody signs in. Where one is
// stored, and it is not known which, that are those which have ended.
func credentialOrphaned(m matter, a held) (hits []hit) {
	d, _ := m.deployed()
	now, _ := m.current(a)
	for _, c := range a.Credentials {
		if !ours(c) || c.KeyID == now.KeyID || d.Mode.Stored() && d.Credential == "" && c.End.After(m.Now) {
			continue
		}
		do := RemoveSecret
		if c.Certificate {
			do = RemoveCert
		}
		hits = append(hits, m.hit(a, do, c.KeyID, "key"))
	}
	return hits
}

// credentialNeedless finds those of others in an app that needs none.
func credentialNeedless(m matter, a held) []hit {
	d, _ := m.deployed()
	var keys []string
	for _, c := range a.Credentials {
		if d.Mode == directory.AuthWebIdentity && !ours(c) && !c.OfPrincipal && c.End.After(m.Now) {
			keys = append(keys, c.KeyID)
		}
	}
	p := a.params()
	p["keys"] = list(keys)
	return when(len(keys) > 0, p)
}

// federated tells whether a domain is one that sessionstamp serves.
func federated(d directory.Domain) bool { return d.Federated && d.Verified }

func noFederatedDomain(m matter) []hit {
	_, deployed := m.deployed()
	domains, asked := m.Domains.Get()
	return when(deployed && asked && !slices.ContainsFunc(domains, federated), nil)
}

func namedDomain(bad func(known, federated bool) bool) func(matter) []hit {
	return func(m matter) (hits []hit) {
		d, _ := m.deployed()
		domains, asked := m.Domains.Get()
		if !asked || !slices.ContainsFunc(domains, federated) {
			return nil
		}
		for _, name := range d.Domains {
			i := slices.IndexFunc(domains, func(d directory.Domain) bool { return strings.EqualFold(d.Name, name) })
			if bad(i >= 0, i >= 0 && federated(domains[i])) {
				hits = append(hits, hit{params: params{"domain": plain(name)}})
			}
		}
		return hits
	}
}

func excluded(which func(Excluded) []string) func(matter) []hit {
	return func(m matter) []hit {
		_, deployed := m.deployed()
		e, _ := m.Excluded.Get()
		ids := which(e)
		return when(deployed && len(ids) > 0, params{"ids": list(ids)})
	}
}

// newUsersLackStamp is silent where it is known why.
func newUsersLackStamp(m matter) []hit {
	d, deployed := m.deployed()
	u, _ := m.Users.Get()
	return when(deployed && u.NewWithout > 0 && !d.DryRun && !m.stopped(),
		params{"without": count(u.NewWithout), "all": count(u.New)})
}

// notNeeded is silent where there may be a stack, thanks to which everybody has a stamp.
func notNeeded(m matter) []hit {
	d, asked := m.Deployment.Get()
	domains, known := m.Domains.Get()
	u, counted := m.Users.Get()
	none := known && !slices.ContainsFunc(domains, federated)
	return when(asked && !d.Found && !m.Named && len(m.others()) == 0 && (none || counted && u.Without == 0), nil)
}
