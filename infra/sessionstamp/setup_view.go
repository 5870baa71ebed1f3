package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/census"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/setup"
	"github.com/sessionstamp/sessionstamp/shared/aws/stack"
	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// planned is the JSON of a plan.
type planned struct {
	Stack    string           `json:"stack"`
	Account  string           `json:"account"`
	Region   string           `json:"region"`
	Tenant   string           `json:"tenant,omitempty"`
	Version  string           `json:"version"`
	Exists   bool             `json:"exists"`
	Settings []plannedSetting `json:"settings"`
}

// plannedSetting is one parameter of the template. A value that is not known yet is empty.
type plannedSetting struct {
	Name  string       `json:"name"`
	Value string       `json:"value"`
	From  setup.Source `json:"from"`
	Old   *string      `json:"old,omitempty"`
}

// flagOf is the flag that changes a setting.
var flagOf = map[string]string{
	"AuthMode": "--auth", "FederatedDomains": "--domain", "ExcludedUsers": "--exclude", "ExcludedUpnPatterns": "--exclude",
	"ExcludedGroups": "--exclude-group", "NewUserWindowHours": "--from", "StampsPerDay": "--stamps-per-day", "DryRun": "--observe", "SignalMode": "--signals",
	"AlarmsTo": "--alarms", "PermissionsBoundaryArn": "--boundary", "KmsKeyArn": "--kms-key", "ClientId": "--one-app",
	"TenantId": "--tenant", "Cloud": "--cloud",
}

// shownAlways are the settings that a person wants to see even if nobody has chosen them.
var shownAlways = []string{"TenantId", "AuthMode", "FederatedDomains", "ExcludedUsers", "StampsPerDay", "DryRun", "AlarmsTo"}

// planView shows each value, where it is from, and what changes it.
func (c *call) planView(s session, p setup.Plan) view {
	v := view{before: c.planLines(s, p), object: plannedOf(p)}
	v.table.Columns = []screen.Column{{}, {Title: c.say("setup.column_value")}, {Title: c.say("setup.column_from")}, {Title: c.say("setup.column_flag")}}
	add := func(name language.Key, value, from, flag string) {
		v.table.Rows = append(v.table.Rows, []string{c.say(name), value, from, flag})
	}
	if s.facts.AWS.ID != "" {
		add("setup_value.place", p.Account+" "+p.Region, s.facts.AWS.RegionFrom, "--region")
		add("setup_value.stack", p.Stack, map[bool]string{true: c.say("setup_from.stack"), false: c.say("setup_from.made")}[p.Exists], "--stack")
	}
	for _, value := range p.Values {
		if value.Value != "" || value.Changes || value.From == setup.ToBeMade || value.From == setup.ToBeSaid && value.Name != "Cloud" || slices.Contains(shownAlways, value.Name) {
			add(language.Key("setup_value."+value.Name), c.settingOf(value), c.say(language.Key("setup_from."+value.From)), flagOf[value.Name])
		}
	}
	v.sheet = planSheet(p)
	v.after = c.changeLines(p)
	v.after = append(v.after, c.detailLines(s.facts.Tenant, p)...)
	v.after = append(v.after, c.noticeLines(p)...)
	if s.lacks != nil {
		v.after = append(v.after, line{text: "! " + sentence(c.lang, s.lacks), colour: screen.Notice, hang: 2})
	}
	if s.settled {
		v.after = append(v.after, line{text: "✓ " + c.say("setup.nothing"), colour: screen.Good})
	}
	v.next = []hint{{c.again("--plan"), "hint.setup"}}
	return v
}

func (c *call) planLines(s session, p setup.Plan) (lines []line) {
	if s.entraAs != "" {
		lines = append(lines, line{text: "✓ Entra  " + s.entraAs, colour: screen.Good})
	}
	if s.facts.AWS.Caller != "" {
		lines = append(lines, line{text: "✓ AWS    " + s.facts.AWS.Caller, colour: screen.Good, hang: 9})
	}
	if s.facts.Tenant.Users != nil {
		found := census.Take(s.facts.Tenant.Domains, s.facts.Tenant.Users, c.Now())
		lines = append(lines, line{text: c.sayN("check.count", found.Members.Without, language.Number(found.Members.All()))})
	}
	key := language.Key("setup.plan_new")
	switch {
	case p.Mandate == setup.EntraHalf:
		key = "setup.plan_entra"
	case s.settled:
		key = "setup.plan_same"
	case p.Exists:
		key = "setup.plan_change"
	}
	return append(lines, line{}, line{text: c.say(key, p.Version), colour: screen.Strong})
}

