package setup

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

const (
	tenant        = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
	administrator = "1f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
)

func user(n int, name string) directory.User {
	return directory.User{ID: fmt.Sprintf("10000000-0000-0000-0000-%012d", n), UserPrincipalName: name, UserType: "Member", StampKnown: true}
}

// facts are those of a tenant and an account in which nothing is set up.
func facts() Facts {
	return Facts{
		Tenant: Tenant{
			ID: tenant, Person: administrator, Cloud: "global", Audience: "api://AzureADTokenExchange",
			Domains: []directory.Domain{{Name: "example.co.jp", Federated: true, Verified: true}, {Name: "contoso.onmicrosoft.com", Verified: true}},
			Users:   []directory.User{user(1, "taro@example.co.jp"), user(2, "svc-mail@example.co.jp"), user(3, "breakglass1@contoso.onmicrosoft.com")},
			Groups:  map[string][]directory.Group{"VIP": {{ID: tenant}}, "twice": {{}, {}}, "hidden": {{ID: tenant, HiddenMembers: true}}},
		},
		AWS: Account{ID: "123456789012", Partition: "aws", Region: "ap-northeast-1", RegionFrom: "~/.aws/config", Concurrency: 1000},
	}
}

func wish() Wishes { return Wishes{Stack: "sessionstamp", Version: "0.1.0"} }

func running(parameters map[string]string) Stack {
	return Stack{ID: "s", Status: "CREATE_COMPLETE", Ours: true, Version: "0.1.0", Parameters: parameters}
}

func get(p Plan, name string) Value {
	return p.Values[slices.IndexFunc(p.Values, func(v Value) bool { return v.Name == name })]
}

