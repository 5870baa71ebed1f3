package e2e

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/sessionstamp/sessionstamp/infra/e2e/awstest"
	"github.com/sessionstamp/sessionstamp/shared/aws/mototest"
)

// noValue takes a property away.
type noValue struct{}

// resolve replaces all calls by what they give. It panics where the template leads
// nowhere, which fails the test.
func (s *stack) resolve(v any) any {
	switch v := v.(type) {
	case object:
		m := make(object)
		for key, item := range v {
			if item = s.resolve(item); item != (noValue{}) {
				m[key] = item
			}
		}
		return m
	case []any:
		list := []any{}
		for _, item := range v {
			if item = s.resolve(item); item != (noValue{}) {
				list = append(list, item)
			}
		}
		return list
	case call:
		return s.call(v)
	}
	return v
}

func (s *stack) call(c call) any {
	switch c.name {
	case "!Ref":
		if c.argument == "AWS::NoValue" {
			return noValue{}
		}
		return s.ref(c.argument.(string))
	case "!GetAtt":
		id, attribute, _ := strings.Cut(c.argument.(string), ".")
		return s.attribute(id, attribute)
	case "!Sub":
		if list, ok := c.argument.([]any); ok {
			return s.substitute(list[0].(string), s.resolve(list[1]).(object))
		}
		return s.substitute(c.argument.(string), nil)
	case "!Condition":
		return s.condition(c.argument.(string))
	}
	list := c.argument.([]any)
	switch c.name {
	case "!If":
		if s.condition(list[0].(string)) {
			return s.resolve(list[1])
		}
		return s.resolve(list[2])
	case "!Not":
		return !s.resolve(list[0]).(bool)
	case "!Select":
		return s.resolve(list[1]).([]any)[list[0].(int)]
	case "!Split":
		parts := []any{}
		for part := range strings.SplitSeq(s.resolve(list[1]).(string), list[0].(string)) {
			parts = append(parts, part)
		}
		return parts
	case "!Equals":
		return s.resolve(list[0]) == s.resolve(list[1])
	case "!And":
		return s.resolve(list[0]).(bool) && s.resolve(list[1]).(bool)
	case "!FindInMap":
		return s.section("Mappings")[list[0].(string)].(object)[s.resolve(list[1]).(string)].(object)[list[2].(string)]
	}
	panic("the intrinsic function " + c.name + " is not known here")
}

// variable is what stands in a text for a reference.
var variable = regexp.MustCompile(`\$\{([A-Za-z0-9:.]+)\}`)

func (s *stack) substitute(text string, own object) string {
	return variable.ReplaceAllStringFunc(text, func(v string) string {
		name := v[2 : len(v)-1]
		if value, ok := own[name]; ok {
			return value.(string)
		}
		if id, attribute, ok := strings.Cut(name, "."); ok {
			return s.attribute(id, attribute)
		}
		return s.ref(name)
	})
}

var pseudo = map[string]string{"AWS::StackName": stackName, "AWS::Region": mototest.Region, "AWS::AccountId": mototest.Account,
	"AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com"}

// ref is what Ref gives. A name that the template sets is the resource's own.
func (s *stack) ref(id string) string {
	if v, ok := pseudo[id]; ok {
		return v
	}
	if v, ok := s.given[id]; ok {
		return v
	}
	if v, ok := s.made[id]; ok {
		return v
	}
	r := s.resource(id)
	for _, property := range []string{"FunctionName", "RoleName", "LogGroupName", "AlarmName", "DashboardName"} {
		if name, ok := r["Properties"].(object)[property]; ok && r["Type"] != "AWS::Lambda::EventSourceMapping" {
			return s.resolve(name).(string)
		}
	}
	switch r["Type"] {
	case "AWS::SecretsManager::Secret":
		return awstest.ARN("secretsmanager", "secret:"+stackName+"-"+id+"-AbCdEf")
	case "AWS::SNS::Topic":
		return awstest.ARN("sns", stackName+"-"+id)
	case "AWS::SQS::Queue":
		return "https://sqs." + mototest.Region + ".amazonaws.com/" + mototest.Account + "/" + queueName(id)
	}
	return stackName + "-" + id
}

// queueName is how CloudFormation names a queue.
func queueName(id string) string { return stackName + "-" + id + "-AbCdEfGhIjKl" }

// attribute is what GetAtt gives.
func (s *stack) attribute(id, attribute string) string {
	kind, name := s.resource(id)["Type"], s.ref(id)
	if kind == "AWS::SQS::Queue" {
		name = queueName(id)
		if attribute == "QueueName" {
			return name
		}
	}
	if attribute != "Arn" {
		panic(id + "." + attribute + " is not known here")
	}
	switch kind {
	case "AWS::Serverless::Function":
		return awstest.ARN("lambda", "function:"+name)
	case "AWS::IAM::Role":
		return awstest.ARN("iam", "role/"+name)
	case "AWS::Logs::LogGroup":
		return awstest.ARN("logs", "log-group:"+name+":*")
	case "AWS::SQS::Queue":
		return awstest.ARN("sqs", name)
	case "AWS::DynamoDB::Table":
		return awstest.ARN("dynamodb", "table/"+name)
	case "AWS::CloudWatch::Alarm":
		return awstest.ARN("cloudwatch", "alarm:"+name)
	}
	panic(fmt.Sprintf("the ARN of %s, a %v, is not known here", id, kind))
}
