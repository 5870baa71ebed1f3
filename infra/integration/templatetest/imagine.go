package templatetest

import (
	"fmt"
	"strings"
)

// The types of resources that programs are run from.
const (
	typeFunction    = "AWS::Serverless::Function"
	typeAPI         = "AWS::Serverless::HttpApi"
	typeRole        = "AWS::IAM::Role"
	typeEventSource = "AWS::Lambda::EventSourceMapping"
	typeSchedule    = "AWS::Scheduler::Schedule"
	typePermission  = "AWS::Lambda::Permission"
	typeRotation    = "AWS::SecretsManager::RotationSchedule"
	typeLogGroup    = "AWS::Logs::LogGroup"
	custom          = "Custom::"
)

// imagine gives a resource that is not made the names that AWS would give it.
func (s *Stack) imagine(kind, id string, properties map[string]any) (Made, error) {
	name := func(property string) (string, error) {
		given, err := asString(properties[property])
		if err != nil {
			return "", fmt.Errorf("%s: %w", property, err)
		}
		return given, nil
	}
	named := func(property, service, prefix, suffix string) (Made, error) {
		n, err := name(property)
		return Made{Ref: n, Attributes: map[string]string{"Arn": s.place.arn(service, prefix+n+suffix)}}, err
	}
	switch kind {
	case typeFunction:
		return named("FunctionName", "lambda", "function:", "")
	case typeLogGroup:
		return named("LogGroupName", "logs", "log-group:", ":*")
	case "AWS::CloudWatch::Alarm":
		return named("AlarmName", "cloudwatch", "alarm:", "")
	case "AWS::CloudWatch::Dashboard":
		return named("DashboardName", "cloudwatch", "dashboard/", "")
	case typeRole: // IAM knows no regions
		n, err := name("RoleName")
		return Made{Ref: n, Attributes: map[string]string{"Arn": "arn:aws:iam::" + s.place.Account + ":role/" + n}}, err
	case typeAPI:
		return Made{Ref: strings.ToLower(id) + "1234"}, nil
	case "AWS::SNS::Topic":
		return Made{Ref: s.place.arn("sns", s.place.StackName+"-"+id)}, nil
	case typeEventSource, typeSchedule, typePermission, typeRotation, "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy", "AWS::SNS::Subscription":
		return Made{Ref: s.place.StackName + "-" + id}, nil
	}
	if strings.HasPrefix(kind, custom) {
		return Made{}, nil
	}
	return Made{}, fmt.Errorf("type %s is not known here", kind)
}

// exists tells whether the template has a resource, or SAM adds it while it
// transforms the template
// (https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-generated-resources.html).
func (s *Stack) exists(id string) bool {
	if _, ok := s.template.resources[id]; ok {
		return true
	}
	for own, r := range s.template.resources {
		switch r.kind {
		case typeAPI:
			if id == own+"ApiGatewayDefaultStage" {
				return true
			}
		case typeFunction:
			events, _ := r.properties["Events"].(map[string]any)
			for event := range events {
				if id == own+event+"Permission" {
					return true
				}
			}
		}
	}
	return false
}
