package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/demo"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/doctor"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/goldentest"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
	"github.com/sessionstamp/sessionstamp/shared/aws/account"
	"github.com/sessionstamp/sessionstamp/shared/aws/stack"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/keeper"
	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

const (
	tenantOfPatient = "11111111-2222-3333-4444-555555555555"
	issuerOfPatient = "https://1a2b.tokens.sts.global.api.aws"
	audience        = "api://AzureADTokenExchange"
)

// A inpatient is a deployment in which all is well, until a test says otherwise.
type inpatient struct {
	*stack.Stack

	issuer             string
	others             []*stack.Stack
	trigger, schedules string
	table              stack.TableSettings
	memory             stack.Memory
	requests, dead     stack.Waiting
	figures            stack.Figures
	alarms             []stack.Alarm
	confirmed, pending int
	logs               map[string][]stack.Record
	apps               map[string]directory.App
	users              []directory.User
	secrets            []string // of signals
	refused            string   // an action of AWS that the person may not do
	calls              []string
}

func newInpatient() *inpatient {
	p := &inpatient{
		Stack: &stack.Stack{
			Name: usualStack, Status: "UPDATE_COMPLETE", Created: at.Add(-40 * 24 * time.Hour),
			Parameters: map[string]string{"TenantId": tenantOfPatient, "ClientId": "reader-id", "StamperClientId": "stamper-id", "AuthMode": "web-identity", "SignalMode": "report"},
			Outputs:    map[string]string{"TokenAudience": audience},
			Resources: map[string]string{
				"Table": "sessionstamp-Table", "NotificationEventSource": "9e7c", "KeeperSchedule": "sessionstamp-K", "SweeperSchedule": "sessionstamp-S",
				"DeadLetterQueue": "https://sqs/1/dead", "SignalDeadLetterQueue": "https://sqs/1/signal-dead",
				"SignalEventSource": "5f1a", "UrgentSignalEventSource": "77b0", "ClientStateSecret": "arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:cs",
			},
		},
		issuer: issuerOfPatient, trigger: "Enabled", schedules: "ENABLED", table: stack.TableSettings{Protected: true, Recoverable: true},
		memory: stack.Memory{
			Keeper: keeper.Record{ID: "s", Expires: at.Add(25 * 24 * time.Hour)}, Sweep: sweep.Checkpoint{DeltaLink: "l", FullDue: at.Add(time.Hour)},
		},
		confirmed: 1, alarms: []stack.Alarm{{Name: "sessionstamp-age", State: "OK", Since: at}}, apps: make(map[string]directory.App),
	}
	p.apps["reader-id"] = p.app("reader", []string{"Domain.Read.All", "User.Read.All"}, "keeper", "sweeper", "resolver")
	p.apps["stamper-id"] = p.app("stamper", []string{"Domain.Read.All", "User.Read.All", revoke}, "stamper")
	return p
}

func (p *inpatient) app(name string, roles []string, functions ...string) directory.App {
	a := directory.App{ID: name, ClientID: name + "-id", UniqueName: "sessionstamp-sessionstamp-123456789012-ap-northeast-1-" + name, PrincipalID: "p", DisplayName: "sessionstamp " + name, Enabled: true, Roles: roles}
	for _, f := range functions {
		a.Federated = append(a.Federated, directory.FederatedCredential{
			Name: usualStack + "-" + f, Issuer: issuerOfPatient, Audience: audience,
			Subject: "arn:aws:iam::123456789012:role/sessionstamp-" + f + "-ap-northeast-1",
		})
	}
	return a
}

// may is the error for what the person may not do.
func (p *inpatient) may(action string) error {
	if p.refused == action {
		return &account.Forbidden{Action: action}
	}
	return nil
}

func (p *inpatient) did(what ...string) error {
	p.calls = append(p.calls, strings.Join(what, " "))
	return nil
}

