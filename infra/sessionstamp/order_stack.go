package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/job"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/setup"
	"github.com/sessionstamp/sessionstamp/shared/aws/account"
	"github.com/sessionstamp/sessionstamp/shared/aws/stack"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// quietFlags are the flags of a verb whose help says in a sentence what they are for.
func (d *deployment) quietFlags(c *call, cmd *cobra.Command) {
	d.flags(c, cmd, "")
	for _, name := range []string{"stack", "region", "profile"} {
		_ = cmd.Flags().SetAnnotation(name, explainedIn, []string{"deployment"}) // it fails only for a flag that there is not
	}
}

// soundStack refuses what a deployment can't do.
func (e errand) soundStack() error {
	if e.name != "" && e.hours != (hours{}) {
		return misuse("use.at_stack")
	}
	return e.sound()
}

// named is a deployment again for a verb that can do without, "" for none.
func (d deployment) named() string {
	if d.name == "" {
		return ""
	}
	return " --stack " + argument(d.name) + d.place()
}

// sound refuses a place of nothing.
func (d deployment) sound() error {
	switch {
	case d.name == "" && d.region != "":
		return misuse("use.needs_stack", "region")
	case d.name == "" && d.profile != "":
		return misuse("use.needs_stack", "profile")
	}
	return nil
}

// takesOrders finds the deployment that is meant, which is nil for this machine, and refuses
// one that would not carry the order out.
func (c *call) takesOrders(ctx context.Context, e errand) (s *stack.Stack, err error) {
	if e.name == "" {
		return nil, nil //nolint:nilnil // it is this machine that is meant
	}
	if s, err = c.working(ctx, e.deployment); err != nil {
		return nil, err
	}
	switch groups := entriesOf(s, "ExcludedGroups"); {
	case len(groups)+len(e.groups) > maxGroups:
		return nil, misuse("use.too_many_groups_stack", language.Number(maxGroups), language.Number(len(groups)))
	case e.dryRun:
		return s, nil
	case observes(s):
		return nil, failure(nil, "fail.stack_dry_run", s.Name, e.given())
	}
	m, err := s.Memory(ctx)
	if err == nil && isSet(m.Brake.Paused) {
		err = failure(nil, "fail.stack_paused", s.Name, c.when(m.Brake.Paused), "sessionstamp resume"+e.given())
	}
	return s, err
}

// serves refuses a deployment of another tenant.
func serves(s *stack.Stack, t tenant) error {
	if s == nil || strings.EqualFold(s.Tenant(), t.id) {
		return nil
	}
	return misuse("use.other_tenant", s.Name, s.Tenant(), t.id)
}

// entriesOf are those of a parameter, which was looked at when it was deployed.
func entriesOf(s *stack.Stack, parameter string) []string {
	if s == nil {
		return nil
	}
	return setup.Entries(s.Parameters[parameter])
}

// excludedBy is whom a deployment never touches, but for groups.
func excludedBy(s *stack.Stack) stamp.Exclusions {
	return stamp.Exclusions{IDs: entriesOf(s, "ExcludedUsers"), Patterns: entriesOf(s, "ExcludedUpnPatterns")}
}

// together is both exclusions in one.
func together(a, b stamp.Exclusions) stamp.Exclusions {
	return stamp.Exclusions{IDs: slices.Concat(a.IDs, b.IDs), Patterns: slices.Concat(a.Patterns, b.Patterns)}
}

// observes tells whether a deployment decides only.
func observes(s *stack.Stack) bool { return s.Parameters["DryRun"] == "true" }

// judgesAs lets an engine judge as the deployment will, and hand orders to it.
func judgesAs(s *stack.Stack) func(*job.Config) {
	return func(c *job.Config) {
		if s == nil {
			return
		}
		c.Policy.Exclusions = together(c.Policy.Exclusions, excludedBy(s))
		c.ExcludedGroups = slices.Compact(slices.Sorted(slices.Values(slices.Concat(c.ExcludedGroups, entriesOf(s, "ExcludedGroups")))))
		c.FederatedDomains, c.Deployment = entriesOf(s, "FederatedDomains"), remote{s}
	}
}

// remote is a stack as package job knows it.
type remote struct{ *stack.Stack }

// Enqueue implements [job.Deployment].
func (r remote) Enqueue(ctx context.Context, requests []stamp.Request) error {
	queue, err := r.Requests()
	if err == nil {
		err = queue.Enqueue(ctx, requests)
	}
	if err != nil {
		return account.Explain(err)
	}
	return nil
}

// Handled implements [job.Deployment].
func (r remote) Handled(ctx context.Context, since time.Time) (list []job.Handled, err error) {
	records, _, err := r.Logs(ctx, "StamperFunction", since, `{ $.message = "user handled" && $.source = "person" }`, mostHandled)
	for _, record := range records {
		if h, is := handledIn(record); is {
			list = append(list, job.Handled{At: record.At, User: h.User, Verdict: h.Verdict, Reason: h.Reason})
		}
	}
	return list, err
}

// Paused implements [job.Deployment].
func (r remote) Paused(ctx context.Context) (time.Time, error) {
	m, err := r.Memory(ctx)
	return m.Brake.Paused, err
}

// handOver gives an order to the deployment, and follows it.
func (c *call) handOver(ctx context.Context, engine *job.Engine, m mission) (job.Result, error) {
	options := job.RunOptions{NoWait: m.noWait}
	if !m.noWait {
		f := c.follow(len(m.order.Targets), "stack.reads_back")
		defer f.end()
		options.Progress = f.take
	}
	return engine.Hand(ctx, m.order, options)
}

// toldByOutcome tells whether the result has said why the following ended.
func toldByOutcome(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, job.ErrPaused) || errors.Is(err, job.ErrSilent)
}

// doneBy says which deployment does it.
func (c *call) doneBy(m mission) []line {
	if m.stack == nil {
		return nil
	}
	a := m.stack.Account()
	return []line{{text: c.say("stack.does_it", m.stack.Name, a.Region, a.ID), hang: 2}}
}

// left says what the deployment has of an order that was not followed to its end, and how to
// go on. There is nothing to say if it was.
func (c *call) left(m mission, r job.Result, ended error) (lines []line, next []hint) {
	open, called := r.Count(job.Open), r.Count(job.Called)
	if m.stack == nil || open+called == 0 {
		return nil, nil
	}
	place := m.given()
	look := hint{"history" + m.deployment.named(), "hint.history"}
	if errors.Is(ended, job.ErrNotHanded) {
		return []line{{text: c.say(m.key("not_handed"), m.stack.Name), colour: screen.Notice}},
			[]hint{{string(m.verb) + " --continue" + m.deployment.named(), "hint.hand_rest"}, look}
	}
	lines = []line{{text: c.say(m.key("left"), m.stack.Name, language.Number(len(r.Users)), language.Number(called+r.Count(job.Cured)))}}
	next = []hint{look, {"pause" + place, "hint.pause"}}
	switch {
	case errors.Is(ended, job.ErrPaused):
		lines = append(lines, line{text: c.say("stack.paused"), colour: screen.Notice})
		next = []hint{{"resume" + place, "hint.resume"}, look}
	case errors.Is(ended, job.ErrSilent):
		lines = append(lines, line{text: c.say("stack.silent"), colour: screen.Notice})
		next = []hint{{"status" + place, "hint.status"}, look}
	default:
		lines = append(lines, line{text: c.say("stack.goes_on")})
	}
	return lines, next
}
