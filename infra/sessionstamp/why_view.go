package main

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/setup"
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

// lines are the screen: who it is, the causes, what else was looked at, what was not, and
// what the user should hear.
func (x explanation) lines() []line {
	lines, first := x.header(), true
	if setup.IsEmergency(x.user) {
		lines = append(lines, line{text: "! " + x.say("why.emergency"), colour: screen.Notice, hang: 2})
	}
	for _, f := range x.findings {
		if (x.all || !x.repeated(f)) && !x.meant(f) {
			lines = append(lines, x.findingLines(f, first)...)
			first = false
		}
	}
	if x.all || !slices.Contains(final, x.foremost().ID) {
		lines = append(lines, x.factLines()...)
		lines = append(lines, x.witnessLines()...)
		lines = append(lines, x.blankLines()...)
	}
	// An address that is broken into two lines is of little use.
	if more := x.say("why.more", x.foremost().Link); x.foremost().Link != "" && !x.all && screen.Width(more) <= x.Out.Columns {
		lines = append(lines, line{text: more, colour: screen.Faint})
	}
	if setup.IsEmergency(x.user) { // nobody waits for a message
		return append(lines, line{})
	}
	lines = append(lines, line{}, line{text: x.say("why.tell"), colour: screen.Strong})
	return append(append(lines, x.messageLines()...), line{})
}

// header says who it is, and since when.
func (x explanation) header() []line {
	u, _ := x.evidence.User.Get()
	who := strings.TrimLeft(u.DisplayName+"  "+x.user.UserPrincipalName, " ")
	created := x.when(x.user.Created)
	if created != "" {
		created = "  " + x.say("why.created", created)
	}
	if screen.Width(who+created) <= x.Out.Columns {
		return []line{{text: who + created, colour: screen.Strong}, {}}
	}
	return []line{{text: who, colour: screen.Strong, hang: 2}, {text: created, colour: screen.Strong}, {}}
}

// both returns what is said of two causes at once, if they are there.
func (x explanation) both() (cause.Finding, bool) {
	i := slices.IndexFunc(x.findings, func(f cause.Finding) bool { return f.ID == bothCauses })
	if i < 0 || x.meant(x.findings[i]) {
		return cause.Finding{}, false
	}
	return x.findings[i], true
}

// meant tells whether a finding is of the empty stamp that an emergency access account has.
func (x explanation) meant(f cause.Finding) bool {
	return setup.IsEmergency(x.user) && strings.HasPrefix(f.Command, "sessionstamp stamp ")
}

// repeated tells whether both say of a policy what a finding says.
func (x explanation) repeated(f cause.Finding) bool {
	both, found := x.both()
	return found && (f.ID == "X20" || f.ID == "X21") && f.Params["policy"] == both.Params["policy"]
}

func (x explanation) findingLines(f cause.Finding, first bool) []line {
	mark, colour := x.say("why.mark"), screen.Colour("")
	switch {
	case f.Cause && first:
		mark, colour = "✗ ★ "+x.say("why.main"), screen.Wrong
	case f.Cause:
		mark, colour = "✗ ", screen.Notice
	case slices.Contains(conclusion, f.ID):
		mark, colour = "→ ", screen.Good
	}
	text := mark + x.in(f.TellAdmin)
	if !x.all {
		return []line{marked(text, colour)}
	}
	lines := []line{marked(text+x.say("why.rule", f.ID, x.say(confidences[f.Confidence])), colour)}
	if f.Link != "" {
		lines = append(lines, line{text: "  " + f.Link, colour: screen.Faint, hang: 2})
	}
	return lines
}

var confidences = map[cause.Confidence]language.Key{
	cause.Certain: "why.certain", cause.High: "why.high", cause.Medium: "why.medium", cause.Low: "why.low", cause.Info: "why.info",
}

