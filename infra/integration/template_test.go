package integration

import (
	"encoding/json"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/integration/templatetest"
	"github.com/sessionstamp/sessionstamp/shared/aws/metrics"
	"github.com/sessionstamp/sessionstamp/shared/aws/mototest"
)

// place is where the stories' stacks are.
var place = templatetest.Place{Account: mototest.Account, Region: mototest.Region, StackName: "sessionstamp"}

// TestQueues checks what AWS recommends for queues that a function takes from
// (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html).
func TestQueues(t *testing.T) {
	t.Parallel()
	stack := imagined(t, nil)
	sources, err := stack.EventSources()
	if err != nil {
		t.Fatal(err)
	}
	if len(sources) != 2 {
		t.Errorf("there are %d event sources, want 2", len(sources))
	}
	for _, source := range sources {
		function, timeout := functionNamed(t, stack, source.Function)
		queue := resourceWith(t, stack, "AWS::SQS::Queue", source.Queue)
		visibility := seconds(queue["VisibilityTimeout"])
		if least := 6*timeout + source.Window; visibility < least {
			t.Errorf("%s: messages are hidden for %s, want at least %s: six times the timeout of %s and the window", source.LogicalID, visibility, least, function)
		}
		redrive, _ := queue["RedrivePolicy"].(map[string]any)
		if redrive["deadLetterTargetArn"] == nil || redrive["maxReceiveCount"].(int) < 5 {
			t.Errorf("%s: messages become dead letters by %v, want after 5 tries at least", source.LogicalID, redrive)
		}
		if !source.Partial || source.Concurrency < 2 || source.BatchSize > 10 && source.Window < time.Second {
			t.Errorf("%s is %+v: want ReportBatchItemFailures, a concurrency of 2 or more, and a window for batches above 10", source.LogicalID, source)
		}
	}
	for _, id := range stack.IDs("AWS::SQS::Queue") {
		if properties := properties(t, stack, id); properties["SqsManagedSseEnabled"] != true {
			t.Errorf("%s is not encrypted", id)
		}
	}
}

// TestFunctions checks that each function has a folder, a role and a log of its own.
func TestFunctions(t *testing.T) {
	t.Parallel()
	stack := imagined(t, nil)
	seen := make(map[string]string)
	for _, id := range stack.IDs("AWS::Serverless::Function") {
		p := properties(t, stack, id)
		for _, property := range []string{"CodeUri", "Role", "FunctionName"} {
			own := p[property].(string)
			if other := seen[own]; other != "" {
				t.Errorf("%s and %s have the same %s, %s", id, other, property, own)
			}
			seen[own] = id
		}
		group := p["LoggingConfig"].(map[string]any)["LogGroup"]
		if want := "/aws/lambda/" + p["FunctionName"].(string); group != want {
			t.Errorf("%s logs to %s, want %s", id, group, want)
		}
	}
	for _, id := range stack.IDs("AWS::Logs::LogGroup") {
		if properties(t, stack, id)["RetentionInDays"] == nil {
			t.Errorf("%s keeps its records for ever", id)
		}
	}
	for _, id := range stack.IDs("AWS::IAM::Role") {
		if name, _ := properties(t, stack, id)["RoleName"].(string); !strings.HasPrefix(name, "sessionstamp-") || len(name) > 64 {
			t.Errorf("%s has the name %q, want a stable one with that of the stack", id, name)
		}
	}
}

// TestOrder checks in which order the parts of the subscription come and go: what
// CloudFormation makes later, it deletes earlier.
func TestOrder(t *testing.T) {
	t.Parallel()
	stack := imagined(t, nil)
	for _, later := range []string{"LifecycleEventSource", "KeeperSchedule", "SweeperSchedule", "SubscriptionAlarm"} {
		if !slices.Contains(stack.DependsOn(later), "Subscription") {
			t.Errorf("%s does not wait for the subscription", later)
		}
	}
	for _, earlier := range []string{"ApiApiGatewayDefaultStage", "WebhookFunctionNotificationsPermission", "NotificationEventSource"} {
		if !slices.Contains(stack.DependsOn("Subscription"), earlier) {
			t.Errorf("the subscription does not wait for %s", earlier)
		}
	}
}

// TestMetricNames checks that every alarm and every widget is about a metric that the
// programs write.
func TestMetricNames(t *testing.T) {
	t.Parallel()
	written := []string{
		metrics.UsersStamped, metrics.SecondsToStamp, metrics.SecondsMissed, metrics.UsersMissed, metrics.CannotFix,
		metrics.RequestsFailed, metrics.RequestsLater, metrics.NotificationsReceived, metrics.NotificationsDropped, metrics.NotificationsRefused,
		metrics.SubscriptionHoursLeft, metrics.SubscriptionGaps, metrics.KeeperFailed, metrics.SweepFinished, metrics.SweepCandidates,
		metrics.DaysToCredentialExpiry, metrics.RotationFailed, metrics.SweepUnreadable, metrics.SweepMembers, metrics.SweepUnstamped, metrics.BackfillStopped,
	}
	stack := imagined(t, nil)
	var shown []string
	for _, id := range stack.IDs("AWS::CloudWatch::Alarm") {
		p := properties(t, stack, id)
		if p["Namespace"] == "sessionstamp" {
			shown = append(shown, p["MetricName"].(string))
		}
	}
	if len(shown) < 5 {
		t.Errorf("there are alarms on %q only", shown)
	}
	for _, metric := range dashboardMetrics(t, stack) {
		if metric[0] == "sessionstamp" {
			shown = append(shown, metric[1].(string))
			if want := []any{"Stack", "sessionstamp"}; !slices.Equal(metric[2:4], want) {
				t.Errorf("the dashboard shows %s of %v, want of %v", metric[1], metric[2:4], want)
			}
		}
	}
	for _, name := range shown {
		if !slices.Contains(written, name) {
			t.Errorf("nobody writes the metric %s", name)
		}
	}
}

