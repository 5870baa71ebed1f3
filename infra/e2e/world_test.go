package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/sessionstamp/sessionstamp/infra/e2e/awstest"
	"github.com/sessionstamp/sessionstamp/infra/e2e/lambdatest"
	"github.com/sessionstamp/sessionstamp/shared/aws/mototest"
	"github.com/sessionstamp/sessionstamp/shared/aws/ststest"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
)

// patience bounds every wait. What is waited for takes seconds on an idle machine.
const patience = 3 * time.Minute

// issuer is that of the account's tokens.
const issuer = "https://3f0c1a2b-4d5e-4f60-8a9b-0c1d2e3f4a5b.tokens.sts.global.api.aws"

// A world is one deployment with its own AWS and its own Graph.
type world struct {
	t         *testing.T
	ctx       context.Context // of the test
	cloud     cloud
	graph     *graph
	stack     *stack
	functions map[string]*function // by logical id
	responses *httptest.Server     // takes the answers to CloudFormation
	answers   chan cfnAnswer
	grants    *grants
	hops      hops
	aws       *awstest.Server // stands before moto; nil without an account
}

// key is the access key of a role, "" without an account.
func (w *world) key(role string) string {
	if w.aws == nil {
		return ""
	}
	return w.aws.AccessKey(w.stack.attribute(role, "Arn"))
}

// function is a function of the stack and what belongs to it.
type function struct {
	program  *lambdatest.Program
	recorder *recorder
}

// newWorld makes AWS, Graph and an app, and deploys the template. Nobody is subscribed yet.
func newWorld(t *testing.T, seen *grants, parameters map[string]string) *world {
	t.Helper()
	programs(t) // which may take minutes, once
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	w := &world{t: t, ctx: ctx, cloud: cloud{endpoint: mototest.Start(t)}, graph: newGraph(t, msgraphtest.Options{}), grants: seen,
		functions: make(map[string]*function), answers: make(chan cfnAnswer, 1)}
	w.graph.used = seen
	w.responses = httptest.NewServer(http.HandlerFunc(w.takeAnswer))
	t.Cleanup(w.responses.Close)
	w.deploy(parameters)
	if err := w.cloud.makeAll(ctx, w.stack); err != nil {
		t.Fatal(err)
	}
	w.trust(w.stack)
	w.start()
	return w
}

// trust makes the apps of the tenant trust the roles of a stack.
func (w *world) trust(s *stack) {
	for role, app := range map[string]*msgraphtest.App{"Stamper": w.graph.stamper, "Keeper": w.graph.reader, "Sweeper": w.graph.reader, "Resolver": w.graph.reader} {
		app.AddFederated(msgraphtest.FederatedCredential{Name: stackName + "-" + strings.ToLower(role), Issuer: issuer,
			Subject: s.output(role + "Subject"), Audience: s.output("TokenAudience")})
	}
}

// deploy reads the template with parameters; what is made stays.
func (w *world) deploy(parameters map[string]string) {
	w.t.Helper()
	given := map[string]string{"TenantId": w.graph.tenant.ID(), "ClientId": w.graph.reader.ID(), "StamperClientId": w.graph.stamper.ID()}
	maps.Copy(given, parameters)
	s, err := newStack(readTemplate(w.t), given)
	if err != nil {
		w.t.Fatal(err)
	}
	if w.stack != nil {
		s.made = w.stack.made
	}
	w.stack = s
}

// start makes a program of each function, and opens the front door.
func (w *world) start() {
	w.t.Helper()
	for _, id := range w.stack.resources("AWS::Serverless::Function") {
		w.run(id)
	}
	w.open()
}

// open leads what comes to the URLs of the functions that run to them.
func (w *world) open() {
	at, err := url.Parse(w.stack.output("NotificationUrl"))
	if err != nil {
		w.t.Fatal(err)
	}
	f := &front{host: at.Host, routes: make(map[string]*lambdatest.Program)}
	for _, id := range w.stack.resources("AWS::Serverless::Function") {
		events, _ := w.stack.properties(id)["Events"].(object)
		for _, event := range events {
			if route := event.(object)["Properties"].(object); w.functions[id] != nil {
				f.routes[fmt.Sprint(route["Method"], " ", route["Path"])] = w.functions[id].program
			}
		}
	}
	w.graph.notices.connect(f)
}