// changeLines say in full what is changed, of which a table may show the beginning only.
func (c *call) changeLines(p setup.Plan) (lines []line) {
	for _, v := range p.Values {
		if v.Changes {
			lines = append(lines, line{text: c.say("setup.changes", c.say(language.Key("setup_value."+v.Name)), c.readable(v.Name, v.Old), c.shownNow(v)), colour: screen.Strong, hang: 2})
		}
		if v.Changes && v.Value == string(stack.SignalsEnforced) {
			lines = append(lines, line{text: "! " + c.say("setup.signals_from_now", p.Stack), colour: screen.Notice, hang: 2})
		}
	}
	if len(lines) > 0 {
		lines = append([]line{{}}, lines...)
	}
	return lines
}

// detailLines say in full what a person has to agree to: whom nobody stamps, and what each app
// may.
func (c *call) detailLines(t setup.Tenant, p setup.Plan) (lines []line) {
	lines = append(lines, line{})
	if ids := p.Parameters()["ExcludedUsers"]; ids != "" {
		names := setup.Entries(ids)
		for i, id := range names {
			if at := slices.IndexFunc(t.Users, func(u directory.User) bool { return u.ID == id }); at >= 0 {
				names[i] = t.Users[at].UserPrincipalName
			}
		}
		lines = append(lines, line{text: c.say("setup.never", c.some(names)), hang: 2})
	}
	for _, app := range p.Apps {
		lines = append(lines, line{text: c.say("setup.may", app.DisplayName, strings.Join(app.Rights, ", ")), hang: 2})
	}
	if p.Mandate == setup.EntraHalf {
		lines = append(lines, line{text: c.say("setup.trusts", p.Account, p.Stack, p.Issuer), hang: 2}, line{})
	}
	return lines
}

func (c *call) noticeLines(p setup.Plan) (lines []line) {
	if p.Issuer == "" && p.Mandate != setup.EntraHalf && p.Mode == "web-identity" {
		lines = append(lines, line{text: c.say("setup.issuer_off"), hang: 2})
	}
	for _, n := range p.Notices {
		args := slices.Clone(n.Args)
		for i, arg := range args {
			if names, many := arg.([]string); many {
				args[i] = c.some(names)
			}
		}
		lines = append(lines, line{text: "! " + c.say(language.Key("setup_notice."+n.Key), args...), colour: screen.Notice, hang: 2})
	}
	return lines
}

// settingOf writes a value for eyes: a list of IDs as how many, and a change with a mark.
func (c *call) settingOf(v setup.Value) string {
	now := c.shownNow(v)
	if v.Changes {
		return "→ " + short(now)
	}
	return now
}

func (c *call) shownNow(v setup.Value) string {
	switch {
	case v.From == setup.ToBeMade:
		return c.say("setup.to_be_made")
	case v.From == setup.ToBeSaid && v.Value == "":
		return c.say("setup.to_be_said")
	}
	return c.readable(v.Name, v.Value)
}

// short leaves the beginning of an ID: what is changed stands below in full.
func short(value string) string {
	if directory.IsID(value) {
		return value[:8] + "…"
	}
	return value
}

func (c *call) readable(name, value string) string {
	switch {
	case value == "" && name == "FederatedDomains":
		return c.say("setup.all_domains")
	case value == "":
		return c.say("none")
	case value == "0" && name == "StampsPerDay":
		return c.say("setup.brake")
	case name == "ExcludedUsers" || name == "ExcludedGroups":
		return c.say("setup.ids", len(setup.Entries(value)))
	case name == "SignalMode":
		return value + c.say(language.Key("setup.signals_"+value))
	}
	return value
}

func plannedOf(p setup.Plan) planned {
	object := planned{Stack: p.Stack, Account: p.Account, Region: p.Region, Tenant: p.Tenant, Version: p.Version, Exists: p.Exists, Settings: []plannedSetting{}}
	for _, v := range p.Values {
		setting := plannedSetting{Name: v.Name, Value: v.Value, From: v.From}
		if v.Changes {
			setting.Old = &v.Old
		}
		object.Settings = append(object.Settings, setting)
	}
	return object
}

