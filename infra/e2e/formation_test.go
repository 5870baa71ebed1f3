package e2e

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/sessionstamp/sessionstamp/infra/e2e/awstest"
)

// A formation is CloudFormation, as far as SAM and the command call it. It knows stacks of
// any name, but roles, functions and queues of one only: [stackName].
type formation struct {
	account *account
	running sync.WaitGroup // what is being carried out

	mu     sync.Mutex
	stacks []*deployment // the last of a name is the one that there is
}

// A deployment is a stack with its history.
type deployment struct {
	name, id, status, reason string
	created                  time.Time
	stack                    *stack            // what there is, nil before the first change set was executed
	text                     string            // of the template
	tags                     map[string]string // by key
	made                     []string          // logical ids, in the order in which they were made
	states                   map[string]string // of resources, by logical id
	events                   []any             // the newest one first
	sets                     []*changeSet
}

// A changeSet is what is to become of a stack.
type changeSet struct {
	name, id, kind, status, reason string
	caller                         string // ARN
	stack                          *stack
	text                           string
	tags                           map[string]string
	executed                       bool
}

func newFormation(a *account) *formation {
	f := &formation{account: a}
	a.aws.Play("cloudformation", f.play)
	return f
}

// play answers a call
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Operations.html).
func (f *formation) play(w http.ResponseWriter, c *awstest.Call) bool {
	operations := map[string]func(*awstest.Call) (object, error){
		"CreateChangeSet": f.createChangeSet, "DescribeChangeSet": f.describeChangeSet, "ExecuteChangeSet": f.executeChangeSet,
		"DescribeStacks":      f.describeStacks,
		"DescribeStackEvents": f.of(events), "ListStackResources": f.of(summaries),
		"GetTemplateSummary": f.of(summary), "DeleteStack": f.deleteStack,
	}
	operation := operations[c.Operation()]
	if operation == nil {
		c.Refuse(w, awstest.Refused("InvalidAction", "%s is not played here", c.Action))
		return true
	}
	result, err := f.alone(operation, c)
	if err != nil {
		c.Refuse(w, err)
		return true
	}
	c.Answer(w, http.StatusOK, result)
	return true
}

// alone does one operation at a time. One that panics ends its call, and not all that come.
func (f *formation) alone(operation func(*awstest.Call) (object, error), c *awstest.Call) (object, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return operation(c)
}

func invalid(format string, args ...any) error {
	return awstest.Refused("ValidationError", format, args...)
}

// find is the stack of a name, or of an id, by which one that is gone is found too.
func (f *formation) find(name string) (*deployment, error) {
	for _, d := range slices.Backward(f.stacks) {
		if d.id == name || d.name == name && d.status != "DELETE_COMPLETE" {
			return d, nil
		}
	}
	return nil, invalid("Stack with id %s does not exist", name)
}

// of makes an operation that only looks at a stack.
func (f *formation) of(look func(*deployment) object) func(*awstest.Call) (object, error) {
	return func(c *awstest.Call) (object, error) {
		d, err := f.find(c.Form.Get("StackName"))
		if err != nil {
			return nil, err
		}
		return look(d), nil
	}
}

func events(d *deployment) object { return object{"StackEvents": slices.Clone(d.events)} }

func summaries(d *deployment) object { return object{"StackResourceSummaries": d.resources()} }

func summary(d *deployment) object {
	parameters := []any{}
	if d.stack != nil {
		for _, name := range d.stack.asked {
			parameters = append(parameters, object{"ParameterKey": name})
		}
	}
	return object{"Parameters": parameters}
}

// resources are those that there are, with their states.
func (d *deployment) resources() []any {
	all := []any{}
	for _, id := range slices.Sorted(maps.Keys(d.states)) {
		all = append(all, object{"LogicalResourceId": id, "PhysicalResourceId": physical(d.stack, id), "ResourceType": kindOf(d.stack, id),
			"ResourceStatus": d.states[id], "LastUpdatedTimestamp": stamp(time.Now()), "Timestamp": stamp(time.Now()),
			"StackName": d.name, "StackId": d.id})
	}
	return all
}

