package report

import (
	"slices"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
)

// A chart is columns side by side. Across, places are per cent of its width, so that it
// fits into every window without its text becoming small; upward they are pixels.
type chart struct {
	// ID begins the ids of its parts. Name and Text are for those who don't see it.
	ID, Name, Text string
	// Heads are the headings of its numbers as a table.
	Heads   []string
	Columns []column
}

// A column has one or two parts, the first one at the bottom.
type column struct {
	Name   string
	Counts []int
	X, W   string
	Parts  []part
	// Label is what stands below it, and Value above; "" for none. Rare ones are left out
	// in a narrow window.
	Label, LabelX, Anchor string
	Value, Middle         string
	ValueY                int
	RareLabel, RareValue  bool
}

// part is a rectangle in pixels, first and second by their order.
type part struct {
	Class string
	Y, H  int
}

// The pixels of a chart: values stand above the columns, labels below.
const (
	chartTop    = 18
	chartBottom = 150
)

// bar is what a column is drawn of.
type bar struct {
	name, label string
	counts      []int
}

func (b bar) all() (n int) {
	for _, count := range b.counts {
		n += count
	}
	return n
}

// draw makes the columns. There are none if all are 0.
func draw(bars []bar) (columns []column) {
	most := 0
	for _, b := range bars {
		most = max(most, b.all())
	}
	if most == 0 {
		return nil
	}
	wide := 100 / float64(len(bars))
	for i, b := range bars {
		left := wide * float64(i)
		c := column{
			Name: b.name, Counts: b.counts, Label: b.label,
			X: coordinate(left + wide*0.12), W: coordinate(wide * 0.76), Middle: coordinate(left + wide/2),
		}
		y := chartBottom
		for n, count := range b.counts {
			// Whoever is there is seen.
			h := (count*(chartBottom-chartTop) + most - 1) / most
			y -= h
			c.Parts = append(c.Parts, part{[]string{"first", "second"}[n], y, h})
		}
		c.ValueY = y - 4
		c.value(b.all(), b.all() == most || i == len(bars)-1, most)
		c.place(i, len(bars))
		columns = append(columns, c)
	}
	return columns
}

// value is what its height shows, where there is room for it.
func (c *column) value(n int, important bool, most int) {
	const fits = 1000
	if n > 0 && (important || most < fits) {
		c.Value, c.RareValue = language.Number(n), !important
	}
}

// place puts the label below its column, or at the edge if it would go over it.
func (c *column) place(i, of int) {
	c.LabelX, c.Anchor = c.Middle, "middle"
	const few = 12
	back := of - 1 - i
	if of <= few {
		c.RareLabel = back%2 != 0
		return
	}
	switch {
	case back == 0:
		c.LabelX, c.Anchor = "100%", "end"
	case back%4 != 0 || i == 0:
		c.Label = ""
	default:
		c.RareLabel = back%8 != 0
	}
}

func overTimeChart(points []Point, say sayer) chart {
	bars := make([]bar, 0, len(points))
	for _, p := range points {
		bars = append(bars, bar{p.Month, p.Month, []int{p.WithoutStamp}})
	}
	return chart{
		ID: "time", Name: say("time.title"), Text: say("time.note"),
		Heads: []string{say("month"), say("without")}, Columns: draw(bars),
	}
}

// monthChart draws the months of which the report tells over time, and counts together
// those before.
func monthChart(groups []Group, points []Point, say sayer) (c chart, earlier Group) {
	bars := make([]bar, len(points))
	place := make(map[string]int, len(points))
	for i, p := range points {
		bars[i] = bar{p.Month, p.Month, []int{0, 0}}
		place[p.Month] = i
	}
	for _, g := range groups {
		if i, in := place[g.Name]; in {
			bars[i].counts = []int{g.WithoutStamp, g.WithStamp}
		} else {
			earlier.WithoutStamp += g.WithoutStamp
			earlier.WithStamp += g.WithStamp
		}
	}
	// A young tenant has no empty years before it.
	first := slices.IndexFunc(bars, func(b bar) bool { return b.all() > 0 })
	const fewest = 6
	bars = bars[max(0, min(first, len(bars)-fewest)):]
	return chart{
		ID: "month", Name: say("created.title"), Text: say("created.note"),
		Heads: []string{say("month"), say("without"), say("with")}, Columns: draw(bars),
	}, earlier
}

func speedChart(s *Speed, say sayer) chart {
	bars := make([]bar, 0, len(s.Histogram))
	last := 0.0
	for _, b := range s.Histogram {
		name := say("wait.below", wait(say, b.Below))
		if b.Below == 0 {
			name = say("wait.more", wait(say, last))
		}
		bars = append(bars, bar{name, name, []int{b.Users}})
		last = b.Below
	}
	return chart{
		ID: "speed", Name: say("speed.title"), Text: say("speed.note", language.Number(s.Users)),
		Heads: []string{say("waited"), say("people")}, Columns: draw(bars),
	}
}

// domainRow is a domain with how long its bar is.
type domainRow struct {
	Group
	Bar string
}

// domainRows have the domains with the most unstamped members, and count the rest together.
func domainRows(groups []Group, say sayer) (rows []domainRow) {
	const shown = 15
	most := 0
	var rest Group
	for i, g := range groups {
		if i >= shown && len(groups) > shown+1 {
			rest.WithoutStamp += g.WithoutStamp
			rest.WithStamp += g.WithStamp
			continue
		}
		most = max(most, g.WithoutStamp)
		rows = append(rows, domainRow{Group: g})
	}
	if hidden := len(groups) - len(rows); hidden > 0 {
		rest.Name = say("domains.rest", language.Number(hidden))
		most = max(most, rest.WithoutStamp)
		rows = append(rows, domainRow{Group: rest})
	}
	for i := range rows {
		rows[i].Bar = share(rows[i].WithoutStamp, most)
	}
	return rows
}
