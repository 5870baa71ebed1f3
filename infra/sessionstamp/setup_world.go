package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/bundle"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/doctor"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/setup"
	"github.com/sessionstamp/sessionstamp/shared/aws/account"
	"github.com/sessionstamp/sessionstamp/shared/aws/stack"
	"github.com/sessionstamp/sessionstamp/shared/bolt"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/ask"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

// session signs in to the sides that the person acts for, and reads them.
func (c *call) session(ctx context.Context, o settingUp, w setup.Wishes) (s session, err error) {
	s.world.Now = c.Now
	d := setup.Deployment{Stack: w.Stack}
	if !o.entra {
		if d, err = c.deployment(ctx, &s, o, w); err != nil {
			return s, err
		}
	}
	if w.Mandate == setup.EntraHalf {
		d = w.Request.Deployment
	}
	if w.Mandate == setup.AWSLast && (w.Answer.Account != d.Account || w.Answer.Region != d.Region) {
		return s, misuse("use.line_elsewhere", w.Answer.Account, w.Answer.Region, d.Account, d.Region)
	}
	s.deployment = d
	if deployed := s.facts.AWS.Stack; deployed.Deployed() && c.tenantID == "" {
		c.tenantID, c.cloud = deployed.Parameters["TenantId"], cmp.Or(deployed.Parameters["Cloud"], c.cloud)
	}
	if !o.aws {
		err = c.microsoft(ctx, &s, o, w, d)
	}
	s.world.Exchange = c.exchange(s.facts.Tenant, w)
	return s, err
}

// deployment signs in to AWS, reads the account, and tells which deployment is meant.
func (c *call) deployment(ctx context.Context, s *session, o settingUp, w setup.Wishes) (d setup.Deployment, err error) {
	a, err := c.account(ctx, o.deployment)
	if err != nil {
		return d, err
	}
	d = deploymentIn(a, w.Stack)
	if err := c.amazon(ctx, s, a, o, d); err != nil {
		return d, err
	}
	if w.SignalsOff() && s.facts.AWS.Stack.Deployed() {
		s.facts.AWS.Streams, err = streams(ctx, a, w.Stack)
	}
	return d, err
}

// amazon reads the account.
func (c *call) amazon(ctx context.Context, s *session, a *account.Account, o settingUp, d setup.Deployment) (err error) {
	f := setup.Account{ID: a.ID, Partition: a.Partition, Region: a.Region, RegionFrom: a.RegionFrom, Caller: a.Caller}
	stacks := stacksOf{a}
	if f.Stack, err = stacks.Find(ctx, d.Stack); err != nil {
		return err
	}
	s.world.Account, s.world.Stacks, s.world.Vault = issuing{a}, stacks, vaultOf{a}
	s.preview = previewOf(a, d.Stack)
	if o.undo {
		s.facts.AWS = f
		s.uploads, _ = stack.SAMBucket(ctx, a) // who may not look is not told
		if s.signals, err = s.world.Vault.Signals(ctx, d.Stack); err != nil {
			return err
		}
		stored, err := s.world.Vault.Stored(ctx, d.SecretName())
		if s.stored = stored.ARN; errors.Is(err, setup.ErrNotOurs) {
			return nil
		}
		return err
	}
	f.Others = stacks.others(ctx)
	if f.Leftovers, err = stacks.Leftovers(ctx, d.Stack); err != nil {
		return err
	}
	if f.Issuer, err = a.Issuer(ctx); err != nil {
		return err
	}
	if quota, err := a.Concurrency(ctx); err == nil { // who may not read it learns at the deployment
		f.Concurrency = quota.Unreserved
	}
	s.facts.AWS = f
	s.world.Deployer, err = c.deployer(d, o.profile)
	if o.plan || o.aws && o.line == "" { // it will be asked for
		s.lacks, err = err, nil
	}
	return err
}

// deployer finds sam, and what it is to deploy.
func (c *call) deployer(d setup.Deployment, profile string) (setup.Deployer, error) {
	brings, err := c.released()
	if err != nil || brings.Deployer != nil {
		return brings.Deployer, err
	}
	program, err := setup.FindSAM()
	if err != nil {
		return nil, misuse("use.no_sam", doctor.InstallSAM(c.System))
	}
	folder, err := bolt.Folder(c.System, c.Env)
	if err != nil {
		return nil, misuse("use.folder")
	}
	folder = filepath.Join(folder, strings.Join([]string{"deploy", d.Account, d.Region, d.Stack}, "-"))
	return setup.SAM{Program: program, Tree: brings.Tree, Folder: folder, Profile: profile, Env: os.Environ()}, nil
}