// TestSources: each value comes from where it should, and a change is told.
func TestSources(t *testing.T) {
	t.Parallel()
	oneApp := map[string]string{authMode: "web-identity", stamperClientID: ""}
	old := map[string]string{stampsPerDay: "300", excludedUsers: user(1, "").ID, federatedDomains: "", clientID: tenant}
	for name, c := range map[string]struct {
		stack   map[string]string
		wishes  func(*Wishes)
		of      string
		want    string
		from    Source
		old     string
		changes bool
	}{
		"default": {of: newUserWindow, want: "72", from: FromDefault},
		"flag":    {of: stampsPerDay, want: "50", from: FromFlag, wishes: func(w *Wishes) { w.Flags = map[string]string{stampsPerDay: "50"} }},
		"flag before file": {of: stampsPerDay, want: "50", from: FromFlag, wishes: func(w *Wishes) {
			w.Flags = map[string]string{stampsPerDay: "50"}
			w.File = map[string]string{stampsPerDay: "60"}
		}},
		"file before stack":  {stack: old, of: stampsPerDay, want: "60", from: FromFile, old: "300", changes: true, wishes: func(w *Wishes) { w.File = map[string]string{stampsPerDay: "60"} }},
		"stack":              {stack: old, of: stampsPerDay, want: "300", from: FromStack},
		"emergency":          {of: excludedUsers, want: user(3, "").ID, from: FromTenant},
		"emergency stays":    {of: excludedUsers, want: user(1, "").ID + "," + user(3, "").ID, from: FromFlag, wishes: func(w *Wishes) { w.Excluded = []string{"Taro@example.co.jp"} }},
		"nobody":             {of: excludedUsers, want: "", from: FromFlag, wishes: func(w *Wishes) { w.Excluded = []string{"none"} }},
		"stack's exclusions": {stack: old, of: excludedUsers, want: user(1, "").ID, from: FromStack},
		"one more":           {stack: old, of: excludedUsers, want: user(1, "").ID + "," + user(2, "").ID, from: FromFlag, old: user(1, "").ID, changes: true, wishes: func(w *Wishes) { w.Excluded = []string{"svc-mail@example.co.jp"} }},
		"one that is there":  {stack: old, of: excludedUsers, want: user(1, "").ID, from: FromStack, wishes: func(w *Wishes) { w.Excluded = []string{"taro@example.co.jp"} }},
		"one more by a file": {of: excludedUsers, want: user(1, "").ID + "," + user(2, "").ID, from: FromFlag, wishes: func(w *Wishes) {
			w.Excluded, w.File = []string{"svc-mail@example.co.jp"}, map[string]string{excludedUsers: user(1, "").ID}
		}},
		"patterns stay":   {stack: map[string]string{excludedPatterns: "svc-*@example.co.jp"}, of: excludedPatterns, want: "svc-*@example.co.jp", from: FromStack, wishes: func(w *Wishes) { w.Excluded = []string{"taro@example.co.jp"} }},
		"patterns too":    {stack: map[string]string{excludedPatterns: "svc-*@example.co.jp"}, of: excludedPatterns, want: "", from: FromFlag, old: "svc-*@example.co.jp", changes: true, wishes: func(w *Wishes) { w.Excluded = []string{"none"} }},
		"another group":   {stack: map[string]string{excludedGroups: user(1, "").ID}, of: excludedGroups, want: tenant + "," + user(1, "").ID, from: FromFlag, old: user(1, "").ID, changes: true, wishes: func(w *Wishes) { w.ExcludedGroups = []string{"VIP"} }},
		"no group":        {stack: map[string]string{excludedGroups: user(1, "").ID}, of: excludedGroups, want: "", from: FromFlag, old: user(1, "").ID, changes: true, wishes: func(w *Wishes) { w.ExcludedGroups = []string{"none"} }},
		"pattern":         {of: excludedPatterns, want: "svc-*@example.co.jp", from: FromFlag, wishes: func(w *Wishes) { w.Excluded = []string{"svc-*@example.co.jp"} }},
		"group":           {of: excludedGroups, want: tenant, from: FromFlag, wishes: func(w *Wishes) { w.ExcludedGroups = []string{"VIP"} }},
		"signals":         {stack: old, of: signalMode, want: "report", from: FromDefault},
		"no signals":      {of: signalMode, want: "off", from: FromFlag, wishes: func(w *Wishes) { w.Flags = map[string]string{signalMode: "off"} }},
		"tenant":          {of: tenantID, want: tenant, from: FromTenant},
		"app to be made":  {of: stamperClientID, want: "", from: ToBeMade},
		"an earlier name": {stack: map[string]string{"AlarmEmail": "ops@example.com", "AlarmTopicArn": ""}, of: alarmsTo, want: "ops@example.com", from: FromStack},
		"one app stays":   {stack: oneApp, of: stamperClientID, want: "", from: FromDefault},
		"one app no more": {stack: oneApp, of: stamperClientID, want: "", from: ToBeMade, wishes: func(w *Wishes) { w.Apps = 2 }},
		"Entra is asked":  {stack: old, of: clientID, want: tenant, from: ToBeSaid, wishes: func(w *Wishes) { w.Mandate = AWSFirst }},
		"another app's secret": {
			stack: map[string]string{authMode: "client-secret", clientID: tenant, credentialSecret: "arn"},
			of:    credentialSecret, want: "", from: ToBeMade, old: "arn", changes: true,
		},
		"an app made by hand": {stack: old, of: clientID, want: "", from: ToBeMade, old: tenant, changes: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, w := facts(), wish()
			if c.stack != nil {
				f.AWS.Stack = running(c.stack)
			}
			if c.wishes != nil {
				c.wishes(&w)
			}
			p, problems := Make(f, w)
			want := Value{Name: c.of, Value: c.want, From: c.from, Old: c.old, Changes: c.changes}
			if diff := cmp.Diff(want, get(p, c.of)); diff != "" || len(problems) > 0 {
				t.Error(problems, diff)
			}
		})
	}
}

