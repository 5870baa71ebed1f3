package stack_test

import (
	"errors"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logged "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/sessionstamp/sessionstamp/shared/aws/account"
	"github.com/sessionstamp/sessionstamp/shared/aws/mototest"
	"github.com/sessionstamp/sessionstamp/shared/aws/stack"
	"github.com/sessionstamp/sessionstamp/shared/aws/stack/stacktest"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

const tenant = "11111111-2222-3333-4444-555555555555"

// small is as much of template.yaml as moto deploys quickly.
const small = `
Description: "sessionstamp: a test"
Parameters: {TenantId: {Type: String}, StampsPerDay: {Type: Number, Default: 7}}
Resources:
  NotificationQueue: {Type: AWS::SQS::Queue}
  DeadLetterQueue: {Type: AWS::SQS::Queue}
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
  StamperLogGroup: {Type: AWS::Logs::LogGroup}
Outputs: {TableName: {Value: !Ref Table}}
`

// signedIn is somebody in moto's account.
func signedIn(t *testing.T) *account.Account {
	t.Helper()
	env := map[string]string{
		"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "no-secret", "AWS_REGION": mototest.Region,
		"AWS_ENDPOINT_URL": mototest.Shared(t), "AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
	}
	a, err := account.Open(t.Context(), account.Options{Env: func(name string) string { return env[name] }, Transport: http.DefaultTransport})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestMoto reads a stack that CloudFormation has made, and deletes it.
func TestMoto(t *testing.T) {
	t.Parallel()
	a, name, now := signedIn(t), "stack-of-a-test", time.Now()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := stack.Find(t.Context(), a, name)
	if !errors.Is(err, stack.ErrNoStack) {
		t.Fatalf("%v", err)
	}
	client := cloudformation.NewFromConfig(a.Config())
	for name, body := range map[string]string{name: small, "another": strings.Replace(small, "sessionstamp:", "a shop:", 1)} {
		_, err = client.CreateStack(t.Context(), &cloudformation.CreateStackInput{
			StackName: &name, TemplateBody: &body, Tags: []types.Tag{{Key: aws.String(stack.VersionTag), Value: aws.String("1.2.0")}},
			Parameters: []types.Parameter{{ParameterKey: aws.String("TenantId"), ParameterValue: aws.String(tenant)}},
		})
		must(err)
	}
	s, err := stack.Find(t.Context(), a, name)
	must(err)
	if s.Version != "1.2.0" || !s.Serves() || s.Failure != "" || s.Tenant() != tenant || s.Outputs["TableName"] != s.Resources["Table"] || len(s.Resources) != 4 {
		t.Errorf("%+v", s)
	}
	if _, err = stack.Find(t.Context(), a, "another"); !errors.Is(err, stack.ErrForeign) {
		t.Errorf("%v", err)
	}
	all, err := stack.List(t.Context(), a)
	if must(err); len(all) != 1 || all[0].Name != name {
		t.Errorf("%+v", all)
	}

	requests, err := s.Requests()
	must(err)
	must(requests.Enqueue(t.Context(), []stamp.Request{{Tenant: tenant, User: "u"}}))
	if waiting, dead, err := s.Queues(t.Context()); err != nil || waiting != (stack.Waiting{Visible: 1}) || dead.Sum() != 0 {
		t.Errorf("%+v, %+v, %v", waiting, dead, err)
	}
	log(t, a, s, now)
	if memory, err := s.Memory(t.Context()); err != nil || memory.Limit != 7 || memory.Keeper.ID != "" {
		t.Errorf("%+v, %v", memory, err)
	}
	table, err := s.Table()
	must(err)
	must(errors.Join(table.Write(t.Context(), []stamp.Entry{{Tenant: tenant, User: "u", State: stamp.StateStamped, Updated: now}})...))
	if e, err := s.Entry(t.Context(), "u"); err != nil || e.State != stamp.StateStamped {
		t.Errorf("%+v, %v", e, err)
	}
	must(s.Delete(t.Context()))
	if _, err = stack.Find(t.Context(), a, name); !errors.Is(err, stack.ErrNoStack) {
		t.Errorf("%v", err)
	}
}

// log writes three records, and finds them.
func log(t *testing.T, a *account.Account, s *stack.Stack, now time.Time) {
	t.Helper()
	client, group := cloudwatchlogs.NewFromConfig(a.Config()), s.Resources["StamperLogGroup"]
	if _, err := client.CreateLogStream(t.Context(), &cloudwatchlogs.CreateLogStreamInput{LogGroupName: &group, LogStreamName: aws.String("s")}); err != nil {
		t.Fatal(err)
	}
	in := &cloudwatchlogs.PutLogEventsInput{LogGroupName: &group, LogStreamName: aws.String("s")}
	for i, text := range []string{"early", "late", "later"} {
		in.LogEvents = append(in.LogEvents, logged.InputLogEvent{Message: aws.String(text), Timestamp: aws.Int64(now.Add(time.Duration(i-3) * time.Minute).UnixMilli())})
	}
	if _, err := client.PutLogEvents(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	since := now.Add(-150 * time.Second)
	if records, more, err := s.Logs(t.Context(), "StamperFunction", since, "", 1); err != nil || !more || len(records) != 1 || records[0].Message != "late" {
		t.Errorf("%+v, %t, %v", records, more, err)
	}
	if records, more, err := s.Logs(t.Context(), "StamperFunction", since, "", 2); err != nil || more || len(records) != 2 {
		t.Errorf("%+v, %t, %v", records, more, err)
	}
}

// find is the stack of a deployment that is stood in for.
func find(t *testing.T, d *stacktest.Deployment) (*stack.Stack, error) {
	t.Helper()
	a, err := account.Open(t.Context(), account.Options{Env: stacktest.Env, Transport: d})
	if err != nil {
		t.Fatal(err)
	}
	return stack.Find(t.Context(), a, "sessionstamp")
}

// TestFailure: the first sentence of the last operation that says why, without what
// CloudFormation puts around it.
func TestFailure(t *testing.T) {
	t.Parallel()
	begun, cancelled := stacktest.Event{Status: "CREATE_IN_PROGRESS"}, stacktest.Event{Logical: "Table", Status: "CREATE_FAILED", Reason: "Resource creation cancelled"}
	failed := func(status, reason string) stacktest.Event {
		return stacktest.Event{Logical: "Table", Status: status, Reason: reason}
	}
	for name, c := range map[string]struct {
		status string
		events []stacktest.Event
		want   string
	}{
		"well":         {"CREATE_COMPLETE", []stacktest.Event{begun, failed("CREATE_FAILED", "old")}, ""},
		"first":        {"ROLLBACK_COMPLETE", []stacktest.Event{begun, cancelled, failed("CREATE_FAILED", "the cause"), cancelled, failed("CREATE_FAILED", "later"), {Status: "ROLLBACK_IN_PROGRESS", Reason: "The following resource(s) failed to create: [Table]."}}, "the cause"},
		"the keeper's": {"ROLLBACK_FAILED", []stacktest.Event{begun, failed("CREATE_FAILED", "Received response status [FAILED] from custom resource. Message returned: grant (A) (RequestId: 1-a)")}, "grant (A)"},
		"a service's":  {"UPDATE_ROLLBACK_COMPLETE", []stacktest.Event{failed("UPDATE_FAILED", "old"), {Status: "UPDATE_IN_PROGRESS"}, failed("UPDATE_FAILED", "no (Service: Lambda, Status Code: 400)")}, "no"},
		"of deletion":  {"DELETE_FAILED", []stacktest.Event{begun, failed("CREATE_FAILED", "old"), {Status: "DELETE_IN_PROGRESS"}, failed("DELETE_FAILED", "in use")}, "in use"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := stacktest.New(t)
			d.Status, d.Events = c.status, c.events
			if s, err := find(t, d); err != nil || s.Failure != c.want {
				t.Errorf("%q, %v; want %q", s.Failure, err, c.want)
			}
		})
	}
}

// TestOrder: it is sent once, whatever happens, and the function's text is the error.
func TestOrder(t *testing.T) {
	t.Parallel()
	d := stacktest.New(t)
	s, err := find(t, d)
	if err != nil {
		t.Fatal(err)
	}
	d.Sweep = func(o sweep.Order) (sweep.Report, error) {
		if o != sweep.OrderFull {
			return sweep.Report{}, errors.New("grant User.Read.All")
		}
		return sweep.Report{Finished: true, Counts: sweep.Counts{Members: 3}, Reasons: map[stamp.Reason]*sweep.Group{stamp.ReasonNew: {Count: 1}}}, nil
	}
	if r, err := s.Order(t.Context(), sweep.OrderFull); err != nil || r.Members != 3 || r.Reasons[stamp.ReasonNew].Count != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	_, err = s.Order(t.Context(), sweep.OrderPause)
	if failed, ok := errors.AsType[*stack.FunctionFailed](err); !ok || failed.Message != "grant User.Read.All" {
		t.Errorf("%v", err)
	}
	for code, want := range map[string]func(error) bool{
		"TooManyRequestsException": func(err error) bool { return errors.Is(err, account.ErrThrottled) },
		"AccessDeniedException": func(err error) bool {
			refused, is := errors.AsType[*account.Forbidden](err)
			return is && refused.Action == "lambda:InvokeFunction"
		},
	} {
		before := len(d.Calls())
		d.Refuse["lambda:InvokeFunction"] = code
		if _, err := s.Order(t.Context(), sweep.OrderFull); !want(err) || len(d.Calls()) != before+1 {
			t.Errorf("%s: %v, %d calls", code, err, len(d.Calls())-before)
		}
	}
	delete(s.Resources, "SweeperFunction")
	if _, err := s.Order(t.Context(), sweep.OrderFull); !errors.Is(err, stack.ErrNoResource) {
		t.Errorf("%v", err)
	}
}

// TestSettings reads what Lambda and the scheduler say, and that a function is gone.
func TestSettings(t *testing.T) {
	t.Parallel()
	d := stacktest.New(t)
	s, err := find(t, d)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range stack.FunctionNames() {
		if f, err := s.Function(t.Context(), name); err != nil || f.State != "Active" || f.Reserved != -1 {
			t.Errorf("%+v, %v", f, err)
		}
	}
	for _, name := range stack.ScheduleNames() {
		if state, err := s.Schedule(t.Context(), name); err != nil || state != "ENABLED" {
			t.Errorf("%s, %v", state, err)
		}
	}
	if state, err := s.Trigger(t.Context(), stack.NotificationTrigger); err != nil || state != "Enabled" {
		t.Errorf("%s, %v", state, err)
	}
	d.Alarms = []stack.Alarm{{Name: "a", State: "OK"}, {Name: "b", State: "ALARM", Since: time.Unix(1_700_000_000, 0).UTC(), Description: "it is late"}}
	s.Resources["AgeAlarm"], s.Resources["SweepAlarm"] = "a", "b"
	alarms, err := s.Alarms(t.Context())
	want := stack.Alarm{Logical: "SweepAlarm", Name: "b", State: "ALARM", Since: d.Alarms[1].Since, Description: "it is late"}
	if err != nil || len(alarms) != 2 || alarms[0] != want || alarms[1].Rings() {
		t.Errorf("%+v, %v", alarms, err)
	}
	d.Sums["UsersMissed"] = 2
	if sums, err := s.Sums(t.Context(), time.Unix(0, 0), time.Unix(1, 0), "UsersMissed", "NeedsAttention"); err != nil || sums["UsersMissed"] != 2 || sums["NeedsAttention"] != 0 {
		t.Errorf("%v, %v", sums, err)
	}
	d.Refuse["lambda:GetFunctionConfiguration"] = "ResourceNotFoundException"
	if _, err := s.Function(t.Context(), "KeeperFunction"); !errors.Is(err, stack.ErrNoResource) || !slices.Contains(d.Calls(), "scheduler:GetSchedule") {
		t.Errorf("%v", err)
	}
}
