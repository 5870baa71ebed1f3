package e2e

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/sessionstamp/sessionstamp/infra/e2e/awstest"
	"github.com/sessionstamp/sessionstamp/shared/aws/mototest"
)

// A maker makes resources of one type, or changes them, where old is the stack before, and
// removes them. Without remove there is nothing to be done.
type maker struct {
	make   func(r *rollout, s *stack, id string, old *stack) error
	remove func(r *rollout, s *stack, id string) error
}

// order is that of the types, of which each needs only earlier ones.
var order = []string{
	"AWS::S3::Bucket", "AWS::S3::BucketPolicy", "AWS::Logs::LogGroup", "AWS::SQS::Queue", "AWS::SQS::QueuePolicy", "AWS::DynamoDB::Table",
	"AWS::SecretsManager::Secret", "AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "AWS::SNS::Subscription", "AWS::IAM::Role", "AWS::IAM::Policy",
	"AWS::Serverless::HttpApi", "AWS::Serverless::Function", "Custom::Subscription", "AWS::Lambda::EventSourceMapping",
	"AWS::Scheduler::Schedule", "AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard",
}

var makers = map[string]maker{
	"AWS::S3::Bucket":             {makeBucket, nil},
	"AWS::S3::BucketPolicy":       {only("s3:PutBucketPolicy", "arn:aws:s3:::aws-sam-cli-managed-default-bucket"), nil},
	"AWS::Logs::LogGroup":         {makeLogGroup, removeLogGroup},
	"AWS::SQS::Queue":             {makeQueue, removeQueue},
	"AWS::SQS::QueuePolicy":       {only("sqs:SetQueueAttributes", awstest.ARN("sqs", stackName+"-NotificationQueue-1")), nil},
	"AWS::DynamoDB::Table":        {makeTable, removeTable},
	"AWS::SecretsManager::Secret": {makeSecret, removeSecret},
	"AWS::SNS::Topic":             {makeTopic, removeTopic},
	"AWS::SNS::TopicPolicy":       {only("sns:SetTopicAttributes", awstest.ARN("sns", stackName+"-AlarmTopic-1")), nil},
	"AWS::SNS::Subscription":      {makeSubscription, nil},
	"AWS::IAM::Role":              {makeRole, removeRole},
	"AWS::IAM::Policy":            {makePolicy, removePolicy},
	"AWS::Serverless::HttpApi":    {only("apigateway:POST", "arn:aws:apigateway:"+mototest.Region+"::/apis"), nil},
	"AWS::Serverless::Function":   {makeFunction, removeFunction},
	"Custom::Subscription":        {provide, unprovide},

	"AWS::Lambda::EventSourceMapping": {makeMapping, removeMapping},
	"AWS::Scheduler::Schedule":        {makeSchedule, removeSchedule},
	"AWS::CloudWatch::Alarm":          {makeAlarm, removeAlarm},
	"AWS::CloudWatch::Dashboard":      {makeDashboard, removeDashboard},
}

// order are the resources in the order in which they can be made.
func (s *stack) order() (ids []string) {
	for _, kind := range order {
		ids = append(ids, s.resources(kind)...)
	}
	return ids
}

func (r *rollout) make(s *stack, id string, old *stack) error {
	return makers[s.resource(id)["Type"].(string)].make(r, s, id, old)
}

func (r *rollout) remove(s *stack, id string, _ *stack) error {
	if remove := makers[s.resource(id)["Type"].(string)].remove; remove != nil {
		return remove(r, s, id)
	}
	return nil
}

// only makes what nobody looks at, if the caller may.
func only(action, resource string) func(*rollout, *stack, string, *stack) error {
	return func(r *rollout, _ *stack, _ string, _ *stack) error {
		return r.account.aws.Do(r.caller, action, resource)
	}
}

func (r *rollout) ctx() context.Context { return r.account.ctx }

// json, query and rest call AWS for the caller, by the protocol of each service.
func (r *rollout) json(target string, in, out any) error {
	return r.account.as(r.caller).call(r.ctx(), target, in, out)
}

