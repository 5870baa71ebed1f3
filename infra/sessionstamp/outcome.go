package main

import (
	"cmp"
	"strconv"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/job"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
)

// outcome is what became of a mission. One that was stopped by an error can go on.
func (c *call) outcome(m mission, r job.Result, ended error) view {
	if forbidden(r) != nil { // the error says the rest
		v := view{
			before: []line{{text: c.say(m.key("stopped"), "0", language.Number(len(r.Users))), colour: screen.Notice}, {}},
			next:   []hint{{c.again("--afresh") + " --afresh", "hint.again"}}, object: c.ordered(m, r), sheet: m.sheet(r),
		}
		if r.Count(job.Open) > 0 {
			v.next = append(v.next, hint{string(m.verb) + " --continue", "hint.others"})
		}
		return v
	}
	v := view{before: c.headline(m, r, ended), table: c.failures(m, r), object: c.ordered(m, r), sheet: m.sheet(r)}
	if hidden := r.Count(job.Failed) - len(v.table.Rows); hidden > 0 {
		v.after = append(v.after, line{text: c.say("order.more", language.Number(hidden)), colour: screen.Faint})
	}
	if n := r.Count(job.Spared); n > 0 {
		v.after = append(v.after, line{text: c.say("order.spared", language.Number(n))})
	}
	v.after = append(v.after, c.loose(m, r)...)
	v.next = []hint{{"history --names", "hint.names"}, {"check", "hint.check"}}
	switch {
	case m.reason != "":
		v.next[0] = hint{"history --orders", "hint.orders"}
	case m.stack != nil:
		v.next[0].command += m.deployment.named()
	}
	switch _, left := c.left(m, r, ended); {
	case len(left) > 0:
		v.next = left
	case ended == nil || r.Count(job.Open) == 0:
		if c.demo {
			v.after = append(v.after, line{text: c.say("order.demo_ends")})
		}
	case c.demo:
		v.after = append(v.after, line{text: c.say("order.demo_forgets")}, line{})
		v.next = []hint{{c.again("--continue"), "hint.from_start"}}
		return v
	default:
		goOn := string(m.verb) + " --continue"
		if at := m.hours.String(); at != "" {
			goOn += " --at " + at // else it would go on at once
		}
		v.next = []hint{{goOn, "hint.continue"}, {"history --names", "hint.names"}}
	}
	v.after = append(v.after, line{})
	return v
}

// loose are the ends of earlier orders, and those for whom nothing could be done.
func (c *call) loose(m mission, r job.Result) (lines []line) {
	for _, end := range []struct {
		fate   job.Fate
		key    language.Key
		colour screen.Colour
	}{{job.Cured, "order.earlier", ""}, {job.Called, "order.earlier_called", screen.Notice}, {job.Failed, "order.earlier_failed", screen.Wrong}} {
		if n := earlier(r, end.fate); n > 0 {
			lines = append(lines, line{text: c.say(end.key, language.Number(n)), colour: end.colour})
		}
	}
	if n, names := c.doubtful(m); n > 0 {
		lines = append(lines, line{text: "✗ " + c.say("order.doubtful", language.Number(n), names), colour: screen.Wrong, hang: 2})
	}
	return lines
}

// earlier counts the people of earlier orders who had a fate in this run.
func earlier(r job.Result, f job.Fate) (n int) {
	for _, end := range r.Earlier {
		if end.Fate == f {
			n++
		}
	}
	return n
}

// headline says how many were called, and what is left to do.
func (c *call) headline(m mission, r job.Result, ended error) (lines []line) {
	called, open, failed := r.Count(job.Called), r.Count(job.Open), r.Count(job.Failed)
	all := r.Count(job.Cured) + called
	done := language.Number(all)
	switch left, _ := c.left(m, r, ended); {
	case len(left) > 0:
		lines = left
	case open > 0:
		lines = append(lines, line{text: c.say(m.key("stopped"), done, language.Number(open)), colour: screen.Notice})
	case called > 0:
		lines = append(lines, line{text: "✓ " + c.say(m.key("called"), done, language.Number(called)), colour: screen.Good, hang: 2})
	case r.Count(job.Cured) > 0 || failed == 0:
		lines = append(lines, line{text: "✓ " + c.sayN(m.key("done"), all), colour: screen.Good, hang: 2})
	}
	if failed > 0 {
		lines = append(lines, line{text: "✗ " + c.say("order.failed", language.Number(failed)), colour: screen.Wrong, hang: 2})
	}
	return lines
}

// failures are those of whom a person must know, as many as fit on a screen.
func (c *call) failures(m mission, r job.Result) screen.Table {
	const most = 10
	table := screen.Table{Columns: []screen.Column{{Title: c.say("column.user")}, {Title: c.say("column.why")}}}
	names := m.names()
	for _, end := range r.Users {
		if end.Fate == job.Failed && len(table.Rows) < most {
			table.Rows = append(table.Rows, []string{cmp.Or(names[end.User], end.User), c.say(language.Key("failed." + end.Reason))})
		}
	}
	return table
}

// names are the user principal names of those who are meant, by object id.
func (m mission) names() map[string]string {
	names := make(map[string]string, len(m.plan.Users))
	for _, u := range m.plan.Users {
		names[u.User.ID] = u.User.UserPrincipalName
	}
	return names
}

// users tells everybody's fate. That of users whom the order has left out is their class;
// "later" is who was due beyond the limit.
func (m mission) users(r job.Result) []orderedUser {
	ends := make(map[string]job.End, len(r.Users))
	for _, end := range r.Users {
		ends[end.User] = end
	}
	inOrder := make(map[string]bool, len(m.order.Targets))
	for _, target := range m.order.Targets {
		inOrder[target.User] = true
	}
	users := make([]orderedUser, 0, len(m.plan.Users)+len(m.missed))
	for _, u := range m.plan.Users {
		row := orderedUser{ID: u.User.ID, UserPrincipalName: u.User.UserPrincipalName, Fate: string(u.Class), Reason: u.Reason}
		if end, ran := ends[u.User.ID]; ran {
			row.Fate, row.Reason, row.Called = cmp.Or(string(end.Fate), "open"), end.Reason, moment(end.Called)
		} else if u.Class == job.Due {
			row.Reason = ""
			if !inOrder[u.User.ID] {
				row.Fate = "later"
			}
		}
		users = append(users, row)
	}
	for _, one := range m.missed {
		users = append(users, orderedUser{UserPrincipalName: one.Name, Line: one.Line, Fate: one.fate})
	}
	return users
}

func (c *call) ordered(m mission, r job.Result) ordered {
	o := ordered{
		Tenant: m.tenant.id, Verb: m.verb, Started: moment(m.plan.Made), DryRun: m.dryRun, Reason: m.order.Reason,
		Counts: make(map[string]int), Users: m.users(r),
	}
	if m.goOn && !m.order.Started.IsZero() {
		o.Started = moment(m.order.Started)
	}
	for _, u := range o.Users {
		o.Counts[u.Fate]++
	}
	return o
}

func (m mission) sheet(r job.Result) screen.Table {
	sheet := screen.Table{Columns: []screen.Column{
		{Title: "id"}, {Title: "userPrincipalName"}, {Title: "line"}, {Title: "fate"}, {Title: "reason"}, {Title: "called"},
	}}
	for _, u := range m.users(r) {
		place := ""
		if u.Line > 0 {
			place = strconv.Itoa(u.Line)
		}
		sheet.Rows = append(sheet.Rows, []string{u.ID, u.UserPrincipalName, place, u.Fate, string(u.Reason), u.Called})
	}
	return sheet
}
