package setup

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// A World is what a setup calls. A person who has no right in one half leaves its part nil.
type World struct {
	Directory Directory
	Account   Issuing
	Stacks    Stacks
	Deployer  Deployer
	// Vault keeps a client secret. It is asked only where there is one.
	Vault Vault
	// Exchange has Entra exchange a token of AWS for one of an app. The error tells what Entra
	// says to it, as a *directory.Error.
	Exchange func(ctx context.Context, clientID, token string) error
	Now      func() time.Time
}

// A Directory is where the apps are: Entra's.
type Directory interface {
	// App returns an error that wraps [directory.ErrNoApp] where there is none.
	App(ctx context.Context, uniqueName string) (directory.App, error)
	EnsureApp(ctx context.Context, app directory.App) (directory.App, error)
	Grant(ctx context.Context, app directory.App, role string) error
	Withdraw(ctx context.Context, app directory.App, role string) error
	Trust(ctx context.Context, app directory.App, trust directory.FederatedCredential) error
	Distrust(ctx context.Context, app directory.App, name string) error
	AddPassword(ctx context.Context, app directory.App, name string, end time.Time) (keyID string, secret directory.Secret, err error)
	RemovePassword(ctx context.Context, app directory.App, keyID string) error
	Disown(ctx context.Context, app directory.App, owner string) error
	DeleteApp(ctx context.Context, app directory.App) error
}

// Issuing is the AWS account as an issuer of tokens.
type Issuing interface {
	// Issuer returns "" where outbound federation is off.
	Issuer(ctx context.Context) (string, error)
	EnableIssuer(ctx context.Context) (issuer string, err error)
	// WebIdentityToken returns a token that stands for the person. If the person has no right
	// to one, the error wraps [ErrForbidden].
	WebIdentityToken(ctx context.Context, audience string) (string, error)
}

// Stacks is CloudFormation, and what its stacks leave.
type Stacks interface {
	// Find returns the zero Stack where there is none.
	Find(ctx context.Context, name string) (Stack, error)
	// Delete begins, and so does ContinueRollback, which leaves out a resource that failed.
	Delete(ctx context.Context, stack Stack) error
	ContinueRollback(ctx context.Context, stack Stack, skip ...string) error
	// Leftovers finds what no stack of this name owns any more.
	Leftovers(ctx context.Context, name string) ([]Leftover, error)
	// Discard deletes one that is empty.
	Discard(ctx context.Context, left Leftover) error
}

// A Deployer makes or changes the stack of a plan, and returns when CloudFormation has ended.
type Deployer interface {
	Deploy(ctx context.Context, p Plan) error
}

// A Vault keeps a client secret in Secrets Manager, beside those of the sources of signals.
type Vault interface {
	// Stored finds a secret by its name or ARN, and leaves out what is secret in it. Where
	// there is none, it is zero. The error wraps [ErrNotOurs] where one has the name that no
	// setup has made: it is not for us to change or delete.
	Stored(ctx context.Context, id string) (Credential, error)
	Store(ctx context.Context, id string, c Credential) (arn string, err error)
	Forget(ctx context.Context, name string) error
	// Signals finds the sources of signals that have a secret, by their ids. ForgetSignal
	// deletes the secret of one.
	Signals(ctx context.Context, stack string) (sources []string, err error)
	ForgetSignal(ctx context.Context, stack, source string) error
}

// A Credential is a client secret that is stored.
type Credential struct {
	// ARN is that of the secret in Secrets Manager.
	ARN string
	// Name is the credential's at the app, "" for one that was stored by hand.
	Name   string
	Secret directory.Secret
	End    time.Time
}

// ErrForbidden is an error of AWS where the person has no right.
var ErrForbidden = errors.New("AWS does not allow it")

// ErrNotOurs is an error about what has a name of ours, and was not made by a setup.
var ErrNotOurs = errors.New("it was not made by sessionstamp setup")

// State is how far a step is.
type State string

// The states there are.
const (
	Begins  State = "begins"
	Waits   State = "waits"
	Done    State = "done"
	Already State = "already" // it was done before
	Skipped State = "skipped" // it could not be looked at; nothing depends on it
)

// An Event tells of a step. Step is a key of the command's catalogue behind "setup.step.", and
// Detail what it is about.
type Event struct {
	Step, Detail string
	State        State
	// Why is what it waits for: a status, or a code of Entra's.
	Why string
}

// A step looks first. Both may be repeated wherever a process died.
type step struct {
	name, detail string
	// look tells whether there is nothing to do.
	look func(ctx context.Context) (bool, error)
	do   func(ctx context.Context) error
}

