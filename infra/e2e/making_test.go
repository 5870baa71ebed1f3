package e2e

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/sessionstamp/sessionstamp/infra/e2e/awstest"
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
	"AWS::S3::BucketPolicy":       {only("s3:PutBucketPolicy"), nil},
	"AWS::Logs::LogGroup":         {makeLogGroup, removeLogGroup},
	"AWS::SQS::Queue":             {makeQueue, removeQueue},
	"AWS::SQS::QueuePolicy":       {only("sqs:SetQueueAttributes"), nil},
	"AWS::DynamoDB::Table":        {makeTable, removeTable},
	"AWS::SecretsManager::Secret": {makeSecret, removeSecret},
	"AWS::SNS::Topic":             {makeTopic, removeTopic},
	"AWS::SNS::TopicPolicy":       {only("sns:SetTopicAttributes"), nil},
	"AWS::SNS::Subscription":      {makeSubscription, nil},
	"AWS::IAM::Role":              {makeRole, removeRole},
	"AWS::IAM::Policy":            {makePolicy, removePolicy},
	"AWS::Serverless::HttpApi":    {only("apigateway:POST"), nil},
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
func only(action string) func(*rollout, *stack, string, *stack) error {
	return func(r *rollout, s *stack, id string, _ *stack) error {
		service, _, _ := strings.Cut(action, ":")
		return r.account.aws.Do(r.caller, action, awstest.ARN(service, stackName+"-"+id))
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
	return r.account.as(r.caller).makeTable(r.ctx(), s, id)
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

func makePolicy(r *rollout, s *stack, id string, _ *stack) error {
	p := s.properties(id)
	for _, role := range texts(p["Roles"]) {
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

// makeFunction runs the program that was built here of the function's code. The code that
// was uploaded must be there and hold a program.
func makeFunction(r *rollout, s *stack, id string, old *stack) error {
	p := s.properties(id)
	action := map[bool]string{false: "lambda:CreateFunction", true: "lambda:UpdateFunctionConfiguration"}[exists(old, id)]
	if err := errors.Join(r.account.aws.Do(r.caller, action, s.attribute(id, "Arn")), r.account.aws.Do(r.caller, "iam:PassRole", p["Role"].(string)),
		r.checkCode(p["CodeUri"].(string))); err != nil {
		return err
	}
	a := r.account
	if id == "StamperFunction" {
		a.setPolling(false)
	}
	a.stack = s
	a.run(id)
	logging := p["LoggingConfig"].(object)
	a.lambda.Put(s.ref(id), &awstest.Function{Program: a.functions[id].program, LogGroup: logging["LogGroup"].(string), Configuration: object{
		"FunctionName": s.ref(id), "FunctionArn": s.attribute(id, "Arn"), "Role": p["Role"], "Timeout": p["Timeout"], "MemorySize": p["MemorySize"],
		"Runtime": "provided.al2023", "Architectures": []any{"arm64"}, "State": "Active", "LastUpdateStatus": "Successful",
		"Environment": object{"Variables": s.environment(id)}, "LoggingConfig": logging, "LastModified": stamp(r.deployment.created),
	}})
	if id == "StamperFunction" && exists(old, "NotificationEventSource") {
		a.setPolling(a.lambda.Enabled(s.ref("NotificationEventSource")))
	}
	if id == "WebhookFunction" {
		a.open()
	}
	return nil
}

// checkCode looks for a program in the archive that SAM has uploaded, if it has.
func (r *rollout) checkCode(at string) error {
	path, uploaded := strings.CutPrefix(at, "s3:/")
	if !uploaded {
		return nil
	}
	text, err := r.account.as(r.caller).send(r.ctx(), "s3", http.MethodGet, path, http.Header{}, nil)
	if err != nil {
		return fmt.Errorf("get the code: %w", err)
	}
	archive, err := zip.NewReader(bytes.NewReader(text), int64(len(text)))
	if err != nil {
		return fmt.Errorf("could not unzip uploaded file: %w", err)
	}
	for _, file := range archive.File {
		if file.Name == "bootstrap" && file.Mode().Perm()&0o111 != 0 {
			return nil
		}
	}
	return fmt.Errorf("%s has no program named bootstrap", at)
}

func removeFunction(r *rollout, s *stack, id string) error {
	if err := r.account.aws.Do(r.caller, "lambda:DeleteFunction", s.attribute(id, "Arn")); err != nil {
		return err
	}
	r.account.lambda.Remove(s.ref(id))
	r.account.functions[id].program.Close()
	if id == "WebhookFunction" {
		r.account.graph.notices.connect(nil)
	}
	return nil
}

// provide has the keeper subscribe, and tells what it says as CloudFormation does.
func provide(r *rollout, s *stack, id string, old *stack) error {
	kind, before := "Create", object(nil)
	if exists(old, id) {
		kind, before = "Update", old.properties(id)
	}
	if err := r.account.aws.Do(r.caller, "lambda:InvokeFunction", s.properties(id)["ServiceToken"].(string)); err != nil {
		return err
	}
	answer, err := r.account.provide(kind, s.properties(id), before)
	if err == nil && answer.Status != "SUCCESS" {
		err = fmt.Errorf("Received response status [%s] from custom resource. Message returned: %s (RequestId: %s)", //nolint:staticcheck // AWS's words
			answer.Status, answer.Reason, answer.RequestID)
	}
	return err
}

func unprovide(r *rollout, s *stack, id string) error {
	answer, err := r.account.provide("Delete", s.properties(id), nil)
	if err == nil && answer.Status != "SUCCESS" {
		err = errors.New(answer.Reason)
	}
	return err
}

func makeMapping(r *rollout, s *stack, id string, _ *stack) error {
	if err := r.account.aws.Do(r.caller, "lambda:CreateEventSourceMapping", "*"); err != nil || made(s, id) {
		return err
	}
	p := s.properties(id)
	s.made[id] = uuid.NewString()
	r.account.lambda.Map(s.made[id], awstest.Mapping{"UUID": s.made[id], "FunctionArn": s.attribute("StamperFunction", "Arn"), "State": "Enabled",
		"EventSourceArn": p["EventSourceArn"], "BatchSize": p["BatchSize"], "ScalingConfig": p["ScalingConfig"],
		"MaximumBatchingWindowInSeconds": p["MaximumBatchingWindowInSeconds"], "FunctionResponseTypes": p["FunctionResponseTypes"]})
	r.account.setPolling(true)
	return nil
}

func removeMapping(r *rollout, s *stack, id string) error {
	if err := r.account.aws.Do(r.caller, "lambda:DeleteEventSourceMapping", "*"); err != nil {
		return err
	}
	r.account.setPolling(false)
	r.account.lambda.Remove(s.ref(id))
	delete(s.made, id)
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
