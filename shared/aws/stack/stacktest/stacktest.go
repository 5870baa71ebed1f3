// Package stacktest is a deployment of sessionstamp at AWS, as the transport of AWS's
// clients in the same process. It answers no more than what packages account and stack ask,
// and fails the test at anything else.
package stacktest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/sessionstamp/sessionstamp/shared/aws/stack"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

// Where the deployment is, and who calls.
const (
	Account = "123456789012"
	Region  = "ap-northeast-1"
	Caller  = "arn:aws:sts::" + Account + ":assumed-role/operator/hanako"
)

// An Event is one of CloudFormation's, about the resource with that logical name, or the
// stack itself for "".
type Event struct{ Logical, Status, Reason string }

// A Deployment is a stack. Set its fields before anybody calls.
type Deployment struct {
	T testing.TB
	// Name is the stack's, "" for none. Others are stacks of sessionstamp's beside it.
	Name   string
	Others []string
	// Description, Status and the rest are as CloudFormation has them; Created is RFC 3339.
	Description, Status, Created string
	Parameters, Tags, Outputs    map[string]string
	// Resources are the physical ids by the logical ones.
	Resources map[string]string
	// Events are those of the stack, the oldest first.
	Events []Event
	// Trigger is the state of the event source mapping.
	Trigger        string
	Requests, Dead stack.Waiting
	// Signals are the messages of the queues of signals, by their logical names.
	Signals map[string]stack.Waiting
	Alarms  []stack.Alarm
	// Sums are the values of metrics, by their names.
	Sums map[string]float64
	// Logs are what functions have logged, by their logical names.
	Logs map[string][]stack.Record
	// Sent takes each message that is put into the queue of requests, one call at a time.
	Sent func(body string)
	// Sweep carries out orders. Its error is the function's.
	Sweep func(sweep.Order) (sweep.Report, error)
	// Refuse are codes of errors, by the action that is refused, such as
	// "cloudformation:DescribeStacks".
	Refuse map[string]string

	mu      sync.Mutex
	items   map[string]json.RawMessage // the table's, by key
	secrets map[string]*secret         // by name
	calls   []string
}

// New is a deployment in which all is well, and nothing has happened.
func New(t testing.TB) *Deployment {
	t.Helper()
	d := &Deployment{
		T: t, Name: "sessionstamp", Description: "sessionstamp: stamps", Status: "CREATE_COMPLETE", Created: "2026-11-01T00:00:00Z",
		Parameters: map[string]string{"TenantId": "11111111-2222-3333-4444-555555555555"},
		Tags:       map[string]string{stack.VersionTag: "1.2.0"},
		Resources: map[string]string{
			"NotificationQueue": "https://sqs/sessionstamp-requests", "DeadLetterQueue": "https://sqs/sessionstamp-dead",
			"NotificationEventSource": "9e7c6d5b-0000-4000-8000-000000000000", "Table": "sessionstamp-table",
			"KeeperSchedule": "sessionstamp-keeper", "SweeperSchedule": "sessionstamp-sweeper",
		},
		Trigger: "Enabled", Sums: map[string]float64{}, Logs: map[string][]stack.Record{}, Refuse: map[string]string{},
		items: map[string]json.RawMessage{}, secrets: map[string]*secret{},
	}
	for _, name := range stack.FunctionNames() {
		short := strings.TrimSuffix(name, "Function")
		d.Resources[name] = "sessionstamp-" + strings.ToLower(short)
		d.Resources[short+"LogGroup"] = "/aws/lambda/" + d.Resources[name]
	}
	return d
}

// Env is an environment in which somebody is signed in.
func Env(name string) string {
	return map[string]string{ //nolint:gosec // nobody's, from AWS's documentation
		"AWS_REGION": Region, "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "no-secret",
		"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
	}[name]
}

// Calls are the actions that were called so far.
func (d *Deployment) Calls() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string{}, d.calls...)
}

// Append adds a record to the log of a function, also while others call.
func (d *Deployment) Append(function string, r stack.Record) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.Logs[function] = append(d.Logs[function], r)
}

var signedFor = regexp.MustCompile(`/([a-z0-9-]+)/aws4_request`)

// RoundTrip implements [http.RoundTripper].
func (d *Deployment) RoundTrip(r *http.Request) (*http.Response, error) {
	body := []byte{}
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	c := &call{Deployment: d, request: r, body: body, service: "?"}
	if found := signedFor.FindStringSubmatch(r.Header.Get("Authorization")); found != nil {
		c.service = found[1]
	}
	c.form, _ = url.ParseQuery(string(body))
	c.operation = c.named()
	action := c.service + ":" + c.operation
	d.mu.Lock()
	d.calls = append(d.calls, action)
	code := d.Refuse[action]
	d.mu.Unlock()
	if code != "" {
		return c.refuse(http.StatusForbidden, code, "User: "+Caller+" is not authorized to perform: "+action)
	}
	return c.answer(action)
}