func (p *inpatient) Issuer(context.Context) (string, error) { return p.issuer, nil }
func (p *inpatient) Stacks(context.Context) ([]*stack.Stack, error) {
	return append(p.others, p.Stack), nil
}
func (p *inpatient) Function(_ context.Context, logical string) (stack.Function, error) {
	return stack.Function{Logical: logical, State: "Active", Updated: "Successful", Reserved: -1}, nil
}
func (p *inpatient) Trigger(context.Context, string) (string, error)  { return p.trigger, nil }
func (p *inpatient) Schedule(context.Context, string) (string, error) { return p.schedules, nil }
func (p *inpatient) Queues(context.Context) (requests, dead stack.Waiting, err error) {
	return p.requests, p.dead, nil
}
func (p *inpatient) SignalQueues(context.Context) (waiting, dead stack.Waiting, err error) {
	return stack.Waiting{}, p.dead, nil
}
func (p *inpatient) SignalSecrets(context.Context) ([]string, error)           { return p.secrets, nil }
func (p *inpatient) Figures(context.Context, time.Time) (stack.Figures, error) { return p.figures, nil }
func (p *inpatient) KeyState(context.Context) (string, error) {
	return "", p.may("kms:DescribeKey")
}
func (p *inpatient) TableSettings(context.Context) (stack.TableSettings, error) { return p.table, nil }
func (p *inpatient) SecretDeleted(context.Context, string) (bool, error)        { return false, nil }
func (p *inpatient) Alarms(context.Context) ([]stack.Alarm, error)              { return p.alarms, nil }
func (p *inpatient) Receivers(context.Context) (confirmed, pending int, err error) {
	return p.confirmed, p.pending, nil
}
func (p *inpatient) Memory(context.Context) (stack.Memory, error) { return p.memory, nil }
func (p *inpatient) Sums(context.Context, time.Time, time.Time, ...string) (map[string]float64, error) {
	return map[string]float64{"UsersStamped": 12}, nil
}
func (p *inpatient) Logs(_ context.Context, function string, _ time.Time, pattern string, _ int) ([]stack.Record, bool, error) {
	return p.logs[function+pattern], false, nil
}
func (p *inpatient) EnableSchedule(_ context.Context, logical string) error {
	p.schedules = "ENABLED"
	return p.did("schedule", logical)
}
func (p *inpatient) ProtectTable(context.Context) error {
	p.table.Protected = true
	return p.did("protect")
}
func (p *inpatient) Order(_ context.Context, o sweep.Order) (sweep.Report, error) {
	p.memory.Sweep.FullDue = at.Add(time.Hour)
	return sweep.Report{}, p.did("order", string(o))
}

// An inEntra is what Entra has of a inpatient.
type inEntra struct{ *inpatient }

func (inEntra) Domains(context.Context) ([]directory.Domain, error) {
	return []directory.Domain{{Name: "example.co.jp", Federated: true, Verified: true}}, nil
}
func (p inEntra) UserPage(context.Context, string) (directory.UserPage, error) {
	return directory.UserPage{Users: p.users}, nil
}
func (p inEntra) FindGroups(_ context.Context, name string) ([]directory.Group, error) {
	if name == "gone" {
		return nil, &directory.Error{StatusCode: 404, Err: directory.ErrNoGroup}
	}
	return []directory.Group{{ID: name, HiddenMembers: name == "hidden"}}, nil
}
func (p inEntra) TransitiveMembers(_ context.Context, group, _ string) ([]string, string, error) {
	return map[string][]string{"board": {"u3"}}[group], "", nil
}
func (p inEntra) AppByClientID(_ context.Context, id string) (directory.App, error) {
	if a, there := p.apps[id]; there {
		return a, nil
	}
	return directory.App{}, &directory.Error{StatusCode: 404, Err: directory.ErrNoApp}
}
func (inEntra) Deleted(_ context.Context, id string) (bool, error) { return id == "stamper-id", nil }
func (inEntra) Now() time.Time                                     { return at }