// message is what the person who asks for help should hear.
func (x explanation) message() string {
	if setup.IsEmergency(x.user) {
		return x.say("why.emergency")
	}
	if both, found := x.both(); found {
		return x.in(both.TellUser)
	}
	for _, f := range x.findings {
		if said := x.in(f.TellUser); said != "" {
			return said
		}
		if f.Cause {
			break // another cause's message would mislead
		}
	}
	return x.say("why.no_message")
}

// messageLines are the message, as it is pasted: a sentence a line, and none broken.
func (x explanation) messageLines() (lines []line) {
	whole := strings.NewReplacer(". ", ".\n", "。", "。\n").Replace(x.message())
	for text := range strings.SplitSeq(strings.TrimSpace(whole), "\n") {
		lines = append(lines, line{text: text, whole: true})
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
		facts = append(facts, fact{cause.PiecePerUserMFA, x.state(state)})
	}
	if s, asked := e.SignIns.Get(); asked {
		facts = append(facts, fact{cause.PieceSignIns, x.say("fact.sign_ins", len(s), signInDays)})
	}
	if state, asked := e.RiskState.Get(); asked {
		facts = append(facts, fact{cause.PieceRiskState, x.state(state)})
	}
	return facts
}

// states are values of Graph's that have a name in its admin centers.
var states = map[string]language.Key{
	"disabled": "fact.disabled", "enabled": "fact.enabled", "enforced": "fact.enforced",
	"none": "fact.no_risk", "atRisk": "fact.at_risk", "confirmedCompromised": "fact.compromised",
	"remediated": "fact.remediated", "dismissed": "fact.dismissed", "confirmedSafe": "fact.safe",
}

func (x explanation) state(value string) string {
	if key, known := states[value]; known {
		return x.say(key)
	}
	return value
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
	return x.and(said)
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
		name, told := x.in(f.piece.Name()), x.told(f.piece)
		text := x.say("why.fact", name, f.value)
		said := marked("✓ "+text, screen.Good)
		if told {
			said = marked(x.say("why.mark")+text, "")
		}
		switch {
		case x.all, f.piece == cause.PieceUser, f.piece == cause.PieceDomain, f.piece == cause.PiecePolicies && !told:
			lines = append(lines, said)
		case !told:
			fine = append(fine, name)
		}
	}
	if len(fine) > 0 {
		lines = append(lines, marked("✓ "+x.say("why.fine", x.and(fine)), screen.Good))
	}
	return lines
}

// told tells whether a finding rests on the piece.
func (x explanation) told(p cause.Piece) bool {
	return slices.ContainsFunc(x.findings, func(f cause.Finding) bool { return slices.Contains(f.Because, p) })
}

// blankLines tell what was not asked for: a line for each right, licence or failure.
func (x explanation) blankLines() (lines []line) {
	var missing gaps
	for _, b := range x.blanks {
		missing.add(x.because(b), x.in(b.Name))
	}
	for _, why := range missing.reasons {
		lines = append(lines, marked("– "+x.say("why.not_asked", x.and(missing.names[why]), why), screen.Faint))
	}
	if x.all {
		lines = append(lines, marked("– "+x.say("why.not_in_graph"), screen.Faint))
	}
	return lines
}

// because says why a piece was not asked for, "" for what nobody misses.
func (x explanation) because(b cause.Blank) string {
	switch e := b.Gap.Err; {
	case b.Gap.Reason == cause.NoPermission:
		return x.say("why.no_right", b.Grant)
	case b.Gap.Reason == cause.NoLicence:
		return x.say("why.no_licence", b.Licence)
	case b.Gap.Reason == cause.Failed && e != nil:
		return x.say("why.failed", strings.Trim(strconv.Itoa(e.StatusCode)+" "+e.Code, "0 "))
	case b.Gap.Reason == cause.Failed:
		return x.say("why.unread")
	case b.Piece == cause.PieceLedger:
		return x.say("why.no_ledger")
	}
	return ""
}