// A call is one of AWS's.
type call struct {
	*Deployment

	request            *http.Request
	body               []byte
	form               url.Values
	service, operation string
}

var paths = []struct {
	pattern   *regexp.Regexp
	operation string
}{
	{regexp.MustCompile(`/functions/[^/]+/invocations$`), "InvokeFunction"},
	{regexp.MustCompile(`/functions/[^/]+/configuration$`), "GetFunctionConfiguration"},
	{regexp.MustCompile(`/functions/[^/]+/concurrency$`), "GetFunctionConcurrency"},
	{regexp.MustCompile(`/event-source-mappings/`), "GetEventSourceMapping"},
	{regexp.MustCompile(`^/schedules/`), "GetSchedule"},
}

// named finds the operation where each protocol has it.
func (c *call) named() string {
	if c.service == "monitoring" {
		c.service = "cloudwatch"
	}
	if _, operation, found := strings.Cut(c.request.Header.Get("X-Amz-Target"), "."); found {
		return operation
	}
	if action := c.form.Get("Action"); action != "" {
		return action
	}
	if _, operation, found := strings.Cut(c.request.URL.Path, "/operation/"); found {
		return operation
	}
	for _, p := range paths {
		if p.pattern.MatchString(c.request.URL.Path) {
			return p.operation
		}
	}
	return c.request.Method + " " + c.request.URL.Path
}

func (c *call) answer(action string) (*http.Response, error) {
	answers := map[string]func() (*http.Response, error){
		"sts:GetCallerIdentity":              c.callerIdentity,
		"cloudformation:DescribeStacks":      c.describeStacks,
		"cloudformation:ListStackResources":  c.listResources,
		"cloudformation:DescribeStackEvents": c.describeEvents,
		"sqs:GetQueueAttributes":             c.queueAttributes,
		"sqs:SendMessageBatch":               c.sendMessages,
		"dynamodb:GetItem":                   c.getItem,
		"dynamodb:PutItem":                   c.putItem,
		"lambda:InvokeFunction":              c.invoke,
		"lambda:GetEventSourceMapping":       func() (*http.Response, error) { return c.json(map[string]string{"State": c.Trigger}) },
		"lambda:GetFunctionConcurrency":      func() (*http.Response, error) { return c.json(map[string]string{}) },
		"lambda:GetFunctionConfiguration": func() (*http.Response, error) {
			return c.json(map[string]any{"State": "Active", "LastUpdateStatus": "Successful"})
		},
		"scheduler:GetSchedule":       func() (*http.Response, error) { return c.json(map[string]string{"State": "ENABLED"}) },
		"secretsmanager:CreateSecret": c.secretsManager, "secretsmanager:DeleteSecret": c.secretsManager,
		"secretsmanager:DescribeSecret": c.secretsManager, "secretsmanager:GetSecretValue": c.secretsManager,
		"secretsmanager:ListSecrets": c.secretsManager, "secretsmanager:PutSecretValue": c.secretsManager,
		"secretsmanager:UpdateSecretVersionStage": c.secretsManager,

		"cloudwatch:DescribeAlarms": c.describeAlarms,
		"cloudwatch:GetMetricData":  c.metricData,
		"logs:FilterLogEvents":      c.filterLogs,
	}
	if answer := answers[action]; answer != nil {
		return answer()
	}
	c.T.Errorf("nobody answers %s", action)
	return c.refuse(http.StatusBadRequest, "InvalidAction", action)
}

// invoke runs the sweeper.
func (c *call) invoke() (*http.Response, error) {
	if c.request.URL.Path != path.Join("/2015-03-31/functions", c.Resources["SweeperFunction"], "invocations") {
		return c.refuse(http.StatusNotFound, "ResourceNotFoundException", c.request.URL.Path)
	}
	report, err := c.Sweep(sweep.Order(c.body))
	if err != nil {
		response, failed := c.json(map[string]string{"errorType": "errorString", "errorMessage": err.Error()})
		response.Header.Set("X-Amz-Function-Error", "Unhandled")
		return response, failed
	}
	return c.json(report)
}

// getItem answers an item as it came.
func (c *call) getItem() (*http.Response, error) {
	key, err := itemKey(c.body, "Key")
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	item := c.items[key]
	c.mu.Unlock()
	if item == nil {
		return c.json(map[string]string{})
	}
	return c.json(map[string]any{"Item": item})
}

