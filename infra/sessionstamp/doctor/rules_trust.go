package doctor

import (
	"slices"
	"strings"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// flawKind is what is wrong with a federated credential.
type flawKind int

const (
	flawNone flawKind = iota
	flawMissing
	flawIssuer
	flawSubject
	flawAudience
	flawStranger
)

// A flaw is a federated credential that is not as a function needs it. A missing one has no
// have, a stranger's no function and no want.
type flaw struct {
	held

	kind       flawKind
	function   string
	want, have directory.FederatedCredential
}

// flaws compares the app's federated credentials with those that its functions need.
func (m matter) flaws(a held) (flaws []flaw) {
	d, _ := m.deployed()
	if a.State != AppFound || d.Mode != directory.AuthWebIdentity || len(d.Subjects) == 0 {
		return nil
	}
	open, left := m.wants(a), slices.DeleteFunc(slices.Clone(a.Federated), m.elsewhere)
	for _, near := range []func(f flaw) bool{flaw.good, flaw.sameSubject, flaw.sameFunction} {
		open = slices.DeleteFunc(open, func(f flaw) bool {
			i := slices.IndexFunc(left, func(have directory.FederatedCredential) bool { f.have = have; return near(f) })
			if i < 0 {
				return false
			}
			f.have = left[i]
			left = slices.Delete(left, i, i+1)
			flaws = append(flaws, f.judged())
			return true
		})
	}
	for _, f := range open {
		f.kind = flawMissing
		flaws = append(flaws, f)
	}
	for _, have := range left {
		flaws = append(flaws, flaw{held: a, kind: flawStranger, have: have})
	}
	return flaws
}

// wants are the credentials that the app's functions need, named as setup does. Where the
// issuer is not known, any will do.
func (m matter) wants(a held) (wants []flaw) {
	d, _ := m.deployed()
	issuer, _ := m.Issuer.Get()
	for _, function := range a.functions {
		if subject := d.Subjects[function]; subject != "" {
			wants = append(wants, flaw{held: a, function: function, want: directory.FederatedCredential{
				Name: d.Name + "-" + function, Issuer: issuer, Subject: subject, Audience: d.Audience,
			}})
		}
	}
	return wants
}

func (f flaw) sameIssuer() bool   { return f.want.Issuer == "" || f.have.Issuer == f.want.Issuer }
func (f flaw) sameSubject() bool  { return f.have.Subject == f.want.Subject }
func (f flaw) sameAudience() bool { return f.want.Audience == "" || f.have.Audience == f.want.Audience }
func (f flaw) good() bool         { return f.sameIssuer() && f.sameSubject() && f.sameAudience() }
func (f flaw) sameFunction() bool { return ofFunction(f.have, f.function) }

// ofFunction tells whether a subject is the role of such a function, of whatever stack and
// region.
func ofFunction(f directory.FederatedCredential, function string) bool {
	_, role, is := strings.Cut(f.Subject, ":role/")
	return is && strings.Contains(role, "-"+function+"-")
}

// ofStack tells whether a subject looks like the role of a stack.
func ofStack(f directory.FederatedCredential) bool {
	return ofFunction(f, "stamper") || ofFunction(f, "keeper") || ofFunction(f, "sweeper") || ofFunction(f, resolver)
}

// judged tells what is wrong with what was found.
func (f flaw) judged() flaw {
	switch {
	case !f.sameSubject():
		f.kind = flawSubject
	case !f.sameIssuer():
		f.kind = flawIssuer
	case !f.sameAudience():
		f.kind = flawAudience
	}
	return f
}

// elsewhere tells whether a credential is none of this stack's, and no stranger's: of another
// stack, or of a function that the stack has not while signals are off.
func (m matter) elsewhere(f directory.FederatedCredential) bool {
	d, _ := m.deployed()
	return m.ofOtherStack(f) || !m.listens() && f.Subject != "" && f.Subject == d.Subjects[resolver]
}

// ofOtherStack tells whether a credential is of another stack that uses the same app.
func (m matter) ofOtherStack(f directory.FederatedCredential) bool {
	return slices.ContainsFunc(m.others(), func(d Deployment) bool {
		for _, subject := range d.Subjects {
			if subject == f.Subject {
				return true
			}
		}
		return false
	})
}

// mend writes what is missing or wrong, and takes away a stranger's. What looks like a role
// of a stack that is not seen from here is left to a person, as is an app that setup has not
// made.
func (f flaw) mend() []Remedy {
	switch {
	case !f.made(), f.kind == flawStranger && ofStack(f.have):
		return nil
	case f.kind == flawStranger:
		return []Remedy{{Do: Distrust, App: f.App.App, Value: f.have.Name}}
	case f.want.Issuer == "" || f.want.Audience == "":
		return nil // nobody knows what to write
	}
	write := f.want
	if f.kind == flawIssuer || f.kind == flawAudience {
		write.Name = f.have.Name
	}
	return []Remedy{{Do: Trust, App: f.App.App, Credential: write}}
}

func (f flaw) hit() hit {
	p := f.params()
	p["function"], p["name"] = plain(f.function), plain(f.have.Name)
	p["issuer"], p["subject"], p["audience"] = plain(f.want.Issuer), plain(f.want.Subject), plain(f.want.Audience)
	p["hasIssuer"], p["hasSubject"], p["hasAudience"] = plain(f.have.Issuer), plain(f.have.Subject), plain(f.have.Audience)
	if f.want.Issuer == "" {
		p["issuer"] = language.Text{En: "that of the AWS account", Ja: "AWS アカウントの発行者"}
	}
	return hit{p, f.mend()}
}

// flawed finds the flaws of a kind.
func flawed(kind flawKind) func(matter) []hit {
	return func(m matter) (hits []hit) {
		if kind == flawIssuer && len(issuerChanged(m)) > 0 {
			return nil
		}
		for _, a := range m.held() {
			for _, f := range m.flaws(a) {
				if f.kind == kind && !m.unneeded(f) {
					hits = append(hits, f.hit())
				}
			}
		}
		return hits
	}
}

// issuerChanged hits where every function's credential names one other issuer: outbound
// federation was switched off and on again, or the stack has moved to another account.
func issuerChanged(m matter) []hit {
	var before []string
	var mend []Remedy
	wants := 0
	for _, a := range m.held() {
		wants += len(m.wants(a))
		for _, f := range m.flaws(a) {
			if f.kind == flawIssuer {
				before, mend = append(before, f.have.Issuer), append(mend, f.mend()...)
			}
		}
	}
	if wants < 2 || len(before) != wants || len(slices.Compact(slices.Sorted(slices.Values(before)))) != 1 {
		return nil
	}
	issuer, _ := m.Issuer.Get()
	return []hit{{params{"issuer": plain(issuer), "before": plain(before[0])}, mend}}
}
