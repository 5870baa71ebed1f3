package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/goldentest"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/shared/aws/account"
	"github.com/sessionstamp/sessionstamp/shared/aws/stack"
	"github.com/sessionstamp/sessionstamp/shared/aws/stack/stacktest"
	"github.com/sessionstamp/sessionstamp/shared/aws/store"
	"github.com/sessionstamp/sessionstamp/shared/keeper"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/state"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

const aUser = "7451c5fa-53ca-4c4f-a6e1-0d55712f85c8"

// A deployed is a deployment that has run for weeks, and is in the table as the functions
// write it.
type deployed struct {
	*stacktest.Deployment

	table  *store.Table
	brake  stamp.BrakeState
	keeper keeper.Record
	sweep  sweep.Checkpoint
}

func deploy(t *testing.T) *deployed {
	t.Helper()
	d := &deployed{
		Deployment: stacktest.New(t),
		brake:      stamp.BrakeState{Hours: map[int64]int{at.Add(-2 * time.Hour).Truncate(time.Hour).Unix(): 14}, Members: 3021},
		keeper:     keeper.Record{ID: "s", Expires: at.Add(25 * 24 * time.Hour)},
		sweep:      sweep.Checkpoint{Counts: sweep.Counts{Members: 3021, Unstamped: 2}},
	}
	var err error
	if d.table, err = d.find(t).Table(); err != nil {
		t.Fatal(err)
	}
	d.Requests = stack.Waiting{Visible: 1, Delayed: 3}
	for logical := range alarms {
		d.Resources[logical] = "sessionstamp-" + logical
		d.Alarms = append(d.Alarms, stack.Alarm{Name: "sessionstamp-" + logical, State: "OK", Since: at.Add(-time.Hour)})
	}
	d.log("SweeperFunction", -20*time.Minute, map[string]any{"message": "users swept", "report": sweep.Report{Kind: sweep.KindIncrement, Finished: true}})
	for i, r := range []struct {
		source stamp.Source
		reason stamp.Reason
		after  float64
	}{
		{stamp.SourceNotification, stamp.ReasonCalled, 13.4}, {stamp.SourceNotification, stamp.ReasonReadBack, 0},
		{stamp.SourceSweep, stamp.ReasonCalled, 2700}, {stamp.SourcePerson, stamp.ReasonCalled, 9e6}, {stamp.SourcePerson, stamp.ReasonStillEmpty, 0},
	} {
		record := map[string]any{"message": "user handled", "user": strings.Replace(aUser, "7451", []string{"7451", "7451", "8888", "9999", "9999"}[i], 1), "source": r.source, "reason": r.reason}
		if r.after > 0 {
			record["creation_to_call_s"] = r.after
		}
		d.log("StamperFunction", time.Duration(i-50)*time.Hour, record)
	}
	return d
}

func (d *deployed) log(function string, ago time.Duration, record map[string]any) {
	text, err := json.Marshal(record)
	if err != nil {
		d.T.Fatal(err)
	}
	d.Logs[function] = append(d.Logs[function], stack.Record{At: at.Add(ago), Message: string(text)})
}

// ring lets an alarm ring.
func (d *deployed) ring(logical string) {
	for i, a := range d.Alarms {
		if a.Name == "sessionstamp-"+logical {
			d.Alarms[i].State = "ALARM"
		}
	}
}

