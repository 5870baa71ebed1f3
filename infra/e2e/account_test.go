package e2e

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/sessionstamp/sessionstamp/infra/e2e/awstest"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/access"
	"github.com/sessionstamp/sessionstamp/shared/aws/mototest"
	"github.com/sessionstamp/sessionstamp/shared/aws/ststest"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
)

// person is who administers the account unless a test says otherwise.
const person = "arn:aws:sts::" + mototest.Account + ":assumed-role/Administrator/tanaka"

// An account is a world in which nothing is deployed yet. Whoever deploys calls AWS, as
// SAM and the command do, with the environment that [account.environment] gives. The
// functions of the stack then run by themselves: notifications and the queue reach them.
// Only schedules don't start anything: see [world.schedule].
type account struct {
	*world
	lambda    *awstest.Lambda
	formation *formation

	polling map[string]func() // ends the polling of a queue, by the logical id of the mapping
}

// newAccount makes an empty account, and a tenant whose app trusts nobody yet.
func newAccount(t *testing.T) *account {
	t.Helper()
	return newAccountAt(t, newGraph(t, msgraphtest.Options{}))
}

func newAccountAt(t *testing.T, g *graph) *account {
	t.Helper()
	programs(t)                                                 // which may take minutes, once
	ctx, cancel := context.WithTimeout(t.Context(), 3*patience) // SAM takes its time
	t.Cleanup(cancel)
	moto := mototest.Start(t)
	w := &world{t: t, ctx: ctx, cloud: cloud{endpoint: moto}, graph: g, grants: new(grants),
		functions: make(map[string]*function), answers: make(chan cfnAnswer, 1), aws: awstest.New(t, moto, issuer)}
	w.responses = httptest.NewServer(http.HandlerFunc(w.takeAnswer))
	t.Cleanup(w.responses.Close)
	w.graph.AddProvider(issuer, ststest.New(ststest.Options{Issuer: issuer}))
	a := &account{world: w, lambda: awstest.NewLambda(w.aws), polling: make(map[string]func())}
	t.Cleanup(a.lambda.Wait)
	a.lambda.Switched = func(uuid string, on bool) {
		for _, mapping := range a.stack.resources("AWS::Lambda::EventSourceMapping") {
			if a.stack.ref(mapping) == uuid {
				a.setPolling(mapping, on)
			}
		}
	}
	a.formation = newFormation(a)
	return a
}

// limit lets whoever has the ARN do what a policy allows and nothing else, and fails the test
// where the policy is too small for what is done. Who one is, everybody may ask
// (https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html).
func (a *account) limit(arn string, policy func(access.Place) access.Policy) {
	may := policy(access.Place{Partition: "aws", Region: mototest.Region, Account: mototest.Account, Stack: stackName})
	a.aws.Forbid(func(c awstest.Call) bool {
		if c.Caller != arn || c.Action == "sts:GetCallerIdentity" || may.Allows(c.Action, c.Resource) {
			return false
		}
		a.t.Errorf("%s is in need of %s on %s", arn, c.Action, c.Resource)
		return true
	})
}

// trust makes the app of the tenant trust the roles that a stack of this name will have.
func (a *account) trust() {
	a.world.trust(imagined(a.t, nil))
}

// environment is what points a program to the account, as whoever has the ARN.
func (a *account) environment(arn string) []string {
	return []string{"AWS_ENDPOINT_URL=" + a.aws.URL(), "AWS_REGION=" + mototest.Region, "AWS_DEFAULT_REGION=" + mototest.Region,
		"AWS_ACCESS_KEY_ID=" + a.aws.AccessKey(arn), "AWS_SECRET_ACCESS_KEY=no-secret", "AWS_SESSION_TOKEN=no-token"}
}

// desk is one in this account's tenant, whose person has the rights of the ARN in the account
// too, and SAM.
func (a *account) desk(arn string) *desk {
	a.t.Helper()
	d := newDeskAt(a.t, a.graph)
	d.env = append(a.environment(arn), samSettings...)
	d.script(a.t, "sam", "exec "+samProgram(a.t)+` "$@"`)
	return d
}