// TestDefaults checks that what is dangerous is off by default.
func TestDefaults(t *testing.T) {
	t.Parallel()
	revoker, err := imagined(t, nil).Function("RevokerFunction")
	if err != nil {
		t.Fatal(err)
	}
	for variable, want := range map[string]string{
		"BACKFILL_MODE": "report", "CEILING_PER_RUN": "200", "CEILING_PER_HOUR": "200", "CEILING_SHARE_PERCENT": "5", "NEW_USER_WINDOW_HOURS": "24",
		"FEDERATED_DOMAINS": "", "REPLICATION_LAG_SECONDS": "300", "DRY_RUN": "false", "CLOUD": "global",
	} {
		if got, ok := revoker.Environment[variable]; !ok || got != want {
			t.Errorf("%s is %q by default, want %q", variable, got, want)
		}
	}
}

// TestLists checks how lists may be written: as people paste them, and not as what
// would protect nobody.
func TestLists(t *testing.T) {
	t.Parallel()
	template, err := templatetest.Read(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range map[string]map[string]bool{
		"FederatedDomains":    {"": true, "a.example": true, "a.example,b.example": true, "a.example, b.example": true, "a.example;b.example": false, "example": false},
		"ExcludedUsers":       {"": true, aGUID: true, aGUID + ", " + aGUID: true, "someone@a.example": false, aGUID + ",": false},
		"ExcludedGroups":      {"": true, aGUID + "," + aGUID: true, "A group": false},
		"ExcludedUpnPatterns": {"": true, "svc-*@a.example, b@a.example": true, "svc-*": true, "someone": false},
		"BackfillHours":       {"": true, "22:00-05:00": true, "22-5": false, "24:00-05:00": false},
		"AuthMode":            {"web-identity": true, "certificate": true, "client-secret": true, "password": false},
		"CredentialSecretArn": {"": false, "arn:aws:secretsmanager:eu-central-1:123456789012:secret:entra-AbCdEf": true, "entra": false,
			"arn:aws:secretsmanager:eu-central-1:123456789012:secret:entra": false},
	} {
		for value, want := range values {
			given := maps.Clone(required)
			given[name] = value
			if _, err := templatetest.Deploy(template, place, given, paper{}); (err == nil) != want {
				t.Errorf("%s=%q is taken: %t (%v), want %t", name, value, err == nil, err, want)
			}
		}
	}
}

// TestReservedConcurrency checks that the webhook can be switched off, and deployed in
// an account that has nothing to reserve.
func TestReservedConcurrency(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]any{"none": nil, "0": "0", "50": "50"} {
		stack := imagined(t, map[string]string{"WebhookReservedConcurrency": given})
		if got := properties(t, stack, "WebhookFunction")["ReservedConcurrentExecutions"]; got != want {
			t.Errorf("WebhookReservedConcurrency=%s reserves %v, want %v", given, got, want)
		}
	}
}

// dashboardMetrics are the metrics of all widgets.
func dashboardMetrics(t *testing.T, stack *templatetest.Stack) [][]any {
	t.Helper()
	var board struct {
		Widgets []struct {
			Properties struct {
				Metrics [][]any `json:"metrics"`
			} `json:"properties"`
		} `json:"widgets"`
	}
	if err := json.Unmarshal([]byte(properties(t, stack, "Dashboard")["DashboardBody"].(string)), &board); err != nil {
		t.Fatal(err)
	}
	var all [][]any
	for _, widget := range board.Widgets {
		all = append(all, widget.Properties.Metrics...)
	}
	if len(all) < 10 {
		t.Fatalf("the dashboard has %d metrics", len(all))
	}
	return all
}

// seconds is a property that counts them.
func seconds(v any) time.Duration {
	n, _ := v.(int)
	return time.Duration(n) * time.Second
}

func properties(t *testing.T, stack *templatetest.Stack, id string) map[string]any {
	t.Helper()
	p, err := stack.Properties(id)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// functionNamed returns the logical id and the timeout of the function with a name.
func functionNamed(t *testing.T, stack *templatetest.Stack, name string) (string, time.Duration) {
	t.Helper()
	functions, err := stack.Functions()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(functions, func(f templatetest.Function) bool { return f.Name == name })
	if i < 0 {
		t.Fatalf("no function is called %s", name)
	}
	return functions[i].LogicalID, functions[i].Timeout
}

// resourceWith returns the properties of the resource of a type with an ARN.
func resourceWith(t *testing.T, stack *templatetest.Stack, kind, arn string) map[string]any {
	t.Helper()
	for _, id := range stack.IDs(kind) {
		if got, err := stack.Attribute(id, "Arn"); err == nil && got == arn {
			return properties(t, stack, id)
		}
	}
	t.Fatalf("no %s is %s", kind, arn)
	return nil
}

// TestParametersAreAskedFor checks that the console groups every parameter, in the
// order in which SAM asks.
func TestParametersAreAskedFor(t *testing.T) {
	t.Parallel()
	template, err := templatetest.Read(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	grouped, all := template.Groups(), template.Parameters()
	if !slices.Equal(slices.Sorted(slices.Values(grouped)), slices.Sorted(slices.Values(all))) {
		t.Errorf("the console groups %q, the parameters are %q", grouped, all)
	}
	if !slices.Equal(grouped, all) {
		t.Errorf("the console asks in the order %q, SAM in the order %q", grouped, all)
	}
}
