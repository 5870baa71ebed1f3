package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/doctor"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/goldentest"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/setup"
	"github.com/sessionstamp/sessionstamp/shared/aws/account"
	"github.com/sessionstamp/sessionstamp/shared/aws/stack"
	"github.com/sessionstamp/sessionstamp/shared/aws/stack/stacktest"
	"github.com/sessionstamp/sessionstamp/shared/directory"
)

const anID = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"

// inSetup is a person before a setup, with what both sides show.
func inSetup(l language.Language) (*call, *bytes.Buffer, *bytes.Buffer, session) {
	var out, err bytes.Buffer
	c := &call{lang: l, format: screen.Text, cloud: "global", program: program{
		Args:  []string{"setup", "--plan", "--alarms", "ops@example.co.jp"},
		Stdin: strings.NewReader("h\ny\n"), Stdout: &out, Stderr: &err, Out: terminal, Err: terminal, Person: true,
		Env: environment(nil), System: "linux", Now: func() time.Time { return at },
	}}
	s := session{entraAs: c.say("signed_in.browser", "admin@contoso.onmicrosoft.com"), facts: setup.Facts{
		Tenant: setup.Tenant{
			ID: anID, Cloud: "global", Audience: "api://AzureADTokenExchange",
			Domains: []directory.Domain{{Name: "example.co.jp", Federated: true, Verified: true}},
			Users: []directory.User{
				{ID: strings.Repeat("1", 8) + anID[8:], UserPrincipalName: "taro@example.co.jp", UserType: "Member", StampKnown: true, Created: at},
				{ID: strings.Repeat("2", 8) + anID[8:], UserPrincipalName: "breakglass@contoso.onmicrosoft.com", UserType: "Member", StampKnown: true, Created: at},
			},
		},
		AWS: setup.Account{ID: "123456789012", Partition: "aws", Region: "ap-northeast-1", RegionFrom: "~/.aws/config", Caller: "arn:aws:sts::123456789012:assumed-role/Admin/taro", Concurrency: 1000},
	}}
	s.deployment = setup.Deployment{Stack: "sessionstamp", Partition: "aws", Account: "123456789012", Region: "ap-northeast-1"}
	s.preview = func(context.Context) (setupPreview, error) { return setupPreview{New: 2, Existing: 410}, nil }
	return c, &out, &err, s
}

var usualSetup = settingUp{deployment: deployment{name: "sessionstamp"}, stampsPerDay: -1}

func planFor(t *testing.T, c *call, s session, o settingUp) setup.Plan {
	t.Helper()
	w, err := c.wishes(o)
	w.Version = "0.1.0"
	p, problems := setup.Make(s.facts, w)
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	return p
}

// oneStack is a stack that nobody changes.
type oneStack struct {
	setup.Stacks

	is setup.Stack
}

// Find implements [setup.Stacks].
func (o oneStack) Find(context.Context, string) (setup.Stack, error) { return o.is, nil }