// putItem refuses a write that is not about the version that stands there.
func (c *call) putItem() (*http.Response, error) {
	key, err := itemKey(c.body, "Item")
	if err != nil {
		return nil, err
	}
	var in struct {
		Item                      json.RawMessage
		ExpressionAttributeValues map[string]struct{ N string }
	}
	if err := json.Unmarshal(c.body, &in); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	stored := c.items[key]
	if versionOf(stored) != in.ExpressionAttributeValues[":version"].N {
		response, err := c.json(map[string]any{"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException", "Item": stored})
		response.StatusCode = http.StatusBadRequest
		return response, err
	}
	c.items[key] = in.Item
	return c.json(map[string]string{})
}

// versionOf is the version of a stored item, "" where nothing is stored.
func versionOf(item json.RawMessage) string {
	var stored struct {
		Version struct{ N string } `json:"version"`
	}
	_ = json.Unmarshal(item, &stored) // of nothing there is none
	return stored.Version.N
}

func itemKey(body []byte, field string) (string, error) {
	var in map[string]json.RawMessage
	if err := json.Unmarshal(body, &in); err != nil {
		return "", err
	}
	var item struct{ PK struct{ S string } }
	err := json.Unmarshal(in[field], &item)
	return item.PK.S, err
}

// signalQueue is the logical name of the queue of signals that is asked about, "" for another.
func (c *call) signalQueue() string {
	var in struct {
		QueueURL string `json:"QueueUrl"`
	}
	_ = json.Unmarshal(c.body, &in) // of what cannot be read it is none
	for _, logical := range []string{"SignalQueue", "UrgentSignalQueue", "SignalDeadLetterQueue"} {
		if in.QueueURL != "" && in.QueueURL == c.Resources[logical] {
			return logical
		}
	}
	return ""
}

func (c *call) queueAttributes() (*http.Response, error) {
	w, name := c.Requests, "NotificationQueue"
	if logical := c.signalQueue(); logical != "" {
		w, name = c.Signals[logical], logical
	}
	if strings.Contains(string(c.body), c.Resources["DeadLetterQueue"]) {
		w, name = c.Dead, "DeadLetterQueue"
	}
	return c.json(map[string]any{"Attributes": map[string]string{
		"QueueArn":                              "arn:aws:sqs:" + Region + ":" + Account + ":" + name,
		"ApproximateNumberOfMessages":           fmt.Sprint(w.Visible),
		"ApproximateNumberOfMessagesNotVisible": fmt.Sprint(w.Hidden),
		"ApproximateNumberOfMessagesDelayed":    fmt.Sprint(w.Delayed),
	}})
}

// equation is one of a filter pattern for JSON.
var equation = regexp.MustCompile(`\$\.(\w+) = "([^"]*)"`)

// filterLogs knows patterns of equations: each name has one of the values that stand beside
// it.
func (c *call) filterLogs() (*http.Response, error) {
	var in struct {
		LogGroupName, FilterPattern string
		StartTime                   int64
	}
	if err := json.Unmarshal(c.body, &in); err != nil {
		return nil, err
	}
	if in.FilterPattern != "" && !equation.MatchString(in.FilterPattern) {
		c.T.Errorf("nobody understands the pattern %s", in.FilterPattern)
	}
	wanted := make(map[string]map[string]bool)
	for _, e := range equation.FindAllStringSubmatch(in.FilterPattern, -1) {
		if wanted[e[1]] == nil {
			wanted[e[1]] = make(map[string]bool)
		}
		wanted[e[1]][e[2]] = true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	events := []any{}
	for function, records := range c.Logs {
		if c.Resources[strings.TrimSuffix(function, "Function")+"LogGroup"] != in.LogGroupName {
			continue
		}
		for _, r := range records {
			if r.At.UnixMilli() >= in.StartTime && fits(r.Message, wanted) {
				events = append(events, map[string]any{"timestamp": r.At.UnixMilli(), "message": r.Message})
			}
		}
	}
	return c.json(map[string]any{"events": events})
}

func fits(message string, wanted map[string]map[string]bool) bool {
	record := make(map[string]any)
	if json.Unmarshal([]byte(message), &record) != nil {
		return false
	}
	for name := range maps.Keys(wanted) {
		if value, _ := record[name].(string); !wanted[name][value] {
			return false
		}
	}
	return true
}

func (c *call) json(body any) (*http.Response, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	return c.respond(http.StatusOK, "application/json", text), nil
}

func (c *call) respond(status int, kind string, body []byte) *http.Response {
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), ProtoMajor: 1, ProtoMinor: 1, Request: c.request,
		Header: http.Header{"Content-Type": {kind}, "X-Amz-Crc32": {fmt.Sprint(crc32.ChecksumIEEE(body))}}, // DynamoDB's client looks
		Body:   io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}
}
