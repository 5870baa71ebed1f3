package main

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/setup"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	cause "github.com/sessionstamp/sessionstamp/shared/explain" // explain is a function here
)

// explained is the JSON of why.
type explained struct {
	Tenant   string         `json:"tenant"`
	At       string         `json:"at"`
	User     explainedUser  `json:"user"`
	Findings []foundCause   `json:"findings"`
	NotAsked []missingPiece `json:"notAsked"`
	Cure     string         `json:"cure,omitempty"`
	// Deployment is there where one was asked.
	Deployment *explainedStack `json:"deployment,omitempty"`
}

type explainedUser struct {
	ID                string `json:"id"`
	UserPrincipalName string `json:"userPrincipalName"`
	DisplayName       string `json:"displayName,omitempty"`
	Created           string `json:"createdDateTime,omitempty"`
	Stamp             string `json:"stamp,omitempty"`
}

type foundCause struct {
	Rule       string            `json:"rule"`
	Cause      bool              `json:"cause"`
	Confidence cause.Confidence  `json:"confidence"`
	Because    []cause.Piece     `json:"because"`
	Params     map[string]string `json:"params"`
	Link       string            `json:"link,omitempty"`
}

type missingPiece struct {
	Piece  cause.Piece  `json:"piece"`
	Reason cause.Reason `json:"reason"`
	Grant  string       `json:"grant,omitempty"`
}

// A question is what why is asked.
type question struct {
	user string
	// all shows everything, and messageOnly what the user should hear; allRights asks the
	// person for every right that helps.
	all, messageOnly, allRights bool
	deployment                  // without a name this machine is asked
}

func (c *call) whyVerb() *cobra.Command {
	var q question
	cmd := c.verb("why", func(cmd *cobra.Command, args []string) error {
		if number, is := errorNumber(args[0]); is {
			return c.whyCode(number)
		}
		q.user = args[0]
		return c.why(cmd.Context(), q)
	})
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return misuse("use.why_nobody")
		case len(args) > 1:
			return misuse("use.no_arguments", args[1], cmd.CommandPath())
		}
		return nil
	}
	cmd.Flags().BoolVar(&q.all, "all", false, c.help("flag.why-all"))
	cmd.Flags().BoolVar(&q.messageOnly, "message", false, c.help("flag.message"))
	cmd.Flags().BoolVar(&q.allRights, "all-rights", false, c.help("flag.all-rights"))
	q.quietFlags(c, cmd)
	return cmd
}

// why tells what makes a user sign in again and again.
func (c *call) why(ctx context.Context, q question) error {
	if !directory.IsID(strings.ToLower(q.user)) && !strings.Contains(q.user, "@") {
		return misuse("use.why_user", q.user) // before anybody has to sign in
	}
	w, err := c.witness(ctx, q.deployment)
	if err != nil {
		return err
	}
	rights := []string{readUsers, readDomains}
	if q.allRights {
		rights = append(rights, readEvidence...)
	}
	t, err := c.signIn(ctx, rights...)
	if err == nil {
		err = serves(w.Stack, t)
	}
	if err != nil {
		return err
	}
	u, err := c.user(ctx, t, q.user)
	if err != nil {
		return err
	}
	if !c.demo {
		_, _ = fmt.Fprintln(c.Stderr, c.Err.Paint(screen.Faint, c.say("why.asking")))
	}
	e := c.evidence(ctx, t, u, w)
	l, _ := e.Ledger.Get()
	w.cause, w.idle = w.causeOf(ctx, l.Entry), w.idleSignal(ctx, e.Now, u.ID)
	if err := ctx.Err(); err != nil {
		return err
	}
	x := explanation{call: c, question: q, witness: w, tenant: t.id, user: u, evidence: e, findings: cause.Explain(e), blanks: cause.NotLookedAt(e)}
	slices.SortStableFunc(x.findings, func(a, b cause.Finding) int { return rank(a) - rank(b) })
	if len(x.findings) > 0 && x.findings[0].Cause {
		c.status = wrong
	}
	return c.show(x.view())
}

// rank is lower for what explains more: first what a stamp does not end. What is certain and
// what is likely stand in the order of the rules.
func rank(f cause.Finding) int {
	switch {
	case !f.Cause:
		return 5
	case f.Outlasts && f.ID == bothCauses:
		return 0
	case f.Outlasts:
		return 1
	case f.Confidence == cause.Certain, f.Confidence == cause.High:
		return 2
	case f.Confidence == cause.Medium:
		return 3
	}
	return 4
}

// An explanation is what was found about a user.
type explanation struct {
	*call
	question
	witness witness

	tenant   string
	user     directory.User
	evidence cause.Evidence
	findings []cause.Finding // the cause first
	blanks   []cause.Blank
}

// name is what the person has typed, as a command line takes it: in quotes, or the object id
// where shells would still take it for something else.
func (x explanation) name() string {
	typed := strings.TrimSpace(x.question.user)
	switch {
	case plainName.MatchString(typed):
		return typed
	case screen.Clean(typed) == typed && !strings.ContainsAny(typed, "$`\"\\!%“”„"):
		return `"` + typed + `"`
	}
	return x.user.ID
}

var plainName = regexp.MustCompile(`^[A-Za-z0-9._+@-]+$`)