// TestSetupScreens: the plan, the question with its h, the steps, the end, and the ways back.
func TestSetupScreens(t *testing.T) { //nolint:funlen // a table
	t.Parallel()
	o := usualSetup
	o.alarms = "ops@example.co.jp"
	for name, play := range map[string]func(t *testing.T, c *call, s session){
		"plan": func(t *testing.T, c *call, s session) {
			p := planFor(t, c, s, o)
			_ = c.show(c.planView(s, p))
		},
		"run": func(t *testing.T, c *call, s session) {
			p := planFor(t, c, s, o)
			c.tellView(c.planView(s, p))
			if err := c.goOn(t.Context()); err != nil {
				t.Error(err)
			}
			steps := c.steps()
			defer steps.end()
			for _, e := range []setup.Event{
				{Step: "issuer", Detail: p.Account, State: setup.Begins}, {Step: "issuer", Detail: p.Account, State: setup.Already},
				{Step: "app", Detail: p.Apps[0].DisplayName, State: setup.Begins}, {Step: "app", Detail: p.Apps[0].DisplayName, State: setup.Done},
				{Step: "trusted", Detail: p.Apps[0].DisplayName, State: setup.Begins}, {Step: "trusted", Detail: p.Apps[0].DisplayName, State: setup.Waits, Why: "AADSTS700211"},
				{Step: "trusted", Detail: p.Apps[0].DisplayName, State: setup.Waits, Why: "AADSTS700211"}, {Step: "trusted", Detail: p.Apps[0].DisplayName, State: setup.Skipped},
				{Step: "deploy", Detail: p.Stack, State: setup.Begins}, {Step: "deploy", Detail: p.Stack, State: setup.Waits, Why: "CREATE_IN_PROGRESS StamperFunction"}, {Step: "deploy", Detail: p.Stack, State: setup.Done},
			} {
				steps.take(e)
			}
			_ = c.show(c.doneView(t.Context(), o, s, setup.Result{Plan: p}))
		},
		"change": func(t *testing.T, c *call, s session) {
			changed := o
			changed.observe, changed.exclude, changed.signals = "false", []string{"none"}, "enforce"
			s.facts.AWS.Stack = setup.Stack{Status: "UPDATE_COMPLETE", Ours: true, Parameters: map[string]string{"DryRun": "true", "ExcludedUsers": s.facts.Tenant.Users[1].ID, "ClientId": anID, "AlarmsTo": "", "SignalMode": "report"}}
			p := planFor(t, c, s, changed)
			_ = c.show(c.planView(s, p))
		},
		"problems": func(t *testing.T, c *call, s session) {
			w, err := c.wishes(settingUp{deployment: o.deployment, exclude: []string{"a@example.co.jp;b@example.co.jp", "nobody@example.co.jp"}, alarms: "ops", stampsPerDay: -1})
			_, problems := setup.Make(s.facts, w)
			if err != nil || c.fail(c.refusePlan(problems)) != wrongUse {
				t.Error(err)
			}
		},
		"broke": func(t *testing.T, c *call, _ session) {
			failed := &setup.Incomplete{Step: "deploy", Detail: "sessionstamp", Err: &setup.Failed{Sentence: "the app lacks the permission User.Read.All"}}
			if c.fail(c.brokeOff(failed)) != wrong {
				t.Error("it is no failure")
			}
		},
		"aws": func(t *testing.T, c *call, s session) {
			half := o
			half.aws, half.excludeGroups, s.lacks = true, []string{anID}, misuse("use.no_sam", doctor.InstallSAM(c.System))
			c.Args = []string{"setup", "--aws", "--exclude-group", anID}
			s.facts.Tenant, s.entraAs = setup.Tenant{}, ""
			_ = c.show(c.planView(s, planFor(t, c, s, half)))
			line := setup.Request{Deployment: s.deployment, Issuer: "https://0a1b2c3d.tokens.sts.global.api.aws"}.String()
			_ = c.show(c.lineView(setUp{Line: line}, false))
		},
		"entra": func(t *testing.T, c *call, s session) {
			half := settingUp{entra: true, line: setup.Request{Deployment: s.deployment, Issuer: "https://0a1b2c3d.tokens.sts.global.api.aws"}.String(), stampsPerDay: -1}
			s.facts.AWS, s.facts.Tenant.Users = setup.Account{}, nil
			_ = c.show(c.planView(s, planFor(t, c, s, half)))
			answer := setup.Answer{Account: s.deployment.Account, Region: s.deployment.Region, Stack: s.deployment.Stack, Cloud: "global", Tenant: anID, Reader: anID}.String()
			_ = c.show(c.lineView(setUp{Line: answer}, true))
		},
		"undo-aws": func(_ *testing.T, c *call, s session) {
			half := o
			half.aws, s.facts.Tenant = true, setup.Tenant{}
			c.tell(c.undoLines(half, s)...)
			_ = c.show(c.undoneView(half, s, nil))
		},
		"undo-entra": func(_ *testing.T, c *call, s session) {
			half := o
			half.entra, s.facts.AWS = true, setup.Account{}
			c.tell(c.undoLines(half, s)...)
			_ = c.show(c.undoneView(half, s, nil))
		},
		"nothing": func(t *testing.T, c *call, s session) {
			half := o
			half.aws, half.line, s.facts.Tenant = true, setup.Answer{Account: s.deployment.Account, Region: s.deployment.Region, Stack: s.deployment.Stack, Cloud: "global", Tenant: anID, Reader: anID}.String(), setup.Tenant{}
			w, err := c.wishes(half)
			w.Version = "0.1.0"
			s.facts.AWS.Issuer, s.facts.AWS.Stack = "https://a.tokens.sts.global.api.aws", setup.Stack{Status: "CREATE_COMPLETE", Ours: true, Version: "0.1.0", Parameters: map[string]string{}}
			p, _ := setup.Make(s.facts, w)
			s.facts.AWS.Stack.Parameters = p.Parameters()
			s.world = setup.World{Stacks: oneStack{is: s.facts.AWS.Stack}, Now: c.Now}
			c.Stdin = strings.NewReader("") // nobody answers
			if err := errors.Join(err, c.makeReal(t.Context(), half, s, w)); err != nil || c.status != fine {
				t.Error(err, c.status)
			}
		},
		"undo-nothing": func(t *testing.T, c *call, s session) {
			s.facts, c.Stdin = setup.Facts{}, strings.NewReader("") // nobody answers
			if err := c.undo(t.Context(), settingUp{undo: true}, s); err != nil || c.status != fine {
				t.Error(err, c.status)
			}
		},
		"undo": func(_ *testing.T, c *call, s session) {
			s.facts.Tenant.Apps = map[string]directory.App{s.deployment.UniqueName("reader"): {DisplayName: "sessionstamp (reads users)"}}
			s.signals = []string{"a", "b"}
			s.stored, s.uploads = "arn", "aws-sam-cli-managed-default-samclisourcebucket-1a2b3c4d5e6f"
			c.tell(c.undoLines(o, s)...)
			_ = c.show(c.undoneView(o, s, []setup.Leftover{{Kind: setup.Table, Name: "sessionstamp-Table-1ABC"}, {Kind: setup.Log, Name: "/aws/lambda/sessionstamp-stamper"}}))
		},
	} {
		for _, l := range languages() {
			t.Run(name+"."+string(l), func(t *testing.T) {
				t.Parallel()
				c, stdout, stderr, s := inSetup(l)
				play(t, c, s)
				said := stderr.String() + stdout.String()
				goldentest.Compare(t, "setup-"+name+"."+string(l)+".txt", said)
				for line := range strings.SplitSeq(said, "\n") {
					if tooWide(line, screen.Columns) && !regexp.MustCompile(`^(  aws | *sessionstamp setup --|Go on|続行しますか)`).MatchString(line) || strings.Contains(line, "%!") {
						t.Errorf("%q", line)
					}
				}
			})
		}
	}
}

