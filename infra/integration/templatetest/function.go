package templatetest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// A Function is how AWS Lambda runs a program.
type Function struct {
	// LogicalID is its name in the template, Name that in AWS.
	LogicalID, Name, ARN string
	// CodeURI is the folder of the program, from that of the template.
	CodeURI     string
	Environment map[string]string
	Timeout     time.Duration
	// Memory is in MB.
	Memory int
	// LogLevel is INFO or such; LogFormat is JSON or Text.
	LogLevel, LogFormat string
	// Routes are the routes of the HTTP API that lead to it: "POST /path".
	Routes []string
	// Role is the ARN of its role, and Policy what that allows and denies.
	Role   string
	Policy []Statement
}

// A Statement is one statement of a policy.
type Statement struct {
	Sid, Effect        string
	Actions, Resources []string
	// Conditions are the operators and what they compare: nil if it always applies.
	Conditions map[string]map[string][]string
}

// Function returns a function by its logical id.
func (s *Stack) Function(id string) (Function, error) {
	f, err := s.fieldsOf(id, typeFunction)
	if err != nil {
		return Function{}, err
	}
	fn := Function{LogicalID: id, ARN: s.made[id].Attributes["Arn"], Environment: make(map[string]string)}
	fn.Name, fn.CodeURI = f.string("FunctionName"), f.string("CodeUri")
	fn.Timeout, fn.Memory = time.Duration(f.int("Timeout"))*time.Second, f.int("MemorySize")
	f.expect("Runtime", "provided.al2023")
	f.expect("Handler", "bootstrap")
	if architectures := f.strings("Architectures"); !slices.Equal(architectures, []string{"arm64"}) {
		f.check("Architectures", fmt.Errorf("are %q, want arm64", architectures))
	}
	f.ignore("Description", "ReservedConcurrentExecutions", "EventInvokeConfig")
	f.within("Environment", func(e *fields) {
		e.within("Variables", func(v *fields) {
			for name := range v.from {
				fn.Environment[name] = v.string(name)
			}
		})
	})
	f.within("LoggingConfig", func(l *fields) {
		fn.LogFormat, fn.LogLevel = l.string("LogFormat"), l.string("ApplicationLogLevel")
		l.ignore("LogGroup")
	})
	f.within("Events", func(e *fields) {
		for _, name := range slices.Sorted(maps.Keys(e.from)) {
			e.within(name, func(event *fields) { fn.Routes = append(fn.Routes, event.route()) })
		}
	})
	fn.Role = f.string("Role")
	err = f.done()
	if err == nil {
		fn.Policy, err = s.policyOf(fn.Role)
	}
	if err != nil {
		return Function{}, fmt.Errorf("%s: %w", id, err)
	}
	return fn, nil
}

// route reads an event of a function. Queues are event source mappings of their
// own here.
func (f *fields) route() string {
	f.expect("Type", "HttpApi")
	route := ""
	f.within("Properties", func(p *fields) {
		route = p.string("Method") + " " + p.string("Path")
		p.expect("PayloadFormatVersion", "2.0")
		p.ignore("ApiId", "TimeoutInMillis")
	})
	return route
}

// fieldsOf are the resolved properties of a resource of a type.
func (s *Stack) fieldsOf(id, kind string) (*fields, error) {
	r, ok := s.template.resources[id]
	if !ok || r.kind != kind {
		return nil, fmt.Errorf("there is no resource %s of type %s", id, kind)
	}
	properties, err := s.properties(id)
	if err != nil {
		return nil, err
	}
	return fieldsOf(properties)
}

// policyOf are the statements of the role with that ARN.
func (s *Stack) policyOf(arn string) ([]Statement, error) {
	for id, r := range s.template.resources {
		if r.kind == typeRole && s.made[id].Attributes["Arn"] == arn {
			return s.Policy(id)
		}
	}
	return nil, fmt.Errorf("no role of the template is %s", arn)
}

