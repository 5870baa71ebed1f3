package main

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/goldentest"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/shared/aws/stack/stacktest"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

// TestDeployed: each screen of a verb that needs a deployment, well and unwell.
func TestDeployed(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]deployedScreen{
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
		"status-sweeping": {"status", func(d *deployed) { d.sweep.FullStarted = at.Add(-time.Minute) }, nil, fine},
		"status-signals":  {"status", signalled, nil, wrong},
		"status-reports": {"status", func(d *deployed) {
			told(d)
			delete(d.signal.Sources, "b")
		}, nil, fine},
		"history-told": {"history --stack sessionstamp --signals", told, nil, fine},
		"history-told-one": {"history " + strings.Replace(aUser, "7451", "1002", 1) + " --stack sessionstamp --signals", func(d *deployed) {
			told(d)
			delete(d.signal.Sources, "b")
			d.Parameters["SignalMode"] = "enforce"
		}, nil, fine},
		"history-waits":           {"history --stack sessionstamp --signals", waiting, nil, fine},
		"history-told-none":       {"history --stack sessionstamp --signals --since 2d", signalled, nil, fine},
		"release-signals":         {"release --signals", signalled, answers("y\n"), fine},
		"release-signals-nothing": {"release --signals --yes", nil, nil, fine},
		"release-other":           {"release --yes", signalled, nil, fine},
		"resume-signals":          {"resume", func(d *deployed) { paused11(d); signalled(d) }, nil, fine},
		"history-signals":         {"history --stack sessionstamp --since 1d", reported, nil, fine},
		"help-status":             {"status --help", nil, nil, fine},
		"help-release":            {"release --help", nil, nil, fine},
		"help-sweep":              {"sweep --help", nil, nil, fine},
		"history-stack":           {"history --stack sessionstamp", nil, nil, fine},
		"history-stack-none":      {"history 00000000-53ca-4c4f-a6e1-0d55712f85c8 --stack sessionstamp --since 2d", nil, nil, fine},
		"pause":                   {"pause", nil, nil, fine},
		"pause-again":             {"pause", paused11, nil, fine},
		"resume":                  {"resume", paused11, nil, fine},
		"resume-braked":           {"resume --region " + stacktest.Region, func(d *deployed) { paused11(d); reached(d) }, nil, fine},
		"resume-nothing":          {"resume", nil, nil, fine},
		"release":                 {"release", reached, answers("y\n"), fine},
		"release-no":              {"release", reached, answers("n\n"), wrong},
		"release-paused":          {"release --yes", func(d *deployed) { paused11(d); reached(d) }, nil, fine},
		"release-nothing":         {"release --yes", nil, nil, fine},
		"release-unasked":         {"release", reached, nil, wrongUse},
		"release-signals-unasked": {"release --signals", signalled, nil, wrongUse},
		"sweep":                   {"sweep", reports(fullRound), nil, fine},
		"sweep-cut":               {"sweep", reports(sweep.Report{Kind: sweep.KindFull, Causes: []sweep.Cause{sweep.CauseOutOfTime}, Counts: sweep.Counts{Members: 9}}), nil, fine},
		"sweep-paused":            {"sweep", reports(sweep.Report{Kind: sweep.KindFull, Causes: []sweep.Cause{sweep.CausePaused}}), nil, wrong},
		"sweep-preview":           {"sweep --preview", reports(previewed), nil, fine},
	} {
		for _, l := range languages() {
			t.Run(name+"."+string(l), func(t *testing.T) {
				t.Parallel()
				s.check(t, name, l)
			})
		}
	}
}

// A deployedScreen is what a verb shows of a deployment, after is has changed it.
type deployedScreen struct {
	args   string
	is     func(*deployed)
	person func(*program)
	status int
}

// check compares the screen with its golden file, and follows where it leads to.
func (s deployedScreen) check(t *testing.T, name string, l language.Language) {
	t.Helper()
	d := deploy(t)
	if s.is != nil {
		s.is(d)
	}
	status, stdout, stderr := d.play(t, s.person, append(strings.Fields(s.args), "--lang", string(l))...)
	if status != s.status {
		t.Errorf("exit status %d, want %d", status, s.status)
	}
	if strings.HasSuffix(stderr, "] ") {
		stderr += "\n" // which the person types
	}
	goldentest.Compare(t, "deployed-"+name+"."+string(l)+".txt", stderr+stdout)
	checkScreen(t, stderr+stdout)
	if l == language.English && stdout != "" && !strings.HasPrefix(name, "help") {
		d.goOn(t, stdout)
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
		"status.json":          {"status -o json", paused11},
		"status.csv":           {"status -o csv", reached},
		"pause.json":           {"pause -o json", nil},
		"release.csv":          {"release --yes -o csv", reached},
		"preview.json":         {"sweep --preview -o json", reports(previewed)},
		"preview.csv":          {"sweep --preview -o csv", reports(previewed)},
		"status-signals.json":  {"status -o json", signalled},
		"history-signals.json": {"history --stack sessionstamp --since 1d -o json", reported},
		"history-told.json":    {"history --stack sessionstamp --signals -o json", told},
		"history-told.csv":     {"history --stack sessionstamp --signals -o csv", told},
		"status-told.json":     {"status -o json", told},
		"history.json":         {"history " + aUser + " --stack sessionstamp -o json", nil},
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
		"pause":           {nil, 1, func(b stamp.BrakeState) bool { return b.Paused.Equal(at) }},
		"pause --lang ja": {func(d *deployed) { d.Status = "UPDATE_ROLLBACK_FAILED" }, 1, func(b stamp.BrakeState) bool { return b.Paused.Equal(at) }},
		"pause --lang en": {paused11, 0, func(b stamp.BrakeState) bool { return b.Paused.Equal(at.Add(-11 * time.Hour)) }},
		"resume":          {paused11, 1, func(b stamp.BrakeState) bool { return b.Paused.IsZero() }},
		"release --yes":   {reached, 1, func(b stamp.BrakeState) bool { return b.Reached.IsZero() && b.Taken(at) == 0 }},
		"release --signals --yes": {func(d *deployed) { signalled(d); reached(d) }, 1, func(b stamp.BrakeState) bool {
			return b.Signals.Reached.IsZero() && b.Signals.Taken(at) == 0 && !b.Reached.IsZero()
		}},
		"release --yes --lang ja": {signalled, 0, func(b stamp.BrakeState) bool { return !b.Signals.Reached.IsZero() }},
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
		"signals alone":   {"history --signals", nil, nil, wrongUse, "--stack"},
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