// TestSetupJSON: the preview is in the one object that is written, and nothing is written
// twice.
func TestSetupJSON(t *testing.T) {
	t.Parallel()
	c, stdout, _, s := inSetup(language.English)
	c.format = screen.JSON
	_ = c.show(c.doneView(t.Context(), usualSetup, s, setup.Result{Plan: planFor(t, c, s, usualSetup)}))
	goldentest.Compare(t, "setup.json", stdout.String())
}

// TestSetupMisuse: what cannot be meant is refused before anybody signs in.
func TestSetupMisuse(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "settings.json")
	if err := os.WriteFile(file, []byte(`{"ExcludedUsers": {"a": 1}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	twice := filepath.Join(t.TempDir(), "twice.json")
	if err := os.WriteFile(twice, []byte(`{"StampsPerDay": 9} {"DryRun": true}`), 0o600); err != nil {
		t.Fatal(err)
	}
	cut := setup.Request{Deployment: setup.Deployment{Stack: "s", Partition: "aws", Account: "123456789012", Region: "eu-west-1"}, Issuer: "https://a.aws"}.String()
	for args, want := range map[string]string{
		"setup":                                       "Nobody is here to be asked",
		"setup --plan --demo":                         "has no deployment",
		"setup --aws --entra":                         "only one of the two",
		"setup --plan LINE":                           "only one of the two",
		"setup --plan --entra":                        "needs the line",
		"setup --plan --entra LINE":                   "not the line",
		"setup --plan --entra " + cut[:40]:            "incomplete",
		"setup --plan --aws sessionstamp/v2/to-aws/x": "another version",
		"setup --plan --from " + file:                 "no JSON object",
		"setup --plan --from " + file + "x":           "cannot be read",
		"setup --plan --from " + twice:                "no JSON object",
		"setup --plan --entra LINE --exclude none":    "leave them out",
		"setup --plan --auth certificate":             "client-secret",
		"setup --plan --stamps-per-day -1":            "stamps-per-day",
	} {
		status, stdout, stderr := play(t.Context(), nil, append(strings.Fields(args), "--lang", "en")...)
		if status != wrongUse || stdout != "" || !strings.Contains(strings.Join(strings.Fields(stderr), " "), want) {
			t.Errorf("%s: exit status %d, %q", args, status, stderr)
		}
	}
}

// TestSetupSettings: a file takes texts, numbers, truth and lists.
func TestSetupSettings(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "settings.json")
	if err := os.WriteFile(file, []byte(`{"ExcludedUpnPatterns": ["a@b.jp", "c@d.jp"], "StampsPerDay": 1000000, "DryRun": true, "AlarmsTo": "x@y.jp"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := readSettings(file)
	want := map[string]string{"ExcludedUpnPatterns": "a@b.jp,c@d.jp", "StampsPerDay": "1000000", "DryRun": "true", "AlarmsTo": "x@y.jp"}
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s: %q, %v", name, got[name], err)
		}
	}
}