// Policy returns what a role allows and denies. Managed policies are refused: what
// they allow is not in the template.
func (s *Stack) Policy(role string) ([]Statement, error) {
	f, err := s.fieldsOf(role, typeRole)
	if err != nil {
		return nil, err
	}
	f.ignore("RoleName", "Description", "AssumeRolePolicyDocument")
	var statements []Statement
	policies, ok := f.take("Policies").([]any)
	if !ok {
		f.check("Policies", errors.New("want a list"))
	}
	for _, policy := range policies {
		p, err := fieldsOf(policy)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", role, err)
		}
		p.ignore("PolicyName")
		p.within("PolicyDocument", func(d *fields) {
			d.expect("Version", "2012-10-17")
			statements = append(statements, d.statements()...)
		})
		f.check("Policies", p.done())
	}
	if err := f.done(); err != nil {
		return nil, fmt.Errorf("%s: %w", role, err)
	}
	return statements, nil
}

func (f *fields) statements() []Statement {
	var statements []Statement
	list, ok := f.take("Statement").([]any)
	if !ok {
		f.check("Statement", errors.New("want a list"))
	}
	for _, item := range list {
		one, err := fieldsOf(item)
		if err != nil {
			f.check("Statement", err)
			continue
		}
		statements = append(statements, Statement{
			Sid: one.string("Sid"), Effect: one.string("Effect"),
			Actions: one.strings("Action"), Resources: one.strings("Resource"), Conditions: one.conditions(),
		})
		f.check("Statement", one.done())
	}
	return statements
}

// conditions are those of a statement.
func (f *fields) conditions() map[string]map[string][]string {
	var conditions map[string]map[string][]string
	f.within("Condition", func(operators *fields) {
		conditions = make(map[string]map[string][]string)
		for operator := range operators.from {
			conditions[operator] = make(map[string][]string)
			operators.within(operator, func(keys *fields) {
				for key := range keys.from {
					conditions[operator][key] = keys.strings(key)
				}
			})
		}
	})
	return conditions
}

// An EventSource is how AWS Lambda takes messages from a queue.
type EventSource struct {
	LogicalID string
	// Function is the name of the function, Queue the ARN of the queue.
	Function, Queue string
	BatchSize       int
	Window          time.Duration
	// Concurrency is how many batches are worked on at a time.
	Concurrency int
	// Partial tells that the function names the messages that failed
	// (ReportBatchItemFailures).
	Partial bool
}

// EventSources returns every event source, by logical id.
func (s *Stack) EventSources() ([]EventSource, error) {
	var sources []EventSource
	for _, id := range s.IDs(typeEventSource) {
		f, err := s.fieldsOf(id, typeEventSource)
		if err != nil {
			return nil, err
		}
		source := EventSource{LogicalID: id, Function: f.string("FunctionName"), Queue: f.string("EventSourceArn"),
			BatchSize: f.intOr("BatchSize", 10), Window: time.Duration(f.intOr("MaximumBatchingWindowInSeconds", 0)) * time.Second}
		source.Partial = slices.Contains(f.strings("FunctionResponseTypes"), "ReportBatchItemFailures")
		f.within("ScalingConfig", func(c *fields) { source.Concurrency = c.int("MaximumConcurrency") })
		if err := f.done(); err != nil {
			return nil, fmt.Errorf("%s: %w", id, err)
		}
		sources = append(sources, source)
	}
	return sources, nil
}

// A Schedule starts a function again and again.
type Schedule struct {
	LogicalID string
	// Function and Role are ARNs.
	Function, Role string
	// Expression is when: rate(1 hour).
	Expression string
	// Input is the event that the function gets, JSON.
	Input string
}

// Schedules returns every schedule, by logical id.
func (s *Stack) Schedules() ([]Schedule, error) {
	var schedules []Schedule
	for _, id := range s.IDs(typeSchedule) {
		f, err := s.fieldsOf(id, typeSchedule)
		if err != nil {
			return nil, err
		}
		schedule := Schedule{LogicalID: id, Expression: f.string("ScheduleExpression")}
		f.ignore("Description", "FlexibleTimeWindow")
		f.within("Target", func(target *fields) {
			schedule.Function, schedule.Role, schedule.Input = target.string("Arn"), target.string("RoleArn"), target.string("Input")
			target.ignore("RetryPolicy")
		})
		if err := f.done(); err != nil {
			return nil, fmt.Errorf("%s: %w", id, err)
		}
		schedules = append(schedules, schedule)
	}
	return schedules, nil
}

