package main

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

func (c *call) sweepVerb() *cobra.Command {
	var d deployment
	var preview bool
	cmd := c.verb("sweep", func(cmd *cobra.Command, _ []string) error { return c.sweep(cmd.Context(), d, preview) })
	d.flags(c, cmd, usualStack)
	cmd.Flags().BoolVar(&preview, "preview", false, c.help("flag.preview"))
	return cmd
}

// sweep has the deployment look at everybody, and shows what it counted.
func (c *call) sweep(ctx context.Context, d deployment, preview bool) error {
	s, err := c.working(ctx, d)
	if err != nil {
		return err
	}
	c.tell(line{text: c.say("sweep.begins"), colour: screen.Faint})
	if preview {
		r, err := s.Order(ctx, sweep.OrderPreview) // of which nothing is left, whatever happens
		if err != nil {
			return err
		}
		return c.show(c.previewOfSweep(r, d))
	}
	r, err := c.giveOrder(ctx, s, sweep.OrderFull)
	if err != nil {
		return err
	}
	return c.show(c.sweepView(r, d))
}

// sweepView says how far a full round came.
func (c *call) sweepView(r sweep.Report, d deployment) view {
	v := view{object: r, sheet: sweepSheet(r), next: []hint{
		{"status" + d.given(), "hint.status"}, {"history" + d.named(), "hint.history"},
	}}
	paused := slices.Contains(r.Causes, sweep.CausePaused)
	switch {
	case paused:
		c.status = wrong
		v.before = append(v.before, line{text: c.say("sweep.paused"), colour: screen.Notice})
		v.next = append([]hint{{"resume" + d.given(), "hint.resume"}}, v.next...)
		return v
	case r.Finished:
		v.before = append(v.before, line{text: "✓ " + c.say("sweep.done", language.Number(r.Queued)), colour: screen.Good, hang: 2})
	default:
		v.before = append(v.before, line{text: c.say("sweep.goes_on", language.Number(r.Queued)), colour: screen.Notice})
	}
	v.before = append(v.before, c.countedLines(r, d)...)
	return v
}

// countedLines are what a full round or a preview has counted, and what it stumbled on.
func (c *call) countedLines(r sweep.Report, d deployment) (lines []line) {
	lines = append(lines, line{text: c.say("sweep.counts", language.Number(r.Members), language.Number(r.Unstamped))})
	if r.Existing > 0 {
		lines = append(lines, line{text: c.say("sweep.existing", language.Number(r.Existing), d.named())})
	}
	if r.Unreadable > 0 {
		lines = append(lines, line{text: c.say("doubt.unreadable", language.Number(r.Unreadable)), colour: screen.Notice})
	}
	for _, exclusion := range r.UnmatchedExclusions {
		lines = append(lines, line{text: c.say("sweep.unmatched", exclusion), colour: screen.Notice})
	}
	return lines
}

// decided are what a preview can say of a user, in the order of the screen.
var decided = []struct {
	reason stamp.Reason
	key    language.Key
}{
	{stamp.ReasonNew, "decided.new"}, {stamp.ReasonExisting, "decided.existing"}, {stamp.ReasonStamped, "decided.stamped"},
	{stamp.ReasonExcluded, "decided.excluded"}, {stamp.ReasonNotFederated, "decided.not_federated"},
	{stamp.ReasonGuest, "decided.guest"}, {stamp.ReasonNotMember, "decided.not_member"},
}

// previewOfSweep counts all users by what would be decided about them.
func (c *call) previewOfSweep(r sweep.Report, d deployment) view {
	v := view{
		object: r, sheet: previewSheet(r),
		before: append([]line{{text: c.sayN("sweep.would", newIn(r)), colour: screen.Strong}}, c.countedLines(r, d)...),
		table:  screen.Table{Columns: []screen.Column{{Title: c.say("column.people"), Right: true}, {Title: c.say("column.decided")}, {Title: c.say("column.where")}}},
		next:   []hint{{"sweep" + d.given(), "hint.sweep"}, {"sweep --preview -o json" + d.given(), "hint.ids"}},
	}
	if !r.Finished {
		v.before = append(v.before, line{text: c.say("sweep.cut"), colour: screen.Notice})
	}
	v.before = append(v.before, line{}, line{text: c.say("sweep.everybody")})
	for _, one := range decided {
		if group := r.Reasons[one.reason]; group != nil {
			v.table.Rows = append(v.table.Rows, []string{language.Number(group.Count), c.say(one.key), largest(group.Domains)})
		}
	}
	return v
}

// newIn counts whom a sweep would queue.
func newIn(r sweep.Report) int {
	if group := r.Reasons[stamp.ReasonNew]; group != nil {
		return group.Count
	}
	return 0
}

// largest names the domains with the most users, two at most.
func largest(domains map[string]int) string {
	const most = 2
	names := slices.SortedFunc(maps.Keys(domains), func(a, b string) int {
		if n := domains[b] - domains[a]; n != 0 {
			return n
		}
		return strings.Compare(a, b)
	})
	end := ""
	if len(names) > most {
		names, end = names[:most], ", …"
	}
	return strings.Join(names, ", ") + end
}

func sweepSheet(r sweep.Report) screen.Table {
	return screen.Table{
		Columns: []screen.Column{{Title: "kind"}, {Title: "finished"}, {Title: "queued"}, {Title: "members"}, {Title: "unstamped"}, {Title: "existing"}},
		Rows: [][]string{{
			string(r.Kind), strconv.FormatBool(r.Finished), strconv.Itoa(r.Queued), strconv.Itoa(r.Members), strconv.Itoa(r.Unstamped), strconv.Itoa(r.Existing),
		}},
	}
}

// previewSheet has a line for each reason and domain.
func previewSheet(r sweep.Report) screen.Table {
	sheet := screen.Table{Columns: []screen.Column{{Title: "reason"}, {Title: "domain"}, {Title: "count"}}}
	for _, reason := range slices.Sorted(maps.Keys(r.Reasons)) {
		domains := r.Reasons[reason].Domains
		for _, domain := range slices.Sorted(maps.Keys(domains)) {
			sheet.Rows = append(sheet.Rows, []string{string(reason), domain, strconv.Itoa(domains[domain])})
		}
	}
	return sheet
}