func planSheet(p setup.Plan) screen.Table {
	sheet := screen.Table{Columns: []screen.Column{{Title: "name"}, {Title: "value"}, {Title: "from"}, {Title: "old"}}}
	for _, v := range p.Values {
		sheet.Rows = append(sheet.Rows, []string{v.Name, v.Value, string(v.From), v.Old})
	}
	return sheet
}

// tellView writes a view to standard error, where questions are, without what comes next.
func (c *call) tellView(v view) {
	var out strings.Builder
	paintOn(c.Err, &out, v.before)
	_ = v.table.WriteText(&out, c.Err.Columns) // a strings.Builder takes everything
	paintOn(c.Err, &out, v.after)
	_, _ = fmt.Fprint(c.Stderr, out.String())
}

// setUp is the JSON of a setup that is done.
type setUp struct {
	planned
	// Line is what the other person needs.
	Line    string        `json:"line,omitempty"`
	Preview *setupPreview `json:"preview,omitempty"`
}

// doneView says what runs now, whom it will stamp, and what a person has still to do.
func (c *call) doneView(ctx context.Context, o settingUp, s session, done setup.Result) view {
	object := setUp{planned: plannedOf(done.Plan), Line: done.Request + done.Answer}
	if object.Line != "" {
		return c.lineView(object, o.entra)
	}
	p := done.Plan
	lines := []line{{text: "✓ " + c.say("setup.runs", p.Version, p.Stack, p.Account, p.Region), colour: screen.Good, hang: 2}}
	preview, err := s.preview(ctx)
	switch {
	case err != nil:
		c.status = wrong
		lines = append(lines, line{text: "! " + c.say("setup.no_preview"), colour: screen.Notice, hang: 2})
	default:
		object.Preview = &preview
		lines = append(lines, line{text: c.say("setup.preview", language.Number(preview.New), language.Number(preview.Existing)), hang: 2})
	}
	values := p.Parameters()
	if values["DryRun"] == "true" {
		lines = append(lines, line{text: "! " + c.say("setup.observes"), colour: screen.Notice, hang: 2})
	}
	next := []hint{{"doctor" + o.given(), "hint.setup_doctor"}}
	if preview.Existing > 0 {
		next = append(next, hint{"stamp --all" + o.named(), "hint.setup_stamp"})
	}
	v := view{before: append(lines, line{}), next: next, object: object, sheet: planSheet(p)}
	if to, now := values["AlarmsTo"], changes(p, "AlarmsTo"); now && strings.Contains(to, "@") {
		v.step = c.say("setup.confirm", to)
	}
	return v
}

// changes tells whether a value is another one than before.
func changes(p setup.Plan, name string) bool {
	return !p.Exists || slices.ContainsFunc(p.Values, func(v setup.Value) bool { return v.Name == name && v.Changes })
}

// lineView shows the line for the other person.
func (c *call) lineView(object setUp, fromEntra bool) view {
	key, label, next := language.Key("setup.line_to_entra"), "sessionstamp setup --entra ", hint{c.again("--plan"), "hint.setup_aws"}
	if fromEntra {
		key, label, next = "setup.line_to_aws", "sessionstamp setup --aws ", hint{"help setup", "hint.setup_help"}
	}
	return view{
		before: []line{{text: "✓ " + c.say(key), colour: screen.Good, hang: 2}, {}, {text: label + object.Line, whole: true}, {}},
		next:   []hint{next}, object: object,
		sheet: screen.Table{Columns: []screen.Column{{Title: "line"}}, Rows: [][]string{{object.Line}}},
	}
}