func (r *rollout) query(service, action string, in object, out any) error {
	form := url.Values{"Action": {action}}
	flatten(form, "", in)
	text, err := r.account.as(r.caller).send(r.ctx(), service, http.MethodPost, "/",
		http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, []byte(form.Encode()))
	if err != nil {
		return fmt.Errorf("%s: %w", action, err)
	}
	if out == nil {
		return nil
	}
	return xml.Unmarshal(text, out)
}

func (r *rollout) rest(service, method, path string, in any) ([]byte, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	if in == nil {
		body = nil
	}
	return r.account.as(r.caller).send(r.ctx(), service, method, path, http.Header{"Content-Type": {"application/json"}}, body)
}

// flatten writes a value as AWS Query does: Metrics.member.1.Id.
func flatten(form url.Values, name string, v any) {
	switch v := v.(type) {
	case object:
		for key, item := range v {
			flatten(form, strings.TrimPrefix(name+"."+key, "."), item)
		}
	case []any:
		for i, item := range v {
			flatten(form, fmt.Sprintf("%s.member.%d", name, i+1), item)
		}
	default:
		form.Set(name, fmt.Sprint(v))
	}
}

// encoded is a policy as text. IAM also takes the numbers of conditions as they are, moto
// does not.
func encoded(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // it came from YAML
	}
	return number.ReplaceAllString(string(text), `":"$1"`)
}

var number = regexp.MustCompile(`":([0-9]+)\b`)

func makeBucket(r *rollout, s *stack, id string, old *stack) error {
	if old != nil {
		return nil
	}
	s.made[id] = "aws-sam-cli-managed-default-" + strings.ToLower(id) + "-" + uuid.NewString()[:8]
	_, err := r.account.as(r.caller).send(r.ctx(), "s3", http.MethodPut, "/"+s.made[id], http.Header{},
		[]byte("<CreateBucketConfiguration><LocationConstraint>eu-central-1</LocationConstraint></CreateBucketConfiguration>"))
	return err
}

// made tells whether a resource was there before.
func made(s *stack, id string) bool { _, ok := s.made[id]; return ok }

// A log group that was retained is in the way of the next one.
func makeLogGroup(r *rollout, s *stack, id string, old *stack) error {
	p := s.properties(id)
	if !exists(old, id) {
		if err := r.json("Logs_20140328.CreateLogGroup", object{"logGroupName": p["LogGroupName"]}, nil); err != nil {
			return err
		}
	}
	return r.json("Logs_20140328.PutRetentionPolicy", object{"logGroupName": p["LogGroupName"], "retentionInDays": p["RetentionInDays"]}, nil)
}

// exists tells whether a resource is in the stack that there was before.
func exists(old *stack, id string) bool {
	return old != nil && slices.Contains(old.order(), id)
}

func removeLogGroup(r *rollout, s *stack, id string) error {
	return r.json("Logs_20140328.DeleteLogGroup", object{"logGroupName": s.ref(id)}, nil)
}

func makeQueue(r *rollout, s *stack, id string, _ *stack) error {
	if made(s, id) {
		return nil
	}
	return r.account.as(r.caller).makeQueue(r.ctx(), s, id)
}

func removeQueue(r *rollout, s *stack, id string) error {
	defer delete(s.made, id)
	return r.json("AmazonSQS.DeleteQueue", object{"QueueUrl": s.ref(id)}, nil)
}

func makeTable(r *rollout, s *stack, id string, _ *stack) error {
	if made(s, id) {
		return nil
	}
	s.made[id] = stackName + "-" + id + "-" + strings.ToUpper(uuid.NewString()[:8])
	if err := r.account.as(r.caller).makeTable(r.ctx(), s, id); err != nil {
		return err
	}
	return r.json("DynamoDB_20120810.UpdateContinuousBackups", object{"TableName": s.ref(id),
		"PointInTimeRecoverySpecification": s.properties(id)["PointInTimeRecoverySpecification"]}, nil)
}

func removeTable(r *rollout, s *stack, id string) error {
	return r.json("DynamoDB_20120810.DeleteTable", object{"TableName": s.ref(id)}, nil)
}

func makeSecret(r *rollout, s *stack, id string, _ *stack) error {
	if made(s, id) {
		return nil
	}
	return r.account.as(r.caller).makeSecret(r.ctx(), s, id)
}

