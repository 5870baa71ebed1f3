package main

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/bundle"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/goldentest"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/setup"
	"github.com/sessionstamp/sessionstamp/shared/aws/stack"
	"github.com/sessionstamp/sessionstamp/shared/aws/stack/stacktest"
)

const (
	newTemplate  = "Metadata:\n  Name: x\nParameters:\n  TenantId:\n    Type: String\n  # Where alarms go.\n  SignalMode:\n    Type: String\n  AlarmsTo:\n    Type: String\nResources:\n  Table:\n    Type: T\n"
	newChangelog = "# Changes\n\n## [1.3.0] - 2026-11-20\n\n### Added\n\n- The verb `pause` stops all stamping at once, and `resume` lets it go on: nobody is\n  missed meanwhile.\n- One.\n\n### Fixed\n\n- Two.\n\n## [1.2.0]\n\n- Old.\n"
)

// A sam plays the SAM CLI: it deploys into the stack, or fails.
type sam struct {
	*stacktest.Deployment

	err     error
	event   *stacktest.Event
	plans   []setup.Plan
	stopper context.CancelFunc
	goesOn  bool // CloudFormation does, without sam
}

// Deploy implements [setup.Deployer].
func (s *sam) Deploy(_ context.Context, p setup.Plan) error {
	s.plans = append(s.plans, p)
	switch {
	case s.stopper != nil:
		s.stopper()
	case s.goesOn:
		s.Status = "UPDATE_IN_PROGRESS"
	case s.event != nil:
		s.Status, s.Events = "UPDATE_ROLLBACK_COMPLETE", []stacktest.Event{{Status: "UPDATE_IN_PROGRESS"}, *s.event}
	case s.err == nil:
		s.Status, s.Tags = "UPDATE_COMPLETE", map[string]string{stack.VersionTag: p.Version}
	}
	return s.err
}

func (s *sam) play(t *testing.T, change func(*program), version string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	if s.stopper != nil {
		s.stopper = stop
	}
	return play(ctx, func(p *program) {
		p.AWS, p.Env = s.Deployment, stacktest.Env
		p.Release = &release{Version: version, Deployer: s, Tree: fstest.MapFS{"template.yaml": {Data: []byte(newTemplate)}, "CHANGELOG.md": {Data: []byte(newChangelog)}}}
		if change != nil {
			change(p)
		}
	}, args...)
}

func saying(answer string) func(*program) {
	return func(p *program) { p.Person, p.Stdin = true, strings.NewReader(answer+"\n") }
}

// TestUpdate: each end of an update, and whether it has deployed.
func TestUpdate(t *testing.T) {
	t.Parallel()
	moves := func(s *sam) { s.Parameters["AlarmEmail"], s.Parameters["Ceiling"] = "ops@example.co.jp", "9" }
	for name, c := range map[string]struct {
		args    string
		version string
		is      func(*sam)
		person  func(*program)
		status  int
		deploys int
	}{
		"plan":    {"update --plan", "1.3.0", moves, nil, fine, 0},
		"asked":   {"update", "1.3.0", nil, saying("y"), fine, 1},
		"no":      {"update", "1.3.0", moves, saying(""), wrong, 0},
		"by-hand": {"update --yes", "1.3.0+395a1a9bf8fb", func(s *sam) { s.Tags = nil }, nil, fine, 1},
		"same":    {"update", "1.2.0", nil, saying(""), fine, 0},
		"signals": {"update --yes", "1.3.0", func(s *sam) { s.Parameters["AuthMode"] = "web-identity" }, nil, fine, 1},
		"trusted": {"update --plan", "1.3.0", func(s *sam) { s.Parameters["AuthMode"], s.Parameters["SignalMode"] = "web-identity", "off" }, nil, fine, 0},
		"newer":   {"update --yes", "1.1.9", nil, nil, wrongUse, 0},
		"unasked": {"update", "1.3.0", nil, nil, wrongUse, 0},
		"failed": {"update --yes", "1.3.0", func(s *sam) {
			s.event, s.err = &stacktest.Event{Logical: "Subscription", Status: "UPDATE_FAILED", Reason: "Received response status [FAILED] from custom resource. Message returned: Entra refused (RequestId: 1)"}, errors.New("exit status 1")
		}, nil, wrong, 1},
		"sam":     {"update --yes", "1.3.0", func(s *sam) { s.err = errors.New("Error: no bucket") }, nil, wrong, 1},
		"lost":    {"update --yes", "1.3.0", func(s *sam) { s.goesOn, s.err = true, errors.New("Error: no answer") }, nil, wrong, 1},
		"stopped": {"update --yes", "1.3.0", func(s *sam) { s.stopper = func() {} }, nil, wrong, 1},
	} {
		for _, l := range languages() {
			t.Run(name+"."+string(l), func(t *testing.T) {
				t.Parallel()
				s := &sam{Deployment: stacktest.New(t)}
				if c.is != nil {
					c.is(s)
				}
				status, stdout, stderr := s.play(t, c.person, c.version, append(strings.Fields(c.args), "--lang", string(l))...)
				if status != c.status || len(s.plans) != c.deploys {
					t.Errorf("exit status %d, want %d; deployed %d times", status, c.status, len(s.plans))
				}
				goldentest.Compare(t, "update-"+name+"."+string(l)+".txt", stderr+stdout)
			})
		}
	}
}