// run makes a program of a function, in place of the one that there may be. It starts
// with its first invocation.
func (w *world) run(id string) {
	if old := w.functions[id]; old != nil {
		old.program.Close()
	}
	p := w.stack.properties(id)
	role := strings.TrimSuffix(id, "Function") + "Role"
	sts := ststest.New(ststest.Options{Issuer: issuer, Subject: p["Role"].(string)})
	w.graph.AddProvider(issuer, sts) // they all have one key
	f := &function{}
	f.recorder = &recorder{role: role, grants: w.grants, hops: &w.hops}
	environment := w.stack.environment(id)
	if w.aws == nil {
		f.recorder.start(w.t, w.cloud.endpoint, sts)
	} else {
		f.recorder.start(w.t, w.aws.URL(), w.aws)
		environment["AWS_ACCESS_KEY_ID"] = w.key(role)
	}
	environment["AWS_ENDPOINT_URL"] = f.recorder.server.URL
	environment["HTTPS_PROXY"] = w.graph.proxy.URL
	environment["SSL_CERT_FILE"] = w.graph.certs
	logging := p["LoggingConfig"].(object)
	f.program = lambdatest.New(w.t, lambdatest.Config{
		Path: filepath.Join(programs(w.t), strings.TrimPrefix(w.stack.ref(id), stackName+"-")), Name: w.stack.ref(id), ARN: w.stack.attribute(id, "Arn"),
		Environment: environment, Timeout: seconds(p["Timeout"]), Memory: p["MemorySize"].(int),
		LogFormat: logging["LogFormat"].(string), LogLevel: logging["ApplicationLogLevel"].(string), Region: mototest.Region,
	})
	w.functions[id] = f
}

// poll works off all queues until the test ends.
func (w *world) poll() {
	ctx, cancel := context.WithCancel(w.ctx)
	var polling sync.WaitGroup
	w.t.Cleanup(func() { // before the programs are closed, which was prepared earlier
		cancel()
		polling.Wait()
	})
	for _, mapping := range w.stack.resources("AWS::Lambda::EventSourceMapping") {
		p := w.newPoller(mapping)
		polling.Go(func() {
			if err := p.run(ctx); err != nil {
				w.t.Errorf("poll: %v", err)
			}
		})
	}
}

// invoke hands an event to a function, whose answer must be JSON.
func (w *world) invoke(id, event string) {
	w.t.Helper()
	answer, err := w.functions[id].program.Invoke(w.ctx, []byte(event))
	if err != nil {
		w.t.Fatal(err)
	}
	if !json.Valid(answer) {
		w.t.Fatalf("%s answered %s", id, answer)
	}
}

// schedule starts a function as its schedule does.
func (w *world) schedule(id string) {
	w.t.Helper()
	target := w.stack.properties(id)["Target"].(object)
	function := strings.TrimSuffix(id, "Schedule") + "Function"
	if target["Arn"] != w.stack.attribute(function, "Arn") {
		w.t.Fatalf("%s starts %s", id, target["Arn"])
	}
	w.invoke(function, target["Input"].(string))
}

// logged waits until a function has written a record with all those attributes.
func (w *world) logged(id string, attributes map[string]any) map[string]any {
	w.t.Helper()
	record, err := w.functions[id].program.Log().Wait(w.ctx, func(record map[string]any) bool {
		for key, v := range attributes {
			if fmt.Sprint(record[key]) != fmt.Sprint(v) {
				return false
			}
		}
		return true
	})
	if err != nil {
		w.t.Fatalf("the log of %s has no record with %v: %v", id, attributes, err)
	}
	return record
}

// measured waits until a function has written a metric of that name, of this stack.
func (w *world) measured(id, metric string) map[string]any {
	w.t.Helper()
	record, err := w.functions[id].program.Log().Wait(w.ctx, func(record map[string]any) bool {
		return slices.Contains(metricsOf(record), metric) && record["Stack"] == stackName
	})
	if err != nil {
		w.t.Fatalf("%s has not written the metric %s", id, metric)
	}
	return record
}

