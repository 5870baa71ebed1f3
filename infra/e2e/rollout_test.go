package e2e

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// A rollout carries out one change of a stack, with the rights of whoever asked for it.
type rollout struct {
	*formation
	deployment *deployment
	caller     string // ARN
}

// A change is what becomes of one resource.
type change struct{ action, id, kind string }

// compare tells what it takes to make the stack another one, in the order in which it is
// to be done.
func (d *deployment) compare(next *stack) (all []change) {
	for _, id := range next.order() {
		switch {
		case d.stack == nil || !slices.Contains(d.made, id):
			all = append(all, change{"Add", id, kindOf(next, id)})
		case !reflect.DeepEqual(d.stack.properties(id), next.properties(id)) || d.stack.globals(id) != next.globals(id):
			all = append(all, change{"Modify", id, kindOf(next, id)})
		}
	}
	for _, id := range slices.Backward(d.made) {
		if !slices.Contains(next.order(), id) {
			all = append(all, change{"Remove", id, kindOf(d.stack, id)})
		}
	}
	return all
}

// globals are what functions have besides their own properties.
func (s *stack) globals(id string) string {
	if s.resource(id)["Type"] != "AWS::Serverless::Function" {
		return ""
	}
	return fmt.Sprint(s.environment(id))
}

// create makes a stack, or takes back what it has made of it.
func (r *rollout) create() {
	d := r.deployment
	for _, id := range d.stack.order() {
		if err := r.step("CREATE", d.stack, id, nil, r.make); err != nil {
			r.turn("ROLLBACK_IN_PROGRESS", fmt.Sprintf("The following resource(s) failed to create: [%s]. Rollback requested by user.", id))
			r.removeAll("RetainExceptOnCreate")
			r.turn("ROLLBACK_COMPLETE", "")
			return
		}
	}
	r.turn("CREATE_COMPLETE", "")
}

// update changes a stack, or makes it what it was.
func (r *rollout) update(set *changeSet) {
	old, text, tags := r.deployment.stack, r.deployment.text, r.deployment.tags
	changes := r.deployment.compare(set.stack)
	failed := r.apply(changes, old, set.stack)
	if failed == "" {
		r.settle(set.stack, set.text, set.tags)
		r.turn("UPDATE_COMPLETE", "")
		return
	}
	r.turn("UPDATE_ROLLBACK_IN_PROGRESS", fmt.Sprintf("The following resource(s) failed to update: [%s].", failed))
	old.made = maps.Clone(set.stack.made)
	r.settle(set.stack, set.text, set.tags) // what there is now, more or less
	back := slices.DeleteFunc(r.deployment.compare(old), func(c change) bool { return c.action == "Add" })
	if r.apply(back, set.stack, old) != "" {
		r.turn("UPDATE_ROLLBACK_FAILED", "")
		return
	}
	r.settle(old, text, tags)
	r.turn("UPDATE_ROLLBACK_COMPLETE", "")
}

// apply makes changes until one fails, whose resource it returns.
func (r *rollout) apply(changes []change, old, next *stack) (failed string) {
	for _, c := range changes {
		var err error
		switch c.action {
		case "Add":
			err = r.step("CREATE", next, c.id, old, r.make)
		case "Modify":
			err = r.step("UPDATE", next, c.id, old, r.make)
		default:
			err = r.step("DELETE", old, c.id, old, r.remove)
		}
		if err != nil {
			return c.id
		}
	}
	return ""
}

// delete takes a stack down.
func (r *rollout) delete() {
	if failed := r.removeAll(""); failed != "" {
		r.turn("DELETE_FAILED", fmt.Sprintf("The following resource(s) failed to delete: [%s]. ", failed))
		return
	}
	r.turn("DELETE_COMPLETE", "")
}

// removeAll removes what there is in the opposite order, but what is to be retained. One
// policy of retaining may not hold. It returns the first resource that it could not remove.
func (r *rollout) removeAll(lifted string) (failed string) {
	s := r.deployment.stack
	for _, id := range slices.Backward(slices.Clone(r.deployment.made)) {
		policy, _ := s.resource(id)["DeletionPolicy"].(string)
		if strings.HasPrefix(policy, "Retain") && policy != lifted {
			r.state(s, id, "DELETE_SKIPPED", "")
			continue
		}
		if r.step("DELETE", s, id, s, r.remove) != nil && failed == "" {
			failed = id
		}
	}
	return failed
}

// step does something with one resource, and tells of it.
func (r *rollout) step(verb string, s *stack, id string, old *stack, do func(s *stack, id string, old *stack) error) error {
	r.state(s, id, verb+"_IN_PROGRESS", "")
	if err := do(s, id, old); err != nil {
		r.state(s, id, verb+"_FAILED", sentence(s, id, err))
		return err
	}
	r.state(s, id, verb+"_COMPLETE", "")
	return nil
}

// sentence is how CloudFormation tells what failed. The keeper's is told as it is.
func sentence(s *stack, id string, err error) string {
	code, text := "GeneralServiceException", err.Error()
	switch {
	case kindOf(s, id) == "Custom::Subscription":
		return text
	case strings.Contains(text, "AccessDenied"):
		code = "AccessDenied"
	case strings.Contains(text, "AlreadyExists"):
		code, text = "AlreadyExists", fmt.Sprintf("Resource of type '%s' with identifier '%s' already exists.", kindOf(s, id), physical(s, id))
	}
	return fmt.Sprintf("Resource handler returned message: %q (RequestToken: %s, HandlerErrorCode: %s)", text, uuid.NewString(), code)
}

// state notes the state of a resource. One that failed may have been made in part.
func (r *rollout) state(s *stack, id, status, reason string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	d := r.deployment
	d.states[id] = status
	d.tell(id, physical(s, id), kindOf(s, id), status, reason)
	switch status {
	case "CREATE_COMPLETE":
		d.made = append(d.made, id)
	case "CREATE_FAILED":
		if kindOf(s, id) == "Custom::Subscription" {
			d.made = append(d.made, id)
		}
	case "DELETE_COMPLETE", "DELETE_SKIPPED":
		d.made = slices.DeleteFunc(d.made, func(other string) bool { return other == id })
	}
}

func (r *rollout) turn(status, reason string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.deployment.turn(status, reason)
}

func (r *rollout) settle(s *stack, text string, tags map[string]string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.deployment.stack, r.deployment.text, r.deployment.tags = s, text, tags
}
