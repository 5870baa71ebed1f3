package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/e2e/awstest"
	"github.com/sessionstamp/sessionstamp/shared/aws/mototest"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
)

// A patient is a deployment that has worked for a week, and the person who examines it.
type patient struct {
	*account
	desk   *desk
	doctor way    // how the person signs in to Entra
	token  string // of who makes faults in Entra
	args   []string

	spared, group string // an excluded user, and an excluded group with a member
}

// A fault is made in the world. doctor finds it by its id, and beside it what follows from it.
// Where it promises to, it mends it, else undo does.
type fault struct {
	name, id string
	also     []string
	fixed    bool
	make     func(p *patient) (undo func())
}

// A diagnosis is what doctor -o json prints.
type diagnosis struct {
	Worst    string
	Findings []struct {
		ID, Severity, Problem, Cure, Command string
		Fix                                  bool
	}
	Pieces []struct {
		Piece, Reason, Right, Why string
		Known                     bool
	}
}

// examining is what doctor's person may do in Entra, with --fix.
var examining = []string{"User.Read.All", "Domain.Read.All", "GroupMember.Read.All", "Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All"}

// newPatient deploys with two apps, an excluded user, an excluded group, alarms by e-mail, and
// a key of its own.
func newPatient(t *testing.T) *patient {
	t.Helper()
	p := &patient{account: newAccount(t)}
	tenant := p.graph.tenant
	made := func(role string, permissions []string) *msgraphtest.App {
		return tenant.AddApp(msgraphtest.AppOptions{UniqueName: fmt.Sprintf("sessionstamp-%s-%s-%s-%s", stackName, mototest.Account, mototest.Region, role),
			Permissions: append([]string{"GroupMember.Read.All"}, permissions...)})
	}
	p.graph.reader, p.graph.stamper = made("reader", readerPermissions), made("stamper", stamperPermissions)
	old := time.Now().AddDate(-1, 0, 0)
	p.spared = tenant.AddUser(msgraphtest.NewUser{UPN: "breakglass@" + federated, Created: old, Stamp: &old})
	member := tenant.AddUser(msgraphtest.NewUser{UPN: "robot@" + federated, Created: old, Stamp: &old})
	p.group = groupID("excluded")
	tenant.AddGroup(p.group, member)
	p.desk = p.account.desk(person)
	p.doctor = p.signIn(tenant, examining...)
	p.token = p.desk.token(t, tenant.AddApp(msgraphtest.AppOptions{Secrets: []msgraphtest.Secret{{Text: secret}},
		Permissions: append([]string{"User.DeleteRestore.All", "User.ReadWrite.All"}, administering...)}))
	p.aws.SetFederation(true)
	p.trust()
	status := p.deploy(map[string]string{"ExcludedUsers": p.spared, "ExcludedGroups": p.group, "AlarmsTo": "it@" + federated, "KmsKeyArn": p.key()})
	if _, failures := p.status(); status != "CREATE_COMPLETE" {
		t.Fatalf("the stack is %s: %q", status, failures)
	}
	p.schedule("SweeperSchedule")
	p.schedule("KeeperSchedule")
	p.deployment().created = time.Now().AddDate(0, 0, -7)
	return p
}

// signIn is how an app of a tenant signs in that has these permissions.
func (p *patient) signIn(tenant *msgraphtest.Tenant, permissions ...string) way {
	app := tenant.AddApp(msgraphtest.AppOptions{Permissions: permissions, Secrets: []msgraphtest.Secret{{Text: secret}}})
	return way{env: []string{"AZURE_TENANT_ID=" + tenant.ID(), "AZURE_CLIENT_ID=" + app.ID(), "AZURE_CLIENT_SECRET=" + secret}}
}

// examine runs doctor.
func (p *patient) examine(args ...string) (d diagnosis, status int) {
	p.t.Helper()
	args = slices.Concat([]string{"doctor", "-o", "json"}, p.args, args)
	status, stdout, stderr := p.desk.run(p.t, p.doctor, args...)
	if err := json.Unmarshal([]byte(stdout), &d); err != nil {
		p.t.Fatalf("%s: exit status %d\n%s%s", args, status, stdout, stderr)
	}
	return d, status
}

// ids are those of the findings, in order.
func (d diagnosis) ids() (ids []string) {
	for _, f := range d.Findings {
		ids = append(ids, f.ID)
	}
	slices.Sort(ids)
	return ids
}

// gaps are the pieces that are not known, each with the right that lacks or what failed.
func (d diagnosis) gaps() (gaps []string) {
	for _, piece := range d.Pieces {
		if !piece.Known {
			gaps = append(gaps, strings.TrimSpace(fmt.Sprint(piece.Piece, " ", piece.Right, piece.Why)))
		}
	}
	slices.Sort(gaps)
	return gaps
}

// mustBeWell checks that nothing is found, and that everything was looked at.
func (p *patient) mustBeWell(when string) {
	p.t.Helper()
	d, status := p.examine()
	if gaps := d.gaps(); len(gaps) > 0 || len(d.Findings) > 0 || status != 0 {
		p.t.Errorf("%s, exit status %d: %+v, not known: %q", when, status, d.Findings, gaps)
	}
}