// TestElsewhere: a second stack for the same tenant is told of.
func TestElsewhere(t *testing.T) {
	t.Parallel()
	f := facts()
	f.AWS.Others = map[string]string{"sessionstamp": tenant, "first": strings.ToUpper(tenant), "theirs": user(1, "").ID, "none": ""}
	p, problems := Make(f, wish())
	if diff := cmp.Diff([]Problem{problem("other_stack", "first")}, p.Notices); diff != "" || len(problems) > 0 {
		t.Error(problems, diff)
	}
}

// TestUnprotected: whoever loses protection is named, however it is lost.
func TestUnprotected(t *testing.T) {
	t.Parallel()
	old := map[string]string{excludedUsers: user(3, "").ID, excludedPatterns: "svc-*@example.co.jp", excludedGroups: tenant}
	for name, c := range map[string]struct {
		stack  map[string]string
		wishes func(*Wishes)
		key    string
		want   []string
	}{
		"added": {old, func(w *Wishes) { w.Excluded = []string{"taro@example.co.jp"} }, "", nil},
		"none":  {old, func(w *Wishes) { w.Excluded = []string{"none"} }, "unprotected", []string{"svc-mail@example.co.jp", "breakglass1@contoso.onmicrosoft.com"}},
		"file":  {old, func(w *Wishes) { w.File = map[string]string{excludedUsers: user(1, "").ID} }, "unprotected", []string{"breakglass1@contoso.onmicrosoft.com"}},
		"still by ID": {old, func(w *Wishes) {
			w.File = map[string]string{excludedUsers: user(2, "").ID + "," + user(3, "").ID, excludedPatterns: ""}
		}, "", nil},
		"group":        {old, func(w *Wishes) { w.ExcludedGroups = []string{"none"} }, "unprotected", []string{tenant}},
		"from nothing": {nil, func(w *Wishes) { w.Excluded = []string{"none"} }, "emergency", []string{"breakglass1@contoso.onmicrosoft.com"}},
		"AWS alone":    {old, func(w *Wishes) { w.Excluded, w.Mandate = []string{"none"}, AWSFirst }, "unprotected", []string{user(3, "").ID, "svc-*@example.co.jp"}},
	} {
		f, w := facts(), wish()
		if c.stack != nil {
			f.AWS.Stack = running(c.stack)
		}
		if c.wishes(&w); w.Mandate == AWSFirst {
			f.Tenant = Tenant{}
		}
		p, problems := Make(f, w)
		var want []Problem
		if c.key != "" {
			want = []Problem{problem(c.key, c.want)}
		}
		if diff := cmp.Diff(want, p.Notices); diff != "" || len(problems) > 0 {
			t.Errorf("%s: %v %s", name, problems, diff)
		}
	}
}