// change makes another app of the one that is there.
func (p inEntra) change(a directory.App, f func(*directory.App)) {
	is := p.apps[a.ClientID]
	f(&is)
	p.apps[a.ClientID] = is
}
func (p inEntra) Grant(_ context.Context, a directory.App, role string) error {
	p.change(a, func(a *directory.App) { a.Roles = append(a.Roles, role) })
	return p.did("grant", a.ClientID, role)
}
func (p inEntra) Withdraw(_ context.Context, a directory.App, role string) error {
	p.change(a, func(a *directory.App) {
		a.Roles = slices.DeleteFunc(slices.Clone(a.Roles), func(r string) bool { return r == role })
	})
	return p.did("withdraw", a.ClientID, role)
}
func (p inEntra) Trust(ctx context.Context, a directory.App, f directory.FederatedCredential) error {
	p.change(a, func(a *directory.App) { a.Federated = append(without(a.Federated, f.Name), f) })
	return p.did("trust", a.ClientID, f.Name)
}
func (p inEntra) Distrust(_ context.Context, a directory.App, name string) error {
	p.change(a, func(a *directory.App) { a.Federated = without(a.Federated, name) })
	return p.did("distrust", a.ClientID, name)
}
func (p inEntra) RemovePassword(_ context.Context, a directory.App, key string) error {
	p.change(a, func(a *directory.App) { a.Credentials = nil })
	return p.did("password", a.ClientID, key)
}
func (p inEntra) RemoveCertificate(context.Context, directory.App, string) error {
	return errors.New("nobody expects that")
}

func (p inEntra) Disown(_ context.Context, a directory.App, owner string) error {
	p.change(a, func(a *directory.App) {
		a.Owners = slices.DeleteFunc(slices.Clone(a.Owners), func(id string) bool { return id == owner })
	})
	return p.did("disown", a.ClientID, owner)
}

func without(all []directory.FederatedCredential, name string) []directory.FederatedCredential {
	return slices.DeleteFunc(slices.Clone(all), func(f directory.FederatedCredential) bool { return f.Name == name })
}

// visit lets the doctor look at the inpatient, nil for none.
func visit(t *testing.T, p *inpatient, l language.Language, change func(*examined, *call)) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs strings.Builder
	env := environment([]string{"HOME=" + t.TempDir(), "PATH=" + t.TempDir()})
	c := &call{program: program{
		Stdin: strings.NewReader("y\n"), Stdout: &out, Stderr: &errs, Out: terminal, Err: terminal, Env: env, System: "linux", Now: func() time.Time { return at },
	}, lang: l, format: screen.Text}
	a := &account.Account{ID: "123456789012", Partition: "aws", Region: "ap-northeast-1"}
	x := examined{deployment: deployment{name: usualStack}, account: a, aws: p, entra: inEntra{p}}
	e := doctor.Evidence{Now: at, System: "linux", Stack: usualStack, SignedIn: doctor.Asked(tenantOfPatient), Account: doctor.Asked(doctor.Account{ID: a.ID, Region: a.Region})}
	if p.Stack != nil {
		x.stack, x.asks, e.Deployment = p.Stack, p, doctor.Asked(deploymentOf(a, p.Stack))
	} else {
		p.Stack, e.Deployment = &stack.Stack{Name: "other"}, doctor.Asked(doctor.Deployment{})
	}
	if change != nil {
		change(&x, c)
	}
	if err := c.examine(t.Context(), x, e); err != nil {
		c.status = c.fail(err)
	}
	return c.status, out.String(), errs.String()
}

// sick makes everything wrong that --fix mends, and what it does not.
func sick(p *inpatient) {
	reader, stamper := p.apps["reader-id"], p.apps["stamper-id"]
	reader.Roles = []string{"User.Read.All", revoke}
	reader.Federated[1].Subject = strings.Replace(reader.Federated[1].Subject, "ap-northeast-1", "us-east-1", 1)
	reader.Credentials = []directory.AppCredential{{KeyID: "k-1", Name: "sessionstamp setup"}}
	stamper.Federated = append(stamper.Federated, directory.FederatedCredential{Name: "ci", Issuer: "https://ci.example", Subject: "repo"})
	stamper.Owners = []string{"u1", "u2"}
	p.apps["reader-id"], p.apps["stamper-id"] = reader, stamper
	p.schedules, p.table.Protected = "DISABLED", false
	p.memory.Sweep.FullDue = at.Add(-50 * time.Hour)
}

