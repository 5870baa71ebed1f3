package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/job"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// A mission is an errand, and what it means at this moment.
type mission struct {
	errand
	tenant tenant
	plan   job.Plan
	order  job.Order
	missed []miss
	// before is the order that was stopped and that this one takes the place of.
	before job.Order
}

// mission finds out what an errand means. It changes nothing.
func (c *call) mission(ctx context.Context, t tenant, engine *job.Engine, e errand) (m mission, err error) {
	m = mission{errand: e, tenant: t, plan: job.Plan{Verb: e.verb, Made: c.Now().UTC()}}
	if m.before, _, err = engine.Unfinished(ctx); err != nil {
		return m, err
	}
	var wanted job.Wanted
	if e.goOn {
		wanted, err = m.takeUp()
	} else {
		wanted, m.missed, err = c.wanted(ctx, t, e)
	}
	wanted.Afresh = e.afresh
	if err != nil || len(wanted.Users) == 0 && wanted.Domain == "" && !wanted.All {
		return m, err
	}
	if m.plan, err = engine.Plan(ctx, wanted); err == nil && !e.goOn {
		m.order = m.plan.Order(e.limit)
		m.order.Reason = e.reason
	}
	return m, err
}

// takeUp makes the order that was stopped this mission's own.
func (m *mission) takeUp() (job.Wanted, error) {
	w := job.Wanted{Verb: m.verb}
	if len(m.before.Targets) == 0 {
		return w, nil
	}
	if m.before.Verb != m.verb {
		return w, misuse("use.other_verb", m.before.Verb)
	}
	m.order, m.before = m.before, job.Order{}
	for _, target := range m.order.Targets {
		w.Users = append(w.Users, target.User)
	}
	return w, nil
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

// replaces tells whether the order that was stopped had others, who are given up now.
func (m mission) replaces() bool {
	meant := make(map[string]bool, len(m.plan.Users))
	for _, u := range m.plan.Users {
		meant[u.User.ID] = true
	}
	return slices.ContainsFunc(m.before.Targets, func(t job.Target) bool { return !meant[t.User] })
}

// preview is what a mission would do.
func (c *call) preview(m mission) view {
	v := view{before: append(c.previewLines(m), line{}), object: c.ordered(m, job.Result{})}
	v.sheet = m.sheet(job.Result{})
	v.next = []hint{{c.again("--dry-run"), language.Key("hint." + m.verb)}}
	if m.over() {
		v.next = []hint{{"users", "hint.users"}, {"check", "hint.check"}}
	}
	return v
}

func (c *call) previewLines(m mission) []line {
	lines := []line{{text: "✓ Entra  " + m.tenant.as, colour: screen.Good}, {text: c.title(m)}}
	if others := c.others(m); len(others) > 0 {
		lines = append(lines, line{text: c.say("order.others", strings.Join(others, c.say("order.comma"))), hang: 2})
	}
	lines = append(lines, c.doubts(0, m.plan.Unreadable)...)
	switch {
	case m.over():
		return append(lines, line{text: c.say(m.key("nobody")), colour: screen.Strong})
	case m.replaces():
		lines = append(lines, line{text: c.say("order.replaces", c.when(m.before.Started), language.Number(len(m.before.Targets))), colour: screen.Notice})
	}
	if !m.goOn && !m.plan.GoesOn.IsZero() {
		lines = append(lines, line{text: c.say("order.goes_on", c.when(m.plan.GoesOn)), colour: screen.Notice})
	}
	if n := m.plan.Count(job.UnderWay); n > 0 {
		lines = append(lines, line{text: c.say("order.under_way", language.Number(n))})
	}
	return append(lines, c.dueLines(m)...)
}

// dueLines say what happens to those who are due, and until when.
func (c *call) dueLines(m mission) []line {
	due := m.due()
	if due == 0 {
		return nil
	}
	lines := []line{{text: c.say(m.key("due"), language.Number(due)), colour: screen.Strong}}
	if left := m.plan.Count(job.Due) - due; left > 0 {
		lines = append(lines, line{text: c.say("order.limited", language.Number(left))})
	}
	work := job.Duration(due)
	end := m.hours.end(c.Now(), work)
	lines = append(lines, line{text: c.say("order.takes", screen.Duration(c.lang, work), c.by(end.Add(c.lag())))})
	if m.order.Reason != "" {
		lines = append(lines, line{text: c.say("order.reason", m.order.Reason)})
	}
	if m.verb == job.SignOut {
		lines = append(lines, line{text: c.say("order.tokens")})
	}
	return lines
}

// by is the next full minute: so that nobody waits longer than we said.
func (c *call) by(at time.Time) string { return c.clock(at.Add(time.Minute - 1).Truncate(time.Minute)) }

func (c *call) clock(at time.Time) string {
	now := c.Now()
	return screen.Clock(now, at.In(now.Location()))
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
	}
	return c.say("order.named", n)
}

// others counts those who are left alone, by why.
func (c *call) others(m mission) (parts []string) {
	for _, class := range []job.Class{job.Stamped, job.Excluded, job.Guest, job.Managed, job.NotFound, job.Unclear} {
		if n := m.plan.Count(class); n > 0 {
			parts = append(parts, c.say(language.Key("class."+class), language.Number(n)))
		}
	}
	for _, fate := range []string{notFound, several} {
		if some := m.missedAs(fate); len(some) > 0 {
			parts = append(parts, c.say(language.Key("class."+fate), language.Number(len(some)))+" "+c.where(some))
		}
	}
	if n := len(m.list.Doubled); n > 0 {
		parts = append(parts, c.say("class.doubled", language.Number(n)))
	}
	return parts
}

func (m mission) missedAs(fate string) (some []miss) {
	for _, one := range m.missed {
		if one.fate == fate {
			some = append(some, one)
		}
	}
	return some
}

// where names the first lines that lead to nobody.
func (c *call) where(missed []miss) string {
	const most = 3
	var places []string
	for _, one := range missed[:min(most, len(missed))] {
		places = append(places, c.say("order.line", one.Line, one.Name))
	}
	if len(missed) > most {
		places = append(places, "…")
	}
	return "(" + strings.Join(places, c.say("order.comma")) + ")"
}

// again is the command line without a flag, to be typed again.
func (c *call) again(without string) string {
	var args []string
	for _, arg := range c.Args {
		if arg == without || arg == "--demo" {
			continue
		}
		if strings.ContainsAny(arg, " \t\"'`$&|;<>()*?[]#~!\\") || arg == "" {
			arg = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
		}
		args = append(args, arg)
	}
	return strings.Join(args, " ")
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
