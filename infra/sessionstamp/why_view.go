package main

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
	cause "github.com/sessionstamp/sessionstamp/shared/explain" // explain is a function here
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// The rules that have a place of their own on the screen: those after which nothing else
// counts, that of two causes at once, and those that say that there is none.
var (
	final      = []string{"X01", "X02", "X03"}
	conclusion = []string{"X90", "X91"}
)

const bothCauses = "X10+X20"

// lines are the screen: who it is, the causes, what else was looked at, and what was not.
func (x explanation) lines() []line {
	u, _ := x.evidence.User.Get()
	who := strings.TrimLeft(u.DisplayName+"  "+x.user.UserPrincipalName, " ")
	if created := x.when(x.user.Created); created != "" {
		who += "  " + x.say("why.created", created)
	}
	lines := []line{{text: who, colour: screen.Strong, hang: 2}, {}}
	for i, f := range x.findings {
		if x.all || !x.repeated(f) {
			lines = append(lines, x.findingLine(f, i == 0))
		}
	}
	if x.all || len(x.findings) == 0 || !slices.Contains(final, x.findings[0].ID) {
		lines = append(lines, x.factLines()...)
		lines = append(lines, x.blankLines()...)
	}
	return append(append(lines, x.tellLines()...), line{})
}

// both returns what is said of two causes at once, if they are there.
func (x explanation) both() (cause.Finding, bool) {
	i := slices.IndexFunc(x.findings, func(f cause.Finding) bool { return f.ID == bothCauses })
	if i < 0 {
		return cause.Finding{}, false
	}
	return x.findings[i], true
}

// repeated tells whether both say of a policy what a finding says.
func (x explanation) repeated(f cause.Finding) bool {
	both, found := x.both()
	return found && (f.ID == "X20" || f.ID == "X21") && f.Params["policy"] == both.Params["policy"]
}

func (x explanation) findingLine(f cause.Finding, first bool) line {
	l := line{text: "· ", hang: 2}
	switch {
	case f.Cause && first:
		l = line{text: "✗ ★ ", hang: 2, colour: screen.Wrong}
	case f.Cause:
		l = line{text: "✗ ", hang: 2, colour: screen.Notice}
	case slices.Contains(conclusion, f.ID):
		l = line{text: "→ ", hang: 2, colour: screen.Good}
	}
	l.text += x.in(f.TellAdmin)
	if x.all {
		l.text += " (" + strings.TrimSuffix(f.ID+", "+string(f.Confidence)+", "+f.Link, ", ") + ")"
	}
	return l
}

// tellLines are what the person who asks for help should hear, and the page of the cause.
func (x explanation) tellLines() (lines []line) {
	if len(x.findings) == 0 {
		return nil
	}
	f := x.findings[0]
	if both, found := x.both(); found {
		f = both
	}
	if said := x.in(f.TellUser); said != "" {
		lines = append(lines, line{text: x.say("why.tell", said), hang: 2})
	}
	// An address that is broken into two lines is of little use.
	if more := x.say("why.more", f.Link); f.Link != "" && !x.all && screen.Width(more) <= x.Out.Columns {
		lines = append(lines, line{text: more, colour: screen.Faint})
	}
	return lines
}

// A fact is what a piece of evidence was found to be.
type fact struct {
	piece cause.Piece
	value string
}

// facts are what was asked for, in words as short as they can be.
func (x explanation) facts() (facts []fact) {
	e := x.evidence
	if u, asked := e.User.Get(); asked {
		facts = append(facts, fact{cause.PieceUser, x.account(u)})
	}
	if d, asked := e.Domain.Get(); asked {
		facts = append(facts, fact{cause.PieceDomain, d.Name + " " + x.choose(d.Federated, "fact.federated", "fact.managed")})
	}
	if l, asked := e.Ledger.Get(); asked {
		facts = append(facts, fact{cause.PieceLedger, x.ledgerSays(l)})
	}
	if d, asked := e.Devices.Get(); asked {
		facts = append(facts, fact{cause.PieceDevices, strconv.Itoa(len(d))})
	}
	if f, asked := e.Federation.Get(); asked {
		facts = append(facts, fact{cause.PieceFederation, cmp.Or(strings.Trim(f.PromptLoginBehavior+", "+f.FederatedIDPMFABehavior, ", "), x.say("none"))})
	}
	if p, asked := e.Policies.Get(); asked {
		facts = append(facts, fact{cause.PiecePolicies, x.policiesSay(p)})
	}
	if on, asked := e.SecurityDefaults.Get(); asked {
		facts = append(facts, fact{cause.PieceSecurityDefaults, x.choose(on, "fact.on", "fact.off")})
	}
	if state, asked := e.PerUserMFA.Get(); asked {
		facts = append(facts, fact{cause.PiecePerUserMFA, state})
	}
	if s, asked := e.SignIns.Get(); asked {
		facts = append(facts, fact{cause.PieceSignIns, x.say("fact.sign_ins", len(s), signInDays)})
	}
	if state, asked := e.RiskState.Get(); asked {
		facts = append(facts, fact{cause.PieceRiskState, state})
	}
	return facts
}

