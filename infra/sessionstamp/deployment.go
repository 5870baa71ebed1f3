package main

import (
	"cmp"
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/setup"
	"github.com/sessionstamp/sessionstamp/shared/aws/account"
	"github.com/sessionstamp/sessionstamp/shared/aws/stack"
)

// usualStack is the name of a stack where none is given.
const usualStack = "sessionstamp"

// A deployment is the stack that a verb is about, and where it is.
type deployment struct{ name, region, profile string }

// flags adds those that say which deployment. Verbs that work without one have no usual
// name for it.
func (d *deployment) flags(c *call, cmd *cobra.Command, usual string) {
	if d.name = usual; usual != "" {
		ofDeployment(cmd)
	}
	cmd.Flags().Var(text{&d.name, "NAME"}, "stack", c.help("flag.stack"))
	cmd.Flags().Var(region{&d.region}, "region", c.help("flag.region"))
	cmd.Flags().Var(text{&d.profile, "PROFILE"}, "profile", c.help("flag.profile"))
}

// region is a flag that takes what looks like a region of AWS's, be it new: a host is called by
// that name (https://docs.aws.amazon.com/general/latest/gr/rande.html).
type region struct{ to *string }

var looksLikeRegion = regexp.MustCompile(`^[a-z]{2,4}(-[a-z]+)+-[0-9]$`)

// Set implements [pflag.Value].
func (r region) Set(value string) error {
	if value = strings.TrimSpace(value); !looksLikeRegion.MatchString(value) {
		return errRegion
	}
	*r.to = value
	return nil
}

func (region) String() string { return "" }

func (region) Type() string { return "REGION" }

// aboutDeployment marks a verb that is about a deployment: the help has them in one line.
const aboutDeployment = "about_deployment"

func ofDeployment(cmd *cobra.Command) { cmd.Annotations = map[string]string{aboutDeployment: "true"} }

// given are the flags again, for a command to go on with.
func (d deployment) given() string {
	said := ""
	if d.name != usualStack {
		said += " --stack " + argument(d.name)
	}
	return said + d.place()
}

// place is given without the stack's name.
func (d deployment) place() (said string) {
	if d.region != "" {
		said += " --region " + argument(d.region)
	}
	if d.profile != "" {
		said += " --profile " + argument(d.profile)
	}
	return said
}

// argument is a name as every shell takes it: a profile may have blanks.
func argument(name string) string {
	if plainName.MatchString(name) {
		return name
	}
	return `"` + name + `"`
}

// account signs in to AWS as the person's environment says.
func (c *call) account(ctx context.Context, d deployment) (*account.Account, error) {
	if c.demo {
		return nil, misuse("use.no_demo")
	}
	a, profile, err := c.openAccount(ctx, d)
	switch {
	case errors.Is(err, account.ErrNoRegion):
		return nil, misuse("use.no_region")
	case errors.Is(err, account.ErrExpired) && profile != "":
		return nil, failure(err, "fail.aws_expired_profile", argument(profile))
	case errors.Is(err, account.ErrNoCredentials) && profile != "":
		return nil, failure(err, "fail.aws_profile", profile)
	}
	return a, err
}

// openAccount tells the profile as well that the person has named, "" for none.
func (c *call) openAccount(ctx context.Context, d deployment) (a *account.Account, profile string, err error) {
	a, err = account.Open(ctx, account.Options{Profile: d.profile, Region: d.region, Env: c.Env, Transport: c.AWS})
	return a, cmp.Or(d.profile, c.Env("AWS_PROFILE")), err
}

// stack finds the stack, in whatever state it is.
func (c *call) stack(ctx context.Context, d deployment) (*stack.Stack, error) {
	a, err := c.account(ctx, d)
	if err != nil {
		return nil, err
	}
	s, err := stack.Find(ctx, a, d.name)
	switch {
	case errors.Is(err, stack.ErrNoStack):
		return nil, c.noStack(ctx, a, d)
	case errors.Is(err, stack.ErrForeign):
		return nil, misuse("use.foreign_stack", d.name)
	case err == nil:
		c.livesWith(s)
	}
	return s, err
}

// deploymentIn is a stack of an account as a setup knows it.
func deploymentIn(a *account.Account, name string) setup.Deployment {
	return setup.Deployment{Stack: name, Partition: a.Partition, Account: a.ID, Region: a.Region}
}

// livesWith has the person sign in to the cloud of the stack's tenant: the others do not know it.
func (c *call) livesWith(s *stack.Stack) { c.cloud = cmp.Or(s.Parameters["Cloud"], c.cloud) }

// working finds a stack that can carry out orders.
func (c *call) working(ctx context.Context, d deployment) (*stack.Stack, error) {
	return c.fit(ctx, d, (*stack.Stack).Serves)
}

// fit finds a stack that is fit for what it is to do.
func (c *call) fit(ctx context.Context, d deployment, is func(*stack.Stack) bool) (*stack.Stack, error) {
	s, err := c.stack(ctx, d)
	switch {
	case err != nil || is(s):
		return s, err
	case s.Failure != "":
		return nil, failure(nil, "fail.stack_failed", s.Name, s.Status, s.Failure)
	}
	return nil, failure(nil, "fail.stack_state", s.Name, s.Status)
}

// noStack says which stacks there are instead.
func (c *call) noStack(ctx context.Context, a *account.Account, d deployment) error {
	found, err := stack.List(ctx, a)
	if err != nil || len(found) == 0 { // who may not list them still knows where we looked
		return failure(nil, "fail.no_stack", d.name, a.Region, a.ID, a.RegionFrom)
	}
	names := make([]string, len(found))
	for i, s := range found {
		names[i] = s.Name
	}
	slices.Sort(names)
	return misuse("use.other_stack", d.name, a.Region, a.ID, strings.Join(names, ", "))
}

// explainAWS says what is wrong with AWS, or with the right to it.
func explainAWS(err error) (key language.Key, args []any, is bool) {
	err = account.Explain(err)
	unsaid, other := errors.AsType[*account.Failed](err)
	forbidden, refused := errors.AsType[*account.Forbidden](err)
	function, failed := errors.AsType[*stack.FunctionFailed](err)
	switch {
	case refused:
		return "fail.aws_forbidden", []any{forbidden.Action}, true
	case failed:
		return "fail.function", []any{strings.TrimSuffix(function.Function, "Function"), function.Message}, true
	case errors.Is(err, stack.ErrNoResource):
		_, what, _ := strings.Cut(err.Error(), stack.ErrNoResource.Error()+": ")
		return "fail.no_resource", []any{what}, true
	case errors.Is(err, account.ErrNoRegion):
		return "use.no_region", nil, true
	}
	for cause, key := range map[error]language.Key{
		account.ErrNoCredentials: "fail.aws_credentials", account.ErrExpired: "fail.aws_expired", account.ErrInvalid: "fail.aws_invalid",
		account.ErrThrottled: "fail.aws_throttled", account.ErrUnreachable: "fail.aws_unreachable",
	} {
		if errors.Is(err, cause) {
			return key, nil, true
		}
	}
	if other {
		return "fail.aws", []any{unsaid.Error()}, true
	}
	return "", nil, false
}