// suffer makes a fault, has it found, and has it mended or undone.
func (p *patient) suffer(t *testing.T, f fault) {
	t.Helper()
	undo := f.make(p)
	d, status := p.examine()
	want := slices.Sorted(slices.Values(append([]string{f.id}, f.also...)))
	if got := d.ids(); !slices.Equal(got, want) {
		t.Errorf("found %q, want %q: %+v", got, want, d.Findings)
	}
	if wrong := map[bool]int{true: 1, false: 0}[d.Worst == "wrong"]; status != wrong {
		t.Errorf("exit status %d where the worst is %q: %v", status, d.Worst, d.gaps())
	}
	ends := "undone"
	if f.fixed {
		ends = "fixed"
		after, status := p.examine("--fix", "--yes")
		if len(after.Findings) > 0 || status != 0 {
			t.Errorf("mended, exit status %d: %+v, not known: %q", status, after.Findings, after.gaps())
		}
	}
	for _, found := range d.Findings {
		if found.Problem == "" || found.Cure == "" || found.ID == f.id && found.Fix != f.fixed {
			t.Errorf("mended: %t, want %t: %+v", found.Fix, f.fixed, found)
		}
		t.Logf("%s | %s (%s) | %s | %s | %s %s", f.name, found.ID, found.Severity, ends, found.Problem, found.Cure, found.Command)
	}
	if !f.fixed {
		undo()
	}
}

// TestDoctor makes faults one by one in a deployment that works. That each was mended or
// undone is seen by the next one, of which only that one is found.
func TestDoctor(t *testing.T) {
	t.Parallel()
	p := newPatient(t)
	unconfirmed := fault{name: "nobody has confirmed the alarms' e-mail", id: "alarms_unconfirmed", make: func(p *patient) func() { return p.aws.Confirm }}
	p.suffer(t, unconfirmed)
	p.mustBeWell("before")
	faults := slices.Concat(machineFaults, entraFaults, permissionFaults(), trustFaults, stackFaults, resourceFaults, alarmFaults(), stateFaults, logFaults)
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) { p.suffer(t, f) })
	}
	p.mustBeWell("afterwards")
	if len(faults) < 40 {
		t.Errorf("%d faults are too few", len(faults))
	}
}

// TestDoctorWithoutRights: who lacks a right is told which, by the name that an administrator
// grants, and nothing is taken for a fault.
func TestDoctorWithoutRights(t *testing.T) {
	t.Parallel()
	p := newPatient(t)
	p.aws.Confirm()
	lacks := func(want ...string) {
		t.Helper()
		d, status := p.examine()
		if got := d.gaps(); !slices.Equal(got, want) || len(d.Findings) > 0 || status != 0 {
			t.Errorf("exit status %d: %q, want %q: %+v", status, got, want, d.Findings)
		}
	}
	allow := p.aws.Forbid(awstest.Actions("iam:*", "lambda:GetFunctionConfiguration", "lambda:GetEventSourceMapping", "sqs:*", "kms:*",
		"dynamodb:DescribeTable", "secretsmanager:*", "cloudwatch:DescribeAlarms", "sns:*", "dynamodb:GetItem", "logs:*").By(person))
	lacks("alarms cloudwatch:DescribeAlarms", "attention logs:FilterLogEvents", "brake dynamodb:GetItem", "front logs:FilterLogEvents",
		"functions lambda:GetFunctionConfiguration", "issuer iam:GetOutboundWebIdentityFederationInfo", "keeper dynamodb:GetItem", "key kms:DescribeKey",
		"queue sqs:GetQueueAttributes", "receivers sns:ListSubscriptionsByTopic", "secrets secretsmanager:DescribeSecret",
		"signal_queue sqs:GetQueueAttributes", "signal_secrets secretsmanager:ListSecrets", "signals dynamodb:GetItem", "sweep dynamodb:GetItem",
		"switches lambda:GetEventSourceMapping", "table dynamodb:DescribeTable", "traffic logs:FilterLogEvents")
	allow()
	allow = p.aws.Forbid(awstest.Actions("lambda:GetFunctionConcurrency", "scheduler:*", "dynamodb:DescribeContinuousBackups", "cloudwatch:GetMetricData").By(person))
	lacks("front cloudwatch:GetMetricData", "functions lambda:GetFunctionConcurrency", "queue cloudwatch:GetMetricData", "switches scheduler:GetSchedule",
		"table dynamodb:DescribeContinuousBackups", "traffic cloudwatch:GetMetricData")
	allow()
	for right, gaps := range map[string][]string{
		"User.Read.All": {"excluded", "users User.Read.All"}, "Domain.Read.All": {"domains Domain.Read.All", "excluded", "users Domain.Read.All"},
		"GroupMember.Read.All": {"excluded GroupMember.Read.All"}, "Application.ReadWrite.All": {"reader Application.Read.All", "stamper Application.Read.All"},
	} {
		p.doctor = p.signIn(p.graph.tenant, without(examining, right)...)
		lacks(gaps...)
	}
}