func (x explanation) choose(is bool, yes, no language.Key) string {
	if is {
		return x.say(yes)
	}
	return x.say(no)
}

// account says what kind of account it is, and its stamp if it has one.
func (x explanation) account(u cause.User) string {
	said := []string{x.choose(u.Invited(), "fact.guest", "fact.member")}
	if u.AccountEnabled != nil {
		said = append(said, x.choose(*u.AccountEnabled, "fact.enabled", "fact.disabled"))
	}
	if at := x.when(u.SignInSessionsValidFrom); at != "" {
		said = append(said, x.say("fact.stamped", at))
	}
	return strings.Join(said, x.say("why.and"))
}

func (x explanation) ledgerSays(l cause.Ledger) string {
	if l.Entry.State == stamp.StateNone {
		return x.say("none")
	}
	return x.say(language.Key("state."+l.Entry.State)) + " " + x.when(l.Entry.Updated)
}

func (x explanation) policiesSay(policies []cause.Policy) string {
	applied, asking := 0, 0
	for _, p := range policies {
		if p.Applies && strings.EqualFold(p.State, "enabled") {
			applied++
			if p.SignInFrequency.Enabled {
				asking++
			}
		}
	}
	return x.say("fact.policies", applied, asking)
}

// factLines tell what else was looked at, with --all in a line each. Otherwise what is fine
// is only named, but for the account, the domain and the policies, which people ask about.
func (x explanation) factLines() (lines []line) {
	var fine []string
	for _, f := range x.facts() {
		name, blamed := x.in(f.piece.Name()), x.blamed(f.piece)
		said := line{text: "✓ " + x.say("why.fact", name, f.value), colour: screen.Good, hang: 2}
		switch {
		case blamed && x.all:
			said.text, said.colour = "✗ "+strings.TrimPrefix(said.text, "✓ "), screen.Notice
			fallthrough
		case x.all, f.piece == cause.PieceUser, f.piece == cause.PieceDomain, f.piece == cause.PiecePolicies && !blamed:
			lines = append(lines, said)
		case !blamed:
			fine = append(fine, name)
		}
	}
	if len(fine) > 0 {
		lines = append(lines, line{text: "✓ " + x.say("why.fine", strings.Join(fine, x.say("why.and"))), colour: screen.Good, hang: 2})
	}
	return lines
}

// blamed tells whether a cause rests on the piece.
func (x explanation) blamed(p cause.Piece) bool {
	return slices.ContainsFunc(x.findings, func(f cause.Finding) bool { return f.Cause && slices.Contains(f.Because, p) })
}

// blankLines tell what was not asked for: a line for each right, licence or failure.
func (x explanation) blankLines() (lines []line) {
	var told []string
	pieces := make(map[string][]string)
	for _, b := range x.blanks {
		why := x.because(b)
		if why == "" {
			continue
		}
		if pieces[why] == nil {
			told = append(told, why)
		}
		pieces[why] = append(pieces[why], x.in(b.Name))
	}
	for _, why := range told {
		text := "– " + x.say("why.not_asked", strings.Join(pieces[why], x.say("why.and")), why)
		lines = append(lines, line{text: text, colour: screen.Faint, hang: 2})
	}
	if x.all {
		lines = append(lines, line{text: "– " + x.say("why.not_in_graph"), colour: screen.Faint, hang: 2})
	}
	return lines
}

// because says why a piece was not asked for, "" for what this verb never asks for unless
// everything is shown.
func (x explanation) because(b cause.Blank) string {
	switch b.Gap.Reason {
	case cause.NoPermission:
		return x.say("why.no_right", x.in(b.Grant))
	case cause.NoLicence:
		return x.say("why.no_licence", b.Licence)
	case cause.Failed:
		if e := b.Gap.Err; e != nil {
			return x.say("why.failed", strings.Trim(strconv.Itoa(e.StatusCode)+" "+e.Code, "0 "))
		}
		return x.say("why.unread")
	case cause.Unasked:
	}
	switch {
	case b.Piece == cause.PieceLedger:
		return x.say("why.no_ledger")
	case x.all:
		return x.say("why.beta")
	}
	return ""
}
