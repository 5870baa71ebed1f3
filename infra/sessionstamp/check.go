package main

import (
	"context"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/census"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/report"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/setup"
)

func (c *call) checkVerb() *cobra.Command {
	return c.verb("check", func(cmd *cobra.Command, _ []string) error { return c.check(cmd.Context()) })
}

// check is the self-test: does this tenant need us?
func (c *call) check(ctx context.Context) error {
	t, err := c.signIn(ctx, readUsers, readDomains)
	if err != nil {
		return err
	}
	r, err := c.read(ctx, t, "")
	if err != nil {
		return err
	}
	now := c.Now()
	found := census.Take(r.domains, r.users, now)
	if found.Members.Without > 0 {
		c.status = wrong
	}
	return c.show(view{
		before: c.checkLines(t, found, r.unreadable),
		next:   c.afterCheck(found),
		sheet:  domainSheet(found),
		object: report.HeadOf(t.id, found, r.unreadable, now),
	})
}

func (c *call) checkLines(t tenant, found census.Census, unreadable int) []line {
	lines := []line{
		{text: "✓ Entra  " + t.as + c.say("check.reads"), colour: screen.Good},
		{text: c.say("check.federated", c.some(found.Federated)), hang: 2},
		{text: c.say("check.managed", c.some(found.Managed)), hang: 2},
		{},
	}
	if found.Members.All() > 0 {
		lines = append(lines, c.countLines(found)...)
	}
	lines = append(lines, c.verdictLine(found))
	return append(append(lines, c.doubts(found.Unknown, unreadable)...), line{})
}

func (c *call) countLines(found census.Census) []line {
	all := language.Number(found.Members.All())
	lines := []line{{text: c.sayN("check.count", found.Members.Without, all), colour: screen.Strong}}
	if found.Recent.All() > 0 {
		lines = append(lines, line{text: c.say("check.recent", language.Number(found.Recent.Without), language.Number(found.Recent.All()))})
	}
	if found.Members.Without > 0 {
		lines = append(lines, line{text: c.say("check.stamp"), colour: screen.Faint})
	}
	return append(lines, c.emergencyLines("order.emergency", setup.Emergencies(found.Unstamped))...)
}

// verdictLine says what the census means.
func (c *call) verdictLine(found census.Census) line {
	verdict := found.Verdict()
	key := language.Key("verdict." + verdict)
	if verdict == census.Needed && 2*found.Recent.Without < found.Recent.All() {
		key = "verdict.needed_some"
	}
	if onlyEmergencies(found) {
		key = "verdict.emergency"
	}
	colour := screen.Good
	if found.Members.Without > 0 {
		colour = screen.Notice
	}
	return line{text: "→ " + c.say(key), colour: colour, hang: 2}
}

// onlyEmergencies tells whether nobody lacks a stamp but accounts that may well lack it.
func onlyEmergencies(found census.Census) bool {
	return found.Members.Without > 0 && len(setup.Emergencies(found.Unstamped)) == found.Members.Without
}

// doubts say what could not be looked at.
func (c *call) doubts(unknown, unreadable int) (lines []line) {
	if unknown > 0 {
		lines = append(lines, line{text: c.say("doubt.unknown", language.Number(unknown)), colour: screen.Notice})
	}
	if unreadable > 0 {
		lines = append(lines, line{text: c.say("doubt.unreadable", language.Number(unreadable)), colour: screen.Notice})
	}
	return lines
}

// some joins names, and counts those beyond the first few.
func (c *call) some(names []string) string {
	const most = 8
	switch {
	case len(names) == 0:
		return c.say("none")
	case len(names) > most:
		return c.say("more", strings.Join(names[:most], ", "), language.Number(len(names)-most))
	}
	return strings.Join(names, ", ")
}

// afterCheck begins with what new users need, and has the cure of the others as a preview,
// which changes nothing.
func (c *call) afterCheck(found census.Census) (next []hint) {
	switch verdict := found.Verdict(); {
	case onlyEmergencies(found):
		return []hint{{"users", "hint.users"}}
	case found.Members.Without > 0:
		if verdict == census.Needed && !c.demo {
			next = append(next, hint{"setup --plan", "hint.setup_new"})
		}
		next = append(next, hint{"stamp --all --dry-run", "hint.preview"})
		if verdict == census.Needed {
			next = append(next, hint{"watch --once --dry-run", "hint.preview_new"})
		}
		return append(next, hint{"users", "hint.users"}, hint{"users --by month", "hint.by_month"})
	case verdict == census.NotFederated:
		return []hint{{"check --demo", "hint.demo"}}
	}
	return []hint{{"users --by domain", "hint.by_domain"}}
}

// domainSheet is the CSV of counts by domain.
func domainSheet(found census.Census) screen.Table { return groupSheet("domain", found.ByDomain) }

// groupSheet is the CSV of counts.
func groupSheet(by string, groups []census.Group) screen.Table {
	sheet := screen.Table{Columns: []screen.Column{{Title: by}, {Title: "withoutStamp"}, {Title: "withStamp"}}}
	for _, g := range groups {
		sheet.Rows = append(sheet.Rows, []string{g.Name, strconv.Itoa(g.Without), strconv.Itoa(g.With)})
	}
	return sheet
}
