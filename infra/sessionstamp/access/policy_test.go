package access_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/access"
)

var here = access.Place{Partition: "aws", Region: "ap-northeast-1", Account: "111122223333", Stack: "sessionstamp"}

// TestSize: IAM takes 6,144 characters, blanks not counted, of a managed policy:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
func TestSize(t *testing.T) {
	t.Parallel()
	// The longest name with which the roles' names have at most 64 characters.
	longest := access.Place{Partition: "aws-us-gov", Region: "us-gov-west-1", Account: "111122223333", Stack: strings.Repeat("s", 64-len("-schedule-us-gov-west-1"))}
	for name, policy := range map[string]func(access.Place) access.Policy{"deploy": access.Deploy, "operator": access.Operator, "signals": access.Signals, "helpdesk": access.Helpdesk} {
		for _, place := range []access.Place{here, longest} {
			text, err := json.Marshal(policy(place))
			if err != nil || len(text) > 6144 {
				t.Errorf("%s of %s: %d characters, %v", name, place.Stack, len(text), err)
			}
		}
	}
}

// expands are the types that SAM makes of its own, for what the template says.
var expands = map[string][]string{
	"AWS::Serverless::Function": {"AWS::Lambda::Function", "AWS::Lambda::Permission", "AWS::Lambda::EventInvokeConfig"},
	"AWS::Serverless::HttpApi":  {"AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::Stage"},
	"Custom::Subscription":      {"Custom"},
}

// A need is what CloudFormation calls to make, change and delete a type, as
// handlers.permissions of its schema has it for the properties of the template, and the name
// of one, after partition, service, region and account.
type need struct{ actions, resource string }