func removeSecret(r *rollout, s *stack, id string) error {
	defer delete(s.made, id)
	return r.json("secretsmanager.DeleteSecret", object{"SecretId": s.ref(id), "ForceDeleteWithoutRecovery": true}, nil)
}

func makeTopic(r *rollout, s *stack, id string, _ *stack) error {
	return r.query("sns", "CreateTopic", object{"Name": stackName + "-" + id}, nil)
}

func removeTopic(r *rollout, s *stack, id string) error {
	return r.query("sns", "DeleteTopic", object{"TopicArn": s.ref(id)}, nil)
}

func makeSubscription(r *rollout, s *stack, id string, _ *stack) error {
	return r.query("sns", "Subscribe", s.properties(id), nil)
}

func makeRole(r *rollout, s *stack, id string, old *stack) error {
	p := s.properties(id)
	if !exists(old, id) {
		in := maps.Clone(p)
		delete(in, "Policies")
		in["AssumeRolePolicyDocument"] = encoded(p["AssumeRolePolicyDocument"])
		if err := r.query("iam", "CreateRole", in, nil); err != nil {
			return err
		}
	}
	for _, policy := range p["Policies"].([]any) {
		err := r.query("iam", "PutRolePolicy", object{"RoleName": p["RoleName"], "PolicyName": policy.(object)["PolicyName"],
			"PolicyDocument": encoded(policy.(object)["PolicyDocument"])}, nil)
		if err != nil {
			return err
		}
	}
	return nil
}

func removeRole(r *rollout, s *stack, id string) error {
	p := s.properties(id)
	for _, policy := range p["Policies"].([]any) {
		err := r.query("iam", "DeleteRolePolicy", object{"RoleName": p["RoleName"], "PolicyName": policy.(object)["PolicyName"]}, nil)
		if err != nil {
			return err
		}
	}
	return r.query("iam", "DeleteRole", object{"RoleName": p["RoleName"]}, nil)
}

// makePolicy also takes the policy from roles that it names no more.
func makePolicy(r *rollout, s *stack, id string, old *stack) error {
	p := s.properties(id)
	roles := texts(p["Roles"])
	if exists(old, id) {
		for _, role := range texts(old.properties(id)["Roles"]) {
			if !slices.Contains(roles, role) {
				if err := r.query("iam", "DeleteRolePolicy", object{"RoleName": role, "PolicyName": p["PolicyName"]}, nil); err != nil {
					return err
				}
			}
		}
	}
	for _, role := range roles {
		err := r.query("iam", "PutRolePolicy", object{"RoleName": role, "PolicyName": p["PolicyName"], "PolicyDocument": encoded(p["PolicyDocument"])}, nil)
		if err != nil {
			return err
		}
	}
	return nil
}

func removePolicy(r *rollout, s *stack, id string) error {
	p := s.properties(id)
	for _, role := range texts(p["Roles"]) {
		if err := r.query("iam", "DeleteRolePolicy", object{"RoleName": role, "PolicyName": p["PolicyName"]}, nil); err != nil {
			return err
		}
	}
	return nil
}

func makeSchedule(r *rollout, s *stack, id string, old *stack) error {
	method := map[bool]string{false: http.MethodPost, true: http.MethodPut}[exists(old, id)]
	_, err := r.rest("scheduler", method, "/schedules/"+s.ref(id), s.properties(id))
	return err
}

func removeSchedule(r *rollout, s *stack, id string) error {
	_, err := r.rest("scheduler", http.MethodDelete, "/schedules/"+s.ref(id)+"?groupName=default", nil)
	return err
}

func makeAlarm(r *rollout, s *stack, id string, _ *stack) error {
	return r.query("monitoring", "PutMetricAlarm", s.properties(id), nil)
}

func removeAlarm(r *rollout, s *stack, id string) error {
	return r.query("monitoring", "DeleteAlarms", object{"AlarmNames": []any{s.ref(id)}}, nil)
}

func makeDashboard(r *rollout, s *stack, id string, _ *stack) error {
	return r.query("monitoring", "PutDashboard", s.properties(id), nil)
}

func removeDashboard(r *rollout, s *stack, id string) error {
	return r.query("monitoring", "DeleteDashboards", object{"DashboardNames": []any{s.ref(id)}}, nil)
}
