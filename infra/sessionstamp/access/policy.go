// Package access tells who needs which right for what: the policies of AWS IAM for those who
// deploy, operate and help, and the sheet by which a company approves sessionstamp. It is
// pure, and names rights as Microsoft and AWS do.
package access

import (
	"slices"
	"strings"
)

// A Place is where a deployment is. What is empty stands for all there are, as "*" in an ARN.
type Place struct {
	// Partition is aws, aws-cn or aws-us-gov.
	Partition string
	// Region is such as ap-northeast-1.
	Region string
	// Account is the number of the AWS account, 12 digits.
	Account string
	// Stack is the name of the stack in CloudFormation.
	Stack string
}

// PartitionOf returns the partition in which a region lies.
func PartitionOf(region string) string {
	for _, of := range []string{"cn", "us-gov", "eusc"} {
		if strings.HasPrefix(region, of+"-") {
			return "aws-" + of
		}
	}
	return "aws"
}

// A Policy is an identity-based policy of AWS IAM, in the form in which IAM takes it:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
type Policy struct {
	Version   string
	Statement []Statement
}

// A Statement allows actions on resources under a condition.
type Statement struct {
	Sid       string
	Effect    string
	Action    []string
	Resource  []string
	Condition Condition `json:",omitempty"`
}

// A Condition holds, by operator and key, the values of which one must match.
type Condition map[string]map[string][]string

// Allows tells whether a statement allows an action, such as sqs:SendMessage, on a resource.
// Conditions are taken as met.
func (p Policy) Allows(action, resource string) bool {
	return slices.ContainsFunc(p.Statement, func(s Statement) bool {
		return slices.ContainsFunc(s.Action, func(pattern string) bool {
			return matches(strings.ToLower(pattern), strings.ToLower(action)) // IAM ignores the case of actions
		}) && slices.ContainsFunc(s.Resource, func(pattern string) bool { return matches(pattern, resource) })
	})
}

// matches knows the * of IAM's patterns. We write no "?".
func matches(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == text
	}
	last := len(parts) - 1
	if !strings.HasPrefix(text, parts[0]) {
		return false
	}
	text = text[len(parts[0]):]
	for _, part := range parts[1:last] {
		_, after, found := strings.Cut(text, part)
		if !found {
			return false
		}
		text = after
	}
	return strings.HasSuffix(text, parts[last])
}

// arns writes the ARNs of a place.
type arns Place

func (a arns) of(service, resource string) string {
	return strings.Join([]string{"arn", part(a.Partition), service, part(a.Region), part(a.Account), resource}, ":")
}

// global writes the ARN of what is in no region.
func (a arns) global(service, account, resource string) string {
	return strings.Join([]string{"arn", part(a.Partition), service, "", account, resource}, ":")
}

// named writes the ARN of what bears a name that begins with the stack's.
func (a arns) named(service, kind string) string { return a.of(service, kind+a.Stack+"-*") }

func (a arns) stack() string { return a.of("cloudformation", "stack/"+a.Stack+"/*") }

// roles are those of the template.
func (a arns) roles() string {
	return a.global("iam", part(a.Account), "role/"+a.Stack+"-*-"+part(a.Region))
}

// logs are the log groups of the functions. That a stream's name follows is part of the *.
func (a arns) logs() string { return a.of("logs", "log-group:/aws/lambda/"+a.Stack+"-*") }

// apiLogs are the log group of the API, and its streams.
func (a arns) apiLogs() []string {
	group := a.of("logs", "log-group:/aws/vendedlogs/apigateway/"+a.Stack)
	return []string{group, group + ":*"}
}

func (a arns) table() string { return a.of("dynamodb", "table/"+a.Stack+"-Table-*") }

// secrets are that of clientState, which CloudFormation names by its logical id without the
// stack's name, and that which holds the app's credential, where one is stored. Who looks for
// one by a name that nobody has, is asked for the right to the name alone, which ends without
// the six characters: https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_iam-permissions.html
func (a arns) secrets() []string {
	return []string{a.of("secretsmanager", "secret:ClientStateSecret-*"), a.of("secretsmanager", "secret:"+a.Stack+"/entra*")}
}

// signals are the secrets of the sources of signals.
func (a arns) signals() string { return a.of("secretsmanager", "secret:"+a.Stack+"/signal/*") }

// queue is one that CloudFormation names by its logical id.
func (a arns) queue(logical string) string { return a.of("sqs", a.Stack+"-"+logical+"-*") }

func part(name string) string {
	if name == "" {
		return "*"
	}
	return name
}

func policy(statements ...Statement) Policy {
	return Policy{Version: "2012-10-17", Statement: statements}
}

// allow makes a statement. Actions have blanks between, and are of the service that was named
// last: "sqs:CreateQueue DeleteQueue".
func allow(sid, actions string, resources ...string) Statement {
	s := Statement{Sid: sid, Effect: "Allow", Resource: resources}
	service := ""
	for action := range strings.FieldsSeq(actions) {
		if before, after, named := strings.Cut(action, ":"); named {
			service, action = before, after
		}
		s.Action = append(s.Action, service+":"+action)
	}
	return s
}

func (s Statement) where(operator, key string, values ...string) Statement {
	s.Condition = Condition{operator: {key: values}}
	return s
}

const everything = "*"
