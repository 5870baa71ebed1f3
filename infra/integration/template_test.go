package integration

import (
	"encoding/json"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/infra/integration/templatetest"
	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/aws/metrics"
	"github.com/sessionstamp/sessionstamp/shared/aws/mototest"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
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
		metrics.DaysToCredentialExpiry, metrics.SignInFailed, metrics.RotationFailed, metrics.ClientStateRotationFailed, metrics.SweepUnreadable, metrics.SweepMembers, metrics.SweepUnstamped, metrics.BackfillStopped,
	}
	stack := imagined(t, nil)
	var shown []string
	for _, id := range stack.IDs("AWS::CloudWatch::Alarm") {
		for _, metric := range alarmMetrics(properties(t, stack, id)) {
			if metric["Namespace"] == "sessionstamp" {
				shown = append(shown, metric["MetricName"].(string))
			}
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

// alarmMetrics are the metrics that an alarm is on, each with its dimensions.
func alarmMetrics(alarm map[string]any) []map[string]any {
	queries, ok := alarm["Metrics"].([]any)
	if !ok {
		return []map[string]any{alarm}
	}
	var all []map[string]any
	for _, query := range queries {
		if stat, ok := query.(map[string]any)["MetricStat"].(map[string]any); ok {
			all = append(all, stat["Metric"].(map[string]any))
		}
	}
	return all
}

// TestPutBackAlarm checks for which reasons it rings, and that they are spelled as the
// revoker does.
func TestPutBackAlarm(t *testing.T) {
	t.Parallel()
	want := []revocation.Reason{
		revocation.ReasonGraphForbidden, revocation.ReasonDomainsUnavailable, revocation.ReasonExclusionsUnavailable, revocation.ReasonLedgerUnavailable,
		revocation.ReasonQuotaUnavailable,
	}
	metrics := alarmMetrics(properties(t, imagined(t, nil), "PutBackAlarm"))
	if len(metrics) != len(want) {
		t.Fatalf("it is on %d metrics, want %d", len(metrics), len(want))
	}
	for i, metric := range metrics {
		dimensions := []any{
			map[string]any{"Name": "Stack", "Value": "sessionstamp"}, map[string]any{"Name": "Reason", "Value": string(want[i])},
		}
		if diff := cmp.Diff(dimensions, metric["Dimensions"]); diff != "" {
			t.Errorf("metric %d (-want +got):\n%s", i, diff)
		}
	}
}

// TestAlarmsOfCredentials pins when the alarms ring that are about signing in, and when
// they fall silent.
func TestAlarmsOfCredentials(t *testing.T) {
	t.Parallel()
	stack := imagined(t, nil)
	for id, want := range map[string]map[string]any{
		// At once, and silent after a day, within which the next sweep comes.
		"SignInAlarm": {"MetricName": metrics.SignInFailed, "Statistic": "Sum", "Period": 900, "EvaluationPeriods": 96,
			"DatapointsToAlarm": 1, "TreatMissingData": "notBreaching"},
		// Until something else is told, and a success wins over the failures before it.
		"RotationFailedAlarm": {"MetricName": metrics.RotationFailed, "Statistic": "Minimum", "Period": 300, "EvaluationPeriods": 1,
			"TreatMissingData": "ignore"},
		"ClientStateRotationFailedAlarm": {"MetricName": metrics.ClientStateRotationFailed, "Statistic": "Minimum", "Period": 300, "EvaluationPeriods": 1,
			"TreatMissingData": "ignore"},
		// The only word of a rotator that was killed.
		"RotatorErrorsAlarm": {"MetricName": "Errors", "Statistic": "Sum", "Period": 3600, "EvaluationPeriods": 1, "TreatMissingData": "notBreaching"},
	} {
		want["Threshold"], want["ComparisonOperator"] = 1, "GreaterThanOrEqualToThreshold"
		alarm := properties(t, stack, id)
		for property := range alarm {
			if _, pinned := want[property]; !pinned && property != "DatapointsToAlarm" {
				delete(alarm, property)
			}
		}
		if diff := cmp.Diff(want, alarm); diff != "" {
			t.Errorf("%s (-want +got):\n%s", id, diff)
		}
	}
}

// TestSweepsAreNear checks that the alarms that look back on a day, for a failure of the
// sweeper or for its success, see a sweep, however seldom there is one, and take no gap
// between two for an end.
func TestSweepsAreNear(t *testing.T) {
	t.Parallel()
	stack := imagined(t, nil)
	minutes, err := strconv.Atoi(submatch(t, readText(t, "template.yaml"), `(?s)\n  SweepIntervalMinutes:\n[^\n]*\n[^\n]*\n[^\n]*\n[^\n]*\n    MaxValue: (\d+)`)[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"SignInAlarm", "SweepUnfinishedAlarm"} {
		alarm := properties(t, stack, id)
		window := seconds(alarm["Period"].(int) * alarm["EvaluationPeriods"].(int))
		if longest := time.Duration(minutes) * time.Minute; window < longest+time.Hour {
			t.Errorf("%s looks back on %s, and the next sweep may be %s away", id, window, longest)
		}
		// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
		if window > 24*time.Hour {
			t.Errorf("%s looks back on %s, and CloudWatch on a day at most with such a period", id, window)
		}
	}
}

// TestAlarmsAreShown checks that the dashboard has all of them, and no other: where a
// secret is not rotated there is no alarm that would stay red.
func TestAlarmsAreShown(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		parameters map[string]string
		missing    []string
	}{
		"all":              {},
		"dry run":          {map[string]string{"DryRun": "true"}, []string{"RotationFailedAlarm"}},
		"by hand":          {map[string]string{"CredentialRotationDays": "0"}, []string{"RotationFailedAlarm"}},
		"nothing stored":   {map[string]string{"AuthMode": "web-identity", "CredentialSecretArn": ""}, []string{"RotationFailedAlarm"}},
		"clientState kept": {map[string]string{"ClientStateRotationDays": "0"}, []string{"ClientStateRotationFailedAlarm"}},
		"neither": {map[string]string{"CredentialRotationDays": "0", "ClientStateRotationDays": "0"},
			[]string{"ClientStateRotationFailedAlarm", "RotationFailedAlarm"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stack, all := imagined(t, test.parameters), imagined(t, nil).IDs("AWS::CloudWatch::Alarm")
			left := slices.DeleteFunc(all, func(id string) bool { return slices.Contains(test.missing, id) })
			ids := stack.IDs("AWS::CloudWatch::Alarm")
			if diff := cmp.Diff(left, ids); diff != "" {
				t.Errorf("alarms (-want +got):\n%s", diff)
			}
			var want []string
			for _, id := range ids {
				arn, err := stack.Attribute(id, "Arn")
				if err != nil {
					t.Fatal(err)
				}
				want = append(want, arn)
			}
			got := alarmsShown(t, stack)
			slices.Sort(want)
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("the dashboard's alarms (-want +got):\n%s", diff)
			}
		})
	}
}

// alarmsShown are the alarms of all widgets.
func alarmsShown(t *testing.T, stack *templatetest.Stack) []string {
	t.Helper()
	var board struct {
		Widgets []struct {
			Properties struct {
				Alarms []string `json:"alarms"`
			} `json:"properties"`
		} `json:"widgets"`
	}
	if err := json.Unmarshal([]byte(properties(t, stack, "Dashboard")["DashboardBody"].(string)), &board); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, widget := range board.Widgets {
		all = append(all, widget.Properties.Alarms...)
	}
	return all
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

// TestDefaultSignIn checks that what is recommended is what happens by default: nothing
// is stored.
func TestDefaultSignIn(t *testing.T) {
	t.Parallel()
	template, err := templatetest.Read(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	stack, err := templatetest.Deploy(template, place, map[string]string{"TenantId": aGUID, "ClientId": aGUID}, paper{})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"RevokerFunction", "KeeperFunction", "SweeperFunction", "RotatorFunction"} {
		f, err := stack.Function(id)
		if err != nil {
			t.Fatal(err)
		}
		mode := directory.AuthMode(f.Environment["AUTH_MODE"])
		if secret, stored := f.Environment["CREDENTIAL_SECRET_ARN"]; stored || mode != directory.AuthModes()[0] {
			t.Errorf("%s signs in by %s with %q by default, want %s and nothing", id, mode, secret, directory.AuthModes()[0])
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
		"ExcludedUsers":       {"": true, aGUID: true, aGUID + ", " + aGUID: true, "someone@intranet": false, aGUID + ",": false},
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
			if _, err := templatetest.Deploy(template, place, given, paper{}); (leaktest.Seen(t, err) == nil) != want {
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
		if got, err := stack.Attribute(id, "Arn"); leaktest.Seen(t, err) == nil && got == arn {
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
