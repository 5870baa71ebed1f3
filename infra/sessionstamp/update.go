package main

import (
	"context"
	"errors"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/bundle"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/setup"
	"github.com/sessionstamp/sessionstamp/shared/aws/stack"
)

// A release is what an update brings.
type release struct {
	Version string
	Tree    fs.FS
	// Deployer deploys the tree; nil means the SAM CLI.
	Deployer setup.Deployer
}

// updating is what the flags of update say.
type updating struct {
	deployment
	planOnly, yes bool
}

// updated is the JSON of update.
type updated struct {
	Stack    string           `json:"stack"`
	Running  string           `json:"running"`
	Brings   string           `json:"brings"`
	Deployed bool             `json:"deployed"`
	Changes  []updatedChanges `json:"changes"`
	// Moved are parameters under another name now, Gone those that are no more.
	Moved map[string]string `json:"moved"`
	Gone  []string          `json:"gone"`
	// Trusts are functions that an app in Entra may not trust yet, as setup has it do.
	Trusts []string `json:"trusts"`
}

type updatedChanges struct {
	Version string   `json:"version"`
	Lines   []string `json:"lines"`
}

func (c *call) updateVerb() *cobra.Command {
	var u updating
	cmd := c.verb("update", func(cmd *cobra.Command, _ []string) error { return c.update(cmd.Context(), u) })
	u.flags(c, cmd, usualStack)
	cmd.Flags().BoolVar(&u.planOnly, "plan", false, c.help("update.plan"))
	cmd.Flags().BoolVar(&u.yes, "yes", false, c.help("flag.yes"))
	return cmd
}

// update says what would change, asks once, and deploys.
func (c *call) update(ctx context.Context, u updating) error {
	if !u.yes && !u.planOnly && !c.Person {
		return misuse("use.unasked_update")
	}
	s, err := c.working(ctx, u.deployment)
	if err != nil {
		return deploying(err)
	}
	brings, err := c.released()
	if err != nil {
		return err
	}
	plan, err := readUpdate(s, brings)
	switch {
	case err != nil:
		return err
	case plan.back():
		return misuse("use.newer", plan.Running, plan.Brings)
	case plan.same(), u.planOnly:
		return c.show(c.updateView(u, s, plan, false))
	}
	if !u.yes {
		if err := c.confirmUpdate(ctx, plan); err != nil {
			return err
		}
	}
	c.tell(line{text: c.say("update.begins"), colour: screen.Faint})
	if s, err = c.deploy(ctx, u, s, plan); err != nil {
		return err
	}
	return c.show(c.updateView(u, s, plan, true))
}

// released is what this command brings.
func (c *call) released() (release, error) {
	if c.Release != nil {
		return *c.Release, nil
	}
	tree, err := bundle.Open()
	if errors.Is(err, bundle.ErrNoFunctions) {
		return release{}, failure(err, "update.no_functions")
	}
	return release{Version: bundle.Version(), Tree: tree}, err
}

func readUpdate(s *stack.Stack, brings release) (change, error) {
	changelog, err := fs.ReadFile(brings.Tree, "CHANGELOG.md")
	if err != nil {
		return change{}, err
	}
	template, err := fs.ReadFile(brings.Tree, "template.yaml")
	return planUpdate(s.Version, brings.Version, string(changelog), string(template), s.Parameters), err
}

func (c *call) confirmUpdate(ctx context.Context, plan change) error {
	c.tell(c.updateLines(plan)...)
	return c.agree(ctx, c.say("update.question"))
}

// deploy changes the stack, and returns it as it is then. What CloudFormation says goes
// before what the deployer says.
func (c *call) deploy(ctx context.Context, u updating, s *stack.Stack, plan change) (*stack.Stack, error) {
	at := deploymentIn(s.Account(), s.Name)
	deployer, err := c.deployer(at, u.profile)
	if err != nil {
		return s, err
	}
	steps := c.steps()
	steps.take(setup.Event{Step: "deploy", Detail: s.Name, State: setup.Begins})
	said := deployer.Deploy(ctx, setup.Plan{Deployment: at, Values: plan.Values, Version: plan.Brings, Tags: s.Tags, Exists: true})
	steps.end()
	if ctx.Err() != nil {
		return s, failure(ctx.Err(), "update.stopped", "sessionstamp status"+u.given())
	}
	return c.deployed(ctx, u, s, said)
}

// deployed looks at the stack after a deployment, of which the deployer has said something.
func (c *call) deployed(ctx context.Context, u updating, before *stack.Stack, said error) (*stack.Stack, error) {
	s, err := c.stack(ctx, u.deployment)
	switch {
	case err != nil:
		return s, err
	case said != nil && s.Status == before.Status && s.Updated.Equal(before.Updated):
		return s, failure(said, "update.sam", said.Error())
	case s.Failure != "":
		return s, failure(said, "update.failed", s.Status, s.Failure)
	case said != nil: // SAM has ended, CloudFormation has not
		return s, failure(said, "update.stopped", "sessionstamp status"+u.given())
	}
	return s, nil
}