// brings is the version that a setup deploys.
func (c *call) brings() string {
	if c.Release != nil {
		return c.Release.Version
	}
	return bundle.Version()
}

// microsoft reads the tenant. Who only makes the apps reads no users.
func (c *call) microsoft(ctx context.Context, s *session, o settingUp, w setup.Wishes, d setup.Deployment) error {
	permissions := []string{ask.ManageApps, ask.ManageRoles}
	reads := w.Mandate == setup.Whole && !o.undo
	if reads {
		permissions = append(permissions, readUsers, readDomains)
	}
	if reads && len(o.excludeGroups) > 0 {
		permissions = append(permissions, readMembers)
	}
	t, err := c.signIn(ctx, permissions...)
	if err != nil {
		return err
	}
	cloud, err := msgraph.CloudByName(c.cloud)
	if err != nil {
		return err
	}
	f := setup.Tenant{ID: strings.ToLower(t.id), Person: t.person, Cloud: cloud.Name, Audience: cloud.ExchangeAudience(), Apps: make(map[string]directory.App)}
	if reads {
		r, err := c.read(ctx, t, "")
		if err != nil {
			return err
		}
		f.Domains, f.Users = r.domains, r.users
		if f.Groups, err = groupsOf(ctx, t, o.excludeGroups); err != nil {
			return err
		}
	}
	for _, role := range []string{"reader", "stamper"} {
		app, err := t.App(ctx, d.UniqueName(role))
		switch {
		case err == nil:
			f.Apps[app.UniqueName] = app
		case !errors.Is(err, directory.ErrNoApp):
			return err
		}
	}
	s.facts.Tenant, s.world.Directory, s.entraAs = f, t.Client, t.as
	return nil
}

func groupsOf(ctx context.Context, t tenant, names []string) (map[string][]directory.Group, error) {
	found := make(map[string][]directory.Group)
	for _, name := range names {
		groups, err := t.FindGroups(ctx, name)
		if err != nil && !errors.Is(err, directory.ErrNoGroup) {
			return nil, err
		}
		found[name] = groups
	}
	return found, nil
}

// exchange tries what the functions will do.
func (c *call) exchange(t setup.Tenant, w setup.Wishes) func(context.Context, string, string) error {
	id, name := t.ID, t.Cloud
	if w.Mandate == setup.AWSLast {
		id, name = w.Answer.Tenant, w.Answer.Cloud
	}
	return func(ctx context.Context, clientID, token string) error {
		cloud, err := msgraph.CloudByName(name)
		if err != nil {
			return err
		}
		return ask.Exchange(ctx, cloud, c.Transport, id, clientID, token)
	}
}

// issuing is the account as an issuer of tokens.
type issuing struct{ *account.Account }

// WebIdentityToken is the account's.
func (i issuing) WebIdentityToken(ctx context.Context, audience string) (string, error) {
	token, err := i.Account.WebIdentityToken(ctx, audience)
	if _, refused := errors.AsType[*account.Forbidden](err); refused {
		return "", fmt.Errorf("%w: %w", setup.ErrForbidden, err)
	}
	return token, err
}

// stacksOf are the account's stacks, in the words of package setup.
type stacksOf struct{ *account.Account }

// Find implements [setup.Stacks].
func (s stacksOf) Find(ctx context.Context, name string) (setup.Stack, error) {
	found, err := stack.Find(ctx, s.Account, name)
	switch {
	case errors.Is(err, stack.ErrNoStack):
		return setup.Stack{}, nil
	case errors.Is(err, stack.ErrForeign):
		return setup.Stack{Status: "CREATE_COMPLETE"}, nil
	case err != nil:
		return setup.Stack{}, err
	}
	return setup.Stack{
		ID: found.ID, Status: found.Status, Ours: true, Version: found.Version,
		Parameters: found.Parameters, Outputs: found.Outputs, Tags: found.Tags, Failure: found.Failure, At: found.At,
	}, nil
}

// streams names the sources of a stack whose transmitters hold a stream of ours.
func streams(ctx context.Context, a *account.Account, name string) (names []string, err error) {
	found, err := stack.Find(ctx, a, name)
	if err != nil {
		return nil, err
	}
	known, err := found.Registry(ctx)
	for _, one := range sorted(found, known) {
		if one.Stream.ID != "" {
			names = append(names, one.Name)
		}
	}
	return names, err
}

