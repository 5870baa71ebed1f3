// Package integration runs the programs under functions/ as template.yaml deploys
// them: under a small Lambda Runtime API, against moto's server and the emulated
// Graph. Queues, table, secrets, environment, event sources, schedules and policies
// are read from the template. Time is real, so what waits for the replication lag
// takes half a minute.
package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/integration/lambdatest"
	"github.com/sessionstamp/sessionstamp/infra/integration/templatetest"
	"github.com/sessionstamp/sessionstamp/shared/aws/mototest"
	"github.com/sessionstamp/sessionstamp/shared/aws/ststest"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
)

// root is the folder of the template.
const root = "../.."

// patience bounds every wait. What is waited for takes seconds on an idle machine, and
// half a minute where a claim has to lapse.
const patience = 3 * time.Minute

// lagSeconds is the replication lag in the stories, which no deployment may choose so
// short: 20 seconds for a call come on top of it.
const lagSeconds = "1"

// built are the programs, which are built once for all tests.
var built struct {
	once sync.Once
	dir  string
	err  error
}

// programs builds every function and returns the folder with the programs, each by the
// name of its folder. It lives as long as the test binary's folder of temporary files.
func programs(t *testing.T) string {
	t.Helper()
	touch(t)
	built.once.Do(func() {
		built.dir = binaries
		// Flags of the compiler are those of a plain go build, so that the build cache
		// has the SDK. The linker's are those of the deployment.
		command := exec.CommandContext(t.Context(), "go", "build", "-ldflags", "-s -w", "-o", built.dir+"/", "./functions/...") //nolint:gosec // a folder of our own
		command.Dir = root
		if out, err := command.CombinedOutput(); err != nil {
			built.err = fmt.Errorf("build the functions: %w\n%s", err, out)
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return built.dir
}

// touch looks at every folder of sources, so that go test, which can't see what the
// programs are built of, does not repeat an old result.
func touch(t *testing.T) {
	t.Helper()
	for _, folder := range []string{"functions", "shared"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(string, fs.DirEntry, error) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
	}
}

// A world is one deployment with its own AWS and its own Graph.
type world struct {
	t         *testing.T
	ctx       context.Context
	cloud     cloud
	graph     *graph
	maker     *maker
	stack     *templatetest.Stack
	functions map[string]*function // by logical id
	responses *httptest.Server     // takes the answers to CloudFormation
	answers   chan cfnAnswer
	seen      *accesses
	given     map[string]string // parameters
}

// function is a function of the stack and what belongs to it.
type function struct {
	templatetest.Function
	program  *lambdatest.Program
	recorder *recorder
	sts      *ststest.Server // as it is for the function's role
}

// newWorld makes AWS, Graph as the options have it, and an app, and deploys the template
// with parameters besides those that it demands. Nobody is subscribed yet.
func newWorld(t *testing.T, seen *accesses, parameters map[string]string, entra msgraphtest.Options) *world {
	t.Helper()
	programs(t) // which may take minutes, once
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	w := &world{t: t, ctx: ctx, cloud: cloud{mototest.Start(t)}, graph: newGraph(t, entra), seen: seen,
		functions: make(map[string]*function), answers: make(chan cfnAnswer, 1)}
	w.responses = httptest.NewServer(http.HandlerFunc(w.takeAnswer))
	t.Cleanup(w.responses.Close)
	credential, err := w.cloud.createSecret(ctx, "sessionstamp-credential", `{"clientSecret":"`+secretText+`"}`)
	if err != nil {
		t.Fatal(err)
	}
	w.given = map[string]string{"TenantId": w.graph.tenant.ID(), "ClientId": w.graph.app.ID(),
		"AuthMode": "client-secret", "CredentialSecretArn": credential, "CredentialRotationDays": "30"}
	for name, value := range parameters {
		w.given[name] = value
	}
	w.maker = &maker{ctx: ctx, cloud: w.cloud, stack: "sessionstamp", apiID: "a1b2c3d4e5", made: make(map[string]templatetest.Made)}
	w.deploy()
	return w
}

// deploy deploys the template, or an update of it, with the same queues, table and
// secrets, and with new programs.
func (w *world) deploy() {
	w.t.Helper()
	template, err := templatetest.Read(filepath.Join(root, "template.yaml"))
	if err != nil {
		w.t.Fatal(err)
	}
	place := templatetest.Place{Account: mototest.Account, Region: mototest.Region, StackName: "sessionstamp"}
	if w.stack, err = templatetest.Deploy(template, place, w.given, w.maker); err != nil {
		w.t.Fatal(err)
	}
	functions, err := w.stack.Functions()
	if err != nil {
		w.t.Fatal(err)
	}
	for _, f := range functions {
		w.run(f)
	}
	w.openFront()
}

// run makes a program of a function. It starts with its first invocation, and is
// closed and searched for secrets at the end of the test.
func (w *world) run(f templatetest.Function) {
	if old := w.functions[f.LogicalID]; old != nil {
		old.program.Close()
	}
	sts := ststest.New(ststest.Options{Issuer: issuer, Subject: f.Role})
	w.graph.AddProvider(issuer, sts) // they all have one key
	r := &recorder{mode: w.given["AuthMode"], function: f.LogicalID, accesses: w.seen}
	r.start(w.t, w.cloud.endpoint, sts)
	environment := map[string]string{ // of the place where it runs, and not of the template
		"AWS_ENDPOINT_URL": r.server.URL,
		"HTTPS_PROXY":      w.graph.proxy.URL,
		"SSL_CERT_FILE":    w.graph.certs,
	}
	for name, value := range f.Environment {
		environment[name] = value
	}
	if _, ok := f.Environment["REPLICATION_LAG_SECONDS"]; ok {
		environment["REPLICATION_LAG_SECONDS"] = lagSeconds
	}
	p := lambdatest.New(w.t, lambdatest.Config{
		Path: filepath.Join(programs(w.t), filepath.Base(f.CodeURI)), Name: f.Name, ARN: f.ARN, Environment: environment,
		Timeout: f.Timeout, Memory: f.Memory, LogFormat: f.LogFormat, LogLevel: f.LogLevel, Region: mototest.Region,
	})
	w.functions[f.LogicalID] = &function{Function: f, program: p, recorder: r, sts: sts}
}

// openFront opens the HTTP API at the address that the stack has for it.
func (w *world) openFront() {
	outputs, err := w.stack.Outputs()
	if err != nil {
		w.t.Fatal(err)
	}
	at, err := url.Parse(outputs["NotificationUrl"])
	if err != nil {
		w.t.Fatal(err)
	}
	webhook := w.functions["WebhookFunction"]
	w.graph.notices.connect(&front{host: at.Host, routes: webhook.Routes, program: webhook.program})
}

// poll takes messages from all queues until the test ends.
func (w *world) poll() {
	ctx, cancel := context.WithCancel(w.ctx)
	var polling sync.WaitGroup
	w.t.Cleanup(func() { // before the programs are closed, which was prepared earlier
		cancel()
		polling.Wait()
	})
	for _, p := range w.pollers() {
		polling.Go(func() {
			if err := p.run(ctx); err != nil {
				w.t.Errorf("%s: %v", p.source.LogicalID, err)
			}
		})
	}
}

// pollers are the event sources of the stack.
func (w *world) pollers() []*poller {
	w.t.Helper()
	sources, err := w.stack.EventSources()
	if err != nil {
		w.t.Fatal(err)
	}
	var pollers []*poller
	for _, source := range sources {
		for _, f := range w.functions {
			if f.Name == source.Function {
				pollers = append(pollers, &poller{source: source, queue: w.queueURL(source.Queue), program: f.program,
					as: cloud{f.recorder.server.URL}, admin: w.cloud})
			}
		}
	}
	if len(pollers) != len(sources) {
		w.t.Fatalf("%d of %d event sources lead to a function", len(pollers), len(sources))
	}
	return pollers
}

// pollerOf is the event source of one function.
func (w *world) pollerOf(function string) *poller {
	w.t.Helper()
	for _, p := range w.pollers() {
		if p.program == w.functions[function].program {
			return p
		}
	}
	w.t.Fatalf("no event source leads to %s", function)
	return nil
}

// queueURL is the URL of the queue with an ARN.
func (w *world) queueURL(arn string) string {
	w.t.Helper()
	for _, made := range w.maker.made {
		if made.Attributes["Arn"] == arn {
			return made.Ref
		}
	}
	w.t.Fatalf("no queue is %s", arn)
	return ""
}

// ref is what Ref gives for a resource of the template.
func (w *world) ref(id string) string {
	w.t.Helper()
	ref, err := w.stack.Ref(id)
	if err != nil {
		w.t.Fatal(err)
	}
	return ref
}

// invoke hands an event to a function and returns its answer, decoded.
func (w *world) invoke(id, event string) map[string]any {
	w.t.Helper()
	answer, err := w.functions[id].program.Invoke(w.ctx, []byte(event))
	if err != nil {
		w.t.Fatal(err)
	}
	var decoded map[string]any
	if err := json.Unmarshal(answer, &decoded); err != nil {
		w.t.Fatalf("%s answered %s: %v", id, answer, err)
	}
	return decoded
}

// logged waits until a function has written a record with all those attributes.
func (w *world) logged(id string, attributes map[string]any) map[string]any {
	w.t.Helper()
	record, err := w.functions[id].program.Log().Wait(w.ctx, func(record map[string]any) bool {
		for key, value := range attributes {
			if fmt.Sprint(record[key]) != fmt.Sprint(value) {
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

// subscribe does what CloudFormation does at deployment.
func (w *world) subscribe() {
	w.t.Helper()
	if a := w.customResource("Create", nil); a.Status != "SUCCESS" {
		w.t.Fatalf("CloudFormation was told %+v", a)
	}
}