// cure is the arguments of the command that cures, "" if no command does. Findings name
// commands that need a deployment, too: these are not ours.
func (x explanation) cure() string {
	if setup.IsEmergency(x.user) { // the empty stamp is meant
		return ""
	}
	for _, f := range x.findings {
		if command, ours := strings.CutPrefix(f.Command, "sessionstamp stamp "); ours {
			return "stamp " + strings.ReplaceAll(command, cause.UserName, x.name()) + x.named()
		}
	}
	return ""
}

func (x explanation) view() view {
	u, _ := x.evidence.User.Get()
	v := view{
		before: x.messageLines(),
		sheet: screen.Table{Columns: []screen.Column{
			{Title: "userPrincipalName"}, {Title: "rule"}, {Title: "cause"}, {Title: "confidence"}, {Title: "because"}, {Title: "params"}, {Title: "link"},
		}},
	}
	if !x.messageOnly {
		v.before, v.step, v.next = x.lines(), x.place(), x.next()
	}
	object := explained{
		Tenant: x.tenant, At: moment(x.evidence.Now), Findings: []foundCause{}, NotAsked: []missingPiece{},
		User: explainedUser{x.user.ID, x.user.UserPrincipalName, u.DisplayName, moment(x.user.Created), moment(u.SignInSessionsValidFrom)},
	}
	for _, f := range x.findings {
		row := foundCause{f.ID, f.Cause, f.Confidence, append([]cause.Piece{}, f.Because...), f.Params, f.Link}
		object.Findings = append(object.Findings, row)
		v.sheet.Rows = append(v.sheet.Rows, []string{
			x.user.UserPrincipalName, row.Rule, strconv.FormatBool(row.Cause), string(row.Confidence), joined(row.Because), assigned(row.Params), row.Link,
		})
	}
	for _, b := range x.blanks {
		object.NotAsked = append(object.NotAsked, missingPiece{b.Piece, cmp.Or(b.Gap.Reason, "not asked"), b.Grant})
	}
	if cure := x.cure(); cure != "" {
		object.Cure = "sessionstamp " + cure
	}
	l, _ := x.evidence.Ledger.Get()
	object.Deployment = x.witness.object(l)
	v.object = object
	return v
}

func joined(pieces []cause.Piece) string {
	names := make([]string, len(pieces))
	for i, p := range pieces {
		names[i] = string(p)
	}
	return strings.Join(names, " ")
}

// assigned writes "name=value; …" in the order of the names.
func assigned(values map[string]string) string {
	all := make([]string, 0, len(values))
	for name, value := range values {
		all = append(all, name+"="+value)
	}
	slices.Sort(all)
	return strings.Join(all, "; ")
}

// foremost is what explains most.
func (x explanation) foremost() cause.Finding { return append(x.findings, cause.Finding{})[0] }

// place is where the policy is changed that explains most, "" if none does.
func (x explanation) place() string {
	f := x.foremost()
	switch name := f.Params["name"]; {
	case f.Cause && name != "":
		return x.say("why.policy", name)
	case f.Outlasts:
		return x.say("why.policies")
	}
	return ""
}

// next are the commands to go on with: the one that cures first.
func (x explanation) next() (next []hint) {
	how := language.Key("hint.cure")
	if f := x.foremost(); f.Outlasts {
		how = "hint.together"
	}
	if cure := x.cure(); cure != "" {
		next = append(next, hint{cure, how})
	}
	person := !x.demo && x.signInBy != byEnvironment && x.usualWay() != byEnvironment
	refused := func(b cause.Blank) bool { return b.Gap.Reason == cause.NoPermission }
	if person && !x.allRights && slices.ContainsFunc(x.blanks, refused) {
		next = append(next, hint{"why " + x.name() + x.named() + " --all-rights", "hint.rights"})
	}
	if !x.all {
		return append(next, hint{"why " + x.name() + x.named() + " --all", "hint.all"})
	}
	return append(next, hint{"check", "hint.check"})
}

// errorCode is a number of Entra's as people copy it from a screen, or from the sign-in log.
var errorCode = regexp.MustCompile(`^(?i:AADSTS)?([0-9]{4,9})$`)

func errorNumber(text string) (number int, is bool) {
	match := errorCode.FindStringSubmatch(text)
	if match == nil {
		return 0, false
	}
	number, err := strconv.Atoi(match[1])
	return number, err == nil
}

// codeExplained is the JSON of why with a code.
type codeExplained struct {
	Code    string `json:"code"`
	Meaning string `json:"meaning"`
	Link    string `json:"link"`
}

// whyCode tells what a code means; nobody has to sign in for that.
func (c *call) whyCode(number int) error {
	meaning, page := cause.Code(number)
	code := "AADSTS" + strconv.Itoa(number)
	said := c.in(meaning)
	if said == "" {
		said = c.say("why.unknown_code")
	}
	lines := []line{{text: code + "  " + said, colour: screen.Strong, hang: 2}}
	if number == 700082 {
		lines = append(lines, line{text: c.say("why.twelve_hours")})
	}
	return c.show(view{
		before: append(lines, line{text: c.say("why.more", page), hang: 2}, line{}),
		next:   []hint{{"why --help", "hint.why"}},
		sheet:  screen.Table{Columns: []screen.Column{{Title: "code"}, {Title: "meaning"}, {Title: "link"}}, Rows: [][]string{{code, meaning.English, page}}},
		object: codeExplained{code, meaning.English, page},
	})
}

// in chooses the person's language.
func (c *call) in(text cause.Text) string {
	if c.lang == language.Japanese {
		return text.Japanese
	}
	return text.English
}
