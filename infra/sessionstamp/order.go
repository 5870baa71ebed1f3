package main

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/text/unicode/norm"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/job"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
)

// An errand is what a person wants of stamp or signout: their arguments and flags.
type errand struct {
	verb job.Verb
	whom
	exclusions
	limit               int
	hours               hours
	dryRun, yes, noWait bool
	expect              int // -1 for any number
	reason              string
	afresh              bool
}

func (c *call) stampVerb() *cobra.Command {
	cmd, _ := c.orderVerb(job.Stamp)
	return cmd
}

// signOutVerb has what keeps a person from signing out more people than were meant.
func (c *call) signOutVerb() *cobra.Command {
	cmd, e := c.orderVerb(job.SignOut)
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		_ = cmd.Flags().SetAnnotation(f.Name, explainedIn, []string{string(job.Stamp)}) // it fails only for a flag that there is not
	})
	cmd.Flags().Var(number{&e.expect}, "expect", c.help("flag.expect"))
	cmd.Flags().Var(text{&e.reason, "TEXT"}, "reason", c.help("flag.reason"))
	cmd.Flags().BoolVar(&e.afresh, "afresh", false, c.help("flag.afresh"))
	return cmd
}

func (c *call) orderVerb(verb job.Verb) (*cobra.Command, *errand) {
	e := &errand{verb: verb, expect: -1}
	cmd := c.verb(string(verb), func(cmd *cobra.Command, args []string) error {
		e.names = args
		return c.order(cmd.Context(), *e)
	})
	cmd.Args = cobra.ArbitraryArgs
	e.whom.flags(c, cmd)
	e.exclusions.flags(c, cmd)
	flags := cmd.Flags()
	flags.Var(number{&e.limit}, "limit", c.help("flag.first"))
	flags.Var(&e.hours, "at", c.help("flag.at"))
	flags.BoolVar(&e.dryRun, "dry-run", false, c.help("flag.dry-run"))
	flags.BoolVar(&e.yes, "yes", false, c.help("flag.yes"))
	flags.BoolVar(&e.noWait, "no-wait", false, c.help("flag.no-wait"))
	return cmd, e
}

// order finds out whom an errand means, shows it, asks, and does it.
func (c *call) order(ctx context.Context, e errand) (err error) {
	if err := c.sound(ctx, &e); err != nil {
		return err
	}
	t, err := c.signIn(ctx, e.permissions()...)
	if err != nil {
		return err
	}
	counter := c.count()
	t.seen = counter.add
	engine, end, err := c.engine(ctx, t, e.exclusions)
	if err != nil {
		counter.end()
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	m, err := c.mission(ctx, t, engine, e)
	counter.end()
	switch {
	case err != nil:
		return err
	case m.over() || e.dryRun:
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
	switch ways := e.ways(); {
	case len(ways) == 0:
		return c.nobodyNamed(ctx, e.verb)
	case len(ways) > 1:
		return misuse("use.one_way", strings.Join(ways, ", "))
	case e.dryRun:
	case e.verb == job.SignOut && e.yes && e.expect < 0 && !e.goOn:
		return misuse("use.expect")
	case !e.yes && (!c.Person || e.file == stdin):
		return misuse(language.Key("use.unasked_" + e.verb))
	}
	return c.readFile(&e.whom)
}

// permissions are what the errand needs, and no more.
func (e errand) permissions() []string {
	needed := append([]string{readUsers, readDomains}, e.exclusions.permissions()...)
	if e.group != "" && len(e.groups) == 0 {
		needed = append(needed, readMembers)
	}
	if !e.dryRun {
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
		return misuse("use.unfinished", o.Verb, c.when(o.Started), language.Number(len(o.Targets)))
	}
	return misuse("use.nobody", verb)
}

// confirm asks the one question, and returns nil if the answer is yes.
func (c *call) confirm(ctx context.Context, m mission) error {
	due := m.due()
	switch {
	case m.expect >= 0 && m.expect != due:
		return misuse("use.expected", language.Number(m.expect), language.Number(due))
	case m.yes || due == 0:
		return nil
	}
	question := map[job.Verb]language.Key{job.Stamp: "order.go_on", job.SignOut: "order.type"}[m.verb]
	answer, err := c.ask(ctx, c.say(question))
	if err != nil {
		return err
	}
	return accept(m.verb, answer, due)
}

// accept judges an answer.
func accept(verb job.Verb, answer string, due int) error {
	switch {
	case verb == job.Stamp && (answer == "y" || answer == "yes" || answer == "はい"):
		return nil
	case verb == job.Stamp || answer == "":
		return failure(nil, "fail.declined")
	case strings.ReplaceAll(answer, ",", "") != strconv.Itoa(due):
		return misuse("use.typed", language.Number(due))
	}
	return nil
}

// plainAnswer is an answer as it was meant: an input method for Japanese writes ４８ and ｙ.
func plainAnswer(line string) string {
	return strings.ToLower(strings.TrimSpace(norm.NFKC.String(line)))
}
