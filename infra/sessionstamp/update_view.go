package main

import (
	"cmp"
	"strings"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/bundle"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
	"github.com/sessionstamp/sessionstamp/shared/aws/stack"
)

// updateLines say what an update would change.
func (c *call) updateLines(plan change) (lines []line) {
	lines = append(lines, line{text: c.say("update.from", c.running(plan), plan.Brings)}, line{})
	for _, section := range plan.Sections {
		lines = append(lines, line{text: section.Title, colour: screen.Strong})
		for _, text := range unfold(section) {
			lines = append(lines, line{text: "  " + text, hang: 4})
		}
	}
	if len(plan.Sections) == 0 {
		lines = append(lines, line{text: c.say("update.no_changes")})
	}
	lines = append(lines, line{}, line{text: c.say("update.keeps")})
	for _, v := range plan.Moved {
		lines = append(lines, line{text: c.say("update.moved", v.Old, v.Name, v.Value), hang: 2})
	}
	for _, v := range plan.Gone {
		lines = append(lines, line{text: c.say("update.gone", v.Name, v.Value), colour: screen.Notice, hang: 2})
	}
	return append(lines, c.trustLines(plan)...)
}

// trustLines say what an update leaves to setup: it does not sign in to Entra.
func (c *call) trustLines(plan change) (lines []line) {
	for _, function := range plan.Trusts {
		lines = append(lines, line{text: "! " + c.say("update.trust", function), colour: screen.Notice, hang: 2})
	}
	return lines
}

// running is the version that a stack says. One that was deployed by hand says none.
func (c *call) running(plan change) string { return cmp.Or(plan.Running, c.say("update.unknown")) }

func (c *call) updateView(u updating, s *stack.Stack, plan change, done bool) view {
	v := view{object: updateObject(s, plan, done), next: []hint{{"status" + u.given(), "hint.status"}}}
	switch {
	case plan.same():
		v.before = []line{{text: "✓ " + c.say("update.same", s.Name, plan.Running), colour: screen.Good, hang: 2}}
		if !bundle.Numbered(plan.Brings) { // the name tells little of what was built
			v.next = append([]hint{{"setup" + u.given(), "hint.setup_anew"}}, v.next...)
		}
	case done:
		v.before = append([]line{{text: "✓ " + c.say("update.done", s.Name, plan.Brings, c.running(plan)), colour: screen.Good, hang: 2}}, c.trustLines(plan)...)
		if len(plan.Trusts) > 0 {
			v.next = append([]hint{{"setup" + u.given(), "hint.setup_trust"}}, v.next...)
		}
	default:
		v.before = append(c.updateLines(plan), line{})
		v.next = append([]hint{{"update" + u.given(), "hint.update"}}, v.next...)
	}
	v.sheet = screen.Table{Columns: []screen.Column{{Title: "stack"}, {Title: "running"}, {Title: "brings"}, {Title: "version"}, {Title: "change"}}}
	for _, section := range plan.Sections {
		for _, text := range unfold(section) {
			v.sheet.Rows = append(v.sheet.Rows, []string{s.Name, plan.Running, plan.Brings, section.Title, strings.TrimPrefix(text, "- ")})
		}
	}
	return v
}

func updateObject(s *stack.Stack, plan change, done bool) updated {
	o := updated{Stack: s.Name, Running: plan.Running, Brings: plan.Brings, Deployed: done, Changes: []updatedChanges{}, Moved: map[string]string{}, Gone: []string{}, Trusts: append([]string{}, plan.Trusts...)}
	for _, section := range plan.Sections {
		o.Changes = append(o.Changes, updatedChanges{section.Title, unfold(section)})
	}
	for _, v := range plan.Moved {
		o.Moved[v.Old] = v.Name
	}
	for _, v := range plan.Gone {
		o.Gone = append(o.Gone, v.Name)
	}
	return o
}