// ill is what a person has to look at.
func ill(p *inpatient) {
	p.trigger = "Disabled"
	p.memory.Brake.Reached, p.requests.Visible, p.dead.Visible = at.Add(-26*time.Hour), 1204, 3
	p.confirmed, p.pending, p.refused = 0, 1, "kms:DescribeKey"
	p.Parameters["ExcludedGroups"], p.Parameters["ExcludedUsers"] = "board, empty, hidden, gone", "u9"
	p.logs = map[string][]stack.Record{"KeeperFunction{ $.NeedsAttention > 0 }": {{Message: `{"Reason":"sign_in_refused","NeedsAttention":4}`}}}
	stamper := p.apps["stamper-id"]
	stamper.Credentials = []directory.AppCredential{{KeyID: "k-2", OfPrincipal: true, End: at.Add(time.Hour)}}
	p.apps["stamper-id"] = stamper
	for id, a := range p.apps {
		a.Roles = append(a.Roles, readMembers)
		p.apps[id] = a
	}
	p.secrets = []string{"left"}
	p.memory.Brake.Signals.Reached, p.memory.Signals = at.Add(-time.Hour), signal.Registry{Sources: map[string]signal.Record{
		"kc": {Name: "Keycloak", Kind: signal.KindSSF, Domains: []string{"example.co.jp", "old.example"}, Added: at.Add(-40 * 24 * time.Hour), Stream: signal.Stream{Status: "disabled"}},
	}}
	p.logs["StamperFunction"+troublePattern] = []stack.Record{
		{Message: `{"User":"u7","Reason":"excluded"}`}, {Message: `{"User":"u8","Reason":"excluded"}`}, {Message: `{"User":"u9","Reason":"excluded"}`},
	}
	p.logs["ReceiverFunction{ $.NeedsAttention > 0 }"] = []stack.Record{{Message: `{"Reason":"signal_refused","NeedsAttention":7}`}}
	p.logs["ReceiverFunction"+refusalPattern] = []stack.Record{{Message: `{"source":"kc","reason":"bad_signature"}`}, {Message: `{"source":"kc","reason":"bad_signature"}`}, {Message: `{"source":"gone","reason":"bad_secret"}`}, {Message: `{"source":"hook","reason":"keys_unavailable","status":503}`}}
}

// TestDoctorScreens are golden, in both languages.
func TestDoctorScreens(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ail    func(*inpatient)
		status int
	}{
		"doctor-well": {func(*inpatient) {}, fine}, "doctor-sick": {sick, wrong}, "doctor-ill": {ill, wrong},
		"doctor-before": {func(p *inpatient) { p.Stack, p.issuer = nil, "" }, fine},
	} {
		for _, l := range languages() {
			p := newInpatient()
			p.users = []directory.User{{ID: "u1", UserPrincipalName: "a@example.co.jp", UserType: "Member", Created: at.Add(-90 * 24 * time.Hour), StampKnown: true}}
			c.ail(p)
			status, stdout, stderr := visit(t, p, l, nil)
			if status != c.status || stderr != "" || len(p.calls) > 0 {
				t.Errorf("%s: exit status %d, %q, %v", name, status, stderr, p.calls)
			}
			goldentest.Compare(t, name+"."+string(l)+".txt", stdout)
			for line := range strings.SplitSeq(stdout, "\n") {
				if screen.Width(line) > screen.Columns || strings.Contains(line, "%!") {
					t.Errorf("%s, %s: %q", name, l, line)
				}
			}
		}
	}
}

// TestDoctorSignIn: without AWS, Entra is looked at all the same, and the other way round; what
// the person has written wrongly is refused.
func TestDoctorSignIn(t *testing.T) {
	t.Parallel()
	tenant := demo.New(1, func() time.Time { return at })
	t.Cleanup(tenant.Close)
	env := []string{
		tenantVariable + "=" + demo.TenantID, clientVariable + "=" + demo.ClientID, "HOME=" + t.TempDir(), "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null",
	}
	for name, c := range map[string]struct {
		more   []string
		args   string
		status int
		says   []string
	}{
		"no region":     {[]string{secretVariable + "=" + demo.Secret}, "", wrong, []string{"No AWS region is named", "✓ Microsoft Entra: tenant, domains, users"}},
		"no Entra":      {[]string{secretVariable + "=wr0ng"}, "", wrong, []string{"No AWS region is named", "Not everything", "AADSTS7000215"}},
		"a wrong flag":  {[]string{secretVariable + "=" + demo.Secret}, "--tenant contoso", wrongUse, []string{"--tenant"}},
		"no such thing": {nil, "now", wrongUse, []string{"now"}},
	} {
		status, stdout, stderr := play(t.Context(), func(p *program) {
			p.Env, p.Transport = environment(append(slices.Clone(env), c.more...)), tenant.Transport()
		}, strings.Fields("doctor "+c.args)...)
		for _, said := range c.says {
			if !strings.Contains(stdout+stderr, said) || status != c.status {
				t.Errorf("%s: exit status %d, %q is not said: %s%s", name, status, said, stdout, stderr)
			}
		}
	}
}

