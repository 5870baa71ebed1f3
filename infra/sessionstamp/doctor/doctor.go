// Package doctor tells everything that is wrong with a deployment, or with what one needs,
// and how each is cured. It decides by what somebody else has read from this machine,
// Microsoft Entra and AWS, and says what could not be read; it links no SDK and calls
// nothing.
//
// What was not read is never taken for a fault.
package doctor

import (
	"maps"
	"slices"
	"strings"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// Severity is how bad a finding is, or what is worst in a group.
type Severity string

// The severities, the worst first.
const (
	// Wrong: somebody is not served, or will not be soon.
	Wrong Severity = "wrong"
	// Warning: it works, and a person should look.
	Warning Severity = "warning"
	// Note: good to know.
	Note Severity = "note"
	// Fine is of a group in which nothing was found.
	Fine Severity = "fine"
)

var severities = []Severity{Wrong, Warning, Note, Fine}

// A Finding is one thing that a person should know. It never holds a user's name.
type Finding struct {
	// ID is in snake_case, and stays the same from release to release.
	ID       string
	Severity Severity
	Group    Group
	// Problem says what is wrong and for whom, Cure what ends it, each in whole sentences.
	Problem, Cure language.Text
	// Command is what cures it, as a shell takes it; empty where only a place in a console
	// does, which is in Cure.
	Command string
	// Params are what the texts were filled with, by name, in English.
	Params map[string]string
	// Mend is what --fix does in its place, empty where a person has to decide. All of it can
	// be taken back.
	Mend []Remedy
}

// An Action is something that --fix does.
type Action string

// The actions.
const (
	Grant          Action = "grant"           // Value: a permission of Graph
	Withdraw       Action = "withdraw"        // Value: a permission of Graph
	Trust          Action = "trust"           // Credential, written by its name
	Distrust       Action = "distrust"        // Value: a federated credential's name
	RemoveSecret   Action = "remove_secret"   // Value: a key id
	RemoveCert     Action = "remove_cert"     // Value: a key id
	Disown         Action = "disown"          // Value: an owner's object id
	EnableSchedule Action = "enable_schedule" // Value: a schedule's name
	ProtectTable   Action = "protect_table"
	AskFullRound   Action = "ask_full_round"
)

// Actions returns them.
func Actions() []Action {
	return []Action{Grant, Withdraw, Trust, Distrust, RemoveSecret, RemoveCert, Disown, EnableSchedule, ProtectTable, AskFullRound}
}

// A Remedy is one action. App is the app that it is about, for those of Entra.
type Remedy struct {
	Do         Action
	App        directory.App
	Value      string
	Credential directory.FederatedCredential
}

// Examine tries every rule. It is pure: the same evidence gives the same findings, in the
// same order, the most important first.
func Examine(e Evidence) []Finding {
	m := matter{e}
	var found []Finding
	for _, r := range rules() {
		if r.group == Entra && m.otherTenant() && r.id != otherTenantRule {
			continue // what was read is another tenant's
		}
		for _, h := range r.try(m) {
			found = append(found, r.finding(m, h))
		}
	}
	slices.SortStableFunc(found, func(a, b Finding) int { return rank(a.Severity) - rank(b.Severity) })
	return found
}

func rank(s Severity) int { return slices.Index(severities, s) }

// rules are in the order of importance among those of one severity: what explains others
// comes first.
func rules() []rule {
	return slices.Concat(machineRules, accountRules, stackRules, entraRules, awsRules, stateRules, signalRules)
}

// A rule looks for one fault.
type rule struct {
	id       string
	severity Severity
	group    Group
	try      func(matter) []hit
}

// A hit is what a rule has found.
type hit struct {
	params params
	mend   []Remedy
}

// params replace {name} in texts.
type params map[string]language.Text

// plain is a value that is the same in all languages.
func plain(s string) language.Text { return language.Text{En: s, Ja: s} }

func count(n int) language.Text { return plain(language.Number(n)) }

func list(values []string) language.Text { return plain(strings.Join(values, ", ")) }

// one is a single hit.
func one(p params) []hit { return []hit{{params: p}} }

// when is a single hit if something is so.
func when(so bool, p params) []hit {
	if !so {
		return nil
	}
	return one(p)
}

// finding puts a hit into words.
func (r rule) finding(m matter, h hit) Finding {
	w := catalogue[r.id]
	all := m.params()
	maps.Copy(all, h.params)
	codes := make(map[string]string, len(h.params))
	for name, value := range h.params {
		codes[name] = value.En
	}
	return Finding{
		ID: r.id, Severity: r.severity, Group: r.group, Params: codes, Mend: h.mend,
		Problem: all.fill(w.problem), Cure: all.fill(w.cure), Command: all.fill(plain(w.command)).En,
	}
}

func (p params) fill(t language.Text) language.Text {
	var english, japanese []string
	for name, value := range p {
		english = append(english, "{"+name+"}", value.En)
		japanese = append(japanese, "{"+name+"}", value.Ja)
	}
	return language.Text{En: strings.NewReplacer(english...).Replace(t.En), Ja: strings.NewReplacer(japanese...).Replace(t.Ja)}
}

// matter is the evidence, as the rules look at it.
type matter struct{ Evidence }

// params are those of every text.
func (m matter) params() params {
	account, _ := m.Account.Get()
	return params{"stack": plain(m.Stack), "of": plain(m.Given), "region": plain(account.Region)}
}

// deployed returns the stack, and whether it is known that there is one.
func (m matter) deployed() (Deployment, bool) {
	d, asked := m.Deployment.Get()
	return d, asked && d.Found
}

// otherTenant tells whether the person has signed in to a tenant that is not the stack's.
func (m matter) otherTenant() bool {
	tenant, asked := m.SignedIn.Get()
	d, deployed := m.deployed()
	return asked && deployed && d.Tenant != "" && !strings.EqualFold(tenant, d.Tenant)
}
