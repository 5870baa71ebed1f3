package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/sessionstamp/sessionstamp/infra/e2e/awstest"
)

// createChangeSet reads a template from S3 or from the call, and compares.
func (f *formation) createChangeSet(c *awstest.Call) (object, error) {
	name, kind := c.Form.Get("StackName"), c.Form.Get("ChangeSetType")
	d, err := f.find(name)
	exists := err == nil && d.status != "REVIEW_IN_PROGRESS"
	switch {
	case exists && kind == "CREATE":
		return nil, invalid("Stack [%s] already exists and cannot be created again with the changeSet [%s].", name, c.Form.Get("ChangeSetName"))
	case !exists && kind != "CREATE":
		return nil, invalid("Stack [%s] does not exist", name)
	case exists && (strings.HasSuffix(d.status, "_IN_PROGRESS") || d.status == "ROLLBACK_COMPLETE" || strings.HasSuffix(d.status, "_FAILED")):
		return nil, invalid("Stack:%s is in %s state and can not be updated.", d.id, d.status)
	}
	set, err := f.readChangeSet(c, d)
	if err != nil {
		return nil, err
	}
	if d == nil {
		d = &deployment{name: name, id: awstest.ARN("cloudformation", "stack/"+name+"/"+uuid.NewString()), created: time.Now(), states: make(map[string]string)}
		f.stacks = append(f.stacks, d)
		d.turn("REVIEW_IN_PROGRESS", "User Initiated")
	}
	if d.stack != nil && d.text == set.text && maps.Equal(d.stack.given, set.stack.given) && maps.Equal(d.tags, set.tags) {
		set.status, set.reason = "FAILED", "The submitted information didn't contain changes. Submit different information to create a change set."
	}
	d.sets = append(d.sets, set)
	return object{"Id": set.id, "StackId": d.id}, nil
}

// readChangeSet checks what CloudFormation checks before it does anything.
func (f *formation) readChangeSet(c *awstest.Call, d *deployment) (*changeSet, error) {
	set := &changeSet{name: c.Form.Get("ChangeSetName"), kind: c.Form.Get("ChangeSetType"), status: "CREATE_COMPLETE", caller: c.Caller,
		text: c.Form.Get("TemplateBody"), tags: make(map[string]string)}
	set.id = awstest.ARN("cloudformation", "changeSet/"+set.name+"/"+uuid.NewString())
	if at, err := url.Parse(c.Form.Get("TemplateURL")); err == nil && at.Path != "" {
		text, err := f.account.as(c.Caller).send(f.account.ctx, "s3", http.MethodGet, at.Path, http.Header{}, nil)
		if err != nil {
			return nil, invalid("S3 error: %v", err)
		}
		set.text = string(text)
	}
	read, err := parseTemplate([]byte(set.text))
	if err != nil {
		return nil, invalid("Template format error: %v", err)
	}
	if _, has := read.object["Parameters"]; !has {
		read.object["Parameters"] = object{}
	}
	if set.stack, err = newStack(read, parametersOf(c, d)); err != nil {
		return nil, invalid("Parameter %v", err)
	}
	for name := range set.stack.given {
		if !slices.Contains(read.asked, name) {
			return nil, invalid("Parameters: [%s] do not exist in the template", name)
		}
	}
	for i, key := range c.Member("Tags", "Key") {
		set.tags[key] = c.Member("Tags", "Value")[i]
	}
	if len(set.stack.resources("AWS::IAM::Role")) > 0 && !slices.Contains(c.Member("Capabilities", ""), "CAPABILITY_NAMED_IAM") {
		return nil, awstest.Refused("InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_NAMED_IAM]")
	}
	if d != nil && d.stack != nil {
		set.stack.made = maps.Clone(d.stack.made)
	}
	return set, nil
}

// parametersOf are those of a call, with the values that they had before where it says so.
func parametersOf(c *awstest.Call, d *deployment) map[string]string {
	given := make(map[string]string)
	for i, key := range c.Member("Parameters", "ParameterKey") {
		field := fmt.Sprintf("Parameters.member.%d.", i+1)
		given[key] = c.Form.Get(field + "ParameterValue")
		if c.Form.Get(field+"UsePreviousValue") == "true" && d != nil && d.stack != nil {
			given[key] = d.stack.given[key]
		}
	}
	return given
}

// change is the change set that a call names.
func (f *formation) change(c *awstest.Call) (*deployment, *changeSet, error) {
	name := c.Form.Get("ChangeSetName")
	for _, d := range slices.Backward(f.stacks) {
		for _, set := range d.sets {
			if set.id == name || set.name == name && (d.name == c.Form.Get("StackName") || d.id == c.Form.Get("StackName")) {
				return d, set, nil
			}
		}
	}
	return nil, nil, &awstest.Refusal{Status: http.StatusNotFound, Code: "ChangeSetNotFound", Message: fmt.Sprintf("ChangeSet [%s] does not exist", name)}
}

func (f *formation) describeChangeSet(c *awstest.Call) (object, error) {
	d, set, err := f.change(c)
	if err != nil {
		return nil, err
	}
	changes := []any{}
	for _, change := range d.compare(set.stack) {
		changes = append(changes, object{"Type": "Resource", "ResourceChange": object{"Action": change.action, "LogicalResourceId": change.id,
			"ResourceType": change.kind, "Replacement": "False"}})
	}
	return object{"ChangeSetName": set.name, "ChangeSetId": set.id, "StackId": d.id, "StackName": d.name, "Status": set.status,
		"StatusReason": set.reason, "ExecutionStatus": map[bool]string{true: "AVAILABLE", false: "UNAVAILABLE"}[set.status == "CREATE_COMPLETE"],
		"Changes": changes}, nil
}

func (f *formation) executeChangeSet(c *awstest.Call) (object, error) {
	d, set, err := f.change(c)
	switch {
	case err != nil:
		return nil, err
	case set.status != "CREATE_COMPLETE" || set.executed:
		return nil, awstest.Refused("InvalidChangeSetStatus", "ChangeSet [%s] cannot be executed in its current status of [%s]", set.id, set.status)
	}
	set.executed = true
	r := &rollout{formation: f, deployment: d, caller: set.caller}
	if set.kind == "CREATE" {
		d.stack, d.text, d.tags = set.stack, set.text, set.tags
		d.turn("CREATE_IN_PROGRESS", "User Initiated")
		f.running.Go(r.create)
		return object{}, nil
	}
	d.turn("UPDATE_IN_PROGRESS", "User Initiated")
	f.running.Go(func() { r.update(set) })
	return object{}, nil
}