// play runs the command at the deployment. Orders do what the sweeper does with the brake.
func (d *deployed) play(t *testing.T, change func(*program), args ...string) (status int, stdout, stderr string) {
	t.Helper()
	d.write(t)
	brake := stamp.NewBrake(store.NewState[stamp.BrakeState](d.table, store.NameBrake), 0)
	if tenant := d.Parameters["TenantId"]; d.Sweep == nil {
		d.Sweep = func(o sweep.Order) (r sweep.Report, err error) {
			r = sweep.Report{Tenant: tenant, Finished: true}
			switch o {
			case sweep.OrderPause:
				err = brake.Pause(t.Context(), tenant, at)
			case sweep.OrderResume:
				err = brake.Resume(t.Context(), tenant)
			case sweep.OrderRelease:
				err = brake.Release(t.Context(), tenant, at)
			default:
				err = errors.New("nobody expects " + string(o))
			}
			return r, err
		}
	}
	return play(t.Context(), func(p *program) {
		p.AWS, p.Env, p.Out.Live = d, stacktest.Env, true
		if change != nil {
			change(p)
		}
	}, args...)
}

func (d *deployed) find(t *testing.T) *stack.Stack {
	t.Helper()
	a, err := account.Open(t.Context(), account.Options{Env: stacktest.Env, Transport: d})
	if err != nil {
		t.Fatal(err)
	}
	s, err := stack.Find(t.Context(), a, "sessionstamp")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (d *deployed) write(t *testing.T) {
	t.Helper()
	tenant := d.Parameters["TenantId"]
	save(t, d.table, store.NameBrake, tenant, d.brake)
	save(t, d.table, store.NameKeeper, tenant, d.keeper)
	save(t, d.table, store.NameSweep, tenant, d.sweep)
}

func save[T any](t *testing.T, table *store.Table, name, tenant string, doc T) {
	t.Helper()
	if _, err := store.NewState[T](table, name).Save(t.Context(), tenant, state.Item[T]{Doc: doc}); err != nil {
		t.Fatal(err)
	}
}

func paused11(d *deployed) { d.brake.Paused = at.Add(-11 * time.Hour) }

func reached(d *deployed) {
	d.brake.Reached = at.Add(-time.Hour)
	d.brake.Hours[at.Add(-time.Hour).Truncate(time.Hour).Unix()] = 590
}

// reports answers with a report.
func reports(r sweep.Report) func(*deployed) {
	return func(d *deployed) { d.Sweep = func(sweep.Order) (sweep.Report, error) { return r, nil } }
}

func answers(text string) func(*program) {
	return func(p *program) { p.Person, p.Stdin = true, strings.NewReader(text) }
}

var fullRound = sweep.Report{Kind: sweep.KindFull, Finished: true, Queued: 2, Counts: sweep.Counts{Members: 3021, Unstamped: 412, Existing: 410}, UnmatchedExclusions: []string{"svc-*@example.com"}}

var previewed = sweep.Report{Kind: sweep.KindPreview, Finished: true, Counts: sweep.Counts{Members: 3021, Unstamped: 412, Existing: 410}, Reasons: map[stamp.Reason]*sweep.Group{
	stamp.ReasonNew:          {Count: 2, Domains: map[string]int{"example.co.jp": 2}},
	stamp.ReasonExisting:     {Count: 410, Domains: map[string]int{"example.co.jp": 400, "tokyo.example.co.jp": 10}},
	stamp.ReasonStamped:      {Count: 2609, Domains: map[string]int{"example.co.jp": 2000, "tokyo.example.co.jp": 500, "osaka.example.co.jp": 100, "x.example.co.jp": 9}},
	stamp.ReasonNotFederated: {Count: 12, Domains: map[string]int{"contoso.onmicrosoft.com": 12}},
}}

// TestDeployed: each screen of a verb that needs a deployment, well and unwell.
func TestDeployed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args   string
		is     func(*deployed)
		person func(*program)
		status int
	}{
		"status": {"status", nil, nil, fine},
		"status-wrong": {"status", func(d *deployed) {
			paused11(d)
			reached(d)
			d.ring("SweepAlarm")
			d.Dead.Visible, d.Sums[missed], d.sweep.Counts = 3, 2, fullRound.Counts
		}, nil, wrong},
		"status-failed": {"status", func(d *deployed) {
			d.Status = "ROLLBACK_COMPLETE"
			d.Events = []stacktest.Event{
				{Status: "CREATE_IN_PROGRESS"},
				{Logical: "Subscription", Status: "CREATE_FAILED", Reason: "Received response status [FAILED] from custom resource. Message returned: Entra refused: grant User.Read.All (RequestId: 1-2)"},
				{Logical: "Table", Status: "CREATE_FAILED", Reason: "Resource creation cancelled"},
				{Status: "ROLLBACK_IN_PROGRESS", Reason: "The following resource(s) failed to create: [Subscription, Table]."},
			}
		}, nil, wrong},
		"status-observes": {"status", func(d *deployed) { d.Parameters["DryRun"] = "true" }, nil, fine},
		"status-fresh": {"status", func(d *deployed) {
			d.Created, d.sweep, d.Logs["SweeperFunction"] = at.Add(-10*time.Minute).Format(time.RFC3339), sweep.Checkpoint{}, nil
		}, nil, fine},
		"status-sweeping":    {"status", func(d *deployed) { d.sweep.FullStarted = at.Add(-time.Minute) }, nil, fine},
		"help-status":        {"status --help", nil, nil, fine},
		"help-release":       {"release --help", nil, nil, fine},
		"help-sweep":         {"sweep --help", nil, nil, fine},
		"history-stack":      {"history --stack sessionstamp", nil, nil, fine},
		"history-stack-none": {"history 00000000-53ca-4c4f-a6e1-0d55712f85c8 --stack sessionstamp --since 2d", nil, nil, fine},
		"pause":              {"pause", nil, nil, fine},
		"pause-again":        {"pause", paused11, nil, fine},
		"resume":             {"resume", paused11, nil, fine},
		"resume-braked":      {"resume --region " + stacktest.Region, func(d *deployed) { paused11(d); reached(d) }, nil, fine},
		"resume-nothing":     {"resume", nil, nil, fine},
		"release":            {"release", reached, answers("y\n"), fine},
		"release-no":         {"release", reached, answers("n\n"), wrong},
		"release-paused":     {"release --yes", func(d *deployed) { paused11(d); reached(d) }, nil, fine},
		"release-nothing":    {"release --yes", nil, nil, fine},
		"release-unasked":    {"release", reached, nil, wrongUse},
		"sweep":              {"sweep", reports(fullRound), nil, fine},
		"sweep-cut":          {"sweep", reports(sweep.Report{Kind: sweep.KindFull, Causes: []sweep.Cause{sweep.CauseOutOfTime}, Counts: sweep.Counts{Members: 9}}), nil, fine},
		"sweep-paused":       {"sweep", reports(sweep.Report{Kind: sweep.KindFull, Causes: []sweep.Cause{sweep.CausePaused}}), nil, wrong},
		"sweep-preview":      {"sweep --preview", reports(previewed), nil, fine},
	} {
		for _, l := range languages() {
			t.Run(name+"."+string(l), func(t *testing.T) {
				t.Parallel()
				d := deploy(t)
				if c.is != nil {
					c.is(d)
				}
				status, stdout, stderr := d.play(t, c.person, append(strings.Fields(c.args), "--lang", string(l))...)
				if status != c.status {
					t.Errorf("exit status %d, want %d", status, c.status)
				}
				if strings.HasSuffix(stderr, "] ") {
					stderr += "\n" // which the person types
				}
				goldentest.Compare(t, "deployed-"+name+"."+string(l)+".txt", stderr+stdout)
				checkScreen(t, stderr+stdout)
				if l == language.English && stdout != "" && !strings.HasPrefix(name, "help") {
					d.goOn(t, stdout)
				}
			})
		}
	}
}