// TestDoctorContracts: programs read JSON and CSV, in no language.
func TestDoctorContracts(t *testing.T) {
	t.Parallel()
	for _, format := range []screen.Format{screen.JSON, screen.CSV} {
		var said [2]string
		for i, l := range languages() {
			p := newInpatient()
			sick(p)
			ill(p)
			_, said[i], _ = visit(t, p, l, func(_ *examined, c *call) { c.format = format })
		}
		if said[0] != said[1] {
			t.Errorf("%s depends on the language", format)
		}
		goldentest.Compare(t, "doctor."+string(format), said[0])
	}
}

// TestOneAppNamedTwice: the app that both parameters name is not taken for a reader.
func TestOneAppNamedTwice(t *testing.T) {
	t.Parallel()
	d := deploymentOf(&account.Account{}, &stack.Stack{Parameters: map[string]string{"ClientId": "one", "StamperClientId": "one"}})
	if d.Reader != "one" || d.Stamper != "" {
		t.Errorf("the reader is %q, the stamper %q", d.Reader, d.Stamper)
	}
}

// TestDoctorFix mends all that it promises in one go, and the second look finds nothing of it.
func TestDoctorFix(t *testing.T) {
	t.Parallel()
	p := newInpatient()
	sick(p)
	fix := func(x *examined, _ *call) { x.fix = true }
	decline := func(x *examined, c *call) { x.fix, c.Stdin = true, strings.NewReader("\n") }
	if status, _, stderr := visit(t, p, language.English, decline); status != wrong || len(p.calls) > 0 {
		t.Errorf("declined: exit status %d, %v, %s", status, p.calls, stderr)
	}
	_, stdout, stderr := visit(t, p, language.English, fix)
	goldentest.Compare(t, "doctor-fix.en.txt", stderr+stdout)
	want := []string{
		"disown stamper-id u1", "disown stamper-id u2", "distrust stamper-id ci", "grant reader-id Domain.Read.All", "order {\"full\":true}", "password reader-id k-1", "protect",
		"schedule KeeperSchedule", "schedule SweeperSchedule", "trust reader-id sessionstamp-sweeper", "withdraw reader-id " + revoke,
	}
	slices.Sort(p.calls)
	if diff := cmp.Diff(want, p.calls); diff != "" {
		t.Error(diff)
	}
	if status, again, _ := visit(t, p, language.Japanese, fix); status != fine || len(p.calls) != len(want) {
		t.Errorf("a second time: exit status %d, %s", status, again)
	}
	if status, _, stderr := play(t.Context(), nil, "doctor", "--fix", "--demo"); status != wrongUse || !strings.Contains(stderr, "--yes") {
		t.Errorf("without a person: exit status %d, %s", status, stderr)
	}
}

// TestCopied: a command that is too wide is one command still; on Windows it stays on its line.
func TestCopied(t *testing.T) {
	t.Parallel()
	const command = "aws logs tail /aws/lambda/sessionstamp-receiver --region ap-northeast-1 --since 24h"
	for system, want := range map[string]string{
		"linux": "    aws logs tail /aws/lambda/sessionstamp-receiver --region ap-northeast-1 \\\n      --since 24h", "windows": "    " + command,
	} {
		c := &call{}
		c.System, c.Out.Columns = system, screen.Columns
		var got []string
		for _, l := range c.copied(command) {
			got = append(got, l.text)
		}
		if strings.Join(got, "\n") != want {
			t.Errorf("%s: %q", system, got)
		}
	}
}

// TestRefusedOf: whose posts come again was not refused.
func TestRefusedOf(t *testing.T) {
	t.Parallel()
	p := newInpatient()
	ill(p)
	if got := refusedOf(t.Context(), examined{asks: p}, at); !slices.Equal(got, []string{"kc", "kc", "gone"}) {
		t.Errorf("refused were %q", got)
	}
}