// An Incomplete error tells which step failed. Another run goes on there.
type Incomplete struct {
	Step, Detail string
	Err          error
}

// Error is for a log; the command has a sentence.
func (e *Incomplete) Error() string { return fmt.Sprintf("step %s: %v", e.Step, e.Err) }

// Unwrap returns the cause.
func (e *Incomplete) Unwrap() error { return e.Err }

// Result is what a run has come to.
type Result struct {
	Plan  Plan
	Stack Stack
	// Request and Answer are the lines for the other person, as far as there are any.
	Request, Answer string
}

// A runner is one run.
type runner struct {
	World
	plan Plan
	tell func(Event)
	// apps are as they were last read, by unique name.
	apps  map[string]directory.App
	stack Stack
	now   Event
}

// Run carries a plan out, and tells of its steps. An error is an *Incomplete, or that of ctx.
func Run(ctx context.Context, p Plan, w World, tell func(Event)) (Result, error) {
	r := &runner{World: w, plan: p, tell: tell, apps: make(map[string]directory.App)}
	for _, s := range r.steps() {
		if err := r.take(ctx, s); err != nil {
			return Result{Plan: r.plan}, err
		}
	}
	return r.result(), nil
}

func (r *runner) take(ctx context.Context, s step) error {
	r.now = Event{Step: s.name, Detail: s.detail}
	r.say(Begins, "")
	done, err := s.look(ctx)
	switch {
	case err == nil && done:
		r.say(Already, "")
		return nil
	case err == nil:
		err = s.do(ctx)
	}
	switch {
	case errors.Is(err, errSkipped):
		r.say(Skipped, "")
		return nil
	case ctx.Err() != nil && err != nil:
		return ctx.Err()
	case err != nil:
		return &Incomplete{s.name, s.detail, err}
	}
	r.say(Done, "")
	return nil
}

// errSkipped ends a step that nothing depends on.
var errSkipped = errors.New("skipped")

func (r *runner) say(state State, why string) {
	r.now.State, r.now.Why = state, why
	r.tell(r.now)
}

// steps are those of the plan, in their order.
func (r *runner) steps() (all []step) {
	web := r.plan.Mode == directory.AuthWebIdentity
	if web && (r.plan.Mandate == Whole || r.plan.Mandate == AWSFirst) {
		all = append(all, r.issuer())
	}
	if r.Directory != nil {
		all = append(all, r.entra()...)
	}
	if r.plan.Mandate == Whole || r.plan.Mandate == AWSLast {
		if web {
			all = append(all, r.awaited()...)
		}
		all = append(all, r.deployment())
	}
	if r.plan.Mandate == Whole {
		all = append(all, r.tidy()...)
	}
	return all
}

func (r *runner) result() Result {
	p := r.plan
	result := Result{Plan: p, Stack: r.stack}
	switch p.Mandate {
	case AWSFirst:
		values := p.Parameters()
		result.Request = Request{Deployment: p.Deployment, Issuer: p.Issuer, OneApp: len(p.Apps) == 1, Groups: values[excludedGroups] != ""}.String()
	case EntraHalf:
		a := Answer{Account: p.Account, Region: p.Region, Stack: p.Stack, Tenant: p.Tenant, Cloud: p.Cloud}
		a.Groups = slices.Contains(p.Apps[0].Rights, readGroups)
		a.Reader = r.apps[p.Apps[0].UniqueName].ClientID
		if len(p.Apps) > 1 {
			a.Stamper = r.apps[p.Apps[1].UniqueName].ClientID
		}
		result.Answer = a.String()
	case Whole, AWSLast:
	}
	return result
}

// issuer switches outbound federation on, for the whole account and once for all.
func (r *runner) issuer() step {
	set := func(issuer string, err error) (bool, error) {
		r.plan.issuedBy(issuer)
		return issuer != "", err
	}
	return step{
		"issuer", r.plan.Account,
		func(ctx context.Context) (bool, error) { return set(r.Account.Issuer(ctx)) },
		func(ctx context.Context) error {
			done, err := set(r.Account.EnableIssuer(ctx))
			if err == nil && !done {
				err = errNoIssuer
			}
			return err
		},
	}
}

var errNoIssuer = errors.New("AWS has switched outbound federation on, and names no issuer")

// issuedBy fills the issuer in wherever it was not known.
func (p *Plan) issuedBy(issuer string) {
	p.Issuer = issuer
	for _, app := range p.Apps {
		for i := range app.Trusts {
			app.Trusts[i].Issuer = issuer
		}
	}
}