func (f *formation) describeStacks(c *awstest.Call) (object, error) {
	all := []any{}
	if name := c.Form.Get("StackName"); name != "" {
		d, err := f.find(name)
		if err != nil {
			return nil, err
		}
		return object{"Stacks": []any{d.description()}}, nil
	}
	for _, d := range f.stacks {
		if d.status != "DELETE_COMPLETE" {
			all = append(all, d.description())
		}
	}
	return object{"Stacks": all}, nil
}

// description is a stack as DescribeStacks shows it.
func (d *deployment) description() object {
	tags, parameters, outputs := []any{}, []any{}, []any{}
	for _, key := range slices.Sorted(maps.Keys(d.tags)) {
		tags = append(tags, object{"Key": key, "Value": d.tags[key]})
	}
	shown := object{"StackId": d.id, "StackName": d.name, "StackStatus": d.status, "StackStatusReason": d.reason,
		"CreationTime": stamp(d.created), "Tags": tags, "DisableRollback": false}
	if d.stack == nil {
		return shown
	}
	for _, name := range d.stack.asked {
		parameters = append(parameters, object{"ParameterKey": name, "ParameterValue": d.stack.given[name]})
	}
	shown["Description"], shown["TemplateDescription"] = d.stack.object["Description"], d.stack.object["Description"]
	shown["Parameters"] = parameters
	if strings.HasSuffix(d.status, "_COMPLETE") && d.status != "ROLLBACK_COMPLETE" && d.status != "DELETE_COMPLETE" {
		for name, o := range d.stack.section("Outputs") {
			condition, conditional := o.(object)["Condition"].(string)
			if !conditional || d.stack.condition(condition) {
				outputs = append(outputs, object{"OutputKey": name, "OutputValue": d.stack.output(name), "Description": o.(object)["Description"]})
			}
		}
		shown["Outputs"] = outputs
	}
	return shown
}

func (f *formation) deleteStack(c *awstest.Call) (object, error) {
	d, err := f.find(c.Form.Get("StackName"))
	if err != nil || strings.HasPrefix(d.status, "DELETE_") {
		return object{}, nil //nolint:nilerr // what is gone is gone
	}
	d.turn("DELETE_IN_PROGRESS", "User Initiated")
	f.running.Go((&rollout{formation: f, deployment: d, caller: c.Caller}).delete)
	return object{}, nil
}

// turn gives the stack a status, and tells of it.
func (d *deployment) turn(status, reason string) {
	d.status, d.reason = status, reason
	d.tell(d.name, d.id, "AWS::CloudFormation::Stack", status, reason)
}

func (d *deployment) tell(id, physicalID, kind, status, reason string) {
	event := object{"StackId": d.id, "StackName": d.name, "EventId": uuid.NewString(), "LogicalResourceId": id, "PhysicalResourceId": physicalID,
		"ResourceType": kind, "ResourceStatus": status, "Timestamp": stamp(time.Now())}
	if reason != "" {
		event["ResourceStatusReason"] = reason
	}
	d.events = slices.Insert(d.events, 0, any(event))
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }

// physical is the physical id of a resource, "" before it is made.
func physical(s *stack, id string) string {
	if kindOf(s, id) == "Custom::Subscription" {
		return "sessionstamp-subscription"
	}
	return s.ref(id)
}

// kindOf is the type of a resource once SAM's transform is applied.
func kindOf(s *stack, id string) string {
	kind := s.resource(id)["Type"].(string)
	switch kind {
	case "AWS::Serverless::Function":
		return "AWS::Lambda::Function"
	case "AWS::Serverless::HttpApi":
		return "AWS::ApiGatewayV2::Api"
	}
	return kind
}

// as is AWS, spoken to with the rights of whoever has the ARN.
func (a *account) as(arn string) cloud { return cloud{a.aws.URL(), a.aws.AccessKey(arn)} }