// samSettings keep SAM quiet and quick. At pypi.org it asks for its newest version.
var samSettings = []string{"SAM_CLI_TELEMETRY=0", "SAM_CLI_POLL_DELAY=0.1", "PYTHONWARNINGS=ignore", "NO_PROXY=pypi.org"}

func samProgram(t *testing.T) string {
	t.Helper()
	program, err := filepath.Abs(filepath.Join(root, ".venv/bin/sam"))
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// deploy makes the stack, or changes it, as SAM does but in a moment: nothing is uploaded. It returns the stack's status.
func (a *account) deploy(parameters map[string]string) (status string) {
	a.t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "template.yaml"))
	if err != nil {
		a.t.Fatal(err)
	}
	given := []any{}
	for name, v := range a.settings(parameters) {
		given = append(given, object{"ParameterKey": name, "ParameterValue": v})
	}
	kind := "CREATE"
	if status, _ := a.status(); status != "" && status != "DELETE_COMPLETE" {
		kind = "UPDATE"
	}
	set := object{"StackName": stackName, "ChangeSetName": "s" + uuid.NewString()}
	create := maps.Clone(set)
	maps.Copy(create, object{"ChangeSetType": kind, "TemplateBody": string(text), "Parameters": given, "Capabilities": []any{"CAPABILITY_NAMED_IAM"}})
	r := &rollout{formation: a.formation, caller: person}
	if err := errors.Join(r.query("cloudformation", "CreateChangeSet", create, nil), r.query("cloudformation", "ExecuteChangeSet", set, nil)); err != nil {
		a.t.Fatal(err)
	}
	a.formation.running.Wait()
	status, _ = a.status()
	return status
}

// settings are parameters with those that every stack here has.
func (a *account) settings(parameters map[string]string) map[string]string {
	all := map[string]string{"TenantId": a.graph.tenant.ID(), "ClientId": a.graph.reader.ID(), "StamperClientId": a.graph.stamper.ID()}
	maps.Copy(all, parameters)
	return all
}

// remove deletes the stack and waits until that is done. It returns the stack's status.
func (a *account) remove() (status string) {
	a.t.Helper()
	r := &rollout{formation: a.formation, caller: person}
	if err := r.query("cloudformation", "DeleteStack", object{"StackName": stackName}, nil); err != nil {
		a.t.Fatal(err)
	}
	a.formation.running.Wait()
	status, _ = a.status()
	return status
}

// status is that of the stack, "" if there never was one, with the reasons of what failed
// in it, the last one first.
func (a *account) status() (status string, failures []string) {
	a.formation.mu.Lock()
	defer a.formation.mu.Unlock()
	for _, d := range a.formation.stacks {
		if d.name != stackName {
			continue
		}
		status, failures = d.status, nil
		for _, e := range d.events {
			if reason, _ := e.(object)["ResourceStatusReason"].(string); strings.HasSuffix(e.(object)["ResourceStatus"].(string), "_FAILED") {
				failures = append(failures, reason)
			}
		}
	}
	return status, failures
}

// setPolling lets an event source hand messages over, or stops it. What it is at, it
// ends: moto would give a message to a receiver that has gone.
func (a *account) setPolling(mapping string, on bool) {
	if end := a.polling[mapping]; end != nil {
		end()
	}
	delete(a.polling, mapping)
	if !on || a.functions[a.stack.named(mapping, "FunctionName")] == nil {
		return
	}
	stop := make(chan struct{})
	var polling sync.WaitGroup
	end := sync.OnceFunc(func() {
		close(stop)
		polling.Wait()
	})
	a.polling[mapping] = end
	a.t.Cleanup(end) // before the programs are closed, which was prepared earlier
	p := a.newPoller(mapping)
	polling.Go(func() {
		for !closed(stop) && a.ctx.Err() == nil {
			if err := p.once(a.ctx); err != nil && a.ctx.Err() == nil {
				a.t.Errorf("poll: %v", err)
				return
			}
		}
	})
}

func closed(stop <-chan struct{}) bool {
	select {
	case <-stop:
		return true
	default:
		return false
	}
}