// undoLines say what an undo takes away.
func (c *call) undoLines(o settingUp, s session) (lines []line) {
	d := s.deployment
	lines = append(lines, line{text: c.say("setup.undoes", d.Stack, d.Account, d.Region), colour: screen.Strong})
	if !o.entra {
		lines = append(lines, line{text: "  " + c.say("setup.undoes_stack", d.Stack), hang: 2})
	}
	if s.stored != "" {
		lines = append(lines, line{text: "  " + c.say("setup.undoes_secret", d.SecretName()), hang: 2})
	}
	if n := len(s.signals); n > 0 {
		lines = append(lines, line{text: "  " + c.sayN("setup.undoes_signals", n, stack.SignalSecret(d.Stack, "…")), hang: 2})
	}
	for _, name := range []string{"reader", "stamper"} {
		if app, found := s.facts.Tenant.Apps[d.UniqueName(name)]; found {
			lines = append(lines, line{text: "  " + c.say("setup.undoes_app", app.DisplayName), hang: 2})
		}
	}
	if o.entra {
		return lines
	}
	if o.aws {
		lines = append(lines, line{text: c.say("setup.undo_apps"), hang: 2})
	}
	if len(s.signals) > 0 {
		lines = append(lines, line{text: "! " + c.say("setup.undo_streams"), colour: screen.Notice, hang: 2})
	}
	return append(lines, line{text: c.say("setup.undo_keeps"), hang: 2})
}

// nothing tells whether an undo finds nothing.
func (s session) nothing() bool {
	return s.facts.AWS.Stack.Status == "" && s.stored == "" && len(s.signals) == 0 && len(s.facts.Tenant.Apps) == 0
}

// nothingView names where nothing was found: a wrong name or region looks the same.
func (c *call) nothingView(s session) view {
	d := s.deployment
	return view{
		before: []line{{text: c.say("setup.nothing_to_undo")}, {text: c.say("setup.looked_for", d.Stack, d.Account, d.Region), colour: screen.Faint}, {}},
		next:   []hint{{"check", "hint.check"}},
		object: removed{Stack: d.Stack, Account: d.Account, Region: d.Region, Kept: []string{}},
		sheet:  screen.Table{Columns: []screen.Column{{Title: "kind"}, {Title: "name"}}},
	}
}

// removed is the JSON of an undo.
type removed struct {
	Stack   string   `json:"stack"`
	Account string   `json:"account"`
	Region  string   `json:"region"`
	Kept    []string `json:"kept"`
	// Line is what the person of Entra needs, where the apps stay.
	Line string `json:"line,omitempty"`
}

// undoneView names what is left, and the commands that delete it.
func (c *call) undoneView(o settingUp, s session, left []setup.Leftover) view {
	d := s.deployment
	object := removed{Stack: d.Stack, Account: d.Account, Region: d.Region, Kept: []string{}}
	key := language.Key("setup.undone")
	if o.entra {
		key = "setup.undone_apps"
	}
	lines := []line{{text: "✓ " + c.say(key, d.Stack), colour: screen.Good, hang: 2}}
	if len(left) > 0 {
		lines = append(lines, line{text: c.say("setup.kept"), hang: 2})
	}
	sheet := screen.Table{Columns: []screen.Column{{Title: "kind"}, {Title: "name"}}}
	for _, one := range left {
		object.Kept = append(object.Kept, one.Name)
		sheet.Rows = append(sheet.Rows, []string{string(one.Kind), one.Name})
		for _, command := range deleting(one) {
			lines = append(lines, line{text: "  " + command + " --region " + d.Region, whole: true})
		}
	}
	if s.uploads != "" {
		lines = append(lines, line{text: c.say("setup.uploads_stay"), hang: 2}, line{text: "  aws s3 rm --recursive s3://" + s.uploads + "/" + d.Stack + "/", whole: true})
	}
	if !o.entra {
		lines = append(lines, line{text: c.say("setup.issuer_stays"), hang: 2}, line{text: "  aws iam disable-outbound-web-identity-federation", whole: true})
	}
	if o.aws {
		object.Line = d.RemovalLine()
		sheet.Rows = append(sheet.Rows, []string{"line", object.Line})
		lines = append(lines, line{}, line{text: "! " + c.say("setup.apps_stay", d.UniqueName("")+"…"), colour: screen.Notice, hang: 2},
			line{text: "  sessionstamp setup --undo --entra " + object.Line, whole: true})
	}
	return view{before: append(lines, line{}), next: []hint{{"users", "hint.users"}}, object: object, sheet: sheet}
}

// deleting are the commands that delete what is kept.
func deleting(left setup.Leftover) []string {
	if left.Kind == setup.Log {
		return []string{"aws logs delete-log-group --log-group-name " + left.Name}
	}
	return []string{
		"aws dynamodb update-table --no-deletion-protection-enabled --table-name " + left.Name,
		"aws dynamodb delete-table --table-name " + left.Name,
	}
}
