package setup

import (
	"context"
	"errors"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// Undo takes a deployment away, the subscription first: the stack, whose deletion has the
// keeper unsubscribe, then what providers and apps sign in with, then the apps. Outbound federation
// stays on, since others may use it. It returns what is left, since it tells why each person
// was signed out. Errors are those of [Run]. Another call goes on where one broke off.
func Undo(ctx context.Context, d Deployment, w World, tell func(Event)) ([]Leftover, error) {
	r := &runner{World: w, plan: Plan{Deployment: d}, tell: tell, apps: make(map[string]directory.App)}
	for _, s := range r.undoing() {
		if err := r.take(ctx, s); err != nil {
			return nil, err
		}
	}
	if r.Stacks == nil {
		return nil, nil
	}
	return r.Stacks.Leftovers(ctx, d.Stack)
}

// Undoable tells what keeps an undo from being begun: a stack, or an app, that is not this
// deployment's alone.
func Undoable(f Facts, d Deployment) (problems []Problem) {
	switch stack := f.AWS.Stack; {
	case stack.Status != "" && !stack.Ours:
		problems = append(problems, problem("stack_other", d.Stack))
	case stack.Elsewhere(f.Tenant.ID):
		problems = append(problems, problem("tenant_other", d.Stack, stack.Parameters[tenantID], f.Tenant.ID))
	}
	return append(problems, shared(f.Tenant.Apps, d.stranger)...)
}

func (r *runner) undoing() (all []step) {
	if r.Stacks != nil {
		all = append(all, r.removeStack())
	}
	if r.Vault != nil {
		all = append(all, r.forgetSignals(), r.forget())
	}
	if r.Directory != nil {
		for _, role := range []string{stamper, "reader"} {
			all = append(all, r.remove(App{UniqueName: r.plan.UniqueName(role)}))
		}
	}
	return all
}

func (r *runner) removeStack() step {
	var stack Stack
	return step{
		"remove_stack", r.plan.Stack,
		func(ctx context.Context) (_ bool, err error) {
			if stack, err = r.settled(ctx); err != nil || stack.Status != "" {
				return false, err
			}
			return true, r.discard(ctx)
		},
		func(ctx context.Context) error { return r.delete(ctx, stack) },
	}
}

// forgetSignals deletes what providers prove themselves by.
func (r *runner) forgetSignals() step {
	var sources []string
	return step{
		"forget_signals", r.plan.Stack,
		func(ctx context.Context) (_ bool, err error) {
			sources, err = r.Vault.Signals(ctx, r.plan.Stack)
			return len(sources) == 0, err
		},
		func(ctx context.Context) error {
			for _, one := range sources {
				if err := r.Vault.ForgetSignal(ctx, r.plan.Stack, one); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func (r *runner) forget() step {
	name := r.plan.SecretName()
	return step{
		"forget", name,
		func(ctx context.Context) (bool, error) {
			stored, err := r.Vault.Stored(ctx, name)
			if errors.Is(err, ErrNotOurs) {
				return true, nil
			}
			return stored.ARN == "", err
		},
		func(ctx context.Context) error { return r.Vault.Forget(ctx, name) },
	}
}
