package main

import (
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
)

// A view is what a verb has found, in every form in which it may be asked for.
type view struct {
	// For eyes: lines, a table if there is one, lines, and what to do next: a step, and the
	// commands.
	before []line
	table  screen.Table
	after  []line
	step   string
	next   []hint
	// sheet is for CSV: its headings are Graph's and our JSON's, in no language.
	sheet screen.Table
	// object is for JSON: the contract.
	object any
}

// line is a sentence that is wrapped, and painted if it has a colour. What does not fit
// into its first line hangs so many cells to the right. Spare cells at the end of a line are
// for marks that some terminals draw wide. A line that is copied stays whole.
type line struct {
	text        string
	colour      screen.Colour
	hang, spare int
	whole       bool
}

// marked is a line that begins with a mark. Some terminals draw marks two cells wide.
func marked(text string, colour screen.Colour) line {
	l := line{text: text, colour: colour, hang: 2}
	for _, mark := range "✗✓★→–…×·" {
		l.spare += strings.Count(text, string(mark))
	}
	return l
}

// gaps are what was not looked at, by name below each reason; the reasons stand in the order in
// which they were met.
type gaps struct {
	reasons []string
	names   map[string][]string
}

// add passes over what nobody misses, which has no reason.
func (g *gaps) add(reason, name string) {
	if reason == "" {
		return
	}
	if g.names == nil {
		g.names = make(map[string][]string)
	}
	if g.names[reason] == nil {
		g.reasons = append(g.reasons, reason)
	}
	g.names[reason] = append(g.names[reason], name)
}

// and joins names, as each language does.
func (c *call) and(names []string) string { return strings.Join(names, c.say("order.comma")) }

// show writes a view to standard output.
func (c *call) show(v view) error {
	if c.format != screen.Text {
		return screen.Result{Table: c.forExcel(v.sheet), Object: v.object}.Write(c.Stdout, c.format, c.Out.Columns)
	}
	var out strings.Builder
	c.paint(&out, v.before)
	if len(v.table.Rows) > 0 {
		if err := v.table.WriteText(&out, c.Out.Columns); err != nil {
			return err
		}
	}
	c.paint(&out, v.after)
	for _, text := range c.stepped(v.step, c.hints(v.next)) {
		out.WriteString(text + "\n")
	}
	_, err := io.WriteString(c.Stdout, out.String())
	return err
}

// stepped puts a step above the hints, if there is one.
func (c *call) stepped(step string, hints []string) []string {
	if step == "" {
		return hints
	}
	label := c.say("next")
	width := screen.Width(label)
	hints[0] = strings.Repeat(" ", width) + strings.TrimPrefix(hints[0], label)
	return append(screen.Wrap(label+step, c.Out.Columns, width), hints...)
}

func (c *call) paint(out *strings.Builder, lines []line) { paintOn(c.Out, out, lines) }

// tell writes lines to standard error.
func (c *call) tell(lines ...line) {
	var out strings.Builder
	paintOn(c.Err, &out, lines)
	_, _ = io.WriteString(c.Stderr, out.String())
}

func paintOn(on screen.Terminal, out *strings.Builder, lines []line) {
	for _, l := range lines {
		most := on.Columns - l.spare
		if l.whole {
			most = 0
		}
		for _, text := range screen.Wrap(screen.Clean(l.text), most, l.hang) {
			out.WriteString(on.Paint(l.colour, text) + "\n")
		}
	}
}

// pairs returns lines of at most so many cells with a name and what it means, the meanings
// below each other. A name that leaves no room for its meaning has a line of its own.
func pairs(pairs [][2]string, columns int) (lines []string) {
	const indent, most = 2, 46
	widest := 0
	for _, p := range pairs {
		if w := screen.Width(p[0]); w <= most {
			widest = max(widest, w)
		}
	}
	for _, p := range pairs {
		column := indent + widest + 2
		name := "  " + p[0] + strings.Repeat(" ", max(2, column-indent-screen.Width(p[0])))
		if w := screen.Width(name); w > column && w+screen.Width(p[1]) > columns {
			own := screen.Wrap(name, columns, column)
			if strings.HasPrefix(p[0], "sessionstamp ") { // half of a command does something else
				own = []string{strings.TrimRight(name, " ")}
			}
			lines = append(lines, own...)
			name = strings.Repeat(" ", min(column, columns/2))
		}
		lines = append(lines, screen.Wrap(name+p[1], columns, column)...)
	}
	return lines
}