// TestUpdateContract: programs read JSON; what is deployed is in the stack's own region.
func TestUpdateContract(t *testing.T) {
	t.Parallel()
	s := &sam{Deployment: stacktest.New(t)}
	s.Parameters["AlarmTopicArn"] = "arn:aws:sns:ap-northeast-1:123456789012:ops"
	_, stdout, stderr := s.play(t, nil, "1.3.0", "update", "--yes", "-o", "json")
	if len(s.plans) != 1 {
		t.Fatalf("deployed %d times: %s", len(s.plans), stderr)
	}
	goldentest.Compare(t, "update.json", stdout)
	p := s.plans[0]
	want := map[string]string{"TenantId": s.Parameters["TenantId"], "AlarmsTo": s.Parameters["AlarmTopicArn"]}
	if diff := cmp.Diff(want, p.Parameters()); diff != "" || p.Region != stacktest.Region || p.Account != stacktest.Account || p.Stack != "sessionstamp" || p.Version != "1.3.0" {
		t.Errorf("%s, %+v", diff, p)
	}
	_, stdout, _ = s.play(t, nil, "1.3.0", "update", "--plan", "-o", "csv")
	if rows := strings.Count(stdout, "\n"); rows != 1 { // it runs by now
		t.Errorf("%d rows: %s", rows, stdout)
	}
}

// TestPlanUpdate: a setting is never lost without a word.
func TestPlanUpdate(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		has  map[string]string
		want string
		gone string
	}{
		"kept":          {map[string]string{"TenantId": "t", "AlarmsTo": ""}, "AlarmsTo= TenantId=t", ""},
		"topic first":   {map[string]string{"AlarmTopicArn": "arn", "AlarmEmail": "ops@"}, "AlarmsTo=arn", "AlarmEmail"},
		"empty is none": {map[string]string{"AlarmTopicArn": "", "AlarmEmail": "", "Ceiling": ""}, "", ""},
		"already":       {map[string]string{"AlarmsTo": "x", "AlarmEmail": "ops@"}, "AlarmsTo=x", "AlarmEmail"},
	} {
		plan := planUpdate("1.2.0", "1.3.0", newChangelog, strings.ReplaceAll(newTemplate, "\n", "\r\n"), c.has)
		var got, gone []string
		values := setup.Plan{Values: plan.Values}.Parameters()
		for _, parameter := range slices.Sorted(maps.Keys(values)) {
			got = append(got, parameter+"="+values[parameter])
		}
		for _, v := range plan.Gone {
			gone = append(gone, v.Name)
		}
		if strings.Join(got, " ") != c.want || strings.Join(gone, " ") != c.gone {
			t.Errorf("%s: %q, gone %q", name, got, gone)
		}
	}
	for _, brings := range []string{"devel", "0.0.0-20261129150633-395a1a9bf8fb"} {
		if !(change{Running: brings, Brings: brings}).same() || (change{Running: "1.2.0", Brings: brings}).back() {
			t.Errorf("%s is not the same, or taken for a number", brings)
		}
	}
	if names := parameterNames("Parameters:\n  A:\n    B:\n  C: {}\n"); !slices.Equal(names, []string{"A", "C"}) {
		t.Errorf("the parameters are %q", names)
	}
	if got := unfold(bundle.Section{Text: "### Added\n\n- One\n  two.\n- `Three`."}); !slices.Equal(got, []string{"Added:", "- One two.", "- Three."}) {
		t.Errorf("unfolded to %q", got)
	}
}