// metricsOf are the names of the metrics in a record of the embedded metric format.
func metricsOf(record map[string]any) (names []string) {
	var header struct {
		CloudWatchMetrics []struct {
			Namespace string
			Metrics   []struct{ Name string }
		}
	}
	text, err := json.Marshal(record["_aws"])
	if err != nil || json.Unmarshal(text, &header) != nil {
		return nil
	}
	for _, directive := range header.CloudWatchMetrics {
		for _, metric := range directive.Metrics {
			if directive.Namespace == stackName {
				names = append(names, metric.Name)
			}
		}
	}
	return names
}

// until waits until something holds at Graph, which is asked about after each request.
func (w *world) until(what string, holds func() bool) {
	w.t.Helper()
	for {
		changed := w.graph.news.next()
		if holds() {
			return
		}
		select {
		case <-changed:
		case <-w.ctx.Done():
			w.t.Fatalf("waited in vain until %s", what)
		}
	}
}

// empty checks that a queue holds nothing at all.
func (w *world) empty(queue string) {
	w.t.Helper()
	if n, err := w.cloud.queued(w.ctx, w.stack.ref(queue)); n != 0 || err != nil {
		w.t.Errorf("%s holds %d messages, want none (%v)", queue, n, err)
	}
}

// subscribe does what CloudFormation does at deployment.
func (w *world) subscribe() {
	w.t.Helper()
	if a := w.customResource("Create"); a.Status != "SUCCESS" {
		w.t.Fatalf("CloudFormation was told %+v", a)
	}
}

// cfnAnswer is what CloudFormation is told
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html).
type cfnAnswer struct {
	Status, Reason     string
	PhysicalResourceID string `json:"PhysicalResourceId"`
	RequestID          string `json:"RequestId"`
	LogicalResourceID  string `json:"LogicalResourceId"`
}

// takeAnswer is the pre-signed URL of S3 to which answers are put, of 4,096 bytes at most.
func (w *world) takeAnswer(rw http.ResponseWriter, r *http.Request) {
	var a cfnAnswer
	err := json.NewDecoder(http.MaxBytesReader(rw, r.Body, 4096)).Decode(&a)
	if err != nil || r.Method != http.MethodPut || r.Header.Get("Content-Type") != "" {
		w.t.Errorf("CloudFormation takes a PUT of JSON without a Content-Type, not %s with %q (%v)", r.Method, r.Header.Get("Content-Type"), err)
	}
	select {
	case w.answers <- a:
	default:
		w.t.Error("CloudFormation was answered twice")
	}
}

// customResource calls the keeper as CloudFormation does, and returns what it was told.
func (w *world) customResource(requestType string) cfnAnswer {
	w.t.Helper()
	properties := w.stack.properties("Subscription")
	a, err := w.provide(requestType, properties, properties)
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

// provide has the keeper provide the custom resource.
func (w *world) provide(requestType string, properties, old object) (a cfnAnswer, err error) {
	request := object{
		"RequestType": requestType, "RequestId": uuid.NewString(), "ResponseURL": w.responses.URL + "/answer?X-Amz-Signature=0",
		"StackId":      "arn:aws:cloudformation:eu-central-1:123456789012:stack/sessionstamp/1",
		"ResourceType": "Custom::Subscription", "LogicalResourceId": "Subscription",
		"ServiceToken": properties["ServiceToken"], "ResourceProperties": properties,
	}
	if requestType != "Create" {
		request["PhysicalResourceId"] = "sessionstamp-subscription"
	}
	if requestType == "Update" {
		request["OldResourceProperties"] = old
	}
	event, err := json.Marshal(request)
	if err != nil {
		return a, err
	}
	if _, err := w.functions["KeeperFunction"].program.Invoke(w.ctx, event); err != nil {
		return a, err
	}
	select {
	case a = <-w.answers:
		w.t.Logf("CloudFormation was told %s: %s", a.Status, a.Reason)
		if a.RequestID != request["RequestId"] || requestType != "Create" && a.PhysicalResourceID != request["PhysicalResourceId"] {
			w.t.Errorf("CloudFormation was told %+v, which it cannot match with its request", a)
		}
		return a, nil
	default:
		return a, errors.New("CloudFormation was not answered")
	}
}