// TestProblems: what cannot work is refused before anything is done.
func TestProblems(t *testing.T) { //nolint:funlen // a table
	t.Parallel()
	flag := func(name, value string) func(*Facts, *Wishes) {
		return func(_ *Facts, w *Wishes) { w.Flags = map[string]string{name: value} }
	}
	exclude := func(names ...string) func(*Facts, *Wishes) {
		return func(_ *Facts, w *Wishes) { w.Excluded = names }
	}
	groups := func(names ...string) func(*Facts, *Wishes) {
		return func(_ *Facts, w *Wishes) { w.ExcludedGroups = names }
	}
	for name, c := range map[string]struct {
		change func(*Facts, *Wishes)
		want   string
	}{
		"none and more":          {func(_ *Facts, w *Wishes) { w.Excluded = []string{"none", "svc-*@example.co.jp"} }, "none_alone"},
		"no group and more":      {func(_ *Facts, w *Wishes) { w.ExcludedGroups = []string{"none", tenant} }, "none_alone"},
		"several in one pattern": {exclude("a@example.co.jp;b@example.co.jp"), "pattern"},
		"a comma in a pattern":   {exclude("a@example.co.jp,b@example.co.jp"), "pattern"},
		"a regular expression":   {exclude(`svc-.*@example\.co\.jp`), "pattern"},
		"everybody":              {exclude("*"), "pattern"},
		"excludes nobody":        {exclude("hanako@example.co.jp"), "nobody"},
		"an ID of nobody":        {exclude(tenant), "nobody"},
		"a pattern of nobody":    {exclude("adm-*@example.co.jp"), "nobody"},
		"file excludes nobody":   {func(_ *Facts, w *Wishes) { w.File = map[string]string{excludedUsers: tenant} }, "nobody"},
		"no group":               {groups("Nobody"), "no_group"},
		"two groups":             {groups("twice"), "groups"},
		"a hidden group":         {groups("hidden"), "group_hidden"},
		"no federated domain":    {func(f *Facts, _ *Wishes) { f.Tenant.Domains = f.Tenant.Domains[1:] }, "not_federated"},
		"a domain of others":     {flag(federatedDomains, "example.com"), "domain"},
		"domains with ;":         {flag(federatedDomains, "example.co.jp;example.com"), "value"},
		"stamps":                 {flag(stampsPerDay, "many"), "value"},
		"window":                 {flag(newUserWindow, "0"), "value"},
		"alarms":                 {flag(alarmsTo, "ops"), "value"},
		"signals":                {flag(signalMode, "on"), "value"},
		"streams would stay":     {func(f *Facts, _ *Wishes) { f.AWS.Streams = []string{"SSO"} }, "streams"},
		"boundary":               {flag(permissionsBounds, "Boundary"), "value"},
		"an alias of a key":      {flag(kmsKey, "arn:aws:kms:ap-northeast-1:123456789012:alias/a"), "value"},
		"a key that is not ours": {func(_ *Facts, w *Wishes) { w.File = map[string]string{clientID: tenant} }, "file_key"},
		"certificate":            {flag(authMode, "certificate"), "certificate"},
		"secret between two":     {func(f *Facts, w *Wishes) { w.Flags, w.Mandate = map[string]string{authMode: "client-secret"}, AWSFirst }, "mode_shared"},
		"another mode":           {flag(authMode, "password"), "mode"},
		"concurrency":            {func(f *Facts, _ *Wishes) { f.AWS.Concurrency = 4 }, "concurrency"},
		"name":                   {func(_ *Facts, w *Wishes) { w.Stack = "my_stack" }, "stack_name"},
		"names of roles":         {func(_ *Facts, w *Wishes) { w.Stack = strings.Repeat("s", 41) }, "stack_long"},
		"another's stack":        {func(f *Facts, _ *Wishes) { f.AWS.Stack = Stack{Status: "CREATE_COMPLETE"} }, "stack_other"},
		"a log is left": {func(f *Facts, _ *Wishes) {
			f.AWS.Leftovers = []Leftover{{Log, "/aws/lambda/sessionstamp-stamper", false}}
		}, "log_left"},
		"a log is in the way of another attempt": {func(f *Facts, _ *Wishes) {
			f.AWS.Stack = Stack{Status: "ROLLBACK_COMPLETE", Ours: true}
			f.AWS.Leftovers = []Leftover{{Log, "/aws/lambda/sessionstamp-stamper", false}}
		}, "log_left"},
		"another tenant's": {func(f *Facts, _ *Wishes) { f.AWS.Stack = running(map[string]string{tenantID: user(1, "").ID}) }, "tenant_other"},
		"a newer one runs": {func(f *Facts, _ *Wishes) { f.AWS.Stack = running(nil); f.AWS.Stack.Version = "0.1.1" }, "newer"},
		"groups were not asked for": {func(f *Facts, w *Wishes) {
			f.Tenant = Tenant{}
			w.Mandate, w.ExcludedGroups = AWSLast, []string{tenant}
		}, "line_groups"},
		"a tenant by its name": {func(f *Facts, _ *Wishes) { f.Tenant.ID = "contoso.onmicrosoft.com" }, "value"},
		"no region":            {func(f *Facts, _ *Wishes) { f.AWS.Region = "" }, "no_region"},
		"app of another":       {otherApp, "app_other"},
		"another's secret":     {otherApp, "app_credentials"},
		"another's app":        {otherApp, "app_owners"},
		"a hidden secret":      {otherApp, "app_principal"},
		"no app of the stack":  {func(f *Facts, w *Wishes) { otherApp(f, w); f.AWS.Stack = running(map[string]string{clientID: tenant}) }, "app_owners"},
		"too long for Lambda":  {func(_ *Facts, w *Wishes) { w.File = map[string]string{excludedPatterns: strings.Repeat("é", 600)} }, "pattern"},
		"a secret with our name, where we make none": {found(directory.App{Credentials: []directory.AppCredential{{Name: ourDeployment.CredentialName()}}}), "app_credentials"},
		"our role, by another issuer": {found(directory.App{Federated: []directory.FederatedCredential{
			{Name: "sessionstamp-keeper", Issuer: "https://example.com", Subject: "arn:aws:iam::123456789012:role/sessionstamp-keeper-ap-northeast-1"},
		}}), "app_other"},
		"a quote in an address": {flag(alarmsTo, `ops"@example.com"`), "value"},
		"a control character":   {flag(alarmsTo, "ops\x01@example.com"), "value"},
		"no UTF-8":              {flag(excludedPatterns, "svc-\xff*@example.com"), "pattern"},
		"group by name, AWS alone": {func(f *Facts, w *Wishes) {
			f.Tenant = Tenant{}
			w.Mandate = AWSFirst
			w.ExcludedGroups = []string{"VIP"}
		}, "group_by_id"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, w := facts(), wish()
			c.change(&f, &w)
			_, problems := Make(f, w)
			if !slices.ContainsFunc(problems, func(p Problem) bool { return p.Key == c.want }) {
				t.Errorf("%v, want %s", problems, c.want)
			}
		})
	}
}