// A Rotation lets a function replace a secret again and again.
type Rotation struct {
	LogicalID string
	// Secret and Function are ARNs.
	Secret, Function string
	// Days is the time from one rotation to the next.
	Days int
}

// Rotations returns every rotation, by logical id. None of them begins when it is set
// up: that would be while the stack is made.
func (s *Stack) Rotations() ([]Rotation, error) {
	var rotations []Rotation
	for _, id := range s.IDs(typeRotation) {
		f, err := s.fieldsOf(id, typeRotation)
		if err != nil {
			return nil, err
		}
		rotation := Rotation{LogicalID: id, Secret: f.string("SecretId"), Function: f.string("RotationLambdaARN")}
		f.expect("RotateImmediatelyOnUpdate", "false")
		f.within("RotationRules", func(rules *fields) { rotation.Days = rules.int("AutomaticallyAfterDays") })
		if err := f.done(); err != nil {
			return nil, fmt.Errorf("%s: %w", id, err)
		}
		rotations = append(rotations, rotation)
	}
	return rotations, nil
}

// A Permission lets a service of AWS invoke a function.
type Permission struct {
	LogicalID string
	// Function is a name, Service "secretsmanager.amazonaws.com", and Account the only
	// one on whose behalf.
	Function, Service, Account string
}

// Permissions returns every permission that the template itself names, by logical id.
func (s *Stack) Permissions() ([]Permission, error) {
	var permissions []Permission
	for _, id := range s.IDs(typePermission) {
		f, err := s.fieldsOf(id, typePermission)
		if err != nil {
			return nil, err
		}
		f.expect("Action", "lambda:InvokeFunction")
		permissions = append(permissions, Permission{LogicalID: id, Function: f.string("FunctionName"),
			Service: f.string("Principal"), Account: f.string("SourceAccount")})
		if err := f.done(); err != nil {
			return nil, fmt.Errorf("%s: %w", id, err)
		}
	}
	return permissions, nil
}

// Custom returns the properties with which CloudFormation calls the function of a
// custom resource. All scalars are strings there.
func (s *Stack) Custom(id string) (map[string]any, error) {
	properties, err := s.properties(id)
	if err != nil {
		return nil, err
	}
	for name, v := range properties {
		text, err := asString(v)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", id, name, err)
		}
		properties[name] = text
	}
	return properties, nil
}

// Ref is what Ref gives for a resource, Attribute what GetAtt gives.
func (s *Stack) Ref(id string) (string, error) {
	if _, ok := s.made[id]; !ok {
		return "", fmt.Errorf("there is no resource %s", id)
	}
	return s.made[id].Ref, nil
}

// Attribute is what GetAtt gives for a resource.
func (s *Stack) Attribute(id, name string) (string, error) { return s.attribute(id, name) }

// Properties are the resolved properties of a resource.
func (s *Stack) Properties(id string) (map[string]any, error) {
	if _, ok := s.template.resources[id]; !ok {
		return nil, fmt.Errorf("there is no resource %s", id)
	}
	return s.properties(id)
}

// Functions returns every function, by logical id.
func (s *Stack) Functions() ([]Function, error) {
	var functions []Function
	for _, id := range s.IDs(typeFunction) {
		f, err := s.Function(id)
		if err != nil {
			return nil, err
		}
		functions = append(functions, f)
	}
	return functions, nil
}

// DependsOn are the resources that a resource names as made before it.
func (s *Stack) DependsOn(id string) []string {
	return slices.Clone(s.template.resources[id].dependsOn)
}

// IDs are the logical ids of the resources of a type that are there, in order.
func (s *Stack) IDs(kind string) []string {
	var ids []string
	for id := range s.made {
		if s.template.resources[id].kind == kind {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}
