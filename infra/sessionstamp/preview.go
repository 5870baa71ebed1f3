package main

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/job"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// A mission is an errand, and what it means at this moment.
type mission struct {
	errand
	tenant tenant
	plan   job.Plan
	order  job.Order
	missed []miss
	// before is an order that was stopped: a preview tells of it.
	before job.Order
}

// mission finds out what an errand means, and what carries it out. It changes nothing. end
// lets others have the file; it is never nil.
func (c *call) mission(ctx context.Context, t tenant, e errand) (m mission, engine *job.Engine, end func() error, err error) {
	m = mission{errand: e, tenant: t, plan: job.Plan{Verb: e.verb, Made: c.Now().UTC()}}
	if err := c.resolve(ctx, t, &m.exclusions); err != nil {
		return m, nil, noEnd, err
	}
	if engine, end, err = c.engine(ctx, t, m.exclusions, judgesAs(e.stack)); err != nil {
		return m, nil, noEnd, err
	}
	before, found, err := engine.Unfinished(ctx)
	switch {
	case err != nil:
	case e.goOn:
		err = m.takeUp(ctx, engine, before)
	case found && !e.afresh && !e.dryRun:
		err = c.stopped(before)
	default:
		if m.before = before; e.afresh {
			m.before = job.Order{}
		}
		err = c.planNew(ctx, engine, &m)
	}
	return m, engine, end, err
}

func noEnd() error { return nil }

// planNew plans a new order.
func (c *call) planNew(ctx context.Context, engine *job.Engine, m *mission) error {
	wanted, missed, err := c.wanted(ctx, m.tenant, m.errand)
	if m.missed = missed; err != nil || len(wanted.Users) == 0 && wanted.Domain == "" && !wanted.All {
		return err
	}
	if m.plan, err = engine.Plan(ctx, wanted); err != nil {
		return err
	}
	m.spare()
	m.order = m.plan.Order(m.limit)
	m.order.Reason, m.order.Stack = m.reason, m.name
	return m.unmatched()
}

// unmatched refuses a pattern that excludes nobody at all. Names were looked up before; and of
// a few users who are named, a pattern need not mean one.
func (m *mission) unmatched() error {
	if !m.all && m.domain == "" {
		return nil
	}
	users := make([]directory.User, len(m.plan.Users))
	for i, u := range m.plan.Users {
		users[i] = u.User
	}
	patterns := exclusions{users: slices.DeleteFunc(slices.Clone(m.exclusions.users), func(user string) bool { return !isPattern(user) })}
	return patterns.matchesNobody(users)
}

// takeUp makes the order that was stopped this mission's own.
func (m *mission) takeUp(ctx context.Context, engine *job.Engine, before job.Order) (err error) {
	if len(before.Targets) == 0 {
		return nil
	}
	switch {
	case before.Verb != m.verb:
		return misuse("use.other_verb", before.Verb)
	case before.Stack == "" && m.name != "":
		return misuse("use.is_here")
	case before.Stack != m.name:
		return misuse("use.is_stack", argument(before.Stack))
	}
	m.order = before
	if m.plan, err = engine.Continue(ctx, before); err != nil {
		return err
	}
	// Whoever goes on once more must not have to say again who is to be left alone.
	m.order.Exclusions, m.order.ExcludedGroups = m.plan.Exclusions, m.plan.ExcludedGroups
	switch {
	case len(m.order.ExcludedGroups) > maxGroups:
		return misuse("use.too_many_groups", language.Number(maxGroups))
	case !m.dryRun && m.plan.Count(job.Unclear) > 0: // they would be in no number that a person has agreed to
		return failure(nil, "fail.unclear", language.Number(m.plan.Count(job.Unclear)))
	}
	return nil
}

// due is how many people will be signed out.
func (m mission) due() int {
	due := m.plan.Count(job.Due)
	if m.limit > 0 && !m.goOn {
		due = min(due, m.limit)
	}
	return due
}

// over tells that there is nothing to do.
func (m mission) over() bool {
	return len(m.order.Targets) == 0 || !m.goOn && m.due()+m.plan.Count(job.UnderWay) == 0
}

// preview is what a mission would do.
func (c *call) preview(m mission) view {
	v := view{before: c.previewLines(m), object: c.ordered(m, job.Result{}), sheet: m.sheet(job.Result{})}
	if m.dryRun {
		v.before = append(v.before, line{text: c.say("fail.declined")})
	}
	v.before = append(v.before, line{})
	v.next = []hint{{c.again("--dry-run"), language.Key("hint." + m.verb)}}
	if m.over() {
		v.next = []hint{{"users", "hint.users"}, {"check", "hint.check"}}
	}
	return v
}