func otherApp(f *Facts, w *Wishes) {
	found(directory.App{Federated: []directory.FederatedCredential{{Name: "x", Subject: "repo:else"}}, Owners: []string{administrator, tenant},
		Credentials: []directory.AppCredential{{Name: "theirs"}, {Name: "sessionstamp", OfPrincipal: true}}})(f, w)
}

var ourDeployment = Deployment{Stack: "sessionstamp", Partition: "aws", Account: "123456789012", Region: "ap-northeast-1"}

// found has the reader's app be there before its deployment.
func found(app directory.App) func(*Facts, *Wishes) {
	return func(f *Facts, w *Wishes) {
		name := Deployment{Stack: w.Stack, Account: f.AWS.ID, Region: f.AWS.Region}.UniqueName("reader")
		f.Tenant.Apps = map[string]directory.App{name: app}
	}
}

// TestFoundApp: what an account's earlier issuer has left is no stranger's.
func TestFoundApp(t *testing.T) {
	t.Parallel()
	f, w := facts(), wish()
	found(directory.App{Federated: []directory.FederatedCredential{
		{Name: "sessionstamp-keeper", Issuer: theIssuer, Subject: "arn:aws:iam::123456789012:role/sessionstamp-keeper-ap-northeast-1"},
	}})(&f, &w)
	if _, problems := Make(f, w); len(problems) > 0 {
		t.Error(problems)
	}
}

// TestRegion: a region that only ~/.aws/config knows is the one that Entra is told, and the
// one that SAM deploys to.
func TestRegion(t *testing.T) {
	t.Parallel()
	p, problems := Make(facts(), wish())
	for _, app := range p.Apps {
		for _, trust := range app.Trusts {
			if !strings.HasPrefix(trust.Subject, "arn:aws:iam::123456789012:role/sessionstamp-") || !strings.HasSuffix(trust.Subject, "-ap-northeast-1") {
				t.Errorf("%s trusts %s", app.UniqueName, trust.Subject)
			}
		}
	}
	if arguments := strings.Join(samArguments(p), " "); len(problems) > 0 || len(p.Apps) != 2 || !strings.Contains(arguments, "--region ap-northeast-1") {
		t.Errorf("%v, %d apps, %s", problems, len(p.Apps), arguments)
	}
}