// goOn runs the commands that a screen ends with: none may be refused as wrong use.
func (d *deployed) goOn(t *testing.T, text string) {
	t.Helper()
	_, end, found := strings.Cut(text, "Next: ")
	if !found {
		t.Error("the screen does not say how to go on")
	}
	for _, line := range strings.Split(end, "\n") {
		command, is := strings.CutPrefix(strings.TrimSpace(line), "sessionstamp ")
		command, _, _ = strings.Cut(command, "  ")
		if !is || strings.Contains(command, "--names") || strings.HasPrefix(command, "setup") { // which sign in to Entra
			continue
		}
		if status, _, stderr := d.play(t, answers("n\n"), strings.Fields(command)...); status == wrongUse {
			t.Errorf("%q: %s", command, stderr)
		}
	}
}

// TestDeployedContracts: programs read JSON and CSV.
func TestDeployedContracts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args string
		is   func(*deployed)
	}{
		"status.json":  {"status -o json", paused11},
		"status.csv":   {"status -o csv", reached},
		"pause.json":   {"pause -o json", nil},
		"release.csv":  {"release --yes -o csv", reached},
		"preview.json": {"sweep --preview -o json", reports(previewed)},
		"preview.csv":  {"sweep --preview -o csv", reports(previewed)},
		"history.json": {"history " + aUser + " --stack sessionstamp -o json", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var said [2]string
			for i, l := range languages() {
				d := deploy(t)
				if c.is != nil {
					c.is(d)
				}
				_, said[i], _ = d.play(t, nil, append(strings.Fields(c.args), "--lang", string(l))...)
			}
			if said[0] != said[1] {
				t.Errorf("it depends on the language")
			}
			goldentest.Compare(t, "deployed-"+name, said[0])
		})
	}
}