var needs = map[string]need{
	"Custom":                         {"lambda:InvokeFunction", "lambda:ap-northeast-1:111122223333:function:sessionstamp-keeper"},
	"AWS::Lambda::Function":          {"lambda:CreateFunction lambda:DeleteFunction lambda:GetFunction lambda:GetFunctionCodeSigningConfig lambda:GetFunctionRecursionConfig lambda:GetRuntimeManagementConfig lambda:PutFunctionRecursionConfig lambda:TagResource lambda:UntagResource lambda:UpdateFunctionCode lambda:UpdateFunctionConfiguration", "lambda:ap-northeast-1:111122223333:function:sessionstamp-webhook"},
	"AWS::Lambda::Permission":        {"lambda:AddPermission lambda:GetPolicy lambda:RemovePermission", "lambda:ap-northeast-1:111122223333:function:sessionstamp-webhook"},
	"AWS::Lambda::EventInvokeConfig": {"lambda:DeleteFunctionEventInvokeConfig lambda:GetFunctionEventInvokeConfig lambda:PutFunctionEventInvokeConfig lambda:UpdateFunctionEventInvokeConfig", "lambda:ap-northeast-1:111122223333:function:sessionstamp-keeper"},
	"AWS::Lambda::EventSourceMapping": {
		"lambda:CreateEventSourceMapping lambda:DeleteEventSourceMapping lambda:GetEventSourceMapping lambda:ListTags lambda:TagResource lambda:UntagResource lambda:UpdateEventSourceMapping",
		"lambda:ap-northeast-1:111122223333:event-source-mapping:8d19",
	},
	"AWS::ApiGatewayV2::Api":   {"apigateway:DELETE apigateway:GET apigateway:PATCH apigateway:POST apigateway:PUT", "apigateway:ap-northeast-1::/apis/a1b2"},
	"AWS::ApiGatewayV2::Stage": {"apigateway:DELETE apigateway:GET apigateway:PATCH apigateway:POST apigateway:TagResource apigateway:UntagResource", "apigateway:ap-northeast-1::/apis/a1b2/stages/$default"},
	"AWS::Logs::LogGroup": {
		"logs:CreateLogGroup logs:DeleteLogGroup logs:DescribeLogGroups logs:PutRetentionPolicy logs:DeleteRetentionPolicy logs:AssociateKmsKey logs:DisassociateKmsKey logs:GetDataProtectionPolicy logs:DescribeIndexPolicies logs:DescribeResourcePolicies logs:ListTagsForResource logs:TagResource logs:UntagResource",
		"logs:ap-northeast-1:111122223333:log-group:/aws/vendedlogs/apigateway/sessionstamp",
	},
	"AWS::IAM::Role": {
		"iam:CreateRole iam:DeleteRole iam:DeleteRolePermissionsBoundary iam:DeleteRolePolicy iam:GetRole iam:GetRolePolicy iam:ListAttachedRolePolicies iam:ListRolePolicies iam:PutRolePermissionsBoundary iam:PutRolePolicy iam:TagRole iam:UntagRole iam:UpdateAssumeRolePolicy iam:UpdateRole iam:UpdateRoleDescription iam:PassRole",
		"iam::111122223333:role/sessionstamp-schedule-ap-northeast-1",
	},
	"AWS::IAM::Policy":         {"iam:DeleteRolePolicy iam:GetRolePolicy iam:PutRolePolicy", "iam::111122223333:role/sessionstamp-keeper-ap-northeast-1"},
	"AWS::Scheduler::Schedule": {"scheduler:CreateSchedule scheduler:DeleteSchedule scheduler:GetSchedule scheduler:UpdateSchedule", "scheduler:ap-northeast-1:111122223333:schedule/default/sessionstamp-KeeperSchedule-1A2B"},
	"AWS::SQS::Queue":          {"sqs:CreateQueue sqs:DeleteQueue sqs:GetQueueAttributes sqs:GetQueueUrl sqs:ListQueueTags sqs:SetQueueAttributes sqs:TagQueue sqs:UntagQueue", "sqs:ap-northeast-1:111122223333:sessionstamp-DeadLetterQueue-1A2B"},
	"AWS::SQS::QueuePolicy":    {"sqs:SetQueueAttributes", "sqs:ap-northeast-1:111122223333:sessionstamp-NotificationQueue-1A2B"},
	"AWS::DynamoDB::Table": {
		"dynamodb:CreateTable dynamodb:DeleteTable dynamodb:DescribeContinuousBackups dynamodb:DescribeContributorInsights dynamodb:DescribeKinesisStreamingDestination dynamodb:DescribeTable dynamodb:DescribeTimeToLive dynamodb:GetResourcePolicy dynamodb:ListTagsOfResource dynamodb:TagResource dynamodb:UntagResource dynamodb:UpdateContinuousBackups dynamodb:UpdateTable dynamodb:UpdateTimeToLive",
		"dynamodb:ap-northeast-1:111122223333:table/sessionstamp-Table-1A2B",
	},
	"AWS::SecretsManager::Secret": {
		"secretsmanager:CreateSecret secretsmanager:DeleteSecret secretsmanager:DescribeSecret secretsmanager:GetRandomPassword secretsmanager:GetSecretValue secretsmanager:TagResource secretsmanager:UntagResource secretsmanager:UpdateSecret",
		"secretsmanager:ap-northeast-1:111122223333:secret:ClientStateSecret-1a2b3c-4d5e6f",
	},
	"AWS::SNS::Topic":            {"sns:CreateTopic sns:DeleteTopic sns:GetDataProtectionPolicy sns:GetTopicAttributes sns:ListSubscriptionsByTopic sns:ListTagsForResource sns:SetTopicAttributes sns:TagResource sns:UntagResource", "sns:ap-northeast-1:111122223333:sessionstamp-AlarmTopic-1A2B"},
	"AWS::SNS::TopicPolicy":      {"sns:SetTopicAttributes", "sns:ap-northeast-1:111122223333:sessionstamp-AlarmTopic-1A2B"},
	"AWS::SNS::Subscription":     {"sns:GetSubscriptionAttributes sns:SetSubscriptionAttributes sns:Subscribe sns:Unsubscribe", "sns:ap-northeast-1:111122223333:sessionstamp-AlarmTopic-1A2B"},
	"AWS::CloudWatch::Alarm":     {"cloudwatch:DeleteAlarms cloudwatch:DescribeAlarms cloudwatch:ListTagsForResource cloudwatch:PutMetricAlarm cloudwatch:TagResource cloudwatch:UntagResource", "cloudwatch:ap-northeast-1:111122223333:alarm:sessionstamp-age"},
	"AWS::CloudWatch::Dashboard": {"cloudwatch:DeleteDashboards cloudwatch:GetDashboard cloudwatch:PutDashboard cloudwatch:ListTagsForResource cloudwatch:TagResource cloudwatch:UntagResource", "cloudwatch::111122223333:dashboard/sessionstamp-ap-northeast-1"},
}

// TestDeployCoversTheTemplate: each type of the template can be made, changed and deleted.
func TestDeployCoversTheTemplate(t *testing.T) {
	t.Parallel()
	template := read(t, "template.yaml")
	types := regexp.MustCompile(`(?m)^    Type: ((?:AWS|Custom)::\S+)$`).FindAllStringSubmatch(template, -1)
	if len(types) < 40 {
		t.Fatalf("found %d resources", len(types))
	}
	policy := access.Deploy(here)
	for _, match := range types {
		made := expands[match[1]]
		if made == nil {
			made = []string{match[1]}
		}
		for _, kind := range made {
			n, known := needs[kind]
			if !known {
				t.Errorf("%s: nobody has said what it needs: look at handlers.permissions of its schema", kind)
			}
			for action := range strings.FieldsSeq(n.actions) {
				if !policy.Allows(action, "arn:aws:"+n.resource) {
					t.Errorf("%s: %s is not allowed on %s", kind, action, n.resource)
				}
			}
		}
	}
}