// writeHelp teaches one verb, or all.
func (c *call) writeHelp(cmd *cobra.Command) {
	var out strings.Builder
	c.paint(&out, []line{{text: cmd.CommandPath() + ": " + cmd.Short, colour: screen.Strong}, {}})
	for _, paragraph := range strings.Split(cmd.Long, "\n") {
		c.paint(&out, []line{{text: paragraph}})
	}
	if cmd.HasParent() {
		c.section(&out, "title.usage", screen.Wrap("  "+cmd.UseLine(), c.Out.Columns, 4))
		c.section(&out, "title.verbs", pairs(actionsOf(cmd), c.Out.Columns))
		c.section(&out, "title.flags", pairs(flagsOf(cmd.LocalNonPersistentFlags()), c.Out.Columns))
	} else {
		c.section(&out, "title.verbs", append(pairs(c.verbs, c.Out.Columns), c.operatingLines()...))
	}
	c.section(&out, "title.examples", examplesOf(cmd, c.Out.Columns))
	_, _ = io.WriteString(c.Stdout, out.String()) // a help that nobody reads is no error
}

// actionsOf are the actions of a verb, if it has some.
func actionsOf(cmd *cobra.Command) (actions [][2]string) {
	for _, action := range cmd.Commands() {
		actions = append(actions, [2]string{action.Name(), action.Short})
	}
	return actions
}

// operatingLines name the verbs that are about a deployment.
func (c *call) operatingLines() []string {
	names := make([]string, len(c.operating))
	for i, verb := range c.operating {
		names[i] = verb[0]
	}
	return screen.Wrap("  "+c.help("deployment.verbs")+strings.Join(names, ", ")+" (sessionstamp help deployment)", c.Out.Columns, 4)
}

// writeDeploymentHelp teaches the verbs that are about a deployment.
func (c *call) writeDeploymentHelp() {
	var out strings.Builder
	c.paint(&out, []line{{text: c.help("deployment.long")}})
	c.section(&out, "title.verbs", pairs(c.operating, c.Out.Columns))
	c.section(&out, "title.examples", screen.Wrap("  sessionstamp status --help", c.Out.Columns, 4))
	_, _ = io.WriteString(c.Stdout, out.String())
}

// writeFlagsHelp teaches the flags that every verb has.
func (c *call) writeFlagsHelp(root *cobra.Command) {
	var out strings.Builder
	c.paint(&out, []line{{text: c.help("flags.long")}})
	c.section(&out, "title.flags", pairs(flagsOf(root.PersistentFlags()), c.Out.Columns))
	c.section(&out, "title.examples", screen.Wrap(c.help("flags.examples"), c.Out.Columns, 4))
	_, _ = io.WriteString(c.Stdout, out.String())
}

// section writes a part of a help, if there is anything in it.
func (c *call) section(out *strings.Builder, title language.Key, lines []string) {
	if len(lines) > 0 {
		c.paint(out, []line{{}, {text: c.help(title), colour: screen.Strong}})
		out.WriteString(strings.Join(lines, "\n") + "\n")
	}
}

func examplesOf(cmd *cobra.Command, columns int) (examples []string) {
	for _, example := range strings.Split(cmd.Example, "\n") {
		examples = append(examples, screen.Wrap(example, columns, 4)...)
	}
	return examples
}

// explainedIn marks a flag that the help of another verb explains.
const explainedIn = "explained_in"

// flagsOf are flags and what they are for.
func flagsOf(flags *pflag.FlagSet) (pairs [][2]string) {
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Annotations[explainedIn] != nil {
			return
		}
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		if f.Value.Type() != "bool" {
			name += " " + f.Value.Type()
		}
		pairs = append(pairs, [2]string{name, f.Usage})
	})
	return pairs
}

// when writes a moment in the person's time zone, "" if it is not known.
func (c *call) when(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.In(c.Now().Location()).Format("2006-01-02 15:04")
}

// forExcel writes the moments of a sheet as Excel reads times, which it does in no zone but
// the person's.
func (c *call) forExcel(sheet screen.Table) screen.Table {
	for _, row := range sheet.Rows {
		for i, cell := range row {
			if at, err := time.Parse(time.RFC3339, cell); err == nil {
				row[i] = at.In(c.Now().Location()).Format(time.DateTime)
			}
		}
	}
	return sheet
}

// moment writes a moment for programs.
func moment(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.RFC3339)
}
