package setup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/wait"
)

// Deployed tells whether there is a deployment that an update changes.
func (s Stack) Deployed() bool { return s.Status != "" && !s.dead() }

// dead tells whether the stack can only be deleted: its creation failed, or its deletion, or
// it never came to be. See [stack status codes].
//
// [stack status codes]: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
func (s Stack) dead() bool {
	return slices.Contains([]string{
		"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "REVIEW_IN_PROGRESS", "CREATE_FAILED", "DELETE_FAILED",
		"CREATE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "DELETE_IN_PROGRESS",
	}, s.Status)
}

// busy tells whether CloudFormation is at work. A stack in review waits for a person.
func (s Stack) busy() bool {
	return strings.HasSuffix(s.Status, "_IN_PROGRESS") && s.Status != "REVIEW_IN_PROGRESS"
}

// runs tells whether the stack is whole, and not only what was left of it.
func (s Stack) runs() bool {
	return slices.Contains([]string{"CREATE_COMPLETE", "UPDATE_COMPLETE"}, s.Status)
}

// deployment deploys, unless the stack is what the plan says. While Entra is not ready, which
// the keeper's sentence tells, it deploys again by itself.
func (r *runner) deployment() step {
	return step{
		"deploy", r.plan.Stack,
		func(ctx context.Context) (_ bool, err error) {
			if r.stack, err = r.settled(ctx); err != nil {
				return false, err
			}
			return r.stack.runs() && r.stack.Version == r.plan.Version && released(r.plan.Version) && r.stack.has(r.plan.Parameters()), nil
		},
		func(ctx context.Context) error {
			const every = time.Minute
			for end := r.Now().Add(lag); ; {
				err := r.deploy(ctx)
				if err == nil || ctx.Err() != nil || !unready(r.stack.Failure) || r.Now().After(end) {
					return err
				}
				r.say(Waits, "entra")
				if err := wait.For(ctx, every); err != nil {
					return err
				}
			}
		},
	}
}

// deploy tries once. What CloudFormation says goes before what the deployer says.
func (r *runner) deploy(ctx context.Context) error {
	if err := r.clear(ctx); err != nil {
		return err
	}
	said := r.watched(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	stack, err := r.settled(ctx)
	if r.stack = stack; err != nil {
		return err
	}
	switch {
	case said == nil && stack.runs():
		return nil
	case stack.Failure != "":
		return &Failed{stack.Failure}
	case said != nil:
		return said
	}
	return fmt.Errorf("the stack is %s", stack.Status)
}

// watched deploys, and tells meanwhile what CloudFormation is at.
func (r *runner) watched(ctx context.Context) error {
	const every = 10 * time.Second
	looking, stop := context.WithCancel(ctx)
	var watch sync.WaitGroup
	watch.Go(func() {
		for wait.For(looking, every) == nil {
			if stack, err := r.Stacks.Find(looking, r.plan.Stack); err == nil && stack.busy() { // who deploys tells of errors
				r.say(Waits, stack.at())
			}
		}
	})
	defer watch.Wait()
	defer stop()
	return r.Deployer.Deploy(ctx, r.plan)
}

// at is what CloudFormation does, and to which resource.
func (s Stack) at() string { return strings.TrimSpace(s.Status + " " + s.At) }

// Failed is a deployment that CloudFormation has broken off, with its sentence.
type Failed struct{ Sentence string }

// Error is CloudFormation's sentence, which may be the keeper's.
func (f *Failed) Error() string { return f.Sentence }

// has tells whether the stack has these parameters.
func (s Stack) has(values map[string]string) bool { return maps.Equal(s.Parameters, values) }

// released tells a version that names one commit, as a pseudo-version does
// (https://go.dev/ref/mod#pseudo-versions), from the name of whatever was built just now.
func released(version string) bool {
	return regexp.MustCompile(`^v?[0-9]+\.[0-9]+\.[0-9]+(-[0-9a-z.]*[0-9]{14}-[0-9a-f]{12})?(\+[0-9a-f]{7,40})?$`).MatchString(version)
}

// unready tells whether the keeper could not sign in since Entra does not know everywhere yet
// what was made a moment ago: AADSTS codes, or a right whose grant has not arrived.
func unready(failure string) bool {
	return slices.ContainsFunc([]string{unknownIssuer, unknownSubject, noMatch, unknownApp, unknownPrincipal, "AADSTS7000215", "Authorization_RequestDenied"},
		func(code string) bool { return regexp.MustCompile(`\b` + code + `\b`).MatchString(failure) })
}

// settled waits until CloudFormation has ended what it does.
func (r *runner) settled(ctx context.Context) (Stack, error) {
	const every, longest = 5 * time.Second, 2 * time.Hour
	for end := r.Now().Add(longest); ; {
		stack, err := r.Stacks.Find(ctx, r.plan.Stack)
		switch {
		case err == nil && stack.Status != "" && !stack.Ours:
			return stack, fmt.Errorf("stack %s: %w", r.plan.Stack, ErrNotOurs) // which it was not when the plan was made
		case err != nil, !stack.busy():
			return stack, err
		case r.Now().After(end):
			return stack, errors.New("CloudFormation is still at work after two hours")
		}
		r.say(Waits, stack.at())
		if err := wait.For(ctx, every); err != nil {
			return stack, err
		}
	}
}

// clear brings the stack into a state from which it can be deployed. A person has never to
// know of it.
func (r *runner) clear(ctx context.Context) error {
	stack, err := r.settled(ctx)
	switch {
	case err != nil:
		return err
	case stack.Status == "UPDATE_ROLLBACK_FAILED":
		if err := r.Stacks.ContinueRollback(ctx, stack, "Subscription"); err != nil {
			return err
		}
		_, err = r.settled(ctx)
		return err
	case stack.Status == "":
		return r.discard(ctx)
	case stack.dead():
		return r.delete(ctx, stack)
	}
	return nil
}

// delete deletes a stack to its end, and what it has left that is empty.
func (r *runner) delete(ctx context.Context, stack Stack) error {
	if err := r.Stacks.Delete(ctx, stack); err != nil {
		return err
	}
	left, err := r.settled(ctx)
	switch {
	case err != nil:
		return err
	case left.Status != "":
		return &Failed{cmp.Or(left.Failure, left.Status)}
	}
	return r.discard(ctx)
}

// discard removes what failed attempts have left: a table or a log that nothing is in.
func (r *runner) discard(ctx context.Context) error {
	left, err := r.Stacks.Leftovers(ctx, r.plan.Stack)
	for _, one := range left {
		if err == nil && one.Empty {
			err = r.Stacks.Discard(ctx, one)
		}
	}
	return err
}