// TestTemplate: the rules are those of the template, and the plan has its parameters.
func TestTemplate(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var template struct {
		Parameters map[string]struct {
			Default string   `yaml:"Default"`
			Pattern string   `yaml:"AllowedPattern"`
			Values  []string `yaml:"AllowedValues"`
			Longest int      `yaml:"MaxLength"`
			Least   int      `yaml:"MinValue"`
			Most    int      `yaml:"MaxValue"`
		} `yaml:"Parameters"`
	}
	if err := yaml.Unmarshal(text, &template); err != nil {
		t.Fatal(err)
	}
	for _, p := range parameters {
		if !p.accepts(p.example) {
			t.Errorf("%s: the example is refused", p.name)
		}
		in, ok := template.Parameters[p.name]
		if len(in.Values) > 0 {
			in.Pattern = "^(" + strings.Join(in.Values, "|") + ")$"
		}
		if !ok || in.Pattern != p.pattern || in.Longest != p.longest || in.Least != p.least || in.Most != p.most || in.Default != p.value {
			t.Errorf("%s: the template has %+v, setup %+v", p.name, in, p)
		}
	}
	plan, _ := Make(facts(), wish())
	for _, v := range plan.Values {
		if _, ok := template.Parameters[v.Name]; !ok {
			t.Errorf("the template has no %s", v.Name)
		}
	}
	if len(plan.Values) != len(template.Parameters) {
		t.Errorf("%d values for %d parameters", len(plan.Values), len(template.Parameters))
	}
}

// TestClouds: the same calls grant the same rights in every cloud, and only the audience is
// another, and the partition in AWS's.
func TestClouds(t *testing.T) {
	t.Parallel()
	global, _ := Make(facts(), wish())
	f := facts()
	f.Tenant.Cloud, f.Tenant.Audience = "china", "api://AzureADTokenExchangeChina"
	f.AWS.Partition, f.AWS.Region = "aws-cn", "cn-north-1"
	china, problems := Make(f, wish())
	for i, app := range china.Apps {
		if !slices.Equal(app.Rights, global.Apps[i].Rights) || app.Trusts[0].Audience != f.Tenant.Audience ||
			!strings.HasPrefix(app.Trusts[0].Subject, "arn:aws-cn:iam::123456789012:role/") || !strings.HasSuffix(app.Trusts[0].Subject, "-cn-north-1") {
			t.Errorf("%v, %+v", problems, app)
		}
	}
	if slices.Contains(china.Apps[0].Rights, revoke) || !slices.Contains(china.Apps[1].Rights, revoke) || get(china, cloud).Value != "china" {
		t.Error("the stamper alone may revoke sessions")
	}
}

// TestOurs: those of other deployments at the same app are not ours, however long the names.
func TestOurs(t *testing.T) {
	t.Parallel()
	const most = 90 // characters of a displayName
	long := "sessionstamp-for-a-department-with-a-long-name-"
	d := Deployment{Stack: long + "a", Account: "123456789012", Region: "ap-northeast-1"}
	if name := d.CredentialName(); !d.Ours(name) || len(name) > most || name == d.CredentialName() {
		t.Errorf("%q of %d characters", name, len(name))
	}
	for _, other := range []Deployment{
		{Stack: long + "b", Account: d.Account, Region: d.Region}, {Stack: d.Stack, Account: d.Account, Region: "us-east-1"}, {},
	} {
		if d.Ours(other.CredentialName()) {
			t.Errorf("takes one of %+v for its own", other)
		}
	}
	if d.Ours("") || d.Ours("sessionstamp") {
		t.Error("takes one of other means for its own")
	}
}
