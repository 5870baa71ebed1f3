package e2e

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/sessionstamp/sessionstamp/infra/e2e/awstest"
)

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
	a.stack = s
	sources := s.sources(id)
	for _, mapping := range sources {
		a.setPolling(mapping, false)
	}
	a.run(id)
	logging := p["LoggingConfig"].(object)
	a.lambda.Put(s.ref(id), &awstest.Function{Program: a.functions[id].program, LogGroup: logging["LogGroup"].(string), Configuration: object{
		"FunctionName": s.ref(id), "FunctionArn": s.attribute(id, "Arn"), "Role": p["Role"], "Timeout": p["Timeout"], "MemorySize": p["MemorySize"],
		"Runtime": "provided.al2023", "Architectures": []any{"arm64"}, "State": "Active", "LastUpdateStatus": "Successful",
		"Environment": object{"Variables": s.environment(id)}, "LoggingConfig": logging, "LastModified": stamp(r.deployment.created),
	}})
	for _, mapping := range sources {
		if exists(old, mapping) {
			a.setPolling(mapping, a.lambda.Enabled(s.ref(mapping)))
		}
	}
	a.open()
	return nil
}

// sources are the event source mappings of a function.
func (s *stack) sources(function string) []string {
	return slices.DeleteFunc(s.resources("AWS::Lambda::EventSourceMapping"),
		func(mapping string) bool { return s.named(mapping, "FunctionName") != function })
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
		err = fmt.Errorf("Received response status [%s] from custom resource. Message returned: %s (RequestId: %s)",
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
	r.account.lambda.Map(s.made[id], awstest.Mapping{"UUID": s.made[id], "FunctionArn": s.attribute(s.named(id, "FunctionName"), "Arn"), "State": "Enabled",
		"EventSourceArn": p["EventSourceArn"], "BatchSize": p["BatchSize"], "ScalingConfig": p["ScalingConfig"],
		"MaximumBatchingWindowInSeconds": p["MaximumBatchingWindowInSeconds"], "FunctionResponseTypes": p["FunctionResponseTypes"]})
	r.account.setPolling(id, true)
	return nil
}

func removeMapping(r *rollout, s *stack, id string) error {
	if err := r.account.aws.Do(r.caller, "lambda:DeleteEventSourceMapping", "*"); err != nil {
		return err
	}
	r.account.setPolling(id, false)
	r.account.lambda.Remove(s.ref(id))
	delete(s.made, id)
	return nil
}
