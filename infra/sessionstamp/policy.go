package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/access"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
)

// policies are the policies of AWS by the word that asks for one, and for whom each is.
var policies = map[string]struct {
	of  func(access.Place) access.Policy
	who language.Key
}{
	"deploy":   {access.Deploy, "policy.deploy"},
	"operator": {access.Operator, "policy.operator"},
	"signals":  {access.Signals, "policy.signals"},
	"helpdesk": {access.Helpdesk, "policy.helpdesk"},
}

var policyNames = []string{"deploy", "operator", "signals", "helpdesk"}

func (c *call) policyVerb() *cobra.Command {
	place := access.Place{Stack: usualStack}
	cmd := c.verb("policy", func(_ *cobra.Command, args []string) error { return c.policy(args[0], place) })
	ofDeployment(cmd)
	flags := cmd.Flags()
	flags.Var(matching{&place.Stack, "NAME", regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]{0,127}$`)}, "stack", c.help("flag.policy-stack"))
	flags.Var(matching{&place.Region, "eu-central-1", looksLikeRegion}, "region", c.help("flag.policy-region"))
	flags.Var(matching{&place.Account, "111122223333", regexp.MustCompile(`^[0-9]{12}$`)}, "account", c.help("flag.policy-account"))
	cmd.ValidArgsFunction = cobra.FixedCompletions(policyNames, cobra.ShellCompDirectiveNoFileComp)
	cmd.Args = func(_ *cobra.Command, args []string) error {
		if len(args) != 1 || policies[args[0]].of == nil {
			return misuse("use.policy", strings.Join(policyNames, "|"))
		}
		return nil
	}
	return cmd
}

// policy writes a policy as IAM takes it; CSV lists what it allows. It asks nobody anything.
func (c *call) policy(name string, place access.Place) error {
	if place.Region != "" {
		place.Partition = access.PartitionOf(place.Region)
	}
	p := policies[name].of(place)
	if c.format == screen.CSV {
		return c.show(view{sheet: allowed(p)})
	}
	out := json.NewEncoder(c.Stdout)
	out.SetIndent("", "  ")
	if err := out.Encode(p); err != nil {
		return err
	}
	c.tell(line{text: c.say(policies[name].who, place.Stack, cmp.Or(place.Region, "*"), cmp.Or(place.Account, "*"))}, line{text: c.say("policy.console")})
	next := []hint{{"permissions", "hint.permissions"}}
	if place.Region == "" || place.Account == "" {
		next = append([]hint{{fmt.Sprintf("policy %s --region eu-central-1 --account 111122223333", name), "hint.narrow"}}, next...)
	}
	for _, text := range c.hints(next) {
		_, _ = fmt.Fprintln(c.Stderr, text)
	}
	return nil
}

// allowed has a row for each action.
func allowed(p access.Policy) screen.Table {
	t := screen.Table{Columns: []screen.Column{{Title: "sid"}, {Title: "action"}, {Title: "resource"}}}
	for _, s := range p.Statement {
		for _, action := range s.Action {
			t.Rows = append(t.Rows, []string{s.Sid, action, strings.Join(s.Resource, " ")})
		}
	}
	return t
}

// matching is a flag whose value has a form. What it takes is shown by an example.
type matching struct {
	to   *string
	like string
	form *regexp.Regexp
}

func (m matching) Set(text string) error {
	if !m.form.MatchString(text) {
		return errValue
	}
	*m.to = text
	return nil
}

func (matching) String() string { return "" }

func (m matching) Type() string { return m.like }