func (c *call) previewLines(m mission) []line {
	lines := []line{{text: "✓ Entra  " + m.tenant.as, colour: screen.Good}, {text: c.title(m)}}
	lines = append(lines, c.logLines(m)...)
	if others := c.others(m); len(others) > 0 {
		lines = append(lines, line{text: c.say("order.others", c.and(others)), hang: 2})
	}
	if m.verb != job.Stamp && m.plan.Count(job.Guest)+m.plan.Count(job.Managed) > 0 {
		lines = append(lines, line{text: c.say("order.by_design")})
	}
	lines = append(append(lines, c.spared(m)...), c.doubts(0, m.plan.Unreadable)...)
	if m.over() {
		return append(lines, line{text: c.say(m.key("nobody")), colour: screen.Strong})
	}
	if b := m.before; len(b.Targets) > 0 {
		key, args := c.unfinishedOrder(b)
		lines = append(lines, line{text: c.say(key, args...), colour: screen.Notice})
	}
	if n := m.plan.Count(job.UnderWay); n > 0 {
		lines = append(lines, line{text: c.say("order.under_way", language.Number(n))})
	}
	return append(lines, c.dueLines(m)...)
}

// dueLines say what happens to those who are due, from when and until when.
func (c *call) dueLines(m mission) []line {
	due := m.due()
	if due == 0 {
		return nil
	}
	lines := []line{{text: c.sayN(m.key("due"), due), colour: screen.Strong}, c.who(m, due)}
	if left := m.plan.Count(job.Due) - due; left > 0 {
		lines = append(lines, line{text: c.say("order.limited", language.Number(left))})
	}
	lines = append(lines, line{text: c.times(m, job.Duration(due))})
	lines = append(lines, c.doneBy(m)...)
	if m.order.Reason != "" {
		lines = append(lines, line{text: c.say("order.reason", m.order.Reason)})
	}
	if m.verb != job.Stamp {
		lines = append(lines, line{text: c.say("order.tokens")})
	}
	return lines
}

// who names the newest of those who are due: so a person sees that it was the wrong group.
func (c *call) who(m mission, due int) line {
	const most = 10
	var names []string
	for _, u := range m.plan.Users {
		if u.Class == job.Due && len(names) < min(due, most) {
			names = append(names, u.User.UserPrincipalName)
		}
	}
	text := "  " + c.and(names)
	if due > most {
		text += c.say("order.who_more", language.Number(due-most))
	}
	return line{text: text, hang: 2}
}

// times say when so much work begins, how long it takes, and when it is done.
func (c *call) times(m mission, work time.Duration) (text string) {
	now := c.Now()
	if from, _ := m.hours.window(now); from.After(now) {
		text = c.say("order.starts", c.clock(from))
	}
	text += c.say("order.takes", screen.Duration(c.lang, work))
	if m.noWait {
		return text + c.say(map[bool]language.Key{true: "stack.read_later", false: "order.read_later"}[m.stack != nil])
	}
	return text + c.say("order.done_by", c.clock(fullMinute(m.hours.end(now, work).Add(c.lag()))))
}

// fullMinute is the next one: so that nobody waits longer than we said.
func fullMinute(at time.Time) time.Time { return at.Add(time.Minute - 1).Truncate(time.Minute) }

func (c *call) clock(at time.Time) string {
	now := c.Now()
	return screen.Clock(now, at.In(now.Location()))
}

// sayN says a sentence of a number, which may be another one if that is 1.
func (c *call) sayN(key language.Key, n int, args ...any) string {
	if one := key + ".one"; n == 1 && words[one].En != "" {
		key = one
	} else {
		args = append([]any{language.Number(n)}, args...)
	}
	return c.say(key, args...)
}

// key names a sentence that each of the verbs has.
func (m mission) key(name string) language.Key { return language.Key(string(m.verb) + "." + name) }

// title says how many are meant, and how they were named.
func (c *call) title(m mission) string {
	n := language.Number(len(m.plan.Users) + len(m.missed))
	switch {
	case m.goOn && len(m.order.Targets) == 0:
		return c.say("order.none_stopped")
	case m.goOn:
		return c.say("order.stopped", c.when(m.order.Started), n)
	case m.group != "":
		return c.say("order.group", m.group, n)
	case m.domain != "":
		return c.say("order.domain", n, m.domain)
	case m.all:
		return c.say("order.all", n)
	case m.from != "":
		return c.say("restamp.title", n, m.log.Column)
	}
	return c.say("order.named", n)
}