// TestBounds: what each may do, and what not.
func TestBounds(t *testing.T) {
	t.Parallel()
	deploy, operator, signals, helpdesk := access.Deploy(here), access.Operator(here), access.Signals(here), access.Helpdesk(here)
	const at = ":ap-northeast-1:111122223333:"
	for name, c := range map[string]struct {
		policy           access.Policy
		action, resource string
		want             bool
	}{
		"SAM's macro":        {deploy, "cloudformation:CreateChangeSet", "arn:aws:cloudformation:ap-northeast-1:aws:transform/Serverless-2016-10-31", true},
		"SAM's bucket":       {deploy, "s3:PutObject", "arn:aws:s3:::aws-sam-cli-managed-default-samclisourcebucket-1a2b/sessionstamp/x", true},
		"another bucket":     {deploy, "s3:PutObject", "arn:aws:s3:::backup/x", false},
		"another stack":      {deploy, "cloudformation:DeleteStack", "arn:aws:cloudformation" + at + "stack/payroll/1", false},
		"another function":   {deploy, "lambda:UpdateFunctionCode", "arn:aws:lambda" + at + "function:payroll", false},
		"another role":       {deploy, "iam:PassRole", "arn:aws:iam::111122223333:role/admin", false},
		"another region":     {deploy, "sqs:DeleteQueue", "arn:aws:sqs:us-east-1:111122223333:sessionstamp-Queue", false},
		"switch off for all": {deploy, "iam:DisableOutboundWebIdentityFederation", "*", false},
		"order":              {operator, "lambda:InvokeFunction", "arn:aws:lambda" + at + "function:sessionstamp-sweeper", true},
		"act as the keeper":  {operator, "lambda:InvokeFunction", "arn:aws:lambda" + at + "function:sessionstamp-keeper", false},
		"stamp":              {operator, "sqs:SendMessage", "arn:aws:sqs" + at + "sessionstamp-NotificationQueue-1A2B", true},
		"write the records":  {operator, "dynamodb:PutItem", "arn:aws:dynamodb" + at + "table/sessionstamp-Table-1A2B", false},
		"other code":         {operator, "lambda:UpdateFunctionCode", "arn:aws:lambda" + at + "function:sessionstamp-stamper", false},
		"read a secret":      {operator, "secretsmanager:GetSecretValue", "arn:aws:secretsmanager" + at + "secret:ClientStateSecret-1-2", false},
		"read a source's":    {operator, "secretsmanager:GetSecretValue", "arn:aws:secretsmanager" + at + "secret:sessionstamp/signal/0a1b-2c3d4e", false},
		"add a source":       {signals, "secretsmanager:CreateSecret", "arn:aws:secretsmanager" + at + "secret:sessionstamp/signal/0a1b-2c3d4e", true},
		"remove at undo":     {deploy, "secretsmanager:DeleteSecret", "arn:aws:secretsmanager" + at + "secret:sessionstamp/signal/0a1b-2c3d4e", true},
		"the app's secret":   {signals, "secretsmanager:GetSecretValue", "arn:aws:secretsmanager" + at + "secret:sessionstamp/entra-2c3d4e", false},
		"stamp by a queue":   {signals, "sqs:SendMessage", "arn:aws:sqs" + at + "sessionstamp-NotificationQueue-1A2B", false},
		"redrive signals":    {operator, "sqs:StartMessageMoveTask", "arn:aws:sqs" + at + "sessionstamp-SignalDeadLetterQueue-1A2B", true},
		"resend signals":     {operator, "sqs:SendMessage", "arn:aws:sqs" + at + "sessionstamp-UrgentSignalQueue-1A2B", true},
		"history":            {helpdesk, "dynamodb:GetItem", "arn:aws:dynamodb" + at + "table/sessionstamp-Table-1A2B", true},
		"log":                {helpdesk, "logs:FilterLogEvents", "arn:aws:logs" + at + "log-group:/aws/lambda/sessionstamp-stamper:*", true},
		"API's log":          {operator, "logs:FilterLogEvents", "arn:aws:logs" + at + "log-group:/aws/vendedlogs/apigateway/sessionstamp:*", true},
		"order of a helper":  {helpdesk, "lambda:InvokeFunction", "arn:aws:lambda" + at + "function:sessionstamp-sweeper", false},
	} {
		if got := c.policy.Allows(c.action, c.resource); got != c.want {
			t.Errorf("%s: %s on %s: got %t", name, c.action, c.resource, got)
		}
	}
	for _, s := range signals.Statement {
		if slices.Contains(s.Action, "dynamodb:PutItem") && !slices.Equal(s.Condition["ForAllValues:StringLike"]["dynamodb:LeadingKeys"], []string{"*#signals"}) {
			t.Errorf("who adds sources writes more than these: %v", s.Condition)
		}
	}
	for _, s := range helpdesk.Statement {
		for _, action := range s.Action {
			for _, resource := range s.Resource { // a * stands for itself here
				if !operator.Allows(action, resource) || !deploy.Allows(action, resource) || !signals.Allows(action, resource) {
					t.Errorf("the helpdesk may %s on %s, and another may not", action, resource)
				}
			}
			if !regexp.MustCompile(`:(Get|BatchGet|Describe|List|Filter|Scan)`).MatchString(action) {
				t.Errorf("the helpdesk may %s", action)
			}
		}
	}
}

func TestPartitionOf(t *testing.T) {
	t.Parallel()
	for region, want := range map[string]string{"eu-central-1": "aws", "": "aws", "cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov"} {
		if got := access.PartitionOf(region); got != want {
			t.Errorf("%s: got %s", region, got)
		}
	}
}
