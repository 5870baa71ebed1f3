package main

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/text/unicode/norm"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/job"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/shared/aws/stack"
	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// An errand is what a person wants of stamp, signout or restamp: their arguments and flags.
type errand struct {
	verb job.Verb
	whom
	logged
	exclusions
	deployment          // without a name this machine does it
	stack               *stack.Stack
	limit               int
	hours               hours
	dryRun, yes, noWait bool
	expect              int // -1 for any number
	reason              string
	afresh              bool
	// asksMembers tells that the order that goes on has excluded groups.
	asksMembers bool
}

func (c *call) stampVerb() *cobra.Command {
	cmd, _ := c.orderVerb(job.Stamp)
	explainElsewhere(cmd, job.SignOut, "afresh", "no-wait", "reason")
	return cmd
}

// signOutVerb has what keeps a person from signing out more people than were meant. Its help
// shows the flags that matter most, and says where the others are explained.
func (c *call) signOutVerb() *cobra.Command {
	cmd, e := c.orderVerb(job.SignOut)
	explainElsewhere(cmd, job.Stamp, "all", "domain", "file", "group", "exclude-group", "limit")
	cmd.Flags().Var(number{&e.expect}, "expect", c.help("flag.expect"))
	return cmd
}

// explainElsewhere leaves flags to the help of another verb: a help is one screen.
func explainElsewhere(cmd *cobra.Command, verb job.Verb, flags ...string) {
	explainIn(cmd, string(verb), flags...)
}

// explainIn leaves flags to another help.
func explainIn(cmd *cobra.Command, help string, flags ...string) {
	for _, name := range flags {
		_ = cmd.Flags().SetAnnotation(name, explainedIn, []string{help}) // it fails only for a flag that there is not
	}
}

func (c *call) orderVerb(verb job.Verb) (*cobra.Command, *errand) {
	e := &errand{verb: verb, expect: -1}
	cmd := c.verb(string(verb), func(cmd *cobra.Command, args []string) error {
		e.names = args
		return c.order(cmd.Context(), *e)
	})
	cmd.Args = cobra.ArbitraryArgs
	e.whom.flags(c, cmd)
	cmd.Flags().Var(number{&e.limit}, "limit", c.help("flag.first"))
	e.carryingFlags(c, cmd)
	return cmd, e
}

// carryingFlags are those about how it is carried out.
func (e *errand) carryingFlags(c *call, cmd *cobra.Command) {
	e.exclusions.flags(c, cmd)
	e.quietFlags(c, cmd)
	flags := cmd.Flags()
	flags.Var(&e.hours, "at", c.help("flag.at"))
	flags.Var(text{&e.reason, "TEXT"}, "reason", c.help("flag.reason"))
	flags.BoolVar(&e.dryRun, "dry-run", false, c.help("flag.dry-run"))
	flags.BoolVar(&e.yes, "yes", false, c.help("flag.yes"))
	flags.BoolVar(&e.noWait, "no-wait", false, c.help("flag.no-wait"))
	flags.BoolVar(&e.afresh, "afresh", false, c.help("flag.afresh"))
}

// order finds out whom an errand means, shows it, asks, and does it.
func (c *call) order(ctx context.Context, e errand) (err error) {
	if err := c.sound(ctx, &e); err != nil {
		return err
	}
	if e.stack, err = c.takesOrders(ctx, e); err != nil {
		return err
	}
	t, err := c.signIn(ctx, e.permissions()...)
	if err == nil {
		err = serves(e.stack, t)
	}
	if err != nil {
		return err
	}
	c.looksOnly = e.dryRun
	counter := c.count()
	t.seen = counter.add
	m, engine, end, err := c.mission(ctx, t, e)
	counter.end()
	defer func() { err = errors.Join(err, end()) }()
	if err == nil {
		err = c.agrees(m)
	}
	if err != nil {
		return err
	}
	if n, _ := c.doubtful(m); n > 0 {
		c.status = wrong
	}
	if m.over() || e.dryRun {
		return c.show(c.preview(m))
	}
	c.tell(c.previewLines(m)...)
	if err := c.confirm(ctx, m); err != nil {
		return err
	}
	return c.carryOut(ctx, engine, m)
}

