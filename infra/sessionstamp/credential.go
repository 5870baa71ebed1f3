package main

import (
	"cmp"
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/renew"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
	"github.com/sessionstamp/sessionstamp/shared/aws/account"
	"github.com/sessionstamp/sessionstamp/shared/aws/stack"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/ask"
)

const (
	usualDays = 180 // as in the guide to deployment
	leastDays = 31  // an alarm rings 30 days before the end
	mostDays  = 730 // no client secret may be made for longer in the portal
)

// A renewal is what credential renew was called with, and what it means.
type renewal struct {
	deployment
	days        int
	dryRun, yes bool

	account *account.Account
	tenant  tenant
	engine  *renew.Engine
	state   renew.State
	run     renew.Renewal
}

func (c *call) credentialVerb() *cobra.Command {
	r := &renewal{days: usualDays}
	cmd := c.verb("credential", func(cmd *cobra.Command, _ []string) error { return c.renewCredential(cmd.Context(), r) })
	cmd.Args = func(_ *cobra.Command, args []string) error {
		if !slices.Equal(args, []string{"renew"}) {
			return misuse("use.credential")
		}
		return nil
	}
	cmd.ValidArgsFunction = cobra.FixedCompletions([]string{"renew"}, cobra.ShellCompDirectiveNoFileComp)
	r.flags(c, cmd, usualStack)
	cmd.Flags().Var(number{&r.days}, "days", c.help("flag.days"))
	cmd.Flags().BoolVar(&r.dryRun, "dry-run", false, c.help("flag.dry-run"))
	cmd.Flags().BoolVar(&r.yes, "yes", false, c.help("flag.yes"))
	return cmd
}

// renewCredential shows what is there and what is to come, asks, and does it.
func (c *call) renewCredential(ctx context.Context, r *renewal) error {
	switch {
	case r.days < leastDays || r.days > mostDays:
		return misuse("use.days", language.Number(leastDays), language.Number(mostDays))
	case !r.yes && !r.dryRun && !c.Person:
		return misuse("use.unasked_renew")
	}
	s, err := c.stack(ctx, r.deployment)
	if err != nil {
		return deploying(err)
	}
	if !directory.AuthMode(s.Parameters["AuthMode"]).Stored() {
		return c.show(c.nothingStored(r, s))
	}
	if err := c.planRenewal(ctx, r, s); err != nil {
		return err
	}
	if r.dryRun {
		return c.show(c.plannedRenewal(r))
	}
	c.tell(c.renewalLines(r)...)
	if err := c.confirmRenewal(ctx, r); err != nil {
		return err
	}
	end, removed, err := r.engine.Run(ctx, r.run)
	if err != nil {
		return c.brokenRenewal(r, err)
	}
	return c.show(c.renewedView(r, end, removed))
}

// planRenewal signs in, reads how things are, and refuses what cannot be begun.
func (c *call) planRenewal(ctx context.Context, r *renewal, s *stack.Stack) (err error) {
	tenantID := s.Parameters["TenantId"]
	if directory.IsID(strings.ToLower(c.tenantID)) && !strings.EqualFold(c.tenantID, tenantID) {
		return misuse("use.renew_tenant", s.Name, tenantID)
	}
	c.tenantID = tenantID
	if r.tenant, err = c.signIn(ctx, ask.ManageApps); err != nil {
		return err
	}
	r.account = s.Account()
	d := renew.Deployment{
		Deployment: deploymentIn(r.account, s.Name), ClientID: s.Parameters["ClientId"], SecretARN: s.Parameters["CredentialSecretArn"],
		Certificate: s.Parameters["AuthMode"] == string(directory.AuthCertificate), Days: r.days, Now: c.Now,
	}
	r.engine = &renew.Engine{Apps: r.tenant, Vault: r.account, Say: c.sayStep, SignIn: c.proof(d.ClientID)}
	if r.state, err = r.engine.Look(ctx, d); err != nil {
		return renewTrouble(d, err)
	}
	r.run = d.Begin(r.state)
	if _, err := r.run.Next(r.state); err != nil {
		return renewTrouble(d, err)
	}
	return nil
}

// proof signs the app in as the functions do.
func (c *call) proof(clientID string) func(context.Context, account.Stored) error {
	return func(ctx context.Context, s account.Stored) error {
		cloud, err := msgraph.CloudByName(c.cloud)
		if err != nil {
			return err
		}
		o := msgraph.Options{Cloud: cloud, Transport: c.Transport, TenantID: c.tenantID, ClientID: clientID}
		if s.Certificate == nil {
			o.Auth.ClientSecret = always(s.ClientSecret.Reveal())
		} else {
			o.Auth.Certificate = func(context.Context, bool) ([]*x509.Certificate, crypto.Signer, error) {
				return []*x509.Certificate{s.Certificate}, s.Key, nil
			}
		}
		return ask.SignIn(ctx, o)
	}
}

func (c *call) confirmRenewal(ctx context.Context, r *renewal) error {
	if r.yes {
		return nil
	}
	return c.agree(ctx, c.say("order.go_on"))
}

// sayStep tells how far a renewal is.
func (c *call) sayStep(step renew.Step) {
	key := map[renew.Step]language.Key{
		renew.Drop: "renew.drops", renew.Add: "renew.adds", renew.Prove: "renew.proves", renew.Promote: "renew.promotes",
		renew.Settle: "renew.settles", renew.Remove: "renew.removes_one",
	}[step]
	c.tell(line{text: "· " + c.say(key), colour: screen.Faint, hang: 2})
}

// brokenRenewal is a run that came to no end: what is stored works, and the next run goes on.
func (c *call) brokenRenewal(r *renewal, err error) error {
	t := worded(renewTrouble(r.run.Deployment, err))
	if errors.Is(err, context.Canceled) {
		t = &trouble{status: wrong, key: "fail.renew_stopped", cause: err}
	}
	t.more = append(t.more, c.say("renew.again", "sessionstamp credential renew"+r.given()))
	return t
}

// renewTrouble makes sentences of what only a renewal meets.
func renewTrouble(d renew.Deployment, err error) error {
	graph, ofGraph := errors.AsType[*directory.Error](err)
	switch {
	case errors.Is(err, directory.ErrNoApp):
		return failure(err, "fail.renew_no_app", d.ClientID)
	case errors.Is(err, account.ErrNoSecret):
		return failure(err, "fail.renew_no_secret", d.SecretARN)
	case errors.Is(err, renew.ErrRotation):
		return failure(err, "fail.renew_rotation")
	case errors.Is(err, renew.ErrChanged):
		return failure(err, "fail.renew_changed")
	case errors.Is(err, renew.ErrUnproved) && ofGraph:
		return failure(err, "fail.renew_unproved", cmp.Or(graph.Code, graph.Operation))
	case errors.Is(err, renew.ErrNotAdded) && ofGraph && graph.StatusCode == http.StatusBadRequest:
		return failure(err, "fail.renew_refused", cmp.Or(graph.Message, graph.Code))
	}
	return deploying(err)
}