// administer calls Graph for who makes faults, and returns the answer.
func (p *patient) administer(method, path string, body any) object {
	p.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		p.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(p.ctx, method, "https://graph.microsoft.com/v1.0"+path, strings.NewReader(string(text)))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header = http.Header{"Authorization": {"Bearer " + p.token}, "Content-Type": {"application/json"}, "Prefer": {"create-if-missing"}}
	resp, err := p.graph.RoundTrip(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer := make(object)
	_ = json.NewDecoder(resp.Body).Decode(&answer) // 204 has none
	if resp.StatusCode >= http.StatusMultipleChoices {
		p.t.Fatalf("%s %s: %s %v", method, path, resp.Status, answer)
	}
	return answer
}

// call, ask and put call AWS for the person who administers it.
func (p *patient) call(target string, in object) (out object) {
	p.t.Helper()
	out = make(object)
	if err := p.as(person).call(p.ctx, target, in, &out); err != nil {
		p.t.Fatal(err)
	}
	return out
}

func (p *patient) ask(service, action string, in object) {
	p.t.Helper()
	if err := p.rollout().query(service, action, in, nil); err != nil {
		p.t.Fatal(err)
	}
}

func (p *patient) put(service, path string, in any) {
	p.t.Helper()
	if _, err := p.rollout().rest(service, http.MethodPut, path, in); err != nil {
		p.t.Fatal(err)
	}
}

func (p *patient) rollout() *rollout { return &rollout{formation: p.formation, caller: person} }

// key makes a KMS key.
func (p *patient) key() string {
	p.t.Helper()
	metadata, _ := p.call("TrentService.CreateKey", object{})["KeyMetadata"].(object)
	return fmt.Sprint(metadata["Arn"])
}

// deployment is the stack as CloudFormation has it.
func (p *patient) deployment() *deployment { return p.formation.stacks[0] }

// parameter gives the stack another value of a parameter.
func (p *patient) parameter(name, value string) (undo func()) {
	d := p.deployment()
	before := d.stack.given[name]
	d.stack.given[name] = value
	return func() { d.stack.given[name] = before }
}

// lost has a resource be what there is not.
func (p *patient) lost(id, physical string) (undo func()) {
	made := p.deployment().stack.made
	before, was := made[id]
	made[id] = physical
	return func() {
		if delete(made, id); was {
			made[id] = before
		}
	}
}

// becomes gives the stack a status.
func (p *patient) becomes(status, reason string) (undo func()) {
	d := p.deployment()
	before, events := d.status, d.events
	d.turn(strings.SplitN(status, "_", 2)[0]+"_IN_PROGRESS", "User Initiated")
	d.tell("Table", "table", "AWS::DynamoDB::Table", "UPDATE_FAILED", reason)
	d.turn(status, "")
	return func() { d.status, d.events = before, events }
}

// function changes one as Lambda has it.
func (p *patient) function(id string, change func(*awstest.Function)) (undo func()) {
	name := p.stack.ref(id)
	before := p.lambda.Function(name)
	after := *before
	after.Configuration = maps.Clone(before.Configuration)
	change(&after)
	p.lambda.Put(name, &after)
	return func() { p.lambda.Put(name, before) }
}

// record changes the document of keeper, sweep or brake in the table.
func (p *patient) record(name string, change func(doc object)) (undo func()) {
	key := object{"pk": object{"S": p.graph.tenant.ID() + "#" + name}}
	table := p.stack.ref("Table")
	read := func() object {
		item, _ := p.call("DynamoDB_20120810.GetItem", object{"TableName": table, "Key": key})["Item"].(object)
		return item
	}
	write := func(item object) { p.call("DynamoDB_20120810.PutItem", object{"TableName": table, "Item": item}) }
	before, item := read(), read()
	if change == nil {
		p.call("DynamoDB_20120810.DeleteItem", object{"TableName": table, "Key": key})
		return func() { write(before) }
	}
	change(item["doc"].(object)["M"].(object))
	write(item)
	return func() { write(before) }
}

// at is a moment in the table.
func at(ago time.Duration) object {
	return object{"S": time.Now().Add(-ago).UTC().Format(time.RFC3339Nano)}
}

// writes lets a function write lines to its log; undoing empties it.
func (p *patient) writes(id string, lines ...object) (undo func()) {
	for _, line := range lines {
		text, _ := json.Marshal(line) //nolint:errchkjson // texts and numbers
		_, _ = p.functions[id].program.Log().Write(append(text, '\n'))
	}
	return func() { p.renew(id) }
}

// renew starts a function afresh, with an empty log.
func (p *patient) renew(id string) {
	for _, mapping := range p.stack.sources(id) {
		p.setPolling(mapping, false)
	}
	p.run(id)
	p.function(id, func(f *awstest.Function) { f.Program = p.functions[id].program })
	for _, mapping := range p.stack.sources(id) {
		p.setPolling(mapping, true)
	}
	p.open()
}
