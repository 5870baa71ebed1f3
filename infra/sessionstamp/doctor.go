package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/bundle"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/doctor"
	"github.com/sessionstamp/sessionstamp/shared/aws/account"
	"github.com/sessionstamp/sessionstamp/shared/aws/stack"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/ask"
)

// examined is a deployment, or the place for one, as the doctor looks at it.
type examined struct {
	deployment

	named, fix, yes bool
	// account is nil where nobody could sign in to AWS, stack where there is none. They say
	// what is known of them; aws and asks answer questions.
	account *account.Account
	aws     accountAsker
	stack   *stack.Stack
	asks    stackAsker
	// entra is nil where nobody could sign in.
	entra entraAsker
}

// entraAsker is what the doctor asks of Entra, and has it do.
type entraAsker interface {
	Domains(ctx context.Context) ([]directory.Domain, error)
	UserPage(ctx context.Context, next string) (directory.UserPage, error)
	FindGroups(ctx context.Context, name string) ([]directory.Group, error)
	TransitiveMembers(ctx context.Context, groupID, next string) (ids []string, after string, err error)
	AppByClientID(ctx context.Context, clientID string) (directory.App, error)
	Deleted(ctx context.Context, clientID string) (bool, error)
	Now() time.Time

	Grant(ctx context.Context, app directory.App, role string) error
	Withdraw(ctx context.Context, app directory.App, role string) error
	Trust(ctx context.Context, app directory.App, f directory.FederatedCredential) error
	Distrust(ctx context.Context, app directory.App, name string) error
	RemovePassword(ctx context.Context, app directory.App, keyID string) error
	RemoveCertificate(ctx context.Context, app directory.App, keyID string) error
	Disown(ctx context.Context, app directory.App, owner string) error
}

func (c *call) doctorVerb() *cobra.Command {
	var x examined
	cmd := c.verb("doctor", func(cmd *cobra.Command, _ []string) error {
		x.named = cmd.Flags().Changed("stack")
		return c.doctor(cmd.Context(), x)
	})
	x.flags(c, cmd, usualStack)
	cmd.Flags().BoolVar(&x.fix, "fix", false, c.help("flag.fix"))
	cmd.Flags().BoolVar(&x.yes, "yes", false, c.help("flag.yes"))
	return cmd
}

// doctor tells what is wrong, and mends what may be mended if that is asked for.
func (c *call) doctor(ctx context.Context, x examined) error {
	if x.fix && !x.yes && !c.Person {
		return misuse("use.unasked_doctor")
	}
	e := doctor.Evidence{Now: c.Now(), Command: bundle.Version(), System: c.System, Stack: x.name, Named: x.named, Given: x.given()}
	if err := c.admit(ctx, &x, &e); err != nil {
		return err
	}
	return c.examine(ctx, x, e)
}

// examine looks at everything to which the person has been admitted.
func (c *call) examine(ctx context.Context, x examined, e doctor.Evidence) error {
	c.gather(ctx, x, &e)
	if err := ctx.Err(); err != nil {
		return err
	}
	found := doctor.Examine(e)
	if x.fix && mendable(found) > 0 {
		mended, err := c.mend(ctx, x, found)
		if err != nil {
			return err
		}
		if mended {
			c.gather(ctx, x, &e)
			found = doctor.Examine(e)
		}
	}
	failed := slices.ContainsFunc(doctor.Pieces(e), func(p doctor.Piece) bool { return p.Gap.Reason == doctor.Failed })
	if failed || len(found) > 0 && found[0].Severity == doctor.Wrong {
		c.status = wrong
	}
	return c.show(c.doctorView(x, e, found))
}

// admit signs in to both, as far as that is possible. What is not is evidence, but for what
// the person has written wrongly.
func (c *call) admit(ctx context.Context, x *examined, e *doctor.Evidence) error {
	if !c.demo {
		if err := c.admitAWS(ctx, x, e); err != nil {
			return err
		}
	}
	rights := []string{readUsers, readDomains}
	switch {
	case x.stack != nil && x.fix:
		rights = append(rights, readMembers, ask.ManageApps, ask.ManageRoles)
	case x.stack != nil:
		rights = append(rights, readMembers, ask.ReadApps)
	}
	t, err := c.signIn(ctx, rights...)
	if err == nil {
		x.entra, e.SignedIn = t, doctor.Asked(t.id)
	} else {
		e.SignedIn = doctor.NotAsked[string](whyNot(err))
	}
	return misused(err)
}

func (c *call) admitAWS(ctx context.Context, x *examined, e *doctor.Evidence) (err error) {
	is := doctor.Account{}
	if x.account, is.Profile, err = c.openAccount(ctx, x.deployment); err == nil {
		is.ID, is.Region = x.account.ID, x.account.Region
	}
	for cause, trouble := range map[error]doctor.Trouble{
		account.ErrNoRegion: doctor.NoRegion, account.ErrExpired: doctor.ExpiredCredentials,
		account.ErrNoCredentials: doctor.NoCredentials, account.ErrInvalid: doctor.InvalidCredentials,
	} {
		if errors.Is(err, cause) {
			is.Trouble, err = trouble, nil
		}
	}
	if is.Profile != "" && is.Trouble == doctor.NoCredentials {
		is.Trouble = doctor.NoProfile
	}
	if e.Account = answered(is, err); x.account == nil {
		return nil
	}
	x.aws = inAccount{x.account}
	x.stack, err = stack.Find(ctx, x.account, x.name)
	switch {
	case errors.Is(err, stack.ErrForeign):
		return misuse("use.foreign_stack", x.name)
	case errors.Is(err, stack.ErrNoStack):
		x.stack, e.Deployment = nil, doctor.Asked(doctor.Deployment{})
	case err != nil:
		x.stack, e.Deployment = nil, doctor.NotAsked[doctor.Deployment](whyNot(err))
	default:
		c.livesWith(x.stack)
		d := deploymentOf(x.account, x.stack)
		d.Credential = storedName(ctx, x.account, x.stack)
		x.asks, e.Deployment = x.stack, doctor.Asked(d)
	}
	return nil
}

// misused returns an error only if the person has written something wrong.
func misused(err error) error {
	if t, ok := errors.AsType[*trouble](err); ok && t.status == wrongUse {
		return err
	}
	return nil
}

// answered is what was asked, or why there is no answer.
func answered[T any](value T, err error) doctor.Answer[T] {
	if err != nil {
		return doctor.NotAsked[T](whyNot(err))
	}
	return doctor.Asked(value)
}

// whyNot tells why there is no answer.
func whyNot(err error) doctor.Gap {
	if forbidden, refused := errors.AsType[*account.Forbidden](err); refused {
		return doctor.Gap{Reason: doctor.NoRight, Right: forbidden.Action}
	}
	if graph, ok := errors.AsType[*directory.Error](err); ok && graph.Forbidden() {
		return doctor.Gap{Reason: doctor.NoRight, Right: ask.MissingRight(err)}
	}
	return doctor.Gap{Reason: doctor.Failed, Err: err}
}