// TestOrders: an order that changes something is given once, and the table has changed.
// Where nothing would change nobody is asked, and no order is given.
func TestOrders(t *testing.T) {
	t.Parallel()
	for args, c := range map[string]struct {
		is     func(*deployed)
		orders int
		after  func(stamp.BrakeState) bool
	}{
		"pause":                   {nil, 1, func(b stamp.BrakeState) bool { return b.Paused.Equal(at) }},
		"pause --lang ja":         {func(d *deployed) { d.Status = "UPDATE_ROLLBACK_FAILED" }, 1, func(b stamp.BrakeState) bool { return b.Paused.Equal(at) }},
		"pause --lang en":         {paused11, 0, func(b stamp.BrakeState) bool { return b.Paused.Equal(at.Add(-11 * time.Hour)) }},
		"resume":                  {paused11, 1, func(b stamp.BrakeState) bool { return b.Paused.IsZero() }},
		"release --yes":           {reached, 1, func(b stamp.BrakeState) bool { return b.Reached.IsZero() && b.Taken(at) == 0 }},
		"release --yes --lang en": {nil, 0, func(b stamp.BrakeState) bool { return b.Taken(at) == 14 }},
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			d := deploy(t)
			if c.is != nil {
				c.is(d)
			}
			status, _, stderr := d.play(t, nil, strings.Fields(args)...)
			orders := strings.Count(strings.Join(d.Calls(), " "), "lambda:InvokeFunction")
			is, err := d.find(t).Memory(t.Context())
			if err != nil || status != fine || orders != c.orders || !c.after(is.Brake) {
				t.Errorf("exit status %d, %d orders, %+v, %v, %s", status, orders, is.Brake, err, stderr)
			}
		})
	}
}