// others counts those who are left alone, by why.
func (c *call) others(m mission) (parts []string) {
	count := func(kind string, n int, named []string) {
		if n > 0 {
			parts = append(parts, c.say(language.Key("class."+kind), language.Number(n))+c.first(named))
		}
	}
	stamped := map[job.Verb]string{
		job.Stamp:   string(job.Stamped),
		job.SignOut: "recent", // else a stamp would be no reason
		job.Restamp: "since",
	}[m.verb]
	count(stamped, m.plan.Count(job.Stamped), nil)
	for _, kind := range []string{"excluded_name", "excluded_pattern", "excluded_group"} {
		count(kind, m.excluded()[kind], nil)
	}
	var guests []string
	if m.file != "" || m.from != "" || len(m.whom.names) > 0 {
		guests = m.named(job.Guest)
	}
	count(string(job.Guest), m.plan.Count(job.Guest), guests)
	for _, class := range []job.Class{job.Emergency, job.Managed, job.FailedBefore} {
		count(string(class), m.plan.Count(class), nil)
	}
	for _, class := range []job.Class{job.NotFound, job.Unclear} {
		count(string(class), m.plan.Count(class), m.named(class))
	}
	for _, fate := range []string{notFound, several} {
		places := c.places(m, fate)
		count(fate, len(places), places)
	}
	count("doubled", len(m.list.Doubled), nil)
	return parts
}

// excluded counts those who are excluded, by what excludes them.
func (m mission) excluded() map[string]int {
	kinds := make(map[string]int)
	for _, u := range m.plan.Users {
		if u.Class != job.Excluded {
			continue
		}
		switch by, named := m.plan.Exclusions.Match(u.User); {
		case !named:
			kinds["excluded_group"]++
		case directory.IsID(by):
			kinds["excluded_name"]++
		default:
			kinds["excluded_pattern"]++
		}
	}
	return kinds
}

// named are the names of the users of a class.
func (m mission) named(class job.Class) (names []string) {
	for _, u := range m.plan.Users {
		if u.Class == class {
			names = append(names, cmp.Or(u.User.UserPrincipalName, u.User.ID))
		}
	}
	return names
}

// places are the lines of a file that lead to nobody, or to several.
func (c *call) places(m mission, fate string) (places []string) {
	for _, one := range m.missed {
		if one.fate == fate {
			places = append(places, c.say("order.line", one.Line, one.Name))
		}
	}
	return places
}

// first are the first of some names, "" for none.
func (c *call) first(names []string) string {
	const most = 3
	if len(names) == 0 {
		return ""
	}
	if len(names) > most {
		names = append(slices.Clone(names[:most]), "…")
	}
	return " (" + c.and(names) + ")"
}

// doubtful counts those for whom nothing could be done, and names the first: they were not
// found, or Graph did not say enough.
func (c *call) doubtful(m mission) (n int, names string) {
	all := slices.Concat(c.places(m, notFound), c.places(m, several), m.named(job.NotFound), m.named(job.Unclear))
	return len(all) + m.plan.Unreadable, c.first(all)
}

// again is the command line without a flag, to be typed again.
func (c *call) again(without string) string {
	var args []string
	for i, arg := range c.Args {
		name, _, _ := strings.Cut(arg, "=")
		if name == without || name == "--demo" || name == "--yes" || name == "--lang" || i > 0 && c.Args[i-1] == "--lang" { // hints has two of them
			continue
		}
		if strings.ContainsAny(arg, " \t\"'`$&|;<>()*?[]#~!\\") || arg == "" {
			arg = c.quote(arg)
		}
		args = append(args, arg)
	}
	return strings.Join(args, " ")
}

// quote makes one argument of a text, for the shells of the system.
func (c *call) quote(arg string) string {
	if c.System == "windows" {
		return `"` + strings.ReplaceAll(arg, `"`, `\"`) + `"`
	}
	return "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
}

// ordered is the JSON of stamp and signout, whether they were carried out or not.
type ordered struct {
	Tenant  string         `json:"tenant"`
	Verb    job.Verb       `json:"verb"`
	Started string         `json:"started"`
	DryRun  bool           `json:"dryRun"`
	Reason  string         `json:"reason,omitempty"`
	Counts  map[string]int `json:"counts"`
	Users   []orderedUser  `json:"users"`
}

type orderedUser struct {
	ID                string       `json:"id,omitempty"`
	UserPrincipalName string       `json:"userPrincipalName,omitempty"`
	Line              int          `json:"line,omitempty"`
	Fate              string       `json:"fate"`
	Reason            stamp.Reason `json:"reason,omitempty"`
	Called            string       `json:"called,omitempty"`
}