// TestSetupSettingsRefused: what may not be what the person means is refused, and nothing is
// read without an end.
func TestSetupSettingsRefused(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "settings.json")
	for content, good := range map[string]bool{
		"\ufeff{\r\n\"DryRun\": \"true\"\r\n}\r\n": true, "{}": true,
		"": false, "null": false, "[]": false, "{": false, `{"DryRun": true} {}`: false, `{"DryRun": true},`: false,
		`{"DryRun": true, "DryRun": false}`: false, `{"DryRun": null}`: false, `{"DryRun": {"a": 1}}`: false,
		`{"ExcludedUsers": [["a"]]}`: false, `{"ExcludedUpnPatterns": ["a@b.jp", null]}`: false,
		"\xff\xfe{\x00}\x00": false, `{"DryRun": "` + strings.Repeat("x", 2<<20) + `"}`: false,
	} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := readSettings(file); (err == nil) != good {
			t.Errorf("%.40q: %v, %v", content, got, err)
		}
	}
	for _, name := range []string{t.TempDir(), file + ".not"} {
		if _, err := readSettings(name); err == nil {
			t.Errorf("%s is read", name)
		}
	}
}

// TestForgedRecords: a log is asked for nobody by what is no object ID.
func TestForgedRecords(t *testing.T) {
	t.Parallel()
	var records []stack.Record
	for _, user := range []string{anID, "", "../me", "x' or 'a' eq 'a", strings.ToUpper(anID)} {
		records = append(records, stack.Record{At: at, Message: `{"message": "user handled", "reason": "called", "user": "` + user + `", "creation_to_call_s": 1e300}`})
	}
	if got := stampedBy(records); len(got) != 1 || got[0].User != anID {
		t.Errorf("%v", got)
	}
}

