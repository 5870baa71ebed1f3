package main

import (
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/access"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
)

func (c *call) permissionsVerb() *cobra.Command {
	cmd := c.verb("permissions", func(*cobra.Command, []string) error { return c.permissions() })
	ofDeployment(cmd)
	return cmd
}

// permissions writes the sheet for approval, to be printed. It asks nobody anything.
func (c *call) permissions() error {
	s := access.NewSheet()
	v := view{object: s, sheet: sheetOf(s)}
	v.before = []line{{text: c.say("sheet.title", c.Now().Format(time.DateOnly)), colour: screen.Strong}}
	v.before = append(v.before, c.chapter("sheet.purpose", paragraphs(c.lang, s.Purpose))...)
	v.before = append(v.before, c.chapter("sheet.people", c.people(s.People))...)
	v.before = append(v.before, c.chapter("sheet.permissions", c.appPermissions(s.Permissions))...)
	v.before = append(v.before, c.chapter("sheet.can", paragraphs(c.lang, s.Can))...)
	v.before = append(v.before, c.chapter("sheet.cannot", paragraphs(c.lang, s.Cannot))...)
	v.before = append(v.before, c.chapter("sheet.stores", c.stores(s.Stores))...)
	v.before = append(v.before, c.chapter("sheet.leaves", paragraphs(c.lang, s.Leaves))...)
	v.before = append(v.before, c.chapter("sheet.stop", paragraphs(c.lang, s.Stop))...)
	v.before = append(append(v.before, c.chapter("sheet.remove", paragraphs(c.lang, s.Remove))...), line{})
	v.next = []hint{{"permissions > sheet.txt", "hint.sheet"}, {"policy deploy", "hint.policy"}}
	return c.show(v)
}

// chapter is a title and what stands below it.
func (c *call) chapter(title language.Key, lines []line) []line {
	return append([]line{{}, {text: c.say(title), colour: screen.Strong}}, lines...)
}

func paragraphs(l language.Language, texts []language.Text) (lines []line) {
	for _, text := range texts {
		lines = append(lines, line{text: "- " + text.In(l), hang: 2})
	}
	return lines
}

// labelled is a name with lines of a label and a text.
func (c *call) labelled(name string, pairs ...string) []line {
	lines := []line{{text: "- " + name, hang: 2}}
	for pair := range slices.Chunk(pairs, 2) {
		lines = append(lines, line{text: "    " + pair[0] + pair[1], hang: 4 + screen.Width(pair[0])})
	}
	return lines
}

func (c *call) people(people []access.Person) (lines []line) {
	places := map[string]string{"entra": "Microsoft Entra", "aws": "AWS"}
	for _, p := range people {
		lines = append(lines, c.labelled(places[p.At]+": "+p.Who.In(c.lang),
			c.say("sheet.right"), p.Right.In(c.lang), c.say("sheet.duration"), p.Duration.In(c.lang), c.say("sheet.why"), p.Why.In(c.lang))...)
	}
	return lines
}

func (c *call) appPermissions(permissions []access.Permission) []line {
	lines := []line{{text: c.say("sheet.apps")}}
	for _, p := range permissions {
		lines = append(lines, c.labelled(p.Name+" ("+strings.Join(p.Apps, ", ")+")",
			"id: ", p.ID, c.say("sheet.allows"), p.Allows.In(c.lang), c.say("sheet.not"), p.Not.In(c.lang),
			c.say("sheet.why"), p.Why.In(c.lang), c.say("sheet.smaller"), p.Smaller.In(c.lang))...)
	}
	return lines
}

func (c *call) stores(stores []access.Store) (lines []line) {
	for _, s := range stores {
		lines = append(lines, c.labelled(s.Where.In(c.lang), c.say("sheet.what"), s.What.In(c.lang), c.say("sheet.duration"), s.Until.In(c.lang))...)
	}
	return lines
}

// sheetOf has the permissions, as they are ticked off in the Entra admin center.
func sheetOf(s access.Sheet) screen.Table {
	t := screen.Table{Columns: []screen.Column{{Title: "app"}, {Title: "permission"}, {Title: "id"}}}
	for _, p := range s.Permissions {
		for _, app := range p.Apps {
			t.Rows = append(t.Rows, []string{app, p.Name, p.ID})
		}
	}
	return t
}