// TestDeploymentTroubles: each says what to do next.
func TestDeploymentTroubles(t *testing.T) { //nolint:funlen // a table
	t.Parallel()
	without := func(names ...string) func(*program) {
		return func(p *program) {
			p.Env = func(name string) string {
				for _, n := range names {
					if strings.HasPrefix(name, n) {
						return ""
					}
				}
				return stacktest.Env(name)
			}
		}
	}
	profile := func(p *program) {
		p.Env = func(name string) string {
			if name == "AWS_CONFIG_FILE" {
				return "testdata/aws-config"
			}
			return map[string]string{"AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "HOME": t.TempDir()}[name]
		}
	}
	for name, c := range map[string]struct {
		args   string
		is     func(*deployed)
		change func(*program)
		status int
		says   string
	}{
		"no region":        {"status", nil, without("AWS_REGION"), wrongUse, "--region"},
		"no profile":       {"status --profile nobody", nil, nil, wrong, "list-profiles"},
		"session expired":  {"status --profile sso", nil, profile, wrong, "aws sso login --profile sso"},
		"token expired":    {"status", func(d *deployed) { d.Refuse["sts:GetCallerIdentity"] = "ExpiredToken" }, nil, wrong, "aws sso login"},
		"unknown key":      {"status", func(d *deployed) { d.Refuse["sts:GetCallerIdentity"] = "InvalidClientTokenId" }, nil, wrong, "does not know your credentials"},
		"no right":         {"pause", func(d *deployed) { d.Refuse["lambda:InvokeFunction"] = "AccessDeniedException" }, nil, wrong, "lambda:InvokeFunction"},
		"no right to read": {"status", func(d *deployed) { d.Refuse["cloudwatch:DescribeAlarms"] = "AccessDenied" }, nil, wrong, "cloudwatch:DescribeAlarms"},
		"no stack":         {"status --stack other", nil, nil, wrongUse, "are: sessionstamp."},
		"no stack at all":  {"status", func(d *deployed) { d.Name = "" }, nil, wrong, "region from AWS_REGION"},
		"foreign stack":    {"status", func(d *deployed) { d.Description = "a shop" }, nil, wrongUse, "not one of sessionstamp's"},
		"not serving":      {"resume", func(d *deployed) { d.Status = "CREATE_IN_PROGRESS" }, nil, wrong, "CREATE_IN_PROGRESS"},
		"not whole":        {"pause", func(d *deployed) { delete(d.Resources, "SweeperFunction") }, nil, wrong, "SweeperFunction"},
		"function failed": {"sweep", func(d *deployed) {
			d.Sweep = func(sweep.Order) (sweep.Report, error) { return sweep.Report{}, errors.New("grant User.Read.All") }
		}, nil, wrong, "Sweeper failed: grant User.Read.All"},
		"no table":        {"status", func(d *deployed) { d.Refuse["dynamodb:GetItem"] = "ResourceNotFoundException" }, nil, wrong, "not whole (DynamoDB GetItem: "},
		"another refusal": {"status --lang ja", func(d *deployed) { d.Refuse["cloudwatch:DescribeAlarms"] = "ValidationError" }, nil, wrong, "拒否しました (CloudWatch DescribeAlarms: ValidationError)"},
		"no such region":  {"status --region tokyo", nil, nil, wrongUse, "does not take \"tokyo\""},
		"demonstration":   {"status --demo", nil, nil, wrongUse, "no deployment"},
		"place alone":     {"why a@example.com --region us-west-2", nil, nil, wrongUse, "--region goes with --stack"},
		"since alone":     {"history --since 3d", nil, nil, wrongUse, "--stack"},
		"orders of stack": {"history --orders --stack x", nil, nil, wrongUse, "--orders"},
		"no answer": {"pause", nil, func(p *program) {
			through := p.AWS
			p.AWS = roundTripper(func(r *http.Request) (*http.Response, error) {
				if strings.HasSuffix(r.URL.Path, "/invocations") {
					return nil, errors.New("reset")
				}
				return through.RoundTrip(r)
			})
		}, wrong, "may have been carried out"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := deploy(t)
			if c.is != nil {
				c.is(d)
			}
			status, stdout, stderr := d.play(t, c.change, strings.Fields(c.args)...)
			if said := strings.Join(strings.Fields(stderr), " "); status != c.status || stdout != "" || !strings.Contains(said, c.says) {
				t.Errorf("exit status %d, want %d; %q, want %q; %s", status, c.status, said, c.says, stdout)
			}
		})
	}
}