// describedSecrets answers for the secrets of an account, each with one description.
type describedSecrets struct {
	http.RoundTripper

	description string
	calls       []string
}

func (s *describedSecrets) RoundTrip(r *http.Request) (*http.Response, error) {
	operation, is := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "secretsmanager.")
	if !is {
		return s.RoundTripper.RoundTrip(r)
	}
	s.calls = append(s.calls, operation)
	body := `{"ARN": "` + renewARN + `", "Name": "sessionstamp/entra", "Description": "` + s.description + `", "VersionId": "v"}`
	return &http.Response{StatusCode: http.StatusOK, Header: make(http.Header), Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

// TestSetupForeignSecret: a secret that was stored by hand is neither taken nor deleted, unless the
// stack names it.
func TestSetupForeignSecret(t *testing.T) {
	t.Parallel()
	for description, ours := range map[string]bool{storedBySetup: true, "": false, "the finance team's": false} {
		world := &describedSecrets{RoundTripper: stacktest.New(t), description: description}
		a, err := account.Open(t.Context(), account.Options{Env: stacktest.Env, Transport: world})
		if err != nil {
			t.Fatal(err)
		}
		_, err = vaultOf{a}.Stored(t.Context(), "sessionstamp/entra")
		forgot := vaultOf{a}.Forget(t.Context(), "sessionstamp/entra")
		if errors.Is(err, setup.ErrNotOurs) == ours || forgot != nil || slices.Contains(world.calls, "DeleteSecret") != ours {
			t.Errorf("%q: %v, %v, %v", description, err, forgot, world.calls)
		}
		if _, err = (vaultOf{a}).Stored(t.Context(), renewARN); err != nil { // which the stack names
			t.Error(err)
		}
	}
}

// TestSetupDeclined: a no, or no answer at all, changes nothing.
func TestSetupDeclined(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{"\n", "n\n", "", "h\n\n"} {
		c, _, _, _ := inSetup(language.English)
		c.Stdin = strings.NewReader(answer)
		if err := c.goOn(t.Context()); err == nil || errors.Is(err, context.Canceled) {
			t.Errorf("%q is a yes: %v", answer, err)
		}
	}
}

// setupKeys are the keys that package setup puts together, read from its source.
func setupKeys() (keys []language.Key) {
	files, _ := filepath.Glob("setup/*.go")
	for _, file := range files {
		text, _ := os.ReadFile(file)
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for form, prefix := range map[string]string{
			`(?:problems = append\([a-z.]*problems, |\t|\{)problem\("([a-z_]+)"`: "setup_problem.", `add\("([a-z_]+)"`: "setup_problem.",
			`[nN]otices = append\([a-z.]*[nN]otices, problem\("([a-z_]+)"`: "setup_notice.",
			`step\{\n\t+"([a-z_]+)"`: "setup_step.", `Source = "([a-z]+)"`: "setup_from.",
			`(?m)^\t[a-zA-Z]+ += "([A-Z][A-Za-z]+)"( //.*)?$`: "setup_value.",
		} {
			for _, match := range regexp.MustCompile(form).FindAllStringSubmatch(string(text), -1) {
				keys = append(keys, language.Key(prefix+match[1]))
			}
		}
	}
	return keys
}

// TestSetupHelp names every flag.
func TestSetupHelp(t *testing.T) {
	t.Parallel()
	for _, l := range languages() {
		_, stdout, _ := play(t.Context(), nil, "setup", "--help", "--lang", string(l))
		goldentest.Compare(t, "help-setup."+string(l)+".txt", stdout)
		for line := range strings.SplitSeq(stdout, "\n") {
			if tooWide(line, screen.Columns) {
				t.Errorf("%q", line)
			}
		}
	}
}