// sound refuses what can't be meant, before anybody signs in.
func (c *call) sound(ctx context.Context, e *errand) error {
	if _, err := e.policy(); err != nil {
		return err
	}
	if err := e.soundStack(); err != nil {
		return err
	}
	ways := e.ways()
	if e.from != "" {
		ways = append(ways, "--from")
	}
	switch {
	case len(ways) == 0:
		return c.nobodyNamed(ctx, e.verb)
	case len(ways) > 1:
		if e.goOn {
			return misuse("use.continue_alone")
		}
		return misuse("use.one_way", strings.Join(ways, ", "))
	case e.goOn && (e.limit > 0 || e.reason != "" || e.afresh):
		return misuse("use.continue_alone")
	case e.goOn:
		o, _, err := c.unfinished(ctx)
		if e.asksMembers = len(o.ExcludedGroups) > 0; err != nil {
			return err
		}
	}
	for _, name := range e.names {
		if !directory.IsID(strings.ToLower(name)) && !strings.Contains(name, "@") {
			return misuse("use.user", name)
		}
	}
	switch {
	case e.verb != job.Stamp && e.yes && e.expect < 0 && !e.goOn && !e.dryRun:
		return misuse("use.expect", e.verb)
	case c.unasked(*e) && !c.signsInAlone():
		return misuse(language.Key("use.unasked_" + e.verb))
	}
	if err := c.readFile(ctx, &e.whom); err != nil {
		return err
	}
	return c.readLog(ctx, &e.logged)
}

// unasked tells whether nobody is there who could answer the question.
func (c *call) unasked(e errand) bool {
	return !e.yes && !e.dryRun && (!c.Person || e.file == stdin || e.from == stdin)
}

// signsInAlone tells whether no person is needed to sign in.
func (c *call) signsInAlone() bool {
	return c.demo || c.signInBy == byEnvironment || c.signInBy == "" && c.usualWay() == byEnvironment
}

// agrees refuses what could not be known before: that it would be another number of people,
// and that nobody is there to be asked.
func (c *call) agrees(m mission) error {
	switch due := m.due(); {
	case m.expect >= 0 && m.expect != due:
		return misuse("use.expected", language.Number(m.expect), language.Number(due))
	case m.dryRun:
		return nil
	case c.unasked(m.errand):
		return misuse(language.Key("use.unasked_" + m.verb))
	}
	return nil
}

// permissions are what the errand needs, and no more.
func (e errand) permissions() []string {
	needed := append([]string{readUsers, readDomains}, e.exclusions.permissions()...)
	if (e.group != "" || e.asksMembers || len(entriesOf(e.stack, "ExcludedGroups")) > 0) && len(e.groups) == 0 {
		needed = append(needed, readMembers)
	}
	if !e.dryRun && e.name == "" { // a deployment has its own
		needed = append(needed, revoke)
	}
	return needed
}

// nobodyNamed says how to name somebody, or what is unfinished on this machine.
func (c *call) nobodyNamed(ctx context.Context, verb job.Verb) error {
	o, found, err := c.unfinished(ctx)
	switch {
	case err != nil:
		return err
	case found:
		return c.stopped(o)
	}
	if verb == job.Restamp {
		return misuse("use.no_log")
	}
	return misuse("use.nobody", verb)
}

// stopped says what was stopped on this machine, and the two ways to go on.
func (c *call) stopped(o job.Order) error {
	key, args := c.unfinishedOrder(o)
	return misuse(key, args...)
}

func (c *call) unfinishedOrder(o job.Order) (key language.Key, args []any) {
	args = []any{o.Verb, c.when(o.Started), language.Number(len(o.Targets))}
	if key = "use.unfinished"; o.Stack != "" {
		key, args = "use.unfinished_stack", append(args, argument(o.Stack))
	}
	if len(o.Targets) == 1 {
		key += ".one"
	}
	return key, args
}

// confirm asks the one question, and returns nil if the answer is yes.
func (c *call) confirm(ctx context.Context, m mission) error {
	due := m.due()
	if m.yes || due == 0 {
		return nil
	}
	question := language.Key("order.type")
	if m.verb == job.Stamp {
		question = "order.go_on"
	}
	answer, err := c.ask(ctx, c.say(question))
	if err != nil {
		return err
	}
	return accept(m.verb, answer, due)
}

// accept judges an answer.
func accept(verb job.Verb, answer string, due int) error {
	switch {
	case verb == job.Stamp && agrees(answer):
		return nil
	case verb == job.Stamp || answer == "":
		return failure(nil, "fail.declined")
	case strings.NewReplacer(",", "", "、", "", "人", "", " ", "").Replace(answer) != strconv.Itoa(due):
		return misuse("use.typed")
	}
	return nil
}

// agree asks a question, and returns nil if the answer is yes.
func (c *call) agree(ctx context.Context, question string) error {
	answer, err := c.ask(ctx, question)
	if err == nil && !agrees(answer) {
		err = failure(nil, "fail.declined")
	}
	return err
}

// agrees tells whether an answer is yes.
func agrees(answer string) bool { return answer == "y" || answer == "yes" || answer == "はい" }

// plainAnswer is an answer as it was meant: an input method for Japanese writes ４８ and ｙ.
func plainAnswer(line string) string {
	return strings.ToLower(strings.TrimSpace(norm.NFKC.String(line)))
}