// others returns the tenants that stacks of sessionstamp's serve. Who may not list them is not
// warned of them.
func (s stacksOf) others(ctx context.Context) map[string]string {
	found, _ := stack.List(ctx, s.Account)
	tenants := make(map[string]string, len(found))
	for _, one := range found {
		tenants[one.Name] = one.Tenant()
	}
	return tenants
}

// Delete implements [setup.Stacks].
func (s stacksOf) Delete(ctx context.Context, one setup.Stack) error {
	found, err := stack.Find(ctx, s.Account, one.ID)
	if err != nil {
		return err
	}
	return found.Delete(ctx)
}

// ContinueRollback implements [setup.Stacks].
func (s stacksOf) ContinueRollback(ctx context.Context, one setup.Stack, skip ...string) error {
	found, err := stack.Find(ctx, s.Account, one.ID)
	if err != nil {
		return err
	}
	return found.ContinueRollback(ctx, skip...)
}

// Leftovers implements [setup.Stacks].
func (s stacksOf) Leftovers(ctx context.Context, name string) (left []setup.Leftover, err error) {
	found, err := stack.Leftovers(ctx, s.Account, name)
	for _, one := range found {
		kind := setup.Table
		if one.Log {
			kind = setup.Log
		}
		left = append(left, setup.Leftover{Kind: kind, Name: one.Name, Empty: one.Empty})
	}
	return left, err
}

// Discard implements [setup.Stacks].
func (s stacksOf) Discard(ctx context.Context, left setup.Leftover) error {
	return stack.Discard(ctx, s.Account, stack.Leftover{Name: left.Name, Log: left.Kind == setup.Log, Empty: left.Empty})
}

// vaultOf is Secrets Manager, in the words of package setup.
type vaultOf struct{ *account.Account }

// Stored implements [setup.Vault].
func (v vaultOf) Stored(ctx context.Context, id string) (c setup.Credential, err error) {
	found, err := v.DescribeSecret(ctx, id)
	switch {
	case errors.Is(err, account.ErrNoSecret):
		return c, nil
	case err != nil:
		return c, err
	case id == found.Name && found.Description != storedBySetup:
		return c, failure(setup.ErrNotOurs, "fail.secret_taken", id)
	}
	c.ARN = found.ARN
	text, err := v.SecretValue(ctx, id, account.Current)
	if errors.Is(err, account.ErrNoSecret) { // it is there, and has no value yet
		return c, nil
	}
	stored, _ := account.ParseStored(text) // what cannot be read is not ours
	c.Name = stored.Name
	return c, err
}

// storedBySetup is the description of the secrets that a setup makes. It tells them from those
// that a person has stored by hand under the same name.
const storedBySetup = "sessionstamp: signs the app in to Microsoft Entra"

// Store implements [setup.Vault], in the form that the functions and a renewal read.
func (v vaultOf) Store(ctx context.Context, id string, c setup.Credential) (arn string, err error) {
	text, err := account.Stored{Name: c.Name, ClientSecret: c.Secret, End: c.End}.Text()
	if err != nil {
		return "", err
	}
	found, err := v.DescribeSecret(ctx, id)
	if errors.Is(err, account.ErrNoSecret) {
		return v.CreateSecret(ctx, id, storedBySetup, "", text)
	}
	if err != nil {
		return "", err
	}
	return found.ARN, v.PutSecret(ctx, id, text)
}

// Forget implements [setup.Vault].
func (v vaultOf) Forget(ctx context.Context, name string) error {
	_, err := v.Stored(ctx, name)
	if errors.Is(err, setup.ErrNotOurs) {
		return nil
	}
	if err != nil {
		return err
	}
	return v.DeleteSecret(ctx, name)
}

// Signals implements [setup.Vault].
func (v vaultOf) Signals(ctx context.Context, name string) ([]string, error) {
	return stack.SignalSecrets(ctx, v.Account, name)
}

// ForgetSignal implements [setup.Vault].
func (v vaultOf) ForgetSignal(ctx context.Context, name, source string) error {
	return v.DeleteSecret(ctx, stack.SignalSecret(name, source))
}

// previewOf asks the sweeper whom it would queue.
func previewOf(a *account.Account, name string) func(context.Context) (setupPreview, error) {
	return func(ctx context.Context) (p setupPreview, err error) {
		found, err := stack.Find(ctx, a, name)
		if err != nil {
			return p, err
		}
		report, err := found.Order(ctx, sweep.OrderPreview)
		return setupPreview{New: newIn(report), Existing: report.Existing}, err
	}
}
