package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/infra/e2e/awstest"
	"github.com/sessionstamp/sessionstamp/shared/aws/store"
	"github.com/sessionstamp/sessionstamp/shared/config"
)

const aGUID = "0c5b5b8e-8a8f-4f0e-9d1c-2f1e6a3b4c5d"

// stored are parameters with a credential in Secrets Manager.
var stored = map[string]string{"AuthMode": "client-secret", "CredentialSecretArn": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:entra-AbCdEf"}

// imagined is the template deployed without anything that is real.
func imagined(t *testing.T, parameters map[string]string) *stack {
	t.Helper()
	given := map[string]string{"TenantId": aGUID, "ClientId": aGUID}
	maps.Copy(given, parameters)
	s, err := newStack(readTemplate(t), given)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestParameters checks that an administrator meets few, and understands each.
func TestParameters(t *testing.T) {
	t.Parallel()
	read := readTemplate(t)
	// A seventeenth says whether identity providers can sign people out. Nobody can decide
	// that for others, and a default that is safe leaves it to be asked for.
	if len(read.asked) > 17 {
		t.Errorf("there are %d parameters, want 17 at most", len(read.asked))
	}
	for _, name := range read.asked {
		p := read.parameter(name)
		if description, _ := p["Description"].(string); len(strings.Fields(description)) < 6 || !strings.HasSuffix(description, ".") {
			t.Errorf("%s is described by %q", name, description)
		}
		if p["AllowedPattern"] != nil && p["ConstraintDescription"] == nil {
			t.Errorf("%s refuses values without a sentence", name)
		}
	}
	var grouped []string
	for _, group := range read.section("Metadata")["AWS::CloudFormation::Interface"].(object)["ParameterGroups"].([]any) {
		grouped = append(grouped, texts(group.(object)["Parameters"])...)
	}
	if diff := cmp.Diff(read.asked, grouped); diff != "" {
		t.Errorf("SAM and the console ask otherwise (-SAM +console):\n%s", diff)
	}
}

// TestPatterns checks what the patterns refuse before anything is deployed. The keeper
// refuses the rest: see package config.
func TestPatterns(t *testing.T) {
	t.Parallel()
	read := readTemplate(t)
	ids := func(n int) string { return strings.TrimSuffix(strings.Repeat(aGUID+",", n), ",") }
	for name, values := range map[string]map[string]bool{
		"FederatedDomains": {"": true, "a.example": true, "a.example, b.example": true, "a.example;b.example": false, "example": false, "-contoso.com": false,
			"contoso-.com": false, "a.example,": false, "a.example  b.example": false},
		"ExcludedUsers":  {"": true, aGUID: true, ids(40): true, ids(41): false, ids(91): false, aGUID + ";" + aGUID: false, "someone@intranet": false, aGUID + ",": false},
		"ExcludedGroups": {"": true, ids(20): true, ids(21): false, "A group": false},
		"ExcludedUpnPatterns": {"": true, "svc-*@a.example, b@a.example": true, "svc-??@a.example": true, "[svc-*@a.example": false, "a@b.example;c@b.example": false,
			"a@b.example|c@b.example": false, `"a@b.example"`: false, "'a@b.example'": false, `svc\-*@a.example`: false, "^svc-": false, "svc-(a|b)": false,
			"@a.example": false, "a@b.example c@b.example": false, strings.Repeat("a", 501): false},
		"CredentialSecretArn":    {"": true, stored["CredentialSecretArn"]: true, "entra": false, "arn:aws:secretsmanager:eu-central-1:123456789012:secret:entra": false},
		"TenantId":               {aGUID: true, strings.ToUpper(aGUID): false, "": false},
		"AuthMode":               {"web-identity": true, "password": false},
		"PermissionsBoundaryArn": {"": true, "arn:aws:iam::123456789012:policy/teams/boundary": true, "boundary": false},
		"KmsKeyArn":              {"": true, "arn:aws:kms:eu-central-1:123456789012:key/" + aGUID: true, "arn:aws:kms:eu-central-1:123456789012:alias/a": false},
		"StamperClientId":        {"": true, aGUID: true, strings.ToUpper(aGUID): false, "stamper": false},
		"AlarmsTo": {"": true, "arn:aws:sns:eu-central-1:123456789012:alarms": true, "arn:aws-cn:sns:cn-north-1:123456789012:alarms": true, "alarms": false,
			"it@a.example": true, "mailto:it@a.example": false, "it@a.example, b@a.example": false, "it@intranet": false,
			"arn:aws:sqs:eu-central-1:123456789012:alarms": false},
	} {
		for v, want := range values {
			if err := allowed(read.parameter(name), v); (err == nil) != want {
				t.Errorf("%s=%.60q is taken: %t (%v), want %t", name, v, err == nil, err, want)
			}
		}
	}
}

// TestRules checks what CloudFormation refuses because it does not go together.
func TestRules(t *testing.T) {
	t.Parallel()
	for says, parameters := range map[string]map[string]string{
		"":                       {"StamperClientId": aGUID},
		"must name the secret":   {"AuthMode": "certificate"},
		"needs AuthMode web-ide": {"StamperClientId": aGUID, "AuthMode": stored["AuthMode"], "CredentialSecretArn": stored["CredentialSecretArn"]},
	} {
		given := map[string]string{"TenantId": aGUID, "ClientId": aGUID}
		maps.Copy(given, parameters)
		if _, err := newStack(readTemplate(t), given); (err != nil) != (says != "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%v is answered with %v, want %q", parameters, err, says)
		}
	}
}

// TestStamperApp checks that a second app is the stamper's alone, and that it need not be.
func TestStamperApp(t *testing.T) {
	t.Parallel()
	const second = "11111111-2222-4333-8444-555555555555"
	for given, want := range map[string]string{"": aGUID, second: second} {
		s := imagined(t, map[string]string{"StamperClientId": given})
		for id, client := range map[string]string{"StamperFunction": want, "KeeperFunction": aGUID, "SweeperFunction": aGUID, "ResolverFunction": aGUID} {
			if got := s.environment(id)["CLIENT_ID"]; got != client {
				t.Errorf("with StamperClientId %q %s signs in as %s, want %s", given, id, got, client)
			}
		}
	}
}

// TestEnvironments checks that each function gets the variables that it reads, and no
// other, and that the longest lists fit into Lambda's 4 KB.
func TestEnvironments(t *testing.T) {
	t.Parallel()
	worker := func(l config.Lookup) error { _, err := config.ReadWorker(l, []string{"global"}); return err }
	read := map[string]func(config.Lookup) error{
		"WebhookFunction":  func(l config.Lookup) error { _, err := config.ReadWebhook(l); return err },
		"KeeperFunction":   func(l config.Lookup) error { _, err := config.ReadKeeper(l, []string{"global"}); return err },
		"ReceiverFunction": func(l config.Lookup) error { _, err := config.ReadReceiver(l); return err },
		"StamperFunction":  worker, "SweeperFunction": worker, "ResolverFunction": worker,
	}
	for _, parameters := range []map[string]string{nil, stored, {"SignalMode": "off"}} {
		s := imagined(t, parameters)
		for _, id := range s.resources("AWS::Serverless::Function") {
			environment, asked := s.environment(id), make(map[string]bool)
			err := read[id](func(name string) (string, bool) {
				asked[name] = true
				v, ok := environment[name]
				return v, ok
			})
			if err != nil {
				t.Errorf("%s: %v", id, err)
			}
			if parameters["AuthMode"] == "" { // the keeper measures it all the same
				delete(asked, "CREDENTIAL_SECRET_ARN")
			}
			if diff := cmp.Diff(slices.Sorted(maps.Keys(asked)), slices.Sorted(maps.Keys(environment))); diff != "" {
				t.Errorf("%s (-reads +gets):\n%s", id, diff)
			}
		}
	}
	s, size := imagined(t, stored), 0
	for name, v := range s.environment("KeeperFunction") {
		size += len(name) + len(v)
	}
	for _, name := range s.asked {
		if most, ok := s.parameter(name)["MaxLength"].(int); ok {
			size += most
		}
	}
	if size > 4096 {
		t.Errorf("with the longest lists the environment has %d bytes, Lambda allows 4096", size)
	}
}

// TestFunctions checks that each function has a folder, a role and a log of its own.
func TestFunctions(t *testing.T) {
	t.Parallel()
	s := imagined(t, nil)
	functions := s.resources("AWS::Serverless::Function")
	if len(functions) != 6 {
		t.Errorf("there are %d functions", len(functions))
	}
	seen := make(map[any]string)
	for _, id := range functions {
		p := s.properties(id)
		for _, property := range []string{"CodeUri", "Role", "FunctionName"} {
			if other := seen[p[property]]; other != "" {
				t.Errorf("%s and %s have the same %s", id, other, property)
			}
			seen[p[property]] = id
		}
		if got, want := p["LoggingConfig"].(object)["LogGroup"], "/aws/lambda/"+s.ref(id); got != want {
			t.Errorf("%s logs to %s, want %s", id, got, want)
		}
		if allows := p["RecursiveLoop"] == "Allow"; allows != (id == "StamperFunction") {
			t.Errorf("%s may start itself again and again: %t", id, allows)
		}
	}
	for _, id := range []string{"KeeperFunction", "SweeperFunction"} {
		want := object{"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 3600}
		if diff := cmp.Diff(want, s.properties(id)["EventInvokeConfig"]); diff != "" {
			t.Errorf("%s is started again after a failure (-want +got):\n%s", id, diff)
		}
	}
	for _, id := range s.resources("AWS::Logs::LogGroup") {
		retained := s.resource(id)["DeletionPolicy"] == "RetainExceptOnCreate"
		if s.properties(id)["RetentionInDays"] == nil || retained != (id == "StamperLogGroup") {
			t.Errorf("%s ends with the stack: %t", id, !retained)
		}
	}
}

// TestSafety pins what reviews have asked for.
func TestSafety(t *testing.T) {
	t.Parallel()
	s := imagined(t, nil)
	table, queue := s.properties("Table"), s.properties("NotificationQueue")
	source, api := s.properties("NotificationEventSource"), s.properties("Api")
	route, others := api["RouteSettings"].(object)["POST /notifications"].(object), api["DefaultRouteSettings"].(object)
	timeout := s.properties("StamperFunction")["Timeout"].(int) + source["MaximumBatchingWindowInSeconds"].(int)
	for what, holds := range map[string]bool{
		"the table is protected against deletion":        table["DeletionProtectionEnabled"] == true,
		"a deployment that fails can be undone":          s.resource("Table")["DeletionPolicy"] == "Retain",
		"entries expire":                                 cmp.Equal(table["TimeToLiveSpecification"], object{"AttributeName": "expires", "Enabled": true}),
		"20 receipts before a dead letter":               queue["RedrivePolicy"].(object)["maxReceiveCount"] == 20,
		"the queue hides longer than a worker takes":     queue["VisibilityTimeout"].(int) > timeout && queue["VisibilityTimeout"].(int) < 2*timeout,
		"part of a batch may fail":                       cmp.Equal(source["FunctionResponseTypes"], []any{"ReportBatchItemFailures"}),
		"concurrency is limited at the source":           source["ScalingConfig"].(object)["MaximumConcurrency"].(int) <= 10,
		"20 requests a second, 100 at once":              route["ThrottlingRateLimit"] == 20 && route["ThrottlingBurstLimit"] == 100,
		"no route that may go has settings":              len(api["RouteSettings"].(object)) == 1,
		"200 signals a second, 500 at once":              others["ThrottlingRateLimit"] == 200 && others["ThrottlingBurstLimit"] == 500,
		"the access log does not fill a regional policy": strings.HasPrefix(s.ref("ApiLogGroup"), "/aws/vendedlogs/"),
	} {
		if !holds {
			t.Errorf("not so: %s", what)
		}
	}
	format := s.properties("Api")["AccessLogSettings"].(object)["Format"].(string)
	dashes := regexp.MustCompile(`\$context\.[A-Za-z.]+`).ReplaceAllString(format, "-")
	if !json.Valid([]byte(dashes)) {
		t.Errorf("without values the access log is no JSON: %s", dashes)
	}
	for _, later := range append(s.resources("AWS::Lambda::EventSourceMapping"), "KeeperSchedule", "SweeperSchedule") {
		if s.resource(later)["DependsOn"] != "Subscription" {
			t.Errorf("%s does not wait until the keeper has accepted the settings", later)
		}
	}
	properties := s.properties("Subscription")
	for _, name := range s.asked {
		if _, ok := properties[name]; !ok && !slices.Contains([]string{"AlarmsTo", "PermissionsBoundaryArn", "KmsKeyArn"}, name) {
			t.Errorf("a change of %s does not reach the keeper", name)
		}
	}
}

// TestRoles checks what every policy must hold to. That they give what is used and no
// more, the stories see.
func TestRoles(t *testing.T) {
	t.Parallel()
	boundary := "arn:aws:iam::123456789012:policy/boundary"
	parameters := map[string]string{"PermissionsBoundaryArn": boundary, "KmsKeyArn": "arn:aws:kms:eu-central-1:123456789012:key/" + aGUID}
	for _, mode := range []map[string]string{nil, stored} {
		maps.Copy(parameters, mode)
		s := imagined(t, parameters)
		for _, role := range s.resources("AWS::IAM::Role") {
			if p := s.properties(role); p["PermissionsBoundary"] != boundary || len(s.ref(role)) > 64 {
				t.Errorf("%s, %q, has the boundary %v", role, s.ref(role), p["PermissionsBoundary"])
			}
			for _, statement := range s.statements(role) {
				checkStatement(t, role, statement)
			}
		}
	}
}

func checkStatement(t *testing.T, role string, statement object) {
	t.Helper()
	condition, _ := statement["Condition"].(object)
	action := texts(statement["Action"])
	secret := slices.ContainsFunc(action, func(a string) bool {
		return strings.HasPrefix(a, "secretsmanager:") || strings.HasPrefix(a, "sts:") || strings.HasPrefix(a, "dynamodb:")
	})
	sources, _ := condition["ArnEquals"].(object)
	function := awstest.ARN("lambda", "function:"+stackName+"-"+strings.ToLower(strings.TrimSuffix(role, "Role")))
	if secret && !slices.Contains(texts(sources["lambda:SourceFunctionArn"]), function) {
		t.Errorf("%s: %v is not bound to the function", role, action)
	}
	if one := leading(statement); slices.Contains(action, "dynamodb:GetItem") && (role == "ReceiverRole" || role == "ResolverRole") {
		if guard, _ := condition["Null"].(object); one != store.NameSignals || guard["dynamodb:LeadingKeys"] != "false" {
			t.Errorf("%s: %v is not bound to the one item: %v", role, action, condition)
		}
	}
	if slices.Contains(action, "sts:GetWebIdentityToken") {
		condition = maps.Clone(condition)
		delete(condition, "ArnEquals")
		want := object{
			"ForAllValues:StringEquals": object{"sts:IdentityTokenAudience": "api://AzureADTokenExchange"},
			"Null":                      object{"sts:IdentityTokenAudience": "false"},
			"StringEquals":              object{"sts:SigningAlgorithm": "RS256"},
			"NumericLessThanEquals":     object{"sts:DurationSeconds": 300},
		}
		if diff := cmp.Diff(want, condition); diff != "" {
			t.Errorf("%s may have other tokens (-want +got):\n%s", role, diff)
		}
		return
	}
	for _, name := range slices.Concat(action, texts(statement["Resource"])) {
		if name == awstest.ARN("secretsmanager", "secret:"+stackName+"/signal/*") {
			continue // a person makes sources when they are needed, with a secret for each
		}
		if plain := strings.TrimSuffix(name, ":*"); strings.ContainsAny(plain, "*?") || plain != name && !strings.Contains(name, ":logs:") {
			t.Errorf("%s: a wildcard: %s", role, name)
		}
	}
}

// hours is a month.
const hours = 730

// TestMonthlyCost counts what a month costs without any user, at list prices of November
// 2026 in US East, and that README.md says the same.
func TestMonthlyCost(t *testing.T) {
	t.Parallel()
	s := imagined(t, nil)
	alarms := 0
	for _, id := range s.resources("AWS::CloudWatch::Alarm") {
		alarms += len(alarmMetrics(s.properties(id)))
	}
	runs := map[string]float64{"KeeperFunction": hours * 4, "SweeperFunction": hours}
	for id, rate := range map[string]string{"KeeperSchedule": "rate(15 minutes)", "SweeperSchedule": "rate(1 hour)"} {
		if got := s.properties(id)["ScheduleExpression"]; got != rate {
			t.Errorf("%s is %s, and not %s, which is counted here", id, got, rate)
		}
	}
	seconds := 0.0
	for id, n := range runs { // of two seconds
		seconds += n * 2 * float64(s.properties(id)["MemorySize"].(int)) / 1024
	}
	secrets, queues := len(s.resources("AWS::SecretsManager::Secret")), len(s.resources("AWS::Lambda::EventSourceMapping"))
	rows := []struct {
		what string
		cost float64
	}{
		{fmt.Sprintf("Alarms on %d metrics at $0.10", alarms), float64(alarms) * 0.10},
		{"2 metrics that are sent every hour at $0.30", 2 * 0.30},
		{fmt.Sprintf("%d secret at $0.40", secrets), float64(secrets) * 0.40},
		// Five readers wait 20 seconds each; with a maximum of concurrency there are never fewer
		// (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html).
		{fmt.Sprintf("0.65 million looks into each of %d empty queues at $0.40 per million", queues), 0.65 * 0.40 * float64(queues)},
		{"Keeper and sweeper, 2 seconds a run, and their logs", seconds*0.0000133334 + 0.01},
	}
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	total := 0.0
	for _, row := range rows {
		total += row.cost
		checkRow(t, string(readme), fmt.Sprintf("| %s | $%.2f |", row.what, row.cost))
	}
	checkRow(t, string(readme), fmt.Sprintf("| **Together** | **$%.2f** |", total))
	if total > 3.30 {
		t.Errorf("a month costs $%.2f, want $3.30 at most", total)
	}
}

func checkRow(t *testing.T, text, row string) {
	t.Helper()
	if !strings.Contains(text, row) {
		t.Errorf("README.md lacks the row\n%s", row)
	}
}
